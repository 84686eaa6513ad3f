package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func (s *server) refresh(token string) answer {
	s.t.Helper()
	return s.call("POST", "/auth/refresh", "", fmt.Sprintf(`{"refresh_token":%q}`, token))
}

func (s *server) logout(token string) answer {
	s.t.Helper()
	return s.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token":%q}`, token))
}

func (s *server) alive(token string) bool {
	s.t.Helper()
	return s.call("GET", "/tasks/", token, "").status == 200
}

func TestARetiredTokenGivesOneSuccessorWithinItsGrace(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	successors := make(chan string, 20)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			a := s.refresh(ann.refresh)
			if a.status != 200 {
				t.Errorf("%d %s", a.status, a.text)
			}
			successors <- a.str("refresh_token")
		})
	}
	all.Wait()
	first := <-successors
	for range 19 {
		if other := <-successors; other != first || other == ann.refresh {
			t.Errorf("two successors: %s and %s", first, other)
		}
	}
	s.clock.advance(29 * time.Second)
	if a := s.refresh(ann.refresh); a.str("refresh_token") != first {
		t.Errorf("a lost answer, asked for again: %d %s", a.status, a.text)
	}
	if a := s.refresh(first); a.status != 200 {
		t.Errorf("the successor: %d %s", a.status, a.text)
	}
}

func TestAReplayEndsItsSessionAndNoOther(t *testing.T) {
	s := start(t)
	stolen := s.signUp("ann")
	other := s.login("ann")
	next := s.refresh(stolen.refresh)
	s.clock.advance(31 * time.Second)
	if a := s.refresh(stolen.refresh); a.status != 401 || a.str("error") != "Invalid or expired refresh token." {
		t.Errorf("the replay: %d %s", a.status, a.text)
	}
	for name, token := range map[string]string{"before": stolen.access, "after": next.str("access_token")} {
		if s.alive(token) {
			t.Errorf("the access token from %s the theft still works", name)
		}
	}
	if a := s.refresh(next.str("refresh_token")); a.status != 401 {
		t.Errorf("the successor: %d %s", a.status, a.text)
	}
	if !s.alive(other.access) || s.refresh(other.refresh).status != 200 {
		t.Error("the other session ended with it")
	}
	if log := s.log.String(); !strings.Contains(log, "level=WARN") || !strings.Contains(log, "retired refresh token shown again") || strings.Contains(log, stolen.refresh) {
		t.Errorf("the log: %s", log)
	}
}

// TestTwoTabsThatRefreshOftenStaySignedIn: a tab that is two generations
// behind, but within the grace, gets the token that is current.
func TestTwoTabsThatRefreshOftenStaySignedIn(t *testing.T) {
	s := start(t)
	first := s.signUp("ann").refresh
	second := s.refresh(first).str("refresh_token")
	third := s.refresh(second).str("refresh_token")
	late := s.refresh(first)
	if late.status != 200 || late.str("refresh_token") != third {
		t.Fatalf("%d %s", late.status, late.text)
	}
	s.clock.advance(15 * time.Minute)
	if a := s.refresh(late.str("refresh_token")); a.status != 200 {
		t.Errorf("the late tab was signed out: %d %s", a.status, a.text)
	}
}

func TestHowLongASessionLasts(t *testing.T) {
	s := start(t)
	token := s.signUp("ann").refresh
	for range 6 {
		s.clock.advance(24 * time.Hour)
		a := s.refresh(token)
		if a.status != 200 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		token = a.str("refresh_token")
	}
	s.clock.advance(24*time.Hour - 5*time.Minute)
	a := s.refresh(token)
	if left := a.id("expires_in"); a.status != 200 || left > 300 || left < 200 {
		t.Errorf("five minutes before the end: %d %s", a.status, a.text)
	}
	s.clock.advance(5 * time.Minute)
	if a := s.refresh(a.str("refresh_token")); a.status != 401 {
		t.Errorf("after seven days: %d %s", a.status, a.text)
	}
	if a := s.logout(token); a.status != 400 {
		t.Errorf("logout after seven days: %d %s", a.status, a.text)
	}
}

func TestTheIdleLimit(t *testing.T) {
	s := start(t, func(p *parts) { p.sessions.IdleTTL = time.Hour })
	ann := s.signUp("ann")
	s.clock.advance(59 * time.Minute)
	a := s.refresh(ann.refresh)
	if a.status != 200 {
		t.Fatalf("in use: %d %s", a.status, a.text)
	}
	s.clock.advance(61 * time.Minute)
	if a := s.refresh(a.str("refresh_token")); a.status != 401 {
		t.Errorf("unused: %d %s", a.status, a.text)
	}
}

func TestWithoutRotationATokenStays(t *testing.T) {
	s := start(t, func(p *parts) { p.sessions.Rotation = false })
	ann := s.signUp("ann")
	for range 3 {
		s.clock.advance(time.Hour)
		if a := s.refresh(ann.refresh); a.status != 200 || a.str("refresh_token") != ann.refresh {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
}

func TestLogoutByWhicheverToken(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	next := s.refresh(ann.refresh)
	s.clock.advance(time.Hour)
	ann.access = s.login("ann").access // another session, which stays
	if a := s.logout(ann.refresh); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.refresh(next.str("refresh_token")); a.status != 401 {
		t.Errorf("after the logout: %d %s", a.status, a.text)
	}
	if !s.alive(ann.access) {
		t.Error("another session ended with it")
	}
}

func TestWhatIsNoRefreshToken(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for body, want := range map[string][2]string{
		`{}`:                     {"Refresh token required.", "Refresh token required."},
		`{"refresh_token":null}`: {"Refresh token required.", "Refresh token required."},
		`{"refresh_token":""}`:   {"Refresh token required.", "Refresh token required."},
		`{"refresh_token":"x"}`:  {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":"` + ann.refresh + `A"}`:            {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":"` + flip(ann.refresh) + `"}`:       {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":"` + ann.refresh + `\u0000"}`:       {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":" ` + ann.refresh + `"}`:            {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":"` + ann.refresh[:10] + `"}`:        {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
		`{"refresh_token":"` + strings.Repeat("A", 76) + `"}`: {"Invalid or expired refresh token.", "Invalid or already revoked refresh token."},
	} {
		if a := s.call("POST", "/auth/refresh", "", body); a.str("error") != want[0] {
			t.Errorf("refresh %s: %d %s", body, a.status, a.text)
		}
		if a := s.call("POST", "/auth/logout", "", body); a.status != 400 || a.str("error") != want[1] {
			t.Errorf("logout %s: %d %s", body, a.status, a.text)
		}
	}
	for _, body := range []string{`{"refresh_token":5}`, `{"refresh_token":["x"]}`, `{"refresh_token":{}}`} {
		for _, path := range []string{"/auth/refresh", "/auth/logout"} {
			if a := s.call("POST", path, "", body); a.status != 422 || a.str("errors.refresh_token") == "" {
				t.Errorf("%s %s: %d %s", path, body, a.status, a.text)
			}
		}
	}
	if s.refresh(ann.refresh).status != 200 {
		t.Error("the session ended by what was no token of it")
	}
}

// flip changes one character in the middle.
func flip(token string) string {
	changed := []byte(token)
	middle := len(changed) / 2
	if changed[middle] == 'A' {
		changed[middle] = 'B'
	} else {
		changed[middle] = 'A'
	}
	return string(changed)
}
