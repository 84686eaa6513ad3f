package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

// What a file holds of each thing. What is not set is left out.
type (
	user struct {
		ID          int64  `json:"id"`
		Username    string `json:"username"`
		Email       string `json:"email"`
		Password    string `json:"password,omitempty"`
		Role        string `json:"role"`
		DateCreated string `json:"date_created"`
		TimeZone    string `json:"time_zone"`
	}
	list struct {
		ID          int64    `json:"id"`
		UID         string   `json:"uid"`
		Name        string   `json:"name"`
		Color       string   `json:"color,omitempty"`
		Inbox       bool     `json:"inbox"`
		OwnerID     int64    `json:"owner_id"`
		DateCreated string   `json:"date_created"`
		Members     []member `json:"members"`
	}
	member struct {
		UserID     int64  `json:"user_id"`
		Role       string `json:"role"`
		Position   *int64 `json:"position"`
		Archived   bool   `json:"archived"`
		DateJoined string `json:"date_joined"`
	}
	task struct {
		ID              int64      `json:"id"`
		Title           string     `json:"title"`
		Description     string     `json:"description"`
		Completed       bool       `json:"completed"`
		DateCreated     string     `json:"date_created"`
		DateCompleted   *string    `json:"date_completed"`
		UserID          int64      `json:"user_id"`
		UID             string     `json:"uid"`
		ListID          int64      `json:"list_id"`
		ParentID        int64      `json:"parent_id,omitempty"`
		Position        int64      `json:"position"`
		Priority        string     `json:"priority"`
		Due             string     `json:"due,omitempty"`
		DueZone         string     `json:"due_zone,omitempty"`
		Start           string     `json:"start,omitempty"`
		Labels          []string   `json:"labels,omitempty"`
		Recurrence      string     `json:"recurrence,omitempty"`
		RecurrenceFrom  string     `json:"recurrence_from,omitempty"`
		RecurrenceStart string     `json:"recurrence_start,omitempty"`
		RecurrenceOf    int64      `json:"recurrence_of,omitempty"`
		AssigneeID      int64      `json:"assignee_id,omitempty"`
		CreatedBy       int64      `json:"created_by,omitempty"`
		DateUpdated     string     `json:"date_updated"`
		Reminders       []reminder `json:"reminders,omitempty"`
	}
	// reminder has one of its last two fields.
	reminder struct {
		UserID int64  `json:"user_id"`
		At     string `json:"at,omitempty"`
		Before string `json:"before,omitempty"`
	}
)

func listOf(l operate.ListRecord) list {
	out := list{ID: l.ID, UID: l.UID, Name: l.Name, Color: l.Color, Inbox: l.Inbox, OwnerID: l.OwnerID, DateCreated: moment(l.CreatedAt)}
	for _, m := range l.Members {
		out.Members = append(out.Members, member{m.UserID, m.Role.String(), m.Position, m.Archived, moment(m.JoinedAt)})
	}
	return out
}

func taskOf(t operate.TaskRecord) task {
	out := task{
		ID: t.ID, Title: t.Title, Description: t.Description, Completed: t.Completed(), DateCreated: moment(t.CreatedAt), UserID: t.UserID,
		UID: t.UID, ListID: t.ListID, ParentID: t.ParentID, Position: t.Position, Priority: t.Priority.String(), Labels: t.Labels,
		Due: dueText(t.Dates.Due), DueZone: t.Dates.Due.Zone, Start: dueText(t.Dates.Start), Recurrence: t.Repetition.Rule,
		RecurrenceOf: t.RecurrenceOf, AssigneeID: t.AssigneeID, CreatedBy: t.CreatedBy, DateUpdated: moment(t.UpdatedAt),
	}
	if t.Completed() {
		at := moment(t.CompletedAt)
		out.DateCompleted = &at
	}
	if t.Repetition.Rule != "" {
		out.RecurrenceFrom, out.RecurrenceStart = "due", dueText(t.Repetition.Start)
		if t.Repetition.FromCompletion {
			out.RecurrenceFrom = "completion"
		}
	}
	for _, r := range t.Reminders {
		if r.At.IsZero() {
			out.Reminders = append(out.Reminders, reminder{UserID: r.UserID, Before: todo.FormatBefore(r.Before)})
		} else {
			out.Reminders = append(out.Reminders, reminder{UserID: r.UserID, At: r.At.UTC().Format(time.RFC3339)})
		}
	}
	return out
}

// WriteJSON exports everything to a file, which is there when it is whole.
func WriteJSON(ctx context.Context, path string, store Store, o Options) error {
	d, err := newDraft(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(d, 1<<16)
	w := &jsonWriter{out: out}
	count := counter{progress: o.Progress}
	w.text(fmt.Sprintf(`{"version": %d`, fileVersion))
	w.begin(inUsers)
	err = store.Export(ctx, func(u account.User) error {
		hash := ""
		if o.Hashes {
			hash = u.PasswordHash
		}
		w.element(user{u.ID, u.Username, u.Email, hash, string(u.Role), moment(u.CreatedAt), u.TimeZone})
		count.user()
		return w.err
	}, func(l operate.ListRecord) error {
		w.begin(inLists)
		w.element(listOf(l))
		return w.err
	}, func(t operate.TaskRecord) error {
		w.begin(inTasks)
		w.element(taskOf(t))
		count.task()
		return w.err
	})
	w.begin(inTasks)
	w.text("\n]}\n")
	if err == nil {
		err = errors.Join(w.err, out.Flush())
	}
	return finish(err, d)
}

// jsonWriter writes three lists, an element a line, until something fails.
type jsonWriter struct {
	out  *bufio.Writer
	err  error
	some bool // the list has an element
	in   int
}

// The lists of a file, in their order.
const (
	inUsers = iota + 1
	inLists
	inTasks
)

func (w *jsonWriter) text(s string) {
	if w.err == nil {
		_, w.err = w.out.WriteString(s)
	}
}

// begin ends the lists before one, and begins it, unless that was done.
func (w *jsonWriter) begin(list int) {
	for ; w.in < list; w.in++ {
		if w.in > 0 {
			w.text("\n]")
		}
		w.text(",\n" + [...]string{`"users": [`, `"lists": [`, `"tasks": [`}[w.in])
		w.some = false
	}
}

func (w *jsonWriter) element(value any) {
	if w.some {
		w.text(",")
	}
	w.some = true
	w.text("\n")
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil && w.err == nil {
		w.err = err
	}
	w.text(strings.TrimSuffix(line.String(), "\n"))
}
