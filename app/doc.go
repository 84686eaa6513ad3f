// Package app is what taskapi is: its nouns, their limits, the rules that
// bind them and the use cases that people call. It reads without knowing SQL
// or HTTP; both are reached through the small interfaces that stand beside
// the use cases which need them.
//
// # Glossary
//
// One word for one thing, here and in every layer around this package.
//
//   - User: a person with an account. Has a username, an e-mail address that
//     nobody else has (whatever its case), a password hash and a role.
//   - Role: "user" or "admin". Admins are made on the command line only.
//   - Caller: who makes the request, as an access token and its session prove.
//   - Task: one thing to do, owned by one user. Open until it is completed.
//   - Session: one sign-in of one user on one device. It begins with a login
//     and ends with a logout, a replay, an expiry, or a change that ends it.
//   - API token: a personal one for scripts, good for some scopes until it
//     expires or is revoked. Scope: tasks:read, tasks:write or account.
//   - Link: what stands in a mail to reset a password or prove an address; it
//     holds a code. Verified: said of an address that a link has proven.
//   - Event: one line of the audit record.
//   - Origin: the address and user agent that a request came from. Network:
//     what counts as one client, an IPv4 address or an IPv6 /64.
//   - Access token: a JWT that proves a session for some minutes.
//   - Refresh token: an opaque text that a client trades for the next one and
//     a fresh access token. Each belongs to one generation of its session.
//   - Generation: the number of the refresh token that is current in a session.
//   - Retired: said of a refresh token whose successor has been handed out.
//   - Grace: the time in which a retired refresh token still leads on, so that
//     two tabs, a lost answer or a proxy's retry end nobody's session.
//   - Replay: a retired refresh token shown after its grace. Ends the session.
//   - Mail: one message to one address. Outbox: the mails kept in the database,
//     queued, sent or dead (given up after too many tries).
//   - Import: users and tasks taken from elsewhere in one transaction. Source:
//     where they come from. Skipped: said of a row of it that breaks a rule.
//   - Page: one slice of a list, in a stable order, by its number or by a
//     cursor: what follows an id. Total: the length of the whole list, kept.
//   - Backup: a copy of the database as of one moment that was proved, with its
//     manifest. Snapshot: the same, made before the schema is brought forward.
//   - Field: one value of a request as the client sent it: absent, null, of the
//     wrong type, or present.
//   - Health: whether the server can do its work. Check: one part of that.
//   - Kind: the class of an error, from which every outside status is derived.
//
// # Dependencies
//
// Each module below is maintained, free of cgo and under a licence that agrees
// with ours (MIT, BSD, Apache 2.0, ISC; MPL 2.0 where it is named). One line of reason each:
//
//   - modernc.org/sqlite: SQLite itself, translated to Go, so one static binary
//     runs everywhere; modernc.org/libc stays at the version it names.
//   - github.com/gofiber/fiber/v2 with github.com/valyala/fasthttp: the HTTP
//     server; fasthttp is raised above what Fiber asks for, because the old one
//     accepts request smuggling and forged Content-Length.
//   - github.com/gofiber/contrib/jwt: the bearer check in front of the routes.
//   - github.com/go-sql-driver/mysql (MPL 2.0, used as it is): reads the
//     tutorial's MariaDB or MySQL, without cgo.
//   - github.com/golang-jwt/jwt/v5: signs and parses access tokens.
//   - github.com/alexedwards/argon2id: password hashes in PHC form.
//   - golang.org/x/crypto/scrypt: checks the hashes that imported users bring
//     along; PBKDF2 is in the standard library.
//   - github.com/spf13/cobra: commands, flags, shell completion.
//   - github.com/jordan-wright/email: builds MIME messages (it does not send).
//   - github.com/go-json-experiment/json: the Go team's json/v2, whose jsontext
//     refuses duplicate names, invalid UTF-8 and lone surrogates as RFC 7493
//     asks; encoding/json quietly repairs them.
//   - github.com/mileusna/useragent: names the device of a session for people.
//   - go.yaml.in/yaml/v3: turns openapi.yaml into JSON.
//   - github.com/joho/godotenv: reads .env files.
//   - github.com/gofrs/flock: one server at a time on one data folder, on every
//     system.
//   - github.com/prometheus/client_golang with its common/expfmt: counts and
//     writes metrics as Prometheus' own servers do.
//   - golang.org/x/net/idna, golang.org/x/text/unicode/norm: one form of the
//     many ways to write an address.
//   - golang.org/x/text/encoding/unicode: imports in UTF-16, as Windows saves them.
//   - github.com/KimMachineGun/automemlimit: how much memory the machine or the
//     container has, in all the ways in which control groups say so.
//   - golang.org/x/sys: the room on a disk, its kind and the state of the clock.
//   - github.com/kardianos/service: installs and asks services on every system.
//   - github.com/coreos/go-systemd/v22: its daemon and activation packages, which
//     tell systemd that the server is ready and alive, and take its sockets.
//   - golang.org/x/crypto/acme/autocert: certificates from Let's Encrypt and the
//     like, in a quarter of the size of the alternative.
//   - golang.org/x/term: asks for a password without echo.
//
// In web/static, as a file: RapiDoc 9.3.8 (MIT), the viewer of /docs; half as
// large as the others.
//
// In tests only:
//
//   - github.com/emersion/go-smtp: a real SMTP server to refuse, stall and drop.
//   - github.com/getkin/kin-openapi: holds every exchange against openapi.yaml.
//   - github.com/go-rod/rod: drives the Chromium that is installed.
//   - pgregory.net/rapid: random histories against a model.
package app
