package store

import (
	"context"
	"fmt"
	"time"

	"taskapi/app/account"
)

var _ account.TicketStore = (*DB)(nil)

// UseTicket notes the use of a ticket; see account.TicketStore. The names of the rows begin with
// when their tickets expire, so that those to forget are next to each other.
func (db *DB) UseTicket(ctx context.Context, id string, expires, forget time.Time) (first bool, err error) {
	name := func(at time.Time) string { return fmt.Sprintf("ticket %016x", max(0, millis(at))) }
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.change(`INSERT INTO meta (name, value) VALUES (?, '') ON CONFLICT (name) DO NOTHING`, name(expires)+" "+id)
		first = n == 1
		if err != nil {
			return err
		}
		return tx.exec(`DELETE FROM meta WHERE name > 'ticket ' AND name < ?`, name(forget))
	})
	return first, err
}
