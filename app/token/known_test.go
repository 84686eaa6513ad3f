package token_test

import (
	"testing"
	"time"

	"taskapi/app/token"
)

// issue returns a new token and what it says.
func issue(t *testing.T, c *clock, a *token.Access) (string, token.Claims) {
	t.Helper()
	raw, _, err := a.Issue(42, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := a.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return raw, claims
}

// A token is known by all of its text, until it expires, to the key that signed it.
func TestKnownTokens(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	raw, claims := issue(t, c, a)
	if _, ok := a.Known(raw); ok {
		t.Error("known before it was seen")
	}
	a.Remember(raw, claims)
	if got, ok := a.Known(raw); !ok || got.UserID != 42 || got.SessionID != session {
		t.Errorf("%+v, %v", got, ok)
	}
	for i := range raw {
		if _, ok := a.Known(raw[:i] + "~" + raw[i+1:]); ok {
			t.Errorf("known with another character %d", i)
		}
	}
	if _, ok := newAccess(t, c).Known(raw); ok {
		t.Error("known after a restart with another key")
	}
	c.t = c.t.Add(15 * time.Minute)
	if _, ok := a.Known(raw); ok {
		t.Error("good after it expired")
	}
}

// Whoever makes many tokens drops the oldest, and no more than that.
func TestKnownTokensAreBounded(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	kept, claims := issue(t, c, a)
	a.Remember(kept, claims)
	dropped, _ := issue(t, c, a)
	a.Remember(dropped, claims)
	for range 3 * token.KnownTokens {
		raw, claims := issue(t, c, a)
		a.Remember(raw, claims)
		if _, ok := a.Known(kept); !ok {
			t.Fatal("what is used was dropped")
		}
	}
	if _, ok := a.Known(dropped); ok {
		t.Error("nothing was dropped")
	}
}
