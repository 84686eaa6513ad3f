package ical

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Time is a date or a date with a time of day (RFC 5545 sections 3.3.4 and 3.3.5).
type Time struct {
	// Wall is what a clock on the wall shows, as if that were UTC.
	Wall time.Time
	// Day says that there is no time of day.
	Day bool
	// UTC says that it is a moment in UTC.
	UTC bool
	// Zone is its TZID; empty for UTC, for a day, and for a time wherever one is.
	Zone string
}

const (
	formDay  = "20060102"
	formTime = "20060102T150405"
)

// Time returns the value of a property that is a date or has a time of day too; false for
// another one.
func (p *Property) Time() (Time, bool) {
	t, ok := ParseTime(p.Value)
	if ok && !t.Day && !t.UTC {
		t.Zone = p.Param("TZID")
	}
	return t, ok
}

// Times returns the values of a property that has several of them; those that are wrong are
// left out.
func (p *Property) Times() (all []Time) {
	for value := range strings.SplitSeq(p.Value, ",") {
		one := *p
		one.Value = value
		if t, ok := one.Time(); ok {
			all = append(all, t)
		}
	}
	return all
}

// ParseTime reads a date, or a date with a time of day.
func ParseTime(value string) (t Time, ok bool) {
	var err error
	switch len(value) {
	case len(formDay):
		t.Day = true
		t.Wall, err = time.Parse(formDay, value)
	case len(formTime) + 1:
		t.UTC = true
		if value[len(value)-1] != 'Z' {
			return t, false
		}
		value = value[:len(value)-1]
		fallthrough
	case len(formTime):
		if strings.HasSuffix(value, "60") { // a leap second
			value = value[:len(value)-2] + "59"
		}
		t.Wall, err = time.Parse(formTime, value)
	default:
		return t, false
	}
	return t, err == nil
}

// NewTime returns a property that is a date, or has a time of day too.
func NewTime(name string, t Time) *Property {
	switch {
	case t.Day:
		return New(name, t.Wall.Format(formDay), Param{"VALUE", "DATE"})
	case t.UTC:
		return New(name, t.Wall.Format(formTime)+"Z")
	case t.Zone != "":
		return New(name, t.Wall.Format(formTime), Param{"TZID", t.Zone})
	}
	return New(name, t.Wall.Format(formTime))
}

// Moment returns a moment as it is written.
func Moment(t time.Time) Time { return Time{Wall: t.UTC().Truncate(time.Second), UTC: true} }

var durationForm = regexp.MustCompile(`^([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$`)

// ParseDuration reads a duration (RFC 5545 section 3.3.6). A day has 24 hours.
func ParseDuration(value string) (time.Duration, bool) {
	parts := durationForm.FindStringSubmatch(value)
	if parts == nil || strings.HasSuffix(value, "P") || strings.HasSuffix(value, "T") {
		return 0, false
	}
	const day = 24 * time.Hour
	var total time.Duration
	for i, unit := range []time.Duration{7 * day, day, time.Hour, time.Minute, time.Second} {
		if parts[i+2] != "" {
			n, err := strconv.Atoi(parts[i+2])
			if err != nil {
				return 0, false
			}
			total += time.Duration(n) * unit
		}
	}
	if parts[1] == "-" {
		total = -total
	}
	return total, true
}

// FormatDuration returns the text that ParseDuration reads, in whole seconds.
func FormatDuration(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	const day = 24 * time.Hour
	text := sign + "P"
	if days := d / day; days > 0 {
		text += strconv.Itoa(int(days)) + "D"
	}
	rest := d % day
	if rest == 0 && d > 0 {
		return text
	}
	text += "T"
	hours, minutes, seconds := rest/time.Hour, rest%time.Hour/time.Minute, rest%time.Minute/time.Second
	if hours > 0 {
		text += strconv.Itoa(int(hours)) + "H"
	}
	if minutes > 0 {
		text += strconv.Itoa(int(minutes)) + "M"
	}
	if seconds > 0 || hours+minutes == 0 {
		text += strconv.Itoa(int(seconds)) + "S"
	}
	return text
}
