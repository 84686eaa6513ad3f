package todo

import (
	"slices"
	"strconv"
	"time"

	"taskapi/app"
)

// Repetition is how a task repeats. The zero value does not.
type Repetition struct {
	// Rule is the text of a Recurrence as it is stored.
	Rule string
	// FromCompletion counts from the day of completion; else from Start.
	FromCompletion bool
	// Start is the date that the rule counts from. It stays when a date is moved by
	// hand, which moves this one occurrence.
	Start Due
}

// RepetitionInput is what a client says of how a task repeats. Null clears.
type RepetitionInput struct{ Rule, From app.Field[string] }

// repetitionChange is a change of how a task repeats. Nil leaves a part as it is.
type repetitionChange struct {
	rule           *string // empty: none
	fromCompletion *bool
}

func (in RepetitionInput) read(p app.Problems) *repetitionChange {
	c := &repetitionChange{}
	switch in.Rule.State {
	case app.Null:
		c.rule = new(string)
	case app.Mistyped:
		p.Add("recurrence", "The field recurrence must be a string.")
	case app.Present:
		if _, err := ParseRecurrence(in.Rule.Value, Due{}); err != nil {
			p.Add("recurrence", "The field recurrence "+err.Error()+".")
		}
		c.rule = &in.Rule.Value
	}
	switch in.From.State {
	case app.Null:
		c.fromCompletion = new(bool)
	case app.Mistyped:
		p.Add("recurrence_from", "The field recurrence_from must be a string.")
	case app.Present:
		from := in.From.Value == "completion"
		c.fromCompletion = &from
		if !from && in.From.Value != "due" {
			p.Add("recurrence_from", "The field recurrence_from must be due or completion.")
		}
	}
	if c.rule == nil && c.fromCompletion == nil {
		return nil
	}
	return c
}

// apply returns how a task repeats that had the due before and has one now. Returns
// ErrRecurrenceNeedsDue, ErrRecurrenceNever and KindInvalid errors.
func (c *repetitionChange) apply(r Repetition, due Due) (Repetition, error) {
	rule := r.Rule
	if c != nil {
		if c.rule != nil {
			rule = *c.rule
		}
		if c.fromCompletion != nil {
			r.FromCompletion = *c.fromCompletion
		}
	}
	switch {
	case rule == "":
		if c != nil && r.FromCompletion && c.fromCompletion != nil {
			return r, app.Mistake("recurrence_from", "The field recurrence_from goes with a recurrence.")
		}
		return Repetition{}, nil
	case due.IsZero():
		if c == nil || c.rule == nil { // the date was cleared
			return Repetition{}, nil
		}
		return r, ErrRecurrenceNeedsDue
	}
	counted := due
	if r.FromCompletion {
		counted = Due{} // the day that it counts from is not known yet
	}
	parsed, err := ParseRecurrence(rule, counted)
	if err != nil {
		return r, app.Mistake("recurrence", "The field recurrence "+err.Error()+".")
	}
	if parsed.String() == r.Rule && r.Start.Timed == due.Timed {
		r.Start.Zone = due.Zone
		return r, nil
	}
	r.Rule, r.Start = parsed.String(), due
	if _, found := parsed.Next(due, due.Day().Add(-oneDay)); !found {
		return r, ErrRecurrenceNever
	}
	return r, nil
}

// movedOn returns a repeating task at its next date, for a person in a zone; false if
// there is none. The date comes after the present one and after now, on the wall that
// counts: that of the date's zone, else the person's.
func (t Task) movedOn(now time.Time, reader *time.Location) (Task, bool) {
	if t.Repetition.Rule == "" {
		return t, false
	}
	clock := reader
	if location, err := Location(t.Dates.Due.Zone); err == nil && t.Dates.Due.Zone != "" {
		clock = location
	}
	wall := Wall(now, clock)
	today := wall.Truncate(oneDay)
	start, after := t.Repetition.Start, today
	if start.Timed && start.On(today).Wall.After(wall) {
		after = today.Add(-oneDay) // there is still time today
	}
	clamped := Due{}
	if t.Repetition.FromCompletion {
		start, after = t.Dates.Due.On(today), today
		clamped = start
	}
	// An occurrence that was moved by hand does not come again on its own day.
	for _, day := range []time.Time{t.Dates.Due.Day(), start.Day()} {
		if day.After(after) {
			after = day
		}
	}
	rule, err := ParseRecurrence(t.Repetition.Rule, clamped)
	if err != nil {
		return t, false
	}
	count := rule.count
	if t.Repetition.FromCompletion {
		rule.count = 0 // each completion is one, wherever it begins
	}
	next, counted, found := rule.next(start, after)
	for found && slices.Contains(t.Exceptions, next.Day()) {
		next, counted, found = rule.next(start, next.Day())
	}
	if !found || next.Wall.Year() > lastYear {
		return t, false
	}
	moved := t
	if count > 0 {
		left := count - counted + 1
		if t.Repetition.FromCompletion {
			left = count - 1
		}
		if left < 1 {
			return t, false
		}
		moved.Repetition.Rule = withCount(t.Repetition.Rule, left)
	}
	days := next.Day().Sub(t.Dates.Due.Day())
	moved.Dates.Due, moved.Repetition.Start = next, next
	if !t.Dates.Start.IsZero() {
		moved.Dates.Start = t.Dates.Start.On(t.Dates.Start.Day().Add(days))
	}
	return moved, true
}

// withCount returns a stored rule with another COUNT.
func withCount(rule string, count int) string {
	parsed, err := ParseRecurrence(rule, Due{})
	if err != nil {
		return rule
	}
	parsed.parts["COUNT"] = strconv.Itoa(count)
	return parsed.String()
}

// stale reports whether a change would complete an occurrence of a repeating task that was
// completed already, with the dates last: it names its date, as somebody does who sends
// back a task that they read before it moved on.
func (c TaskChange) stale(t Task, last Dates) bool {
	if c.Completed == nil || !*c.Completed || c.Dates == nil {
		return false
	}
	said, was, is := c.Dates.due, last.Due, t.Dates.Due
	if is.IsZero() {
		said, was, is = c.Dates.start, last.Start, t.Dates.Start
	}
	return said != nil && said.Timed == was.Timed && said.Wall.Equal(was.Wall) && !said.Wall.Equal(is.Wall)
}

// twiceWithin is for how long a completion without a condition is taken for a repetition of the
// one before: two people who tick the same occurrence, or a request whose answer was lost. A
// task that repeats is due in the future then, and few want to complete it again so soon.
const twiceWithin = 10 * time.Second

// Once returns the change without what completes an occurrence that was completed already,
// of which last is the copy; dropped says that there was such. A task that has been touched since
// is not taken for one that was completed just now.
func (c TaskChange) Once(t, last Task, touched bool) (_ TaskChange, dropped bool) {
	if c.stale(t, last.Dates) {
		c.Completed, c.Dates, c.repetition = nil, nil, nil
		return c, true
	}
	since := c.Now.Sub(last.CompletedAt)
	if c.Match == nil && !touched && since >= 0 && since < twiceWithin {
		c.Completed = nil
		return c, true
	}
	return c, false
}
