package api

import (
	"encoding/json"
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

// timestamp is RFC 3339 in UTC with milliseconds.
func timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

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

type taskView struct {
	ID             int64          `json:"id"`
	Title          string         `json:"title"`
	Description    string         `json:"description"`
	Completed      bool           `json:"completed"`
	DateCreated    string         `json:"date_created"`
	DateCompleted  *string        `json:"date_completed"`
	UserID         int64          `json:"user_id"`
	UID            string         `json:"uid"`
	ListID         int64          `json:"list_id"`
	ParentID       *int64         `json:"parent_id"`
	Position       int64          `json:"position"`
	Priority       string         `json:"priority"`
	Labels         []string       `json:"labels"`
	Due            *string        `json:"due"`
	DueZone        *string        `json:"due_zone"`
	DueAt          *string        `json:"due_at"`
	Start          *string        `json:"start"`
	Recurrence     *string        `json:"recurrence"`
	RecurrenceFrom *string        `json:"recurrence_from"`
	RecurrenceOf   *int64         `json:"recurrence_of"`
	Reminders      []reminderView `json:"reminders"`
	AssigneeID     *int64         `json:"assignee_id"`
	CreatedBy      *int64         `json:"created_by"`
	DateUpdated    string         `json:"date_updated"`
	Version        int64          `json:"version"`
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

func (s *Server) viewTask(t todo.Task) taskView {
	view := taskView{
		ID: t.ID, Title: t.Title, Description: t.Description, Completed: t.Completed(),
		DateCreated: timestamp(t.CreatedAt), DateCompleted: optionalTime(t.CompletedAt), UserID: t.UserID,
		UID: t.UID, ListID: t.ListID, ParentID: optionalID(t.ParentID), Position: t.Position, Priority: t.Priority.String(), Labels: t.Labels,
		Due: optionalDue(t.Dates.Due), DueZone: optionalText(t.Dates.Due.Zone), DueAt: optionalMoment(t.DueAt), Start: optionalDue(t.Dates.Start),
		RecurrenceOf: optionalID(t.RecurrenceOf), Reminders: views(t.Reminders, viewReminder), AssigneeID: optionalID(t.AssigneeID),
		CreatedBy: optionalID(t.CreatedBy), DateUpdated: timestamp(t.UpdatedAt), Version: t.Version,
	}
	if view.UID == "" {
		view.UID = s.Seed.UID(todo.KindTask, t.ID)
	}
	if view.Labels == nil {
		view.Labels = []string{}
	}
	if t.Repetition.Rule != "" {
		from := "due"
		if t.Repetition.FromCompletion {
			from = "completion"
		}
		view.Recurrence, view.RecurrenceFrom = &t.Repetition.Rule, &from
	}
	return view
}

// optionalID is null for 0.
func optionalID(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// optionalDue is null for a date that is not set.
func optionalDue(d todo.Due) *string {
	if d.IsZero() {
		return nil
	}
	return optionalText(d.String())
}

// optionalText is null for an empty text.
func optionalText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// optionalMoment is null for a time that is not set. A date has whole seconds.
func optionalMoment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return optionalText(t.UTC().Format(time.RFC3339))
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
