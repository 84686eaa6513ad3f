package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

var (
	_ outbox.SubscriptionStore = (*DB)(nil)
	_ outbox.PushQueue         = (*DB)(nil)
)

// PushKey returns the private key by which push services know this server, which make makes
// once: browsers stay subscribed to it, also after a restore.
func (db *DB) PushKey(ctx context.Context, make func() (string, error)) (key string, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return "", err
	}
	const query = `SELECT value FROM meta WHERE name = 'push_key'`
	err = reader.one(query, nil, &key)
	if !errors.Is(err, sql.ErrNoRows) {
		return key, translate(err)
	}
	made, err := make()
	if err != nil {
		return "", err
	}
	err = db.write(ctx, func(tx *tx) error {
		if err := tx.exec(`INSERT INTO meta (name, value) VALUES ('push_key', ?) ON CONFLICT DO NOTHING`, made); err != nil {
			return err
		}
		return tx.one(query, nil, &key)
	})
	return key, err
}

const subscriptionColumns = `id, session_id, endpoint, p256dh, auth, created_at`

func scanSubscription(row Row, more ...any) (s outbox.Subscription, err error) {
	var created int64
	err = row.Scan(append([]any{&s.ID, &s.SessionID, &s.Endpoint, &s.P256dh, &s.Auth, &created}, more...)...)
	s.CreatedAt = fromMillis(created)
	return s, err
}

// Subscribe adds a browser, or takes its subscription over; see outbox.SubscriptionStore.
func (db *DB) Subscribe(ctx context.Context, by app.Caller, s outbox.Subscription) (made outbox.Subscription, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) error {
		if !by.SignedIn() {
			return outbox.ErrSubscriptionSession
		}
		var others int
		err := tx.one(`SELECT count(*) FROM push_subscriptions WHERE user_id = ? AND endpoint <> ?`, []any{by.UserID, s.Endpoint}, &others)
		switch {
		case err != nil:
			return err
		case others >= outbox.MaxSubscriptions:
			return outbox.ErrTooManySubscriptions
		}
		return tx.each(`INSERT INTO push_subscriptions (user_id, session_id, endpoint, p256dh, auth, created_at, cursor)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, (SELECT coalesce(max(seq), 0) FROM changes))
			ON CONFLICT (endpoint) DO UPDATE SET user_id = excluded.user_id, session_id = excluded.session_id, p256dh = excluded.p256dh, auth = excluded.auth,
				cursor = CASE WHEN push_subscriptions.user_id = excluded.user_id THEN push_subscriptions.cursor ELSE excluded.cursor END, tries = 0,
				next_at = CASE WHEN push_subscriptions.user_id = excluded.user_id THEN push_subscriptions.next_at ELSE 0 END
			RETURNING `+subscriptionColumns,
			[]any{by.UserID, by.SessionID, s.Endpoint, s.P256dh, s.Auth, millis(s.CreatedAt)}, func(row Row) (err error) {
				made, err = scanSubscription(row)
				return err
			})
	}))
	return made, err
}

// Subscriptions returns those of a user whose sessions live, by id.
func (db *DB) Subscriptions(ctx context.Context, userID int64, now time.Time) (all []outbox.Subscription, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	err = reader.each(`SELECT `+subscriptionColumns+` FROM push_subscriptions
		WHERE user_id = ? AND (SELECT expires_at FROM sessions WHERE id = session_id) > ? ORDER BY id`,
		[]any{userID, millis(now)}, func(row Row) error {
			s, err := scanSubscription(row)
			all = append(all, s)
			return err
		})
	return all, translate(err)
}

// Unsubscribe removes a subscription. Returns outbox.ErrSubscriptionNotFound.
func (db *DB) Unsubscribe(ctx context.Context, by app.Caller, id int64) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		n, err := tx.change(`DELETE FROM push_subscriptions WHERE id = ? AND user_id = ?`, id, by.UserID)
		if err == nil && n == 0 {
			err = outbox.ErrSubscriptionNotFound
		}
		return err
	}))
}

// DuePushes returns what is due; see outbox.PushQueue.
func (db *DB) DuePushes(ctx context.Context, now time.Time, limit int) (due []outbox.DuePush, next time.Time, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return nil, next, err
	}
	// A wrong clock may have put some too far off.
	latest := millis(now.Add(outbox.LongestPushWait))
	var far bool
	if err := reader.one(`SELECT EXISTS (SELECT 1 FROM push_subscriptions WHERE next_at > 0 AND next_at > ?)`, []any{latest}, &far); err != nil {
		return nil, next, translate(err)
	}
	if far {
		err := db.write(ctx, func(tx *tx) error {
			return tx.exec(`UPDATE push_subscriptions SET next_at = ? WHERE next_at > 0 AND next_at > ?`, millis(now), latest)
		})
		if err != nil {
			return nil, next, err
		}
	}
	err = reader.each(`SELECT id, user_id, next_at FROM push_subscriptions WHERE next_at > 0 ORDER BY next_at LIMIT ?`, []any{limit}, func(row Row) error {
		var one outbox.DuePush
		var at int64
		if err := row.Scan(&one.ID, &one.UserID, &at); err != nil {
			return err
		}
		if at <= millis(now) {
			due = append(due, one)
		} else if next.IsZero() {
			next = fromMillis(at)
		}
		return nil
	})
	return due, next, translate(err)
}

// pushing is a subscription at work.
type pushing struct {
	outbox.Push
	userID, cursor, ends int64
	channels             app.Channels
}

// Push returns what a subscription sends next; see outbox.PushQueue.
func (db *DB) Push(ctx context.Context, id int64, now time.Time) (push outbox.Push, found bool, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return push, false, err
	}
	one, err := reader.pushing(id)
	switch {
	case errors.Is(err, sql.ErrNoRows): // it was ended meanwhile
		return push, false, nil
	case err != nil:
		return push, false, translate(err)
	case one.ends <= millis(now):
		return push, false, db.PushGone(ctx, id)
	}
	last, found, err := reader.nextPush(&one, db.seed, now)
	if err != nil || found {
		return one.Push, found, translate(err)
	}
	return push, false, db.PushDone(ctx, id, last, now)
}

func (t *tx) pushing(id int64) (one pushing, err error) {
	var channels sql.NullString
	found := false
	err = t.each(`SELECT p.id, p.session_id, p.endpoint, p.p256dh, p.auth, p.created_at, p.user_id, p.cursor, p.tries, s.expires_at, u.reminder_channels
		FROM push_subscriptions p JOIN sessions s ON s.id = p.session_id JOIN users u ON u.id = p.user_id WHERE p.id = ?`, []any{id}, func(row Row) (err error) {
		found = true
		one.Subscription, err = scanSubscription(row, &one.userID, &one.cursor, &one.Tries, &one.ends, &channels)
		return err
	})
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	one.channels = channelsOf(channels)
	return one, err
}

// nextPush finds the reminder that a subscription sends next, if there is one, and the number of
// the last one that was looked at.
func (t *tx) nextPush(one *pushing, seed todo.Seed, now time.Time) (last int64, found bool, err error) {
	last = one.cursor
	type line struct{ seq, task, at int64 }
	var lines []line
	err = t.each(`SELECT seq, entity, at FROM changes WHERE scope = ? AND seq > ? AND op = ? ORDER BY seq LIMIT 100`,
		[]any{-one.userID, one.cursor, int(todo.OpDue)}, func(row Row) error {
			var l line
			err := row.Scan(&l.seq, &l.task, &l.at)
			lines = append(lines, l)
			return err
		})
	if err != nil {
		return last, false, err
	}
	for _, l := range lines {
		last = l.seq
		if !one.channels.Push() || now.Sub(fromMillis(l.at)) > outbox.PushUntil {
			continue
		}
		task, err := t.task(l.task, one.userID, false)
		switch {
		case errors.Is(err, todo.ErrTaskNotFound) || err == nil && task.Completed():
			continue
		case err != nil:
			return last, false, err
		}
		one.Seq, one.FiredAt, one.Task = l.seq, fromMillis(l.at), pushedTask(task, seed)
		return last, true, nil
	}
	return last, false, nil
}

func pushedTask(task todo.Task, seed todo.Seed) outbox.PushedTask {
	out := outbox.PushedTask{ID: task.ID, UID: cmp.Or(task.UID, seed.UID(todo.KindTask, task.ID)), Title: task.Title}
	if due := task.Dates.Due; !due.IsZero() {
		text := due.String()
		out.Due = &text
		if moment, ok := due.Moment(); ok {
			at := moment.Format(time.RFC3339)
			out.DueAt = &at
		}
	}
	return out
}

// PushDone moves a subscription on; see outbox.PushQueue.
func (db *DB) PushDone(ctx context.Context, id, seq int64, now time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		return tx.exec(`UPDATE push_subscriptions SET cursor = ?2, tries = 0, next_at = CASE WHEN EXISTS (
				SELECT 1 FROM changes WHERE scope = -user_id AND seq > ?2 AND op = ?3) THEN ?4 ELSE 0 END
			WHERE id = ?1 AND cursor <= ?2`, id, seq, int(todo.OpDue), millis(now))
	})
}

// PushFailed counts a try; see outbox.PushQueue.
func (db *DB) PushFailed(ctx context.Context, id int64, next time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		return tx.exec(`UPDATE push_subscriptions SET tries = tries + 1, next_at = ? WHERE id = ? AND next_at > 0`, millis(next), id)
	})
}

// PushGone removes a subscription; see outbox.PushQueue.
func (db *DB) PushGone(ctx context.Context, id int64) error {
	return db.write(ctx, func(tx *tx) error { return tx.exec(`DELETE FROM push_subscriptions WHERE id = ?`, id) })
}
