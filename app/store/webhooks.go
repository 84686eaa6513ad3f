package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

var _ outbox.WebhookStore = (*DB)(nil)

// maxOldSecrets is how many secrets that were replaced sign beside the one of now.
const maxOldSecrets = 4

const (
	webhookColumns = `id, user_id, coalesce(list_id, 0), url, events, secret, old_secret, old_until, created_at, state, cursor, tries, next_at, failing_since, last_error`
	oneWebhook     = `SELECT ` + webhookColumns + ` FROM webhooks WHERE id = ? AND user_id = ?`
)

func scanWebhook(row Row, before ...any) (w outbox.Webhook, err error) {
	var created, next int64
	var until, failing sql.NullInt64
	err = row.Scan(append(before, &w.ID, &w.UserID, &w.ListID, &w.URL, &w.Events, &w.Secret, &w.OldSecret, &until, &created,
		&w.State, &w.Cursor, &w.Tries, &next, &failing, &w.LastError)...)
	w.CreatedAt = fromMillis(created)
	if next != 0 {
		w.NextAt = fromMillis(next)
	}
	if until.Valid {
		w.OldUntil = fromMillis(until.Int64)
	}
	if failing.Valid {
		w.FailingSince = fromMillis(failing.Int64)
	}
	return w, err
}

// webhook returns a webhook that a query finds, or outbox.ErrWebhookNotFound.
func (t *tx) webhook(query string, args ...any) (w outbox.Webhook, err error) {
	err = t.each(query, args, func(row Row) (err error) {
		w, err = scanWebhook(row)
		return err
	})
	if err == nil && w.ID == 0 {
		err = outbox.ErrWebhookNotFound
	}
	return w, err
}

// CreateWebhook adds a webhook that is told of what follows. Returns
// outbox.ErrTooManyWebhooks and todo.ErrListNotFound.
func (db *DB) CreateWebhook(ctx context.Context, by app.Caller, n outbox.NewWebhook) (made outbox.Webhook, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) error {
		if err := tx.memberOf(by.UserID, n.ListID); err != nil {
			return err
		}
		made, err = tx.webhook(`INSERT INTO webhooks (user_id, list_id, url, events, secret, created_at, cursor)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(seq), 1) FROM changes)
			WHERE (SELECT count(*) FROM webhooks WHERE user_id = ?1) < ?7 RETURNING `+webhookColumns,
			by.UserID, nullID(n.ListID), n.URL, int64(n.Events), n.Secret, millis(n.CreatedAt), outbox.MaxWebhooks)
		if errors.Is(err, outbox.ErrWebhookNotFound) {
			return outbox.ErrTooManyWebhooks
		}
		tx.hooked = by.UserID
		return errors.Join(err, tx.recordWebhook(by, account.EventWebhookCreated, made, n.CreatedAt))
	}))
	return made, err
}

// memberOf returns todo.ErrListNotFound unless somebody is in a list. A list of 0 is all.
func (t *tx) memberOf(userID, list int64) error {
	if list == 0 {
		return nil
	}
	role, err := t.roleIn(list, userID)
	if err == nil && role == todo.RoleNone {
		err = todo.ErrListNotFound
	}
	return err
}

// recordWebhook adds a line to the audit record, with the host of the receiver.
func (t *tx) recordWebhook(by app.Caller, name account.EventName, w outbox.Webhook, at time.Time) error {
	return t.record(by.UserID, account.RecordOf(account.EventOf(by, name, by.UserID, at, outbox.Cut(w.Host()))))
}

// Webhooks returns a page of a user's webhooks, by id.
func (db *DB) Webhooks(ctx context.Context, userID int64, page app.PageRequest) (app.Page[outbox.Webhook], error) {
	return pageOf(ctx, db, page,
		`SELECT (SELECT count(*) FROM webhooks WHERE user_id = ?1), `+webhookColumns+` FROM webhooks WHERE user_id = ?1 ORDER BY id LIMIT ?2 OFFSET ?3`,
		`SELECT count(*) FROM webhooks WHERE user_id = ?1`, []any{userID},
		func(row Row, total *int64) (outbox.Webhook, error) { return scanWebhook(row, total) })
}

// Webhook returns a webhook of a user's, or outbox.ErrWebhookNotFound.
func (db *DB) Webhook(ctx context.Context, userID, id int64) (outbox.Webhook, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return outbox.Webhook{}, err
	}
	w, err := tx.webhook(oneWebhook, id, userID)
	return w, translate(err)
}

// changeWebhook changes a webhook of the caller's, or returns outbox.ErrWebhookNotFound.
func (db *DB) changeWebhook(ctx context.Context, by app.Caller, id int64, change func(tx *tx, w outbox.Webhook) error) (w outbox.Webhook, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) error {
		tx.hooked = by.UserID
		if w, err = tx.webhook(oneWebhook, id, by.UserID); err != nil {
			return err
		}
		if err := change(tx, w); err != nil {
			return err
		}
		w, err = tx.webhook(oneWebhook, id, by.UserID)
		return err
	}))
	return w, err
}

// UpdateWebhook changes what is given. Returns outbox.ErrWebhookNotFound and
// todo.ErrListNotFound.
func (db *DB) UpdateWebhook(ctx context.Context, by app.Caller, id int64, c outbox.WebhookChange) (outbox.Webhook, error) {
	return db.changeWebhook(ctx, by, id, func(tx *tx, w outbox.Webhook) error {
		if c.ListID != nil && *c.ListID != w.ListID {
			if err := tx.memberOf(by.UserID, *c.ListID); err != nil {
				return err
			}
			w.ListID = *c.ListID
		}
		if c.URL != nil {
			w.URL = *c.URL
		}
		if c.Events != nil {
			w.Events = *c.Events
		}
		return tx.exec(`UPDATE webhooks SET url = ?, events = ?, list_id = ? WHERE id = ?`, w.URL, int64(w.Events), nullID(w.ListID), id)
	})
}

// DeleteWebhook removes a webhook of the caller's, or returns outbox.ErrWebhookNotFound.
func (db *DB) DeleteWebhook(ctx context.Context, by app.Caller, id int64) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		w, err := tx.webhook(`DELETE FROM webhooks WHERE id = ? AND user_id = ? RETURNING `+webhookColumns, id, by.UserID)
		tx.changed, tx.hooked = true, by.UserID
		return errors.Join(err, tx.recordWebhook(by, account.EventWebhookDeleted, w, db.now()))
	}))
}

// RotateWebhook replaces the secret of a webhook; the old one signs until a time.
func (db *DB) RotateWebhook(ctx context.Context, by app.Caller, id int64, secret []byte, until time.Time) (outbox.Webhook, error) {
	return db.changeWebhook(ctx, by, id, func(tx *tx, w outbox.Webhook) error {
		old := w.Secret
		if db.now().Before(w.OldUntil) { // receivers may not have got the one in between
			old = append(slices.Clone(old), w.OldSecret...)
		}
		old = old[:min(len(old), maxOldSecrets*outbox.SecretBytes)]
		return errors.Join(
			tx.exec(`UPDATE webhooks SET old_secret = ?, old_until = ?, secret = ? WHERE id = ?`, old, millis(until), secret, id),
			tx.recordWebhook(by, account.EventWebhookRotated, w, db.now()))
	})
}

// ResumeWebhook makes a webhook active, and due at once: where it stopped, or behind all that
// was changed so far.
func (db *DB) ResumeWebhook(ctx context.Context, by app.Caller, id int64, fromNow bool) (outbox.Webhook, error) {
	return db.changeWebhook(ctx, by, id, func(tx *tx, _ outbox.Webhook) error {
		return tx.exec(`UPDATE webhooks SET state = 'active', tries = 0, next_at = 0, failing_since = NULL, last_error = '',
			cursor = CASE WHEN ?2 THEN (SELECT coalesce(max(seq), 1) FROM changes) ELSE cursor END WHERE id = ?1`, id, fromNow)
	})
}

const deliveryColumns = `seq, event, at, tries, coalesce(status, 0), ms, error, dead`

func scanDelivery(row Row, before ...any) (d outbox.Delivery, err error) {
	var at, took int64
	err = row.Scan(append(before, &d.Seq, &d.Event, &at, &d.Tries, &d.Status, &took, &d.Error, &d.Dead)...)
	d.At, d.Took = fromMillis(at), time.Duration(took)*time.Millisecond
	return d, err
}

// Deliveries returns a page of how telling a webhook of events went, the newest first.
func (db *DB) Deliveries(ctx context.Context, userID, id int64, page app.PageRequest) (app.Page[outbox.Delivery], error) {
	if _, err := db.Webhook(ctx, userID, id); err != nil {
		return app.Page[outbox.Delivery]{}, err
	}
	return pageOf(ctx, db, page,
		`SELECT (SELECT count(*) FROM deliveries WHERE webhook_id = ?1), `+deliveryColumns+` FROM deliveries WHERE webhook_id = ?1 ORDER BY seq DESC LIMIT ?2 OFFSET ?3`,
		`SELECT count(*) FROM deliveries WHERE webhook_id = ?1`, []any{id},
		func(row Row, total *int64) (outbox.Delivery, error) { return scanDelivery(row, total) })
}

// NoteDelivery records that an event was told again, and returns that with all its tries.
func (db *DB) NoteDelivery(ctx context.Context, by app.Caller, id int64, d outbox.Delivery) (noted outbox.Delivery, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) error {
		if _, err := tx.webhook(oneWebhook, id, by.UserID); err != nil {
			return err
		}
		return tx.each(`INSERT INTO deliveries (webhook_id, seq, event, at, tries, status, ms, error) VALUES (?, ?, ?, ?, ?, nullif(?, 0), ?, ?)
			ON CONFLICT (webhook_id, seq) DO UPDATE SET at = excluded.at, tries = deliveries.tries + excluded.tries, status = excluded.status, ms = excluded.ms, error = excluded.error,
				dead = CASE WHEN deliveries.dead = 1 AND excluded.error <> '' THEN 1 ELSE 0 END RETURNING `+deliveryColumns,
			[]any{id, d.Seq, d.Event, millis(d.At), d.Tries, d.Status, d.Took.Milliseconds(), d.Error}, func(row Row) (err error) {
				noted, err = scanDelivery(row)
				return err
			})
	}))
	return noted, err
}
