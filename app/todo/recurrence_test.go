package todo

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func due(t testing.TB, text, zone string) Due {
	t.Helper()
	d, err := ParseDue(text, zone)
	if err != nil {
		t.Fatal(text, err)
	}
	return d
}

func rule(t testing.TB, text string, start Due) Recurrence {
	t.Helper()
	r, err := ParseRecurrence(text, start)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return r
}

// dates lists the first dates of a rule after its start.
func dates(r Recurrence, start Due, most int) []string {
	var all []string
	for next, ok := r.Next(start, start.Day()); ok && len(all) < most; next, ok = r.Next(start, next.Day()) {
		all = append(all, next.String())
	}
	return all
}

// 500 random rules have the dates that python3-dateutil computes; the file is made
// by .ci/recurrences.py.
func TestRulesHaveTheDatesOfDateutil(t *testing.T) {
	text, err := os.ReadFile("testdata/recurrences.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Rule, Start string
		Dates       []string
	}
	if err := json.Unmarshal(text, &cases); err != nil || len(cases) != 500 {
		t.Fatal(len(cases), err)
	}
	for _, c := range cases {
		start := due(t, c.Start, "")
		r := rule(t, c.Rule, start)
		if got := dates(r, start, 8); fmt.Sprint(got) != fmt.Sprint(c.Dates) && len(got)+len(c.Dates) > 0 {
			t.Errorf("%s from %s: %v, want %v", c.Rule, c.Start, got, c.Dates)
		}
		if again := rule(t, r.String(), start); again.String() != r.String() {
			t.Errorf("%s is %s, and that %s", c.Rule, r, again)
		}
	}
}

func TestRulesThatPeopleMake(t *testing.T) {
	for _, c := range []struct{ rule, start, want string }{
		{"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-10-30T09:00", "2026-11-30T09:00 2026-12-31T09:00 2027-01-29T09:00"}, // last working day
		{"FREQ=MONTHLY", "2026-01-31", "2026-02-28 2026-03-31 2026-04-30 2026-05-31"},
		{"FREQ=MONTHLY", "2027-12-30", "2028-01-30 2028-02-29 2028-03-30"}, {"FREQ=MONTHLY;BYMONTHDAY=31", "2026-01-31", "2026-03-31 2026-05-31 2026-07-31"},
		{"FREQ=YEARLY", "2024-02-29", "2025-02-28 2026-02-28 2027-02-28 2028-02-29"}, {"FREQ=MONTHLY;BYDAY=5FR", "2026-01-30", "2026-05-29 2026-07-31 2026-10-30"},
		{"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1997-08-10 1997-08-19 1997-08-24"}, {"FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1997-08-17 1997-08-19 1997-08-31"},
		{"FREQ=DAILY;COUNT=3", "2026-11-30", "2026-12-01 2026-12-02"}, {"FREQ=DAILY;UNTIL=20261202", "2026-11-30", "2026-12-01 2026-12-02"},
		{"freq=weekly; byday=mo", "2026-11-30", ""},
	} {
		start := due(t, c.start, "")
		r, err := ParseRecurrence(c.rule, start)
		if err != nil {
			if c.want != "" {
				t.Errorf("%s: %v", c.rule, err)
			}
			continue
		}
		if got := strings.Join(dates(r, start, strings.Count(c.want, " ")+1), " "); got != c.want {
			t.Errorf("%s from %s: %s, want %s", c.rule, c.start, got, c.want)
		}
	}
}

// UNTIL as a moment ends a rule by the clock of the task's zone.
func TestRulesThatEndAtAMoment(t *testing.T) {
	for _, c := range []struct{ until, time, zone, want string }{
		{"20261202T080000Z", "09:00", "Europe/Berlin", "2026-12-02T09:00"}, {"20261202T075959Z", "09:00", "Europe/Berlin", "2026-12-01T09:00"},
		{"20261202T235959Z", "00:30", "Pacific/Kiritimati", "2026-12-03T00:30"}, {"20261202", "23:59", "Etc/GMT+12", "2026-12-02T23:59"},
	} {
		start := due(t, "2026-11-30T"+c.time, c.zone)
		all := dates(rule(t, "FREQ=DAILY;UNTIL="+c.until, start), start, 10)
		if len(all) == 0 || all[len(all)-1] != c.want {
			t.Errorf("%+v: %v", c, all)
		}
	}
}

func TestRulesAreNormalised(t *testing.T) {
	for text, want := range map[string]string{
		"byday=mo,+1tu;freq=monthly;interval=1": "FREQ=MONTHLY;BYDAY=MO,1TU", "FREQ=DAILY;INTERVAL=01": "FREQ=DAILY",
		"COUNT=05;FREQ=YEARLY;WKST=su": "FREQ=YEARLY;WKST=SU;COUNT=5", "FREQ=MONTHLY;BYMONTHDAY=+1,-1": "FREQ=MONTHLY;BYMONTHDAY=1,-1",
	} {
		if r := rule(t, text, due(t, "2026-11-15", "")); r.String() != want {
			t.Errorf("%s is %s, want %s", text, r, want)
		}
	}
	if r := rule(t, "FREQ=MONTHLY", due(t, "2026-01-31", "")); r.String() != "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1" {
		t.Error(r)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"": "must be a rule such as", "FREQ": "must be a rule such as", "FREQ=": "must be a rule such as", "RRULE:FREQ=DAILY": "RRULE:FREQ, which is not supported",
		"INTERVAL=2": "must have FREQ", "FREQ=SECONDLY": "must have FREQ", "FREQ=HOURLY;INTERVAL=2": "must have FREQ", "FREQ=DAILY;FREQ=DAILY": "has FREQ twice",
		"FREQ=DAILY;BYHOUR=9": "the time of day is that of due", "FREQ=YEARLY;BYWEEKNO=1": "BYWEEKNO, which is not supported", "FREQ=YEARLY;BYYEARDAY=1": "not supported",
		"FREQ=DAILY;INTERVAL=0": "INTERVAL from 1 to 999", "FREQ=DAILY;INTERVAL=-1": "INTERVAL from 1", "FREQ=DAILY;INTERVAL=1000000000": "INTERVAL from 1", "FREQ=DAILY;INTERVAL=+1": "INTERVAL from 1", "FREQ=DAILY;INTERVAL=1.5": "INTERVAL from 1",
		"FREQ=DAILY;COUNT=0": "COUNT from 1 to 1000", "FREQ=DAILY;COUNT=1001": "COUNT from 1", "FREQ=DAILY;COUNT=2;UNTIL=20270101": "COUNT or UNTIL, not both",
		"FREQ=DAILY;UNTIL=tomorrow": "in UNTIL", "FREQ=DAILY;UNTIL=20270230": "in UNTIL", "FREQ=DAILY;UNTIL=20270101T000000": "in UNTIL", "FREQ=DAILY;UNTIL=2027-01-01": "in UNTIL",
		"FREQ=WEEKLY;BYDAY=1MO": "MONTHLY or YEARLY only", "FREQ=DAILY;BYDAY=-1FR": "MONTHLY or YEARLY only", "FREQ=WEEKLY;BYDAY=XX": "days such as MO", "FREQ=MONTHLY;BYDAY=54MO": "days such as MO", "FREQ=MONTHLY;BYDAY=0MO": "days such as MO", "FREQ=WEEKLY;BYDAY=,": "days such as MO", "FREQ=WEEKLY;BYDAY=M": "days such as MO", "FREQ=MONTHLY;BYDAY=+-1MO": "days such as MO",
		"FREQ=MONTHLY;BYMONTHDAY=0": "BYMONTHDAY from 1 to 31", "FREQ=MONTHLY;BYMONTHDAY=32": "BYMONTHDAY", "FREQ=MONTHLY;BYMONTHDAY=-32": "BYMONTHDAY", "FREQ=WEEKLY;BYMONTHDAY=1": "does not go with FREQ=WEEKLY",
		"FREQ=YEARLY;BYMONTH=13": "BYMONTH from 1 to 12", "FREQ=YEARLY;BYMONTH=-1": "BYMONTH from 1", "FREQ=MONTHLY;BYSETPOS=1": "BYSETPOS, which goes with", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367": "BYSETPOS from 1 to 366",
		"FREQ=DAILY;WKST=1": "WKST", "FREQ=DAILY;X-MINE=1": "X-MINE, which is not supported", "FREQ=DAILY;;": "must be a rule such as", "FREQ=WEEKLY;BYDAY=" + strings.Repeat("MO,", 31) + "MO": "at most 31 entries", "FREQ=WEEKLY;BYDAY=" + strings.Repeat("MO,", 10_000): "at most 200 characters",
	} {
		r, err := ParseRecurrence(text, due(t, "2026-11-15", ""))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s is %s, %v, want %q", text, r, err, want)
		}
	}
}

// Rules that never have a date, or seldom, end with the horizon.
func TestRulesWithoutADate(t *testing.T) {
	start := due(t, "2026-11-15", "")
	for _, text := range []string{"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;INTERVAL=999", "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2,4", "FREQ=DAILY;UNTIL=20261115", "FREQ=DAILY;COUNT=1"} {
		if next, ok := rule(t, text, start).Next(start, start.Day()); ok {
			t.Errorf("%s has %s", text, next)
		}
	}
	if _, ok := rule(t, "FREQ=DAILY", start).Next(start, start.Day().AddDate(51, 0, 0)); ok {
		t.Error("a rule goes on beyond its horizon")
	}
}

func BenchmarkNext(b *testing.B) {
	start := due(b, "2000-01-31", "")
	for _, text := range []string{"FREQ=DAILY", "FREQ=MONTHLY", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTHDAY=31;BYDAY=MO;BYSETPOS=2", "FREQ=YEARLY;INTERVAL=999", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=1MO"} {
		r := rule(b, text, start)
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				r.Next(start, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))
			}
		})
	}
}

func FuzzRecurrence(f *testing.F) {
	f.Add("FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "2026-01-31")
	f.Add("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2024-02-29")
	f.Fuzz(func(t *testing.T, text, date string) {
		start, err := ParseDue(date, "")
		if err != nil {
			return
		}
		r, err := ParseRecurrence(text, start)
		if err != nil {
			return
		}
		if again, err := ParseRecurrence(r.String(), start); err != nil || again.String() != r.String() {
			t.Errorf("%q is %q, and that %q, %v", text, r, again, err)
		}
		if next, ok := r.Next(start, start.Day()); ok && !next.Day().After(start.Day()) {
			t.Errorf("%q from %s leads back to %s", text, start, next)
		}
	})
}
