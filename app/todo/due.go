package todo

import (
	"errors"
	"fmt"
	"time"

	"taskapi/app"
)

// Due is when a task is due, or begins. It says what is on the wall, and never a
// moment in disguise: a day is a day wherever one reads it.
type Due struct {
	// Wall is the date and the time of day as if they were UTC. The time of day is
	// midnight for a whole day.
	Wall time.Time
	// Timed says that there is a time of day.
	Timed bool
	// Zone is the IANA name of the time zone that makes a moment of a time of day;
	// empty for a day, and for a time wherever one is (RFC 5545 section 3.3.5,
	// "floating").
	Zone string
}

// The years that a date may have.
const (
	firstYear = 1970
	lastYear  = 2199
)

// The forms of a date, from the least to the most exact.
const (
	formDay     = "2006-01-02"
	formMinutes = "2006-01-02T15:04"
	formSeconds = "2006-01-02T15:04:05"
)

// What can be wrong with a date. The texts are for people.
var (
	errDueForm = errors.New("must be a date such as 2026-11-30 or a local time such as 2026-11-30T09:00")
	errOffset  = errors.New("must have no offset: give the local time and a due_zone")
	errYear    = fmt.Errorf("must be between the years %d and %d", firstYear, lastYear)
	errZone    = errors.New("must be a time zone such as Europe/Berlin")
	errZoneDay = errors.New("goes with a time of day only")
)

// IsZero reports whether there is no date.
func (d Due) IsZero() bool { return d.Wall.IsZero() }

// ParseDue reads a date and, if it is a moment, the name of its zone.
func ParseDue(text, zone string) (Due, error) {
	d, err := ReadDue(text, zone)
	switch {
	case err != nil:
		return Due{}, err
	case d.Wall.Year() < firstYear || d.Wall.Year() > lastYear:
		return Due{}, errYear
	case zone != "" && !d.Timed:
		return Due{}, errZoneDay
	}
	if _, err := Location(zone); err != nil {
		return Due{}, err
	}
	return d, nil
}

// ReadDue is ParseDue for what has been checked before: it reads every date that can be
// stored, and does not look the zone up, which takes a while.
func ReadDue(text, zone string) (Due, error) {
	d := Due{Zone: zone}
	var err error
	switch len(text) {
	case len(formDay):
		d.Wall, err = time.Parse(formDay, text)
	case len(formMinutes):
		d.Wall, err = time.Parse(formMinutes, text)
		d.Timed = true
	case len(formSeconds):
		d.Wall, err = time.Parse(formSeconds, text)
		d.Timed = true
	default:
		err = errDueForm
	}
	switch {
	case err != nil && hasOffset(text):
		return Due{}, errOffset
	case err != nil:
		return Due{}, errDueForm
	}
	return d, nil
}

// hasOffset reports whether a text is a moment of RFC 3339.
func hasOffset(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	_, shortErr := time.Parse("2006-01-02T15:04Z07:00", text)
	return err == nil || shortErr == nil
}

// Location returns the time zone with an IANA name, UTC for "". The system's own
// zone, which "Local" names, is nobody's.
func Location(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	location, known := app.TimeZone(name)
	if !known {
		return nil, errZone
	}
	return location, nil
}

// String returns the text that ParseDue reads. Seconds are there unless zero.
func (d Due) String() string {
	switch {
	case !d.Timed:
		return d.Wall.Format(formDay)
	case d.Wall.Second() != 0:
		return d.Wall.Format(formSeconds)
	}
	return d.Wall.Format(formMinutes)
}

// Day returns midnight of the date, as if it were UTC.
func (d Due) Day() time.Time { return d.Wall.Truncate(24 * time.Hour) }

// On returns the same time of day on another day.
func (d Due) On(day time.Time) Due {
	d.Wall = day.Add(d.Wall.Sub(d.Day()))
	return d
}

// Order returns what dates are sorted by: a whole day comes after the times of
// that day, with its last millisecond.
func (d Due) Order() time.Time {
	if d.Timed {
		return d.Wall
	}
	return d.Wall.AddDate(0, 0, 1).Add(-time.Millisecond)
}

// Moment returns when a date with a zone is; false without one.
func (d Due) Moment() (time.Time, bool) {
	location, err := Location(d.Zone)
	if d.Zone == "" || err != nil {
		return time.Time{}, false
	}
	return Moment(d.Wall, location), true
}

// Moment returns when a wall clock shows a time, given as if it were UTC. A time
// that the clock skips is reckoned by the offset before the gap, and of a time
// that comes twice it is the first (RFC 5545 section 3.3.5). time.Date promises
// neither.
func Moment(wall time.Time, location *time.Location) time.Time {
	at := func(near time.Time) (moment time.Time, shown bool) {
		_, offset := near.In(location).Zone()
		moment = wall.Add(-time.Duration(offset) * time.Second)
		_, there := moment.In(location).Zone()
		return moment.UTC(), there == offset
	}
	// No zone has two changes within two days.
	before, shownBefore := at(wall.Add(-24 * time.Hour))
	after, shownAfter := at(wall.Add(24 * time.Hour))
	switch {
	case shownBefore && shownAfter && after.Before(before):
		return after
	case shownBefore || !shownAfter:
		return before
	}
	return after
}

// Wall returns what a wall clock shows at a moment, as if it were UTC.
func Wall(moment time.Time, location *time.Location) time.Time {
	local := moment.In(location)
	_, offset := local.Zone()
	return moment.UTC().Add(time.Duration(offset) * time.Second)
}

// Said returns the date in words, by the clock of its reader.
func (d Due) Said(reader *time.Location) string {
	wall := d.Wall
	if moment, ok := d.Moment(); ok {
		wall = Wall(moment, reader)
	}
	if !d.Timed {
		return wall.Format("Monday, 2 January 2006")
	}
	return wall.Format("Monday, 2 January 2006, 15:04")
}

// Overdue reports whether the time of a date is over for somebody whose clock is in
// a zone: a day when the next one begins, a time when the clock has shown it.
func (d Due) Overdue(now time.Time, reader *time.Location) bool {
	if moment, ok := d.Moment(); ok {
		return !now.Before(moment)
	}
	wall := Wall(now, reader)
	if d.Timed {
		return !wall.Before(d.Wall)
	}
	return !wall.Before(d.Wall.AddDate(0, 0, 1))
}
