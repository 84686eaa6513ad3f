package outbox

import (
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"taskapi/app"
)

const (
	// MaxSubscriptions is how many browsers of an account show reminders.
	MaxSubscriptions = 10
	// PushUntil is how long a reminder is tried to be pushed. It is also what push services
	// are told.
	PushUntil = 24 * time.Hour
	// LongestPushWait is how long a push waits at most for its next try.
	LongestPushWait = time.Hour

	maxEndpoint = 2000
	authBytes   = 16
)

// The errors of subscriptions.
var (
	ErrTooManySubscriptions = &app.Error{Kind: app.KindConflict, Code: "too_many_subscriptions", Message: "Reminders are shown by 10 browsers already. Switch one of them off."}
	ErrSubscriptionNotFound = &app.Error{Kind: app.KindNotFound, Code: "subscription_not_found", Message: "Subscription not found."}
	ErrSubscriptionSession  = &app.Error{Kind: app.KindForbidden, Code: "session_required", Message: "An API token may not do this. Sign in and use an access token."}
)

// Subscription is a browser that shows reminders (RFC 8030). It goes with the session that
// made it.
type Subscription struct {
	ID        int64
	SessionID string
	// Endpoint is where the browser's push service takes messages for it. Whoever knows it can
	// send some.
	Endpoint string
	// P256dh and Auth are the browser's public key and its secret (RFC 8291).
	P256dh, Auth []byte
	CreatedAt    time.Time
}

// SubscriptionStore keeps subscriptions.
type SubscriptionStore interface {
	// Subscribe adds a subscription of the caller's or, if there is one with the endpoint,
	// makes it the caller's and the session's. It is told of what fires from then on. Returns
	// ErrTooManySubscriptions.
	Subscribe(ctx context.Context, by app.Caller, s Subscription) (Subscription, error)
	// Subscriptions returns those of living sessions, by id.
	Subscriptions(ctx context.Context, userID int64, now time.Time) ([]Subscription, error)
	// Unsubscribe returns ErrSubscriptionNotFound without one of the caller's.
	Unsubscribe(ctx context.Context, by app.Caller, id int64) error
}

// Subscriptions are the use cases of browsers that show reminders. All of them need a session.
type Subscriptions struct {
	Store SubscriptionStore
	// Key is the public key of the server (RFC 8292), which browsers ask for.
	Key string
	// Allowed reports whether an address may be dialled.
	Allowed func(netip.Addr) bool
	Now     func() time.Time
}

// SubscriptionInput is what a client says of a subscription.
type SubscriptionInput struct {
	Endpoint app.Field[string]
	Keys     app.Field[map[string]string]
}

// PublicKey returns what a browser subscribes with.
func (s *Subscriptions) PublicKey(caller app.Caller) (string, error) {
	if !caller.SignedIn() {
		return "", ErrSubscriptionSession
	}
	return s.Key, nil
}

// Create subscribes a browser. Returns KindInvalid errors and ErrTooManySubscriptions.
func (s *Subscriptions) Create(ctx context.Context, caller app.Caller, in SubscriptionInput) (Subscription, error) {
	if !caller.SignedIn() {
		return Subscription{}, ErrSubscriptionSession
	}
	p := app.Problems{}
	made := Subscription{SessionID: caller.SessionID, CreatedAt: s.Now()}
	if endpoint := p.Text(app.TextRule{Name: "endpoint", Min: 1, Max: maxEndpoint, Required: true}, in.Endpoint); endpoint != nil {
		made.Endpoint = *endpoint
		if !s.reachable(*endpoint) {
			p.Add("endpoint", "The field endpoint must be the https URL of a push service.")
		}
	}
	var ok bool
	if made.P256dh, made.Auth, ok = readKeys(in.Keys.Value); !ok {
		p.Add("keys", "The field keys must hold p256dh and auth as a browser's PushSubscription has them.")
	}
	if err := p.Err(); err != nil {
		return Subscription{}, err
	}
	return s.Store.Subscribe(ctx, caller, made)
}

// reachable reports whether an endpoint may be one of a push service. What its name leads to is
// looked at when it is dialled.
func (s *Subscriptions) reachable(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Contains(endpoint, "#") {
		return false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		return s.Allowed(addr)
	}
	return host != "localhost" && !strings.HasSuffix(host, ".localhost")
}

func readKeys(keys map[string]string) (p256dh, auth []byte, ok bool) {
	p256dh, err := fromBase64(keys["p256dh"])
	if err != nil {
		return nil, nil, false
	}
	if _, err := ecdh.P256().NewPublicKey(p256dh); err != nil {
		return nil, nil, false
	}
	auth, err = fromBase64(keys["auth"])
	return p256dh, auth, err == nil && len(auth) == authBytes
}

// fromBase64 reads base64 for URLs, as browsers write it, with or without padding.
func fromBase64(text string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
}

// List returns the caller's subscriptions.
func (s *Subscriptions) List(ctx context.Context, caller app.Caller) ([]Subscription, error) {
	if !caller.SignedIn() {
		return nil, ErrSubscriptionSession
	}
	return s.Store.Subscriptions(ctx, caller.UserID, s.Now())
}

// Delete ends a subscription of the caller's. Returns ErrSubscriptionNotFound.
func (s *Subscriptions) Delete(ctx context.Context, caller app.Caller, id int64) error {
	if !caller.SignedIn() {
		return ErrSubscriptionSession
	}
	return s.Store.Unsubscribe(ctx, caller, id)
}

// Push is a reminder on its way to a browser.
type Push struct {
	Subscription
	// Seq is the number of the reminder, the same at every try.
	Seq int64
	// Tries is how often it was tried before.
	Tries int
	// FiredAt is when the reminder was due.
	FiredAt time.Time
	Task    PushedTask
}

// PushedTask is what a browser is told of a task.
type PushedTask struct {
	ID    int64  `json:"id"`
	UID   string `json:"uid"`
	Title string `json:"title"`
	// Due is as in the API; empty for never. DueAt is the moment of one with a zone.
	Due   *string `json:"due"`
	DueAt *string `json:"due_at"`
}

// DuePush says that a subscription has something to send.
type DuePush struct{ ID, UserID int64 }

// PushQueue keeps what is to be pushed: each subscription is a place in the log of changes, and
// what it sends is the lines behind that.
type PushQueue interface {
	// DuePushes returns the subscriptions that are due longest, and when the next one is; zero
	// for never. None waits longer than LongestPushWait.
	DuePushes(ctx context.Context, now time.Time, limit int) (due []DuePush, next time.Time, err error)
	// Push returns what a subscription sends next; false if that is nothing by now. It leaves
	// out what is older than PushUntil, what its user does not want to be pushed, and tasks
	// that are done or can't be seen any more.
	Push(ctx context.Context, id int64, now time.Time) (push Push, found bool, err error)
	// PushDone moves a subscription on behind a reminder that was sent or is given up.
	PushDone(ctx context.Context, id, seq int64, now time.Time) error
	// PushFailed counts a try, and puts the next one at a time.
	PushFailed(ctx context.Context, id int64, next time.Time) error
	// PushGone removes a subscription that its push service does not know any more.
	PushGone(ctx context.Context, id int64) error
}
