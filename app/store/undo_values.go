package store

import (
	"encoding/json"
	"errors"
	"time"

	"taskapi/app/todo"
)

// values are what the log holds to undo a line, by name.
type values map[string]json.RawMessage

func (v values) has(name string) bool {
	_, some := v[name]
	return some
}

// read sets a value if it is there, and reports whether it is.
func (v values) read(name string, to any) (bool, error) {
	raw, some := v[name]
	if !some {
		return false, nil
	}
	return true, json.Unmarshal(raw, to)
}

// number returns a number, 0 if it is not there.
func (v values) number(name string) (n int64) {
	if _, err := v.read(name, &n); err != nil {
		return 0
	}
	return n
}

// apply returns a task with the values: it reverses undoOf and undoOfCopy.
func (v values) apply(t todo.Task) (todo.Task, error) {
	var errs []error
	read := func(name string, to any) bool {
		some, err := v.read(name, to)
		errs = append(errs, err)
		return some
	}
	read("title", &t.Title)
	read("description", &t.Description)
	read("assignee_id", &t.AssigneeID)
	read("parent_id", &t.ParentID)
	read("position", &t.Position)
	read("list_id", &t.ListID)
	var done *int64
	if read("completed_at", &done) {
		if t.CompletedAt = (time.Time{}); done != nil {
			t.CompletedAt = fromMillis(*done)
		}
	}
	var priority int
	if read("priority", &priority) {
		t.Priority = todo.Priority(priority)
	}
	var labels []string
	if read("labels", &labels) {
		t.Labels = labels
	}
	zone, text := t.Dates.Due.Zone, ""
	read("due_zone", &zone)
	date := func() (due todo.Due) {
		if text != "" {
			var err error
			due, err = todo.ReadDue(text, zone)
			errs = append(errs, err)
		}
		return due
	}
	if read("due", &text) {
		t.Dates.Due = date()
	}
	if read("start", &text) {
		t.Dates.Start = date()
	}
	if read("recurrence", &t.Repetition.Rule) && read("recurrence_from", &t.Repetition.FromCompletion) && read("recurrence_start", &text) {
		t.Repetition.Start = date()
	}
	if read("recurrence_of", &t.RecurrenceOf) {
		if t.Was = (todo.Repetition{}); read("was", &t.Was.Rule) && read("was_from", &t.Was.FromCompletion) && read("was_start", &text) {
			t.Was.Start = date()
		}
	}
	t.DueAt, _ = t.Dates.Due.Moment()
	return t, errors.Join(errs...)
}
