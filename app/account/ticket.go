package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"taskapi/app"
)

// A browser's EventSource sends no Authorization header, and an access token in an address would
// end up in logs and histories. A ticket stands in for it: it opens one stream, once, within
// TicketTTL.
const (
	TicketTTL = 30 * time.Second
	// ticketsOfOne and maxTickets bound the unused tickets of an account, of which the oldest
	// goes, and of all.
	ticketsOfOne = 10
	maxTickets   = 10_000
	ticketBytes  = 16
)

// ErrTicket says that a ticket was used, has expired or never was one.
var ErrTicket = &app.Error{Kind: app.KindUnauthenticated, Code: "ticket_invalid", Message: "This ticket was used or has expired. Ask for another one at POST /events/tickets."}

// CallerStore knows whether a caller still is who they were.
type CallerStore interface {
	// CallerNow returns the caller of the session or the API token of a caller that was
	// there before. Returns ErrSessionEnded and ErrAPITokenExpired.
	CallerNow(ctx context.Context, by app.Caller, now time.Time) (app.Caller, error)
}

// Tickets issues tickets and takes them. A restart loses those in memory.
type Tickets struct {
	Store  CallerStore
	Now    func() time.Time
	Random io.Reader
	// Signer signs tickets, and Uses notes which were used, where other processes may take them.
	// Nil keeps all tickets in memory.
	Signer TicketSigner
	Uses   TicketStore

	mu     sync.Mutex
	issued []ticket // the oldest first
}

// ticket holds a hash, so that how long the search takes tells nothing of the text.
type ticket struct {
	sum     [sha256.Size]byte
	caller  app.Caller
	expires time.Time
}

// Issue returns a ticket for the caller. Returns app.ErrBusy if there are too many.
func (t *Tickets) Issue(caller app.Caller) (string, error) {
	var raw [ticketBytes]byte
	if _, err := io.ReadFull(t.Random, raw[:]); err != nil {
		return "", fmt.Errorf("make a ticket: %w", err)
	}
	if t.Signer != nil {
		return t.issueSigned(caller, raw[:])
	}
	text := base64.RawURLEncoding.EncodeToString(raw[:])
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.Now()
	own := 0
	for _, one := range t.issued {
		if one.caller.UserID == caller.UserID {
			own++
		}
	}
	t.issued = slices.DeleteFunc(t.issued, func(one ticket) bool {
		// The clock may have been set back: a ticket is never valid for longer than its time.
		gone := !now.Before(one.expires) || one.expires.Sub(now) > TicketTTL
		if one.caller.UserID == caller.UserID && own >= ticketsOfOne {
			gone = true
		}
		if gone && one.caller.UserID == caller.UserID {
			own--
		}
		return gone
	})
	if len(t.issued) >= maxTickets {
		return "", app.ErrBusy
	}
	t.issued = append(t.issued, ticket{sha256.Sum256([]byte(text)), caller, now.Add(TicketTTL)})
	return text, nil
}

// Take returns the caller that a ticket was issued for, once. Returns ErrTicket, and
// ErrSessionEnded if the caller is signed out by now.
func (t *Tickets) Take(ctx context.Context, text string) (app.Caller, error) {
	if t.Signer != nil {
		return t.takeSigned(ctx, text)
	}
	now, sum := t.Now(), sha256.Sum256([]byte(text))
	t.mu.Lock()
	at := slices.IndexFunc(t.issued, func(one ticket) bool { return one.sum == sum })
	if at < 0 {
		t.mu.Unlock()
		return app.Caller{}, ErrTicket
	}
	taken := t.issued[at]
	t.issued = slices.Delete(t.issued, at, at+1)
	t.mu.Unlock()
	if !now.Before(taken.expires) || taken.expires.Sub(now) > TicketTTL {
		return app.Caller{}, ErrTicket
	}
	return taken.caller, t.Still(ctx, taken.caller)
}

// Still returns nil while a caller is signed in, in the same role. Returns ErrSessionEnded and
// ErrAPITokenExpired.
func (t *Tickets) Still(ctx context.Context, caller app.Caller) error {
	_, err := t.now(ctx, caller)
	return err
}

// now returns who a caller is now.
func (t *Tickets) now(ctx context.Context, caller app.Caller) (app.Caller, error) {
	now, err := t.Store.CallerNow(ctx, caller, t.Now())
	if err == nil && (now.UserID != caller.UserID || now.Role != caller.Role) {
		err = ErrSessionEnded
	}
	return now, err
}
