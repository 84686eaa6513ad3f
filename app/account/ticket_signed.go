package account

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"time"

	"taskapi/app"
)

// Where processes share a database, a ticket that one has issued is taken by another. So it says
// itself whom it is for, under the key that all of them have, and the database notes its use.

// TicketSigner signs what a ticket says.
type TicketSigner interface {
	Sign(data []byte) string
	Open(text string) (data []byte, ok bool)
}

// TicketStore notes which tickets were used.
type TicketStore interface {
	// UseTicket notes the use of a ticket, and reports whether it is the first. What expired
	// before a moment is forgotten.
	UseTicket(ctx context.Context, id string, expires, forget time.Time) (first bool, err error)
}

// ticketSlack is how far the clocks of two machines may be apart.
const ticketSlack = 30 * time.Second

// signedTicket is what a ticket says.
type signedTicket struct {
	User    int64    `json:"u"`
	Role    app.Role `json:"r"`
	Session string   `json:"s,omitempty"`
	Token   int64    `json:"t,omitempty"`
	// Expires is in Unix milliseconds.
	Expires int64  `json:"e"`
	Random  []byte `json:"n"`
}

func (t *Tickets) issueSigned(caller app.Caller, random []byte) (string, error) {
	text, err := json.Marshal(signedTicket{caller.UserID, caller.Role, caller.SessionID, caller.TokenID, t.Now().Add(TicketTTL).UnixMilli(), random})
	if err != nil {
		return "", err
	}
	return t.Signer.Sign(text), nil
}

func (t *Tickets) takeSigned(ctx context.Context, text string) (app.Caller, error) {
	var told signedTicket
	data, ok := t.Signer.Open(text)
	if !ok || json.Unmarshal(data, &told) != nil {
		return app.Caller{}, ErrTicket
	}
	now, expires := t.Now(), time.UnixMilli(told.Expires)
	// A clock that was set back, or is behind by much, would let a ticket live on.
	if !now.Before(expires) || expires.Sub(now) > TicketTTL+ticketSlack {
		return app.Caller{}, ErrTicket
	}
	sum := sha256.Sum256([]byte(text))
	first, err := t.Uses.UseTicket(ctx, base64.RawURLEncoding.EncodeToString(sum[:ticketBytes]), expires, now.Add(-ticketSlack))
	if err != nil {
		return app.Caller{}, err
	}
	if !first {
		return app.Caller{}, ErrTicket
	}
	return t.now(ctx, app.Caller{UserID: told.User, Role: told.Role, SessionID: told.Session, TokenID: told.Token})
}
