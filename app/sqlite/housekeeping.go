package sqlite

import (
	"context"
	"time"
)

// keepSent is how long a mail that was sent stays visible in the outbox.
const keepSent = 30 * 24 * time.Hour

// expired lists what is of no more use, as a condition on ?1, a time before
// which it no longer is.
func expired(now time.Time, keepEvents time.Duration) []struct {
	what   string
	before time.Time
} {
	return []struct {
		what   string
		before time.Time
	}{
		{`FROM sessions WHERE expires_at <= ?1`, now},
		{`FROM links WHERE expires_at <= ?1`, now},
		{`FROM api_tokens WHERE expires_at <= ?1`, now},
		{`FROM mails WHERE status = 'sent' AND sent_at <= ?1`, now.Add(-keepSent)},
		{`FROM events WHERE at <= ?1`, now.Add(-keepEvents)},
	}
}

// Housekeep removes what is of no more use: sessions, links and API tokens
// that have expired, mails that were sent long ago, and lines of the audit
// record older than keepEvents. It returns how many rows went. With nothing to
// remove, nothing is written.
func (db *DB) Housekeep(ctx context.Context, keepEvents time.Duration) (int64, error) {
	var removed int64
	for _, e := range expired(db.now(), keepEvents) {
		reader, err := db.read(ctx)
		if err != nil {
			return removed, err
		}
		var some bool
		if err := reader.one(`SELECT EXISTS (SELECT 1 `+e.what+`)`, []any{millis(e.before)}, &some); err != nil {
			return removed, translate(err)
		}
		if !some {
			continue
		}
		err = db.write(ctx, func(tx *tx) error {
			n, err := tx.change(`DELETE `+e.what, millis(e.before))
			removed += n
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}
