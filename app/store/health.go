package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"
)

// CheckRead reads the database.
func (db *DB) CheckRead(ctx context.Context) error {
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
// is another value each time: SQLite writes nothing where there is nothing new.
func (db *DB) CheckWrite(ctx context.Context, within time.Duration) error {
	if at := db.writer.written.Load(); at != 0 {
		if age := db.now().Sub(fromMillis(at)); age >= 0 && age < within {
			return nil
		}
	}
	return db.write(ctx, func(tx *tx) error { return tx.setMeta("checked", strconv.FormatInt(millis(db.now()), 10)) })
}

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
