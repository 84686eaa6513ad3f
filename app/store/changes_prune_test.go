package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// rename gives a task a title, and returns the number of the change.
func rename(t *testing.T, db *storetest.DB, by app.Caller, task int64, title string) int64 {
	t.Helper()
	done, err := db.UpdateTask(t.Context(), by, todo.ByID(task), todo.TaskChange{Title: &title, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return done.Version
}

// kept counts the lines of the log that hold a text among the values from before.
func kept(t *testing.T, db *storetest.DB, text string) (n int) {
	t.Helper()
	reader, err := db.Read(t.Context())
	if err == nil {
		err = reader.One(`SELECT count(*) FROM changes WHERE undo LIKE '%' || ? || '%'`, []any{text}, &n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What is gone for good leaves no values in the log; what is there, or in the trash, keeps them.
func TestValuesOfWhatIsGoneGo(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(db *storetest.DB, ann app.Caller, list int64) error
		want int
	}{
		"nothing": {func(*storetest.DB, app.Caller, int64) error { return nil }, 1},
		"deleted": {func(db *storetest.DB, ann app.Caller, _ int64) error {
			_, err := db.DeleteTask(t.Context(), ann, todo.ByID(1), todo.Removal{At: testNow})
			return err
		}, 1},
		"deleted for good": {func(db *storetest.DB, ann app.Caller, _ int64) error {
			_, err := db.DeleteTask(t.Context(), ann, todo.ByID(1), todo.Removal{At: testNow, Permanent: true})
			return err
		}, 0},
		"its account deleted": {func(db *storetest.DB, ann app.Caller, _ int64) error {
			return errors.Join(db.DeleteUser(t.Context(), app.Operator(), ann.UserID, account.DeleteShared, account.Record{}), db.RemoveDeleted(t.Context()))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			db, ann, _, list := pair(t, 1)
			rename(t, db, ann, 1, "a secret")
			rename(t, db, ann, 1, "another")
			if err := row.end(db, ann, list); err != nil {
				t.Fatal(err)
			}
			if err := db.PruneUndo(t.Context(), store.MaxUndoBytes); err != nil {
				t.Fatal(err)
			}
			if got := kept(t, db, "a secret"); got != row.want {
				t.Errorf("%d lines hold it, want %d", got, row.want)
			}
		})
	}
}

// Of an account with too many values the oldest go, and those of others stay.
func TestValuesOfAnAccountAreLimited(t *testing.T) {
	db, ann, ben, _ := pair(t, 2)
	var changes []int64
	for i := range 30 {
		changes = append(changes, rename(t, db, ann, 1, fmt.Sprintf("anns %d %s", i, strings.Repeat("x", 80))))
	}
	first := rename(t, db, ben, 2, "bens")
	second := rename(t, db, ben, 2, "other")
	if err := db.PruneUndo(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	var size int64
	reader, err := db.Read(t.Context())
	if err == nil {
		err = reader.One(`SELECT sum(length(undo)) FROM changes WHERE actor = ?`, []any{ann.UserID}, &size)
	}
	if err != nil || size > 1000 || size < 800 {
		t.Errorf("%d bytes are kept: %v", size, err)
	}
	undo := func(by app.Caller, change int64) error {
		_, err := db.Undo(t.Context(), by, todo.Undo{Change: change, At: testNow, KeepTrash: true})
		return err
	}
	if err := undo(ann, changes[3]); !errors.Is(err, todo.ErrUndoExpired) {
		t.Errorf("an old one: %v", err)
	}
	if err := undo(ann, changes[29]); err != nil {
		t.Errorf("the newest: %v", err)
	}
	if err := errors.Join(undo(ben, second), undo(ben, first)); err != nil {
		t.Errorf("another's: %v", err)
	}
}
