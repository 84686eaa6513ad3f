package api

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Fiber's CORS middleware answers preflights for paths that don't exist; this one
// knows the routes.

const (
	corsExposed = "Change, ETag, Idempotency-Replayed, Link, Location, Retry-After, X-Request-Id"
	corsHeaders = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, MCP-Protocol-Version, Mcp-Method, Mcp-Name"
	corsMaxAge  = "7200" // seconds; browsers cap it about there
)

// allowOrigin lets pages of other origins read the response (Fetch standard,
// section 3.3). Credentials are never allowed, because tokens are sent in a header, but on
// a developer's server, to pages of the same machine.
func (s *Server) allowOrigin(c *fiber.Ctx) {
	if s.Dev != nil {
		s.allowLocal(c)
		return
	}
	if len(s.CORSOrigins) == 0 {
		c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	} else {
		c.Vary(fiber.HeaderOrigin)
		origin := c.Get(fiber.HeaderOrigin)
		if origin == "" && len(s.CORSOrigins) == 1 {
			// Oversized headers are not parsed, so the origin is unknown; if only
			// one origin is allowed, the response is for that one.
			origin = s.CORSOrigins[0]
		}
		// Most browsers send hosts in lower case, but not all those of schemes that
		// apps have of their own.
		if !slices.ContainsFunc(s.CORSOrigins, func(allowed string) bool { return strings.EqualFold(allowed, origin) }) {
			return
		}
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	}
	c.Set(fiber.HeaderAccessControlExposeHeaders, corsExposed)
}

// allowLocal lets pages of this machine read the response, and send the cookie of a sign-in.
func (s *Server) allowLocal(c *fiber.Ctx) {
	c.Vary(fiber.HeaderOrigin)
	if origin := c.Get(fiber.HeaderOrigin); localOrigin(origin) {
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
		c.Set(fiber.HeaderAccessControlAllowCredentials, "true")
		c.Set(fiber.HeaderAccessControlExposeHeaders, corsExposed+", "+headerDevFault)
	}
}

// localOrigin reports whether a page is of this machine, whatever its port.
func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Path == "" && u.RawQuery == "" && isLocal(strings.ToLower(u.Hostname()))
}

// preflight answers a CORS preflight request.
func (s *Server) preflight(c *fiber.Ctx, methods string) {
	c.Set(fiber.HeaderAccessControlAllowMethods, methods)
	headers := corsHeaders
	if s.Dev != nil {
		headers += devHeaders
	}
	c.Set(fiber.HeaderAccessControlAllowHeaders, headers)
	c.Set(fiber.HeaderAccessControlMaxAge, corsMaxAge)
	// Preflight responses hold no personal data and may be cached.
	c.Set(fiber.HeaderCacheControl, "max-age="+corsMaxAge)
	c.Vary(fiber.HeaderAccessControlRequestMethod)
}
