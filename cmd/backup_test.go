package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"taskapi/app/sqlite"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/cmd/logs"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

// titles walks all of ann's tasks.
func (p *process) titles(token string) map[string]bool {
	p.t.Helper()
	found := map[string]bool{}
	for after := any(float64(0)); after != nil; {
		status, answer := p.call("GET", fmt.Sprintf("/tasks/?per_page=100&after=%.0f", after), token, "")
		if status != 200 {
			p.t.Fatal(status, answer)
		}
		for _, task := range answer["tasks"].([]any) {
			found[task.(map[string]any)["title"].(string)] = true
		}
		after = answer["pagination"].(map[string]any)["next_after"]
	}
	return found
}

// A backup of a server under load, restored, holds what was answered before it
// began, and nothing that was asked for after it ended.
func TestBackupUnderLoadAndRestore(t *testing.T) {
	folder(t)
	p := start(t, nil, "--rate-limit=off")
	token := p.signUp()["access_token"].(string)
	var mutex sync.Mutex
	answered := map[string]bool{}
	count := func() int {
		mutex.Lock()
		defer mutex.Unlock()
		return len(answered)
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 64 {
		writers.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				title := fmt.Sprintf("%d of %d", n, i)
				if status, answer, err := p.try("POST", "/tasks/", token, fmt.Sprintf(`{"title":%q}`, title)); err != nil || status != 201 {
					t.Error(status, answer, err)
					return
				}
				mutex.Lock()
				answered[title] = true
				mutex.Unlock()
			}
		})
	}
	for count() < 500 {
		time.Sleep(time.Millisecond) // until there is something to copy
	}
	mutex.Lock()
	before := map[string]bool{}
	for title := range answered {
		before[title] = true
	}
	mutex.Unlock()
	world{}.taskapi(t, "db", "backup", "copy.db", "--data-dir=data").expect(t, exitOK, "copy.db is a whole and proven copy: 1 user, ")
	world{}.taskapi(t, "db", "backup", "copy.db", "--data-dir=data").expect(t, exitFailed, "choose another name")
	world{}.taskapi(t, "db", "restore", "copy.db", "--yes", "--data-dir=data").expect(t, exitFailed, "stop that server first")
	close(stop)
	writers.Wait()
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.log.String())
	}
	world{}.taskapi(t, "db", "restore", "copy.db", "--data-dir=data").expect(t, exitUsage, "--yes")
	world{}.taskapi(t, "db", "restore", "copy.db", "--yes", "--data-dir=data").expect(t, exitOK, "Restored: 1 user, ", "is kept as data/taskapi.db.replaced-")
	p = start(t, nil, "--rate-limit=off")
	restored := p.titles(token) // the session is in the backup too
	for title := range before {
		if !restored[title] {
			t.Fatalf("%q was answered before the backup and is gone", title)
		}
	}
	for title := range restored {
		if !answered[title] {
			t.Fatalf("%q was restored and never answered", title)
		}
	}
	if len(restored) == len(answered) {
		t.Logf("all %d writes came before the backup's end", len(answered))
	}
}

func TestRestoreAndRollbackSayWhatIsWrong(t *testing.T) {
	folder(t)
	world{}.taskapi(t, "db", "backup", "--data-dir=data").expect(t, exitFailed, "there is no database")
	world{}.taskapi(t, "db", "restore", "none.db", "--yes", "--data-dir=data").expect(t, exitFailed, "there is no such file")
	world{}.taskapi(t, "db", "restore", "--yes", "--data-dir=data").expect(t, exitUsage)
	world{}.taskapi(t, "db", "init", "--data-dir=data").expect(t, exitOK)
	world{}.taskapi(t, "db", "rollback", "--yes", "--data-dir=data").expect(t, exitFailed, "nothing to go back to")
	world{}.taskapi(t, "db", "backup", "no/such/folder/x.db", "--data-dir=data").expect(t, exitFailed, "no such file or folder")
	world{}.taskapi(t, "db", "backup", "--data-dir=data").expect(t, exitOK, "data/backups/taskapi-")
	made, err := filepath.Glob("data/backups/taskapi-*.db")
	if err != nil || len(made) != 1 {
		t.Fatal(made, err)
	}
	content, err := os.ReadFile(made[0])
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, "cut.db", string(content[:len(content)/2]))
	writeFile(t, "text.db", "hello")
	writeFile(t, "changed.db", string(bytes.Replace(content, []byte("SQLite format 3"), []byte("SQLite format 4"), 1)))
	for _, file := range []string{"cut.db", "text.db", "changed.db", "/dev/zero", "data"} {
		got := world{}.taskapi(t, "db", "restore", file, "--yes", "--data-dir=data").expect(t, exitFailed, "is not restored", "the database is as it was")
		if strings.Count(got.err, "\n") != 1 {
			t.Errorf("not one line: %q", got.err)
		}
	}
	world{terminal: true, in: "no\n"}.taskapi(t, "db", "restore", made[0], "--data-dir=data").expect(t, exitFailed, "nothing was changed")
	world{terminal: true, in: "yes\n"}.taskapi(t, "db", "restore", made[0], "--data-dir=data").expect(t, exitOK, "Restored: 0 users")
}

// An older database is brought forward at the start, and goes back.
func TestUpgradeAndRollback(t *testing.T) {
	folder(t)
	if err := os.Mkdir("data", 0o700); err != nil {
		t.Fatal(err)
	}
	older, err := os.ReadFile(filepath.Join(root(t), "app", "sqlite", "testdata", "schema-2.sql"))
	if err != nil {
		t.Fatal(err)
	}
	sqlitetest.Make(t, string(older), "data/taskapi.db")
	p := start(t, nil)
	p.signUp()
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, p.log.String())
	}
	world{}.taskapi(t, "db", "rollback", "--yes", "--data-dir=data").expect(t, exitOK, "Back at schema 2", "0 users, 0 tasks", "is kept as")
	world{}.taskapi(t, "user", "list", "--data-dir=data").expect(t, exitOK) // brings it forward again
	world{}.taskapi(t, "db", "rollback", "--yes", "--data-dir=data").expect(t, exitOK, "Back at schema 2")
}

func TestBackupsAreMadeWhileServing(t *testing.T) {
	folder(t)
	p := start(t, nil, "--backup-every=1h", "--backup-dir=safe")
	deadline := time.Now().Add(time.Minute)
	for {
		if made, err := filepath.Glob("safe/taskapi-*Z.db"); err == nil && len(made) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no backup was made")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK || !strings.Contains(p.log.String(), "backup made") {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	start(t, nil, "--backup-every=1h", "--backup-dir=safe").stop(syscall.SIGTERM)
	if made, err := filepath.Glob("safe/taskapi-*Z.db"); err != nil || len(made) != 1 {
		t.Errorf("after a start within the hour: %v %v", made, err)
	}
}

// The server is not ready when the schedule of backups is no longer kept.
func TestReadinessKnowsOverdueBackups(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	db := sqlitetest.OpenAt(t, filepath.Join(dir, "taskapi.db"), time.Now)
	began := time.Now()
	now := began
	a := &application{clock: &machine.Clock{System: func() time.Time { return now }, Elapsed: func() time.Duration { return now.Sub(began) }}}
	s := settings.Settings{BackupEvery: time.Hour}
	backups := &sqlite.Backups{Path: db.Path(), Dir: filepath.Join(dir, "backups"), Every: s.BackupEvery, Now: func() time.Time { return now }}
	for _, c := range []struct {
		later time.Duration
		make  bool
		ready bool
	}{
		{time.Hour, false, true}, {3 * time.Hour, false, false}, {3 * time.Hour, true, true}, {6 * time.Hour, false, false},
	} {
		now = time.Now().Add(c.later)
		if c.make {
			if _, err := backups.Make(ctx, true, nil); err != nil {
				t.Fatal(err)
			}
		}
		lines := logs.NewQueue(io.Discard, time.Now, func(int64) {})
		health := a.newHealth(s, &database{DB: db.DB, file: db}, backups, lines, slog.New(slog.DiscardHandler)) // no report is remembered
		run, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		running.Go(func() { health.Run(run) })
		if report := health.Ready(ctx); report.Checks["backup"] != c.ready || report.Ready != c.ready {
			t.Errorf("%+v: %+v", c, report)
		}
		stop()
		running.Wait()
		lines.Close(time.Minute)
	}
}

// A backup that is copied by hand over the database of a server that was killed
// would be undone by the log of that one.
func TestABackupCopiedByHand(t *testing.T) {
	folder(t)
	p := start(t, nil)
	world{}.taskapi(t, "db", "backup", "safe.db", "--data-dir=data").expect(t, exitOK)
	p.signUp()
	p.kill()
	text, err := os.ReadFile("safe.db")
	if err == nil {
		err = os.WriteFile("data/taskapi.db", text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	const advice = `move taskapi.db to another folder and run "taskapi db restore FILE"`
	world{}.taskapi(t, "doctor", "--data-dir=data", "--addr=127.0.0.1:0").expect(t, exitFailed).finds(t, "fail", "database", advice)
	for _, command := range []string{"serve", "user list", "db backup", "db export x.json"} {
		args := append(strings.Fields(command), "--data-dir=data")
		if command == "serve" {
			args = append(args, "--addr=127.0.0.1:0")
		}
		world{}.taskapi(t, args...).expect(t, exitFailed, advice)
	}
	if err := os.Rename("data/taskapi.db", "mine.db"); err != nil {
		t.Fatal(err)
	}
	world{}.taskapi(t, "db", "restore", "mine.db", "--yes", "--data-dir=data").expect(t, exitOK, "Restored: 0 users", "-wal; delete it")
	start(t, nil).stop(syscall.SIGTERM)
}
