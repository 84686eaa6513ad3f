package app

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := &Limiter{Now: func() time.Time { return now }, Max: 100}
	rate := Rate{Burst: 3, Every: 10 * time.Second}
	take := func(key string, want time.Duration) {
		t.Helper()
		if got, _ := l.Take(key, rate); got != want {
			t.Errorf("%s has to wait %s, want %s", key, got, want)
		}
	}
	for range 3 {
		take("a", 0)
	}
	take("a", 10*time.Second)
	take("b", 0) // another key has its own account
	now = now.Add(4 * time.Second)
	take("a", 6*time.Second) // a refusal costs nothing
	now = now.Add(6 * time.Second)
	take("a", 0)
	take("a", 10*time.Second)
	now = now.Add(time.Hour)
	for range 3 {
		take("a", 0)
	}
	take("a", 10*time.Second)
}

// The memory is bounded whatever keys are sent, and what is paid off goes
// before what is owed.
func TestLimiterForgetsWhatIsPaidOff(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := &Limiter{Now: func() time.Time { return now }, Max: 80}
	short, long := Rate{Burst: 1, Every: time.Second}, Rate{Burst: 1, Every: time.Hour}
	l.Take("guesser", long)
	for n := range 10_000 {
		now = now.Add(50 * time.Millisecond) // twenty are owed at any time
		l.Take(fmt.Sprint(n), short)
		if len(l.accounts) > l.Max {
			t.Fatalf("%d keys are remembered, want at most %d", len(l.accounts), l.Max)
		}
	}
	if wait, _ := l.Take("guesser", long); wait == 0 {
		t.Error("who still owed was forgotten")
	}
	for n := range 10_000 { // all at the same moment
		l.Take(fmt.Sprint("flood ", n), long)
		if len(l.accounts) > l.Max {
			t.Fatalf("%d keys are remembered, want at most %d", len(l.accounts), l.Max)
		}
	}
}

// Who has a whole block of networks gets little more than who has one.
func TestManyNetworksOfOneBlock(t *testing.T) {
	now := time.Now()
	rate := Rate{Burst: 10, Every: time.Minute}
	for block, most := range map[string]int{"2001:db8:1::/48": 40, "2001:db8:1:100::/56": 20, "2001:db8:1:100::/64": 10} {
		l := &Limiter{Now: func() time.Time { return now }, Max: 10_000}
		prefix, allowed := netip.MustParsePrefix(block), 0
		for i := range 600 {
			address := prefix.Addr().As16()
			if prefix.Bits() < 56 {
				address[6] = byte(i >> 2)
			}
			if prefix.Bits() < 64 {
				address[7] = byte(i)
			}
			address[15] = byte(i)
			network := Origin{Address: netip.AddrFrom16(address)}.Network()
			if wait, _ := l.TakeFrom(network, "login", rate); wait == 0 {
				allowed++
			}
		}
		if allowed != most {
			t.Errorf("%d of 600 from %s, want %d", allowed, block, most)
		}
		other := netip.MustParsePrefix("2001:db8:2::/64")
		if wait, _ := l.TakeFrom(other, "login", rate); wait != 0 {
			t.Errorf("another block waits %s for %s", wait, block)
		}
		l.RefundTo(netip.MustParsePrefix("2001:db8:1:100::/64"), "login", rate)
	}
	l := &Limiter{Now: func() time.Time { return now }, Max: 10_000}
	for i := range 100 { // IPv4 addresses are networks of their own
		address := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		for range 10 {
			if wait, _ := l.TakeFrom(Origin{Address: address}.Network(), "login", rate); wait != 0 {
				t.Fatalf("%s waits", address)
			}
		}
	}
}

// Taking from none gives back what the narrower networks had.
func TestARefusalOfABlockCostsANetworkNothing(t *testing.T) {
	now := time.Now()
	l := &Limiter{Now: func() time.Time { return now }, Max: 10_000}
	rate := Rate{Burst: 1, Every: time.Minute}
	for i := range 20 {
		l.TakeFrom(netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 6: byte(i), 7: 1}), 64), "login", rate)
	}
	late := netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 6: 200, 7: 1}), 64)
	if wait, _ := l.TakeFrom(late, "login", rate); wait == 0 {
		t.Fatal("the block is not limited")
	}
	if wait, _ := l.Take("login "+late.String(), rate); wait != 0 {
		t.Error("the network was counted though the block was refused")
	}
}
