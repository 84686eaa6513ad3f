// Package sqlitetest opens real databases for tests: a file in a temporary
// folder with the shipped schema.
package sqlitetest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"taskapi/app/sqlite"
)

// Schema returns the text of schema.sql, found by walking up to go.mod.
func Schema(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(Root(t), "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Root returns the folder that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}

// Open opens a fresh database that is closed at the end of the test.
func Open(t testing.TB, now func() time.Time) *sqlite.DB {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "taskapi.db"), now)
}

// OpenAt opens the database at the path, closed at the end of the test.
func OpenAt(t testing.TB, path string, now func() time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: path, Schema: Schema(t), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// Make makes a database file of any schema.
func Make(t testing.TB, schema, path string) {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+path)
	if err == nil {
		_, err = pool.Exec(schema)
		err = errors.Join(err, pool.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
