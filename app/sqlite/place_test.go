package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// What is written to a file without a name is lost: it must not be answered.
func TestNothingIsWrittenToAFileThatIsGone(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"the database removed": os.Remove,
		"the log removed":      func(path string) error { return os.Remove(path + "-wal") },
		"the folder moved":     func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+"-elsewhere") },
		"another one put there": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "data", "taskapi.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			now := testNow
			db, err := Open(ctx, Options{Path: path, Schema: freshSchema(t), Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			ann := addUser(t, db, "ann@example.com")
			if err := db.CheckRead(ctx); err != nil {
				t.Fatal(err)
			}
			if err := take(path); err != nil {
				t.Fatal(err)
			}
			if err := db.CheckRead(ctx); !errors.Is(err, ErrGone) {
				t.Errorf("the check says %v", err)
			}
			now = now.Add(checkEvery)
			if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow}); !errors.Is(err, ErrGone) {
				t.Errorf("a task was written: %v", err)
			}
		})
	}
}

// Other pages can still be read, so the check remembers what a request met.
func TestDamageThatARequestMetIsReported(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "taskapi.db")
	db := open(t, path)
	ann := addUser(t, db, "ann@example.com")
	for range 200 {
		if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", Description: strings.Repeat("x", 500), CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	var root int64
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	t.Cleanup(func() { _ = db.Close() })
	if err := db.engine.readPool.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'tasks'`).Scan(&root); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt([]byte(strings.Repeat("\xA5", 4096)), (root-1)*4096)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	if err := db.CheckRead(ctx); err != nil {
		t.Fatalf("before anybody met it: %v", err)
	}
	if _, err := db.Task(ctx, app.Caller{UserID: ann.ID}, todo.ByID(1)); !errors.Is(err, ErrDamaged) {
		t.Errorf("a read: %v", err)
	}
	if err := db.CheckRead(ctx); !errors.Is(err, ErrDamaged) {
		t.Errorf("the check says %v", err)
	}
}
