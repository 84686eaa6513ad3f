package api

import (
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
// section 3.3). Credentials are never allowed, because tokens are sent in a header.
func (s *Server) allowOrigin(c *fiber.Ctx) {
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

// preflight answers a CORS preflight request.
func preflight(c *fiber.Ctx, methods string) {
	c.Set(fiber.HeaderAccessControlAllowMethods, methods)
	c.Set(fiber.HeaderAccessControlAllowHeaders, corsHeaders)
	c.Set(fiber.HeaderAccessControlMaxAge, corsMaxAge)
	// Preflight responses hold no personal data and may be cached.
	c.Set(fiber.HeaderCacheControl, "max-age="+corsMaxAge)
	c.Vary(fiber.HeaderAccessControlRequestMethod)
}
