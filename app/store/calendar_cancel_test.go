package store_test

import (
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// A task that an app cancelled, and that was opened again, is completed and not cancelled, however it
// is completed. An undo of the opening leaves it cancelled.
func TestWhatWasCancelledIsCompleted(t *testing.T) {
	d := openDAV(t)
	shows := func(uid, want string) {
		t.Helper()
		text := string(d.get(uid).Text)
		if got := unfolded(text, "STATUS") + " " + unfolded(text, "COMPLETED"); got != want {
			t.Errorf("%s: %s, want %s", uid, got, want)
		}
	}
	d.put("parent", vtodo("UID:parent", "SUMMARY:x"))
	for _, uid := range []string{"itself", "below"} {
		lines := []string{"UID:" + uid, "SUMMARY:x", "STATUS:CANCELLED", "X-A:1"}
		if uid == "below" {
			lines = append(lines, "RELATED-TO:parent")
		}
		d.put(uid, vtodo(lines...))
		shows(uid, "STATUS:CANCELLED ")
		opened := d.update(uid, todo.TaskInput{Completed: app.Given(false)})
		shows(uid, "STATUS:NEEDS-ACTION ")
		d.now = d.now.Add(time.Minute)
		_, err := d.tasks.Undo(d.Context(), d.ann, app.Given(opened.Version))
		d.ok(err)
		shows(uid, "STATUS:CANCELLED ")
		d.update(uid, todo.TaskInput{Completed: app.Given(false)})
		d.now = d.now.Add(time.Minute)
		which := uid
		if uid == "below" {
			which = "parent"
		}
		d.update(which, todo.TaskInput{Completed: app.Given(true)})
		shows(uid, "STATUS:COMPLETED COMPLETED:"+d.now.UTC().Format("20060102T150405Z"))
		d.update(uid, todo.TaskInput{Title: app.Given("y")})
		shows(uid, "STATUS:COMPLETED COMPLETED:"+d.now.UTC().Format("20060102T150405Z"))
	}
}

// A feed says of what was cancelled that it was, and of nothing else.
func TestWhatWasCancelledInAFeed(t *testing.T) {
	d := openDAV(t)
	feeds := &todo.Feeds{Store: d.db, Lineage: d.db.Lineage(), Seed: d.db.Seed(), Now: func() time.Time { return d.now }, Random: strings.NewReader(strings.Repeat("x", 64))}
	made, err := feeds.Create(d.Context(), d.ann, app.Field[int64]{}, app.Given("both"))
	d.ok(err)
	_, secret, _ := strings.Cut(strings.TrimSuffix(made.URL, ".ics"), "/feeds/")
	read := func(cancelled, ticks int) {
		t.Helper()
		state, err := feeds.Open(d.Context(), secret)
		d.ok(err)
		text, err := feeds.Text(d.Context(), state)
		d.ok(err)
		if strings.Count(string(text), "STATUS:CANCELLED\r\n") != cancelled || strings.Count(string(text), "SUMMARY:✓") != ticks {
			t.Errorf("not %d cancelled and %d with a tick:\n%s", cancelled, ticks, text)
		}
	}
	d.put("a", vtodo("UID:a", "SUMMARY:x", "STATUS:cancelled", "DUE:20270101T000000Z"))
	d.put("b", vtodo("UID:b", "SUMMARY:x", "STATUS:COMPLETED", "DUE:20270101T000000Z"))
	read(2, 1)
	d.update("a", todo.TaskInput{Completed: app.Given(false)})
	read(0, 1)
	d.now = d.now.Add(time.Minute)
	d.update("a", todo.TaskInput{Completed: app.Given(true)})
	read(0, 2)
}
