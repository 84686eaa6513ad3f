package store

import (
	"context"
	"errors"

	"taskapi/app/outbox"
)

// SaveWebhooks stores how webhooks stand, and returns the ids of those that somebody else has
// changed meanwhile.
func (db *DB) SaveWebhooks(ctx context.Context, all []outbox.WebhookSave) (stale []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		stale = nil
		for _, one := range all {
			ok, err := tx.saveWebhook(one)
			if err != nil {
				return err
			}
			if !ok {
				stale = append(stale, one.ID)
			}
		}
		return nil
	})
	return stale, err
}

func (t *tx) saveWebhook(s outbox.WebhookSave) (ok bool, err error) {
	next := func(p outbox.Progress) int64 {
		if p.NextAt.IsZero() {
			return 0
		}
		return millis(p.NextAt)
	}
	n, err := t.change(`UPDATE webhooks SET state = ?2, cursor = ?3, tries = ?4, next_at = ?5, failing_since = ?6, last_error = ?7
		WHERE id = ?1 AND state = ?8 AND cursor = ?9 AND tries = ?10 AND next_at = ?11`,
		s.ID, string(s.Progress.State), s.Progress.Cursor, s.Progress.Tries, next(s.Progress), nullMillis(s.Progress.FailingSince), s.Progress.LastError,
		string(s.Known.State), s.Known.Cursor, s.Known.Tries, next(s.Known))
	if err != nil {
		return false, err
	}
	for _, d := range s.Deliveries {
		if err := t.saveDelivery(s.ID, d); err != nil {
			return false, err
		}
	}
	if s.Trim {
		if err := t.exec(trimDeliveries, s.ID, outbox.KeepDeliveries); err != nil {
			return false, err
		}
	}
	for _, mail := range s.Mails {
		if n > 0 {
			err = errors.Join(err, t.queueMail(s.UserID, mail))
		}
	}
	return n > 0, err
}

// saveDelivery stores how telling of an event went. The webhook may be gone.
func (t *tx) saveDelivery(id int64, d outbox.Delivery) error {
	return t.exec(`INSERT INTO deliveries (webhook_id, seq, event, at, tries, status, ms, error, dead)
		SELECT id, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8, ?9 FROM webhooks WHERE id = ?1
		ON CONFLICT (webhook_id, seq) DO UPDATE SET at = excluded.at, tries = excluded.tries, status = excluded.status, ms = excluded.ms, error = excluded.error, dead = excluded.dead`,
		id, d.Seq, d.Event, millis(d.At), d.Tries, d.Status, d.Took.Milliseconds(), d.Error, d.Dead)
}

// trimDeliveries removes what is older than the last deliveries (?2) of a webhook (?1), but not
// the dead.
const trimDeliveries = `DELETE FROM deliveries WHERE webhook_id = ?1 AND dead = 0
	AND seq <= (SELECT seq FROM deliveries WHERE webhook_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)`

// pruneDeliveries removes deliveries that are neither among the last of their webhook nor dead
// for a short time only.
func (db *DB) pruneDeliveries(ctx context.Context) (removed int64, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return 0, err
	}
	before := millis(db.now().Add(-outbox.KeepDead))
	var some bool
	if err := reader.one(`SELECT EXISTS (SELECT 1 FROM deliveries WHERE dead = 1 AND at <= ?)`, []any{before}, &some); err != nil {
		return 0, translate(err)
	}
	if some {
		removed, err = db.inChunks(ctx, `DELETE FROM deliveries WHERE (webhook_id, seq) IN (SELECT webhook_id, seq FROM deliveries WHERE dead = 1 AND at <= ?1 LIMIT ?2)`, before)
		if err != nil {
			return removed, err
		}
	}
	var long []int64
	err = reader.each(`SELECT webhook_id FROM deliveries WHERE webhook_id > 0 GROUP BY webhook_id HAVING count(*) > ?`, []any{outbox.KeepDeliveries}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		long = append(long, id)
		return err
	})
	if err != nil {
		return removed, translate(err)
	}
	for _, id := range long {
		err := db.write(ctx, func(tx *tx) error {
			n, err := tx.change(trimDeliveries, id, outbox.KeepDeliveries)
			removed += n
			return err
		})
		if err != nil {
			return removed, err
		}
	}
	return removed, nil
}
