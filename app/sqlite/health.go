package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// CheckRead reads the database. Returns ErrGone when its file is no longer
// there, app.ErrDatabaseDamaged and ErrOtherSchema once that was met, and
// ErrDamaged from the first statement on that met damage: what one
// request can read says nothing of the page that another needs.
func (db *DB) CheckRead(ctx context.Context) error {
	if err := errors.Join(db.place.check(), db.checkTimeline(ctx)); err != nil {
		return err
	}
	if err := db.damage.err(); err != nil {
		return err
	}
	for _, stmts := range []*statements{&db.writer.stmts, &db.readers.stmts} {
		if err := stmts.damage.Load(); err != nil {
			return translate(*err)
		}
	}
	if err := errors.Join(db.checkSchema(ctx), db.checkLength(ctx)); err != nil {
		return err
	}
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	var some bool
	return translate(tx.one(`SELECT EXISTS (SELECT 1 FROM users WHERE deleted_at IS NULL)`, nil, &some))
}

// CheckWrite writes the database, to the disk, unless a change has reached it
// within the time given: flash memory wears, and what has just worked need not
// be tried. A change that failed in between is no such proof. What is written
// is the number of the schema, with the value that it has.
func (db *DB) CheckWrite(ctx context.Context, within time.Duration) error {
	if at := db.writer.written.Load(); at != 0 {
		if age := db.now().Sub(fromMillis(at)); age >= 0 && age < within {
			return nil
		}
	}
	return db.write(ctx, func(tx *tx) error {
		var version int
		if err := tx.one(`SELECT user_version FROM pragma_user_version`, nil, &version); err != nil {
			return err
		}
		if err := tx.exec(fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
			return err
		}
		tx.changed = true
		return nil
	})
}

// Load is how busy the database is.
type Load struct {
	// Waiting is how many changes wait for their turn.
	Waiting int
	// LogBytes is the size of the write-ahead log.
	LogBytes int64
	// DatabaseBytes is the size of the database without it.
	DatabaseBytes int64
}

// Load looks at the queue and the files; it does not touch the database.
func (db *DB) Load() Load {
	load := Load{Waiting: db.writer.waiting.Len()}
	// A file that is not there has no size.
	if info, err := os.Stat(db.path + "-wal"); err == nil {
		load.LogBytes = info.Size()
	}
	if info, err := os.Stat(db.path); err == nil {
		load.DatabaseBytes = info.Size()
	}
	return load
}

// OnBatch sets a function that is called after each commit or failure with the
// number of changes in it. Call it before any other method; batch must not block.
func (db *DB) OnBatch(batch func(changes int)) { db.writer.onBatch = batch }

// Outbox is what waits in the outbox.
type Outbox struct {
	Queued int64
	Dead   int64
	// Due is when the first of the queued is, or was, to be sent. Zero if none
	// is queued.
	Due time.Time
}

// Outbox counts the mails that have not been sent.
func (db *DB) Outbox(ctx context.Context) (Outbox, error) {
	var o Outbox
	tx, err := db.read(ctx)
	if err != nil {
		return o, err
	}
	var due sql.NullInt64
	err = tx.one(`SELECT count(*), min(next_at) FROM mails WHERE status = 'queued' AND next_at > -1`, nil, &o.Queued, &due)
	if err != nil {
		return o, translate(err)
	}
	if due.Valid {
		o.Due = fromMillis(due.Int64)
	}
	// Dead mails have no index of their own: there are few mails, since those
	// that were sent are removed after a month.
	err = tx.one(`SELECT count(*) FROM mails WHERE status = 'dead'`, nil, &o.Dead)
	return o, translate(err)
}

// Overdue returns how long the first mail of the outbox has been due, 0 if
// none is.
func (db *DB) Overdue(ctx context.Context) (time.Duration, error) {
	due, err := db.nextMail(ctx)
	if err != nil || due.IsZero() {
		return 0, err
	}
	return max(0, db.now().Sub(due)), nil
}

// Inspect reads a whole database and returns nil if it holds together, else
// ErrDamaged, ErrInconsistent, ErrForeign, ErrNewer, ErrNotDatabase, ErrOtherTimeline, or what the system said.
// Nothing in it is changed; a server may be using it. It ends with its context.
func Inspect(ctx context.Context, path string) (err error) {
	if err := ours(ctx, path); err != nil {
		return err
	}
	pool, err := openPool(dsn(path, Full, true), 1)
	if err != nil {
		return describe(err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return describe(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	version, err := schemaVersion(ctx, conn)
	switch {
	case err != nil:
		return describe(err)
	case version > len(steps())+1:
		return ErrNewer
	}
	if err := sound(ctx, conn); err != nil || version <= len(steps()) {
		return err
	}
	return consistent(ctx, conn)
}
