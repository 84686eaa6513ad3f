package store

import (
	"context"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
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

// DeleteUser deletes a user with everything that belongs to them but the lists that they
// share, each of which passes to its longest-standing editor, else viewer, unless it is to
// be deleted as well. All of it is invisible at once; a large account leaves the disk in
// steps, see RemoveDeleted. Returns account.ErrUserNotFound or account.ErrLastAdmin.
func (db *DB) DeleteUser(ctx context.Context, by app.Caller, id int64, shared account.Shared, record account.Record) error {
	if shared == account.PassShared {
		if err := db.passAhead(ctx, by, id); err != nil {
			return err
		}
	}
	err := db.writeAccess(ctx, db.as(by, func(tx *tx) error {
		if err := tx.refuseLastAdmin(id); err != nil {
			return err
		}
		if err := tx.leaveLists(act{by, db.now()}, id, shared); err != nil {
			return err
		}
		tasks, err := tx.totalOf("tasks", id)
		if err != nil {
			return err
		}
		trashed, err := tx.totalOf("trash", id)
		if err != nil {
			return err
		}
		remove := tx.hideUser
		if tasks+trashed <= smallAccount {
			remove = tx.removeUser
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

// sharedLists are those of a user (?1) that have other members, each with who gets it.
const sharedLists = `SELECT l.id, l.name, (SELECT user_id FROM members WHERE list_id = l.id AND user_id <> ?1 ORDER BY role DESC, joined_at, user_id LIMIT 1) AS heir
	FROM lists l WHERE l.owner_id = ?1 AND EXISTS (SELECT 1 FROM members WHERE list_id = l.id AND user_id <> ?1)` + sorts

// sharedList is a list and who gets it.
type sharedList struct {
	id, heir int64
	name     string
}

func (t *tx) sharedLists(userID int64) (all []sharedList, err error) {
	err = t.each(sharedLists, []any{userID}, func(row Row) error {
		var l sharedList
		err := row.Scan(&l.id, &l.name, &l.heir)
		all = append(all, l)
		return err
	})
	return all, err
}

// passAhead passes large lists on, and lets their tasks follow a chunk in each turn, before
// the account goes.
func (db *DB) passAhead(ctx context.Context, by app.Caller, id int64) error {
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	lists, err := reader.sharedLists(id)
	if err != nil {
		return translate(err)
	}
	for _, l := range lists {
		var tasks int64
		if err := reader.one(`SELECT count(*) FROM (SELECT 1 FROM tasks WHERE list_id = ? LIMIT ?) AS few`, []any{l.id, treeChunk}, &tasks); err != nil {
			return translate(err)
		}
		if tasks < treeChunk {
			continue
		}
		err := db.write(ctx, db.as(by, func(tx *tx) error {
			if err := tx.refuseLastAdmin(id); err != nil {
				return err
			}
			// It may be somebody else's by now.
			var owner int64
			if err := tx.one(`SELECT coalesce((SELECT owner_id FROM lists WHERE id = ?), 0)`, []any{l.id}, &owner); err != nil || owner != id {
				return err
			}
			return tx.passList(act{by, db.now()}, l, id)
		}))
		if err != nil {
			return err
		}
	}
	return db.FinishHandOvers(ctx)
}

// leaveLists ends what a user who goes shares with others.
func (t *tx) leaveLists(a act, id int64, shared account.Shared) error {
	lists, err := t.sharedLists(id)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if shared == account.DeleteShared {
			err = t.closeList(a, l.id, id)
		} else {
			err = errors.Join(t.passList(a, l, id), t.forgetMaker(l.id, id))
		}
		if err != nil {
			return err
		}
	}
	var joined []int64
	err = t.each(`SELECT list_id FROM members WHERE user_id = ? AND role < 3`, []any{id}, func(row Row) error {
		var list int64
		err := row.Scan(&list)
		joined = append(joined, list)
		return err
	})
	if err != nil {
		return err
	}
	for _, list := range joined {
		if err := errors.Join(t.leave(a, list, id), t.forgetMaker(list, id)); err != nil {
			return err
		}
	}
	return nil
}

// forgetMaker leaves nobody as the maker of what a user who goes has made in a list.
func (t *tx) forgetMaker(list, userID int64) error {
	return t.exec(`UPDATE tasks SET created_by = NULL WHERE list_id = ? AND created_by = ?`, list, userID)
}

// passList makes the heir the owner of a list, and tells them.
func (t *tx) passList(a act, l sharedList, from int64) error {
	if err := t.giveList(a, l.id, from, l.heir); err != nil {
		return err
	}
	return t.queueMail(l.heir, outbox.NewMail{Template: outbox.MailListOwner, CreatedAt: a.at, Data: map[string]string{"List": outbox.Harmless(l.name)}})
}

// closeList ends the membership of all others in a list that goes with its owner.
func (t *tx) closeList(a act, list, owner int64) error {
	var others []int64
	err := t.each(`SELECT user_id FROM members WHERE list_id = ? AND user_id <> ?`, []any{list, owner}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		others = append(others, id)
		return err
	})
	for _, other := range others {
		if err == nil {
			err = t.leave(a, list, other)
		}
	}
	return err
}

// removeUser removes a user at once, with all that is theirs.
func (t *tx) removeUser(id, _ int64) (int64, error) {
	err := errors.Join(
		t.exec(`DELETE FROM task_words WHERE list_id IN (SELECT id FROM lists WHERE owner_id = ?)`, id),
		t.exec(`DELETE FROM lists WHERE owner_id = ?`, id))
	if err != nil {
		return 0, err
	}
	return t.change(`DELETE FROM users WHERE id = ? AND deleted_at IS NULL`, id)
}

// hideUser leaves of a user a row without the person, which holds what else is
// theirs until that has gone.
func (t *tx) hideUser(id, now int64) (int64, error) {
	n, err := t.change(`UPDATE users SET username = 'deleted', email = 'deleted ' || id, email_key = 'deleted ' || id, time_zone = 'UTC',
		password_hash = '$argon2id$', role = 'user', verified_at = NULL, pending_email = NULL, deleted_at = ?2
		WHERE id = ?1 AND deleted_at IS NULL`, id, now)
	if err != nil || n == 0 {
		return n, err
	}
	_, err = t.endAccess(id, "", false)
	return n, errors.Join(err,
		t.exec(`DELETE FROM totals WHERE list IN ('tasks', 'trash') AND owner = ?`, id),
		t.exec(`DELETE FROM links WHERE user_id = ?`, id),
		t.exec(`DELETE FROM reminders WHERE user_id = ?`, id),
		t.exec(`DELETE FROM task_alarms WHERE user_id = ?`, id),
		t.exec(`DELETE FROM webhooks WHERE user_id = ?`, id),
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
		err = tx.each(`SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY id LIMIT 1`, nil, func(row Row) error { return row.Scan(&id) })
		if err != nil || id == 0 {
			return translate(err)
		}
		for _, query := range []string{
			`DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE user_id = ? LIMIT ?)`,
			`DELETE FROM trash WHERE id IN (SELECT id FROM trash WHERE user_id = ? LIMIT ?)`,
			`DELETE FROM task_words WHERE (list_id, word, task_id) IN (SELECT list_id, word, task_id FROM task_words WHERE list_id IN (SELECT id FROM lists WHERE owner_id = ?) LIMIT ?)`,
			`DELETE FROM lists WHERE id IN (SELECT id FROM lists WHERE owner_id = ? LIMIT ?)`,
			`DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE user_id = ? LIMIT ?)`,
			`DELETE FROM users WHERE id IN (SELECT id FROM users WHERE id = ? AND deleted_at IS NOT NULL LIMIT ?)`,
		} {
			if _, err := db.inChunks(ctx, query, id); err != nil {
				return err
			}
		}
	}
}

// KeepRemoving runs FinishHandOvers and RemoveDeleted now and after each deletion of a user, until
// the context ends. Failed is called with errors; what is left comes with the next
// deletion or start.
func (db *DB) KeepRemoving(ctx context.Context, failed func(error)) {
	for {
		if err := errors.Join(db.FinishHandOvers(ctx), db.RemoveDeleted(ctx)); err != nil && ctx.Err() == nil {
			failed(err)
		}
		var look <-chan time.Time // for those that other processes have deleted
		if db.engine.Shared() {
			look = time.After(removeEvery)
		}
		select {
		case <-ctx.Done():
			return
		case <-db.deleted:
		case <-look:
		}
	}
}

// removeEvery is how often a process that leads looks for what others have deleted.
const removeEvery = 10 * time.Second
