// Package postgres is the engine for those who have outgrown one machine: it keeps everything in
// a PostgreSQL database, which several processes may use at once. It is the only importer of the
// driver.
//
// The store writes in turns, and here the turn is a row of the database: see takeTurn. So what
// one SQLite file promises holds for all processes together.
package postgres

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"taskapi/app/store"
)

//go:embed schema.sql
var schema string

// schemaNumber is that of schema.sql in meta.
const schemaNumber = 8

// Options says how to open a database.
type Options struct {
	// URL is postgres://user@host:port/database?…, with the parameters of libpq.
	URL string
	// Password is used unless the URL has one. Without any, those of libpq's environment are.
	Password string
	// Relaxed gives up the last moments if the database server crashes (synchronous_commit=off).
	Relaxed bool
	// Existing refuses a database without tables instead of making them.
	Existing bool
	// Connections that read. 0 is DefaultConnections.
	Connections int
	// Now and Elapsed are those of store.Options.
	Now     func() time.Time
	Elapsed func() time.Duration
	// Random is where random bytes come from.
	Random io.Reader
}

// DefaultConnections is how many queries run at once.
const DefaultConnections = 8

// DB is an open database. All its methods may be called at the same time.
type DB struct {
	*store.DB
	engine *engine
}

// Open connects to a database, and makes its tables if there are none. Returns ErrForeign,
// ErrNewer, ErrEmpty, ErrTooOld, ErrEncoding, or ErrUnreachable with what the server or the network said.
func Open(ctx context.Context, o Options) (*DB, error) {
	config, err := configOf(o)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 8)
	if _, err := io.ReadFull(o.Random, id); err != nil {
		return nil, err
	}
	e := &engine{config: config, process: hex.EncodeToString(id), replaced: make(chan struct{})}
	if o.Connections == 0 {
		o.Connections = DefaultConnections
	}
	if err := e.openReaders(o.Connections); err != nil {
		return nil, err
	}
	db := &DB{DB: store.New(e, store.Options{Now: o.Now, Elapsed: o.Elapsed, Random: o.Random}), engine: e}
	err = e.migrate(ctx, o.Existing)
	if err == nil {
		err = db.Begin(ctx)
	}
	if err != nil {
		e.close()
		return nil, explain(err)
	}
	return db, nil
}

func configOf(o Options) (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("the address of the database: %w", err)
	}
	if u, err := url.Parse(o.URL); o.Password != "" && err == nil {
		if _, has := u.User.Password(); !has {
			config.Password = o.Password // before PGPASSWORD and ~/.pgpass
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if o.Relaxed {
		config.RuntimeParams["synchronous_commit"] = "off"
	}
	return config, nil
}

// Close ends all connections.
func (db *DB) Close() error {
	db.engine.close()
	return nil
}

// Replaced is closed when another database stands at the address than when this one was opened: it
// was restored, or another server has taken over. Then only ErrReplaced comes of writing.
func (db *DB) Replaced() <-chan struct{} { return db.engine.replaced }

// Schema returns the name of the schema that an address names with search_path, or the usual one.
func Schema(address string) string {
	if u, err := url.Parse(address); err == nil && u.Query().Get("search_path") != "" {
		return u.Query().Get("search_path")
	}
	return "public"
}

// Redact returns the address of a database without its password.
func Redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "postgres://…"
	}
	u.RawQuery = ""
	return u.Redacted()
}

// unreachable says what an operator can do about an address at which nothing answers, or not us.
func unreachable(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return explain(err)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, tried(err))
}

// explain says what an operator can do about what the server said at opening.
func explain(err error) error {
	var said *pgconn.PgError
	if !errors.As(err, &said) {
		return err
	}
	todo := map[string]string{
		"28P01": "set the right password: in the address, or with TASKAPI_DATABASE_PASSWORD or TASKAPI_DATABASE_PASSWORD_FILE",
		"28000": "let the user in from here, in pg_hba.conf",
		"3D000": "make it: createdb --encoding UTF8 --template template0 --owner USER NAME",
		"3F000": "make the schema that search_path names: CREATE SCHEMA NAME",
		"42501": "let the user make tables there: GRANT CREATE, USAGE ON SCHEMA public TO USER, or let it own the database",
	}[said.Code]
	if todo == "" {
		return fmt.Errorf("%w: %s", ErrUnreachable, said.Message)
	}
	return fmt.Errorf("%s; %s", said.Message, todo)
}
