package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"

	"taskapi/app/postgres"
	"taskapi/app/store"
)

// postgresDatabase is a database of its own on a server of PostgreSQL.
type postgresDatabase struct {
	address string
	mu      sync.Mutex
	plain   *postgres.Session // beside the store; nil until it is used
}

// newPostgres copies a database with empty tables, which takes a quarter of the time that making them
// does.
func newPostgres(t testing.TB, address string) *postgresDatabase {
	t.Helper()
	ctx := context.Background()
	admin, err := postgres.Dial(ctx, postgres.Options{URL: address})
	if err != nil {
		t.Fatal(err)
	}
	template, name := "taskapi_test_template", "test_"+strings.ToLower(rand.Text())
	err = makeTemplate(ctx, admin, address, template)
	if err == nil {
		err = admin.Script("CREATE DATABASE " + name + " TEMPLATE " + template + " STRATEGY file_copy")
	}
	err = errors.Join(err, admin.Close())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin, err := postgres.Dial(ctx, postgres.Options{URL: address})
		if err == nil {
			// Also of connections that a test has left.
			err = errors.Join(admin.Script("DROP DATABASE "+name+" WITH (FORCE)"), admin.Close())
		}
		if err != nil {
			t.Error(err)
		}
	})
	return &postgresDatabase{address: named(address, name)}
}

// named returns the address of another database of the same server.
func named(address, name string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	u.Path = "/" + name
	return u.String()
}

// makeTemplate makes the database that is copied, unless it is there. Processes take turns.
func makeTemplate(ctx context.Context, admin *postgres.Session, address, name string) (err error) {
	if err := admin.Script("SELECT pg_advisory_lock(1952805748)"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, admin.Script("SELECT pg_advisory_unlock(1952805748)")) }()
	var made bool
	if err := admin.One(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = ?)", []any{name}, []any{&made}); err != nil || made {
		return err
	}
	if err := admin.Script("CREATE DATABASE " + name); err != nil {
		return err
	}
	plain, err := postgres.Dial(ctx, postgres.Options{URL: named(address, name)})
	if err == nil {
		err = errors.Join(plain.Make(ctx), plain.Close())
	}
	if err != nil {
		err = errors.Join(err, admin.Script("DROP DATABASE "+name))
	}
	return err
}

func (s *postgresDatabase) open(t testing.TB, o Options) (*store.DB, io.Closer) {
	t.Helper()
	db, err := postgres.Open(context.Background(), postgres.Options{URL: s.address, Now: o.Now, Elapsed: o.Elapsed, Random: rand.Reader, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	return db.DB, db
}

func (s *postgresDatabase) beside() (_ *postgres.Session, err error) {
	if s.plain == nil {
		s.plain, err = postgres.Dial(context.Background(), postgres.Options{URL: s.address})
	}
	return s.plain, err
}

// Exec implements base.
func (s *postgresDatabase) Exec(ctx context.Context, query string, args []any) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain, err := s.beside()
	if err != nil {
		return 0, err
	}
	return plain.Exec(ctx, query, args)
}

// Each implements base.
func (s *postgresDatabase) Each(ctx context.Context, query string, args []any, scan func(store.Row) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain, err := s.beside()
	if err != nil {
		return err
	}
	return plain.Each(ctx, query, args, scan)
}

// plan implements base.
func (s *postgresDatabase) plan(ctx context.Context, query string, args []any) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain, err := s.beside()
	if err != nil {
		return nil, err
	}
	return plain.Explain(ctx, query, args)
}

// contents implements base with the rows of each table as texts.
func (s *postgresDatabase) contents() (map[string]string, error) {
	var tables []string
	err := s.Each(context.Background(), `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`, nil, func(row store.Row) error {
		var name string
		err := row.Scan(&name)
		tables = append(tables, name)
		return err
	})
	texts := map[string]string{}
	for _, table := range tables {
		if err != nil {
			return nil, err
		}
		err = s.Each(context.Background(), fmt.Sprintf(`SELECT CAST(t.* AS TEXT) FROM %s AS t`, table), nil, func(row store.Row) error {
			var text string
			err := row.Scan(&text)
			texts[table] += text + "\n"
			return err
		})
	}
	return texts, err
}

// close implements base.
func (s *postgresDatabase) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain := s.plain
	s.plain = nil
	if plain == nil {
		return nil
	}
	return plain.Close()
}
