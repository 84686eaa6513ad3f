package api

import (
	"strings"

	"taskapi/app/account"

	"github.com/gofiber/fiber/v2"
	"github.com/mileusna/useragent"
)

type sessionView struct {
	ID           string `json:"id"`
	Device       string `json:"device"`
	Address      string `json:"address"`
	DateCreated  string `json:"date_created"`
	DateLastUsed string `json:"date_last_used"`
	DateExpires  string `json:"date_expires"`
	Current      bool   `json:"current"`
}

type sessionsAnswer struct {
	Sessions   []sessionView  `json:"sessions"`
	Pagination paginationView `json:"pagination"`
}

// device says in a few words what a user agent claims to be.
func device(userAgent string) string {
	ua := useragent.Parse(userAgent)
	name, _, _ := strings.Cut(userAgent, " ") // curl/8.0, my-script
	if ua.Name != "" {
		name = ua.Name
	}
	switch {
	case name == "":
		return "unknown"
	case ua.OS != "":
		return name + " on " + ua.OS
	}
	return name
}

func (s *Server) listSessions(c *fiber.Ctx) error {
	request, err := pageRequest(c)
	if err != nil {
		return err
	}
	caller := callerOf(c)
	page, err := s.Sessions.List(c.UserContext(), caller, request)
	if err != nil {
		return err
	}
	pagination := viewPagination(page)
	link(c, "/auth/sessions", "", pagination)
	return send(c, fiber.StatusOK, sessionsAnswer{views(page.Items, func(x account.Session) sessionView {
		return sessionView{
			ID: x.ID, Device: device(x.UserAgent), Address: x.Address,
			DateCreated: timestamp(x.CreatedAt), DateLastUsed: timestamp(x.LastUsedAt), DateExpires: timestamp(x.ExpiresAt),
			Current: x.ID == caller.SessionID,
		}
	}), pagination})
}

func (s *Server) endSession(c *fiber.Ctx) error {
	if err := s.Sessions.End(c.UserContext(), callerOf(c), segment(c, "id")); err != nil {
		return err
	}
	return send(c, fiber.StatusOK, messageView{"Session ended."})
}

func (s *Server) endAllSessions(c *fiber.Ctx) error {
	in, err := s.optionalBody(c, "keep_api_tokens")
	if err != nil {
		return err
	}
	ended, err := s.Sessions.EndAll(c.UserContext(), callerOf(c), in.boolean("keep_api_tokens"))
	if err != nil {
		return err
	}
	return send(c, fiber.StatusOK, struct {
		Message        string `json:"message"`
		SessionsEnded  int64  `json:"sessions_ended"`
		APITokensEnded int64  `json:"api_tokens_ended"`
	}{"All sessions ended.", ended.Sessions, ended.APITokens})
}
