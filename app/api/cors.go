package api

import (
	"slices"

	"github.com/gofiber/fiber/v2"
)

// Fiber's own CORS middleware answers preflights for paths that do not exist;
// ours know the routes.

const (
	corsExposed = "Link, Location, Retry-After, X-Request-Id"
	corsHeaders = "Authorization, Content-Type"
	corsMaxAge  = "7200" // seconds; browsers cap it about there
)

// allowOrigin lets pages of other origins read the answer (Fetch standard,
// section 3.3). Credentials are never allowed: tokens travel in a header.
func (s *Server) allowOrigin(c *fiber.Ctx) {
	if len(s.CORSOrigins) == 0 {
		c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	} else {
		c.Vary(fiber.HeaderOrigin)
		origin := c.Get(fiber.HeaderOrigin)
		if origin == "" && len(s.CORSOrigins) == 1 {
			// Headers that are too long are not read; this one then is whom the
			// answer is for, if it is for anybody.
			origin = s.CORSOrigins[0]
		}
		if !slices.Contains(s.CORSOrigins, origin) {
			return
		}
		c.Set(fiber.HeaderAccessControlAllowOrigin, origin)
	}
	c.Set(fiber.HeaderAccessControlExposeHeaders, corsExposed)
}

// preflight answers a browser that asks before it sends.
func preflight(c *fiber.Ctx, methods string) {
	c.Set(fiber.HeaderAccessControlAllowMethods, methods)
	c.Set(fiber.HeaderAccessControlAllowHeaders, corsHeaders)
	c.Set(fiber.HeaderAccessControlMaxAge, corsMaxAge)
	// The one answer without personal data that is worth keeping.
	c.Set(fiber.HeaderCacheControl, "max-age="+corsMaxAge)
	c.Vary(fiber.HeaderAccessControlRequestMethod)
}
