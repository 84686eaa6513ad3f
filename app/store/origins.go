package store

import (
	"context"
	"net/netip"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

var _ account.OriginStore = (*DB)(nil)

// Origins calls each for the sessions used since; see account.OriginStore. It reads
// all sessions, and is for the start of the program.
func (db *DB) Origins(ctx context.Context, since time.Time, limit int, each func(email string, from app.Origin, at time.Time)) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	return translate(tx.each(`SELECT u.email, s.address, s.last_used_at FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.last_used_at > ? AND s.address <> '' ORDER BY s.last_used_at DESC LIMIT ?`,
		[]any{millis(since), limit}, func(row Row) error {
			var email, address string
			var at int64
			if err := row.Scan(&email, &address, &at); err != nil {
				return err
			}
			// An address that is none, as of an older version, is not known.
			addr, _ := netip.ParseAddr(address)
			each(email, app.Origin{Address: addr}, fromMillis(at))
			return nil
		}))
}
