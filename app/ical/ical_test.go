package ical_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"taskapi/app/ical"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "begin:vcalendar\nX-A;B=\"c:d\",e:f\n g\nEND:VCALENDAR", "BEGIN:VCALENDAR\r\n\r\nBEGIN:VTODO\r\nA:\r\n \r\nEND:VTODO\r\nEND:VCALENDAR\r\n\r\n",
		"BEGIN:VCALENDAR\r\n A\r\nEND:VCALENDAR\r\n", "BEGIN:VCALENDAR\r\nBEGIN:A\r\nEND:B\r\nEND:VCALENDAR\r\n", ":", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cal, err := ical.Parse([]byte(text))
		if err != nil {
			if !errors.Is(err, ical.ErrSyntax) {
				t.Error(err)
			}
			return
		}
		if got := string(cal.Bytes()); got != text {
			t.Errorf("%q became %q", text, got)
		}
		for _, p := range cal.Properties("") {
			_, _ = p.Time()
			_, _, _ = p.Text(), p.List(), p.Times()
		}
		cal.Set(ical.NewText("X-NEW", "a"))
		again, err := ical.Parse(cal.Bytes())
		if err != nil || again.Property("X-NEW").Text() != "a" {
			t.Errorf("%q with a new property: %v", text, err)
		}
	})
}

func TestTextsComeBack(t *testing.T) {
	for _, text := range []string{"", "a", `a\b;c,d"e`, "one\ntwo\n", strings.Repeat("ünïcödé 🎻 ", 40), `\n`, "a\tb"} {
		cal := ical.NewComponent("VCALENDAR")
		cal.Add(ical.NewText("SUMMARY", text, ical.Param{Name: "X-P", Value: "a;b:c"}))
		cal.Add(ical.NewList("CATEGORIES", []string{text, "x,y", text}))
		raw := cal.Bytes()
		for line := range strings.SplitSeq(string(raw), "\r\n") {
			if len(line) > 75 {
				t.Errorf("%d bytes: %q", len(line), line)
			}
		}
		read, err := ical.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		p := read.Property("SUMMARY")
		if p.Text() != text || p.Param("X-P") != "a;b:c" || !slices.Equal(read.Property("CATEGORIES").List(), []string{text, "x,y", text}) {
			t.Errorf("%q became %q", text, p.Text())
		}
	}
}

func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for line, want := range map[string]ical.Time{
		"D:20261130":                           {Wall: at.Truncate(24 * time.Hour), Day: true},
		"D;VALUE=DATE:20261130":                {Wall: at.Truncate(24 * time.Hour), Day: true},
		"D:20261130T090000":                    {Wall: at},
		"D:20261130T090000Z":                   {Wall: at, UTC: true},
		"D;TZID=Europe/Berlin:20261130T090000": {Wall: at, Zone: "Europe/Berlin"},
	} {
		cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\n" + line + "\r\nEND:VCALENDAR\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := cal.Property("D").Time()
		if !ok || got != want {
			t.Errorf("%s is %+v, want %+v", line, got, want)
		}
		if again, ok := ical.NewTime("D", want).Time(); !ok || again != want {
			t.Errorf("%+v became %+v", want, again)
		}
	}
	for _, bad := range []string{"", "2026", "20261301", "20261130T250000", "20261130T090000X", "2026113OT090000"} {
		if got, ok := ical.ParseTime(bad); ok {
			t.Errorf("%q is %+v", bad, got)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "-PT15M": -15 * time.Minute, "P1W": 7 * 24 * time.Hour, "+P1DT2H3M4S": 26*time.Hour + 3*time.Minute + 4*time.Second, "-P1D": -24 * time.Hour,
	} {
		got, ok := ical.ParseDuration(text)
		if !ok || got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
		if again, ok := ical.ParseDuration(ical.FormatDuration(want)); !ok || again != want {
			t.Errorf("%v became %s", want, ical.FormatDuration(want))
		}
	}
	for _, bad := range []string{"", "P", "PT", "-P", "P1", "1D", "PT1D", "P1H", "--P1D", "P99999999999D", "P1DT"} {
		if got, ok := ical.ParseDuration(bad); ok {
			t.Errorf("%q is %v", bad, got)
		}
	}
}

// A VTIMEZONE tells the offset of each hour of many years as the zone itself does.
func TestTimeZones(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago", "Africa/Casablanca", "Asia/Jerusalem", "Pacific/Kiritimati"} {
		t.Run(name, func(t *testing.T) {
			location, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			shifts := expand(t, ical.TimeZone(name, location))
			for at := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2037; at = at.Add(7 * time.Hour) {
				_, want := at.In(location).Zone()
				if got := offsetAt(shifts, at); got != want {
					t.Fatalf("at %s the offset is %d, want %d", at, got, want)
				}
			}
		})
	}
}

// onset is a moment from which on an offset holds.
type onset struct {
	at     time.Time
	offset int
}

func offsetAt(all []onset, at time.Time) (offset int) {
	for _, o := range all {
		if o.at.After(at) {
			return offset
		}
		offset = o.offset
	}
	return offset
}

// expand computes the onsets of a VTIMEZONE up to 2037, for the rules that it writes.
func expand(t *testing.T, zone *ical.Component) (all []onset) {
	t.Helper()
	seconds := func(text string) int {
		d, err := time.ParseDuration(text[1:3] + "h" + text[3:5] + "m")
		if err != nil {
			t.Fatal(err)
		}
		if text[0] == '-' {
			d = -d
		}
		return int(d.Seconds())
	}
	for _, c := range zone.Components("") {
		from, to := seconds(c.Property("TZOFFSETFROM").Value), seconds(c.Property("TZOFFSETTO").Value)
		first, _ := c.Property("DTSTART").Time()
		days := []time.Time{first.Wall}
		if p := c.Property("RDATE"); p != nil {
			for _, day := range p.Times() {
				days = append(days, day.Wall)
			}
		}
		if p := c.Property("RRULE"); p != nil {
			_, by, _ := strings.Cut(p.Value, "BYDAY=")
			for year := first.Wall.Year() + 1; year <= 2037; year++ {
				days = append(days, nth(first.Wall, year, strings.TrimRight(by, "MOTUWEHFRSA")))
			}
		}
		for _, day := range days {
			all = append(all, onset{day.Add(-time.Duration(from) * time.Second), to})
		}
	}
	slices.SortFunc(all, func(a, b onset) int { return a.at.Compare(b.at) })
	return all
}

// nth returns the nth day of a month that is of the same day of the week.
func nth(like time.Time, year int, n string) time.Time {
	day := time.Date(year, like.Month(), 1, like.Hour(), like.Minute(), like.Second(), 0, time.UTC)
	for day.Weekday() != like.Weekday() {
		day = day.AddDate(0, 0, 1)
	}
	if n == "-1" {
		for day.AddDate(0, 0, 7).Month() == like.Month() {
			day = day.AddDate(0, 0, 7)
		}
		return day
	}
	return day.AddDate(0, 0, 7*int(n[0]-'1'))
}
