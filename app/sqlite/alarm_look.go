package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"time"
)

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
	// As it is: a file of another program keeps its kind of journal.
	pool, err := openPool(withParams(path, url.Values{"_query_only": {"1"}, "_busy_timeout": {"1000"}}), 1)
	if err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	err = pool.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'push_key'`).Scan(&state.PushKey)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return state, err
	}
	var due sql.NullInt64
	if err := pool.QueryRowContext(ctx, `SELECT min(fires_at) FROM reminders WHERE fires_at <= ?`, millis(now)).Scan(&due); err != nil {
		return state, err
	}
	if due.Valid {
		state.Overdue = now.Sub(fromMillis(due.Int64))
	}
	return state, nil
}
