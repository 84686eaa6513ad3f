package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// names lists a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return strings.Join(all, " ")
}

// backUp makes a backup of an open database in a folder of its own.
func backUp(t *testing.T, db *DB) (string, Manifest) {
	t.Helper()
	to := filepath.Join(t.TempDir(), "backup.db")
	m, err := Backup(context.Background(), BackupOptions{From: db.path, To: to, Version: "1.2.3", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	return to, m
}

// open opens a file that another test step has made.
func open(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(context.Background(), Options{Path: path, Schema: freshSchema(t), Now: func() time.Time { return testNow }})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// While others write, a backup holds all that was answered before it began,
// nothing that was asked for after it ended, and nothing in half.
func TestBackupWhileOthersWrite(t *testing.T) {
	db, ctx := openTest(t), context.Background()
	ann := addUser(t, db, "ann@example.com")
	var mutex sync.Mutex
	var answered []int64
	count := func() []int64 {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(answered)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				task, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
				if err != nil {
					t.Error(err)
					return
				}
				mutex.Lock()
				answered = append(answered, task.ID)
				mutex.Unlock()
			}
		})
	}
	for len(count()) < 500 {
		time.Sleep(time.Millisecond) // until there is something to copy
	}
	before := count()
	path, manifest := backUp(t, db)
	close(stop)
	writers.Wait()
	after := count()
	copied := map[int64]bool{}
	restored := open(t, path)
	for _, line := range lines(t, restored.engine.readPool, `SELECT id FROM tasks`) {
		var id int64
		if _, err := fmt.Sscan(line, &id); err != nil {
			t.Fatal(err)
		}
		copied[id] = true
	}
	if err := restored.Close(); err != nil {
		t.Fatal(err)
	}
	for _, id := range before {
		if !copied[id] {
			t.Fatalf("task %d was answered before the backup began and is not in it", id)
		}
	}
	for id := range copied {
		if !slices.Contains(after, id) {
			t.Fatalf("task %d is in the backup and was never answered", id)
		}
	}
	if manifest.Rows["tasks"] != int64(len(copied)) || manifest.Rows["users"] != 1 || manifest.Schema != len(steps())+1 || !manifest.MadeAt.Equal(testNow) {
		t.Errorf("%+v, %d copied", manifest, len(copied))
	}
}

func TestABackupIsOneWholeFileOrNone(t *testing.T) {
	db, ctx := openTest(t), context.Background()
	path, manifest := backUp(t, db)
	if got := names(t, filepath.Dir(path)); got != "backup.db backup.db.json" {
		t.Errorf("left: %s", got)
	}
	if read, err := ReadManifest(path); err != nil || read.SHA256 != manifest.SHA256 || read.Version != "1.2.3" {
		t.Errorf("%+v %v", read, err)
	}
	if _, err := Backup(ctx, BackupOptions{From: db.path, To: path}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	empty := t.TempDir()
	if _, err := Backup(stopped, BackupOptions{From: db.path, To: filepath.Join(empty, "b.db")}); err == nil {
		t.Error("a backup that was stopped says that it was made")
	}
	if _, err := Backup(ctx, BackupOptions{From: filepath.Join(empty, "none", "x.db"), To: filepath.Join(empty, "b.db")}); err == nil {
		t.Error("a backup of nothing says that it was made")
	}
	if got := names(t, empty); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

// Each of these is refused, and the database is as it was.
func TestRestoreRefusesWhatIsNotSound(t *testing.T) {
	source := openTest(t)
	ann := addUser(t, source, "ann@example.com")
	for range 200 {
		if _, err := source.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", Description: strings.Repeat("x", 500), CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	good, _ := backUp(t, source)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(manifestName(good))
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		file := bytes.Clone(whole)
		file[at] ^= 1
		return file
	}
	for name, c := range map[string]struct {
		file     []byte
		manifest []byte
		wal      bool
		want     error
	}{
		"cut short":                       {file: whole[:len(whole)/2], want: ErrDamaged},
		"cut short, with its manifest":    {file: whole[:len(whole)-4096], manifest: manifest, want: ErrDamaged},
		"a page overwritten":              {file: append(bytes.Clone(whole[:8192]), append(make([]byte, 4096), whole[12288:]...)...), want: ErrDamaged},
		"a letter of a task changed":      {file: flipped(bytes.LastIndex(whole, []byte("xxxx"))), manifest: manifest, want: ErrNotAsMade},
		"no database":                     {file: []byte("not a database, but some text"), want: ErrNotDatabase},
		"nothing":                         {file: nil, want: ErrForeign},
		"another program's":               {file: flipped(68), want: ErrForeign},
		"a newer version's":               {file: append(append(bytes.Clone(whole[:60]), 0, 0, 3, 231), whole[64:]...), want: ErrNewer},
		"in use":                          {file: whole, wal: true, want: ErrInUse},
		"with a manifest that is no JSON": {file: whole, manifest: []byte("{"), want: ErrNotAsMade},
	} {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(t.TempDir(), "backup.db")
			write(t, from, c.file)
			if c.manifest != nil {
				write(t, manifestName(from), c.manifest)
			}
			if c.wal {
				write(t, from+"-wal", []byte("something"))
			}
			dir := t.TempDir()
			path := filepath.Join(dir, "taskapi.db")
			write(t, path, []byte("the old one"))
			_, err := Restore(context.Background(), RestoreOptions{From: from, Path: path, Schema: freshSchema(t), Now: testNow})
			if !errors.Is(describe(err), c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if now, err := os.ReadFile(path); err != nil || string(now) != "the old one" || names(t, dir) != "taskapi.db" {
				t.Errorf("the database is %q, beside it %s (%v)", now, names(t, dir), err)
			}
		})
	}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRestoreKeepsWhatWasThere(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "taskapi.db")
	db := open(t, path)
	addUser(t, db, "ann@example.com")
	backup, _ := backUp(t, db)
	addUser(t, db, "ben@example.com")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, path+partialMark+machineName()+"-99999999-1-wal", []byte("of one that was cut off"))
	r, err := Restore(ctx, RestoreOptions{From: backup, Path: path, Schema: freshSchema(t), Now: testNow})
	if err != nil || !r.Proven || r.Rows["users"] != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	for file, want := range map[string]string{path: "ann@example.com", r.Aside: "ann@example.com ben@example.com"} {
		db := open(t, file)
		if got := strings.Join(lines(t, db.engine.readPool, `SELECT email FROM users ORDER BY id`), " "); got != want {
			t.Errorf("%s has %s, want %s", filepath.Base(file), got, want)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, dir); got != "taskapi.db taskapi.db.replaced-20260102T030405.678Z" {
		t.Errorf("in the folder: %s", got)
	}
}

// A damaged database is kept with its log, and neither gets into the new one.
func TestRestoreOverADamagedDatabase(t *testing.T) {
	backup, _ := backUp(t, openTest(t))
	dir := t.TempDir()
	path := filepath.Join(dir, "taskapi.db")
	write(t, path, []byte("once a database"))
	write(t, path+"-wal", []byte("its log"))
	r, err := Restore(context.Background(), RestoreOptions{From: backup, Path: path, Schema: freshSchema(t), Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Prove(context.Background(), path); err != nil {
		t.Error(err)
	}
	for file, want := range map[string]string{r.Aside: "once a database", r.Aside + "-wal": "its log"} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: %q %v", file, got, err)
		}
	}
}

// Every older schema is kept before it is brought forward, and comes back.
func TestAnUpgradeCanBeUndone(t *testing.T) {
	for n := range steps() {
		version := n + 1
		t.Run(fmt.Sprint("schema ", version), func(t *testing.T) {
			ctx := context.Background()
			text, err := os.ReadFile(fmt.Sprintf("testdata/schema-%d.sql", version))
			if err != nil {
				t.Fatal(err)
			}
			path := build(t, string(text)+contentOf(version))
			before := shape(t, path)
			db := open(t, path)
			if task, err := db.Task(ctx, app.Caller{UserID: 7}, todo.ByID(3)); err != nil || task.Title != "Buy milk" {
				t.Errorf("%+v %v", task, err)
			}
			if _, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: 7, Title: "after the upgrade", CreatedAt: testNow}); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			r, err := Rollback(ctx, path, testNow)
			if err != nil || r.Schema != version || r.Rows["tasks"] != 2 {
				t.Fatalf("%+v %v", r, err)
			}
			if got := shape(t, path); !slices.Equal(got, before) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(before, "\n"))
			}
			kept := open(t, r.Aside)
			if page, err := kept.Tasks(ctx, app.Operator(), 7, app.PageRequest{Page: 1, PerPage: 10}); err != nil || page.Total != 3 {
				t.Errorf("kept aside: %+v %v", page, err)
			}
			if err := kept.Close(); err != nil {
				t.Fatal(err)
			}
			db = open(t, path) // and forward once more
			if page, err := db.Tasks(ctx, app.Operator(), 7, app.PageRequest{Page: 1, PerPage: 10}); err != nil || page.Total != 2 {
				t.Errorf("forward again: %+v %v", page, err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// contentOf fits a schema.
func contentOf(version int) string {
	const users = `INSERT INTO users (id, username, email, email_key, password_hash, role, created_at)
		VALUES (7, 'ann', 'Ann@example.com', 'ann@example.com', '$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5', 'admin', 1700000000000);
		INSERT INTO sessions (id, user_id, generation, created_at, last_used_at, expires_at) VALUES ('0123456789abcdefghijkl', 7, 2, 1700000000000, 1700000000000, 4000000000000);`
	if version < 5 {
		return users + `INSERT INTO tasks (id, user_id, title, description, created_at, completed_at)
			VALUES (3, 7, 'Buy milk', '', 1700000000000, NULL), (4, 7, 'Buy bread', 'two', 1700000000000, 1700000000001);`
	}
	return users + `INSERT INTO lists (id, owner_id, name, inbox, created_at, updated_at, version) VALUES (2, 7, 'Inbox', 1, 1700000000000, 1700000000000, 1);
		INSERT INTO members (user_id, list_id, role, position, joined_at, version) VALUES (7, 2, 3, 0, 1700000000000, 1);
		INSERT INTO tasks (id, user_id, list_id, title, description, created_at, completed_at, updated_at, version)
			VALUES (3, 7, 2, 'Buy milk', '', 1700000000000, NULL, 1700000000000, 2), (4, 7, 2, 'Buy bread', 'two', 1700000000000, 1700000000001, 1700000000000, 3);`
}

func TestNothingToRollBackTo(t *testing.T) {
	db := openTest(t)
	if _, err := Rollback(context.Background(), db.path, testNow); !errors.Is(err, ErrNoSnapshot) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheNewestSnapshotsStay(t *testing.T) {
	db := openTest(t)
	for schema := 1; schema <= 4; schema++ {
		if err := snapshot(context.Background(), db.path, schema, testNow); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := snapshots(db.path); err != nil || !slices.Equal(got, []int{4, 3}) {
		t.Errorf("%v %v", got, err)
	}
}

// Restores keep what they replace, but not for ever.
func TestReplacedDatabasesAreBounded(t *testing.T) {
	db := openTest(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := Backup(t.Context(), BackupOptions{From: db.path, To: backup, Now: testNow}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "taskapi.db")
	write(t, path+AsideMark+"20250101T000000.000Z-wal", []byte("a log that has lost its database"))
	for i := range 6 {
		r, err := Restore(t.Context(), RestoreOptions{From: backup, Path: path, Schema: freshSchema(t), Now: testNow.Add(time.Duration(i) * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		if want := max(0, min(1, i-KeptAside+1)); len(r.Dropped) != want { // the first has nothing to replace
			t.Errorf("restore %d dropped %v, want %d", i, r.Dropped, want)
		}
	}
	all, err := Aside(path)
	if err != nil || len(all) != KeptAside || all[0].Path != path+AsideMark+testNow.Add(5*time.Second).Format(nameTime) || all[0].Bytes == 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestBackupsBySchedule(t *testing.T) {
	db, ctx, now := openTest(t), context.Background(), testNow
	b := &Backups{
		Path: db.path, Dir: filepath.Join(t.TempDir(), "backups"), Every: time.Hour, Keep: 3,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	if late, err := b.Overdue(2 * time.Hour); err != nil || late != 0 {
		t.Errorf("before there is one: %v %v", late, err)
	}
	byHand, err := b.Make(ctx, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(20 * time.Minute)
	if wait := b.next(ctx); wait != lookAtClock {
		t.Errorf("waits %s for the first", wait)
	}
	write(t, filepath.Join(b.Dir, "notes.txt"), []byte("somebody's own"))
	for range 5 {
		now = now.Add(time.Hour)
		if wait := b.next(ctx); wait != lookAtClock {
			t.Errorf("waits %s", wait)
		}
	}
	all, err := b.List()
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Duration
	for _, made := range all {
		times = append(times, made.MadeAt.Sub(testNow).Truncate(time.Hour))
	}
	if want := []time.Duration{5 * time.Hour, 4 * time.Hour, 3 * time.Hour, 0}; !slices.Equal(times, want) || all[3].Path != byHand.Path {
		t.Errorf("kept %v, want %v and the one made by hand", times, want)
	}
	if !strings.Contains(names(t, b.Dir), "notes.txt") {
		t.Error("a stranger's file is gone")
	}
	now = now.Add(2*time.Hour + time.Minute)
	if late, err := b.Overdue(9 * time.Hour); err != nil || late != 2*time.Hour+time.Minute {
		t.Errorf("overdue by %v %v", late, err)
	}
	// A failure is tried again soon, and what is there stays.
	b.Path = filepath.Join(t.TempDir(), "none", "x.db")
	if wait := b.next(ctx); wait != retryBackup {
		t.Errorf("after a failure it waits %s", wait)
	}
	if again, err := b.List(); err != nil || len(again) != len(all) || !maps.Equal(again[0].Rows, all[0].Rows) {
		t.Errorf("%d backups after a failure, %v", len(again), err)
	}
}

// A backup that was made under a clock that was ahead says nothing of today.
func TestABackupOfTheFuture(t *testing.T) {
	now := testNow
	b := &Backups{Every: 24 * time.Hour, Now: func() time.Time { return now }}
	future, past := Made{Manifest: Manifest{MadeAt: now.AddDate(20, 0, 0)}}, Made{Manifest: Manifest{MadeAt: now.Add(-time.Hour)}}
	if made, found := b.Newest([]Made{future, past}); !found || made.MadeAt != past.MadeAt {
		t.Errorf("%v %t", made.MadeAt, found)
	}
	if _, found := b.Newest([]Made{future}); found {
		t.Error("the only one is of the future")
	}
}

// A clock that is set while the server runs makes no backup late, and the next
// one comes soon.
func TestBackupsWhenTheClockIsSet(t *testing.T) {
	db, now := openTest(t), time.Unix(60, 0)
	b := &Backups{
		Path: db.path, Dir: filepath.Join(t.TempDir(), "backups"), Every: 24 * time.Hour, Keep: 3,
		Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
	}
	if wait := b.next(t.Context()); wait > lookAtClock {
		t.Errorf("after the first it sleeps for %s", wait)
	}
	now = testNow
	if late, err := b.Overdue(time.Minute); err != nil || late != 0 {
		t.Errorf("late by %s (%v)", late, err)
	}
	b.next(t.Context())
	all, err := b.List()
	if made, found := b.Newest(all); err != nil || !found || !made.MadeAt.Equal(testNow) || len(all) != 2 {
		t.Errorf("%+v (%v)", all, err)
	}
}
