package outbox

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"time"

	"taskapi/app"
)

// A webhook tells a program elsewhere of changes, by HTTP. Nothing is queued when something
// changes: each webhook is a place in the log of changes, its cursor, and its events are the
// lines behind it that its user sees. So an event is told at least once, in order, and twice
// if the server dies between an answer and the next time that cursors are written.

// Limits of webhooks.
const (
	MaxWebhooks   = 20 // an account
	MaxWebhookURL = 2000
	// SecretBytes is the length of a secret.
	SecretBytes = 32
	// SecretTime is how long a secret that was replaced signs beside the new one.
	SecretTime = 24 * time.Hour
	// KeepDeliveries is how many deliveries of a webhook are kept, and KeepDead how long those
	// are that were given up.
	KeepDeliveries = 200
	KeepDead       = 30 * 24 * time.Hour
	// MaxDeliveryError is how much is kept of why a try failed, in characters.
	MaxDeliveryError = 200
)

// EventSet is a set of kinds of events, a bit each. The bits are stored.
type EventSet int64

// The kinds of events.
const (
	EventTaskCreated EventSet = 1 << iota
	EventTaskUpdated
	EventTaskCompleted
	EventTaskReopened
	EventTaskMoved
	EventTaskDeleted
	EventTaskRestored
	EventListCreated
	EventListUpdated
	EventListDeleted
	// EventListShared is that somebody has come into a list, EventListLeft that somebody has
	// left it or was removed.
	EventListShared
	EventListLeft
	EventReminderDue
)

// eventNames are the kinds of events in the order of their bits.
func eventNames() []string {
	return []string{
		"task.created", "task.updated", "task.completed", "task.reopened", "task.moved", "task.deleted", "task.restored",
		"list.created", "list.updated", "list.deleted", "list.shared", "list.left", "reminder.due",
	}
}

// Names returns the names of the kinds in the set.
func (s EventSet) Names() []string {
	names := []string{}
	for i, name := range eventNames() {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String returns the name of a set of one kind.
func (s EventSet) String() string {
	if names := s.Names(); len(names) > 0 {
		return names[0]
	}
	return ""
}

// WebhookState says whether a webhook is told of anything.
type WebhookState string

// The states of a webhook.
const (
	WebhookActive WebhookState = "active"
	// WebhookOff waits for its user to resume it.
	WebhookOff WebhookState = "off"
)

// Webhook is whom to tell of changes, and how far that has come.
type Webhook struct {
	ID     int64
	UserID int64
	// ListID is 0 for all lists that the user sees.
	ListID int64
	URL    string
	Events EventSet
	// Secret signs, and those before it, one after the other in OldSecret, beside it until
	// OldUntil.
	Secret, OldSecret []byte
	OldUntil          time.Time
	CreatedAt         time.Time
	Progress
}

// Host returns the host of the receiver. The rest of the URL may be a secret.
func (w Webhook) Host() string {
	u, err := url.Parse(w.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// SecretText returns a secret in the form of Standard Webhooks.
func SecretText(secret []byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(secret)
}

// WebhookEvent is something that happened, as a line of the log has it.
type WebhookEvent struct {
	Seq     int64
	Kind    EventSet // of one kind
	At      time.Time
	ActorID int64 // 0 for the server
	// TaskID is 0 for what is about a list, ListID that or the list that it happened in.
	TaskID, ListID int64
	// UID is the one that a client chose; empty for a derived one.
	UID string
	// MemberID is who came into a list or left it.
	MemberID int64
	// Changed are the names of what changed.
	Changed []string
	// Told says that the event is that a task left a list for another one that its reader
	// sees: there, it is an event as well.
	Told bool
	// Trashed says that the list is in the trash of its reader, who sees no more of what was in
	// it than its ids.
	Trashed bool
}

// For reports whether a webhook is told of the event.
func (e WebhookEvent) For(w *Webhook) bool {
	if w.Events&e.Kind == 0 {
		return false
	}
	if w.ListID != 0 {
		return w.ListID == e.ListID
	}
	return !e.Told
}

// WebhookMessage is what a try sends.
type WebhookMessage struct {
	// ID is the same at each try.
	ID   string
	Body []byte
}

// MessageID returns the id of the message about a change. The lineage of the database is in it: after
// a restore the numbers are given again, and a receiver that knows one would drop what is new.
func MessageID(lineage string, webhook, seq int64) string {
	return "msg_" + lineage + "_" + strconv.FormatInt(webhook, 10) + "_" + strconv.FormatInt(seq, 10)
}

// Delivery is how telling a webhook of one event went.
type Delivery struct {
	Seq   int64
	Event string
	At    time.Time // of the last try
	Tries int
	// Status is that of the last answer; 0 without one.
	Status int
	Took   time.Duration
	Error  string
	// Dead says that the event was given up.
	Dead bool
}

// The errors of webhooks.
var (
	ErrWebhookNotFound  = &app.Error{Kind: app.KindNotFound, Code: "webhook_not_found", Message: "Webhook not found."}
	ErrDeliveryNotFound = &app.Error{Kind: app.KindNotFound, Code: "delivery_not_found", Message: "There is no such event for this webhook, or the log has it no more."}
	ErrTooManyWebhooks  = &app.Error{Kind: app.KindConflict, Code: "too_many_webhooks", Message: "An account may have 20 webhooks. Delete one."}
	// ErrAddressNotAllowed says that a URL has an address that may not be dialled.
	ErrAddressNotAllowed = &app.Error{Kind: app.KindInvalid, Code: "address_not_allowed", Fields: map[string]string{
		"url": "The field url has an address that this server may not reach: it is of a private network, of the machine itself, or otherwise not of the internet. Whoever runs the server can open networks with --webhook-networks.",
	}}
)
