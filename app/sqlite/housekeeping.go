package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// keepSent is how long a mail that was sent stays visible in the outbox.
const keepSent = 30 * 24 * time.Hour

// expired lists what is of no more use, as a condition on ?1, a time before
// which it no longer is.
func expired(now time.Time, keepEvents time.Duration) []struct {
	table, key, what string
	before           time.Time
} {
	return []struct {
		table, key, what string
		before           time.Time
	}{
		{"sessions", "id", `expires_at <= ?1`, now},
		{"links", "hash", `expires_at <= ?1`, now},
		{"api_tokens", "id", `expires_at <= ?1`, now},
		{"mails", "id", `status = 'sent' AND sent_at <= ?1`, now.Add(-keepSent)},
		{"events", "id", `at <= ?1`, now.Add(-keepEvents)},
	}
}

// Housekeep removes what is of no more use: sessions, links and API tokens
// that have expired, mails that were sent long ago, and lines of the audit
// record older than keepEvents, a chunk at a time. It returns how many rows
// went. With nothing to remove, nothing is written. Nor is anything removed in
// the first minutes of a process whose clock lies far beyond all that was
// written: that clock may be wrong until the network has set it.
func (db *DB) Housekeep(ctx context.Context, keepEvents time.Duration) (int64, error) {
	var removed int64
	if doubtful, err := db.doubtfulClock(ctx); err != nil || doubtful {
		return 0, err
	}
	for _, e := range expired(db.now(), keepEvents) {
		reader, err := db.read(ctx)
		if err != nil {
			return removed, err
		}
		var some bool
		if err := reader.one(`SELECT EXISTS (SELECT 1 FROM `+e.table+` WHERE `+e.what+`)`, []any{millis(e.before)}, &some); err != nil {
			return removed, translate(err)
		}
		if !some {
			continue
		}
		n, err := db.inChunks(ctx, `DELETE FROM `+e.table+` WHERE `+e.key+` IN (SELECT `+e.key+` FROM `+e.table+` WHERE `+e.what+` LIMIT ?2)`, millis(e.before))
		removed += n
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}

const (
	// farBeyond is how much later than all that was written a clock may be.
	farBeyond = 24 * time.Hour
	// clockSettles is how long after the start a clock may still be wrong.
	clockSettles = 10 * time.Minute
)

// doubtfulClock reports whether the clock may be wrong by much, early in the
// life of the process.
func (db *DB) doubtfulClock(ctx context.Context) (bool, error) {
	now := db.now()
	if now.Sub(db.opened) > clockSettles {
		return false, nil
	}
	reader, err := db.read(ctx)
	if err != nil {
		return false, err
	}
	var newest sql.NullInt64
	err = reader.each(`SELECT at FROM events WHERE at > 0 ORDER BY at DESC LIMIT 1`, nil, func(row row) error { return row.Scan(&newest) })
	return newest.Valid && now.Sub(fromMillis(newest.Int64)) > farBeyond, translate(err)
}
