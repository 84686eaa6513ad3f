package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"taskapi/app"
)

// The keys of values that middleware stores in a request.
const (
	keyRequestID = "request_id"
	keyCaller    = "caller"
	keyToken     = "token"
	keyStack     = "stack"
	keyUnmatched = "unmatched"
	keyCancel    = "cancel"
	keyArrived   = "arrived"
	keyPacked    = "packed"
	keyShows     = "shows" // the lists that the answer shows, as *[]int64
	keyBody      = "body"
	keyBasic     = "basic" // sign-in is by a password with each request
)

// observe wraps all handlers: it sets the request id, the common headers and the
// deadline, turns errors into responses, and writes the access log, which never
// holds a token, a password or a query.
func (s *Server) observe(c *fiber.Ctx) error {
	began := s.lap()
	conn := ours(c.Context().Conn())
	conn.hold(nil) // who sends the next request has taken the answer before
	s.prepare(c)
	ctx, cancel := context.WithTimeout(context.Background(), workTimeout)
	defer cancel()
	c.SetUserContext(app.OnBehalf(ctx, callerOf(c)))
	err := c.Next()
	if err == nil {
		err = s.keepUntilTaken(c)
	}
	if err != nil {
		s.fail(c, err)
	}
	s.rebase(c)
	if !arrived(c) {
		abandon(c)
	}
	if cancel, ok := c.Locals(keyCancel).(context.CancelFunc); ok {
		cancel()
	}
	route := c.Route().Path
	if c.Locals(keyUnmatched) != nil {
		route = "-"
	}
	s.logRequest(c, c.Method(), route, s.lap().Sub(began))
	return nil
}

// lap is the clock by which requests, and those who are slow, are measured: the one of a developer
// may jump.
func (s *Server) lap() time.Time {
	if s.Dev != nil {
		return s.Dev.Clock.System()
	}
	return s.Now()
}

// logRequest writes a line of the access log, at debug level for health checks.
// Parts of the request that could not be read are logged as a hyphen.
func (s *Server) logRequest(c *fiber.Ctx, method, route string, took time.Duration) {
	if s.OnAnswer != nil {
		s.OnAnswer(method, route, c.Response().StatusCode(), took)
	}
	level := slog.LevelInfo
	if route == pathAlive || route == pathReady {
		level = slog.LevelDebug
	}
	attrs := []slog.Attr{
		slog.String("method", method),
		slog.String("route", route),
		slog.Int("status", c.Response().StatusCode()),
		slog.Float64("duration_ms", math.Round(took.Seconds()*1e6)/1e3),
		slog.Int64("user_id", callerOf(c).UserID),
		slog.String("request_id", requestID(c)),
	}
	if s.Dev != nil {
		fault, _ := c.Locals(keyFault).(string)
		attrs = append(attrs, slog.String("path", c.Path()), slog.String("fault", fault))
	}
	s.Log.LogAttrs(c.UserContext(), level, "request", attrs...)
}

// prepare sets the request id and the headers of every response, including
// responses to unreadable requests.
func (s *Server) prepare(c *fiber.Ctx) {
	id := c.Get(fiber.HeaderXRequestID)
	if !plausibleID(id) {
		id = s.newRequestID()
	}
	c.Locals(keyRequestID, id)
	c.Set(fiber.HeaderXRequestID, id)
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "no-store")
	if s.TLS != nil {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	s.allowOrigin(c)
	c.Locals(keyCaller, app.Caller{From: app.Origin{Address: s.clientAddr(c), UserAgent: c.Get(fiber.HeaderUserAgent)}})
}

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(keyRequestID).(string)
	return id
}

// plausibleID reports whether a client's request id may be used: 1 to 64 letters,
// digits and hyphens.
func plausibleID(id string) bool {
	return id != "" && len(id) <= 64 && !strings.ContainsFunc(id, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		digit := '0' <= r && r <= '9'
		return !letter && !digit && r != '-'
	})
}

func (s *Server) newRequestID() string {
	var id [12]byte
	if _, err := io.ReadFull(s.Random, id[:]); err != nil {
		return "none"
	}
	return hex.EncodeToString(id[:])
}

// callerOf returns the caller; without a sign-in, only its origin is set.
func callerOf(c *fiber.Ctx) app.Caller {
	caller, _ := c.Locals(keyCaller).(app.Caller)
	return caller
}

// setUser sets the user of a request that began without one, for the log.
func setUser(c *fiber.Ctx, id int64) {
	caller := callerOf(c)
	caller.UserID = id
	c.Locals(keyCaller, caller)
}

// panicked stores the stack for the log line of the 500.
func (s *Server) panicked(c *fiber.Ctx, reason any) {
	c.Locals(keyStack, fmt.Sprintf("panic: %v\n%s", reason, debug.Stack()))
}

// refuseVersions refuses HTTP versions that this server does not support (RFC 9110
// section 15.6.6).
func refuseVersions(c *fiber.Ctx) error {
	switch string(c.Request().Header.Protocol()) {
	case "HTTP/1.1", "HTTP/1.0":
		return c.Next()
	}
	c.Context().SetConnectionClose()
	return errVersion
}

// refuseEncoded refuses compressed bodies, because a megabyte can expand to a
// gigabyte.
func refuseEncoded(c *fiber.Ctx) error {
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && encoding != "identity" {
		return errEncoded
	}
	return c.Next()
}

// compress compresses responses of more than 1 KiB for clients that accept it,
// except files, which are compressed once.
func compress() fiber.Handler {
	const atLeast = 1024
	pack := fasthttp.CompressHandlerBrotliLevel(func(*fasthttp.RequestCtx) {},
		fasthttp.CompressBrotliBestSpeed, fasthttp.CompressBestSpeed)
	return func(c *fiber.Ctx) error {
		if err := c.Next(); err != nil {
			return err
		}
		// The body of a stream would be read to its end.
		if c.Locals(keyPacked) == nil && len(c.Response().Body()) > atLeast {
			pack(c.Context())
		}
		return nil
	}
}

// knownMethods maps methods unknown to Fiber to one that no route has, because
// Fiber would answer them in plain text.
func (s *Server) knownMethods(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	known := map[string]bool{}
	for _, method := range s.methods() {
		known[method] = true
	}
	return func(ctx *fasthttp.RequestCtx) {
		if !known[string(ctx.Method())] {
			ctx.Request.Header.SetMethod(fiber.MethodTrace)
		}
		next(ctx)
	}
}
