package todo

import (
	"errors"
	"testing"
	"time"

	"taskapi/app"
)

func TestDurationsBeforeADate(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT30M": 30 * time.Minute, "P30D": 30 * oneDay, "P1W": 7 * oneDay, "P1DT2H3M4S": oneDay + 2*time.Hour + 3*time.Minute + 4*time.Second, "PT90M": 90 * time.Minute, "PT2592000S": 30 * oneDay, "P4W2D": 30 * oneDay,
	} {
		if got, ok := ParseBefore(text); !ok || got != want {
			t.Errorf("%s is %s, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "P", "PT", "P1DT", "30M", "PT30", "P31D", "PT2592001S", "-PT5M", "+PT5M", "PT1.5H", "P1Y", "P1M", "pt5m", "PT5M ", "PT-5M", "PT99999999999999999999S", "P1H", "PT1D", "PT5S5M", "P999W"} {
		if got, ok := ParseBefore(text); ok {
			t.Errorf("%q is %s", text, got)
		}
	}
	for d, want := range map[time.Duration]string{0: "PT0S", time.Second: "PT1S", 90 * time.Minute: "PT1H30M", 30 * oneDay: "P30D", oneDay + time.Second: "P1DT1S"} {
		if got := FormatBefore(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}

func TestMomentsOfReminders(t *testing.T) {
	for _, c := range []struct {
		at, before, due, dueZone, reader, want string
	}{
		{"", "PT30M", "2027-03-10T12:00", "Europe/Berlin", "Asia/Kathmandu", "2027-03-10T10:30:00Z"}, {"", "PT30M", "2027-03-10T12:00", "", "Asia/Kathmandu", "2027-03-10T05:45:00Z"},
		{"", "PT0S", "2027-03-10", "", "Etc/GMT+12", "2027-03-10T21:00:00Z"}, {"", "PT0S", "2027-03-10", "", "Pacific/Kiritimati", "2027-03-09T19:00:00Z"}, {"", "P1D", "2027-03-29", "", "Europe/Berlin", "2027-03-28T07:00:00Z"},
		{"", "PT0S", "2027-03-28T02:30", "", "Europe/Berlin", "2027-03-28T01:30:00Z"}, {"", "PT0S", "2027-10-31T02:30", "Europe/Berlin", "", "2027-10-31T00:30:00Z"}, {"", "PT0S", "2027-10-03T02:15", "", "Australia/Lord_Howe", "2027-10-02T15:45:00Z"},
		{"2027-03-10T12:00:00+01:00", "", "", "", "", "2027-03-10T11:00:00Z"}, {"2027-03-10T12:00:00.9Z", "", "2020-01-01", "", "", "2027-03-10T12:00:00Z"}, {"", "PT5M", "", "", "", "0001-01-01T00:00:00Z"},
	} {
		r, ok := ReadReminder(c.at, c.before)
		d := Due{}
		if c.due != "" {
			d = due(t, c.due, c.dueZone)
		}
		if got := r.FiresAt(d, zone(t, c.reader)).Format(time.RFC3339); !ok || got != c.want {
			t.Errorf("%+v: %s, %t", c, got, ok)
		}
	}
	for _, c := range [][2]string{{"", ""}, {"2027-03-10T12:00:00Z", "PT5M"}, {"2027-03-10", ""}, {"2200-01-01T00:00:00Z", ""}, {"1969-12-31T23:59:59Z", ""}, {"", "P1Y"}} {
		if r, ok := ReadReminder(c[0], c[1]); ok {
			t.Errorf("%q is %+v", c, r)
		}
	}
}

func TestReadReminders(t *testing.T) {
	five := []map[string]string{{"before": "PT1M"}, {"before": "PT2M"}, {"before": "PT3M"}, {"before": "PT4M"}, {"at": "2027-03-10T12:00:00Z"}}
	for name, c := range map[string]struct {
		field app.Field[[]map[string]string]
		n     int // -1: absent, -2: wrong
	}{
		"absent": {n: -1}, "null": {app.Field[[]map[string]string]{State: app.Null}, 0}, "mistyped": {app.Field[[]map[string]string]{State: app.Mistyped}, -2}, "five": {app.Given(five), 5},
		"six": {app.Given(append(five, five[0])), -2}, "none": {app.Given([]map[string]string{}), 0}, "empty": {app.Given([]map[string]string{{}}), -2},
	} {
		p := app.Problems{}
		got := readReminders(p, c.field)
		if (got == nil) != (c.n == -1) || (len(p) > 0) != (c.n == -2) || c.n >= 0 && len(*got) != c.n {
			t.Errorf("%s: %v %v", name, got, p)
		}
	}
}

// A relative reminder needs a date, goes with it, and an absolute one stays.
func TestRemindersThatLoseTheirDate(t *testing.T) {
	moment := Reminder{At: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)}
	task := Task{Dates: Dates{Due: due(t, "2027-03-10", "")}, Reminders: []Reminder{{Before: time.Hour}, moment, {}}}
	p := app.Problems{}
	after, err := TaskChange{Dates: said("null", "-", "-").read(p)}.Apply(task)
	if err != nil || len(after.Reminders) != 1 || after.Reminders[0] != moment || len(task.Reminders) != 3 {
		t.Errorf("%+v, %v", after.Reminders, err)
	}
	wanted := []Reminder{{Before: time.Hour}}
	if _, err := (TaskChange{Reminders: &wanted}).Apply(after); !errors.Is(err, ErrReminderNeedsDue) {
		t.Error(err)
	}
	if _, err := (TaskChange{Reminders: &wanted, Dates: said("2027-03-10", "-", "-").read(p)}).Apply(after); err != nil {
		t.Error(err)
	}
}

func FuzzBefore(f *testing.F) {
	f.Add("P1DT2H3M4S")
	f.Add("P4W2D")
	f.Fuzz(func(t *testing.T, text string) {
		d, ok := ParseBefore(text)
		if !ok {
			return
		}
		if again, ok := ParseBefore(FormatBefore(d)); !ok || again != d || d < 0 || d > maxBefore {
			t.Errorf("%q is %s, %s, and that %s", text, d, FormatBefore(d), again)
		}
	})
}
