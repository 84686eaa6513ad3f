package todo

import (
	"strings"
	"time"

	"taskapi/app/ical"
)

// Series is how a task repeats by the text that a calendar client has put of it, where its
// Repetition can't say so: the rule counts from DTSTART (RFC 5545 section 3.8.5.3), and each due
// keeps its distance from its start. The zero value does not repeat.
type Series struct {
	// rule is empty for a series that only the client can follow.
	rule       string
	start      Due // DTSTART as it was put
	exceptions []time.Time
	done       []time.Time // those of the exceptions that are done by themselves
	ahead      bool        // the dates are those of a later occurrence than start
	repeats    bool
}

// KeptSeries reads the series that a text has beside what is read as the Repetition of a task.
func KeptSeries(kept []byte) Series {
	if kept == nil {
		return Series{}
	}
	cal, err := ical.Parse(kept)
	if err != nil {
		return Series{}
	}
	return readSaid(cal).series
}

// Repeats reports whether there is a series.
func (s Series) Repeats() bool { return s.repeats }

// Followed reports whether it can be followed here for a task with some dates. One whose start has
// been removed goes by its due, of which nobody knows the number.
func (s Series) Followed(dates Dates) bool {
	switch {
	case s.rule == "":
		return false
	case dates.Start.IsZero():
		return !dates.Due.IsZero() && !strings.Contains(s.rule, "COUNT=")
	}
	return true
}

// readSeries reads the series of an object in which there is a rule, or none, that is the
// Repetition of the task.
func readSeries(cal, v *ical.Component, own string, dates Dates) (s Series) {
	rules := v.Properties("RRULE")
	if own != "" || v.Property("RECURRENCE-ID") != nil || len(rules) == 0 && v.Property("RDATE") == nil {
		return s
	}
	s.repeats = true
	days, done := doneDays(cal, dates.Start)
	if !onlyRule(v) || !done {
		return s
	}
	rule, err := ParseRecurrence(rules[0].Value, Due{})
	switch {
	case err != nil:
	case dates.Start.IsZero():
		// A rule that counts from the due would have been read if it had any date.
		s.repeats = dates.Due.IsZero() || v.Property("DTSTART") != nil || len(days) > 0
	case len(days) == 0 || rule.has(dates.Start):
		s.rule, s.start, s.done = rule.String(), dates.Start, days
		s.exceptions = append(exceptionsIn(v, dates.Start), days...)
	}
	return s
}

// onlyRule reports whether one rule is all that says when a VTODO repeats.
func onlyRule(v *ical.Component) bool {
	return len(v.Properties("RRULE")) == 1 && v.Property("RDATE") == nil && v.Property("EXRULE") == nil && v.Property("RECURRENCE-ID") == nil
}

// doneDays returns the days of the occurrences that an object has by themselves, on the wall that
// counts for its start; false unless each is done, which is all that they say then.
func doneDays(cal *ical.Component, of Due) (days []time.Time, ok bool) {
	main := mainTask(cal)
	for _, v := range cal.Components("VTODO") {
		if v == main {
			continue
		}
		id := v.Property("RECURRENCE-ID")
		if done, _ := completion(v); !done || id == nil || id.Param("RANGE") != "" || len(id.Times()) != 1 {
			return nil, false
		}
		days = append(days, daysOf(id, of)...)
	}
	return days, true
}

// maxDone is how many occurrences are looked at to find the first that is open.
const maxDone = 1000

// open returns the dates of the first occurrence that is not done by itself, and a series that can't
// be followed without one.
func (s Series) open(dates Dates) (Series, Dates) {
	rule, err := ParseRecurrence(s.rule, Due{})
	if len(s.done) == 0 || err != nil {
		return s, dates
	}
	past := map[time.Time]bool{}
	for _, day := range s.exceptions {
		past[day] = true
	}
	next, found := rule.Next(s.start, s.start.Day().Add(-oneDay))
	for n := 0; found && past[next.Day()]; n++ {
		if next, found = rule.Next(s.start, next.Day()); n == maxDone {
			found = false
		}
	}
	if moved, ok := dates.shifted(next.Day().Sub(s.start.Day())); found && ok {
		s.ahead = moved != dates
		return s, moved
	}
	s.rule = ""
	return s, dates
}

// shifted returns dates that are so much later; false if one of them can't be stored.
func (d Dates) shifted(days time.Duration) (Dates, bool) {
	moved := d
	for _, date := range []*Due{&moved.Start, &moved.Due} {
		if date.IsZero() {
			continue
		}
		if date.Wall = date.Wall.Add(days); !validYear(date.Wall) {
			return d, false
		}
	}
	return moved, true
}

// movedOn returns a task at its next date, see Task.movedOn.
func (s Series) movedOn(t Task, now time.Time, reader *time.Location) (Task, bool) {
	start, due := t.Dates.Start, t.Dates.Due
	if !s.Followed(t.Dates) {
		return t, false
	}
	at, counted := start, start.On(s.start.Day())
	if start.IsZero() {
		at, counted = due, due
	}
	first := Task{Dates: Dates{Due: at}, Repetition: Repetition{Rule: s.rule, Start: counted}, Exceptions: s.exceptions}
	if !due.IsZero() { // what is due next is what counts, not what begins next
		now = now.Add(at.Wall.Sub(due.Wall))
	}
	next, found := first.movedOn(now, reader)
	if !found {
		return t, false
	}
	dates, ok := t.Dates.shifted(next.Dates.Due.Day().Sub(at.Day()))
	t.Dates = dates
	return t, ok
}

// left returns the rule for a task that starts at a date now, if that has fewer dates to come than
// the rule as it was put.
func (s Series) left(now Due) (rule string, fewer bool) {
	parsed, err := ParseRecurrence(s.rule, Due{})
	if err != nil || parsed.count == 0 || now.IsZero() || !now.Day().After(s.start.Day()) {
		return "", false
	}
	_, number, found := parsed.next(s.start, now.Day().Add(-oneDay))
	if !found || number < 2 {
		return "", false
	}
	return withCount(s.rule, parsed.count-number+1), true
}

// byDue reports whether a rule can be counted from the due of a task, with the start going along:
// the dates are the same as if it were counted from the start, or the start is no date of the rule
// and the due is one, as with apps for which a start hides the task until then.
func byDue(text string, dates Dates) bool {
	start, due := dates.Start, dates.Due
	if start.IsZero() || start.Day().Equal(due.Day()) {
		return true
	}
	r, err := ParseRecurrence(text, Due{})
	if err != nil {
		return false
	}
	if len(r.months)+len(r.days)+len(r.weekdays) > 0 {
		return !r.has(start) && r.has(due)
	}
	switch {
	case !r.until.IsZero():
		return false
	case r.frequency == monthly, r.frequency == yearly: // months are not of one length
		return start.Wall.Year() == due.Wall.Year() && start.Wall.Month() == due.Wall.Month() && due.Wall.Day() <= 28
	}
	return true
}

// has reports whether a rule that begins with a date has it.
func (r Recurrence) has(d Due) bool {
	first, found := r.Next(d, d.Day().Add(-oneDay))
	return found && first.Day().Equal(d.Day())
}
