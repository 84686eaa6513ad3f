package todo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"taskapi/app"
	"taskapi/app/ical"
)

// feedOf returns what a feed has of some tasks, as it is read.
func feedOf(t *testing.T, form FeedForm, tasks ...FeedTask) (text string, cal *ical.Component) {
	t.Helper()
	f := newFeedText(FeedState{Feed: Feed{Form: form}}, Seed{})
	for _, one := range tasks {
		if !f.add(one) {
			break
		}
	}
	cal, err := ical.Parse(f.bytes())
	if err != nil {
		t.Fatalf("%v\n%s", err, f.bytes())
	}
	return string(f.bytes()), cal
}

func feedTask(uid string, change func(*Task)) FeedTask {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	task := Task{ID: 7, Title: "t", CreatedAt: at, UpdatedAt: at, Version: 3}
	if change != nil {
		change(&task)
	}
	return FeedTask{CalendarTask: CalendarTask{Task: task, UID: uid}}
}

func dueAt(t *testing.T, text, zone string) Due {
	t.Helper()
	d, err := ParseDue(text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Each date is written as RFC 5545 has it, in a task and in an event.
func TestDatesInAFeed(t *testing.T) {
	due := func(text, zone string) func(*Task) {
		return func(task *Task) { task.Dates.Due = dueAt(t, text, zone) }
	}
	both := func(start, due, zone string) func(*Task) {
		return func(task *Task) {
			task.Dates = Dates{Due: dueAt(t, due, zone), Start: dueAt(t, start, zone)}
		}
	}
	repeats := func(rule string, r func(*Repetition), inner func(*Task)) func(*Task) {
		return func(task *Task) {
			inner(task)
			task.Repetition = Repetition{Rule: rule, Start: task.Dates.Due}
			if r != nil {
				r(&task.Repetition)
			}
		}
	}
	for name, c := range map[string]struct {
		task        func(*Task)
		todo, event string // the lines about dates; no event without any
		zone        string
	}{
		"none":            {nil, "", "", ""},
		"a day":           {due("2026-11-30", ""), "DUE;VALUE=DATE:20261130", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201", ""},
		"floating":        {due("2026-11-30T09:00", ""), "DUE:20261130T090000", "DTSTART:20261130T090000", ""},
		"a moment":        {due("2026-11-30T09:00", "Europe/Berlin"), "DUE;TZID=Europe/Berlin:20261130T090000", "DTSTART;TZID=Europe/Berlin:20261130T090000", "Europe/Berlin"},
		"UTC":             {due("2026-11-30T09:00", "Etc/UTC"), "DUE:20261130T090000Z", "DTSTART:20261130T090000Z", ""},
		"several days":    {both("2026-11-28", "2026-11-30", ""), "DUE;VALUE=DATE:20261130 DTSTART;VALUE=DATE:20261128", "DTSTART;VALUE=DATE:20261128 DTEND;VALUE=DATE:20261201", ""},
		"some hours":      {both("2026-11-30T08:00", "2026-11-30T09:30", "Asia/Tokyo"), "DUE;TZID=Asia/Tokyo:20261130T093000 DTSTART;TZID=Asia/Tokyo:20261130T080000", "DTSTART;TZID=Asia/Tokyo:20261130T080000 DTEND;TZID=Asia/Tokyo:20261130T093000", "Asia/Tokyo"},
		"a start":         {func(task *Task) { task.Dates.Start = dueAt(t, "2026-11-30", "") }, "DTSTART;VALUE=DATE:20261130", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201", ""},
		"each day":        {repeats("FREQ=DAILY", nil, due("2026-11-30", "")), "DUE;VALUE=DATE:20261130 RRULE:FREQ=DAILY DTSTART;VALUE=DATE:20261130", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201 RRULE:FREQ=DAILY", ""},
		"a rule and both": {repeats("FREQ=WEEKLY;BYDAY=MO", nil, both("2026-11-28", "2026-11-30", "")), "DUE;VALUE=DATE:20261130 DTSTART;VALUE=DATE:20261128 RRULE:FREQ=WEEKLY;BYDAY=MO", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201 RRULE:FREQ=WEEKLY;BYDAY=MO", ""},
		"from completion": {repeats("FREQ=DAILY", func(r *Repetition) { r.FromCompletion = true }, due("2026-11-30", "")), "DUE;VALUE=DATE:20261130 RRULE:FREQ=DAILY DTSTART;VALUE=DATE:20261130", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201", ""},
		"until a day": {repeats("FREQ=DAILY;UNTIL=20261231", nil, due("2026-11-30T09:00", "Europe/Berlin")), "DUE;TZID=Europe/Berlin:20261130T090000 RRULE:FREQ=DAILY;UNTIL=20261231T225959Z DTSTART;TZID=Europe/Berlin:20261130T090000",
			"DTSTART;TZID=Europe/Berlin:20261130T090000 RRULE:FREQ=DAILY;UNTIL=20261231T225959Z", "Europe/Berlin"},
		"until a moment": {repeats("FREQ=DAILY;UNTIL=20261231T120000Z", nil, due("2026-11-30", "")), "DUE;VALUE=DATE:20261130 RRULE:FREQ=DAILY;UNTIL=20261231 DTSTART;VALUE=DATE:20261130", "DTSTART;VALUE=DATE:20261130 DTEND;VALUE=DATE:20261201 RRULE:FREQ=DAILY;UNTIL=20261231", ""},
		"floating until": {repeats("FREQ=DAILY;UNTIL=20261231", nil, due("2026-11-30T09:00", "")), "DUE:20261130T090000 RRULE:FREQ=DAILY;UNTIL=20261231T235959 DTSTART:20261130T090000", "DTSTART:20261130T090000 RRULE:FREQ=DAILY;UNTIL=20261231T235959", ""},
	} {
		task := feedTask("u", c.task)
		_, cal := feedOf(t, FeedBoth, task)
		lines := func(kind string) string {
			var all []string
			for _, v := range cal.Components(kind) {
				for _, p := range v.Properties("") {
					if strings.HasPrefix(p.Name, "D") && p.Name != "DTSTAMP" || p.Name == "RRULE" {
						line := p.Name
						for _, param := range p.Params {
							line += ";" + param.Name + "=" + param.Value
						}
						all = append(all, line+":"+p.Value)
					}
				}
			}
			return strings.Join(all, " ")
		}
		if got := lines("VTODO"); len(strings.Fields(got)) != len(strings.Fields(c.todo)) || !holdsAll(got, c.todo) {
			t.Errorf("%s: the task has %s, want %s", name, got, c.todo)
		}
		if got := lines("VEVENT"); got != c.event {
			t.Errorf("%s: the event has %s, want %s", name, got, c.event)
		}
		var zones []string
		for _, zone := range cal.Components("VTIMEZONE") {
			zones = append(zones, zone.Property("TZID").Value)
		}
		if got := strings.Join(zones, " "); got != c.zone {
			t.Errorf("%s: zones %q, want %q", name, got, c.zone)
		}
	}
}

func holdsAll(got, want string) bool {
	for word := range strings.FieldsSeq(want) {
		if !strings.Contains(" "+got+" ", " "+word+" ") {
			return false
		}
	}
	return true
}

// A time zone is told once, UIDs are of one task each, and what a client or one person has put
// beside stays out.
func TestWhatIsInAFeed(t *testing.T) {
	berlin := func(task *Task) {
		task.Dates.Due = dueAt(t, "2026-11-30T09:00", "Europe/Berlin")
		task.Reminders = []Reminder{{Before: time.Hour}}
	}
	first, second := feedTask("same", berlin), feedTask("same", berlin)
	second.Task.ID = 8
	first.Kept = []byte("BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:same\r\nX-PRIVATE:1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
	first.Alarms = []byte("BEGIN:VTODO\r\nBEGIN:VALARM\r\nX-PRIVATE:1\r\nEND:VALARM\r\nEND:VTODO\r\n")
	first.Exceptions = []time.Time{time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	first.Task.Repetition = Repetition{Rule: "FREQ=DAILY", Start: first.Task.Dates.Due}
	second.Task.CompletedAt = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	second.ParentUID = "same"
	text, cal := feedOf(t, FeedBoth, first, second)
	if len(cal.Components("VTIMEZONE")) != 1 || cal.Components("")[0].Name != "VTIMEZONE" {
		t.Error("not one zone, first")
	}
	uids := map[string]bool{}
	for _, v := range append(cal.Components("VTODO"), cal.Components("VEVENT")...) {
		uids[v.Property("UID").Text()] = true
	}
	if len(uids) != 4 {
		t.Errorf("UIDs: %v", uids)
	}
	for _, no := range []string{"X-PRIVATE", "VALARM", "X-APPLE"} {
		if strings.Contains(text, no) {
			t.Errorf("%s in\n%s", no, text)
		}
	}
	for _, yes := range []string{"EXDATE;TZID=Europe/Berlin:20261201T090000", "STATUS:COMPLETED", "COMPLETED:20261102T080000Z", "RELATED-TO:same", "SUMMARY:✓ t", "TRANSP:TRANSPARENT"} {
		if !strings.Contains(text, "\r\n"+yes+"\r\n") {
			t.Errorf("no %s in\n%s", yes, text)
		}
	}
	for form, want := range map[FeedForm][2]int{FeedTodo: {2, 0}, FeedEvent: {0, 2}, FeedBoth: {2, 2}} {
		_, cal := feedOf(t, form, first, second)
		if got := [2]int{len(cal.Components("VTODO")), len(cal.Components("VEVENT"))}; got != want {
			t.Errorf("%s: %v", form, got)
		}
	}
}

// A feed ends in time, with whole components, and names no zone that nothing in it uses.
func TestAFeedIsBounded(t *testing.T) {
	day := func(task *Task) { task.Dates.Due = dueAt(t, "2026-11-30", "") }
	long := func(task *Task) {
		day(task)
		task.Description = strings.Repeat("é", MaxDescription)
	}
	for name, c := range map[string]struct {
		form  FeedForm
		task  func(*Task)
		count int // 0: fewer than the most
	}{
		"tasks": {FeedTodo, day, MaxFeedComponents}, "events": {FeedEvent, day, MaxFeedComponents}, "both": {FeedBoth, day, MaxFeedComponents},
		"long tasks": {FeedTodo, long, 0}, "long events": {FeedEvent, long, 0}, "both, long": {FeedBoth, long, 0},
	} {
		var all []FeedTask
		for i := range MaxFeedComponents + 1 {
			all = append(all, feedTask(fmt.Sprint("u", i), c.task))
		}
		text, cal := feedOf(t, c.form, all...)
		todos, events := len(cal.Components("VTODO")), len(cal.Components("VEVENT"))
		if c.count != 0 && todos+events != c.count || c.form == FeedBoth && todos != events {
			t.Errorf("%s: %d tasks, %d events", name, todos, events)
		}
		if len(text) > MaxFeedBytes || c.count == 0 && len(text) < MaxFeedBytes-50<<10 {
			t.Errorf("%s: %d bytes", name, len(text))
		}
	}
	var zoned []FeedTask
	for _, zone := range []string{"Europe/Berlin", "Asia/Tokyo", "America/New_York", "Africa/Casablanca"} {
		zoned = append(zoned, feedTask(zone, func(task *Task) { task.Dates.Due = dueAt(t, "2026-11-30T09:00", zone) }))
	}
	full := newFeedText(FeedState{Feed: Feed{Form: FeedTodo}}, Seed{})
	if !full.add(zoned[0]) || !full.add(zoned[1]) {
		t.Fatal("no room")
	}
	full.size = MaxFeedBytes - 400 // room for a task, not for one with its zone
	if full.add(zoned[2]) || strings.Contains(string(full.bytes()), "New_York") {
		t.Errorf("\n%s", full.bytes())
	}
	if !full.add(feedTask("again", func(task *Task) { task.Dates.Due = dueAt(t, "2026-11-30T09:00", "Europe/Berlin") })) {
		t.Error("no room for a zone that is known")
	}
	if n := strings.Count(string(full.bytes()), "BEGIN:VTIMEZONE"); n != 2 {
		t.Errorf("%d zones", n)
	}
}

// storedFeeds keeps what is made.
type storedFeeds struct {
	FeedStore
	made []NewFeed
}

func (s *storedFeeds) CreateFeed(_ context.Context, _ app.Caller, n NewFeed) (Feed, error) {
	s.made = append(s.made, n)
	return Feed{ID: 1, Form: n.Form}, nil
}

func (s *storedFeeds) OpenFeed(_ context.Context, hash string) (FeedState, error) {
	for _, n := range s.made {
		if n.Hash == hash {
			return FeedState{Seq: 5}, nil
		}
	}
	return FeedState{}, ErrFeedNotFound
}

// What is kept of a feed is not its address, and a broken source of randomness makes none.
func TestSecretsOfFeeds(t *testing.T) {
	store := &storedFeeds{}
	now := time.Date(2026, 11, 1, 23, 59, 0, 0, time.UTC)
	feeds := &Feeds{Store: store, PublicURL: "https://x.example/todo", Lineage: "k3f9", Now: func() time.Time { return now }, Random: strings.NewReader(strings.Repeat("0123456789abcdef", 4))}
	ctx := context.Background()
	made, err := feeds.Create(ctx, app.Caller{}, app.Field[int64]{}, app.Given("todo"))
	if err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSuffix(strings.TrimPrefix(made.URL, "https://x.example/todo/feeds/"), ".ics")
	if hash := store.made[0].Hash; len(secret) != 43 || len(hash) != 43 || hash == secret {
		t.Errorf("%s is kept as %s", made.URL, hash)
	}
	state, err := feeds.Open(ctx, secret)
	if err != nil || state.ETag != `"k3f9-5.20728.2"` {
		t.Error(state.ETag, err)
	}
	now = now.Add(2 * time.Minute)
	if later, err := feeds.Open(ctx, secret); err != nil || later.ETag == state.ETag {
		t.Error("the tag outlives what was done", err)
	}
	for _, bad := range []string{"", secret[:42], secret + "\n", secret[:42] + "\n", secret + "=", store.made[0].Hash} {
		if _, err := feeds.Open(ctx, bad); !errors.Is(err, ErrFeedNotFound) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	broken := errors.New("broken")
	feeds.Random = iotest.ErrReader(broken)
	if _, err := feeds.Create(ctx, app.Caller{}, app.Field[int64]{}, app.Given("todo")); !errors.Is(err, broken) || len(store.made) != 1 {
		t.Error(err, len(store.made))
	}
}
