package operate

import (
	"strconv"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// maxImportID leaves as many ids above it that every JSON parser reads exactly
// (up to 2^53), so that no file can use them up.
const maxImportID = 1 << 52

// text returns a column as a field of a request, so that it meets the rules
// that everybody's do.
func (row ImportRow) text(column string) app.Field[string] {
	if value, there := row.Values[column]; there {
		return app.Given(value)
	}
	return app.Field[string]{State: app.Null}
}

// problem is why a row can't be taken, in sentences; empty if it can.
func (row ImportRow) problem(p app.Problems) string {
	if row.Problem != "" {
		return row.Problem
	}
	if err := p.Err(); err != nil {
		return err.Error()
	}
	return ""
}

// importID reads an id; 0 with a problem.
func importID(p app.Problems, column string, row ImportRow) int64 {
	id, err := strconv.ParseInt(strings.TrimSpace(row.Values[column]), 10, 64)
	if err != nil || id < 1 || id > maxImportID {
		p.Add(column, "It must be a whole number from 1 on.")
		return 0
	}
	return id
}

// importTimes are the forms of a moment: what MariaDB, RFC 3339, ISO 8601, the
// tutorial's JSON and other databases print. What names no zone is UTC, as
// datetime.utcnow() is.
func importTimes() []string {
	forms := []string{time.DateTime, time.RFC3339, time.RFC1123, time.RFC1123Z, time.DateOnly}
	for _, day := range []string{"2006-01-02 ", "2006-01-02T"} {
		for _, clock := range []string{"15:04:05", "15:04"} {
			// The name of another zone says nothing without its place.
			for _, zone := range []string{"", "Z07:00", "Z0700", "Z07", " Z07:00", " Z0700", " UTC", " GMT"} {
				forms = append(forms, day+clock+zone)
			}
		}
	}
	return forms
}

// importTime reads a moment; zero without one, or with a problem.
func importTime(p app.Problems, column string, row ImportRow) time.Time {
	value := strings.TrimSpace(row.Values[column])
	// MariaDB's zero date, and how phpMyAdmin and MariaDB itself write null.
	if value == "" || value == "NULL" || value == `\N` || strings.HasPrefix(value, "0000-00-00") {
		return time.Time{}
	}
	for _, form := range importTimes() {
		// A fraction of the second is read where the form has none, too.
		if at, err := time.Parse(form, value); err == nil {
			if at = at.UTC(); at.Year() >= 1000 && at.Year() <= 9999 {
				return at.Truncate(time.Millisecond)
			}
		}
	}
	p.Add(column, "It must be a date such as 2026-01-02 03:04:05.")
	return time.Time{}
}

// importBool reads a truth value; null is false.
func importBool(p app.Problems, column string, row ImportRow) bool {
	switch strings.ToLower(strings.TrimSpace(row.Values[column])) {
	case "1", "true", "yes", "x", "\x01": // the last is a BIT(1)
		return true
	case "", "0", "false", "no", "null", `\n`, "\x00":
		return false
	// What spreadsheets save in German, Spanish, French and Italian.
	case "wahr", "verdadero", "vrai", "vero":
		return true
	case "falsch", "falso", "faux":
		return false
	}
	p.Add(column, "It must be true or false.")
	return false
}

// importTask reads a task but for its owner. Repaired is true if something was
// set right that the other system had in disorder.
func importTask(p app.Problems, row ImportRow, now time.Time) (task todo.Task, repaired bool) {
	title := p.Text(todo.TitleRule(true), row.text("title"))
	raw := row.text("description")
	// Line ends of Windows and of browsers' forms.
	raw.Value = strings.ReplaceAll(raw.Value, "\r\n", "\n")
	description := p.Text(todo.DescriptionRule(), raw)
	completed := importBool(p, "completed", row)
	importSchedule(p, row, &task)
	created, done, updated := importTime(p, "date_created", row), importTime(p, "date_completed", row), importTime(p, "date_updated", row)
	if title == nil {
		return task, false
	}
	task.Title = *title
	if description != nil {
		task.Description = *description
	}
	repaired = *title != row.Values["title"] || raw.Value != row.Values["description"] ||
		created.IsZero() || completed == done.IsZero()
	if created.IsZero() {
		created = now
	}
	task.CreatedAt, task.UpdatedAt = created, updated
	if updated.IsZero() {
		task.UpdatedAt = created
	}
	if completed {
		task.CompletedAt = done
		if done.IsZero() {
			task.CompletedAt = created
		}
	}
	return task, repaired
}

// importSchedule reads the priority, the labels, the dates and the repetition of a task.
func importSchedule(p app.Problems, row ImportRow, task *todo.Task) {
	if name := strings.TrimSpace(row.Values["priority"]); name != "" {
		var known bool
		if task.Priority, known = todo.ParsePriority(name); !known {
			p.Add("priority", "It must be none, low, medium or high.")
		}
	}
	labels := row.Texts["labels"]
	for label := range strings.SplitSeq(row.Values["labels"], ",") {
		if !app.Blank(label) {
			labels = append(labels, label)
		}
	}
	task.Labels = todo.CheckLabels(p, "labels", labels)
	task.Dates = todo.NewDates(p, todo.DatesInput{Due: row.text("due"), Zone: row.text("due_zone"), Start: row.text("start")})
	task.Repetition = importRepetition(p, row, task.Dates.Due)
}

// importRepetition reads how a task repeats that is due at a date. Without a date that it
// counts from, it counts from that one.
func importRepetition(p app.Problems, row ImportRow, due todo.Due) (r todo.Repetition) {
	rule := strings.TrimSpace(row.Values["recurrence"])
	if rule == "" {
		return r
	}
	if due.IsZero() {
		p.Merge(todo.ErrRecurrenceNeedsDue)
		return r
	}
	switch from := row.Values["recurrence_from"]; from {
	case "", "due":
	case "completion":
		r.FromCompletion = true
	default:
		p.Add("recurrence_from", "It must be due or completion.")
	}
	r.Start = due
	if text := row.Values["recurrence_start"]; text != "" {
		start, err := todo.ReadDue(text, due.Zone)
		if err != nil || start.Timed != due.Timed {
			p.Add("recurrence_start", "It must be a date of the same form as due.")
			return r
		}
		r.Start = start
	}
	counted := r.Start
	if r.FromCompletion {
		counted = todo.Due{} // the day that it counts from is not known yet
	}
	parsed, err := todo.ParseRecurrence(rule, counted)
	if err != nil {
		p.Add("recurrence", "The field recurrence "+err.Error()+".")
		return r
	}
	if _, found := parsed.Next(due, due.Day().AddDate(0, 0, -1)); !found {
		p.Merge(todo.ErrRecurrenceNever)
	}
	r.Rule = parsed.String()
	return r
}
