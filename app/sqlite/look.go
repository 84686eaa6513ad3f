package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"time"

	"taskapi/app/store"
)

// What a command wants to know of a file that need not be open, and that a server may be using.

// NewestIn is Newest for a file that need not be open; zero also for one that
// can't be read, which Inspect tells more of.
func NewestIn(ctx context.Context, path string) time.Time {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 || ours(ctx, path) != nil {
		return time.Time{}
	}
	pool, err := lookInto(path)
	if err != nil {
		return time.Time{}
	}
	defer func() { _ = pool.Close() }() // nothing was written
	newest, err := store.NewestRow(time.UnixMilli(1<<52), func(query string, args []any, to ...any) error {
		return pool.QueryRowContext(ctx, query, args...).Scan(to...)
	})
	if err != nil {
		return time.Time{}
	}
	return newest
}

// RemindersState is how reminders stand.
type RemindersState struct {
	// PushKey is the private key by which push services know the server; empty before its first
	// start.
	PushKey string
	// Overdue is how long the first reminder has been due; 0 if none is.
	Overdue time.Duration
}

// RemindersIn looks at the reminders of a file, which a server may be using.
func RemindersIn(ctx context.Context, path string, now time.Time) (state RemindersState, err error) {
	if err := ours(ctx, path); err != nil {
		return state, err
	}
	pool, err := lookInto(path)
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	err = pool.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'push_key'`).Scan(&state.PushKey)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return state, err
	}
	var due sql.NullInt64
	if err := pool.QueryRowContext(ctx, `SELECT min(fires_at) FROM reminders WHERE fires_at <= ?`, now.UnixMilli()).Scan(&due); err != nil {
		return state, err
	}
	if due.Valid {
		state.Overdue = now.Sub(time.UnixMilli(due.Int64))
	}
	return state, nil
}

// WebhooksInTrouble returns how many webhooks are off, and how many events were given up that are
// kept, in a file that need not be open; none in one that can't be read, or is older.
func WebhooksInTrouble(ctx context.Context, path string) (off, dead int64) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 || ours(ctx, path) != nil {
		return 0, 0
	}
	pool, err := lookInto(path)
	if err != nil {
		return 0, 0
	}
	defer func() { _ = pool.Close() }() // nothing was written
	err = pool.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM webhooks WHERE state = 'off'), (SELECT count(*) FROM deliveries WHERE dead = 1)`).Scan(&off, &dead)
	if err != nil {
		return 0, 0
	}
	return off, dead
}

// lookInto opens a file as it is: that of another program keeps its kind of journal.
func lookInto(path string) (*sql.DB, error) { return openPool(lookDSN(path), 1) }

func lookDSN(path string) string {
	return withParams(path, url.Values{"_query_only": {"1"}, "_busy_timeout": {"1000"}})
}
