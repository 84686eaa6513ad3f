package api

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

// rates are what one address may do. They are far above what people do and
// far below what guessing takes.
func rate(action string) app.Rate {
	switch action {
	case "register":
		return app.Rate{Burst: 60, Every: 10 * time.Second}
	case "login", "password":
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
		key := action + " " + network(s.clientAddr(c)).String()
		if wait := s.Limiter.Take(key, limit); wait > 0 {
			return &app.Error{
				Kind: app.KindLimited, Code: "too_many_requests", RetryAfter: wait,
				Message: "Too many requests. Please wait " + seconds(wait) + " s and try again.",
			}
		}
		return next(c)
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

// network is what counts as one client: an IPv4 address, or the /64 that one
// IPv6 subscriber has to spend.
func network(addr netip.Addr) netip.Prefix {
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.WithZone("").Prefix(bits)
	return prefix
}
