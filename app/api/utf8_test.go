package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// Who could get no mail at an address is told so, as long as it is known.
func TestAddressesThatTheMailServerDoesNotTake(t *testing.T) {
	refuses := true
	s := start(t, func(p *parts) { p.users.NoUTF8 = func() bool { return refuses } })
	body := func(email string) string {
		return fmt.Sprintf(`{"username":"u","email":%q,"password":%[2]q,"confirm_password":%[2]q}`, email, testPassword)
	}
	ann := s.signUp("ann")
	for _, c := range []struct{ method, path, token, body string }{
		{"POST", "/auth/register", "", body("jörg@example.com")},
		{"PATCH", fmt.Sprintf("/users/%d", ann.id), ann.access, fmt.Sprintf(`{"email":"jörg@example.com","current_password":%q}`, testPassword)},
	} {
		if a := s.call(c.method, c.path, c.token, c.body); a.status != 422 || !strings.Contains(a.str("errors.email"), "no mail would reach this address") {
			t.Errorf("%s: %d %s", c.path, a.status, a.text)
		}
	}
	if a := s.call("POST", "/auth/register", "", body("joerg@bücher.example")); a.status != 201 {
		t.Errorf("a domain: %d %s", a.status, a.text)
	}
	refuses = false
	if a := s.call("POST", "/auth/register", "", body("jörg@example.com")); a.status != 201 {
		t.Errorf("%d %s", a.status, a.text)
	}
}
