package todo

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"taskapi/app"
)

func repeating(t testing.TB, text, zone, ruleText string, fromCompletion bool) Task {
	t.Helper()
	task := Task{Dates: Dates{Due: due(t, text, zone)}}
	task.Repetition = Repetition{Rule: rule(t, ruleText, task.Dates.Due).String(), FromCompletion: fromCompletion, Start: task.Dates.Due}
	return task
}

func moment(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A start moves by as many days as the due does, and a rule without an end never ends in the
// past, whatever the zone.
func TestNextDatesComeAfterNow(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	zones := []string{"", "Europe/Berlin", "Etc/GMT+12", "Pacific/Kiritimati", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"}
	rules := []string{"FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=3;BYDAY=SA,MO", "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=DAILY;INTERVAL=11"}
	for range 3000 {
		reader := zone(t, zones[random.IntN(len(zones))])
		dueZone := zones[random.IntN(len(zones))]
		day := time.Date(2027, 1, 1+random.IntN(700), 0, 0, 0, 0, time.UTC)
		text := day.Format(formDay)
		if random.IntN(2) == 0 {
			dueZone = ""
		} else {
			text = day.Add(time.Duration(random.IntN(1440)) * time.Minute).Format(formMinutes)
		}
		now := day.Add(time.Duration(random.IntN(100*24*60)-30*24*60) * time.Minute)
		task := repeating(t, text, dueZone, rules[random.IntN(len(rules))], random.IntN(3) == 0)
		task.Dates.Start = task.Dates.Due.On(task.Dates.Due.Day().AddDate(0, 0, -2))
		next, moved := task.Done(now, reader)
		switch {
		case !moved || next.Completed() || next.Dates.Due.Overdue(now, reader):
			t.Fatalf("%s %s %+v done at %s in %s: %s", text, dueZone, task.Repetition, now, reader, next.Dates.Due)
		case !next.Dates.Due.Timed && !next.Dates.Due.Day().After(Wall(now, reader).Truncate(oneDay)):
			t.Fatalf("%s is today again at %s in %s", next.Dates.Due, now, reader)
		case !task.Repetition.FromCompletion && !next.Dates.Due.Wall.After(task.Dates.Due.Wall):
			t.Fatalf("%s leads back to %s", text, next.Dates.Due)
		case next.Dates.Due.Day().Sub(next.Dates.Start.Day()) != 2*oneDay || next.Dates.Due.Wall.Sub(next.Dates.Due.Day()) != task.Dates.Due.Wall.Sub(task.Dates.Due.Day()):
			t.Fatalf("%s begins %s", next.Dates.Due, next.Dates.Start)
		}
	}
}

// COUNT counts the dates that passed unseen as well, and an undone one is not used up.
func TestCountsRunDown(t *testing.T) {
	for _, c := range []struct {
		rule           string
		fromCompletion bool
		now, want      string
	}{
		{"FREQ=DAILY;COUNT=5", false, "2027-03-01T10:00:00Z", "FREQ=DAILY;COUNT=4"}, {"FREQ=DAILY;COUNT=5", false, "2027-03-03T10:00:00Z", "FREQ=DAILY;COUNT=2"}, {"FREQ=DAILY;COUNT=5", false, "2027-03-04T10:00:00Z", "FREQ=DAILY;COUNT=1"},
		{"FREQ=DAILY;COUNT=5", false, "2027-03-05T10:00:00Z", ""}, {"FREQ=DAILY;COUNT=1", false, "2027-03-01T10:00:00Z", ""}, {"FREQ=DAILY;COUNT=5", true, "2027-03-20T10:00:00Z", "FREQ=DAILY;COUNT=4"},
		{"FREQ=DAILY;COUNT=1", true, "2027-03-20T10:00:00Z", ""}, {"FREQ=DAILY;UNTIL=20270302", false, "2027-03-01T10:00:00Z", "FREQ=DAILY;UNTIL=20270302"}, {"FREQ=DAILY;UNTIL=20270302", false, "2027-03-02T10:00:00Z", ""},
	} {
		task := repeating(t, "2027-03-01", "", c.rule, c.fromCompletion)
		next, moved := task.Done(moment(t, c.now), time.UTC)
		if moved != (c.want != "") || moved && next.Repetition.Rule != c.want || !moved && !next.Completed() {
			t.Errorf("%+v: %+v, %t", c, next.Repetition, moved)
		}
		if !moved {
			continue
		}
		copied := CopyOf(task, moment(t, c.now))
		again, moved := next.MovedBack(Task{Dates: copied.Dates, Was: copied.Was}).Done(moment(t, c.now), time.UTC)
		if !moved || again.Repetition != next.Repetition || again.Dates != next.Dates {
			t.Errorf("%+v: undone and done again it is %+v, was %+v", c, again.Repetition, next.Repetition)
		}
	}
}

// What a change makes of a repetition.
func TestChangesOfARepetition(t *testing.T) {
	const never, needs = "recurrence_never", "recurrence_needs_due"
	field := func(text string) app.Field[string] { return said(text, "-", "-").Due }
	for _, c := range []struct{ due, rule, from, want, start string }{
		{"2027-03-01", "-", "-", "FREQ=WEEKLY", "2027-02-22"}, {"2027-03-03", "-", "-", "FREQ=WEEKLY", "2027-02-22"}, {"2027-03-03", "freq=weekly", "-", "FREQ=WEEKLY", "2027-02-22"}, {"2027-03-03", "FREQ=WEEKLY;INTERVAL=1", "due", "FREQ=WEEKLY", "2027-02-22"},
		{"2027-03-03", "FREQ=DAILY", "-", "FREQ=DAILY", "2027-03-03"}, {"2027-03-03T09:00", "-", "-", "FREQ=WEEKLY", "2027-03-03T09:00"}, {"", "-", "-", "", ""}, {"2027-03-03", "null", "-", "", ""}, {"2027-03-03", "null", "null", "", ""},
		{"2027-01-31", "FREQ=MONTHLY", "-", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1", "2027-01-31"}, {"2027-01-31", "FREQ=MONTHLY", "completion", "FREQ=MONTHLY", "2027-01-31"},
		{"", "FREQ=DAILY", "-", needs, ""}, {"2027-03-03", "FREQ=DAILY;UNTIL=20270301", "-", never, ""}, {"2027-03-03", "FREQ=DAILY;BYMONTHDAY=30;BYMONTH=2", "-", never, ""}, {"2027-03-03", "FREQ=DAILY;UNTIL=20270303", "-", "FREQ=DAILY;UNTIL=20270303", "2027-03-03"},
		{"2027-03-03", "null", "completion", app.CodeValidation, ""}, {"2027-03-03", "FREQ=HOURLY", "-", app.CodeValidation, ""}, {"2027-03-03", "-", "start", app.CodeValidation, ""},
	} {
		d, p := Due{}, app.Problems{}
		if c.due != "" {
			d = due(t, c.due, "")
		}
		change := RepetitionInput{field(c.rule), field(c.from)}.read(p)
		before := Repetition{Rule: "FREQ=WEEKLY", Start: due(t, "2027-02-22", "")}
		got, err := change.apply(before, d)
		if err == nil {
			err = p.Err()
		}
		var wrong *app.Error
		if errors.As(err, &wrong) {
			if wrong.Code != c.want {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		start := ""
		if !got.Start.IsZero() {
			start = got.Start.String()
		}
		if got.Rule != c.want || start != c.start {
			t.Errorf("%+v: %s from %s", c, got.Rule, start)
		}
	}
}

// A date may be moved by hand beyond the end of its rule.
func TestTheLastDateMayBePutOff(t *testing.T) {
	task := repeating(t, "2027-03-01", "", "FREQ=DAILY;UNTIL=20270301", false)
	got, err := (*repetitionChange)(nil).apply(task.Repetition, due(t, "2027-03-09", ""))
	if err != nil || got != task.Repetition {
		t.Errorf("%+v, %v", got, err)
	}
}

// Who sends back a task that has moved on since completes nothing more, and keeps the rest of
// the change.
func TestAnOccurrenceIsCompletedOnce(t *testing.T) {
	yes, no, title := true, false, "new"
	task := repeating(t, "2027-03-02", "", "FREQ=DAILY", false)
	last := Task{Dates: Dates{Due: due(t, "2027-03-01", "")}}
	for name, c := range map[string]struct {
		done *bool
		due  string
		once bool
	}{
		"what was read before": {&yes, "2027-03-01", true}, "what is there": {&yes, "2027-03-02", false}, "no date": {&yes, "-", false}, "no date any more": {&yes, "null", false}, "another date": {&yes, "2027-03-05", false},
		"a time on that day": {&yes, "2027-03-01T00:00", false}, "opened": {&no, "2027-03-01", false}, "only moved": {nil, "2027-03-01", false},
	} {
		change := TaskChange{Title: &title, Completed: c.done, Now: time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC), Dates: said(c.due, "-", "-").read(app.Problems{})}
		got, _ := change.Once(task, last, false)
		if once := got.Completed == nil && got.Dates == nil; c.done != nil && once != c.once || got.Title == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
