package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

const (
	// ClockSlack is how far in the future what was written may be: clocks are
	// corrected.
	ClockSlack = 5 * time.Minute
	// farBeyond is how much later than all that was written a clock may be.
	farBeyond = 24 * time.Hour
	// clockSettles is how long after the start, or after the clock was set, it
	// may still be wrong.
	clockSettles = 10 * time.Minute
)

// settling watches the clock between two looks at it.
type settling struct {
	mu          sync.Mutex
	last, since time.Duration // what had passed
	wall        time.Time     // what the clock showed then
}

// settled is how long the clock has run without being set by much.
func (s *settling) settled(now time.Time, elapsed time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if jump := now.Round(0).Sub(s.wall.Round(0)) - (elapsed - s.last); jump.Abs() > farBeyond {
		s.since = elapsed
	}
	s.wall, s.last = now, elapsed
	return elapsed - s.since
}

// doubtfulClock reports whether the clock may be wrong by much: it began to
// run, or was set, a short while ago, and lies far beyond all that was written
// or before it.
func (db *DB) doubtfulClock(ctx context.Context) (bool, error) {
	now := db.now()
	if db.clock.settled(now, db.elapsed()) > clockSettles {
		return false, nil
	}
	newest, err := db.newest(ctx, now)
	return !newest.IsZero() && now.Sub(newest) > farBeyond, err
}

// behind reports whether the clock may be behind: something is dated after now,
// and it is not the clock of then that was wrong.
func (db *DB) behind(ctx context.Context, free bool) (bool, error) {
	if !free && db.clock.settled(db.now(), db.elapsed()) > clockSettles {
		return false, nil
	}
	newest, err := db.Newest(ctx)
	return newest.After(db.now().Add(ClockSlack)), err
}

// Newest returns when the newest row was written, as far as the audit record
// and the outbox know; zero if they know nothing.
func (db *DB) Newest(ctx context.Context) (time.Time, error) {
	return db.newest(ctx, time.UnixMilli(1<<52))
}

// newest is Newest of the rows that are not dated after a moment.
func (db *DB) newest(ctx context.Context, until time.Time) (time.Time, error) {
	reader, err := db.read(ctx)
	if err != nil {
		return time.Time{}, err
	}
	newest, err := NewestRow(until, func(query string, args []any, to ...any) error { return reader.one(query, args, to...) })
	return newest, translate(err)
}

// NewestRow returns when the newest row was written that is not dated after a moment, as far as
// the audit record and the outbox know; zero if they know nothing. One reads a row.
func NewestRow(until time.Time, one func(query string, args []any, to ...any) error) (time.Time, error) {
	var newest int64
	for _, query := range []string{
		`SELECT at FROM events WHERE at <= ? ORDER BY at DESC LIMIT 1`,
		`SELECT created_at FROM mails WHERE id = (SELECT max(id) FROM mails) AND created_at <= ?`,
		`SELECT sent_at FROM mails WHERE status = 'sent' AND sent_at <= ? ORDER BY sent_at DESC LIMIT 1`,
	} {
		var at int64
		if err := one(query, []any{millis(until)}, &at); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return time.Time{}, err
		}
		newest = max(newest, at)
	}
	if newest == 0 {
		return time.Time{}, nil
	}
	return fromMillis(newest), nil
}
