package webhook

import (
	"net/netip"
	"testing"
)

func TestOnlyTheInternetIsDialled(t *testing.T) {
	shut := NewGuard(nil)
	for _, text := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255",
		"192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"100.100.100.200", "168.63.129.16",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
		"2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1", "fc00::1", "fd00:ec2::254", "fd20:ce::254", "fe80::1", "fec0::1", "ff02::1", "5f00::1",
	} {
		addr := netip.MustParseAddr(text)
		if shut.Allows(addr) {
			t.Errorf("%s may be dialled", text)
		}
		if err := shut.Control("tcp", netip.AddrPortFrom(addr, 80).String(), nil); err == nil {
			t.Errorf("%s is dialled", text)
		}
	}
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450:4001::1"} {
		addr := netip.MustParseAddr(text)
		network := map[bool]string{true: "tcp4", false: "tcp6"}[addr.Is4()]
		if err := shut.Control(network, netip.AddrPortFrom(addr, 8443).String(), nil); !shut.Allows(addr) || err != nil {
			t.Errorf("%s may not be dialled: %v", text, err)
		}
	}
	for _, bad := range []string{"", "example.com:80", "1.1.1.1", "/run/docker.sock"} {
		if shut.Control("tcp4", bad, nil) == nil {
			t.Errorf("%q is dialled", bad)
		}
	}
	if shut.Control("unix", "/run/docker.sock", nil) == nil || shut.Control("udp4", "1.1.1.1:53", nil) == nil {
		t.Error("another network than TCP is dialled")
	}
}

func TestNetworksThatAreOpen(t *testing.T) {
	g := NewGuard([]netip.Prefix{netip.MustParsePrefix("192.168.1.0/24"), netip.MustParsePrefix("fd12:3456::/32")})
	for text, want := range map[string]bool{
		"192.168.1.7": true, "192.168.2.7": false, "10.0.0.1": false, "127.0.0.1": false, "fd12:3456::1": true, "fd12:3457::1": false, "::1": false, "1.1.1.1": true,
		"::ffff:192.168.1.7": false, // an address has one form
	} {
		if g.Allows(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: %t", text, !want)
		}
	}
}

// Whatever is open, nobody gets at the keys of the machine.
func TestMetadataIsNeverOpen(t *testing.T) {
	var all []netip.Prefix
	for _, text := range []string{"0.0.0.0/0", "::/0", "169.254.169.254/32", "fd00:ec2::254/128"} {
		all = append(all, netip.MustParsePrefix(text))
	}
	g := NewGuard(all)
	for _, text := range []string{
		"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fe80::a9fe:a9fe", "fd00:c1::a9fe:a9fe",
		"::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "2002:a9fe:a9fe::", "2002:a9fe:a9fe::1",
	} {
		if g.Allows(netip.MustParseAddr(text)) {
			t.Errorf("%s may be dialled", text)
		}
	}
	if !g.Allows(netip.MustParseAddr("127.0.0.1")) || !g.Allows(netip.MustParseAddr("::1")) {
		t.Error("what is open may not be dialled")
	}
}
