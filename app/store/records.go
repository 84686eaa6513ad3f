package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

var _ account.AuditStore = (*DB)(nil)

// record writes what a change to a user leaves behind.
func (t *tx) record(userID int64, r account.Record) error {
	for _, event := range r.Events {
		if event.UserID == 0 {
			event.UserID = userID
		}
		if err := t.addEvent(event); err != nil {
			return err
		}
	}
	for _, mail := range r.Mails {
		if err := t.queueMail(userID, mail); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) addEvent(e account.Event) error {
	return t.exec(`INSERT INTO events (at, name, user_id, actor_id, address, detail)
		VALUES (?, ?, nullif(?, 0), nullif(?, 0), ?, ?)`,
		millis(e.At), string(e.Name), e.UserID, e.ActorID, e.Address, e.Detail)
}

// queueMail puts a mail to the user into the outbox, with its link if it has
// one.
func (t *tx) queueMail(userID int64, m outbox.NewMail) error {
	data, err := json.Marshal(m.Data)
	if err != nil {
		return err
	}
	id, err := t.random(16)
	if err != nil {
		return err
	}
	err = t.exec(`INSERT INTO mails (user_id, template, recipient, data, message_id, status, created_at, next_at)
		SELECT id, ?2, CASE WHEN ?3 = '' THEN email ELSE ?3 END, ?4, ?6, 'queued', ?5, ?5 FROM users WHERE id = ?1 AND deleted_at IS NULL`,
		userID, string(m.Template), m.To, string(data), millis(m.CreatedAt), id)
	if err != nil {
		return err
	}
	t.queued = append(t.queued, m)
	if m.Link == nil {
		return nil
	}
	return t.exec(`INSERT INTO links (hash, user_id, purpose, email, expires_at) VALUES (?, ?, ?, ?, ?)`,
		m.Link.Hash, userID, string(m.Link.Purpose), m.To, millis(m.Link.ExpiresAt))
}

// AddEvent adds a line that belongs to no other change.
func (db *DB) AddEvent(ctx context.Context, event account.Event) error {
	return db.write(ctx, func(tx *tx) error { return tx.addEvent(event) })
}

// RecordByEmail adds the lines and mails that record makes about the user with
// the address as they are in this transaction. Else account.ErrUserNotFound.
func (db *DB) RecordByEmail(ctx context.Context, email string, record func(account.User) (account.Record, error)) error {
	return db.write(ctx, func(tx *tx) error {
		user, err := tx.user(userByKey, app.EmailKey(email), strings.ToLower(email))
		if err != nil {
			return err
		}
		made, err := record(user)
		if err != nil {
			return err
		}
		return tx.record(user.ID, made)
	})
}

const eventColumns = `id, at, name, user_id, actor_id, address, detail`

func scanEvent(row Row, before ...any) (account.Event, error) {
	var e account.Event
	var at int64
	var user, actor sql.NullInt64
	err := row.Scan(append(before, &e.ID, &at, &e.Name, &user, &actor, &e.Address, &e.Detail)...)
	e.At, e.UserID, e.ActorID = fromMillis(at), user.Int64, actor.Int64
	return e, err
}

// Events returns a page of a user's lines, the newest first.
func (db *DB) Events(ctx context.Context, userID int64, page app.PageRequest) (app.Page[account.Event], error) {
	return pageOfList(ctx, db, eventsOfUser(), userID, 0, page,
		func(row Row, total *int64) (account.Event, error) { return scanEvent(row, total) })
}

// EachEvent calls each for the newest lines, of one user or, with 0, of all.
func (db *DB) EachEvent(ctx context.Context, userID int64, limit int, each func(account.Event) error) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	return translate(tx.each(`SELECT `+eventColumns+` FROM events WHERE ?1 = 0 OR user_id = ?1 ORDER BY id DESC LIMIT ?2`,
		[]any{userID, limit}, func(row Row) error {
			event, err := scanEvent(row)
			if err != nil {
				return err
			}
			return each(event)
		}))
}
