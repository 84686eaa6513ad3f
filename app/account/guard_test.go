package account

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"taskapi/app"
)

func guardRig() (*Guard, *time.Time) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &Guard{Now: func() time.Time { return now }, Max: 1000}, &now
}

func from(address string) app.Origin { return app.Origin{Address: netip.MustParseAddr(address)} }

func TestGuardDelaysDouble(t *testing.T) {
	g, now := guardRig()
	var waits []time.Duration
	for len(waits) < 14 {
		attempt, wait, first := g.Begin(from("192.0.2.1"), "ann")
		if wait == 0 {
			attempt.Refused()
			continue
		}
		if !first {
			t.Error("the first refusal of a series was not told as one")
		}
		if _, again, first := g.Begin(from("192.0.2.1"), "ann"); again != wait || first {
			t.Errorf("asked again: %v %v", again, first)
		}
		waits = append(waits, wait)
		*now = now.Add(wait)
	}
	want := "[1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 8m32s 15m0s 15m0s 15m0s 15m0s]"
	if got := fmt.Sprint(waits); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if attempt, wait, _ := g.Begin(from("192.0.2.2"), "ann"); wait != 0 {
		t.Errorf("another network waits %s", wait)
	} else {
		attempt.Accepted()
	}
	if _, wait, _ := g.Begin(from("2001:db8::1"), "ann"); wait != 0 {
		t.Errorf("another network waits %s", wait)
	}
	*now = now.Add(2 * time.Hour)
	for range 5 {
		attempt, wait, _ := g.Begin(from("192.0.2.1"), "ann")
		if wait != 0 {
			t.Fatalf("not forgotten: %s", wait)
		}
		attempt.Refused()
	}
}

func TestGuardCountsAnIPv6NetworkAsOne(t *testing.T) {
	g, _ := guardRig()
	for n := range 5 {
		attempt, wait, _ := g.Begin(from(fmt.Sprintf("2001:db8:1:2::%d", n+1)), "ann")
		if wait != 0 {
			t.Fatal(wait)
		}
		attempt.Refused()
	}
	if _, wait, _ := g.Begin(from("2001:db8:1:2:ffff::9"), "ann"); wait == 0 {
		t.Error("the same /64 goes on")
	}
	if _, wait, _ := g.Begin(from("2001:db8:1:3::1"), "ann"); wait != 0 {
		t.Errorf("another /64 waits %s", wait)
	}
}

// However many begin before the first is refused, few get through.
func TestGuardParallelAttempts(t *testing.T) {
	g, _ := guardRig()
	var under []Attempt
	for range 100 {
		if attempt, wait, _ := g.Begin(from("192.0.2.1"), "ann"); wait == 0 {
			under = append(under, attempt)
		}
	}
	if len(under) != guardFree {
		t.Errorf("%d at once, want %d", len(under), guardFree)
	}
	for _, attempt := range under {
		attempt.Refused()
	}
	if _, wait, _ := g.Begin(from("192.0.2.1"), "ann"); wait != guardFirst {
		t.Errorf("after %d refusals the wait is %s", len(under), wait)
	}
	g.Trust(from("192.0.2.2"), "ann")
	for n := range guardParallel + 1 { // the owner's own programs may sign in at once
		if _, wait, _ := g.Begin(from("192.0.2.2"), "ann"); (wait == 0) != (n < guardParallel) {
			t.Errorf("attempt %d from a network of the owner's waits %s", n, wait)
		}
	}
}

// One account over many networks: beyond the bound each has one attempt, and
// the owner's are free.
func TestGuardOfAnAccount(t *testing.T) {
	g, _ := guardRig()
	attempt, _, _ := g.Begin(from("192.0.2.1"), "ann")
	attempt.Accepted()
	passed := map[int]int{}
	for n := range 500 {
		for range 3 {
			if attempt, wait, _ := g.Begin(from(fmt.Sprintf("198.51.%d.%d", n/250, n%250)), "ann"); wait == 0 {
				attempt.Refused()
				passed[n]++
			}
		}
	}
	sum := 0
	for n := range passed {
		sum += passed[n]
	}
	// Of the bound each network took three, or the last one what was left.
	if want := guardAccount().Burst + 500 - (guardAccount().Burst+2)/3; sum < want || sum > want+2 || passed[499] != 1 {
		t.Errorf("%d guesses from 500 networks, want %d; %d from the last", sum, want, passed[499])
	}
	if _, wait, _ := g.Begin(from("192.0.2.1"), "ann"); wait != 0 {
		t.Errorf("the owner waits %s", wait)
	}
	if _, wait, _ := g.Begin(from("203.0.113.1"), "bob"); wait != 0 {
		t.Errorf("another account waits %s", wait)
	}
	g.Trust(from("203.0.113.2"), "ann")
	if _, wait, _ := g.Begin(from("203.0.113.2"), "ann"); wait != 0 {
		t.Errorf("after a reset from there: %s", wait)
	}
}

// One network over many accounts.
func TestGuardOfANetwork(t *testing.T) {
	g, now := guardRig()
	passed := 0
	for n := range 500 {
		if attempt, wait, _ := g.Begin(from("192.0.2.1"), fmt.Sprint("user ", n)); wait == 0 {
			attempt.Refused()
			passed++
		}
	}
	if passed != guardNetwork().Burst {
		t.Errorf("%d guesses on 500 accounts, want %d", passed, guardNetwork().Burst)
	}
	*now = now.Add(guardNetwork().Every)
	if _, wait, _ := g.Begin(from("192.0.2.1"), "another"); wait != 0 {
		t.Errorf("still waits %s", wait)
	}
	for range 1000 { // who is right, or was never told, spends nothing
		attempt, wait, _ := g.Begin(from("192.0.2.2"), "ann")
		if wait != 0 {
			t.Fatal(wait)
		}
		attempt.Accepted()
		attempt, _, _ = g.Begin(from("192.0.2.3"), "ann")
		attempt.Abandoned()
	}
}

func TestGuardMemoryIsBounded(t *testing.T) {
	g, now := guardRig()
	if p := newPair(from("192.0.2.1"), strings.Repeat("x", 1<<20)); len(p.account) != 32 {
		t.Errorf("%d bytes of a name are kept", len(p.account))
	}
	g.Max = 80
	for n := range 5000 {
		*now = now.Add(time.Second)
		if attempt, wait, _ := g.Begin(from(fmt.Sprintf("10.%d.%d.1", n/250, n%250)), fmt.Sprint(n)); wait == 0 {
			attempt.Refused()
		}
		if len(g.pairs) > g.Max+1 || g.limiter.Len() > g.Max+1 {
			t.Fatalf("%d pairs and %d keys are remembered", len(g.pairs), g.limiter.Len())
		}
	}
}

func TestWithoutAGuardEverythingPasses(t *testing.T) {
	var g *Guard
	attempt, wait, _ := g.Begin(app.Origin{}, "ann")
	if wait != 0 {
		t.Error(wait)
	}
	attempt.Refused()
	g.Trust(app.Origin{}, "ann")
}
