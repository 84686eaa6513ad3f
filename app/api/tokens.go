package api

import (
	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
)

type tokenView struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Scopes      []app.Scope `json:"scopes"`
	DateCreated string      `json:"date_created"`
	ExpiresAt   *string     `json:"expires_at"`
}

func viewToken(t account.APIToken) tokenView {
	return tokenView{ID: t.ID, Name: t.Name, Scopes: t.Scopes, DateCreated: timestamp(t.CreatedAt), ExpiresAt: optionalTime(t.ExpiresAt)}
}

type tokenAnswer struct {
	Message string `json:"message"`
	// Token is shown here and never again.
	Token    string    `json:"token"`
	APIToken tokenView `json:"api_token"`
}

type apiTokensAnswer struct {
	Tokens     []tokenView    `json:"api_tokens"`
	Pagination paginationView `json:"pagination"`
}

func (s *Server) createToken(c *fiber.Ctx) error {
	in, err := s.body(c, "name", "scopes", "expires_at", "current_password")
	if err != nil {
		return err
	}
	created, raw, err := s.APITokens.Create(c.UserContext(), callerOf(c), account.APITokenInput{
		Name: in.text("name"), Scopes: in.texts("scopes"), ExpiresAt: in.text("expires_at"),
		CurrentPassword: in.text("current_password"),
	})
	if err != nil {
		return err
	}
	return send(c, fiber.StatusCreated, tokenAnswer{"API token created. Keep it now: it is not shown again.", raw, viewToken(created)})
}

func (s *Server) listTokens(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	page, err := s.APITokens.List(c.UserContext(), callerOf(c), request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, "/auth/tokens", "", pagination)
	return send(c, fiber.StatusOK, apiTokensAnswer{views(page.Items, viewToken), pagination})
}

func (s *Server) revokeToken(c *fiber.Ctx) error {
	id, ok := pathID(c)
	if !ok {
		return account.ErrTokenNotFound
	}
	if err := s.APITokens.Revoke(c.UserContext(), callerOf(c), id); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"API token revoked."})
}
