// Package api speaks JSON over HTTP for package app. It is the only importer
// of Fiber. Handlers decode, call a use case and encode; whatever goes wrong
// is returned as an error, and one place turns its kind into a status.
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

// Config is what the server is made of. All fields are required unless said
// otherwise.
type Config struct {
	Version   string
	Users     *account.Users
	Tasks     *todo.Tasks
	Sessions  *account.Sessions
	Recovery  *account.Recovery
	APITokens *account.APITokens
	Audit     *account.Audit
	Access    *token.Access
	Log       *slog.Logger
	Now       func() time.Time
	// Random makes request ids. Nil is crypto/rand.
	Random io.Reader
	// CORSOrigins may read answers in a browser. Empty is any origin.
	CORSOrigins []string
	// TrustedProxies are believed when they say whom they speak for.
	TrustedProxies []netip.Prefix
	// OnlyHosts are the names, in lower case, that a server answers to which
	// listens for this machine only, besides localhost and its like. Empty is
	// any.
	OnlyHosts []string
	// Tutorial lets through what the tutorial does: query parameters that a
	// route does not know.
	Tutorial bool
	// Base is the path that all addresses lie below from outside, such as /todo,
	// without a slash at its end. Requests come with it or, where a proxy strips
	// it, without.
	Base string
	// SecureCookies keeps cookies off connections that are not encrypted.
	SecureCookies bool
	// Web holds the page below static/. Nil is no page.
	Web fs.FS
	// TLS encrypts the connections, and tells browsers to come back encrypted
	// only. Nil is plain HTTP.
	TLS *tls.Config
	// Health answers /readyz. Nil is always ready.
	Health *operate.Health
	// OnAnswer is told of every answer: the method, the pattern of the route
	// ("-" for none), the status and how long it took. Nil is nobody.
	OnAnswer func(method, route string, status int, took time.Duration)
	// Limiter bounds how often an address may try to sign in and the like.
	// Nil is no limit.
	Limiter *app.Limiter
	// BodyMemory and AnswerMemory bound, in bytes, what requests that arrive
	// and answers that nobody has read yet take all together. 0 is 12 and 24
	// MiB.
	BodyMemory, AnswerMemory int64
}

// Server is the HTTP server.
type Server struct {
	Config
	fiber    *fiber.App
	index    fiber.Handler          // the page; nil without one
	contract func() ([]byte, error) // the OpenAPI document as JSON, made once when asked for
	listener atomic.Pointer[listener]
	bodies   *budget // what arrives
	answers  *budget // what nobody has taken yet
	pages    *budget // of answers that may be large and are being made, one each
	stopped  atomic.Bool
}

// New makes a server; Serve starts it. It fails only on a Web that can't be
// read.
func New(config Config) (*Server, error) {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	s := &Server{
		Config:  config,
		bodies:  newBudget(cmp.Or(config.BodyMemory, bodyBudget), bodyPatience, config.Now),
		answers: newBudget(cmp.Or(config.AnswerMemory, answerBudget), answerPatience, config.Now),
		pages:   newBudget(parallelPages, answerPatience, config.Now),
	}
	s.contract = sync.OnceValues(func() ([]byte, error) { return contractJSON(config.Version, config.Base) })
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
	s.fiber.Use(s.observe, s.refuseHosts, compress(), recover.New(recover.Config{
		EnableStackTrace:  true,
		StackTraceHandler: s.panicked,
	}), refuseVersions, refuseEmptySegments, refuseEncoded, boundBody)
	routes := s.routes()
	if s.Web != nil {
		static, err := newStatic(s.Web, s.Users.RegistrationOpen, s.Base)
		if err != nil {
			return nil, err
		}
		s.index = static.page("index.html")
		routes = append(routes, static.routes()...)
	}
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
	return errors.Join(listener.Close(), s.fiber.ShutdownWithContext(ctx))
}
