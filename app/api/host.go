package api

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// refuseHosts answers 421 (RFC 9110 section 15.5.20) to host names that are not
// this server's, if it listens on loopback only, so that a page elsewhere can't
// reach it by DNS rebinding. A request without a Host, as in HTTP/1.0, does not
// come from a browser.
func (s *Server) refuseHosts(c *fiber.Ctx) error {
	host := hostOf(string(c.Context().Host()))
	if len(s.OnlyHosts) == 0 || host == "" || isLocal(host) || slices.Contains(s.OnlyHosts, host) {
		return c.Next()
	}
	return fiber.NewError(fiber.StatusMisdirectedRequest)
}

// hostOf returns the host of a Host header: without the port, in lower case,
// without a final dot.
func hostOf(header string) string {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isLocal reports whether a name is one of this machine that no DNS server gives
// out (RFC 6761 section 6.3), or one of its own addresses.
func isLocal(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
