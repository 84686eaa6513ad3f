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
}

func viewUser(u account.User) userView {
	view := userView{
		ID: u.ID, Username: u.Username, Email: u.Email, Role: u.Role,
		DateCreated: timestamp(u.CreatedAt), EmailVerified: u.Verified(),
	}
	if u.PendingEmail != "" {
		view.PendingEmail = &u.PendingEmail
	}
	return view
}

type taskView struct {
	ID            int64   `json:"id"`
	Title         string  `json:"title"`
	Description   string  `json:"description"`
	Completed     bool    `json:"completed"`
	DateCreated   string  `json:"date_created"`
	DateCompleted *string `json:"date_completed"`
	UserID        int64   `json:"user_id"`
	Priority      string  `json:"priority"`
	Due           *string `json:"due"`
	DueZone       *string `json:"due_zone"`
	DueAt         *string `json:"due_at"`
	Start         *string `json:"start"`
	Version       int64   `json:"version"`
}

func viewTask(t todo.Task) taskView {
	return taskView{
		ID: t.ID, Title: t.Title, Description: t.Description, Completed: t.Completed(),
		DateCreated: timestamp(t.CreatedAt), DateCompleted: optionalTime(t.CompletedAt), UserID: t.UserID,
		Priority: t.Priority.String(), Due: optionalDue(t.Dates.Due), DueZone: optionalText(t.Dates.Due.Zone), DueAt: optionalMoment(t.DueAt), Start: optionalDue(t.Dates.Start), Version: t.Version,
	}
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
