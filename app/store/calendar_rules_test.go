package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

func TestAlarmsAreEachPersonsOwn(t *testing.T) {
	d := openDAV(t)
	alarm := func(x string) string {
		return "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:" + x + "\r\nTRIGGER;RELATED=END:-PT" + x + "M\r\nX-OWN:" + x + "\r\nEND:VALARM"
	}
	hers := vtodo("UID:u", "SUMMARY:x", "DUE:20270101T000000Z", alarm("10"), alarm("20"))
	his := vtodo("UID:u", "SUMMARY:x", "DUE:20270101T000000Z", alarm("30"))
	d.put("o", hers)
	if tag := d.putAs(d.ben, d.uid, "o", his); tag == "" {
		t.Error("ben's is not given back as it is")
	}
	if got := d.get("o"); string(got.Text) != hers {
		t.Errorf("ann reads\n%s", got.Text)
	}
	if got := d.getAs(d.ben, d.uid, "o"); string(got.Text) != his {
		t.Errorf("ben reads\n%s", got.Text)
	}
	task := d.task("u")
	if len(task.Reminders) != 2 || task.Reminders[0].Before != 10*time.Minute {
		t.Errorf("%v", task.Reminders)
	}
	// One is removed and one added elsewhere; what stays, stays as it was.
	d.update("u", todo.TaskInput{Reminders: app.Given([]map[string]string{{"before": "PT20M"}, {"at": "2026-12-01T08:00:00Z"}})})
	got := string(d.get("o").Text)
	if strings.Contains(got, "X-OWN:10") || !strings.Contains(got, alarm("20")) || !strings.Contains(got, "TRIGGER;VALUE=DATE-TIME:20261201T080000Z\r\n") {
		t.Errorf("%s", got)
	}
	// Who leaves the list takes the alarms along.
	d.ok(d.lists.RemoveMember(d.Context(), d.ben, todo.ByID(d.list), d.ben.UserID))
	if n := d.db.Count(t, `SELECT count(*) FROM task_alarms`); n != 1 {
		t.Errorf("%d people have alarms", n)
	}
}

func TestAViewerPutsNothing(t *testing.T) {
	d := openDAV(t)
	text := vtodo("UID:u", "SUMMARY:x")
	d.put("o", text)
	_, err := d.lists.ChangeMember(d.Context(), d.ann, todo.ByID(d.list), d.ben.UserID, app.Given("viewer"))
	d.ok(err)
	_, _, err = d.calendars.Put(d.Context(), d.ben, d.uid, "o", []byte(text), todo.CalendarCondition{})
	if !errors.Is(err, todo.ErrReadOnlyList) {
		t.Error(err)
	}
	if err := d.calendars.Delete(d.Context(), d.ben, d.uid, "o", ""); !errors.Is(err, todo.ErrReadOnlyList) {
		t.Error(err)
	}
	if got := d.getAs(d.ben, d.uid, "o"); string(got.Text) != text {
		t.Error("a viewer can't read")
	}
	stranger := app.Caller{UserID: 4711, Role: app.RoleUser}
	if err := d.calendars.Objects(d.Context(), stranger, d.uid, todo.CalendarQuery{}, nil); !errors.Is(err, todo.ErrListNotFound) {
		t.Error(err)
	}
}

func TestSubtasksInEitherOrder(t *testing.T) {
	child := vtodo("UID:child", "SUMMARY:c", "RELATED-TO:parent", "X-A:1")
	parent := vtodo("UID:parent", "SUMMARY:p")
	for _, first := range []string{"parent", "child"} {
		t.Run(first+" first", func(t *testing.T) {
			d := openDAV(t)
			texts := map[string]string{"parent": parent, "child": child}
			d.put(first, texts[first])
			for name, text := range texts {
				if d.put(name, text); string(d.get(name).Text) != text {
					t.Errorf("%s", d.get(name).Text)
				}
			}
			if got, want := d.task("child").ParentID, d.task("parent").ID; got != want {
				t.Errorf("it is below %d, want %d", got, want)
			}
			if n := d.db.Count(t, `SELECT count(*) FROM tasks`); n != 2 {
				t.Errorf("%d tasks", n)
			}
			d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "parent", ""))
			if lifted := d.task("child"); lifted.ParentID != 0 || string(d.get("child").Text) != child {
				t.Errorf("%+v\n%s", lifted, d.get("child").Text)
			}
			d.put("parent-again", parent)
			if got, want := d.task("child").ParentID, d.task("parent").ID; got != want {
				t.Errorf("made again, it is below %d, want %d", got, want)
			}
			// Put elsewhere by the JSON API, it does not go back.
			d.update("child", todo.TaskInput{Parent: app.Field[todo.Ref]{State: app.Null}, Title: app.Given("top")})
			if got := string(d.get("child").Text); strings.Contains(got, "RELATED-TO") || !strings.Contains(got, "X-A:1") {
				t.Errorf("%s", got)
			}
		})
	}
}

func TestSubtasksThatAreTooDeep(t *testing.T) {
	d := openDAV(t)
	for i := range 7 {
		text := vtodo(fmt.Sprintf("UID:level%d", i), "SUMMARY:x", fmt.Sprintf("RELATED-TO;RELTYPE=PARENT:level%d", i-1))
		d.put(fmt.Sprintf("level%d.ics", i), text)
		if got := d.get(fmt.Sprintf("level%d.ics", i)); string(got.Text) != text {
			t.Errorf("%s", got.Text)
		}
	}
	deepest := d.task(fmt.Sprintf("level%d", todo.MaxDepth-2)).ID
	for i := todo.MaxDepth - 1; i < 7; i++ {
		if task := d.task(fmt.Sprintf("level%d", i)); task.ParentID != deepest {
			t.Errorf("level %d is below %d, want %d", i, task.ParentID, deepest)
		}
	}
	d.put("level0.ics", vtodo("UID:level0", "SUMMARY:x", "RELATED-TO:level2")) // a circle
	if task := d.task("level0"); task.ParentID != 0 {
		t.Error(task.ParentID)
	}
	d.put("self", vtodo("UID:self", "SUMMARY:x", "RELATED-TO:self"))
}

func TestARepetitionMovesOn(t *testing.T) {
	d := openDAV(t)
	d.now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	lines := []string{"UID:u", "SUMMARY:x", "DTSTART;VALUE=DATE:20261129", "DUE;VALUE=DATE:20261129", "RRULE:FREQ=DAILY", "EXDATE;VALUE=DATE:20261130,20261201", "X-A:1"}
	if tag := d.put("o", vtodo(append(lines, "STATUS:NEEDS-ACTION")...)); tag == "" {
		t.Error("no tag for what is kept as it is")
	}
	done := vtodo(append(lines, "STATUS:COMPLETED", "COMPLETED:20261129T115900Z", "PERCENT-COMPLETE:100")...)
	if tag := d.put("o", done); tag != "" {
		t.Errorf("the tag %s for what was moved on", tag)
	}
	got := string(d.get("o").Text)
	for _, want := range []string{"DUE;VALUE=DATE:20261202\r\n", "DTSTART;VALUE=DATE:20261202\r\n", "STATUS:NEEDS-ACTION\r\n", "RRULE:FREQ=DAILY\r\n", "X-A:1\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "COMPLETED") {
		t.Errorf("%s", got)
	}
	if n := len(d.all(d.ann, d.uid, todo.CalendarQuery{})); n != 1 {
		t.Errorf("%d objects: copies are none", n)
	}
	// The answer was lost, and the client says it again.
	d.put("o", done)
	if again := string(d.get("o").Text); !strings.Contains(again, "DUE;VALUE=DATE:20261202\r\n") {
		t.Errorf("%s", again)
	}
	// Completed by the JSON API, it skips what is excepted as well.
	d.now = d.now.Add(24 * time.Hour)
	d.put("o", strings.Replace(string(d.get("o").Text), "20261130,20261201", "20261203", 1))
	d.update("u", todo.TaskInput{Completed: app.Given(true)})
	if got := string(d.get("o").Text); !strings.Contains(got, "DUE;VALUE=DATE:20261204\r\n") {
		t.Errorf("%s", got)
	}
}

// What is not computed is kept. Only an app can complete such a task, since that ends all of it.
func TestRepetitionsThatAreKeptOnly(t *testing.T) {
	d := openDAV(t)
	for i, lines := range [][]string{
		{"RRULE:FREQ=DAILY", "RDATE:20270101T000000Z"}, {"RRULE:FREQ=HOURLY"}, {"RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"},
		{"RRULE:FREQ=DAILY", "EXRULE:FREQ=WEEKLY"}, {"RDATE:20270101T000000Z"}, {"RRULE:FREQ=DAILY;BYHOUR=9"}, {"DTSTART:20261125T000000Z", "RRULE:FREQ=WEEKLY;BYWEEKNO=2"},
	} {
		uid := fmt.Sprintf("u%d", i)
		text := vtodo(append([]string{"UID:" + uid, "SUMMARY:x", "DUE:20261130T000000Z"}, lines...)...)
		d.put(uid, text)
		if task := d.task(uid); task.Repetition.Rule != "" {
			t.Errorf("%v: %v", lines, task.Repetition)
		}
		d.onlyInApp(uid, text)
		d.put(uid, strings.Replace(text, "SUMMARY", "STATUS:COMPLETED\r\nSUMMARY", 1))
		if !d.task(uid).Completed() {
			t.Errorf("%v moves on", lines)
		}
	}
	undated := vtodo("UID:undated", "SUMMARY:x", "RRULE:FREQ=DAILY")
	d.put("undated", undated)
	d.onlyInApp("undated", undated)
	many := strings.Replace(vtodo("UID:many", "SUMMARY:x", "DUE:20261130T000000Z", "RRULE:FREQ=DAILY"), "END:VCALENDAR",
		"BEGIN:VTODO\r\nUID:many\r\nRECURRENCE-ID:20261201T000000Z\r\nSUMMARY:y\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:PT0S\r\nEND:VALARM\r\nEND:VTODO\r\nEND:VCALENDAR", 1)
	d.put("many", many)
	d.onlyInApp("many", many)
	if task := d.task("many"); task.Title != "x" || task.Repetition.Rule != "" {
		t.Errorf("%+v", task)
	}
	if got := string(d.getAs(d.ben, d.uid, "many").Text); strings.Contains(got, "VALARM") || !strings.Contains(got, "SUMMARY:y") {
		t.Errorf("ben reads\n%s", got)
	}
}

// onlyInApp checks that the JSON API does not complete a task, and leaves its object alone.
func (d *dav) onlyInApp(uid, text string) {
	d.Helper()
	_, err := d.tasks.Update(d.Context(), d.ann, todo.Ref{UID: uid}, todo.TaskInput{Title: app.Given("new"), Completed: app.Given(true)})
	if !errors.Is(err, todo.ErrRepeatsInApp) {
		d.Errorf("%s: %v", text, err)
	}
	if got := string(d.get(uid).Text); got != text {
		d.Errorf("%s\nbecame\n%s", text, got)
	}
}

func TestWhatIsRefused(t *testing.T) {
	d := openDAV(t)
	good := vtodo("UID:u", "SUMMARY:x")
	for what, want := range map[string]error{
		"": todo.ErrCalendarData, "BEGIN:VCALENDAR\r\n": todo.ErrCalendarData, strings.Replace(good, "SUMMARY:x", "no line", 1): todo.ErrCalendarData,
		strings.Replace(good, "SUMMARY:x", "SUMMARY:\x00", 1): todo.ErrCalendarData,
		strings.Replace(good, "SUMMARY:x", "SUMMARY:\xff", 1): todo.ErrCalendarData,
		good + good: todo.ErrCalendarData,
		strings.ReplaceAll(good, "VTODO", "VEVENT"):                                                                          todo.ErrCalendarComponent,
		strings.ReplaceAll(good, "VTODO", "X-NOTHING"):                                                                       todo.ErrCalendarObject,
		strings.Replace(good, "UID:u\r\n", "", 1):                                                                            todo.ErrCalendarObject,
		strings.Replace(good, "UID:u", "UID:u\r\nUID:v", 1):                                                                  todo.ErrCalendarObject,
		strings.Replace(good, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:PUBLISH", 1):                                             todo.ErrCalendarObject,
		strings.Replace(good, "SUMMARY:x", "ATTACH;ENCODING=BASE64;VALUE=BINARY:AAAA", 1):                                    todo.ErrCalendarTooLarge,
		strings.Replace(good, "SUMMARY:x", "DESCRIPTION:"+strings.Repeat("x", todo.MaxDescription+1), 1):                     todo.ErrCalendarTooLarge,
		strings.Replace(good, "SUMMARY:x", "X-A:"+strings.Repeat("x", todo.MaxCalendarObject), 1):                            todo.ErrCalendarTooLarge,
		strings.Replace(good, "SUMMARY:x", strings.Repeat("X-A:1\r\n", 1000)+"X-B:1", 1):                                     todo.ErrCalendarTooLarge,
		strings.Replace(good, "SUMMARY:x", strings.Repeat("BEGIN:X-A\r\n", 20)+strings.Repeat("END:X-A\r\n", 20)+"X-B:1", 1): todo.ErrCalendarData,
	} {
		if _, _, err := d.calendars.Put(d.Context(), d.ann, d.uid, "o", []byte(what), todo.CalendarCondition{}); !errors.Is(err, want) {
			t.Errorf("%.200q: %v, want %v", what, err, want)
		}
	}
	if n := len(d.all(d.ann, d.uid, todo.CalendarQuery{})); n != 0 {
		t.Errorf("%d objects are left", n)
	}
}

func TestQueries(t *testing.T) {
	d := openDAV(t)
	d.put("open", vtodo("UID:open", "SUMMARY:x", "DUE:20261130T080000Z"))
	d.put("done", vtodo("UID:done", "SUMMARY:x", "STATUS:COMPLETED", "COMPLETED:20251230T080000Z"))
	d.put("daily", vtodo("UID:daily", "SUMMARY:x", "DUE:20261101T080000Z", "RRULE:FREQ=DAILY;COUNT=40"))
	d.put("never", vtodo("UID:never", "SUMMARY:x"))
	at := func(day int) time.Time { return time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC) }
	yes, no := true, false
	for _, one := range []struct {
		q    todo.CalendarQuery
		want string
	}{
		{todo.CalendarQuery{}, "daily done never open"},
		{todo.CalendarQuery{Completed: &no}, "daily never open"},
		{todo.CalendarQuery{Completed: &yes}, "done"},
		{todo.CalendarQuery{Names: []string{"open", "none", "open.ics", "done"}}, "done open"},
		{todo.CalendarQuery{From: at(29), To: at(31)}, "daily never open"},
		{todo.CalendarQuery{From: at(2), To: at(3)}, "daily never"},
		{todo.CalendarQuery{From: at(1).AddDate(0, 2, 0)}, "never"},
		{todo.CalendarQuery{To: at(1).AddDate(0, -9, 0)}, "done never"},
	} {
		var names []string
		for _, name := range []string{"daily", "done", "never", "open"} {
			if _, there := d.all(d.ann, d.uid, one.q)[name]; there {
				names = append(names, name)
			}
		}
		if got := strings.Join(names, " "); got != one.want {
			t.Errorf("%+v: %s, want %s", one.q, got, one.want)
		}
	}
}

func TestCollections(t *testing.T) {
	d := openDAV(t)
	ctx := d.Context()
	name, color, order := "My tasks", "#FF0000FF", int64(7)
	d.ok(d.calendars.Make(ctx, d.ann, "chosen", &name, &color, &order))
	if err := d.calendars.Make(ctx, d.ann, "chosen", nil, nil, nil); !errors.Is(err, todo.ErrExists) {
		t.Error(err)
	}
	c, err := d.calendars.Collection(ctx, d.ann, "chosen")
	d.ok(err)
	if c.List.Name != name || c.List.Color != "#ff0000" || c.Order != 7 || c.UID != "chosen" || c.List.Role != todo.RoleOwner {
		t.Errorf("%+v", c)
	}
	token := c.Token
	name, order = "Other", -3
	d.ok(d.calendars.Change(ctx, d.ann, "chosen", &name, nil, &order))
	c, err = d.calendars.Collection(ctx, d.ann, "chosen")
	d.ok(err)
	if c.List.Name != name || c.List.Color != "#ff0000" || c.Order != -3 || c.Token == token {
		t.Errorf("%+v", c)
	}
	if err := d.calendars.Change(ctx, d.ben, d.uid, &name, nil, nil); !errors.Is(err, todo.ErrNotListOwner) {
		t.Error(err)
	}
	d.ok(d.calendars.Change(ctx, d.ben, d.uid, nil, nil, &order))
	all, err := d.calendars.Collections(ctx, d.ann)
	d.ok(err)
	if len(all) != 3 || !all[0].List.Inbox || all[1].UID != "chosen" || all[2].UID != d.uid {
		t.Errorf("%+v", all)
	}
	d.putAs(d.ann, "chosen", "o", vtodo("UID:u", "SUMMARY:x"))
	d.ok(d.calendars.Remove(ctx, d.ann, "chosen"))
	d.ok(d.calendars.Make(ctx, d.ann, "chosen", nil, nil, nil))
	if n := len(d.all(d.ann, "chosen", todo.CalendarQuery{})); n != 0 {
		t.Errorf("%d objects are in a new list", n)
	}
	d.ok(d.calendars.Remove(ctx, d.ben, d.uid))
	if _, err := d.calendars.Collection(ctx, d.ben, d.uid); !errors.Is(err, todo.ErrListNotFound) {
		t.Error(err)
	}
	if _, err := d.calendars.Collection(ctx, d.ann, d.uid); err != nil {
		t.Error("the list is gone with who has left it:", err)
	}
	if err := d.calendars.Remove(ctx, d.ann, all[0].UID); !errors.Is(err, todo.ErrInboxFixed) {
		t.Error(err)
	}
}

func TestALongSummaryIsKept(t *testing.T) {
	d := openDAV(t)
	long := strings.Repeat("word ", 40) + "end"
	text := vtodo("UID:u", "SUMMARY:"+long)
	d.put("o", text)
	if task := d.task("u"); !strings.HasSuffix(task.Title, "…") || len([]rune(task.Title)) > todo.MaxTitle {
		t.Error(task.Title)
	}
	d.update("u", todo.TaskInput{Priority: app.Given("high")})
	if got := string(d.get("o").Text); !strings.Contains(got, long) || !strings.Contains(got, "PRIORITY:1\r\n") {
		t.Errorf("%s", got)
	}
	d.update("u", todo.TaskInput{Title: app.Given("short")})
	if got := string(d.get("o").Text); strings.Contains(got, long) || !strings.Contains(got, "SUMMARY:short\r\n") {
		t.Errorf("%s", got)
	}
}
