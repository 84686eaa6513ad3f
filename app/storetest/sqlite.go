package storetest

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"taskapi/app/sqlite"
	"taskapi/app/sqlite/sqlitetest"
	"taskapi/app/store"
)

// sqliteFile is a database of SQLite.
type sqliteFile struct {
	path, schema string
	mu           sync.Mutex
	pool         *sql.DB // beside the store; nil until it is used
}

func newSQLite(t testing.TB) *sqliteFile {
	t.Helper()
	return &sqliteFile{path: filepath.Join(t.TempDir(), "taskapi.db"), schema: sqlitetest.Schema(t)}
}

func (f *sqliteFile) open(t testing.TB, o Options) (*store.DB, io.Closer) {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: f.path, Schema: f.schema, Now: o.Now, Elapsed: o.Elapsed})
	if err != nil {
		t.Fatal(err)
	}
	return db.DB, db
}

func (f *sqliteFile) beside() (_ *sql.DB, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pool == nil {
		f.pool, err = sql.Open("sqlite", "file:"+f.path+"?_pragma=busy_timeout(5000)&_pragma=foreign_keys(1)")
	}
	return f.pool, err
}

// Exec implements base.
func (f *sqliteFile) Exec(ctx context.Context, query string, args []any) (int64, error) {
	pool, err := f.beside()
	if err != nil {
		return 0, err
	}
	result, err := pool.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// Each implements base.
func (f *sqliteFile) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) (err error) {
	pool, err := f.beside()
	if err != nil {
		return err
	}
	rows, err := pool.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// plan implements base.
func (f *sqliteFile) plan(ctx context.Context, query string, _ []any) (steps []string, err error) {
	err = f.Each(ctx, "EXPLAIN QUERY PLAN "+query, make([]any, 40), func(row store.Row) error {
		var id, parent, unused int
		var detail string
		err := row.Scan(&id, &parent, &unused, &detail)
		steps = append(steps, detail)
		return err
	})
	return steps, err
}

// contents implements base with the bytes of the files.
func (f *sqliteFile) contents() (map[string]string, error) {
	texts := map[string]string{}
	for _, name := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(f.path + name)
		if err != nil {
			return nil, err
		}
		texts["the database"+name] = string(text)
	}
	return texts, nil
}

func (f *sqliteFile) close() (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pool != nil {
		err = f.pool.Close()
		f.pool = nil
	}
	return err
}
