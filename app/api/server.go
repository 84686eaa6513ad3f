// Package api serves the use cases as JSON over HTTP. It is the only package that
// imports Fiber. Handlers decode a request, call a use case and encode the result;
// errors are returned, and one place maps their kinds to statuses.
package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/outbox"
	"taskapi/app/todo"
	"taskapi/app/token"
)

// Limits of a request.
const (
	maxHeaders = 16 << 10 // bytes; above: 431

	readTimeout  = 15 * time.Second // for a whole request to arrive
	writeTimeout = 30 * time.Second // for an answer to be taken
	idleTimeout  = 60 * time.Second // between two requests of a connection
	workTimeout  = 10 * time.Second // for a request to get its turn at what is scarce
	stopTimeout  = 3 * time.Second  // for a request to arrive once a stop has begun
)

// Config holds what the server needs. All fields are required unless stated
// otherwise.
type Config struct {
	Version     string
	Users       *account.Users
	Tasks       *todo.Tasks
	Lists       *todo.Lists
	Invitations *todo.Invitations
	Sessions    *account.Sessions
	Recovery    *account.Recovery
	APITokens   *account.APITokens
	Audit       *account.Audit
	Answers     app.AnswerStore
	Sync        *todo.Sync
	Push        *outbox.Subscriptions
	Tickets     *account.Tickets
	Webhooks    *outbox.Webhooks
	Feeds       *todo.Feeds
	// DAV answers calendar clients. Nil is none.
	DAV DAV
	// DAVOverHTTP lets calendar clients send their passwords without encryption beyond
	// this machine.
	DAVOverHTTP bool
	// MCP answers a message of the Model Context Protocol on behalf of a caller, given the
	// headers of its request, and returns the status, the content type and the body; a status
	// of 0 is no answer in time. Nil is no such address.
	MCP func(ctx context.Context, caller app.Caller, header func(name string) string, message []byte) (status int, contentType string, body []byte)
	// MaxStreams is how many connections of GET /events may be open; 0 is 1,000.
	MaxStreams int
	Access     *token.Access
	Log        *slog.Logger
	Now        func() time.Time
	// Random is the source of request ids. Nil is crypto/rand.
	Random io.Reader
	// CORSOrigins are the origins whose pages may read responses. Empty is any.
	CORSOrigins []string
	// TrustedProxies are the proxies whose X-Forwarded-For counts.
	TrustedProxies []netip.Prefix
	// OnlyHosts are the host names, in lower case, that a server on loopback
	// answers to besides localhost and its like. Empty is any.
	OnlyHosts []string
	// Lineage is what the versions of the database belong to; see store.DB.Lineage.
	Lineage string
	// State, if not nil, lets the server answer again as before while nothing has changed.
	State State
	// Seed is what derived uids are made of; see store.DB.Seed.
	Seed todo.Seed
	// TrashTime is how long what was deleted stays in the trash.
	TrashTime time.Duration
	// Tutorial ignores unknown query parameters, and the fields of a task that the
	// tutorial does not have, as the tutorial does.
	Tutorial bool
	// Base is the path below which clients see all addresses, such as /todo,
	// without a final slash. Requests arrive with it or, behind a proxy that strips
	// it, without.
	Base string
	// SecureCookies restricts cookies to encrypted connections.
	SecureCookies bool
	// Web holds the page below static/ and the guide below guide/. Nil is no page.
	Web fs.FS
	// TLS is the configuration of HTTPS, which also sends HSTS. Nil is plain HTTP.
	TLS *tls.Config
	// Dev is what only a developer's server has. Nil is none of it.
	Dev *Dev
	// Health answers /readyz. Nil is always ready.
	Health *operate.Health
	// OnAnswer is called after every response with the method, the route pattern
	// ("-" for none), the status and the duration. May be nil.
	OnAnswer func(method, route string, status int, took time.Duration)
	// OnTold is called each time that a stream is up to date, with the time since the first
	// change that it had not told yet. May be nil.
	OnTold func(took time.Duration)
	// Limiter limits requests such as sign-ins by address. Nil is no limit.
	Limiter *app.Limiter
	// BodyMemory and AnswerMemory limit the memory, in bytes, of incoming bodies
	// and of unread responses, each in total. 0 is 12 and 16 MiB.
	BodyMemory, AnswerMemory int64
}

// Server is the HTTP server.
type Server struct {
	Config
	fiber    *fiber.App
	inner    *fiber.App             // handles the requests of a batch
	index    fiber.Handler          // the page; nil without one
	contract func() ([]byte, error) // the OpenAPI document as JSON, made once when asked for
	clients  func() (clients, error)
	listener atomic.Pointer[listener]
	bodies   *budget // what arrives
	answers  *budget // what nobody has taken yet
	pages    *budget // of answers that may be large and are being made, one each
	davs     *budget // of large answers to calendar clients, one each
	streams  *streams
	cache    responseCache
	known    []route // all of them
	stopped  atomic.Bool
}

// New returns a server; Serve starts it. It fails only if Web can't be read.
func New(config Config) (*Server, error) {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	s := &Server{Config: config, streams: newStreams(cmp.Or(config.MaxStreams, defaultStreams))}
	s.bodies = newBudget(cmp.Or(config.BodyMemory, bodyBudget), bodyPatience, s.lap)
	s.answers = newBudget(cmp.Or(config.AnswerMemory, answerBudget), answerPatience, s.lap)
	s.pages = newBudget(parallelPages, answerPatience, s.lap)
	s.davs = newBudget(davStreams, writeTimeout, s.lap)
	s.contract = sync.OnceValues(func() ([]byte, error) { return contractJSON(s.contractYAML()) })
	s.clients = s.newClients()
	s.fiber = fiber.New(fiber.Config{
		ErrorHandler:          s.serverError,
		DisableStartupMessage: true,
		// Strings of a request would otherwise be views into a buffer that
		// the next request writes over.
		Immutable:     true,
		CaseSensitive: true,
		// Forwarded headers count only where clientAddr says so.
		EnableTrustedProxyCheck: true,
		BodyLimit:               maxBody,
		RequestMethods:          s.methods(),
		// A body is read when somebody wants it, and may have it.
		StreamRequestBody:            true,
		DisablePreParseMultipartForm: true,
		ReadBufferSize:               maxHeaders,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  idleTimeout,
	})
	// So that clients don't send another request into the stop.
	s.fiber.Server().CloseOnShutdown = true
	// Streams own their connections.
	s.fiber.Server().KeepHijackedConns = true
	s.fiber.Use(s.observe)
	if s.Dev != nil {
		s.fiber.Use(s.rehearse)
	}
	s.fiber.Use(s.refuseHosts, compress(), recover.New(recover.Config{
		EnableStackTrace:  true,
		StackTraceHandler: s.panicked,
	}), refuseVersions, refuseEmptySegments, refuseEncoded, boundBody)
	routes := s.routes()
	s.inner = s.newInner(routes)
	if s.Web != nil {
		static, err := newStatic(s.Web, s.Users.RegistrationOpen, s.Base)
		if err != nil {
			return nil, err
		}
		s.index = static.page("index.html")
		routes = append(routes, static.routes()...)
	}
	s.known = routes
	s.registerDAV()
	s.register(routes)
	s.fiber.Server().Handler = s.knownMethods(plainPaths(s.belowBase(routes, s.fiber.Handler())))
	s.fiber.Server().ExpectHandler = s.expect(s.fiber.Server().Handler)
	return s, nil
}

// Serve answers on the listener until Shutdown, which may have been called
// already. It closes the listener.
func (s *Server) Serve(inner net.Listener) error {
	listener := newListener(inner, s.Log)
	listener.shared = func(addr netip.Addr) bool { return addr.IsLoopback() || s.trusted(addr) }
	listener.encrypted = s.TLS != nil
	s.listener.Store(listener)
	if s.stopped.Load() {
		return listener.Close()
	}
	if s.TLS != nil {
		return s.fiber.Listener(tls.NewListener(listener, s.TLS))
	}
	return s.fiber.Listener(listener)
}

// Shutdown stops listening, lets requests under way be answered and returns
// when all connections have ended, or with the context's error. Who is still
// sending a request has 3 s for the rest of it.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopped.Store(true)
	listener := s.listener.Load()
	if listener == nil { // Serve will see that it is stopped
		return nil
	}
	listener.hurry(time.Now().Add(stopTimeout))
	// The server below does not know its listener from the first moment on, and
	// what it does not know it would serve for ever.
	return errors.Join(listener.Close(), s.endStreams(ctx), s.fiber.ShutdownWithContext(ctx))
}
