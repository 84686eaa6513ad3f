// Package sqlite is the engine that keeps everything in one SQLite file, and the files around
// it: backups, older schemas, the write-ahead log. It is the only importer of the driver.
//
// SQLite has one writer at a time, so there is one write connection; readers have connections
// of their own that refuse to write.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"taskapi/app/store"

	// The driver; its name is "sqlite".
	_ "modernc.org/sqlite"
)

// Durability says what an answered write survives.
type Durability string

const (
	// Full: a power cut (PRAGMA synchronous=FULL: one sync of the log a commit).
	Full Durability = "full"
	// Normal: a crash of the program; a power cut may take the last moments,
	// but never corrupts the file.
	Normal Durability = "normal"
)

// Options says how to open a database.
type Options struct {
	// Path of the database file. Made if it is not there.
	Path string
	// Schema is the text of schema.sql.
	Schema string
	// Durability of writes. Empty is Full.
	Durability Durability
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
	// Elapsed is how long the program has run, whatever the clock was set to.
	// Nil goes by the clock.
	Elapsed func() time.Duration

	// Progress is told how far an older schema has been brought forward. May be nil.
	Progress Progress

	noSnapshot bool // for a copy that is of no use to anybody yet
}

// DB is an open database. All its methods may be called at the same time.
type DB struct {
	*store.DB
	engine   *engine
	path     string
	now      func() time.Time
	place    place
	damage   damage
	serves   bool // it has begun a timeline
	timeline timeline
	// replication holds the log. Nil without a second place.
	replication *Replication
}

// busyTimeout is how long a connection waits for another process, such as a
// command that is run while the server serves.
const busyTimeout = 5 * time.Second

// readConnections is how many queries run at once. More than there are cores,
// because a query whose thread loses its core keeps its connection: on two
// cores, four answer a tenth more requests than two.
const readConnections = 4

// Open opens the database, makes its schema or brings an older one forward,
// and makes sure that the settings a lost write or a broken reference would
// follow from are really in force. Returns ErrNotDatabase, ErrForeign,
// ErrNewer, ErrOtherTimeline, or what the system said. Before an older schema is brought forward,
// a proved copy of the file is kept beside it: see Rollback.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Elapsed == nil {
		opened := o.Now()
		o.Elapsed = func() time.Duration { return o.Now().Sub(opened) }
	}
	if o.Durability == "" {
		o.Durability = Full
	}
	patience := time.NewTimer(busyTimeout)
	defer patience.Stop()
	for {
		db, err := openOnce(ctx, o)
		if !errors.Is(err, ErrLocked) {
			return db, err
		}
		// SQLite itself waits for most locks, but not for those of a file that
		// another process turns into one with a log, or out of it.
		select {
		case <-time.After(openAgain):
		case <-patience.C:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// openAgain is how long Open waits for another process that is opening or
// closing the same file.
const openAgain = 20 * time.Millisecond

func openOnce(ctx context.Context, o Options) (*DB, error) {
	if err := ours(ctx, o.Path); err != nil {
		return nil, err
	}
	pool, err := openPool(dsn(o.Path, o.Durability, false), 1)
	if err != nil {
		return nil, describe(err)
	}
	engine, err := openWriter(ctx, pool)
	if err != nil {
		return nil, errors.Join(describe(err), pool.Close())
	}
	db := &DB{engine: engine, path: o.Path, now: o.Now, DB: store.New(engine, store.Options{Now: o.Now, Elapsed: o.Elapsed})}
	if err := db.start(ctx, o); err != nil {
		return nil, errors.Join(describe(err), db.Close())
	}
	return db, nil
}

func (db *DB) start(ctx context.Context, o Options) error {
	conn := db.engine.conn
	if err := checkPragmas(ctx, conn, o.Durability); err != nil {
		return err
	}
	if !o.noSnapshot {
		if err := snapshotIfOlder(ctx, conn, o); err != nil {
			return err
		}
	}
	if err := migrate(ctx, conn, o.Schema, steps(), o.Progress); err != nil {
		return err
	}
	if err := rekey(ctx, conn); err != nil {
		return err
	}
	if err := db.engine.openReaders(ctx, dsn(o.Path, o.Durability, true)); err != nil {
		return err
	}
	if err := db.Begin(ctx); err != nil {
		return err
	}
	if err := db.place.find(o.Path); err != nil {
		return err
	}
	if err := db.rememberSchema(ctx); err != nil {
		return err
	}
	db.engine.mayWrite = db.mayWrite
	return nil
}

// mayWrite returns an error if a write would be lost, or could make damage worse.
func (db *DB) mayWrite() error {
	if err := db.damage.err(); err != nil {
		return err
	}
	if met := db.engine.damage(); met != nil {
		db.damage.note(translate(met))
		return db.damage.err()
	}
	looked, err := db.place.checkAgain(db.now())
	if err != nil || !looked {
		return err
	}
	ctx := context.Background()
	if err := db.checkTimeline(ctx); err != nil {
		return err
	}
	if err := errors.Join(db.checkSchema(ctx), db.checkLength(ctx)); err != nil {
		if found := db.damage.err(); found != nil {
			return found
		}
		return err
	}
	return nil
}

func openPool(dsn string, connections int) (*sql.DB, error) {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// Path is where the database file is.
func (db *DB) Path() string { return db.path }

// Close ends all connections. The last one out moves the write-ahead log into
// the database and removes it. Returns ErrGone if another database was copied over the
// file: then a connection stays open until the process ends, since the log would
// else be moved into that one.
func (db *DB) Close() error {
	if db.serves {
		if err := db.checkTimeline(context.Background()); errors.Is(err, ErrGone) {
			return err
		}
	}
	errs := []error{db.engine.close()}
	if db.serves {
		errs = append(errs, endTimeline(db.path))
	}
	return errors.Join(errs...)
}

// checkPragmas reads back what the DSN asked for: a misspelt one is accepted
// in silence.
func checkPragmas(ctx context.Context, conn *sql.Conn, durability Durability) error {
	want := map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "2"}
	if durability == Normal {
		want["synchronous"] = "1"
	}
	for name, value := range want {
		var got string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil {
			return err
		}
		if !strings.EqualFold(got, value) {
			return fmt.Errorf("sqlite: %s is %s, not %s", name, got, value)
		}
	}
	return nil
}

// Version returns the version of SQLite itself, such as "3.54.1".
func Version() (version string, err error) {
	pool, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	err = pool.QueryRow("SELECT sqlite_version()").Scan(&version)
	return version, err
}
