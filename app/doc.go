// Package app is the vocabulary that all of taskapi shares: who calls, what a
// request says of a field, how an error is classed, how a list is read page by
// page, and how often something may happen. It imports nothing of ours. What
// taskapi does is in the packages below it, which read without knowing SQL or
// HTTP; both are reached through small interfaces that stand beside the use
// cases which need them.
//
// # Rooms
//
// Imports point down, and packages on one line do not import each other:
//
//	main.go                              embeds schema.sql, calls cmd
//	cmd                                  commands, wiring, signals
//	  cmd/doctor                         what is wrong with an installation
//	  cmd/settings  cmd/datadir          flags, environment, .env; the data folder
//	  cmd/listen  cmd/certs  cmd/logs  cmd/machine  cmd/service
//	app/api   app/sqlite   app/mailer   app/mariadb   app/transfer   app/metrics   web
//	  HTTP      storage      SMTP        the tutorial's database, JSON and CSV files
//	app/operate                          import, health
//	app/account   app/todo               who people are; what they keep
//	app/outbox   app/password   app/token
//	app                                  the vocabulary
//
// arch_test.go holds all of it.
//
// To add a field to a task: a column in schema.sql and a numbered step in
// app/sqlite/steps.go; the field, its limits and its rule in app/todo/task.go; the
// queries in app/sqlite/tasks.go; the JSON in app/api/tasks.go and openapi.yaml;
// and, if files carry it, app/transfer and app/operate/import_row.go.
//
// # Glossary
//
// One word for one thing, here and in every layer. Each package has the words of
// its own in its doc comment.
//
//   - Caller: who makes the request, as a session, an API token or the command
//     line proves. Operator: who uses the command line.
//   - Role: "user" or "admin". Admins are made on the command line only.
//   - Scope: something that an API token may be good for.
//   - Origin: the address and user agent that a request came from. Network:
//     what counts as one client, an IPv4 address or an IPv6 /64.
//   - Claimant: whose share of what is scarce a piece of work takes.
//   - Page: one slice of a list, in a stable order, by its number or by a
//     cursor: what follows an id. Total: the length of the whole list, kept.
//   - Field: one value of a request as the client sent it: absent, null, of the
//     wrong type, or present. Problems: what is wrong with them, by name.
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
