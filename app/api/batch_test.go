package api_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/sqlite"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/app/todo"
)

// fragile is a store that panics at a task of some title, while it is told to.
type fragile struct {
	todo.TaskStore
	broken *atomic.Bool
}

func (f fragile) CreateTask(ctx context.Context, by app.Caller, n todo.NewTask) (todo.Task, error) {
	task, err := f.TaskStore.CreateTask(ctx, by, n)
	if n.Title == "fragile" && f.broken.Load() {
		panic("out of hand")
	}
	return task, err
}

// A batch in which something panics does nothing, says so, and does all of it when the same
// request is sent again later.
func TestABatchThatPanics(t *testing.T) {
	var broken atomic.Bool
	s := start(t, func(p *parts) { p.api.Tasks.Store = fragile{p.api.Tasks.Store, &broken} })
	ann := s.signUp("ann")
	good, bad := asked("POST", "/tasks/", map[string]any{"title": "t"}), asked("POST", "/tasks/", map[string]any{"title": "fragile"})
	for _, atomic := range []bool{true, false} {
		for at, requests := range [][]map[string]any{{bad, good, good}, {good, bad, good}, {good, good, bad}} {
			key, body, before := fmt.Sprint("key ", atomic, at), batchOf(atomic, requests...), total(s, ann)
			key = strings.ReplaceAll(key, " ", "-")
			broken.Store(true)
			if status, _, text := ask(t, s, "POST", "/batch", ann.access, body, "Idempotency-Key", key); status != 500 || !strings.Contains(text, `"code":"internal_error"`) || total(s, ann) != before {
				t.Errorf("atomic %t, at %d: %d %s, %d tasks of %d", atomic, at, status, text, total(s, ann), before)
			}
			broken.Store(false)
			a := s.keyed("POST", "/batch", ann.access, key, body)
			if a.status != 200 || a.header.Get("Idempotency-Replayed") != "" || total(s, ann) != before+3 {
				t.Errorf("atomic %t, at %d, later: %d %s, %d tasks", atomic, at, a.status, a.text, total(s, ann))
			}
		}
	}
}

// A batch makes, changes, moves, completes, deletes, restores and deletes the same task, each
// on what was before it.
func TestABatchAboutOneTask(t *testing.T) {
	g := startTrio(t)
	uid := "0197a0c0-0000-7000-8000-000000000001"
	task := "/tasks/" + uid
	all := []map[string]any{
		asked("POST", "/tasks/", map[string]any{"uid": uid, "title": "one", "labels": []string{"home"}}), asked("PATCH", task, map[string]any{"title": "two"}),
		asked("POST", task+"/move", map[string]any{"list_id": g.list}), asked("PATCH", task, map[string]any{"completed": true, "labels_add": []string{"work"}}),
		asked("DELETE", task, nil), asked("POST", task+"/restore", nil), asked("PATCH", task, map[string]any{"completed": false}), asked("DELETE", task+"?permanent=true", nil),
	}
	for n := 1; n <= len(all); n++ {
		a := g.call("POST", "/batch", g.owner.access, batchOf(true, all[:n]...))
		if a.status != 200 || len(rows(a, "responses")) != n {
			t.Fatalf("the first %d: %d %s", n, a.status, a.text)
		}
		read := g.call("GET", task, g.editor.access, "")
		switch live := n != 5 && n != 8; {
		case n < 3: // it is not shared yet
			expect(t, "read", read, 404, "task_not_found")
		case !live:
			expect(t, "deleted", read, 404, "task_not_found")
		case read.status != 200 || read.str("title") != "two" || read.id("list_id") != g.list || read.at("completed") != (n == 4 || n == 6):
			t.Errorf("after %d: %d %s", n, read.status, read.text)
		}
		if n < len(all) {
			expect(t, "for good", g.call("DELETE", task+"?permanent=true", g.owner.access, ""), 200, "")
		}
	}
}

// After a restore the numbers of versions are given again, and so every tag and cursor from
// before is refused: of what was undone, and of what is as it was.
func TestNothingFromBeforeARestoreIsTakenForAnotherState(t *testing.T) {
	now := &life{TB: t}
	s := start(now)
	path, backup := s.db.SQLite(t, "another engine has backups of its own").Path(), filepath.Join(t.TempDir(), "backup.db")
	ann := s.signUp("ann")
	first := s.call("POST", "/tasks/", ann.access, `{"title":"one","due":"2030-01-02"}`)
	s.call("POST", "/tasks/", ann.access, `{"title":"two","due":"2030-01-02"}`)
	task := fmt.Sprint("/tasks/", first.id("task.id"))
	cursors := func() [2]string {
		return [2]string{
			"/tasks/?completed=false&sort=due&per_page=1&after=" + s.call("GET", "/tasks/?completed=false&sort=due&per_page=1&after=0", ann.access, "").str("pagination.next_after"),
			"/sync?since=" + s.call("GET", "/sync", ann.access, "").str("cursor"),
		}
	}
	before := cursors()
	_, err := sqlite.Backup(t.Context(), sqlite.BackupOptions{From: path, To: backup, Now: time.Now()})
	must(t, err)
	undone := s.call("PATCH", task, ann.access, `{"title":"undone"}`)
	after := cursors()
	now.end()
	_, err = sqlite.Restore(t.Context(), sqlite.RestoreOptions{From: backup, Path: path, Schema: sqlitetest.Schema(t), Now: time.Now()})
	must(t, err)

	s = startOn(t, s.db.Another)
	ann = s.login("ann")
	other := s.call("PATCH", task, ann.access, `{"description":"another change"}`)
	if other.id("task.version") != undone.id("task.version") {
		t.Fatalf("the version %d is not given again: %d", undone.id("task.version"), other.id("task.version"))
	}
	for what, tag := range map[string]string{"from before the backup": first.header.Get("ETag"), "of what was undone": undone.header.Get("ETag")} {
		for _, method := range []string{"PATCH", "DELETE"} {
			status, etag, text := ask(t, s, method, task, ann.access, map[string]string{"PATCH": `{"title":"x"}`}[method], "If-Match", tag)
			if status != 412 || etag != other.header.Get("ETag") || !strings.Contains(text, `"title":"one"`) {
				t.Errorf("%s with a tag %s: %d %s", method, what, status, text)
			}
		}
		if status, _, _ := ask(t, s, "GET", task, ann.access, "", "If-None-Match", tag); status != 200 {
			t.Errorf("read with a tag %s: %d", what, status)
		}
	}
	for _, cursor := range []string{before[0], after[0]} {
		expect(t, cursor, s.call("GET", cursor, ann.access, ""), 400, "cursor_expired")
	}
	for _, cursor := range []string{before[1], after[1]} {
		expect(t, cursor, s.call("GET", cursor, ann.access, ""), 410, "sync_expired")
	}
}
