package sqlite

import (
	"os"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// A commit that fails leaves no transaction open. Deferred references are checked at the commit.
func TestACommitThatFailsEndsTheTransaction(t *testing.T) {
	db := openTest(t)
	if err := db.engine.Begin(); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		`PRAGMA defer_foreign_keys = ON`,
		`INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version) VALUES (4711, 4711, 't', '', 1, 1, 1)`,
	} {
		if _, err := db.engine.Writer().Exec(t.Context(), query, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.engine.Commit(""); err == nil {
		t.Fatal("it did not fail")
	}
	if err := db.engine.Begin(); err != nil {
		t.Errorf("the next one: %v", err)
	}
	db.engine.Rollback()
}

func TestTheLogIsCheckpointed(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com")
	for range 3000 {
		if _, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	wal, err := os.Stat(db.path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	// SQLite moves the log at 1000 pages of 4 KiB; RETURNING read the wrong
	// way keeps it from ever doing so.
	if wal.Size() > 6<<20 {
		t.Errorf("the log has %d bytes", wal.Size())
	}
}
