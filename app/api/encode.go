package api

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/todo"
)

const mimeJSON = "application/json; charset=utf-8"

// send answers with JSON, with a newline at its end for those in a terminal.
func send(c *fiber.Ctx, status int, body any) error {
	c.Status(status)
	c.Response().ResetBody()
	c.Set(fiber.HeaderContentType, mimeJSON)
	out := json.NewEncoder(c.Response().BodyWriter())
	out.SetEscapeHTML(false) // this is no HTML, and nosniff says so
	return out.Encode(body)
}

// milliseconds is the layout of RFC 3339 in UTC with milliseconds.
const milliseconds = "2006-01-02T15:04:05.000Z"

func timestamp(t time.Time) string { return t.UTC().Format(milliseconds) }

type userView struct {
	ID          int64    `json:"id"`
	Username    string   `json:"username"`
	Email       string   `json:"email"`
	Role        app.Role `json:"role"`
	DateCreated string   `json:"date_created"`
	// EmailVerified says that the address is proven; PendingEmail becomes it
	// when its link is followed.
	EmailVerified bool    `json:"email_verified"`
	PendingEmail  *string `json:"pending_email"`
	TimeZone      string  `json:"time_zone"`
	// ReminderChannels are shown to the user alone: null, or names.
	ReminderChannels json.RawMessage `json:"reminder_channels,omitempty"`
}

func viewUser(u account.User) userView {
	view := userView{
		ID: u.ID, Username: u.Username, Email: u.Email, Role: u.Role,
		DateCreated: timestamp(u.CreatedAt), EmailVerified: u.Verified(), TimeZone: u.TimeZone,
	}
	if u.PendingEmail != "" {
		view.PendingEmail = &u.PendingEmail
	}
	return view
}

// viewOwn is viewUser with what only the user themselves sees.
func viewOwn(u account.User, caller app.Caller) userView {
	view := viewUser(u)
	if caller.UserID != u.ID {
		return view
	}
	switch {
	case u.ReminderChannels == nil:
		view.ReminderChannels = json.RawMessage("null")
	case len(u.ReminderChannels) == 0:
		view.ReminderChannels = json.RawMessage("[]")
	default: // names have nothing to escape
		view.ReminderChannels = json.RawMessage(`["` + strings.ReplaceAll(u.ReminderChannels.Text(), " ", `","`) + `"]`)
	}
	return view
}

// reminderView has one of its fields.
type reminderView struct {
	At     string `json:"at,omitempty"`
	Before string `json:"before,omitempty"`
}

func viewReminder(r todo.Reminder) reminderView {
	if r.At.IsZero() {
		return reminderView{Before: todo.FormatBefore(r.Before)}
	}
	return reminderView{At: r.At.Format(time.RFC3339)}
}

// optionalText is null for an empty text.
func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// views maps a page's items; an empty page is [], never null.
func views[T, V any](items []T, view func(T) V) []V {
	out := make([]V, len(items))
	for i, item := range items {
		out[i] = view(item)
	}
	return out
}

// optionalTime is null for a time that is not set.
func optionalTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := timestamp(t)
	return &text
}
