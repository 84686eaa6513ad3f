package api

import (
	"errors"
	"strings"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/token"
)

// bearer requires a valid access token of a session that has not ended, or an API
// token, and stores the caller in the request.
func (s *Server) bearer() fiber.Handler {
	session := jwtware.New(jwtware.Config{
		KeyFunc:        s.Access.Keyfunc,
		Claims:         &token.Claims{},
		ContextKey:     keyToken,
		ErrorHandler:   refuseToken,
		SuccessHandler: s.admit,
	})
	const scheme = "Bearer "
	return func(c *fiber.Ctx) error {
		header := c.Get(fiber.HeaderAuthorization)
		if len(header) <= len(scheme) || !strings.EqualFold(header[:len(scheme)], scheme) {
			return session(c)
		}
		raw := header[len(scheme):]
		if token.IsPersonal(raw) {
			caller, err := s.APITokens.Caller(c.UserContext(), raw)
			return s.enter(c, caller, err)
		}
		if claims, ok := s.Access.Known(raw); ok {
			return s.admitted(c, claims)
		}
		return session(c)
	}
}

func refuseToken(_ *fiber.Ctx, err error) error {
	switch {
	case errors.Is(err, jwtware.ErrJWTMissingOrMalformed):
		return errTokenMissing
	case token.Expired(err):
		return errTokenExpired
	}
	return errTokenInvalid.With(err)
}

// admit remembers a token whose signature is right.
func (s *Server) admit(c *fiber.Ctx) error {
	parsed := c.Locals(keyToken)
	claims, ok := token.ClaimsOf(parsed)
	if !ok {
		return errTokenInvalid
	}
	s.Access.Remember(token.RawOf(parsed), claims)
	return s.admitted(c, claims)
}

// admitted asks the store whether the session still exists: access tokens end with
// their session, not when they expire.
func (s *Server) admitted(c *fiber.Ctx, claims token.Claims) error {
	caller, err := s.Sessions.Caller(c.UserContext(), claims)
	return s.enter(c, caller, err)
}

// enter stores the caller in the request and continues.
func (s *Server) enter(c *fiber.Ctx, caller app.Caller, err error) error {
	if err != nil {
		return err
	}
	caller.From = callerOf(c).From
	c.Locals(keyCaller, caller)
	c.SetUserContext(app.OnBehalf(c.UserContext(), caller))
	return c.Next()
}

// mayUse refuses API tokens without a scope; with an empty scope it refuses all of
// them. Behind bearer, only callers without a token have no id.
func mayUse(scope app.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		caller := callerOf(c)
		switch {
		case caller.UserID == 0 || caller.May(scope):
			return c.Next()
		case scope == "":
			return account.ErrSessionNeeded
		}
		return app.LacksScope(scope)
	}
}

// whenTokenShown runs the check only if the request has a token.
func whenTokenShown(bearer fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Get(fiber.HeaderAuthorization) == "" {
			return c.Next()
		}
		return bearer(c)
	}
}
