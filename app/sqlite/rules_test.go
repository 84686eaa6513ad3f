package sqlite

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// family is a database in which ann shares a list with ben.
func family(t *testing.T) *DB {
	t.Helper()
	ctx, db := context.Background(), openTest(t)
	ann, ben := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "ben@example.com", app.RoleUser)
	hers := app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: addSession(t, db, testSession, ann).ID}
	list, err := db.CreateList(ctx, hers, todo.NewList{Name: "shared", CreatedAt: testNow})
	if err == nil {
		err = db.write(ctx, func(tx *tx) error { return tx.joinList(act{at: testNow}, list.ID, ben.ID, todo.RoleEditor) })
	}
	for _, n := range []todo.NewTask{{Labels: []string{"home"}, AssigneeID: ben.ID}, {}, {}} {
		if err == nil {
			n.Title, n.List, n.UserID, n.CreatedAt = "t", todo.ByID(list.ID), ann.ID, testNow
			_, err = db.CreateTask(ctx, hers, n)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Whatever breaks a rule that the schema can't state is found and named.
func TestWhatContradictsItselfIsFound(t *testing.T) {
	for broken, breaks := range map[string]string{
		"": ``,
		"tasks that are not of the owner of their list":     `UPDATE tasks SET user_id = 2 WHERE id = 1`,
		"lists whose owner is not a member as such":         `UPDATE members SET role = 2 WHERE list_id = 3 AND user_id = 1`,
		"accounts without an Inbox":                         `UPDATE lists SET inbox = 0 WHERE id = 2`,
		"Inboxes with other members":                        `INSERT INTO members (user_id, list_id, role, position, joined_at, version) VALUES (1, 2, 1, 0, 0, 1)`,
		"subtasks in another list than what they are below": `UPDATE tasks SET parent_id = 2, list_id = 1 WHERE id = 3`,
		"tasks assigned to somebody who is not in the list": `DELETE FROM members WHERE user_id = 2 AND list_id = 3`,
		"labels that can't be found":                        `DELETE FROM task_labels`,
		"numbers of tasks that are wrong":                   `UPDATE totals SET total = total + 1 WHERE list = 'tasks'`,
		"tasks with a number of a change that was not made": `UPDATE tasks SET version = 4711 WHERE id = 1`,
	} {
		db := family(t)
		if breaks != "" {
			if err := db.write(t.Context(), func(tx *tx) error { return tx.exec(breaks) }); err != nil {
				t.Fatalf("%s: %v", broken, err)
			}
		}
		err := Inspect(t.Context(), db.path)
		if broken == "" && err != nil || broken != "" && (!errors.Is(err, ErrInconsistent) || !strings.Contains(err.Error(), broken)) {
			t.Errorf("%q: %v", broken, err)
		}
	}
	if len(rules()) != 9 {
		t.Errorf("%d rules: break each of them here", len(rules()))
	}
}

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
	got := strings.Join(lines(t, db.readers.pool, `
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
	if n := db.count(t, `SELECT count(*) FROM meta WHERE name = 'words_back'`); n != 0 {
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
