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
//	app/api   app/caldav   app/mcp      app/sqlite   app/postgres   app/mailer   app/push   app/webhook   app/mariadb   app/transfer   app/metrics   web
//	  HTTP      CalDAV       assistants   storage      storage        SMTP         Web Push   HTTP client   the tutorial's database, JSON and CSV files
//	app/replica                          the second place of the database: a folder, an S3 service
//	  app/api/client                     the client that the server gives to front ends
//	app/store                            nouns and SQL, for the engines that run it
//	app/dev                              what only a developer's server has
//	app/operate                          import, health
//	app/account   app/todo               who people are; what they keep
//	app/outbox   app/password   app/token   app/ical
//	app                                  the vocabulary
//
// arch_test.go holds all of it.
//
// To add a field to a task: a column in schema.sql and a numbered step in
// app/sqlite/steps.go; the field, its limits and its rule in app/todo/task.go and tasks.go;
// the queries in app/store/tasks.go (rareColumns for what most tasks don't have),
// task_create.go, task_change.go and trash.go; the JSON in app/api/tasks.go (in),
// encode.go (out) and openapi.yaml; if files carry it, app/transfer and
// app/operate/import_row.go; and the page in web/static/list.js and store.js.
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
// with ours (MIT, BSD, Apache 2.0, ISC; MPL 2.0 where it is named). One line of
// reason each, the month of the release in use, and what would replace it:
//
//   - modernc.org/sqlite (2026-11): SQLite itself, translated to Go, so one static
//     binary runs everywhere; modernc.org/libc stays at the version it names.
//     Instead: ncruces/go-sqlite3.
//   - github.com/jackc/pgx/v5 (2026-11), its pgconn alone, and github.com/jackc/puddle/v2
//     (2026-11): speak to PostgreSQL, and keep the connections. All of pgx would be
//     2 MB more, for types that the schema does not have. Instead: lib/pq.
//   - github.com/gofiber/fiber/v2 (2026-08) with github.com/valyala/fasthttp
//     (2026-11): the HTTP server; see below. Instead: net/http, slower.
//   - github.com/gofiber/contrib/jwt (2025-05): the bearer check in front of the
//     routes. Instead: some fifty lines of our own.
//   - github.com/go-sql-driver/mysql (2026-09; MPL 2.0, used as it is): reads the
//     tutorial's MariaDB or MySQL, without cgo.
//   - github.com/golang-jwt/jwt/v5 (2026-01): signs and parses access tokens.
//     Instead: go-jose.
//   - github.com/alexedwards/argon2id (2023-10): password hashes in PHC form, a
//     finished file around x/crypto/argon2. Instead: that file in our own code.
//   - golang.org/x/crypto (2026-11): scrypt checks the hashes that imported users
//     bring along; acme/autocert gets certificates, in a quarter of the size of the
//     alternative, lego.
//   - github.com/spf13/cobra (2025-12) with its pflag: commands, flags, shell
//     completion.
//   - github.com/jordan-wright/email (2021-01): builds MIME messages; it does not
//     send. Old but done, and what it is given is checked here. Instead:
//     wneessen/go-mail.
//   - github.com/SherClockHolmes/webpush-go (2025-01): encrypts and signs what is pushed to
//     browsers (RFC 8291, RFC 8292). The client with its limits is ours. Instead: some 150
//     lines of our own.
//   - github.com/go-json-experiment/json (2026-11): the Go team's json/v2, whose
//     jsontext refuses duplicate names, invalid UTF-8 and lone surrogates as RFC
//     7493 asks; encoding/json quietly repairs them. Instead: the standard
//     library's, once it ships json/v2.
//   - github.com/modelcontextprotocol/go-sdk (2026-09): the tools for assistants, in all
//     versions of their protocol, by those who write it; with github.com/google/jsonschema-go
//     (2026-04), which describes and checks arguments. It takes net/http, so requests are
//     handed to it in memory, and 2.4 MiB of the binary. Instead: some 600 lines of JSON-RPC
//     of our own.
//   - github.com/mileusna/useragent (2024-09): names the device of a session for
//     people.
//   - github.com/yuin/goldmark (2026-10): renders the guide. Instead: the Markdown as
//     it is.
//   - go.yaml.in/yaml/v3 (2026-10): turns openapi.yaml into JSON and into the client for
//     front ends.
//   - github.com/joho/godotenv (2023-02): reads .env files; a finished format.
//   - github.com/gofrs/flock (2026-11): one server at a time on one data folder, on
//     every system.
//   - github.com/prometheus/client_golang (2026-10) with its common/expfmt: counts
//     and writes metrics as Prometheus' own servers do.
//   - code.dny.dev/ssrf (2026-07): which addresses are not of the internet, by IANA's
//     registries; asked about each address that a webhook's connection is made to.
//     Instead: those two tables in our own code. doyensec/safeurl is a whole client,
//     brings DNS of its own, and takes a network that is opened for the only one.
//   - github.com/standard-webhooks/standard-webhooks/libraries (2026-05): signs
//     webhooks, by those who wrote the specification. Instead: crypto/hmac.
//   - golang.org/x/net/idna (2026-10), golang.org/x/text (2026-11): one form of the
//     many ways to write an address, a label or a word that is looked for; imports in
//     UTF-16, as Windows saves them.
//   - github.com/KimMachineGun/automemlimit (2026-10): how much memory the machine
//     or the container has, in all the ways in which control groups say so.
//   - golang.org/x/sys (2026-11): disk space, the kind of a disk, the clock's state.
//   - github.com/kardianos/service (2026-07): installs and asks services on every
//     system.
//   - github.com/coreos/go-systemd/v22 (2026-01): its daemon and activation
//     packages, which tell systemd that the server is ready and alive, and take
//     its sockets.
//   - golang.org/x/term (2026-11): asks for a password without echo.
//
// None of them may look for methods by name where we reach it, and nothing of the standard
// library: the linker would keep all methods of all types, four megabytes of them. html/template
// and text/template do, and so do the libraries for mustache, which is why app/mailer fills in its
// templates itself. arch_test.go names who does.
//
// Fiber v2 gets fixes only, since v3 is out. To keep it safe: raise fasthttp, which
// parses everything that comes in, with each of its releases, above what Fiber
// asks for (an older one accepted request smuggling and forged Content-Length);
// run the fuzz targets and app/api's tests of raw requests after that; and use of
// Fiber only its router and its recover middleware, whatever else is done here
// with fasthttp's own types. If fixes stop, Fiber v3 or a router of our own takes
// the place of some twenty lines in app/api/server.go.
//
// In web/static, as a file: RapiDoc 9.3.8 (MIT), the viewer of /docs; half as
// large as the others.
//
// In tests only:
//
//   - github.com/anishathalye/porcupine: whether a history of requests at once is one
//     that they could have had one after the other.
//   - github.com/emersion/go-smtp: a real SMTP server to refuse, stall and drop.
//   - github.com/getkin/kin-openapi: holds every exchange against openapi.yaml.
//   - github.com/johannesboyne/gofakes3: an S3 service in memory.
//   - github.com/hanwen/go-fuse: a disk whose power can be cut.
//   - golang.org/x/net/html: reads the markup of mails as programs for mail do.
//   - github.com/go-rod/rod: drives the Chromium that is installed.
//   - pgregory.net/rapid: random histories against a model.
package app
