package account

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/token"
)

// Limits of API tokens.
const (
	MaxTokenName = 50
	MaxTokens    = 100 // a user
)

// APIToken is what the server knows of a personal API token.
type APIToken struct {
	ID        int64
	UserID    int64
	Name      string
	Scopes    []app.Scope
	CreatedAt time.Time
	ExpiresAt time.Time // zero for one that is good until it is revoked
}

// NewAPIToken is a checked API token that has no id yet.
type NewAPIToken struct {
	UserID    int64
	SessionID string // that makes it, and whose theft ends it
	Name      string
	Hash      string
	Scopes    []app.Scope
	CreatedAt time.Time
	ExpiresAt time.Time
}

// APITokenStore keeps API tokens.
type APITokenStore interface {
	// CreateAPIToken returns ErrTooManyTokens at MaxTokens of the user.
	CreateAPIToken(ctx context.Context, by app.Caller, token NewAPIToken, record Record) (APIToken, error)
	// APITokens returns a page of those that have not expired, by id.
	APITokens(ctx context.Context, userID int64, now time.Time, page app.PageRequest) (app.Page[APIToken], error)
	// DeleteAPIToken returns ErrTokenNotFound without one of the user's.
	DeleteAPIToken(ctx context.Context, by app.Caller, id int64, record Record) error
	// TokenCaller returns who a token speaks for; else ErrSessionEnded, or
	// ErrAPITokenExpired for as long as an expired one is remembered.
	TokenCaller(ctx context.Context, hash string, now time.Time) (app.Caller, error)
}

// APITokens are the use cases of personal API tokens.
type APITokens struct {
	Store   APITokenStore
	Proofs  *Proofs
	Postage *outbox.Postage
	Now     func() time.Time
	Random  io.Reader
}

// APITokenInput is what a client says of an API token.
type APITokenInput struct {
	Name      app.Field[string]
	Scopes    app.Field[[]string]
	ExpiresAt app.Field[string]
	// CurrentPassword proves that the person is there; see Proofs.Recent.
	CurrentPassword app.Field[string]
}

// Create makes a token and returns it with its text, which nobody can see
// again; the user gets a mail. A token makes no tokens: ErrSessionNeeded.
// Returns KindInvalid errors, KindLimited and ErrBusy as Proofs.Recent does,
// and ErrTooManyTokens.
func (t *APITokens) Create(ctx context.Context, caller app.Caller, in APITokenInput) (APIToken, string, error) {
	if !caller.SignedIn() {
		return APIToken{}, "", ErrSessionNeeded
	}
	now := t.Now()
	p := app.Problems{}
	name := p.Text(app.TextRule{Name: "name", Min: 1, Max: MaxTokenName, Required: true, Trim: true}, in.Name)
	scopes := scopes(p, in.Scopes, caller.Admin())
	expires := future(p, "expires_at", now, in.ExpiresAt)
	if err := t.Proofs.Recent(ctx, p, &caller, in.CurrentPassword); err != nil {
		return APIToken{}, "", err
	}
	if err := p.Err(); err != nil {
		return APIToken{}, "", err
	}
	raw, hash, err := token.NewPersonal(t.Random)
	if err != nil {
		return APIToken{}, "", err
	}
	notice := noticeOf(caller, outbox.MailAPIToken, "", "", now)
	notice.Data["Name"] = outbox.Harmless(*name)
	created, err := t.Store.CreateAPIToken(ctx, caller, NewAPIToken{
		UserID: caller.UserID, SessionID: caller.SessionID, Name: *name, Hash: hash, Scopes: scopes, CreatedAt: now, ExpiresAt: expires,
	}, Record{
		Events: []Event{EventOf(caller, EventTokenCreated, caller.UserID, now, *name)},
		Mails:  t.Postage.Notices(caller.UserID, notice),
	})
	return created, raw, err
}

// scopes checks a list of scopes and returns it in the order of the constants.
func scopes(p app.Problems, field app.Field[[]string], admin bool) []app.Scope {
	all := []app.Scope{app.ScopeTasksRead, app.ScopeTasksWrite, app.ScopeAccount, app.ScopeAdmin}
	if field.State == app.Mistyped {
		p.Add("scopes", "The field scopes must be a list of strings.")
		return nil
	}
	if len(field.Value) == 0 {
		p.Add("scopes", app.Required("scopes"))
		return nil
	}
	var chosen []app.Scope
	for _, scope := range all {
		if slices.Contains(field.Value, string(scope)) {
			chosen = append(chosen, scope)
		}
	}
	for _, name := range field.Value {
		if !slices.Contains(all, app.Scope(name)) {
			p.Add("scopes", "The field scopes may hold tasks:read, tasks:write, account and admin.")
		}
	}
	if !admin && slices.Contains(chosen, app.ScopeAdmin) {
		p.Add("scopes", "Only an admin's API token may have the scope admin.")
	}
	return chosen
}

// future reads a time that is still to come; zero when there is none.
func future(p app.Problems, name string, now time.Time, field app.Field[string]) time.Time {
	if field.State == app.Absent || field.State == app.Null {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(field.Value))
	switch {
	case field.State == app.Mistyped || err != nil:
		p.Add(name, "The field "+name+" must be a time such as 2030-01-31T12:00:00Z.")
	case !at.After(now):
		p.Add(name, "The field "+name+" must be in the future.")
	case at.UTC().Year() > 9999: // RFC 3339 has four digits
		p.Add(name, "The field "+name+" must be before the year 10000.")
	}
	return at
}

// List returns a page of the caller's tokens.
func (t *APITokens) List(ctx context.Context, caller app.Caller, page app.PageRequest) (app.Page[APIToken], error) {
	if err := page.Check(); err != nil {
		return app.Page[APIToken]{}, err
	}
	return t.Store.APITokens(ctx, caller.UserID, t.Now(), page)
}

// Revoke ends a token of the caller's at once. Returns ErrTokenNotFound.
func (t *APITokens) Revoke(ctx context.Context, caller app.Caller, id int64) error {
	return t.Store.DeleteAPIToken(ctx, caller, id, RecordOf(EventOf(caller, EventTokenRevoked, caller.UserID, t.Now(), "")))
}

// Caller returns who an API token speaks for, now. Returns ErrSessionEnded and
// ErrAPITokenExpired.
func (t *APITokens) Caller(ctx context.Context, raw string) (app.Caller, error) {
	hash, ok := token.ParsePersonal(raw)
	if !ok {
		return app.Caller{}, ErrSessionEnded
	}
	return t.Store.TokenCaller(ctx, hash, t.Now())
}
