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
// went. With nothing to remove, nothing is written.
func (db *DB) Housekeep(ctx context.Context, keepEvents time.Duration) (int64, error) {
	var removed int64
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
