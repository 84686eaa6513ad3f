package api

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// about is what someone sees who opens the address of the server.
func (s *Server) about(c *fiber.Ctx) error {
	return send(c, fiber.StatusOK, struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Message string `json:"message"`
	}{"taskapi", s.Version, "The server is running. Sign up with POST /auth/register, sign in with POST /auth/login."})
}

type tokensView struct {
	Message      string `json:"message,omitempty"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
}

func viewTokens(message string, t app.Tokens) tokensView {
	return tokensView{
		Message: message, AccessToken: t.Access, RefreshToken: t.Refresh,
		TokenType: "Bearer", ExpiresIn: int64(t.ExpiresIn / time.Second),
	}
}

type messageView struct {
	Message string `json:"message"`
}

func (s *Server) registerUser(c *fiber.Ctx) error {
	return s.addUser(c, "User registered successfully.")
}

func (s *Server) login(c *fiber.Ctx) error {
	in, err := body(c)
	if err != nil {
		return err
	}
	tokens, err := s.Sessions.Login(c.UserContext(), callerOf(c), app.LoginInput{Email: in.text("email"), Password: in.text("password")})
	if err != nil {
		return err
	}
	setUser(c, tokens.UserID)
	return send(c, fiber.StatusOK, viewTokens("Login successful.", tokens))
}

func (s *Server) refresh(c *fiber.Ctx) error {
	in, err := body(c)
	if err != nil {
		return err
	}
	tokens, err := s.Sessions.Refresh(c.UserContext(), callerOf(c), in.text("refresh_token"))
	if err != nil {
		return err
	}
	setUser(c, tokens.UserID)
	return send(c, fiber.StatusOK, viewTokens("", tokens))
}

func (s *Server) logout(c *fiber.Ctx) error {
	in, err := body(c)
	if err != nil {
		return err
	}
	if err := s.Sessions.Logout(c.UserContext(), callerOf(c), in.text("refresh_token")); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Logout successful. Token revoked."})
}
