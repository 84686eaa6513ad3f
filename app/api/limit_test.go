package api_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/api"
)

// failsUntilLimited tries to sign in with a wrong password until it is told to
// wait, and returns how often it could.
func (s *server) failsUntilLimited(forwarded string) int {
	s.t.Helper()
	for n := range 1000 {
		request, err := http.NewRequest("POST", s.url+"/auth/login", strings.NewReader(`{"email":"nobody@example.com","password":"wrong"}`))
		must(s.t, err)
		request.Header.Set("Content-Type", "application/json")
		if forwarded != "" {
			for line := range strings.SplitSeq(forwarded, "\n") {
				request.Header.Add("X-Forwarded-For", line)
			}
		}
		switch a := s.do(request); {
		case a.status == http.StatusTooManyRequests && a.header.Get("Retry-After") == "1" && a.str("code") == "too_many_requests":
			return n
		case a.status != http.StatusUnauthorized:
			s.t.Fatalf("%d %s", a.status, a.text)
		}
	}
	s.t.Fatal("there is no limit")
	return 0
}

// trustLoopback makes the tests themselves a proxy that is believed.
func trustLoopback(c *api.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

func limitedServer(t *testing.T, proxies ...string) *server {
	t.Helper()
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	return start(t, func(p *parts) {
		p.api.Limiter = &app.Limiter{Now: func() time.Time { return noon }, Max: 1000}
		for _, proxy := range proxies {
			p.api.TrustedProxies = append(p.api.TrustedProxies, netip.MustParsePrefix(proxy))
		}
	})
}

func TestForwardedAddressOfAStrangerIsIgnored(t *testing.T) {
	s := limitedServer(t)
	first := s.failsUntilLimited("")
	if first == 0 {
		t.Fatal("limited from the start")
	}
	for n := range 20 {
		if again := s.failsUntilLimited(fmt.Sprintf("198.51.100.%d", n)); again != 0 {
			t.Fatalf("%d more tries by naming another address", again)
		}
	}
}

func TestForwardedAddressOfATrustedProxy(t *testing.T) {
	s := limitedServer(t, "127.0.0.0/8", "10.0.0.0/8")
	full := s.failsUntilLimited("198.51.100.1")
	for _, c := range []struct {
		forwarded string
		fresh     bool
	}{
		{"198.51.100.1", false},
		{"203.0.113.9, 198.51.100.1", false},           // what stands left of the client is its own words
		{"198.51.100.2", true},                         // another client
		{"203.0.113.9, 198.51.100.2, 10.1.2.3", false}, // behind a second trusted proxy
		{"2001:db8:1:2::1", true},
		{"2001:db8:1:2:ffff::2", false}, // the same /64
		{"2001:db8:1:3::1", true},
		{"::ffff:198.51.100.1", false}, // the same IPv4 address, mapped
		{"nonsense", true},             // the proxy itself
		{"", false},
		{"198.51.100.1, nonsense", false},
		{"203.0.113.9\n198.51.100.1", false}, // in two lines, the second by the proxy
		{"198.51.100.1:4711", false}, {"[2001:db8:1:2::1]:443", false}, {"[2001:db8:1:2::1]", false}, {`"2001:db8:1:2::3"`, false},
	} {
		want := 0
		if c.fresh {
			want = full
		}
		if got := s.failsUntilLimited(c.forwarded); got != want {
			t.Errorf("%q could try %d times, want %d", c.forwarded, got, want)
		}
	}
}

// One session can't be refreshed without end, its neighbour is not touched,
// and who shows a retired token over and over does not use up what the owner
// has.
func TestRefreshesOfASessionAreLimited(t *testing.T) {
	s := start(t, func(p *parts) { p.sessions.Limiter = &app.Limiter{Max: 1000} }, func(p *parts) { p.sessions.Limiter.Now = p.sessions.Now })
	s.clock.freeze()
	ann, bob := s.signUp("ann"), s.signUp("bob")
	// The first is retired from here on, and leads to its successor without end.
	token := s.refresh(ann.refresh).str("refresh_token")
	for range 100 {
		if a := s.refresh(ann.refresh); a.status != http.StatusOK || a.str("refresh_token") != token {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	passed := 1
	for range 100 {
		if a := s.refresh(token); a.status == http.StatusOK {
			token = a.str("refresh_token")
			passed++
		} else if a.status != http.StatusTooManyRequests {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if passed != 60 || s.refresh(bob.refresh).status != http.StatusOK {
		t.Errorf("%d refreshes at once", passed)
	}
	s.clock.advance(time.Second)
	if a := s.refresh(token); a.status != http.StatusOK {
		t.Errorf("a second later: %d %s", a.status, a.text)
	}
}
