package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"taskapi/app/store"
)

// The check of writing reaches the file, and only when nothing else has.
func TestCheckWriteReallyWritesButNotTooOften(t *testing.T) {
	ctx, now := context.Background(), time.UnixMilli(1e12)
	db, err := Open(ctx, Options{Path: filepath.Join(t.TempDir(), "taskapi.db"), Schema: freshSchema(t), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	check := func(wantWritten bool) {
		t.Helper()
		before := db.Load().LogBytes
		if err := db.CheckWrite(ctx, 30*time.Second); err != nil {
			t.Fatal(err)
		}
		if written := db.Load().LogBytes > before; written != wantWritten {
			t.Errorf("written: %v, want %v", written, wantWritten)
		}
	}
	check(false) // it was written when it was made
	now = now.Add(30 * time.Second)
	check(true)
	check(false)
	now = now.Add(30 * time.Second)
	check(true)
	now = now.Add(time.Hour)
	addUser(t, db, "ann@example.com")
	check(false)
	now = now.Add(-2 * time.Hour) // a clock that was put back
	check(true)
	if err := db.CheckRead(ctx); err != nil {
		t.Error(err)
	}
}

// What Inspect finds beside damage, package store knows.
func TestInspectFindsWhatContradictsItself(t *testing.T) {
	db := openTest(t)
	addTask(t, db, addUser(t, db, "ann@example.com").ID, "t")
	exec(t, db, `UPDATE totals SET total = total + 1 WHERE list = 'tasks'`)
	if err := Inspect(t.Context(), db.path); !errors.Is(err, store.ErrInconsistent) {
		t.Error(err)
	}
}

func TestInspectFindsDamage(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "taskapi.db")
	db, err := Open(ctx, Options{Path: path, Schema: freshSchema(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := Inspect(ctx, path); err != nil {
		t.Errorf("a good one that is in use: %v", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(file []byte)
		want   error
	}{
		"a page of an index": {func(file []byte) {
			for i := 4 * 4096; i < 5*4096; i++ {
				file[i] = 0xA5
			}
		}, ErrDamaged},
		"the header":         {func(file []byte) { copy(file, "not a database") }, ErrNotDatabase},
		"of another program": {func(file []byte) { file[68]++ }, ErrForeign},
		"of a newer version": {func(file []byte) { file[63] = 200 }, ErrNewer},
	} {
		file := append([]byte(nil), whole...)
		c.change(file)
		broken := filepath.Join(t.TempDir(), "taskapi.db")
		if err := os.WriteFile(broken, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Inspect(ctx, broken); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
