package api

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
)

// about answers at the root: the page to a browser, and a short JSON description to
// other clients.
func (s *Server) about(c *fiber.Ctx) error {
	c.Append(fiber.HeaderVary, fiber.HeaderAccept)
	if s.index != nil && strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
		return s.index(c)
	}
	return send(c, fiber.StatusOK, struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Docs    string `json:"docs"`
		OpenAPI string `json:"openapi"`
	}{"taskapi", s.Version, s.Base + "/docs", s.Base + "/openapi.json"})
}

type tokensView struct {
	Message      string   `json:"message,omitempty"`
	AccessToken  string   `json:"access_token"`
	RefreshToken string   `json:"refresh_token,omitempty"` // absent when it is in the cookie
	TokenType    string   `json:"token_type"`
	ExpiresIn    int64    `json:"expires_in"` // seconds
	User         userView `json:"user"`
}

func viewTokens(message string, t account.Tokens) tokensView {
	return tokensView{
		Message: message, AccessToken: t.Access, RefreshToken: t.Refresh,
		TokenType: "Bearer", ExpiresIn: int64(t.ExpiresIn / time.Second),
		User: viewOwn(t.User, app.Caller{UserID: t.User.ID}),
	}
}

type messageView struct {
	Message string `json:"message"`
}

func (s *Server) registerUser(c *fiber.Ctx) error {
	return s.addUser(c, "User registered successfully.")
}

func (s *Server) login(c *fiber.Ctx) error {
	in, err := s.body(c, "email", "password", "cookie")
	if err != nil {
		return err
	}
	cookie := in.boolean("cookie")
	if cookie.State == app.Mistyped {
		return app.Mistake("cookie", "The field cookie must be a boolean.")
	}
	tokens, err := s.Sessions.Login(c.UserContext(), callerOf(c), account.LoginInput{Email: in.text("email"), Password: in.text("password")})
	if err != nil {
		return err
	}
	return s.sendTokens(c, "Login successful.", tokens, cookie.Value)
}

func (s *Server) refresh(c *fiber.Ctx) error {
	shown, fromCookie, err := s.shownToken(c)
	if err != nil {
		return err
	}
	tokens, err := s.Sessions.Refresh(c.UserContext(), callerOf(c), shown)
	if err != nil {
		return err
	}
	return s.sendTokens(c, "", tokens, fromCookie)
}

func (s *Server) logout(c *fiber.Ctx) error {
	shown, fromCookie, err := s.shownToken(c)
	if err != nil {
		return err
	}
	if fromCookie {
		s.clearCookies(c) // whatever becomes of the session
	}
	if err := s.Sessions.Logout(c.UserContext(), callerOf(c), shown); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Logout successful. Token revoked."})
}

func (s *Server) sendTokens(c *fiber.Ctx, message string, tokens account.Tokens, cookie bool) error {
	setUser(c, tokens.User.ID)
	if cookie {
		s.setCookie(c, tokens.Refresh, int(tokens.SessionEnds.Sub(s.Now())/time.Second))
		tokens.Refresh = ""
	}
	return send(c, fiber.StatusOK, viewTokens(message, tokens))
}
