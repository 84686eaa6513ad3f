package api

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
)

// statuses maps the kinds of errors to HTTP statuses. There is no other place that
// does.
func status(kind app.Kind) int {
	switch kind {
	case app.KindMalformed:
		return fiber.StatusBadRequest
	case app.KindInvalid:
		return fiber.StatusUnprocessableEntity
	case app.KindUnauthenticated:
		return fiber.StatusUnauthorized
	case app.KindForbidden:
		return fiber.StatusForbidden
	case app.KindNotFound:
		return fiber.StatusNotFound
	case app.KindConflict:
		return fiber.StatusConflict
	case app.KindGone:
		return fiber.StatusGone
	case app.KindPrecondition:
		return fiber.StatusPreconditionFailed
	case app.KindLimited:
		return fiber.StatusTooManyRequests
	case app.KindUnavailable:
		return fiber.StatusServiceUnavailable
	}
	return fiber.StatusInternalServerError
}

// The errors that are HTTP's own.
var (
	errNotJSON        = &app.Error{Kind: app.KindMalformed, Code: "invalid_json", Message: "Request body must be JSON."}
	errTokenMissing   = &app.Error{Kind: app.KindUnauthenticated, Code: "token_missing", Message: "Token is missing!"}
	errTokenExpired   = &app.Error{Kind: app.KindUnauthenticated, Code: "token_expired", Message: "Token has expired!"}
	errTokenInvalid   = &app.Error{Kind: app.KindUnauthenticated, Code: "token_invalid", Message: "Invalid token!"}
	errTooManyMembers = &app.Error{Kind: app.KindMalformed, Code: "too_many_members", Message: "The JSON of a request may have at most 1,000 members and elements."}
	errEncoded        = fiber.NewError(fiber.StatusUnsupportedMediaType)
	errVersion        = fiber.NewError(fiber.StatusHTTPVersionNotSupported)
)

// problem is the body of every error response.
type problem struct {
	Error     string            `json:"error,omitempty"`
	Detail    string            `json:"detail,omitempty"`
	Errors    map[string]string `json:"errors,omitempty"`
	Code      string            `json:"code"`
	ID        int64             `json:"id,omitempty"`
	RequestID string            `json:"request_id,omitempty"` // with a 500
}

// httpProblem describes the errors of Fiber and fasthttp, whose own texts quote the
// request and are never sent.
func httpProblem(status int) problem {
	switch status {
	case fiber.StatusNotFound:
		return problem{Code: "not_found", Error: "There is nothing at this address."}
	case fiber.StatusMethodNotAllowed:
		return problem{Code: "method_not_allowed", Error: "This address does not know this method; the Allow header lists those it knows."}
	case fiber.StatusRequestTimeout:
		return problem{Code: "request_timeout", Error: "The request took too long to arrive."}
	case fiber.StatusRequestEntityTooLarge:
		return problem{Code: "body_too_large", Error: "The request body must be at most 1 MiB, and below /auth and /users 16 KiB."}
	case fiber.StatusMisdirectedRequest:
		return problem{Code: "misdirected_request", Error: "The server listens for its own machine only, and this is not one of its names. Start it with --public-url and the address that people use."}
	case fiber.StatusUnsupportedMediaType:
		return problem{Code: "unsupported_encoding", Error: "The request body must not be compressed."}
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return problem{Code: "headers_too_large", Error: "The request headers must be at most 16 KiB."}
	}
	if status == fiber.StatusHTTPVersionNotSupported {
		return problem{Code: "http_version_not_supported", Error: "The server speaks HTTP/1.0 and HTTP/1.1."}
	}
	return problem{Code: "bad_request", Error: "The request could not be understood."}
}

// fail sends an error. It logs faults of the server under the request id that the
// client gets; the response holds no details of them.
func (s *Server) fail(c *fiber.Ctx, err error) {
	var domain *app.Error
	var http *fiber.Error
	switch {
	case errors.As(err, &domain):
		s.failDomain(c, domain)
	case errors.As(err, &http) && (http.Code < fiber.StatusInternalServerError || errors.Is(err, errVersion)):
		sendProblem(c, http.Code, httpProblem(http.Code))
	default:
		attrs := []slog.Attr{slog.String("request_id", requestID(c)), slog.Any("error", err)}
		if stack, ok := c.Locals(keyStack).(string); ok {
			attrs = append(attrs, slog.String("stack", stack))
		}
		s.Log.LogAttrs(c.UserContext(), slog.LevelError, "request failed", attrs...)
		sendProblem(c, fiber.StatusInternalServerError, problem{
			Code:      "internal_error",
			Error:     "Something went wrong on the server. Its log has the cause under the request id.",
			RequestID: requestID(c),
		})
	}
}

func (s *Server) failDomain(c *fiber.Ctx, err *app.Error) {
	switch err.Kind {
	case app.KindUnauthenticated, app.KindForbidden:
		if c.Locals(keyBasic) != nil && err.Kind == app.KindUnauthenticated {
			c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="taskapi: an API token as the password", charset="UTF-8"`)
		} else if value := challenge(err); value != "" {
			c.Set(fiber.HeaderWWWAuthenticate, value)
		}
	case app.KindLimited, app.KindUnavailable:
		c.Set(fiber.HeaderRetryAfter, seconds(err.RetryAfter))
	}
	if err.Kind == app.KindUnavailable {
		level, message := slog.LevelWarn, "request put off"
		switch {
		case errors.Is(err, app.ErrDiskFull):
			level, message = slog.LevelError, "the disk is full: nothing can be written until there is room"
		case errors.Is(err, app.ErrDatabaseDamaged):
			level, message = slog.LevelError, "the database is damaged: nothing is written any more; stop the server, look with \"taskapi doctor\", and restore a backup with \"taskapi db restore\""
		}
		s.Log.LogAttrs(c.UserContext(), level, message, slog.String("request_id", requestID(c)), slog.Any("error", err))
	}
	sendProblem(c, status(err.Kind), problem{Error: err.Message, Detail: err.Detail, Errors: err.Fields, Code: err.Code, ID: err.ID})
}

// challenge returns the WWW-Authenticate value, with the reason if a token was sent
// (RFC 6750 section 3).
func challenge(err *app.Error) string {
	switch err.Code {
	case errTokenExpired.Code, errTokenInvalid.Code:
		return `Bearer error="invalid_token"`
	case app.ErrScope.Code:
		return fmt.Sprintf(`Bearer error="insufficient_scope", scope=%q`, err.Scope)
	case account.ErrSessionNeeded.Code:
		return `Bearer error="insufficient_scope"`
	}
	if err.Kind == app.KindForbidden {
		return ""
	}
	return "Bearer"
}

// seconds returns a wait in whole seconds, rounded up.
func seconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

func sendProblem(c *fiber.Ctx, status int, body problem) {
	if err := send(c, status, body); err != nil {
		// A problem is plain strings: encoding it can't fail.
		c.Status(fiber.StatusInternalServerError)
	}
}

// serverError answers requests that could not be read: headers that are too long or
// malformed, a body over the limit, a client that stalls.
func (s *Server) serverError(c *fiber.Ctx, err error) error {
	// Fiber reports connections that broke, or that failed the TLS handshake, in
	// this way. There is nobody to answer, and anybody can cause it at any time.
	if errors.Is(err, fiber.ErrBadGateway) {
		s.Log.Debug("a connection failed before there was a request")
		c.Context().SetConnectionClose()
		return nil
	}
	s.prepare(c)
	s.fail(c, err)
	linger(c.Context().Conn())
	s.logRequest(c, "-", "-", 0)
	return nil
}
