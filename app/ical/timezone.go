package ical

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The years whose changes of the clock a VTIMEZONE tells. A rule that still holds in the last
// one holds for ever.
const (
	firstZoneYear = 2010
	lastZoneYear  = 2037
)

// shift is one change of the clock.
type shift struct {
	wall     time.Time // what the clock showed when it was changed, as if that were UTC
	from, to int       // seconds east of UTC
	name     string
	saving   bool
}

// rule is what changes in several years have in common.
type rule struct {
	month    time.Month
	weekday  time.Weekday
	clock    time.Duration
	from, to int
	name     string
	saving   bool
}

// TimeZone returns the VTIMEZONE of a zone (RFC 5545 section 3.6.5).
func TimeZone(name string, location *time.Location) *Component {
	zone := NewComponent("VTIMEZONE")
	zone.Add(New("TZID", name))
	begin := time.Date(firstZoneYear, 1, 1, 0, 0, 0, 0, time.UTC).In(location)
	abbreviation, offset := begin.Zone()
	first := shift{wall: time.Unix(0, 0).UTC(), from: offset, to: offset, name: abbreviation}
	zone.Append(observance([]shift{first}))
	var order []rule
	groups := map[rule][]shift{}
	for _, s := range shifts(begin) {
		key := rule{s.wall.Month(), s.wall.Weekday(), s.wall.Sub(s.wall.Truncate(24 * time.Hour)), s.from, s.to, s.name, s.saving}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], s)
	}
	for _, key := range order {
		zone.Append(observance(groups[key]))
	}
	return zone
}

// shifts returns the changes of the clock from a moment on.
func shifts(at time.Time) (all []shift) {
	for {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > lastZoneYear {
			return all
		}
		_, from := end.Add(-time.Second).Zone()
		name, to := end.Zone()
		if from != to {
			all = append(all, shift{end.UTC().Add(time.Duration(from) * time.Second), from, to, name, end.IsDST()})
		}
		at = end
	}
}

// observance tells of changes that have everything in common but their days.
func observance(all []shift) *Component {
	first := all[0]
	kind := "STANDARD"
	if first.saving {
		kind = "DAYLIGHT"
	}
	c := NewComponent(kind)
	c.Add(New("DTSTART", first.wall.Format(formTime)))
	c.Add(New("TZOFFSETFROM", offset(first.from)))
	c.Add(New("TZOFFSETTO", offset(first.to)))
	c.Add(NewText("TZNAME", first.name))
	if by, regular := yearly(all); regular {
		c.Add(New("RRULE", "FREQ=YEARLY;BYMONTH="+strconv.Itoa(int(first.wall.Month()))+";BYDAY="+by))
	} else if len(all) > 1 {
		var days []string
		for _, s := range all[1:] {
			days = append(days, s.wall.Format(formTime))
		}
		c.Add(New("RDATE", strings.Join(days, ",")))
	}
	return c
}

// yearly returns the BYDAY of changes that come every year on the nth or last such day of
// their month, up to the last year that is told of.
func yearly(all []shift) (by string, regular bool) {
	day := strings.ToUpper(all[0].wall.Weekday().String()[:2])
	if all[len(all)-1].wall.Year() != lastZoneYear || len(all) < 2 {
		return "", false
	}
	nth, last := (all[0].wall.Day()+6)/7, true
	for i, s := range all {
		if i > 0 && s.wall.Year() != all[i-1].wall.Year()+1 {
			return "", false
		}
		if (s.wall.Day()+6)/7 != nth {
			nth = 0
		}
		last = last && s.wall.AddDate(0, 0, 7).Month() != s.wall.Month()
	}
	switch {
	case last:
		return "-1" + day, true
	case nth > 0:
		return strconv.Itoa(nth) + day, true
	}
	return "", false
}

// offset writes seconds east of UTC (RFC 5545 section 3.3.14).
func offset(seconds int) string {
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	text := fmt.Sprintf("%s%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}
