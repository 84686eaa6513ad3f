package todo

import (
	"context"
	"time"

	"taskapi/app"
)

// InvitationTTL is how long an invitation is good for, once.
const InvitationTTL = 7 * 24 * time.Hour

// Invitation is a link by which somebody can join a list.
type Invitation struct {
	ID        int64
	Role      Role
	Email     string // to which it was mailed; empty if it was not
	ExpiresAt time.Time
	// ListID and URL are known only to who has just made it.
	ListID int64
	URL    string
	// ListName and InvitedBy are for who holds the link.
	ListName, InvitedBy string
}

// NewInvitation is a checked invitation that has no id yet.
type NewInvitation struct {
	Role                 Role
	Email                string
	Hash                 string
	CreatedAt, ExpiresAt time.Time
}

// InvitationStore keeps invitations. A list that the caller is no member of does not exist:
// ErrListNotFound; other members than the owner get ErrNotListOwner.
type InvitationStore interface {
	// Invite returns ErrInboxFixed, ErrTooManyInvitations and ErrListFull. What mail
	// returns goes out with the invitation.
	Invite(ctx context.Context, by app.Caller, ref Ref, invitation NewInvitation, letter Letter) (Invitation, error)
	Invitations(ctx context.Context, userID int64, ref Ref, now time.Time, page app.PageRequest) (app.Page[Invitation], error)
	RevokeInvitation(ctx context.Context, by app.Caller, ref Ref, id int64) error
	// Invitation returns ErrInvitationNotFound.
	Invitation(ctx context.Context, hash string, now time.Time) (Invitation, error)
	// AcceptInvitation uses an invitation up. Returns ErrInvitationNotFound, ErrListFull and
	// ErrTooManyLists.
	AcceptInvitation(ctx context.Context, by app.Caller, hash string, now time.Time) (List, error)
}

// Letter is an invitation by mail; the zero value is none.
type Letter struct {
	To string
	// Seed makes the code of the link when the mail is sent.
	Seed string
}

// Codes makes the codes of links.
type Codes interface {
	// New returns the seed of a new code and the code's hash.
	New() (seed, hash string, err error)
	// Code returns the code of a seed.
	Code(seed string) (code string, ok bool)
	// Parse returns the hash of a genuine code.
	Parse(code string) (hash string, ok bool)
}

// Invitations are the use cases of inviting somebody to a list.
type Invitations struct {
	Store InvitationStore
	Codes Codes
	// PublicURL is where people reach the server, without a slash at its end.
	PublicURL string
	// Stamp returns how long to wait before another mail may go to an address.
	Stamp func(to string, userID int64) (wait time.Duration)
	// Mails says that there is a server for mails.
	Mails bool
	Now   func() time.Time
}

// Create invites to a list, by a link that its holder may use once, and mails it if there
// is an address and a server for mails. Returns KindInvalid errors, KindLimited for too many mails, and what the
// store returns.
func (i *Invitations) Create(ctx context.Context, caller app.Caller, ref Ref, role, email app.Field[string]) (Invitation, error) {
	p := app.Problems{}
	now := i.Now()
	n := NewInvitation{Role: readRole(p, role, "editor or viewer"), CreatedAt: now, ExpiresAt: now.Add(InvitationTTL)}
	if address := p.Email(false, email); address != nil {
		n.Email = *address
	}
	err := p.Err()
	if err != nil || n.Email != "" { // of which only the owner learns
		if _, refused := i.Store.Invitations(ctx, caller.UserID, ref, now, app.PageRequest{Page: 1, PerPage: 1}); refused != nil {
			return Invitation{}, refused
		}
	}
	if err != nil {
		return Invitation{}, err
	}
	seed, hash, err := i.Codes.New()
	if err != nil {
		return Invitation{}, err
	}
	n.Hash = hash
	var letter Letter
	if n.Email != "" && i.Mails {
		if wait := i.Stamp(n.Email, caller.UserID); wait > 0 {
			return Invitation{}, app.TooMany(wait)
		}
		letter = Letter{To: n.Email, Seed: seed}
	}
	made, err := i.Store.Invite(ctx, caller, ref, n, letter)
	if err != nil {
		return Invitation{}, err
	}
	if code, ok := i.Codes.Code(seed); ok {
		made.URL = i.PublicURL + InvitationPage + code
	}
	return made, nil
}

// InvitationPage is where the page shows an invitation; its code follows, in the fragment,
// which browsers don't send.
const InvitationPage = "/invitation#"

// List returns a page of the open invitations to a list.
func (i *Invitations) List(ctx context.Context, caller app.Caller, ref Ref, page app.PageRequest) (app.Page[Invitation], error) {
	if err := page.Check(); err != nil {
		return app.Page[Invitation]{}, err
	}
	return i.Store.Invitations(ctx, caller.UserID, ref, i.Now(), page)
}

// Revoke takes an invitation back. Returns ErrInvitationNotFound.
func (i *Invitations) Revoke(ctx context.Context, caller app.Caller, ref Ref, id int64) error {
	return i.Store.RevokeInvitation(ctx, caller, ref, id)
}

// Look returns what a code invites to, or ErrInvitationNotFound.
func (i *Invitations) Look(ctx context.Context, code string) (Invitation, error) {
	hash, ok := i.Codes.Parse(code)
	if !ok {
		return Invitation{}, ErrInvitationNotFound
	}
	return i.Store.Invitation(ctx, hash, i.Now())
}

// Accept joins the list of a code. Who is a member already gets the higher of both roles.
// Returns KindInvalid errors and what the store returns.
func (i *Invitations) Accept(ctx context.Context, caller app.Caller, code app.Field[string]) (List, error) {
	p := app.Problems{}
	text := p.Text(app.TextRule{Name: "token", Min: 1, Max: 1000, Required: true, Trim: true}, code)
	if err := p.Err(); err != nil {
		return List{}, err
	}
	hash, ok := i.Codes.Parse(*text)
	if !ok {
		return List{}, ErrInvitationNotFound
	}
	return i.Store.AcceptInvitation(ctx, caller, hash, i.Now())
}
