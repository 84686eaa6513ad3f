package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// dated returns what an object says of its dates, in the order of names.
func dated(text string) string {
	var all []string
	_, text, _ = strings.Cut(text, "BEGIN:VTODO")
	for _, name := range []string{"DTSTART", "DUE", "RRULE", "STATUS"} {
		if line := unfolded(text, name); line != "" {
			all = append(all, strings.TrimPrefix(line, name))
		}
	}
	return strings.Join(all, " ")
}

// A rule counts from DTSTART, and each due keeps its distance. Completed by the JSON API, a task
// moves on as an app would move it; undone, it is back where it was.
func TestASeriesIsFollowedFromItsStart(t *testing.T) {
	for name, c := range map[string]struct {
		lines string
		rule  string // what the JSON API shows
		want  []string
	}{
		"a start that the rule has": {"DTSTART;VALUE=DATE:20261130 DUE;VALUE=DATE:20261204 RRULE:FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261207 ;VALUE=DATE:20261211 :FREQ=WEEKLY;BYDAY=MO", ";VALUE=DATE:20261214 ;VALUE=DATE:20261218 :FREQ=WEEKLY;BYDAY=MO"}},
		"only a due that the rule has": {"DTSTART;VALUE=DATE:20261206 DUE;VALUE=DATE:20261207 RRULE:FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO", []string{
			";VALUE=DATE:20261213 ;VALUE=DATE:20261214 :FREQ=WEEKLY;BYDAY=MO"}},
		"no date of the rule": {"DTSTART;VALUE=DATE:20261203 DUE;VALUE=DATE:20261205 RRULE:FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261207 ;VALUE=DATE:20261209 :FREQ=WEEKLY;BYDAY=MO"}},
		"no parts": {"DTSTART;VALUE=DATE:20261130 DUE;VALUE=DATE:20261204 RRULE:FREQ=WEEKLY;INTERVAL=2", "FREQ=WEEKLY;INTERVAL=2", []string{
			";VALUE=DATE:20261214 ;VALUE=DATE:20261218 :FREQ=WEEKLY;INTERVAL=2"}},
		"the first of a month": {"DTSTART;VALUE=DATE:20261201 DUE;VALUE=DATE:20261205 RRULE:FREQ=MONTHLY;BYMONTHDAY=1", "", []string{
			";VALUE=DATE:20270101 ;VALUE=DATE:20270105 :FREQ=MONTHLY;BYMONTHDAY=1"}},
		"beyond the end of a month": {"DTSTART;VALUE=DATE:20270130 DUE;VALUE=DATE:20270202 RRULE:FREQ=MONTHLY", "", []string{
			";VALUE=DATE:20270330 ;VALUE=DATE:20270402 :FREQ=MONTHLY"}}, // February has no 30th
		"times": {"DTSTART;TZID=Europe/Berlin:20270326T220000 DUE;TZID=Europe/Berlin:20270328T070000 RRULE:FREQ=WEEKLY;BYDAY=FR", "", []string{
			";TZID=Europe/Berlin:20270402T220000 ;TZID=Europe/Berlin:20270404T070000 :FREQ=WEEKLY;BYDAY=FR"}},
		"no due": {"DTSTART;TZID=Europe/Berlin:20261201T090000 RRULE:FREQ=DAILY", "", []string{
			";TZID=Europe/Berlin:20261202T090000 :FREQ=DAILY"}},
		"no due, in UTC": {"DTSTART:20261201T090000Z RRULE:FREQ=DAILY EXDATE:20261202T090000Z", "", []string{":20261203T090000Z :FREQ=DAILY"}},
		"a number of times": {"DTSTART;VALUE=DATE:20261130 DUE;VALUE=DATE:20261204 RRULE:COUNT=3;FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261207 ;VALUE=DATE:20261211 :FREQ=WEEKLY;BYDAY=MO;COUNT=2", ";VALUE=DATE:20261214 ;VALUE=DATE:20261218 :FREQ=WEEKLY;BYDAY=MO;COUNT=1", "done"}},
		"an end": {"DTSTART;VALUE=DATE:20261130 DUE;VALUE=DATE:20261204 RRULE:FREQ=DAILY;UNTIL=20261201", "", []string{
			";VALUE=DATE:20261201 ;VALUE=DATE:20261205 :FREQ=DAILY;UNTIL=20261201", "done"}},
		"late": {"DTSTART;VALUE=DATE:20261005 DUE;VALUE=DATE:20261009 RRULE:FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261130 ;VALUE=DATE:20261204 :FREQ=WEEKLY;BYDAY=MO"}},
		"late, and the next is under way": {"DTSTART;VALUE=DATE:20261005 DUE;VALUE=DATE:20261016 RRULE:FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261123 ;VALUE=DATE:20261204 :FREQ=WEEKLY;BYDAY=MO"}},
		"a duration": {"DTSTART;VALUE=DATE:20261130 DURATION:P4D RRULE:FREQ=WEEKLY;BYDAY=MO", "", []string{
			";VALUE=DATE:20261207 ;VALUE=DATE:20261211 :FREQ=WEEKLY;BYDAY=MO"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDAV(t)
			d.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) // a Sunday
			d.put("o", strings.Replace(vtodo(append([]string{"UID:u", "SUMMARY:x", "X-A:1"}, strings.Fields(c.lines)...)...), "BEGIN:VTODO", berlin+"BEGIN:VTODO", 1))
			if got := d.task("u").Repetition.Rule; got != c.rule {
				t.Fatalf("the rule %q, want %q", got, c.rule)
			}
			for _, want := range c.want {
				before := string(d.get("o").Text)
				updated, err := d.tasks.Update(d.Context(), d.ann, todo.Ref{UID: "u"}, todo.TaskInput{Completed: app.Given(true)})
				d.ok(err)
				if want == "done" {
					if !updated.Completed() || updated.Copy != nil {
						t.Errorf("it goes on: %s", d.get("o").Text)
					}
					break
				}
				after := string(d.get("o").Text)
				if got := dated(after); got != want || updated.Completed() || !strings.Contains(after, "X-A:1") {
					t.Fatalf("%s, want %s", got, want)
				}
				// Whoever is late with the same tick completes no other one.
				d.update("u", todo.TaskInput{Completed: app.Given(true)})
				if got := dated(string(d.get("o").Text)); got != want {
					t.Fatalf("ticked twice: %s, want %s", got, want)
				}
				back, err := d.tasks.Update(d.Context(), d.ann, todo.ByID(updated.Copy.ID), todo.TaskInput{Completed: app.Given(false)})
				d.ok(err)
				if got := dated(string(d.get("o").Text)); !sameDates(got, dated(before)) || back.Repetition.Rule != c.rule {
					t.Fatalf("back at %s, want %s", got, dated(before))
				}
				d.now = d.now.Add(time.Minute)
				undone := d.update("u", todo.TaskInput{Completed: app.Given(true)})
				_, err = d.tasks.Undo(d.Context(), d.ann, app.Given(undone.Version))
				d.ok(err)
				if got := dated(string(d.get("o").Text)); !sameDates(got, dated(before)) {
					t.Fatalf("undone to %s, want %s", got, dated(before))
				}
				d.now = d.now.Add(time.Minute)
				d.update("u", todo.TaskInput{Completed: app.Given(true)})
				d.now = d.now.Add(time.Minute)
				// What was read is put as it is, and nothing is lost of what is to come.
				if text := string(d.get("o").Text); d.put("o", text) == "" || string(d.get("o").Text) != text {
					t.Fatalf("%s\nis not kept as it is", text)
				}
			}
		})
	}
}

// sameDates reports whether two objects say the same of their dates, with a rule in any order and a
// duration in place of a due.
func sameDates(a, b string) bool {
	plain := func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, ":COUNT=3;FREQ=WEEKLY;BYDAY=MO", ":FREQ=WEEKLY;BYDAY=MO;COUNT=3"), ";VALUE=DATE:20261130 ;VALUE=DATE:20261204", ";VALUE=DATE:20261130")
	}
	return plain(a) == plain(b)
}

// What the JSON API does to the dates of a series does not end it: moved by hand, one occurrence is;
// without its start it goes by its due, and where nobody can tell the next date, by its app alone.
func TestDatesOfASeriesAreChangedElsewhere(t *testing.T) {
	text, none := app.Given[string], app.Field[string]{State: app.Null}
	for name, c := range map[string]struct {
		rule string
		in   todo.DatesInput
		want string // empty: it is refused
	}{
		"moved by hand":         {"FREQ=WEEKLY;BYDAY=MO;COUNT=3", todo.DatesInput{Start: text("2026-12-01"), Due: text("2026-12-04")}, ";VALUE=DATE:20261207 ;VALUE=DATE:20261210 :FREQ=WEEKLY;BYDAY=MO;COUNT=2"},
		"with a time of day":    {"FREQ=WEEKLY;BYDAY=MO;COUNT=3", todo.DatesInput{Start: text("2026-11-30T09:00"), Due: text("2026-12-04T10:00"), Zone: text("Europe/Berlin")}, ";TZID=Europe/Berlin:20261207T090000 ;TZID=Europe/Berlin:20261211T100000 :FREQ=WEEKLY;BYDAY=MO;COUNT=2"},
		"without a start":       {"FREQ=WEEKLY;BYDAY=MO", todo.DatesInput{Start: none}, ";VALUE=DATE:20261207 :FREQ=WEEKLY;BYDAY=MO"},
		"without its number":    {"FREQ=WEEKLY;BYDAY=MO;COUNT=3", todo.DatesInput{Start: none}, ""},
		"without a due":         {"FREQ=WEEKLY;BYDAY=MO;COUNT=3", todo.DatesInput{Due: none}, ";VALUE=DATE:20261207 :FREQ=WEEKLY;BYDAY=MO;COUNT=2"},
		"without both":          {"FREQ=WEEKLY;BYDAY=MO", todo.DatesInput{Due: none, Start: none}, ""},
		"at the end of the age": {"FREQ=WEEKLY;BYDAY=MO", todo.DatesInput{Start: text("2199-12-30"), Due: text("2199-12-31")}, "done"},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDAV(t)
			d.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
			d.put("u", vtodo("UID:u", "SUMMARY:x", "DTSTART;VALUE=DATE:20261130", "DUE;VALUE=DATE:20261204", "RRULE:"+c.rule))
			d.update("u", todo.TaskInput{Dates: c.in})
			if c.want == "" {
				d.onlyInApp("u", string(d.get("u").Text))
				return
			}
			after := d.update("u", todo.TaskInput{Completed: app.Given(true)})
			if got := dated(string(d.get("u").Text)); got != c.want && (c.want != "done" || !after.Completed()) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// An app that completes such a task moves it on like the JSON API, also when it says so twice.
func TestAnAppCompletesASeries(t *testing.T) {
	d := openDAV(t)
	d.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	open := vtodo("UID:u", "SUMMARY:x", "DTSTART;VALUE=DATE:20261130", "DUE;VALUE=DATE:20261204", "RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=9")
	d.put("o", open)
	done := strings.Replace(open, "SUMMARY", "STATUS:COMPLETED\r\nSUMMARY", 1)
	for range 2 {
		if tag := d.put("o", done); tag != "" {
			t.Errorf("the tag %s for what was moved on", tag)
		}
		if got, want := dated(string(d.get("o").Text)), ";VALUE=DATE:20261207 ;VALUE=DATE:20261211 :FREQ=WEEKLY;BYDAY=MO;COUNT=8 :NEEDS-ACTION"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		d.now = d.now.Add(time.Minute)
	}
}

// override is an occurrence with a VTODO of its own.
func override(lines ...string) string {
	return "BEGIN:VTODO\r\nUID:u\r\nSUMMARY:x\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VTODO\r\n"
}

// Some apps complete an occurrence by a VTODO of its own. The task is then the first that is open,
// and the JSON API goes on from there; what the app has written stays as it is.
func TestOccurrencesThatAreDoneByThemselves(t *testing.T) {
	d := openDAV(t)
	d.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	text := vtodo("UID:u", "SUMMARY:x", "DTSTART;TZID=Europe/Berlin:20261201T090000", "DUE;TZID=Europe/Berlin:20261201T100000", "RRULE:FREQ=DAILY;COUNT=6",
		"EXDATE;TZID=Europe/Berlin:20261203T090000")
	add := func(lines ...string) {
		text = strings.Replace(text, "END:VCALENDAR", override(lines...)+"END:VCALENDAR", 1)
	}
	due := func(want string) {
		t.Helper()
		if task := d.task("u"); task.Completed() || task.Dates.Due.String() != want+"T10:00" || task.Dates.Start.String() != want+"T09:00" {
			t.Errorf("%+v, want %s", task.Dates, want)
		}
	}
	d.put("u", text)
	due("2026-12-01")
	for _, one := range [][2]string{{"RECURRENCE-ID;TZID=Europe/Berlin:20261201T090000", "2026-12-02"}, {"RECURRENCE-ID:20261202T080000Z", "2026-12-04"}} {
		add(one[0], "STATUS:COMPLETED", "COMPLETED:20261129T100000Z", "DUE:20270101T000000Z")
		if d.put("u", text) == "" || string(d.get("u").Text) != text {
			t.Errorf("not as it was put:\n%s", d.get("u").Text)
		}
		due(one[1])
	}
	ticked := d.update("u", todo.TaskInput{Completed: app.Given(true)})
	due("2026-12-05")
	after := string(d.get("u").Text)
	if got, want := dated(after), ";TZID=Europe/Berlin:20261205T090000 ;TZID=Europe/Berlin:20261205T100000 :FREQ=DAILY;COUNT=2"; !strings.HasPrefix(got, want) || strings.Count(after, "RECURRENCE-ID") != 2 {
		t.Errorf("%s, want %s in\n%s", got, want, after)
	}
	if d.put("u", after) == "" || string(d.get("u").Text) != after {
		t.Errorf("%s\nis not kept as it is", after)
	}
	due("2026-12-05")
	d.put("u", text)
	due("2026-12-04")
	d.now = d.now.Add(time.Minute)
	ticked = d.update("u", todo.TaskInput{Completed: app.Given(true)})
	_, err := d.tasks.Undo(d.Context(), d.ann, app.Given(ticked.Version))
	d.ok(err)
	due("2026-12-04")
	if got := untouched(string(d.get("u").Text), nil); !slices.Equal(got, untouched(text, nil)) {
		t.Errorf("undone to\n%s", strings.Join(got, ""))
	}
	// One date of the two that is changed takes the other along, which is not in the object.
	d.update("u", todo.TaskInput{Dates: todo.DatesInput{Due: app.Given("2026-12-04T11:00")}})
	if got, want := dated(string(d.get("u").Text)), ";TZID=Europe/Berlin:20261204T090000 ;TZID=Europe/Berlin:20261204T110000 :FREQ=DAILY;COUNT=3"; !strings.HasPrefix(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}

// Where an occurrence says anything else than that it is done, or all are done, only the app knows
// what comes next.
func TestOccurrencesThatOnlyTheAppKnows(t *testing.T) {
	for name, c := range map[string]struct{ start, rule, more string }{
		"open":                {"DTSTART:20261201T090000Z", "FREQ=DAILY", override("RECURRENCE-ID:20261201T090000Z")},
		"one is open":         {"DTSTART:20261201T090000Z", "FREQ=DAILY", override("RECURRENCE-ID:20261201T090000Z", "STATUS:COMPLETED") + override("RECURRENCE-ID:20261202T090000Z")},
		"all that follow":     {"DTSTART:20261201T090000Z", "FREQ=DAILY", override("RECURRENCE-ID;RANGE=THISANDFUTURE:20261201T090000Z", "STATUS:COMPLETED")},
		"all are done":        {"DTSTART:20261201T090000Z", "FREQ=DAILY;COUNT=1", override("RECURRENCE-ID:20261201T090000Z", "STATUS:COMPLETED")},
		"no start":            {"X-A:1", "FREQ=DAILY", override("RECURRENCE-ID:20261201T090000Z", "STATUS:COMPLETED")},
		"no date of the rule": {"DTSTART:20261201T090000Z", "FREQ=WEEKLY;BYDAY=MO", override("RECURRENCE-ID:20261201T090000Z", "STATUS:COMPLETED")},
		"an unknown rule":     {"DTSTART:20261201T090000Z", "FREQ=HOURLY", override("RECURRENCE-ID:20261201T090000Z", "STATUS:COMPLETED")},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDAV(t)
			text := strings.Replace(vtodo("UID:u", "SUMMARY:x", c.start, "DUE:20261201T100000Z", "RRULE:"+c.rule), "END:VCALENDAR", c.more+"END:VCALENDAR", 1)
			d.put("u", text)
			d.onlyInApp("u", text)
		})
	}
}
