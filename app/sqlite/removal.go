package sqlite

import (
	"context"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

// Whatever removes many rows does it a chunk at a time, each in a turn of its
// own, so that other writes don't wait long.
const (
	firstChunk = 500
	// A chunk grows while it takes less than quick, and shrinks when it takes
	// longer than slow.
	quickChunk = 20 * time.Millisecond
	slowChunk  = 50 * time.Millisecond
)

// inChunks runs a deletion, or a change that is done once to each row, again and
// again until it finds nothing more, and returns how many rows there were. The
// last parameter of the query is how many may go at once.
func (db *DB) inChunks(ctx context.Context, query string, args ...any) (removed int64, err error) {
	for chunk := int64(firstChunk); ; {
		var n int64
		var took time.Duration
		err := db.writeAccess(ctx, func(tx *tx) error {
			began := db.now()
			var err error
			n, err = tx.change(query, append(args[:len(args):len(args)], chunk)...)
			took = db.now().Sub(began)
			return err
		})
		removed += n
		if err != nil || n < chunk {
			return removed, err
		}
		switch {
		case took > slowChunk:
			chunk = max(1, chunk/2)
		case took < quickChunk:
			chunk *= 2
		}
	}
}

// smallAccount is how many tasks go with their user in one turn.
const smallAccount = 500

// DeleteUser deletes a user with everything that belongs to them. All of it is
// invisible at once; a large account leaves the disk in steps, see RemoveDeleted.
// Returns account.ErrUserNotFound or account.ErrLastAdmin.
func (db *DB) DeleteUser(ctx context.Context, by app.Caller, id int64, record account.Record) error {
	err := db.writeAccess(ctx, db.as(by, func(tx *tx) error {
		if err := tx.refuseLastAdmin(id); err != nil {
			return err
		}
		var tasks int64
		if err := tx.one(`SELECT coalesce((SELECT total FROM totals WHERE list = 'tasks' AND owner = ?), 0)`, []any{id}, &tasks); err != nil {
			return err
		}
		remove := tx.hideUser
		if tasks <= smallAccount {
			remove = func(id, _ int64) (int64, error) {
				return tx.change(`DELETE FROM users WHERE id = ? AND deleted_at IS NULL`, id)
			}
		}
		n, err := remove(id, millis(db.now()))
		if err == nil && n == 0 {
			return account.ErrUserNotFound
		}
		return errors.Join(err, tx.record(id, record))
	}))
	if err == nil {
		select {
		case db.deleted <- struct{}{}:
		default: // it is told already
		}
	}
	return err
}

// hideUser leaves of a user a row without the person, which holds what else is
// theirs until that has gone.
func (t *tx) hideUser(id, now int64) (int64, error) {
	n, err := t.change(`UPDATE users SET username = 'deleted', email = 'deleted ' || id, email_key = 'deleted ' || id,
		password_hash = '$argon2id$', role = 'user', verified_at = NULL, pending_email = NULL, deleted_at = ?2
		WHERE id = ?1 AND deleted_at IS NULL`, id, now)
	if err != nil || n == 0 {
		return n, err
	}
	_, err = t.endAccess(id, "", false)
	return n, errors.Join(err,
		t.exec(`DELETE FROM totals WHERE list = 'tasks' AND owner = ?`, id),
		t.exec(`DELETE FROM links WHERE user_id = ?`, id),
		t.exec(`DELETE FROM mails WHERE user_id = ? AND status = 'queued'`, id))
}

// RemoveDeleted removes all that deleted users have left. It may be interrupted
// at any time, and begun again.
func (db *DB) RemoveDeleted(ctx context.Context) error {
	for {
		tx, err := db.read(ctx)
		if err != nil {
			return err
		}
		var id int64
		err = tx.each(`SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1`, nil, func(row row) error { return row.Scan(&id) })
		if err != nil || id == 0 {
			return translate(err)
		}
		for _, query := range []string{
			`DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE user_id = ? LIMIT ?)`,
			`DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE user_id = ? LIMIT ?)`,
			`DELETE FROM users WHERE id IN (SELECT id FROM users WHERE id = ? AND deleted_at IS NOT NULL LIMIT ?)`,
		} {
			if _, err := db.inChunks(ctx, query, id); err != nil {
				return err
			}
		}
	}
}

// KeepRemoving runs RemoveDeleted now and after each deletion of a user, until
// the context ends. Failed is called with errors; what is left comes with the next
// deletion or start.
func (db *DB) KeepRemoving(ctx context.Context, failed func(error)) {
	for {
		if err := db.RemoveDeleted(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-db.deleted:
		}
	}
}
