package account

import (
	"context"
	"log/slog"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
)

// EventName says what happened.
type EventName string

// The events of the audit record. The names are stable.
const (
	EventUserCreated    EventName = "user_created"
	EventUserDeleted    EventName = "user_deleted"
	EventLogin          EventName = "login"
	EventLoginRefused   EventName = "login_refused"
	EventPasswordDenied EventName = "current_password_refused"
	EventLimited        EventName = "rate_limited"
	EventReplay         EventName = "refresh_token_replayed"
	EventLogout         EventName = "logout"
	EventLogoutAll      EventName = "logout_all"
	EventSessionEnded   EventName = "session_ended"
	EventPassword       EventName = "password_changed"
	EventResetRequested EventName = "password_reset_requested"
	EventPasswordReset  EventName = "password_reset"
	EventLinkRefused    EventName = "link_refused"
	EventUsername       EventName = "username_changed"
	EventEmailPending   EventName = "email_change_requested"
	EventEmail          EventName = "email_changed"
	EventEmailVerified  EventName = "email_verified"
	EventRole           EventName = "role_changed"
	EventTokenCreated   EventName = "api_token_created"
	EventTokenRevoked   EventName = "api_token_revoked"
	EventWebhookCreated EventName = "webhook_created"
	EventWebhookDeleted EventName = "webhook_deleted"
	EventWebhookRotated EventName = "webhook_secret_rotated"
	EventFeedCreated    EventName = "feed_created"
	EventFeedRevoked    EventName = "feed_revoked"
)

// Event is one line of the audit record. It never holds a secret.
type Event struct {
	ID      int64
	At      time.Time
	Name    EventName
	UserID  int64  // whose account; 0 for nobody's
	ActorID int64  // who did it; 0 for somebody not signed in, and the operator
	Address string // from where; empty when it is not known
	Detail  string // at most 200 characters
}

// Record holds what the transaction of a change adds beside it: audit events, and
// mails to the user concerned. An event with a zero UserID and a mail with an empty
// To are about that user.
type Record struct {
	Events []Event
	Mails  []outbox.NewMail
}

// commandLine is the address of events that the operator caused.
const commandLine = "command line"

// EventOf returns an audit event about a user's account. UserID 0 stands for the user
// of the change that carries it.
func EventOf(c app.Caller, name EventName, userID int64, at time.Time, detail string) Event {
	address := c.From.Text()
	if c.Operator() {
		address = commandLine
	}
	return Event{At: at, Name: name, UserID: userID, ActorID: c.UserID, Address: address, Detail: detail}
}

// RecordOf returns a record of events without mails.
func RecordOf(events ...Event) Record { return Record{Events: events} }

// AuditStore stores the audit record.
type AuditStore interface {
	// AddEvent adds an event outside of any other change.
	AddEvent(ctx context.Context, event Event) error
	User(ctx context.Context, id int64) (User, error)
	// Events returns a page of a user's events, the newest first. Events outlive
	// their user.
	Events(ctx context.Context, userID int64, page app.PageRequest) (app.Page[Event], error)
}

// Audit holds the use cases of reading the record and of adding events that come with
// no other change.
type Audit struct {
	Store AuditStore
	Log   *slog.Logger
}

// List returns a page of a user's events, the newest first. Returns ErrForbidden
// unless the caller is that user or an admin, and ErrUserNotFound if there never was
// such a user.
func (a *Audit) List(ctx context.Context, caller app.Caller, userID int64, page app.PageRequest) (app.Page[Event], error) {
	if err := access(caller, userID); err != nil {
		return app.Page[Event]{}, err
	}
	if err := page.Check(); err != nil {
		return app.Page[Event]{}, err
	}
	events, err := a.Store.Events(ctx, userID, page)
	if err == nil && events.Total == 0 {
		_, err = a.Store.User(ctx, userID)
	}
	return events, err
}

// Note adds a line. That it can't be added is logged and hinders nothing.
func (a *Audit) Note(ctx context.Context, event Event) {
	if err := a.Store.AddEvent(ctx, event); err != nil {
		a.Log.ErrorContext(ctx, "audit line not written", "event", event.Name, "user_id", event.UserID, "error", err)
	}
}

// Limited notes that a limit began to bind.
func (a *Audit) Limited(ctx context.Context, caller app.Caller, at time.Time, action string) {
	a.LimitedAccount(ctx, caller, caller.UserID, at, action)
}

// LimitedAccount notes that a limit on an account began to bind.
func (a *Audit) LimitedAccount(ctx context.Context, caller app.Caller, userID int64, at time.Time, action string) {
	a.Note(ctx, EventOf(caller, EventLimited, userID, at, action))
}
