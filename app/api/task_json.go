package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/todo"
)

// Pages of tasks are most of what is read here, and reflection over the fields of a task
// took longer than finding it. So tasks alone are written field by field.

// object is the beginning of a JSON object.
type object struct{ text []byte }

// key begins a member. Names need no escaping.
func (o *object) key(name string) {
	if o.text[len(o.text)-1] != '{' {
		o.text = append(o.text, ',')
	}
	o.text = append(o.text, '"')
	o.text = append(o.text, name...)
	o.text = append(o.text, '"', ':')
}

func (o *object) str(name, value string) { o.key(name); o.text = appendText(o.text, value) }

// optional is null for an empty text.
func (o *object) optional(name, value string) {
	if value == "" {
		o.null(name)
		return
	}
	o.str(name, value)
}

func (o *object) null(name string) { o.key(name); o.text = append(o.text, "null"...) }

func (o *object) number(name string, n int64) { o.key(name); o.text = strconv.AppendInt(o.text, n, 10) }

// id is null for 0.
func (o *object) id(name string, id int64) {
	if id == 0 {
		o.null(name)
		return
	}
	o.number(name, id)
}

func (o *object) boolean(name string, b bool) { o.key(name); o.text = strconv.AppendBool(o.text, b) }

// moment is null for a time that is not set.
func (o *object) moment(name, layout string, t time.Time) {
	if t.IsZero() {
		o.null(name)
		return
	}
	o.key(name)
	o.text = append(t.UTC().AppendFormat(append(o.text, '"'), layout), '"')
}

// date is null for a date that is not set.
func (o *object) date(name string, d todo.Due) {
	if d.IsZero() {
		o.null(name)
		return
	}
	o.str(name, d.String())
}

// value takes what has no fast way.
func (o *object) value(name string, value any) {
	o.key(name)
	o.text = appendJSON(o.text, value)
}

// appendTask appends a task to a text, without the brace at its end.
func (s *Server) appendTask(text []byte, t *todo.Task) []byte {
	o := object{append(text, '{')}
	o.number("id", t.ID)
	o.str("title", t.Title)
	o.str("description", t.Description)
	o.boolean("completed", t.Completed())
	o.moment("date_created", milliseconds, t.CreatedAt)
	o.moment("date_completed", milliseconds, t.CompletedAt)
	o.number("user_id", t.UserID)
	o.str("uid", s.uid(todo.KindTask, t.ID, t.UID))
	o.number("list_id", t.ListID)
	o.id("parent_id", t.ParentID)
	o.number("position", t.Position)
	o.str("priority", t.Priority.String())
	o.labels(t.Labels)
	o.date("due", t.Dates.Due)
	o.optional("due_zone", t.Dates.Due.Zone)
	o.moment("due_at", time.RFC3339, t.DueAt) // a date has whole seconds
	o.date("start", t.Dates.Start)
	o.recurrence(t.Repetition)
	o.id("recurrence_of", t.RecurrenceOf)
	o.reminders(t.Reminders)
	o.id("assignee_id", t.AssigneeID)
	o.id("created_by", t.CreatedBy)
	o.moment("date_updated", milliseconds, t.UpdatedAt)
	o.number("version", t.Version)
	return o.text
}

func (o *object) labels(labels []string) {
	o.key("labels")
	o.text = appendArray(o.text, labels, func(text []byte, label *string) []byte { return appendText(text, *label) })
}

func (o *object) recurrence(r todo.Repetition) {
	o.optional("recurrence", r.Rule)
	switch {
	case r.Rule == "":
		o.null("recurrence_from")
	case r.FromCompletion:
		o.str("recurrence_from", "completion")
	default:
		o.str("recurrence_from", "due")
	}
}

func (o *object) reminders(all []todo.Reminder) {
	if len(all) == 0 {
		o.key("reminders")
		o.text = append(o.text, "[]"...)
		return
	}
	o.value("reminders", views(all, viewReminder))
}

// taskOf appends a task.
func (s *Server) taskOf(text []byte, t *todo.Task) []byte {
	return append(s.appendTask(text, t), '}')
}

// trashedTask appends a task of the trash.
func (s *Server) trashedTask(text []byte, t *todo.TrashedTask) []byte {
	o := object{s.appendTask(text, &t.Task)}
	o.moment("date_deleted", milliseconds, t.DeletedAt)
	o.id("deleted_by", t.DeletedBy)
	o.moment("expires_at", milliseconds, t.DeletedAt.Add(s.TrashTime))
	return append(o.text, '}')
}

// sendPage answers with a page of tasks.
func sendPage[T any](c *fiber.Ctx, items []T, write func(text []byte, item *T) []byte, pagination any) error {
	return sendText(c, fiber.StatusOK, func(text []byte) []byte {
		o := object{append(text, '{')}
		o.key("tasks")
		o.text = appendArray(o.text, items, write)
		o.value("pagination", pagination)
		return append(o.text, '}')
	})
}

// sendText is send for a body that is written by hand.
func sendText(c *fiber.Ctx, status int, write func(text []byte) []byte) error {
	c.Status(status)
	response := c.Response()
	response.ResetBody()
	c.Set(fiber.HeaderContentType, mimeJSON)
	// The buffer that the server below keeps for the connection.
	response.SwapBody(append(write(response.SwapBody(nil)[:0]), '\n'))
	return nil
}

// sendBody is send for a body that is written already.
func sendBody(c *fiber.Ctx, status int, body []byte) error {
	c.Status(status)
	c.Response().ResetBody()
	c.Set(fiber.HeaderContentType, mimeJSON)
	c.Response().SetBody(body)
	return nil
}

// appendArray appends a JSON array.
func appendArray[T any](text []byte, items []T, write func(text []byte, item *T) []byte) []byte {
	text = append(text, '[')
	for i := range items {
		if i > 0 {
			text = append(text, ',')
		}
		text = write(text, &items[i])
	}
	return append(text, ']')
}

// uid returns what somebody has chosen, or else what is derived from the id.
func (s *Server) uid(kind todo.Kind, id int64, chosen string) string {
	if chosen != "" {
		return chosen
	}
	return s.Seed.UID(kind, id)
}

// appendText appends a JSON string.
func appendText(text []byte, value string) []byte {
	for i := range len(value) {
		if b := value[i]; b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			return appendJSON(text, value)
		}
	}
	text = append(text, '"')
	text = append(text, value...)
	return append(text, '"')
}

// appendJSON appends any value, as send writes it.
func appendJSON(text []byte, value any) []byte {
	out := bytes.NewBuffer(text)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	// Our views hold nothing that JSON has not, and a buffer takes everything.
	_ = encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
