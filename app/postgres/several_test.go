package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/postgres"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// server is an empty database of its own, and two processes on it.
type server struct {
	*storetest.DB
	other *storetest.DB
}

func start(t *testing.T) *server {
	t.Helper()
	if storetest.IsSQLite() {
		t.Skip("needs a server of PostgreSQL in " + storetest.Variable)
	}
	db := storetest.Open(t, time.Now)
	return &server{db, db.Another(t, storetest.Options{})}
}

// cut ends connections of the processes, as a server that is started again does.
func (s *server) cut(t *testing.T, which string) {
	t.Helper()
	s.Lines(t, `SELECT CAST(pg_terminate_backend(pid) AS TEXT) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND `+which)
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("never: " + what)
		}
	}
}

// One process leads at a time: another one as soon as that one has stopped or lost its connection,
// and the first one again after that.
func TestOneLeads(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	var leading, most atomic.Int64
	var led [2]atomic.Int64
	var all sync.WaitGroup
	defer func() { cancel(); all.Wait() }()
	lead := func(ctx context.Context, i int, db *storetest.DB) {
		db.Lead(ctx, func(ctx context.Context) {
			if n := leading.Add(1); n > most.Load() {
				most.Store(n)
			}
			led[i].Add(1)
			<-ctx.Done()
			leading.Add(-1)
		})
	}
	first, leave := context.WithCancel(ctx)
	all.Go(func() { lead(first, 0, s.DB) })
	until(t, "the first leads", func() bool { return led[0].Load() == 1 })
	all.Go(func() { lead(ctx, 1, s.other) })
	const leaders = `pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)`
	for lost := int64(1); lost < 3; lost++ {
		s.cut(t, leaders)
		until(t, "one leads again", func() bool { return led[0].Load()+led[1].Load() == lost+1 })
	}
	leave()
	until(t, "the other one leads", func() bool { return led[1].Load() > 0 && leading.Load() == 1 })
	cancel()
	all.Wait()
	if leading.Load() != 0 {
		t.Errorf("%d lead after the end", leading.Load())
	}
	// A server that ends a connection knows before its process does.
	if most.Load() > 2 {
		t.Errorf("%d led at once", most.Load())
	}
}

// What one process commits the other one is told of, also after the connection was lost on which
// it listens, and an ended session is of no use there at once.
func TestProcessesTellEachOther(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	defer func() { cancel(); all.Wait() }()
	var told atomic.Int64
	s.other.OnChange(func(touched []todo.Touched) { told.Add(int64(len(touched))) })
	made := func() {
		t.Helper()
		user, err := s.CreateUser(ctx, app.Operator(), account.NewUser{Username: "bob", Email: rand.Text() + "@example.com", PasswordHash: hash, Role: app.RoleUser, CreatedAt: time.Now()}, account.Record{})
		if err != nil {
			t.Fatal(err)
		}
		by := app.Operator()
		by.UserID = user.ID
		if _, err := s.CreateTask(ctx, by, todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	made() // a stream may have begun before that
	all.Go(func() { s.other.Follow(ctx, func(err error) { t.Log(err) }) })
	until(t, "it is told of what was before", func() bool { return told.Load() > 0 })
	const listens = `query LIKE 'LISTEN%' OR query LIKE '%LISTEN taskapi%' OR query = 'SELECT 1'`
	listening := func() bool {
		return s.Count(t, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND (`+listens+`)`) > 0
	}
	until(t, "it listens", listening)
	user, err := s.CreateUser(ctx, app.Operator(), account.NewUser{Username: "ann", Email: "ann@example.com", PasswordHash: hash, Role: app.RoleUser, CreatedAt: time.Now()}, account.Record{})
	if err != nil {
		t.Fatal(err)
	}
	by := app.Operator()
	by.UserID = user.ID
	for range 3 {
		before := told.Load()
		if _, err := s.CreateTask(ctx, by, todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		until(t, "it is told", func() bool { return told.Load() > before })
		s.cut(t, `(`+listens+`)`)
	}
	for range 3 {
		session := account.Session{ID: rand.Text()[:22], UserID: user.ID, Generation: 1, CreatedAt: time.Now(), LastUsedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}
		if err := s.CreateSession(ctx, session, account.SignIn{PasswordHash: hash}, account.Record{}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.other.Caller(ctx, session.ID, user.ID, time.Now()); err != nil {
			t.Fatal(err)
		}
		if ended, err := s.EndSession(ctx, app.Caller{}, session.ID, account.Record{}); err != nil || !ended {
			t.Fatal(ended, err)
		}
		until(t, "the session is over at the other one", func() bool {
			_, err := s.other.Caller(ctx, session.ID, user.ID, time.Now())
			return err != nil
		})
	}
}

const hash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"

// A process notices that other tables have taken the place of its own, as from a dump that was
// restored, and writes nothing into them.
func TestAnotherDatabaseIsNoticed(t *testing.T) {
	for _, how := range []string{"connections break", "it looks", "it writes"} {
		t.Run(how, func(t *testing.T) {
			s := start(t)
			db, err := postgres.Open(context.Background(), postgres.Options{URL: s.Lines(t, `SELECT 'postgres://' || current_user || '@127.0.0.1:' || inet_server_port() || '/' || current_database()`)[0], Random: rand.Reader})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			ctx, cancel := context.WithCancel(context.Background())
			var all sync.WaitGroup
			defer func() { cancel(); all.Wait() }()
			if how != "it writes" {
				all.Go(func() { db.Follow(ctx, func(error) {}) })
			} else if err := db.SetMeta(ctx, "test", "before"); err != nil {
				t.Fatal(err)
			}
			select {
			case <-db.Replaced():
				t.Fatal("nothing was replaced")
			case <-time.After(10 * time.Millisecond):
			}
			s.Exec(t, `ALTER TABLE changes RENAME TO before`)
			s.Exec(t, `CREATE TABLE changes (LIKE before INCLUDING ALL)`)
			switch how {
			case "connections break":
				s.cut(t, "application_name = 'taskapi'")
			case "it writes":
				if err := db.SetMeta(ctx, "test", "after"); !errors.Is(err, postgres.ErrReplaced) {
					t.Errorf("it wrote: %v", err)
				}
			}
			<-db.Replaced()
		})
	}
}

// Where all connections break between two transactions, the next write and the next reads succeed.
func TestConnectionsAreMadeAgain(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	for range 3 {
		if err := s.SetMeta(ctx, "test", rand.Text()); err != nil {
			t.Fatal(err)
		}
		if err := s.CheckRead(ctx); err != nil {
			t.Fatal(err)
		}
		s.cut(t, "application_name = 'taskapi'")
	}
	_, err := postgres.Open(ctx, postgres.Options{URL: os.Getenv(storetest.Variable) + "_not_there", Random: rand.Reader})
	if err == nil {
		t.Error("a database that is not there was opened")
	}
}
