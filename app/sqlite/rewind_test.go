package sqlite

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

func titles(t *testing.T, db *DB, user int64) (all []string) {
	t.Helper()
	page, err := db.Tasks(context.Background(), app.Operator(), user, app.PageRequest{Page: 1, PerPage: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range page.Items {
		all = append(all, task.Title)
	}
	return all
}

func addTask(t *testing.T, db *DB, user int64, title string) todo.Task {
	t.Helper()
	task, err := db.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: user, Title: title, CreatedAt: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// What was done since the state was kept is gone; what was there is there, the ids are given
// again, and nobody goes on from a cursor of before.
func TestRewind(t *testing.T) {
	db, ctx := openTest(t), context.Background()
	ann := addUser(t, db, "ann@example.com")
	first := addTask(t, db, ann.ID, "kept")
	kept := filepath.Join(t.TempDir(), "kept.db")
	for range 2 { // also over an older one
		if err := db.Keep(ctx, kept); err != nil {
			t.Fatal(err)
		}
	}
	var newest int64
	for range 3 {
		before, _ := db.State()
		second := addTask(t, db, ann.ID, "gone")
		if second.ID != first.ID+1 || second.Version <= newest {
			t.Errorf("task %d of version %d, after %d and a reset at %d", second.ID, second.Version, first.ID, newest)
		}
		ben := addUser(t, db, "ben@example.com")
		cursor, err := db.NewestChange(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Rewind(ctx, kept); err != nil {
			t.Fatal(err)
		}
		if got := titles(t, db, ann.ID); len(got) != 1 || got[0] != "kept" {
			t.Errorf("%q", got)
		}
		if _, err := db.User(ctx, ben.ID); err == nil {
			t.Error("a user of after is still there")
		}
		if _, err := db.Sync(ctx, todo.SyncQuery{UserID: ann.ID, After: &todo.SyncCursor{Seq: cursor}, Limit: 10}); !errors.Is(err, todo.ErrSyncExpired) {
			t.Errorf("a cursor of before: %v", err)
		}
		if after, quiet := db.State(); after == before || !quiet {
			t.Errorf("the state is %d, as before, or not quiet (%v)", after, quiet)
		}
		if newest, err = db.NewestChange(ctx); err != nil || newest <= cursor {
			t.Errorf("the log goes on at %d, after %d (%v)", newest, cursor, err)
		}
		page, err := db.Sync(ctx, todo.SyncQuery{UserID: ann.ID, Limit: 10})
		if err != nil || len(page.Tasks) != 1 {
			t.Errorf("a new copy: %+v %v", page, err)
		}
	}
	if err := db.CheckSound(ctx); err != nil {
		t.Error(err)
	}
	older := build(t, "PRAGMA user_version = 1; CREATE TABLE users (id INTEGER)")
	for _, other := range []string{kept + ".none", older} {
		if err := db.Rewind(ctx, other); err == nil || db.CanRewind(other) || !db.CanRewind(kept) {
			t.Errorf("went back to %s", other)
		}
	}
	if got := titles(t, db, ann.ID); len(got) != 1 {
		t.Errorf("after that: %q", got)
	}
	addTask(t, db, ann.ID, "on")
}

// The file becomes shorter by going back. That is no damage, also when what is written next is in
// the log only.
func TestTheFileIsShorterAfterARewind(t *testing.T) {
	db, ctx := openTest(t), context.Background()
	ann := addUser(t, db, "ann@example.com")
	kept := filepath.Join(t.TempDir(), "kept.db")
	if err := db.Keep(ctx, kept); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for range 50 {
			task := todo.NewTask{UserID: ann.ID, Title: "long", Description: strings.Repeat("long ", 1000), CreatedAt: testNow}
			if _, err := db.CreateTask(ctx, app.Operator(), task); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.CheckRead(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := db.engine.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			t.Fatal(err)
		}
		if err := db.CheckRead(ctx); err != nil {
			t.Fatal(err)
		}
		if err := db.Rewind(ctx, kept); err != nil {
			t.Fatal(err)
		}
		if _, err := db.engine.conn.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
			t.Fatal(err)
		}
	}
}

// What an earlier start has kept is gone back to as well, and what is written then stays.
func TestRewindToAnEarlierStart(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "taskapi.db")
	begin := func(timeline string) *DB {
		db := open(t, path)
		if err := db.BeginTimeline(ctx, timeline); err != nil {
			t.Fatal(err)
		}
		return db
	}
	db := begin("one")
	ann := addUser(t, db, "ann@example.com")
	addTask(t, db, ann.ID, "kept")
	kept := filepath.Join(t.TempDir(), "kept.db")
	if err := db.Keep(ctx, kept); err != nil {
		t.Fatal(err)
	}
	addTask(t, db, ann.ID, "gone")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = begin("two")
	if err := db.Rewind(ctx, kept); err != nil {
		t.Fatal(err)
	}
	if _, err := db.engine.readPool.ExecContext(ctx, "PRAGMA wal_checkpoint(FULL)"); err != nil {
		t.Fatal(err)
	}
	if err := db.checkTimeline(ctx); err != nil {
		t.Error(err)
	}
	addTask(t, db, ann.ID, "after")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = begin("three")
	if got := titles(t, db, ann.ID); len(got) != 2 || got[0] == "gone" || got[1] == "gone" {
		t.Errorf("%q", got)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// Those who read meanwhile see one state or the other, whole.
func TestReadersOfARewind(t *testing.T) {
	db, ctx := openTest(t), context.Background()
	ann := addUser(t, db, "ann@example.com")
	for range 50 {
		addTask(t, db, ann.ID, "kept")
	}
	kept := filepath.Join(t.TempDir(), "kept.db")
	if err := db.Keep(ctx, kept); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		addTask(t, db, ann.ID, "more")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			if err := db.Rewind(ctx, kept); err != nil {
				t.Error(err)
			}
		}
	}()
	for ended := false; !ended; {
		select {
		case <-done:
			ended = true
		default:
		}
		if n := len(titles(t, db, ann.ID)); n != 50 && n != 70 {
			t.Fatalf("%d tasks", n)
		}
	}
}
