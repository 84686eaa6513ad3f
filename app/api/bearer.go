package api

import (
	"errors"

	jwtware "github.com/gofiber/contrib/jwt"
	"github.com/gofiber/fiber/v2"

	"taskapi/app/token"
)

// bearer lets through who shows a good access token of a living session, and
// puts the caller into the request.
func (s *Server) bearer() fiber.Handler {
	return jwtware.New(jwtware.Config{
		KeyFunc:        s.Access.Keyfunc,
		Claims:         &token.Claims{},
		ContextKey:     keyToken,
		ErrorHandler:   refuseToken,
		SuccessHandler: s.admit,
	})
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

// admit asks the store whether the session still lives: a token of an ended
// one stops working at once, not when it expires.
func (s *Server) admit(c *fiber.Ctx) error {
	claims, ok := token.ClaimsOf(c.Locals(keyToken))
	if !ok {
		return errTokenInvalid
	}
	caller, err := s.Sessions.Caller(c.UserContext(), claims)
	if err != nil {
		return err
	}
	c.Locals(keyCaller, caller)
	return c.Next()
}

// whenTokenShown checks a token only if there is one.
func whenTokenShown(bearer fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if c.Get(fiber.HeaderAuthorization) == "" {
			return c.Next()
		}
		return bearer(c)
	}
}
