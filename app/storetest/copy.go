package storetest

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"

	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/app/store"
)

// Place is a database, or room for one, that is copied from and to.
type Place struct{ base copyBase }

type copyBase interface {
	base
	source(ctx context.Context) (Source, error)
	target(ctx context.Context) (Target, error)
}

// Source is what is copied. Close it.
type Source interface {
	store.CopySource
	io.Closer
}

// Target is what is copied to. Close it.
type Target interface {
	store.CopyTarget
	io.Closer
}

// NewFile is the place of a SQLite file that is not there.
func NewFile(t testing.TB) Place { return Place{newSQLite(t)} }

// OddSchema is the schema that NewServer makes: its name has to be quoted.
const OddSchema = `"Odd one"`

// NewServer is an empty schema of PostgreSQL, beside that of others. The test is skipped if none is tested.
func NewServer(t testing.TB) Place {
	t.Helper()
	address := os.Getenv(Variable)
	if !strings.HasPrefix(address, "postgres") {
		t.Skipf("%s names no PostgreSQL", Variable)
	}
	s := newPostgres(t, address)
	plain, err := postgres.Dial(context.Background(), postgres.Options{URL: s.address})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(plain.Script("CREATE SCHEMA "+OddSchema), plain.Close()); err != nil {
		t.Fatal(err)
	}
	s.address += "?search_path=" + url.PathEscape(OddSchema)
	return Place{s}
}

// NewPlace is room for a database of the engine that is tested.
func NewPlace(t testing.TB) Place {
	t.Helper()
	if IsSQLite() {
		return NewFile(t)
	}
	return NewServer(t)
}

// Place is where the database is.
func (db *DB) Place() Place { return Place{db.base.(copyBase)} }

// Address is how the command line names it.
func (p Place) Address() string {
	if s, is := p.base.(*postgresDatabase); is {
		return s.address
	}
	return "sqlite:" + p.base.(*sqliteFile).path
}

// Exec runs a statement in the database that is there, or in the empty one.
func (p Place) Exec(ctx context.Context, statement string) error {
	_, err := p.base.Exec(ctx, statement, nil)
	return err
}

// Open opens the database that is there.
func (p Place) Open(t testing.TB, o Options) *DB {
	t.Helper()
	return open(t, p.base, o)
}

// Source begins to read the database.
func (p Place) Source(ctx context.Context) (Source, error) { return p.base.source(ctx) }

// Target begins to fill it.
func (p Place) Target(ctx context.Context) (Target, error) { return p.base.target(ctx) }

func (f *sqliteFile) source(ctx context.Context) (Source, error) { return sqlite.CopyFrom(ctx, f.path) }

func (f *sqliteFile) target(ctx context.Context) (Target, error) {
	return sqlite.CopyInto(ctx, f.path, f.schema)
}

func (s *postgresDatabase) source(ctx context.Context) (Source, error) {
	return postgres.CopyFrom(ctx, postgres.Options{URL: s.address})
}

func (s *postgresDatabase) target(ctx context.Context) (Target, error) {
	return postgres.CopyInto(ctx, postgres.Options{URL: s.address})
}
