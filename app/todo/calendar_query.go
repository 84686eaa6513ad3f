package todo

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// CalendarCursor is how far a client knows a collection: all changes up to Seq. In the middle of
// a walk through the whole, it also knows what has an id up to Walked.
type CalendarCursor struct {
	// List is the id of its list: one that is made anew under the same name is another one.
	List   int64
	Seq    int64
	Walked int64 // -1: all
}

// tokenStart begins the tokens of collections.
const tokenStart = "urn:taskapi:"

func (c *Calendars) token(at CalendarCursor) string {
	token := fmt.Sprintf("%s%s:%d:%d", tokenStart, c.Lineage, at.List, at.Seq)
	if at.Walked >= 0 {
		token += fmt.Sprintf(":%d", at.Walked)
	}
	return token
}

// readToken reads what token has written. Anything else has expired.
func (c *Calendars) readToken(text string) (at CalendarCursor, err error) {
	rest, ours := strings.CutPrefix(text, tokenStart+c.Lineage+":")
	parts := strings.Split(rest, ":")
	if !ours || len(parts) < 2 || len(parts) > 3 {
		return at, ErrSyncExpired
	}
	numbers := [3]int64{2: -1}
	for i, part := range parts {
		if numbers[i], err = strconv.ParseInt(part, 10, 64); err != nil || numbers[i] < 0 {
			return at, ErrSyncExpired
		}
	}
	return CalendarCursor{List: numbers[0], Seq: numbers[1], Walked: numbers[2]}, nil
}

// within reports whether a task overlaps a time-range (RFC 4791 section 9.9), by the clock of its
// reader.
func (t Task) within(from, to time.Time, reader *time.Location) bool {
	if from.IsZero() && to.IsZero() {
		return true
	}
	if to.IsZero() {
		to = time.Date(lastYear+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	moment := func(d Due) time.Time {
		if at, ok := d.Moment(); ok {
			return at
		}
		return Moment(d.Wall, reader)
	}
	due, start := t.Dates.Due, t.Dates.Start
	switch {
	case t.Repetition.Rule != "" && !t.Completed():
		return t.repeatsWithin(from, to, moment)
	case !due.IsZero() && !start.IsZero():
		begins, ends := moment(start), moment(due)
		return (from.Before(ends) || !from.After(begins)) && (to.After(begins) || !to.Before(ends))
	case !start.IsZero():
		begins := moment(start)
		return !from.After(begins) && to.After(begins)
	case !due.IsZero():
		ends := moment(due)
		return from.Before(ends) && !to.Before(ends)
	case t.Completed():
		return !from.After(t.CompletedAt) && !to.Before(t.CreatedAt)
	}
	return true
}

// repeatsWithin reports whether a repeating task is due in a time-range.
func (t Task) repeatsWithin(from, to time.Time, moment func(Due) time.Time) bool {
	due := t.Dates.Due
	if first := moment(due); !first.Before(from) {
		return !to.Before(first)
	}
	rule, err := ParseRecurrence(t.Repetition.Rule, Due{})
	if err != nil {
		return true
	}
	after := from.UTC().Truncate(oneDay).Add(-2 * oneDay)
	for range 4 { // days that may lie before the range in the zone that counts
		next, found := rule.Next(t.Repetition.Start, after)
		if !found {
			return false
		}
		if at := moment(next); !at.Before(from) {
			return !to.Before(at)
		}
		after = next.Day()
	}
	return true
}
