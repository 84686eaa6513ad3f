// Package outbox is what leaves taskapi: the kinds of mail, their states, and how
// many a mailbox or a user may cause. Package mailer sends them.
//
// # Glossary
//
//   - Mail: one message to one address. Outbox: the mails kept in the database,
//     queued, sent or dead (given up after too many tries).
//   - Notice: a mail that tells the owner of an account what was done to it.
//   - Postage: the limit on the mails that one mailbox gets, or one user causes.
package outbox
