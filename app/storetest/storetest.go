// Package storetest opens a store for tests in a fresh database of the engine that is tested:
// SQLite, in a file in a temporary folder, or the one that TASKAPI_TEST_DATABASE names.
package storetest

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app/sqlite"
	"taskapi/app/store"
)

// Variable is the environment variable with the address of the engine that is tested. Empty is
// SQLite.
const Variable = "TASKAPI_TEST_DATABASE"

// Options says how a test opens a store.
type Options struct {
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Elapsed is how long the program has run. Nil goes by the clock.
	Elapsed func() time.Duration
	// Cleanup is given what closes the store. Nil is the end of the test.
	Cleanup func(func())
}

// DB is an open store, with ways to its database that do not lead through the store.
type DB struct {
	*store.DB
	base   base
	engine io.Closer
	closed sync.Once
}

// base is a database of one engine.
type base interface {
	// open opens it as one more process would.
	open(t testing.TB, o Options) (*store.DB, io.Closer)
	// Exec and Each are those of a store.Runner, and run beside the store.
	Exec(ctx context.Context, query string, args []any) (rows int64, err error)
	Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error
	// plan is how the engine would run a query, a step a line. Args are values that it ran with.
	plan(ctx context.Context, query string, args []any) ([]string, error)
	// contents is what is in it as it lies there, by where that is.
	contents() (map[string]string, error)
	// close ends what Exec and Each have opened, if they have.
	close() error
}

// fresh makes a new database of the engine that is tested.
func fresh(t testing.TB) base {
	t.Helper()
	switch engine, _, _ := strings.Cut(os.Getenv(Variable), ":"); engine {
	case "":
		return newSQLite(t)
	case "postgres":
		return newPostgres(t, os.Getenv(Variable))
	default:
		t.Fatalf("%s names %q, which is no engine", Variable, engine)
		return nil
	}
}

// IsSQLite reports whether SQLite is tested.
func IsSQLite() bool { return os.Getenv(Variable) == "" }

// Open opens a fresh database that is closed at the end of the test.
func Open(t testing.TB, now func() time.Time) *DB {
	t.Helper()
	return OpenWith(t, Options{Now: now})
}

// OpenWith is Open with more to say.
func OpenWith(t testing.TB, o Options) *DB {
	t.Helper()
	return open(t, fresh(t), o)
}

// Another opens the same database once more, as another process would.
func (db *DB) Another(t testing.TB, o Options) *DB {
	t.Helper()
	return open(t, db.base, o)
}

func open(t testing.TB, base base, o Options) *DB {
	t.Helper()
	if o.Cleanup == nil {
		o.Cleanup = t.Cleanup
	}
	db := &DB{base: base}
	db.DB, db.engine = base.open(t, o)
	o.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Close closes the store before the end of the test.
func (db *DB) Close() (err error) {
	db.closed.Do(func() { err = errors.Join(db.base.close(), db.engine.Close()) })
	return err
}

// SQLite is for a test of what only SQLite has, such as its files. The test is skipped, for the
// reason why, if another engine is tested.
func (db *DB) SQLite(t testing.TB, why string) *sqlite.DB {
	t.Helper()
	engine, is := db.engine.(*sqlite.DB)
	if !is {
		t.Skipf("only for SQLite: %s", why)
	}
	return engine
}

// TB is what a test and a check of rapid have in common.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Exec runs a statement outside the store, as another process would. It is in the dialect of
// the store's.
func (db *DB) Exec(t TB, query string, args ...any) {
	t.Helper()
	if _, err := db.base.Exec(context.Background(), query, args); err != nil {
		t.Fatal(err)
	}
}

// Each calls scan for every row of a query outside the store.
func (db *DB) Each(t TB, query string, args []any, scan func(store.Row) error) {
	t.Helper()
	if err := db.base.Each(context.Background(), query, args, scan); err != nil {
		t.Fatal(err)
	}
}

// Query reads the one row that a query outside the store finds.
func (db *DB) Query(t TB, query string, args []any, dest ...any) {
	t.Helper()
	rows := 0
	db.Each(t, query, args, func(row store.Row) error { rows++; return row.Scan(dest...) })
	if rows != 1 {
		t.Fatal("want one row, not", rows, "of", query)
	}
}

// Count returns the one number that a query outside the store finds.
func (db *DB) Count(t TB, query string, args ...any) (n int64) {
	t.Helper()
	db.Query(t, query, args, &n)
	return n
}

// Lines returns the rows of one text each that a query outside the store finds, in one line each.
func (db *DB) Lines(t TB, query string, args ...any) (lines []string) {
	t.Helper()
	db.Each(t, query, args, func(row store.Row) error {
		var line string
		err := row.Scan(&line)
		lines = append(lines, strings.Join(strings.Fields(line), " "))
		return err
	})
	return lines
}

// Consistent returns store.ErrInconsistent if what is in the database contradicts itself.
func (db *DB) Consistent() error {
	return store.Consistent(func(query string, n *int64) error {
		return db.base.Each(context.Background(), query, nil, func(row store.Row) error { return row.Scan(n) })
	})
}

// Plan returns how the engine would run a query, a step a line. Args are values that it ran with.
func (db *DB) Plan(t TB, query string, args []any) []string {
	t.Helper()
	steps, err := db.base.plan(context.Background(), query, args)
	if err != nil {
		t.Fatal(query, err)
	}
	return steps
}

// Contents is all that is in the database as it lies there, by where that is.
func (db *DB) Contents(t TB) map[string]string {
	t.Helper()
	texts, err := db.base.contents()
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
