package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// crash is what a server leaves that was killed: the files as they are.
func crash(t *testing.T, db *DB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "taskapi.db")
	for _, end := range []string{"", "-wal", TimelineEnd} {
		text, err := os.ReadFile(db.path + end)
		if err == nil {
			err = os.WriteFile(path+end, text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func tryOpen(t *testing.T, path string) error {
	t.Helper()
	db, err := Open(t.Context(), Options{Path: path, Schema: freshSchema(t)})
	if err == nil {
		err = db.Close()
	}
	return err
}

// A backup that was copied over the database of a server that was killed is not
// undone by the log of that one, whatever opens it.
func TestTheLogOfAnotherFileIsNotPlayed(t *testing.T) {
	db := openTest(t)
	if err := db.BeginTimeline(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := Backup(t.Context(), BackupOptions{From: db.path, To: backup, Now: testNow}); err != nil {
		t.Fatal(err)
	}
	stopped := crash(t, db)
	if err := tryOpen(t, stopped); err != nil {
		t.Fatal(err)
	}
	if err := db.BeginTimeline(t.Context(), "second"); err != nil {
		t.Fatal(err)
	}
	addUser(t, db, "ann@example.com")
	schema, err := os.ReadFile("testdata/schema-4.sql")
	if err != nil {
		t.Fatal(err)
	}
	older := build(t, string(schema))
	for name, from := range map[string]string{"a backup": backup, "the file of an earlier stop": stopped, "one of an older version": older} {
		t.Run(name, func(t *testing.T) {
			path := crash(t, db)
			text, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(path, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			log, err := os.ReadFile(path + "-wal")
			if err != nil {
				t.Fatal(err)
			}
			if err := tryOpen(t, path); !errors.Is(err, ErrOtherTimeline) {
				t.Errorf("opened: %v", err)
			}
			if newest := NewestIn(t.Context(), path); !newest.IsZero() {
				t.Errorf("the newest row is of %s", newest)
			}
			if err := Inspect(t.Context(), path); !errors.Is(err, ErrOtherTimeline) {
				t.Errorf("inspected: %v", err)
			}
			if _, err := Backup(t.Context(), BackupOptions{From: path, To: path + ".backup", Now: testNow}); !errors.Is(err, ErrOtherTimeline) {
				t.Errorf("backed up: %v", err)
			}
			if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, text) {
				t.Errorf("the file has changed (%v)", err)
			}
			moved := path + ".mine"
			if err := os.Rename(path, moved); err != nil {
				t.Fatal(err)
			}
			if name != "a backup" { // it may be copied as well as moved
				err = os.WriteFile(path, text, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := Restore(t.Context(), RestoreOptions{From: moved, Path: path, Schema: freshSchema(t), Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if kept, err := os.ReadFile(strings.TrimSuffix(r.Aside, "-wal") + "-wal"); err != nil || !slices.Equal(kept, log) {
				t.Errorf("the log is not kept (%v)", err)
			}
			if err := tryOpen(t, path); err != nil {
				t.Errorf("restored: %v", err)
			}
		})
	}
	// What belongs together is opened, with all that is in the log.
	path := crash(t, db)
	same, err := Open(t.Context(), Options{Path: path, Schema: freshSchema(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = same.Close() }()
	if _, err := same.UserByEmail(t.Context(), "ann@example.com"); err != nil {
		t.Error(err)
	}
}

// The power may go between any two steps of a start.
func TestAStartThatIsCutOff(t *testing.T) {
	db := openTest(t)
	for _, before := range []string{"", "first"} {
		if before != "" {
			if err := db.BeginTimeline(t.Context(), before); err != nil {
				t.Fatal(err)
			}
		}
		if err := writeTimeline(db.path, before, "next"); err != nil {
			t.Fatal(err)
		}
		db.timeline.begin("") // the steps below are those of another process
		for _, step := range []string{
			`SELECT 1`,
			`INSERT INTO meta (name, value) VALUES ('timeline', 'next') ON CONFLICT DO UPDATE SET value = excluded.value`,
			`PRAGMA wal_checkpoint(FULL)`,
		} {
			if _, err := db.engine.conn.ExecContext(t.Context(), step); err != nil {
				t.Fatal(err)
			}
			if err := tryOpen(t, crash(t, db)); err != nil {
				t.Errorf("after %q and %q: %v", before, step, err)
			}
		}
	}
}

// A database of another program, with the kind of journal that most have, is
// not changed by being looked at.
func TestAForeignDatabaseStaysAsItIs(t *testing.T) {
	path := build(t, "CREATE TABLE theirs (x); PRAGMA journal_mode = DELETE;")
	before, err := os.ReadFile(path)
	if err != nil || before[18] != 1 {
		t.Fatal(before[18], err)
	}
	if err := tryOpen(t, path); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if err := Inspect(t.Context(), path); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if err := Ours(t.Context(), path); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if newest := NewestIn(t.Context(), path); !newest.IsZero() {
		t.Error(newest)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(before, after) {
		t.Errorf("it has changed (%v)", err)
	}
}

// A backup that is copied over the database of a running server is noticed before
// anything is written, and the stop leaves it and the log as they are.
func TestACopyOverTheOpenDatabase(t *testing.T) {
	ctx := t.Context()
	now := testNow
	path := filepath.Join(t.TempDir(), "taskapi.db")
	db, err := Open(ctx, Options{Path: path, Schema: freshSchema(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.engine.close() })
	if err := db.BeginTimeline(ctx, "first"); err != nil {
		t.Fatal(err)
	}
	backup := path + ".backup"
	if _, err := Backup(ctx, BackupOptions{From: path, To: backup, Now: testNow}); err != nil {
		t.Fatal(err)
	}
	addUser(t, db, "ann@example.com")
	if _, err := db.engine.conn.ExecContext(ctx, "PRAGMA wal_checkpoint(FULL)"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(checkEvery)
	addUser(t, db, "bob@example.com")
	if err := db.CheckRead(ctx); err != nil {
		t.Fatal(err) // its own checkpoint is no copy
	}
	text, err := os.ReadFile(backup)
	if err == nil {
		err = os.WriteFile(path, text, 0o600) // the same file, as cp writes it
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := db.CheckRead(ctx); !errors.Is(err, ErrGone) {
		t.Errorf("the check says %v", err)
	}
	now = now.Add(checkEvery)
	if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: 1, Title: "t", CreatedAt: now}); !errors.Is(err, ErrGone) {
		t.Errorf("a user was written: %v", err)
	}
	if err := db.Close(); !errors.Is(err, ErrGone) {
		t.Errorf("the stop says %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !slices.Equal(after, text) {
		t.Errorf("the file has changed (%v)", err)
	}
	if err := tryOpen(t, crash(t, db)); !errors.Is(err, ErrOtherTimeline) {
		t.Errorf("the next start says %v", err)
	}
}
