package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// pair is two people who share a list of so many tasks, the first one's.
func pair(t *testing.T, tasks int) (db *storetest.DB, ann, ben app.Caller, list int64) {
	t.Helper()
	db = openTest(t)
	ann, ben, list = pairIn(t, db, tasks)
	return db, ann, ben, list
}

func pairIn(t *testing.T, db *storetest.DB, tasks int) (ann, ben app.Caller, list int64) {
	t.Helper()
	for i, name := range []string{"ann", "ben"} {
		user := addUser(t, db, name+"@example.com", app.RoleUser)
		*[]*app.Caller{&ann, &ben}[i] = app.Caller{UserID: user.ID, Role: app.RoleUser, SessionID: addSession(t, db, ("session-of-" + name + "-00000000000")[:22], user).ID}
	}
	made, err := db.CreateList(t.Context(), ann, todo.NewList{Name: "shared", CreatedAt: testNow})
	if err == nil {
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			for i := range tasks {
				if _, err := tx.AddTask(ann, testNow, made.ID, ann.UserID, todo.NewTask{Title: fmt.Sprint(i), CreatedAt: testNow}); err != nil {
					return err
				}
			}
			return tx.JoinList(ben, testNow, made.ID, ben.UserID, todo.RoleEditor)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ann, ben, made.ID
}

// handOverCut hands a list over as if the power went right after the first turn.
func handOverCut(t *testing.T, db *storetest.DB, from app.Caller, list, heir int64) {
	t.Helper()
	err := db.Write(t.Context(), store.HandOverFirst(db.DB, from, todo.ByID(list), heir, testNow))
	if err != nil {
		t.Fatal(err)
	}
	if n := db.Count(t, `SELECT count(*) FROM tasks t JOIN lists l ON l.id = t.list_id WHERE t.user_id <> l.owner_id`); n == 0 {
		t.Fatal("all tasks have followed already: this tests nothing")
	}
}

// A hand-over that is cut is finished later, and until then nobody has tasks who should not:
// not who leaves meanwhile, and none goes with an account.
func TestAHandOverThatIsCut(t *testing.T) {
	const tasks = store.TreeChunk + 100
	for name, then := range map[string]func(*storetest.DB, app.Caller, app.Caller, int64) error{
		"nothing": func(*storetest.DB, app.Caller, app.Caller, int64) error { return nil },
		"the old owner leaves": func(db *storetest.DB, ann, _ app.Caller, list int64) error {
			return db.RemoveMember(t.Context(), ann, todo.ByID(list), ann.UserID, testNow)
		},
		"the old owner goes": func(db *storetest.DB, ann, _ app.Caller, _ int64) error {
			return db.DeleteUser(t.Context(), ann, ann.UserID, account.PassShared, account.Record{})
		},
		"it is handed back": func(db *storetest.DB, ann, ben app.Caller, list int64) error {
			_, err := db.ChangeMember(t.Context(), ben, todo.ByID(list), ann.UserID, todo.RoleOwner, testNow, 0)
			return err
		},
		"the new owner goes": func(db *storetest.DB, _, ben app.Caller, _ int64) error {
			return db.DeleteUser(t.Context(), ben, ben.UserID, account.PassShared, account.Record{})
		},
	} {
		db, ann, ben, list := pair(t, tasks)
		handOverCut(t, db, ann, list, ben.UserID)
		if err := then(db, ann, ben, list); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := errors.Join(db.FinishHandOvers(t.Context()), db.RemoveDeleted(t.Context())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := db.Count(t, fmt.Sprint(`SELECT count(*) FROM tasks WHERE list_id = `, list)); n != tasks {
			t.Errorf("%s: %d of %d tasks are left", name, n, tasks)
		}
		if err := db.Consistent(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Reopening the newest copy of a repeating task takes nothing along that somebody has put
// below the copy.
func TestWhatIsBelowACopyStays(t *testing.T) {
	db, ann, _, list := pair(t, 0)
	due, err := todo.ParseDue("2026-01-02", "")
	if err != nil {
		t.Fatal(err)
	}
	task, err := db.CreateTask(t.Context(), ann, todo.NewTask{List: todo.ByID(list), Title: "rent", CreatedAt: testNow, Dates: todo.Dates{Due: due}, Repetition: todo.Repetition{Rule: "FREQ=DAILY", Start: due}})
	if err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	moved, err := db.UpdateTask(t.Context(), ann, todo.ByID(task.ID), todo.TaskChange{Completed: &yes, Now: testNow})
	if err != nil || moved.Copy == nil {
		t.Fatal(moved, err)
	}
	again, err := db.UpdateTask(t.Context(), ann, todo.ByID(task.ID), todo.TaskChange{Completed: &yes, Now: testNow.Add(2 * time.Second)})
	if err != nil || again.Dates != moved.Dates || again.Copy == nil || again.Copy.ID != moved.Copy.ID {
		t.Errorf("completed twice at once: %+v, %v", again, err)
	}
	below, err := db.CreateTask(t.Context(), ann, todo.NewTask{Parent: todo.ByID(moved.Copy.ID), Title: "below", CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := db.UpdateTask(t.Context(), ann, todo.ByID(moved.Copy.ID), todo.TaskChange{Completed: &no, Now: testNow})
	if err != nil || opened.ID != moved.Copy.ID {
		t.Errorf("%+v, %v", opened, err)
	}
	if _, err := db.Task(t.Context(), ann, todo.ByID(below.ID)); err != nil {
		t.Errorf("what was below: %v", err)
	}
}

// A date beyond the last year ends the repetition; a row that has one is read all the same.
func TestTheLastYearEndsARepetition(t *testing.T) {
	db, ann, _, list := pair(t, 1)
	due, err := todo.ParseDue("2199-12-31", "")
	if err != nil {
		t.Fatal(err)
	}
	task, err := db.CreateTask(t.Context(), ann, todo.NewTask{List: todo.ByID(list), Title: "last", CreatedAt: testNow, Dates: todo.Dates{Due: due}, Repetition: todo.Repetition{Rule: "FREQ=DAILY", Start: due}})
	if err != nil {
		t.Fatal(err)
	}
	yes := true
	done, err := db.UpdateTask(t.Context(), ann, todo.ByID(task.ID), todo.TaskChange{Completed: &yes, Now: testNow})
	if err != nil || !done.Completed() {
		t.Errorf("%+v, %v", done, err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Exec(`UPDATE tasks SET due = '2200-01-01' WHERE id = ?`, task.ID) }); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Task(t.Context(), ann, todo.ByID(task.ID)); err != nil {
		t.Error(err)
	}
	if _, err := db.DeleteList(t.Context(), ann, todo.ByID(list), todo.Removal{At: testNow}); err != nil {
		t.Error(err)
	}
}

// What was just deleted can be restored, however full the trash is: what was deleted long ago
// goes instead.
func TestTheTrashDropsTheOldest(t *testing.T) {
	db, ann, _, list := pair(t, 3)
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		return tx.Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
			INSERT INTO trash (id, user_id, list_id, grp, at, data) SELECT 1000000 + i, ?1, 4711, 5, i, '{"title":"old"}' FROM n`, ann.UserID, store.MaxTrash)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.DeleteTask(t.Context(), ann, todo.ByID(1), todo.Removal{At: time.UnixMilli(0)}); err != nil {
		t.Fatal(err)
	}
	if n := db.Count(t, `SELECT total FROM totals WHERE list = 'trash'`); n > store.MaxTrash {
		t.Errorf("%d in the trash", n)
	}
	if task, err := db.RestoreTask(t.Context(), ann, todo.ByID(1), nil, testNow, 0); err != nil || task.ListID != list {
		t.Errorf("%+v, %v", task, err)
	}
}

// The place in the trash where a walk goes on tells nothing of others', and outlives what
// stood there.
func TestAWalkOfTheTrashGoesOnBehindWhatHasGone(t *testing.T) {
	db, ann, _, _ := pair(t, 5)
	for id := int64(1); id <= 5; id++ {
		if _, err := db.DeleteTask(t.Context(), ann, todo.ByID(id), todo.Removal{At: testNow.Add(time.Duration(id) * time.Second)}); err != nil {
			t.Fatal(err)
		}
	}
	page := app.PageRequest{ByCursor: true, PerPage: 2}
	first, err := db.Trash(t.Context(), ann.UserID, todo.Ref{}, page, nil)
	if err != nil || len(first.Items) != 2 || !first.More {
		t.Fatalf("%+v, %v", first, err)
	}
	last := first.Items[1]
	if _, err := db.RestoreTask(t.Context(), ann, todo.ByID(last.ID), nil, testNow, 0); err != nil {
		t.Fatal(err)
	}
	rest, err := db.Trash(t.Context(), ann.UserID, todo.Ref{}, page, &todo.Cursor{Number: last.DeletedAt.UnixMilli(), ID: last.ID})
	if err != nil || len(rest.Items) != 2 || rest.Items[0].ID != 3 {
		t.Errorf("%+v, %v", rest, err)
	}
}
