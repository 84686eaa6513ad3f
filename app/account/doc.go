// Package account is who people are to taskapi: users, their sessions and API
// tokens, how they prove that they are there and get back in, what guards them
// from guessing, and the record of what was done to them.
//
// # Glossary
//
//   - User: a person with an account. Has a username, an e-mail address that
//     nobody else has (whatever its case), a password hash and a role.
//   - Session: one sign-in of one user on one device. It begins with a login
//     and ends with a logout, a replay, an expiry, or a change that ends it.
//   - Access token: a JWT that proves a session for some minutes.
//   - Refresh token: an opaque text that a client trades for the next one and
//     a fresh access token. Each belongs to one generation of its session.
//   - Generation: the number of the refresh token that is current in a session.
//   - Retired: said of a refresh token whose successor has been handed out.
//   - Grace: the time in which a retired refresh token still leads on, so that
//     two tabs, a lost answer or a proxy's retry end nobody's session.
//   - Replay: a retired refresh token shown after its grace. Ends the session.
//   - API token: a personal one for scripts, good for some scopes until it
//     expires or is revoked.
//   - Proof: that the person is there, not only a session of theirs: the current
//     password, or a sign-in a short while ago.
//   - Link: what stands in a mail to reset a password or prove an address; it
//     holds a code. Verified: said of an address that a link has proven.
//   - Guard: what slows down the guessing of passwords, by network and account.
//   - Event: one line of the audit record. Record: what a change leaves behind in
//     its own transaction, events and mails.
package account
