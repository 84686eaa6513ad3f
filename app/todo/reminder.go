package todo

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"taskapi/app"
)

// Limits of reminders.
const (
	MaxReminders = 5 // of one person on one task
	maxBefore    = 30 * 24 * time.Hour
	// remindDay is when a day begins for a reminder before it.
	remindDay = 9 * time.Hour
)

// Reminder is when a person wants to be reminded of a task: at a moment or, with an At
// of zero, for so long before it is due.
type Reminder struct {
	At     time.Time
	Before time.Duration
}

// FiresAt returns the moment of a reminder of a task that is due, by a person's zone; zero
// if there is none. Before a day means before 09:00 of that day.
func (r Reminder) FiresAt(due Due, reader *time.Location) time.Time {
	switch {
	case !r.At.IsZero():
		return r.At
	case due.IsZero():
		return time.Time{}
	}
	if moment, ok := due.Moment(); ok {
		return moment.Add(-r.Before)
	}
	wall := due.Wall
	if !due.Timed {
		wall = wall.Add(remindDay)
	}
	return Moment(wall, reader).Add(-r.Before)
}

var durationForm = regexp.MustCompile(`^P(?:(\d{1,3})W)?(?:(\d{1,3})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,7})S)?)?$`)

// ParseBefore reads a duration of RFC 5545 (section 3.3.6), such as PT30M, from PT0S to P30D.
func ParseBefore(text string) (time.Duration, bool) {
	parts := durationForm.FindStringSubmatch(text)
	if parts == nil || text == "P" || text[len(text)-1] == 'T' {
		return 0, false
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * oneDay, oneDay, time.Hour, time.Minute, time.Second} {
		if parts[i+1] != "" {
			n, err := strconv.Atoi(parts[i+1])
			if err != nil {
				return 0, false
			}
			total += time.Duration(n) * unit
		}
	}
	return total, total <= maxBefore
}

// FormatBefore returns the text that ParseBefore reads.
func FormatBefore(d time.Duration) string {
	days, rest := d/oneDay, d%oneDay
	text := "P"
	if days > 0 {
		text += fmt.Sprintf("%dD", days)
	}
	if rest == 0 && days > 0 {
		return text
	}
	text += "T"
	hours, minutes, seconds := rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second
	if hours > 0 {
		text += fmt.Sprintf("%dH", hours)
	}
	if minutes > 0 {
		text += fmt.Sprintf("%dM", minutes)
	}
	if seconds > 0 || hours+minutes == 0 {
		text += fmt.Sprintf("%dS", seconds)
	}
	return text
}

// readReminders checks the reminders of a request. Returns nil without any, and none for
// null.
func readReminders(p app.Problems, field app.Field[[]map[string]string]) *[]Reminder {
	const form = `The field reminders must be an array of objects with either "before", a duration such as PT30M of at most P30D, or "at", a moment such as 2026-11-30T07:30:00Z.`
	switch {
	case field.State == app.Absent:
		return nil
	case field.State == app.Mistyped:
		p.Add("reminders", form)
	case len(field.Value) > MaxReminders:
		p.Add("reminders", fmt.Sprintf("The field reminders must hold at most %d.", MaxReminders))
	}
	out := []Reminder{}
	for _, said := range field.Value {
		r, ok := ReadReminder(said["at"], said["before"])
		if !ok {
			p.Add("reminders", form)
		}
		out = append(out, r)
	}
	return &out
}

// ReadReminder reads a reminder of which one text is empty. Its moment is of whole
// seconds.
func ReadReminder(at, before string) (r Reminder, ok bool) {
	switch {
	case at != "" && before == "":
		moment, err := time.Parse(time.RFC3339, at)
		r.At = moment.UTC().Truncate(time.Second)
		return r, err == nil && r.At.Year() >= firstYear && r.At.Year() <= lastYear
	case before != "" && at == "":
		r.Before, ok = ParseBefore(before)
		return r, ok
	}
	return r, false
}
