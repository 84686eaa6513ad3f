package api_test

import (
	"database/sql"
	"fmt"
	"strings"
	"taskapi/app/store"
	"testing"
	"time"
)

// fires are the moments at which the reminders of a task fire, by who has them; "-" is never.
func (s *server) fires(id int64, p person) string {
	s.t.Helper()
	var all []string
	s.db.Each(s.t, `SELECT fires_at FROM reminders WHERE task_id = ? AND user_id = ? ORDER BY id`, []any{id, p.id}, func(row store.Row) error {
		var at sql.NullInt64
		err := row.Scan(&at)
		text := "-"
		if at.Valid {
			text = time.UnixMilli(at.Int64).UTC().Format("01-02T15:04")
		}
		all = append(all, text)
		return err
	})
	return strings.Join(all, " ")
}

// When a reminder fires: before a moment, before what one's own clock shows, before 09:00 of
// a day, or at a moment.
func TestWhenRemindersFire(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, c := range []struct{ zone, due, reminder, want string }{
		{"UTC", `"2027-03-10T12:00","due_zone":"Europe/Berlin"`, `{"before":"PT30M"}`, "03-10T10:30"}, {"Asia/Kathmandu", `"2027-03-10T12:00","due_zone":"Europe/Berlin"`, `{"before":"PT0S"}`, "03-10T11:00"},
		{"Asia/Kathmandu", `"2027-03-10T12:00"`, `{"before":"P1D"}`, "03-09T06:15"}, {"Asia/Kathmandu", `"2027-03-10"`, `{"before":"PT1H"}`, "03-10T02:15"}, {"Pacific/Kiritimati", `"2027-03-10"`, `{"before":"PT0S"}`, "03-09T19:00"},
		{"Etc/GMT+12", `"2027-03-10"`, `{"before":"P30D"}`, "02-08T21:00"}, {"Europe/Berlin", `"2027-03-28T02:30"`, `{"before":"PT0S"}`, "03-28T01:30"}, {"Europe/Berlin", `"2027-10-31T02:30"`, `{"before":"PT0S"}`, "10-31T00:30"},
		{"Etc/GMT+12", `null`, `{"at":"2027-03-10T12:00:00+05:45"}`, "03-10T06:15"}, {"UTC", `"2027-03-10"`, `{"at":"2026-01-01T00:00:00Z"}`, "01-01T00:00"},
	} {
		s.inZone(ann, c.zone)
		id := s.made(ann, `{"title":"t","due":%s,"reminders":[%s]}`, c.due, c.reminder).id("task.id")
		if got := s.fires(id, ann); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestRemindersThatAreRefused(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for body, code := range map[string]string{
		`"reminders":[{"before":"PT30M"}]`: "reminder_needs_due", `"due":"2027-03-10","reminders":[{"before":"P31D"}]`: "validation_failed", `"due":"2027-03-10","reminders":[{"before":"-PT5M"}]`: "validation_failed",
		`"due":"2027-03-10","reminders":[{"before":"PT5M","at":"2027-03-10T12:00:00Z"}]`: "validation_failed", `"reminders":[{}]`: "validation_failed", `"reminders":[{"at":"2027-03-10"}]`: "validation_failed",
		`"reminders":[{"at":"2027-03-10T12:00:00"}]`: "validation_failed", `"reminders":[{"at":"1969-12-31T12:00:00Z"}]`: "validation_failed", `"reminders":{"at":"2027-03-10T12:00:00Z"}`: "validation_failed", `"reminders":["PT5M"]`: "validation_failed",
		`"reminders":[{"at":5}]`: "validation_failed", `"reminders":[[]]`: "validation_failed", `"reminders":[{"before":{"a":"b"}}]`: "validation_failed", `"due":"2027-03-10","reminders":[` + strings.Repeat(`{"before":"PT5M"},`, 5) + `{"before":"PT6M"}]`: "validation_failed",
	} {
		if a := s.call("POST", "/tasks/", ann.access, `{"title":"t",`+body+`}`); a.status != 422 || a.str("code") != code || a.str("errors.reminders") == "" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	s.made(ann, `{"title":"t","due":"2027-03-10","reminders":[%s{"before":"PT6M"}]}`, strings.Repeat(`{"before":"PT5M"},`, 4))
	id := s.task(ann, "t")
	if a := s.call("PATCH", fmt.Sprint("/tasks/", id), ann.access, `{"reminders":[{"before":"PT5M"}]}`); a.status != 422 || a.str("code") != "reminder_needs_due" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// Reminders move with the date, go silent with a completed task, sound again with an open
// one, and the relative ones go with the date.
func TestRemindersFollowTheirTask(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id := s.made(ann, `{"title":"t","due":"2027-03-10T12:00","due_zone":"UTC","reminders":[{"before":"PT30M"},{"at":"2027-03-01T10:00:00Z"}]}`).id("task.id")
	for _, c := range []struct{ body, want string }{
		{`{"title":"u"}`, "03-10T11:30 03-01T10:00"}, {`{"due":"2027-03-11T12:00"}`, "03-11T11:30 03-01T10:00"}, {`{"due_zone":"Europe/Berlin"}`, "03-11T10:30 03-01T10:00"}, {`{"due":"2026-01-01T00:00"}`, "12-31T22:30 03-01T10:00"},
		{`{"completed":true}`, "- -"}, {`{"due":"2027-03-12"}`, "- -"}, {`{"completed":false}`, "03-12T08:30 03-01T10:00"}, {`{"due":null}`, "03-01T10:00"}, {`{"due":"2027-03-12"}`, "03-01T10:00"},
		{`{"reminders":[{"before":"PT1H"}]}`, "03-12T08:00"}, {`{"due":null}`, ""}, {`{"reminders":[{"at":"2027-03-01T10:00:00Z"}]}`, "03-01T10:00"}, {`{"reminders":null}`, ""},
	} {
		a := s.changed(ann, id, "%s", c.body)
		read := s.got(ann, id)
		if got := s.fires(id, ann); got != c.want || fmt.Sprint(a.at("task.reminders")) != fmt.Sprint(read.at("reminders")) || len(read.at("reminders").([]any)) != len(strings.Fields(c.want)) {
			t.Errorf("%s: %s, want %s; answered %v, read %v", c.body, got, c.want, a.at("task.reminders"), read.at("reminders"))
		}
		if a.header.Get("ETag") != read.header.Get("ETag") {
			t.Errorf("%s: answered as %s, read as %s", c.body, a.header.Get("ETag"), read.header.Get("ETag"))
		}
	}
}

// A reminder goes by the clock of the person, also of a person who moves.
func TestRemindersFollowThePersonsZone(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	day := s.made(ann, `{"title":"t","due":"2027-03-10","reminders":[{"before":"PT0S"},{"at":"2027-03-01T10:00:00Z"}]}`).id("task.id")
	moment := s.made(ann, `{"title":"t","due":"2027-03-10T12:00","due_zone":"UTC","reminders":[{"before":"PT0S"}]}`).id("task.id")
	done := s.made(ann, `{"title":"t","due":"2027-03-10","reminders":[{"before":"PT0S"}]}`).id("task.id")
	s.changed(ann, done, `{"completed":true}`)
	version := s.got(ann, day).header.Get("ETag")
	s.inZone(ann, "Asia/Kathmandu")
	if got := s.fires(day, ann) + ", " + s.fires(moment, ann) + ", " + s.fires(done, ann); got != "03-10T03:15 03-01T10:00, 03-10T12:00, -" {
		t.Errorf("%s", got)
	}
	if got := s.got(ann, day).header.Get("ETag"); got != version {
		t.Errorf("the task has not changed, but is %s, was %s", got, version)
	}
}

// Each repetition reminds again; the copy that is kept does not.
func TestRemindersOfEachRepetition(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01T12:00","due_zone":"Europe/Berlin","recurrence":"FREQ=WEEKLY","reminders":[{"before":"PT30M"}]}`).id("task.id")
	for _, want := range []string{"03-08T10:30", "03-15T10:30", "03-22T10:30", "03-29T09:30"} { // summer time
		a := s.changed(ann, id, `{"completed":true}`)
		if got, copied := s.fires(id, ann), s.fires(a.id("completed_copy.id"), ann); got != want || copied != "" || len(a.at("completed_copy.reminders").([]any)) != 0 || len(a.at("task.reminders").([]any)) != 1 {
			t.Errorf("%s, and of the copy %q, want %s: %s", got, copied, want, a.text)
		}
	}
}

// What is deleted reminds nobody, and what comes back reminds again.
func TestRemindersOfADeletedTask(t *testing.T) {
	s := start(t)
	people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former")}
	list := s.share(people)
	owner, viewer := people["owner"], people["viewer"]
	id := s.made(owner, `{"title":"t","due":"2027-03-10","list_id":%d,"reminders":[{"before":"PT30M"},{"at":"2027-03-01T10:00:00Z"}]}`, list).id("task.id")
	s.changed(viewer, id, `{"reminders":[{"before":"PT1H"}]}`)
	both := func(when, want, viewers string) {
		t.Helper()
		if got, theirs := s.fires(id, owner), s.fires(id, viewer); got != want || theirs != viewers {
			t.Errorf("%s: %q and %q, want %q and %q", when, got, theirs, want, viewers)
		}
	}
	both("made", "03-10T08:30 03-01T10:00", "03-10T08:00")
	if got := len(s.got(people["editor"], id).at("reminders").([]any)); got != 0 {
		t.Errorf("the editor has %d reminders of others", got)
	}
	path := fmt.Sprint("/tasks/", id)
	s.call("DELETE", path, owner.access, "")
	both("deleted", "", "")
	a := s.call("POST", path+"/restore", owner.access, "")
	both("restored", "03-10T08:30 03-01T10:00", "03-10T08:00")
	if read := s.got(owner, id); fmt.Sprint(a.at("task.reminders")) != fmt.Sprint(read.at("reminders")) || a.header.Get("ETag") != read.header.Get("ETag") {
		t.Errorf("answered %s %s, read %s %s", a.header.Get("ETag"), a.text, read.header.Get("ETag"), read.text)
	}
	s.changed(people["editor"], id, `{"due":"2027-03-20"}`)
	both("moved by another", "03-20T08:30 03-01T10:00", "03-20T08:00")
	s.call("DELETE", fmt.Sprintf("/lists/%d/members/%d", list, viewer.id), viewer.access, "")
	both("left", "03-20T08:30 03-01T10:00", "")
	s.changed(people["editor"], id, `{"due":null}`)
	both("without a date", "03-01T10:00", "")
	s.call("DELETE", path+"?permanent=true", owner.access, "")
	both("removed", "", "")
}

// A viewer has reminders of their own and changes nothing else; a task moved to a list of
// which one is no member reminds one no more.
func TestRemindersOfThoseWhoOnlyRead(t *testing.T) {
	s := start(t)
	people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former")}
	list := s.share(people)
	viewer := people["viewer"]
	parent := s.made(people["owner"], `{"title":"t","list_id":%d}`, list).id("task.id")
	child := s.made(people["owner"], `{"title":"t","due":"2027-03-10","parent_id":%d}`, parent).id("task.id")
	grandchild := s.made(people["owner"], `{"title":"t","due":"2027-03-10","parent_id":%d}`, child).id("task.id")
	for _, id := range []int64{child, grandchild} {
		s.changed(viewer, id, `{"reminders":[{"before":"PT0S"}]}`)
	}
	if a := s.call("PATCH", fmt.Sprint("/tasks/", child), viewer.access, `{"reminders":[],"title":"mine"}`); a.status != 403 || s.fires(child, viewer) != "03-10T09:00" {
		t.Errorf("%d %s", a.status, a.text)
	}
	inbox := s.call("GET", "/lists/", people["owner"].access, "").json["lists"].([]any)[0].(map[string]any)["id"]
	s.changed(people["owner"], parent, `{"list_id":%v}`, inbox)
	if a, b := s.fires(child, viewer), s.fires(grandchild, viewer); a != "" || b != "" {
		t.Errorf("still reminded at %s and %s", a, b)
	}
}
