package sqlite

import (
	"os"
	"strings"
	"taskapi/app"
	"taskapi/app/todo"
	"testing"
)

// An upgrade from version 4 gives everybody an Inbox with their tasks, whose ids, times and
// states stay; no id is given again, and the words of all are found before and after they
// are collected.
func TestAnUpgradePutsEveryTaskIntoAnInbox(t *testing.T) {
	old, err := os.ReadFile("testdata/schema-4.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := build(t, string(old)+`
		INSERT INTO users (id, username, email, email_key, password_hash, role, created_at) VALUES
			(7, 'ann', 'a@example.com', 'a@example.com', '`+testHash+`', 'admin', 5), (9, 'ben', 'b@example.com', 'b@example.com', '`+testHash+`', 'user', 6);
		INSERT INTO tasks (id, user_id, title, description, created_at, completed_at) VALUES
			(3, 7, 'Café', 'with milk', 5, NULL), (4, 9, 'his', '', 6, 8), (5, 7, 'gone', '', 7, NULL);
		DELETE FROM tasks WHERE id = 5;`)
	var told [2]int64
	db, err := Open(t.Context(), Options{Path: path, Schema: freshSchema(t), Progress: func(done, total int64) { told = [2]int64{done, total} }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if told != [2]int64{2, 2} {
		t.Errorf("progress %v", told)
	}
	got := strings.Join(lines(t, db.engine.readPool, `
		SELECT concat_ws(' ', t.id, t.user_id, title, description, t.created_at, completed_at, t.updated_at, t.version, created_by, l.name, l.inbox, l.owner_id = t.user_id, m.role)
		FROM tasks t JOIN lists l ON l.id = t.list_id JOIN members m ON m.list_id = l.id AND m.user_id = t.user_id ORDER BY t.id`), ", ")
	if want := "3 7 Café with milk 5 5 1 7 Inbox 1 1 3, 4 9 his 6 8 8 1 9 Inbox 1 1 3"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	ann := app.Caller{UserID: 7}
	look := func(when string) {
		t.Helper()
		found, err := db.FindTasks(t.Context(), todo.Find{UserID: 7, Scope: todo.ScopeOwn, Words: []string{"caf", "mil"}, Sort: todo.SortID, Page: app.PageRequest{Page: 1, PerPage: 10}})
		if err != nil || found.Total != 1 || found.Items[0].ID != 3 {
			t.Errorf("%s: %+v, %v", when, found, err)
		}
	}
	look("before the words are collected")
	for more := true; more; {
		if more, err = db.IndexWords(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	look("after")
	if rest := lines(t, db.engine.readPool, `SELECT value FROM meta WHERE name = 'words_back'`); len(rest) > 0 {
		t.Error("the work is not known to be done")
	}
	task, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: ann.UserID, Title: "new", CreatedAt: testNow})
	if err != nil || task.ID != 6 || task.Version != 2 {
		t.Errorf("%+v, %v", task, err)
	}
	if err := Inspect(t.Context(), path); err != nil {
		t.Error(err)
	}
}
