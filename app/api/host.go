package api

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// refuseHosts answers 421 (RFC 9110 section 15.5.20) to names that are not this
// server's, where it listens for this machine only: a page of a stranger's that
// has its own name point to the machine (DNS rebinding) gets nothing. A request
// without a name, as HTTP/1.0 allows, comes from no browser.
func (s *Server) refuseHosts(c *fiber.Ctx) error {
	host := hostOf(string(c.Context().Host()))
	if len(s.OnlyHosts) == 0 || host == "" || isLocal(host) || slices.Contains(s.OnlyHosts, host) {
		return c.Next()
	}
	return fiber.NewError(fiber.StatusMisdirectedRequest)
}

// hostOf is the name or the address of a Host header: without the port, in
// lower case, without the dot that a full name may end in.
func hostOf(header string) string {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isLocal reports names of this machine that no name server gives out (RFC 6761
// section 6.3), and its own addresses.
func isLocal(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
