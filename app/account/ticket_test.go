package account

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/token"
)

// signedIn is a store in which some sessions and tokens live.
type signedIn struct {
	callers map[string]app.Caller // by session
	tokens  map[int64]app.Caller
	used    map[string]bool
}

func (s *signedIn) CallerNow(_ context.Context, by app.Caller, _ time.Time) (app.Caller, error) {
	caller, ok := s.callers[by.SessionID]
	if !by.SignedIn() {
		caller, ok = s.tokens[by.TokenID]
	}
	if !ok {
		return app.Caller{}, ErrSessionEnded
	}
	return caller, nil
}

func (s *signedIn) UseTicket(_ context.Context, id string, _, _ time.Time) (bool, error) {
	first := !s.used[id]
	s.used[id] = true
	return first, nil
}

// A ticket that one process has issued is good at another one, once in total.
func TestSignedTickets(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	store := &signedIn{
		callers: map[string]app.Caller{"s": {UserID: 7, Role: app.RoleUser, SessionID: "s"}},
		tokens:  map[int64]app.Caller{3: {UserID: 7, Role: app.RoleUser, TokenID: 3, TokenName: "script", Scopes: []app.Scope{app.ScopeTasksRead}}},
		used:    map[string]bool{},
	}
	process := func(secret string) *Tickets {
		signer, err := token.NewSigner([]byte(strings.Repeat(secret, 32)), "tickets")
		if err != nil {
			t.Fatal(err)
		}
		return &Tickets{Store: store, Now: func() time.Time { return now }, Random: rand.Reader, Signer: signer, Uses: store}
	}
	one, other, stranger := process("a"), process("a"), process("b")
	issue := func(caller app.Caller) string {
		t.Helper()
		text, err := one.Issue(caller)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	refused := func(what string, at *Tickets, text string, want error) {
		t.Helper()
		if caller, err := at.Take(context.Background(), text); !errors.Is(err, want) {
			t.Errorf("%s: %+v, %v", what, caller, err)
		}
	}
	for name, caller := range map[string]app.Caller{"of a session": store.callers["s"], "of a token": store.tokens[3]} {
		text := issue(caller)
		refused("one of other secrets", stranger, text, ErrTicket)
		got, err := other.Take(context.Background(), text)
		if err != nil || got.UserID != 7 || got.SessionID != caller.SessionID || got.TokenID != caller.TokenID || got.TokenName != caller.TokenName || len(got.Scopes) != len(caller.Scopes) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		refused("a used one", one, text, ErrTicket)
		refused("a used one", other, text, ErrTicket)
	}
	late := issue(store.callers["s"])
	now = now.Add(TicketTTL)
	refused("a late one", other, late, ErrTicket)
	early := issue(store.callers["s"])
	now = now.Add(-ticketSlack - time.Second)
	refused("one of a clock that is far ahead", other, early, ErrTicket)
	now = now.Add(time.Second)
	if _, err := other.Take(context.Background(), early); err != nil {
		t.Errorf("one of a clock that is ahead: %v", err)
	}
	demoted := issue(app.Caller{UserID: 7, Role: app.RoleAdmin, SessionID: "s"})
	refused("one of somebody who was an admin", other, demoted, ErrSessionEnded)
	ended := issue(store.callers["s"])
	delete(store.callers, "s")
	refused("one of a session that has ended", other, ended, ErrSessionEnded)
	refused("none", other, "", ErrTicket)
	refused("what is no ticket", other, one.Signer.Sign([]byte("{")), ErrTicket)
}
