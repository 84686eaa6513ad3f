package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// family is a database in which ann shares a list with ben.
func family(t *testing.T) *storetest.DB {
	t.Helper()
	ctx, db := context.Background(), openTest(t)
	ann, ben := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "ben@example.com", app.RoleUser)
	hers := app.Caller{UserID: ann.ID, Role: app.RoleUser, SessionID: addSession(t, db, testSession, ann).ID}
	list, err := db.CreateList(ctx, hers, todo.NewList{Name: "shared", CreatedAt: testNow})
	if err == nil {
		err = db.Write(ctx, func(tx *store.Tx) error { return tx.JoinList(app.Caller{}, testNow, list.ID, ben.ID, todo.RoleEditor) })
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
			if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Exec(breaks) }); err != nil {
				t.Fatalf("%s: %v", broken, err)
			}
		}
		err := db.Consistent()
		if broken == "" && err != nil || broken != "" && (!errors.Is(err, store.ErrInconsistent) || !strings.Contains(err.Error(), broken)) {
			t.Errorf("%q: %v", broken, err)
		}
	}
	if store.Rules() != 9 {
		t.Errorf("%d rules: break each of them here", store.Rules())
	}
}
