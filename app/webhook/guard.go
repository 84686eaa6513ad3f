package webhook

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// errAddress does not name the address: what a name leads to inside a network is nobody's
// business who can only choose the name.
var errAddress = errors.New("the address may not be dialled")

// Guard says which addresses may be dialled: those of the internet by the registries of IANA,
// and those of networks that the operator opens. A dialer asks it about each address after the
// name is resolved, so that no second resolution comes between.
type Guard struct {
	inner *ssrf.Guardian
	never []netip.Prefix
}

// NewGuard returns a guard that opens some networks.
func NewGuard(open []netip.Prefix) *Guard {
	var v4, v6 []netip.Prefix
	for _, prefix := range open {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	return &Guard{
		inner: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...)),
		never: metadata(),
	}
}

// metadata are the addresses at which clouds give keys to whoever asks, and the link-local
// ones, which are theirs for that. No setting opens them.
func metadata() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("169.254.0.0/16"),
		netip.MustParsePrefix("100.100.100.200/32"), // Alibaba Cloud
		netip.MustParsePrefix("168.63.129.16/32"),   // Azure
		netip.MustParsePrefix("192.0.0.192/32"),     // Oracle Cloud
		netip.MustParsePrefix("fe80::/10"),
		netip.MustParsePrefix("fd00:ec2::/32"),          // AWS
		netip.MustParsePrefix("fd20:ce::254/128"),       // Google Cloud
		netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle Cloud
	}
}

// Allows reports whether an address may be dialled.
func (g *Guard) Allows(addr netip.Addr) bool {
	for _, prefix := range g.never {
		if prefix.Contains(addr) || prefix.Contains(within(addr)) {
			return false
		}
	}
	return g.inner.SafeAddr(addr) == nil
}

// Control is that of a net.Dialer.
func (g *Guard) Control(network, address string, conn syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !g.Allows(to.Addr()) || g.inner.Safe(network, address, conn) != nil {
		return errAddress
	}
	return nil
}

// mostHeaders bounds the headers of an answer.
const mostHeaders = 64 << 10

// Client returns a client that dials what is allowed, whatever a name leads to, and goes where it
// is told to and no further. Each step of a connection has so much patience. The resolver may be
// nil.
func (g *Guard) Client(patience time.Duration, resolver *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: patience, Control: g.Control, Resolver: resolver}
	return &http.Client{
		// Not the default transport, which asks the environment for a proxy.
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: patience, ForceAttemptHTTP2: true,
			TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
			DisableCompression: true, MaxResponseHeaderBytes: mostHeaders,
			MaxIdleConns: 2 * parallel, MaxIdleConnsPerHost: parallel, IdleConnTimeout: 30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// within returns the IPv4 address that an IPv6 one leads to: a mapped one, one behind NAT64
// (RFC 6052) or 6to4 (RFC 3056). Else it is the address itself.
func within(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	raw := addr.As16()
	switch {
	case addr.Is4In6():
		return addr.Unmap()
	case binary.BigEndian.Uint32(raw[:4]) == 0x0064ff9b: // 64:ff9b::/96 and 64:ff9b:1::/48
		return netip.AddrFrom4([4]byte(raw[12:]))
	case binary.BigEndian.Uint16(raw[:2]) == 0x2002:
		return netip.AddrFrom4([4]byte(raw[2:6]))
	}
	return addr
}
