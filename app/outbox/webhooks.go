package outbox

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"taskapi/app"
)

// NewWebhook is a checked webhook that has no id yet.
type NewWebhook struct {
	ListID    int64 // 0 for all
	URL       string
	Events    EventSet
	Secret    []byte
	CreatedAt time.Time
}

// WebhookChange is a checked change. A nil field stays.
type WebhookChange struct {
	URL    *string
	Events *EventSet
	ListID *int64 // 0 for all
}

// WebhookStore keeps webhooks. Those of others do not exist: ErrWebhookNotFound. A list that
// the caller is no member of does not exist either.
type WebhookStore interface {
	// CreateWebhook adds a webhook that is told of what follows. Returns ErrTooManyWebhooks.
	CreateWebhook(ctx context.Context, by app.Caller, webhook NewWebhook) (Webhook, error)
	Webhooks(ctx context.Context, userID int64, page app.PageRequest) (app.Page[Webhook], error)
	Webhook(ctx context.Context, userID, id int64) (Webhook, error)
	UpdateWebhook(ctx context.Context, by app.Caller, id int64, change WebhookChange) (Webhook, error)
	DeleteWebhook(ctx context.Context, by app.Caller, id int64) error
	// RotateWebhook replaces the secret; the old one signs until a time.
	RotateWebhook(ctx context.Context, by app.Caller, id int64, secret []byte, until time.Time) (Webhook, error)
	// ResumeWebhook makes it active, and due at once, where it stopped or behind all that was
	// changed so far.
	ResumeWebhook(ctx context.Context, by app.Caller, id int64, fromNow bool) (Webhook, error)
	// Deliveries returns a page of those of a webhook, the newest first.
	Deliveries(ctx context.Context, userID, id int64, page app.PageRequest) (app.Page[Delivery], error)
	// Happened returns an event of a webhook, or ErrDeliveryNotFound.
	Happened(ctx context.Context, webhook Webhook, seq int64) (WebhookEvent, error)
	// NoteDelivery records that an event was told again.
	NoteDelivery(ctx context.Context, by app.Caller, id int64, delivery Delivery) (Delivery, error)
}

// WebhookSender tells receivers.
type WebhookSender interface {
	// Send makes one try.
	Send(ctx context.Context, webhook Webhook, message WebhookMessage) Attempt
	// Allows reports whether an address may be dialled.
	Allows(addr netip.Addr) bool
}

// Webhooks are the use cases of webhooks.
type Webhooks struct {
	Store  WebhookStore
	Sender WebhookSender
	// Lineage is that of the database.
	Lineage string
	Now     func() time.Time
	Random  io.Reader
}

// WebhookInput is what a client says of a webhook.
type WebhookInput struct {
	URL    app.Field[string]
	Events app.Field[[]string]
	// ListID of null is all lists.
	ListID app.Field[int64]
}

// Create makes a webhook and returns it with its secret, which is not shown again. Returns
// KindInvalid errors, ErrAddressNotAllowed, and what the store returns.
func (w *Webhooks) Create(ctx context.Context, caller app.Caller, in WebhookInput) (Webhook, error) {
	p := app.Problems{}
	address, allowed := w.readURL(p, in.URL, true)
	n := NewWebhook{Events: readEvents(p, in.Events, true), ListID: in.ListID.Value, CreatedAt: w.Now()}
	readList(p, in.ListID)
	if err := p.Err(); err != nil {
		return Webhook{}, err
	}
	if !allowed {
		return Webhook{}, ErrAddressNotAllowed
	}
	secret, err := w.secret()
	if err != nil {
		return Webhook{}, err
	}
	n.URL, n.Secret = *address, secret
	return w.Store.CreateWebhook(ctx, caller, n)
}

func (w *Webhooks) secret() ([]byte, error) {
	secret := make([]byte, SecretBytes)
	if _, err := io.ReadFull(w.Random, secret); err != nil {
		return nil, fmt.Errorf("secret of a webhook: %w", err)
	}
	return secret, nil
}

// List returns a page of the caller's webhooks, by id.
func (w *Webhooks) List(ctx context.Context, caller app.Caller, page app.PageRequest) (app.Page[Webhook], error) {
	if err := page.Check(); err != nil {
		return app.Page[Webhook]{}, err
	}
	return w.Store.Webhooks(ctx, caller.UserID, page)
}

// Get returns a webhook of the caller's.
func (w *Webhooks) Get(ctx context.Context, caller app.Caller, id int64) (Webhook, error) {
	return w.Store.Webhook(ctx, caller.UserID, id)
}

// Update changes what is given. Returns the errors of Create.
func (w *Webhooks) Update(ctx context.Context, caller app.Caller, id int64, in WebhookInput) (Webhook, error) {
	p := app.Problems{}
	var change WebhookChange
	address, allowed := w.readURL(p, in.URL, false)
	change.URL = address
	if events := readEvents(p, in.Events, false); events != 0 {
		change.Events = &events
	}
	if readList(p, in.ListID); in.ListID.State == app.Present || in.ListID.State == app.Null {
		change.ListID = &in.ListID.Value
	}
	if err := p.Err(); err != nil {
		return Webhook{}, err
	}
	if !allowed {
		return Webhook{}, ErrAddressNotAllowed
	}
	return w.Store.UpdateWebhook(ctx, caller, id, change)
}

// Delete removes a webhook.
func (w *Webhooks) Delete(ctx context.Context, caller app.Caller, id int64) error {
	return w.Store.DeleteWebhook(ctx, caller, id)
}

// Rotate gives a webhook a new secret. The old one signs beside it for SecretTime.
func (w *Webhooks) Rotate(ctx context.Context, caller app.Caller, id int64) (Webhook, error) {
	secret, err := w.secret()
	if err != nil {
		return Webhook{}, err
	}
	return w.Store.RotateWebhook(ctx, caller, id, secret, w.Now().Add(SecretTime))
}

// Resume switches a webhook on, or makes one that waits go on, "where_it_stopped" or "now".
func (w *Webhooks) Resume(ctx context.Context, caller app.Caller, id int64, from app.Field[string]) (Webhook, error) {
	if from.State != app.Present || from.Value != "where_it_stopped" && from.Value != "now" {
		return Webhook{}, app.Mistake("from", "The field from must be where_it_stopped or now.")
	}
	return w.Store.ResumeWebhook(ctx, caller, id, from.Value == "now")
}

// Deliveries returns a page of how telling a webhook of events went, the newest first.
func (w *Webhooks) Deliveries(ctx context.Context, caller app.Caller, id int64, page app.PageRequest) (app.Page[Delivery], error) {
	if err := page.Check(); err != nil {
		return app.Page[Delivery]{}, err
	}
	return w.Store.Deliveries(ctx, caller.UserID, id, page)
}

// Test sends a message that is no event, with the body that the caller of this makes for a
// webhook, and returns how that went.
func (w *Webhooks) Test(ctx context.Context, caller app.Caller, id int64, body func(Webhook, time.Time) []byte) (Attempt, error) {
	webhook, err := w.Store.Webhook(ctx, caller.UserID, id)
	if err != nil {
		return Attempt{}, err
	}
	now := w.Now()
	message := WebhookMessage{ID: fmt.Sprintf("msg_%d_test_%d", id, now.UnixMilli()), Body: body(webhook, now)}
	return w.Sender.Send(ctx, webhook, message), nil
}

// Redeliver tells of an event once more, whatever became of it. Returns ErrWebhookNotFound and
// ErrDeliveryNotFound.
func (w *Webhooks) Redeliver(ctx context.Context, caller app.Caller, id, seq int64, body func(context.Context, int64, WebhookEvent) ([]byte, error)) (Delivery, error) {
	webhook, err := w.Store.Webhook(ctx, caller.UserID, id)
	if err != nil {
		return Delivery{}, err
	}
	event, err := w.Store.Happened(ctx, webhook, seq)
	if err != nil {
		return Delivery{}, err
	}
	text, err := body(ctx, caller.UserID, event)
	if err != nil {
		return Delivery{}, err
	}
	attempt := w.Sender.Send(ctx, webhook, WebhookMessage{ID: MessageID(w.Lineage, id, seq), Body: text})
	// How it went is to be known though the caller has left.
	return w.Store.NoteDelivery(context.WithoutCancel(ctx), caller, id, DeliveryOf(event, attempt, 1, w.Now()))
}

// DeliveryOf returns how telling of an event went, after so many tries.
func DeliveryOf(e WebhookEvent, a Attempt, tries int, now time.Time) Delivery {
	return Delivery{Seq: e.Seq, Event: e.Kind.String(), At: now, Tries: tries, Status: a.Status, Took: a.Took, Error: a.Error}
}

// readURL checks the address of a receiver. Not allowed is one that is a literal address which
// may not be dialled; names are looked at when they are resolved, each time.
func (w *Webhooks) readURL(p app.Problems, field app.Field[string], required bool) (address *string, allowed bool) {
	address = p.Text(app.TextRule{Name: "url", Min: 1, Max: MaxWebhookURL, Required: required, Trim: true}, field)
	if address == nil {
		return nil, true
	}
	u, err := url.Parse(*address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Contains(*address, "#") {
		p.Add("url", "The field url must be an address such as https://example.com/hook, without a user name and without a fragment.")
		return nil, true
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			p.Add("url", "The field url must have a port from 1 to 65535, or none.")
			return nil, true
		}
	}
	host := strings.TrimSuffix(u.Hostname(), ".")
	addr, err := netip.ParseAddr(host)
	switch {
	case err == nil:
		return address, addr.Zone() == "" && w.Sender.Allows(addr)
	case strings.EqualFold(host, "localhost"):
		return address, w.Sender.Allows(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	case isNumber(host[strings.LastIndexByte(host, '.')+1:]):
		// Some programs take 127.1, 0x7f000001 and 2130706433 for addresses.
		p.Add("url", "The field url must have a name or an address in its usual form, such as 192.0.2.1.")
		return nil, true
	}
	return address, true
}

// isNumber reports whether the last label of a host makes it an address (WHATWG URL, section
// 3.5).
func isNumber(label string) bool {
	hex := strings.ToLower(label)
	if rest, ok := strings.CutPrefix(hex, "0x"); ok {
		return strings.Trim(rest, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// readEvents checks the names of kinds of events; 0 if there are none.
func readEvents(p app.Problems, field app.Field[[]string], required bool) (set EventSet) {
	all := eventNames()
	switch {
	case field.State == app.Mistyped:
		p.Add("events", "The field events must be a list of strings.")
		return 0
	case field.State == app.Absent && !required:
		return 0
	case len(field.Value) == 0:
		p.Add("events", app.Required("events"))
		return 0
	}
	for _, name := range field.Value {
		i := slices.Index(all, name)
		if i < 0 {
			p.Add("events", "The field events may hold "+strings.Join(all, ", ")+".")
			return 0
		}
		set |= 1 << i
	}
	return set
}

func readList(p app.Problems, field app.Field[int64]) {
	if field.State == app.Mistyped {
		p.Add("list_id", "The field list_id must be the id of a list, or null for all.")
	}
}

// Cut returns the beginning of why a try failed.
func Cut(reason string) string {
	reason = strings.ToValidUTF8(reason, "")
	if utf8.RuneCountInString(reason) <= MaxDeliveryError {
		return reason
	}
	return string([]rune(reason)[:MaxDeliveryError-1]) + "…"
}
