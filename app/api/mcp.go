package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// errOrigin says that a page of another site has asked.
var errOrigin = &app.Error{Kind: app.KindForbidden, Code: "origin_not_allowed", Message: "Pages of this origin may not speak to assistants' tools. The server takes its own origin, and those of --cors-origins."}

// mcp answers a message of an assistant. It is checked here as every other JSON, since what
// reads it next is less strict.
func (s *Server) mcp(c *fiber.Ctx) error {
	if s.MCP == nil {
		return fiber.ErrNotFound
	}
	if !s.ownOrigin(c) {
		return errOrigin
	}
	if kind := c.Get(fiber.HeaderContentType); !isJSON(kind) {
		return errNotJSON.Detailed(wrongType(kind))
	}
	message, lease, err := s.readBody(c)
	if err != nil {
		return err
	}
	defer lease.give()
	if _, err := decode(message, nil); err != nil {
		return err
	}
	status, kind, body := s.MCP(c.UserContext(), callerOf(c), func(name string) string { return c.Get(name) }, message)
	switch {
	case status == 0:
		return app.ErrBusy
	case len(body) == 0:
		// Not SendStatus, which would add a text.
		c.Status(status)
		return nil
	case strings.HasPrefix(kind, fiber.MIMEApplicationJSON):
		return sendBody(c, status, body)
	case strings.HasPrefix(kind, mimeEvents):
		c.Set(fiber.HeaderContentType, mimeEvents)
		return c.Status(status).Send(body)
	}
	return send(c, status, problem{Code: "bad_mcp_request", Error: excerpt(strings.TrimSpace(string(body)))})
}

// ownOrigin reports whether a request comes from no page, or from one of this server or of an
// origin that is allowed by name: the protocol asks for that, so that a page elsewhere can't
// reach a server on this machine by DNS rebinding. A page on this machine may speak to a server
// on it.
func (s *Server) ownOrigin(c *fiber.Ctx) bool {
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return true
	}
	if slices.ContainsFunc(s.CORSOrigins, func(allowed string) bool { return strings.EqualFold(allowed, origin) }) {
		return true
	}
	from, err := url.Parse(origin)
	if err != nil || from.Scheme != "http" && from.Scheme != "https" {
		return false
	}
	host := string(c.Context().Host())
	return strings.EqualFold(from.Host, host) || isLocal(hostOf(from.Host)) && isLocal(hostOf(host))
}
