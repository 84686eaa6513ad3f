package api

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// rate is what one address may do. It is far above what people do and far
// below what guessing takes; app.Guard does the rest for passwords.
func rate(action string) app.Rate {
	switch action {
	case "register", "forgot":
		return app.Rate{Burst: 60, Every: 10 * time.Second}
	case "login", "password", "reset", "verify":
		return app.Rate{Burst: 120, Every: time.Second}
	}
	return app.Rate{Burst: 240, Every: 250 * time.Millisecond}
}

// limited bounds how often an address may call a route.
func (s *Server) limited(action string, next fiber.Handler) fiber.Handler {
	if s.Limiter == nil {
		return next
	}
	limit := rate(action)
	return func(c *fiber.Ctx) error {
		caller := callerOf(c)
		wait, first := s.Limiter.Take(action+" "+caller.From.Network().String(), limit)
		if wait == 0 {
			return next(c)
		}
		if first {
			s.Audit.Limited(c.UserContext(), caller, s.Now(), action)
		}
		return app.TooMany(wait)
	}
}

// clientAddr is the address of who asks: the peer's or, when that is a proxy
// we trust, the nearest one in X-Forwarded-For that is not (the ones further
// left are the client's own words).
func (s *Server) clientAddr(c *fiber.Ctx) netip.Addr {
	addr, err := netip.ParseAddrPort(c.Context().RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	client := addr.Addr().Unmap()
	if !s.trusted(client) {
		return client
	}
	hops := strings.Split(c.Get(fiber.HeaderXForwardedFor), ",")
	for _, hop := range slices.Backward(hops) {
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		if client = next.Unmap(); !s.trusted(client) {
			break
		}
	}
	return client
}

func (s *Server) trusted(addr netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
