package sqlite

import (
	"context"
	"time"
)

// keepSent is how long a mail that was sent stays visible in the outbox.
const keepSent = 30 * 24 * time.Hour

// Housekeep removes what is of no more use: sessions that have expired and
// mails that were sent long ago. It returns how many rows went. With nothing
// to remove, nothing is written.
func (db *DB) Housekeep(ctx context.Context) (int64, error) {
	now := db.now()
	reader, err := db.read(ctx)
	if err != nil {
		return 0, err
	}
	var work bool
	err = reader.one(`SELECT EXISTS (SELECT 1 FROM sessions WHERE expires_at <= ?1)
		OR EXISTS (SELECT 1 FROM mails WHERE status = 'sent' AND sent_at <= ?2)`,
		[]any{millis(now), millis(now.Add(-keepSent))}, &work)
	if err != nil || !work {
		return 0, translate(err)
	}
	var removed int64
	err = db.write(ctx, func(tx *tx) error {
		sessions, err := tx.change(`DELETE FROM sessions WHERE expires_at <= ?`, millis(now))
		if err != nil {
			return err
		}
		mails, err := tx.change(`DELETE FROM mails WHERE status = 'sent' AND sent_at <= ?`, millis(now.Add(-keepSent)))
		removed = sessions + mails
		return err
	})
	return removed, err
}
