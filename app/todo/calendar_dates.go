package todo

import (
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/ical"
)

// zoneUTC is the zone of a moment that is written in UTC.
const zoneUTC = "Etc/UTC"

// readCalendarDates reads the dates of an object. A start that does not go with the due is none.
func readCalendarDates(cal, v *ical.Component) (d Dates) {
	d.Due, d.Start = readCalendarDue(cal, v.Property("DUE")), readCalendarDue(cal, v.Property("DTSTART"))
	if p := v.Property("DURATION"); p != nil && d.Due.IsZero() && !d.Start.IsZero() {
		if length, ok := ical.ParseDuration(p.Value); ok && length >= 0 && (d.Start.Timed || length%oneDay == 0) {
			d.Due = d.Start
			if d.Due.Wall = d.Start.Wall.Add(length); !validYear(d.Due.Wall) {
				d.Due = Due{}
			}
		}
	}
	if d.Due.IsZero() || d.Start.IsZero() {
		d.Start.Zone = ""
		return d
	}
	if moment, ok := d.Start.Moment(); ok && d.Due.Zone != "" && d.Due.Zone != d.Start.Zone {
		if location, err := Location(d.Due.Zone); err == nil {
			d.Start.Wall = Wall(moment, location)
		}
	}
	d.Start.Zone = d.Due.Zone
	if d.Start.Timed != d.Due.Timed || d.Start.Wall.After(d.Due.Wall) || !validYear(d.Start.Wall) {
		d.Start = Due{}
	}
	return d
}

// readCalendarDue reads a date; zero without one that can be stored.
func readCalendarDue(cal *ical.Component, p *ical.Property) Due {
	if p == nil {
		return Due{}
	}
	t, ok := p.Time()
	if !ok || !validYear(t.Wall) {
		return Due{}
	}
	switch {
	case t.Day:
		return Due{Wall: t.Wall}
	case t.UTC:
		return Due{Wall: t.Wall, Timed: true, Zone: zoneUTC}
	}
	return Due{Wall: t.Wall, Timed: true, Zone: zoneOf(cal, t.Zone)}
}

// Exceptions returns the days that an object leaves out of how a task repeats, on the wall that
// counts for the date that it is due.
func Exceptions(kept []byte, due Due) []time.Time {
	cal, err := ical.Parse(kept)
	if err != nil {
		return nil
	}
	return exceptionsIn(mainTask(cal), due)
}

func exceptionsIn(v *ical.Component, of Due) (days []time.Time) {
	for _, p := range v.Properties("EXDATE") {
		days = append(days, daysOf(p, of)...)
	}
	return days
}

// daysOf returns the days of the times of a property, on the wall that counts for a date.
func daysOf(p *ical.Property, of Due) (days []time.Time) {
	for _, t := range p.Times() {
		if location, err := Location(of.Zone); t.UTC && err == nil {
			t.Wall = Wall(t.Wall, location)
		}
		days = append(days, t.Wall.Truncate(oneDay))
	}
	return days
}

// zoneOf returns the IANA name of the zone that a TZID means; empty if nobody knows. Some
// programs write a path before the name, others say it in the VTIMEZONE.
func zoneOf(cal *ical.Component, tzid string) string {
	if name := zoneIn(tzid); name != "" || tzid == "" {
		return name
	}
	for _, zone := range cal.Components("VTIMEZONE") {
		if id := zone.Property("TZID"); id != nil && id.Value == tzid {
			if p := zone.Property("X-LIC-LOCATION"); p != nil {
				return zoneIn(p.Value)
			}
		}
	}
	return ""
}

// zoneIn returns the name of a zone that a text ends with.
func zoneIn(text string) string {
	parts := strings.Split(text, "/")
	for n := min(3, len(parts)); n > 0; n-- { // as in America/Argentina/Salta
		if name := strings.Join(parts[len(parts)-n:], "/"); app.IsTimeZone(name) {
			return name
		}
	}
	return ""
}

// sameStart reports whether two starts say the same: one that equals the due says nothing.
func sameStart(a, b Dates) bool {
	none := func(d Dates) bool { return d.Start.IsZero() || d.Start == d.Due }
	return a.Start == b.Start || none(a) && none(b)
}

// calendarTime returns a date as it is written in an object, which gets the zone if it does
// not have it.
func calendarTime(cal *ical.Component, d Due) ical.Time {
	t := ical.Time{Wall: d.Wall, Day: !d.Timed}
	switch {
	case d.Zone == zoneUTC || d.Zone == "UTC":
		t.UTC = true
	case d.Zone != "":
		t.Zone = tzidIn(cal, d.Zone)
	}
	return t
}

// tzidIn returns the TZID by which an object knows a zone. One that it does not know yet is added.
func tzidIn(cal *ical.Component, zone string) string {
	for _, one := range cal.Components("VTIMEZONE") {
		id, says := one.Property("TZID"), one.Property("X-LIC-LOCATION")
		if id != nil && (strings.HasSuffix(id.Value, zone) || says != nil && strings.HasSuffix(says.Value, zone)) && zoneOf(cal, id.Value) == zone {
			return id.Value
		}
	}
	location, err := Location(zone)
	if err == nil {
		cal.Prepend(ical.TimeZone(zone, location))
	}
	return zone
}
