package api

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// rate limits one address. It is far above what people do and far below what
// guessing needs; account.Guard does the rest for passwords.
func rate(action string) app.Rate {
	switch action {
	case "register", "forgot":
		return app.Rate{Burst: 60, Every: 10 * time.Second}
	case "login", "password", "reset", "verify":
		return app.Rate{Burst: 120, Every: time.Second}
	case "webhook":
		return app.Rate{Burst: 30, Every: 5 * time.Second}
	}
	return app.Rate{Burst: 240, Every: 250 * time.Millisecond}
}

// limited restricts how often an address may call a route.
func (s *Server) limited(action string, next fiber.Handler) fiber.Handler {
	if s.Limiter == nil {
		return next
	}
	limit := rate(action)
	return func(c *fiber.Ctx) error {
		caller := callerOf(c)
		wait, first := s.Limiter.TakeFrom(caller.From.Network(), action, limit)
		if wait == 0 {
			return next(c)
		}
		if first {
			s.Audit.Limited(c.UserContext(), caller, s.Now(), action)
		}
		return app.TooMany(wait)
	}
}

// clientAddr returns the client's address: that of the peer or, if the peer is a
// trusted proxy, the rightmost untrusted one in X-Forwarded-For (those further left
// are the client's own claims). Peers on a Unix socket are trusted, because its
// mode decides who may connect.
func (s *Server) clientAddr(c *fiber.Ctx) netip.Addr {
	var client netip.Addr
	if peer := c.Context().RemoteAddr(); peer.Network() != "unix" {
		addr, err := netip.ParseAddrPort(peer.String())
		if err != nil {
			return netip.Addr{}
		}
		if client = addr.Addr().Unmap(); !s.trusted(client) {
			return client
		}
	}
	// Several header lines form one list (RFC 9110 section 5.3); some proxies add a
	// line of their own.
	lines := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	for _, hop := range slices.Backward(hops) {
		next, ok := hopAddr(strings.TrimSpace(hop))
		if !ok {
			break
		}
		if client = next; !s.trusted(client) {
			break
		}
	}
	return client
}

// hopAddr parses an address in X-Forwarded-For, which some proxies write with a
// port, in brackets or in quotes.
func hopAddr(hop string) (netip.Addr, bool) {
	hop = strings.Trim(hop, `"`)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(hop, "["), "]"))
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(hop)
		addr = withPort.Addr()
	}
	return addr.WithZone("").Unmap(), err == nil
}

func (s *Server) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
