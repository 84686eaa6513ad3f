package api

import (
	"net"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// refreshCookie is the name of the cookie with the page's refresh token, which
// scripts can't read. Older versions used this name everywhere; it is still
// accepted if there is no other, so that an upgrade signs nobody out.
const refreshCookie = "taskapi_refresh"

// errTwoCookies says that a browser sent two refresh tokens. The server can't know
// which one is the person's: a page at another port of the same host may have set
// one to sign them in as somebody else.
var errTwoCookies = &app.Error{
	Kind: app.KindMalformed, Code: "ambiguous_cookie",
	Message: "The browser has two sign-ins for this page, and one may be a stranger's. Delete the cookies of this address, and sign in again.",
}

// cookieName returns the name of the cookie. On encrypted connections only this
// origin can set a name that begins with __Host- (RFC 6265bis section 4.1.3.2).
// Elsewhere all ports of a host share their cookies, so the name has the port.
func (s *Server) cookieName(c *fiber.Ctx) string {
	switch {
	case s.SecureCookies && s.Base != "":
		// __Host- requires the path /, which would send the cookie to everything on
		// the host.
		return "__Secure-" + refreshCookie
	case s.SecureCookies:
		return "__Host-" + refreshCookie
	}
	if _, port, err := net.SplitHostPort(string(c.Context().Host())); err == nil && port != "" {
		return refreshCookie + "_" + port
	}
	return refreshCookie
}

func (s *Server) setCookie(c *fiber.Ctx, value string, maxAge int) {
	path := s.Base + "/auth" // it is sent to nothing but what trades or ends it
	if s.SecureCookies && s.Base == "" {
		path = "/" // as the name asks
	}
	name := s.cookieName(c)
	if name != refreshCookie && c.Cookies(refreshCookie) != "" {
		s.put(c, refreshCookie, "/auth", "", -1)
	}
	s.put(c, name, path, value, maxAge)
}

func (s *Server) clearCookies(c *fiber.Ctx) { s.setCookie(c, "", -1) }

func (s *Server) put(c *fiber.Ctx, name, path, value string, maxAge int) {
	c.Cookie(&fiber.Cookie{
		Name: name, Value: value, Path: path, MaxAge: maxAge,
		HTTPOnly: true, SameSite: fiber.CookieSameSiteStrictMode, Secure: s.SecureCookies,
	})
}

// cookie returns the refresh token in the cookie, "" without one, and errTwoCookies
// if there are two.
func (s *Server) cookie(c *fiber.Ctx) (string, error) {
	values := map[string][]string{}
	for key, value := range c.Request().Header.Cookies() {
		values[string(key)] = append(values[string(key)], string(value))
	}
	for _, name := range []string{s.cookieName(c), refreshCookie} {
		switch found := values[name]; len(found) {
		case 0:
		case 1:
			return found[0], nil
		default:
			return "", errTwoCookies
		}
	}
	return "", nil
}

// shownToken returns the refresh token in the body or, if the body has none, in the
// cookie. The cookie counts only for pages of this origin: SameSite treats other
// ports of the machine as the same site; Fetch Metadata does not.
func (s *Server) shownToken(c *fiber.Ctx) (shown app.Field[string], fromCookie bool, err error) {
	in, err := s.body(c, "refresh_token")
	if err != nil {
		return shown, false, err
	}
	shown = in.text("refresh_token")
	site := c.Get("Sec-Fetch-Site")
	// The page that a developer works on has a port of its own.
	own := site == "same-origin" || site == "" || s.Dev != nil && site == "same-site" && localOrigin(c.Get(fiber.HeaderOrigin))
	if shown.State != app.Absent || !own {
		return shown, false, nil
	}
	value, err := s.cookie(c)
	if err != nil || value == "" {
		return shown, false, err
	}
	return app.Given(value), true, nil
}
