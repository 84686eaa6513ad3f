package todo

import (
	"errors"
	"testing"
	"time"
	_ "time/tzdata"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	location, err := Location(name)
	if err != nil {
		t.Fatal(name, err)
	}
	return location
}

func TestDueReadsBackAsItWasWritten(t *testing.T) {
	for text, zone := range map[string]string{
		"2026-11-30": "", "1970-01-01": "", "2199-12-31": "", "2026-11-30T09:00": "", "2026-11-30T09:00:30": "",
		"2026-11-30T00:00": "Europe/Berlin", "2024-02-29T23:59:59": "Pacific/Kiritimati",
	} {
		d, err := ParseDue(text, zone)
		if err != nil || d.String() != text || d.Zone != zone || d.Timed != (len(text) > 10) {
			t.Errorf("%s is %+v, %s, %v", text, d, d, err)
		}
	}
	if d, err := ParseDue("2026-11-30T09:00:00", ""); err != nil || d.String() != "2026-11-30T09:00" {
		t.Errorf("%s %v", d, err)
	}
}

func TestDueRefusesWhatIsNoDate(t *testing.T) {
	for _, c := range []struct {
		text, zone string
		want       error
	}{
		{"2026-11-30T09:00Z", "", errOffset}, {"2026-11-30T09:00:00+02:00", "Europe/Berlin", errOffset}, {"2026-11-30T09:00:00.5Z", "", errOffset},
		{"2026-02-30", "", errDueForm}, {"2025-02-29", "", errDueForm}, {"2026-13-01", "", errDueForm}, {"tomorrow", "", errDueForm}, {"", "", errDueForm},
		{"2026-11-30 09:00", "", errDueForm}, {"2026-11-30T24:00", "", errDueForm}, {"2026-11-30T09:60", "", errDueForm}, {"２０２６-11-30", "", errDueForm},
		{"1969-12-31", "", errYear}, {"2200-01-01", "", errYear}, {"0000-01-01", "", errYear},
		{"2026-11-30", "Europe/Berlin", errZoneDay}, {"2026-11-30T09:00", "Mars/Olympus", errZone}, {"2026-11-30T09:00", "Local", errZone},
		{"2026-11-30T09:00", "../etc/passwd", errZone}, {"2026-11-30T09:00", "/etc/localtime", errZone},
	} {
		if d, err := ParseDue(c.text, c.zone); !errors.Is(err, c.want) {
			t.Errorf("%q in %q is %s, %v, want %v", c.text, c.zone, d, err, c.want)
		}
	}
}

// The times that a clock skips or shows twice, in zones with every kind of change.
func TestMomentsOfWallClocks(t *testing.T) {
	for _, c := range []struct{ zone, wall, want string }{
		{"Europe/Berlin", "2026-11-30T09:00", "2026-11-30T08:00:00Z"},
		{"Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:30:00Z"}, // skipped: 03:30
		{"Europe/Berlin", "2026-03-29T01:59", "2026-03-29T00:59:00Z"}, {"Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00:00Z"},
		{"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30:00Z"}, // twice: the first
		{"Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00:00Z"}, {"Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59:00Z"},
		{"America/New_York", "2026-03-08T02:30", "2026-03-08T07:30:00Z"}, {"America/New_York", "2026-11-01T01:30", "2026-11-01T05:30:00Z"},
		{"Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:45:00Z"}, // half an hour is skipped
		{"Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-04T14:45:00Z"}, // and comes twice
		{"Asia/Kathmandu", "2026-06-01T12:00", "2026-06-01T06:15:00Z"}, {"Pacific/Kiritimati", "2026-06-01T12:00", "2026-05-31T22:00:00Z"},
		{"Etc/GMT+12", "2026-06-01T12:00", "2026-06-02T00:00:00Z"}, {"Africa/Casablanca", "2026-06-01T12:00", "2026-06-01T11:00:00Z"},
		{"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T22:00:00Z"}, // a day that never was
		{"", "2026-06-01T12:00", "2026-06-01T12:00:00Z"},
	} {
		d, err := ParseDue(c.wall, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := Moment(d.Wall, zone(t, c.zone)).Format(time.RFC3339); got != c.want {
			t.Errorf("%s in %s is %s, want %s", c.wall, c.zone, got, c.want)
		}
	}
}

// What a clock shows at the moment when it shows a time is that time, for all
// times that it shows.
func TestWallIsTheOppositeOfMoment(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Chatham", "Asia/Tehran", ""} {
		location := zone(t, name)
		for moment := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); moment.Year() == 2026; moment = moment.Add(30 * time.Minute) {
			wall := Wall(moment, location)
			if again := Moment(wall, location); Wall(again, location) != wall || again.After(moment) {
				t.Fatalf("%s shows %s at %s, and that at %s", name, wall, moment, again)
			}
		}
	}
}

func TestOverdueGoesByTheReadersClock(t *testing.T) {
	now := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		due, dueZone, reader string
		want                 bool
	}{
		{"2026-11-30", "", "", false}, {"2026-11-29", "", "", true}, {"2026-11-30", "", "Europe/Berlin", true},
		{"2026-11-30", "", "Etc/GMT+12", false}, {"2026-11-30", "", "Pacific/Kiritimati", true}, {"2026-12-01", "", "Pacific/Kiritimati", false},
		{"2026-11-30T23:30", "", "", true}, {"2026-11-30T23:31", "", "", false}, {"2026-12-01T00:30", "", "Europe/Berlin", true},
		{"2026-12-01T00:30", "Europe/Berlin", "Pacific/Kiritimati", true}, {"2026-12-01T00:31", "Europe/Berlin", "Pacific/Kiritimati", false},
	} {
		d, err := ParseDue(c.due, c.dueZone)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Overdue(now, zone(t, c.reader)); got != c.want {
			t.Errorf("%s %s for %s: %t", c.due, c.dueZone, c.reader, got)
		}
	}
}

func TestDaysComeAfterTheirTimes(t *testing.T) {
	order := []string{"2026-11-29", "2026-11-30T00:00", "2026-11-30T23:59:59", "2026-11-30", "2026-12-01T00:00"}
	var last time.Time
	for _, text := range order {
		d, err := ParseDue(text, "")
		if err != nil || !d.Order().After(last) {
			t.Errorf("%s: %s is not after %s (%v)", text, d.Order(), last, err)
		}
		last = d.Order()
	}
	timed, _ := ParseDue("2026-11-30T09:15", "Europe/Berlin")
	if moved := timed.On(time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)); moved.String() != "2027-01-04T09:15" || moved.Zone != timed.Zone {
		t.Errorf("%+v", moved)
	}
}

func FuzzDue(f *testing.F) {
	f.Add("2026-11-30T09:00", "Europe/Berlin")
	f.Add("2026-11-30", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		d, err := ParseDue(text, name)
		if err != nil {
			return
		}
		again, err := ParseDue(d.String(), d.Zone)
		if err != nil || again != d {
			t.Errorf("%q is %s, and that %+v, %v", text, d, again, err)
		}
		d.Moment()
		d.Order()
	})
}
