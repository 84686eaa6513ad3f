package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"taskapi/app/outbox"
)

var _ outbox.Outbox = (*DB)(nil)

const mailColumns = `id, user_id, template, recipient, data, message_id, status, attempts, created_at, next_at, sent_at, last_error`

func scanMail(row Row) (outbox.Mail, error) {
	var m outbox.Mail
	var data []byte
	var created, next int64
	var sent sql.NullInt64
	err := row.Scan(&m.ID, &m.UserID, &m.Template, &m.To, &data, &m.MessageID, &m.Status, &m.Attempts, &created, &next, &sent, &m.LastError)
	if err != nil {
		return m, err
	}
	m.CreatedAt, m.NextAt = fromMillis(created), fromMillis(next)
	if sent.Valid {
		m.SentAt = fromMillis(sent.Int64)
	}
	return m, json.Unmarshal(data, &m.Data)
}

// ClaimMail takes a queued mail that is due, of each account in turn the one
// that is due longest, and puts its next attempt behind the lease; see
// outbox.Outbox. With nothing due, nothing is written.
func (db *DB) ClaimMail(ctx context.Context, now time.Time, lease time.Duration) (mail outbox.Mail, due time.Time, found bool, err error) {
	if err := db.hasten(ctx, now); err != nil {
		return outbox.Mail{}, time.Time{}, false, err
	}
	due, err = db.nextMail(ctx)
	if err != nil || due.IsZero() || due.After(now) {
		return outbox.Mail{}, due, false, err
	}
	first, err := db.firstMail(ctx, now)
	if err != nil {
		return outbox.Mail{}, time.Time{}, false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		return tx.each(`UPDATE mails SET attempts = attempts + 1, next_at = ?2
			WHERE id = coalesce((SELECT id FROM mails WHERE id = ?3 AND status = 'queued' AND next_at <= ?1),
				(SELECT id FROM mails WHERE status = 'queued' AND next_at <= ?1 ORDER BY next_at LIMIT 1))
			RETURNING `+mailColumns, []any{millis(now), millis(now.Add(lease)), first.id}, func(row Row) error {
			var err error
			mail, err = scanMail(row)
			found = err == nil
			return err
		})
	})
	if found {
		db.mailTurns.had(mail.UserID, now)
	}
	return mail, time.Time{}, found, err
}

// hasten makes mails due that would wait for longer than any mail does: a wrong
// clock has put them there. With none, nothing is written.
func (db *DB) hasten(ctx context.Context, now time.Time) error {
	latest := millis(now.Add(outbox.LongestMailWait))
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	var some bool
	err = reader.one(`SELECT EXISTS (SELECT 1 FROM mails WHERE status = 'queued' AND next_at > ?)`, []any{latest}, &some)
	if err != nil || !some {
		return translate(err)
	}
	return db.write(ctx, func(tx *tx) error {
		return tx.exec(`UPDATE mails SET next_at = ? WHERE status = 'queued' AND next_at > ?`, millis(now), latest)
	})
}

// firstMail returns the due mail whose turn it is.
func (db *DB) firstMail(ctx context.Context, now time.Time) (dueMail, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return dueMail{}, err
	}
	var due []dueMail
	err = tx.each(`SELECT id, user_id FROM mails WHERE status = 'queued' AND next_at <= ?1 ORDER BY next_at LIMIT ?2`,
		[]any{millis(now), dueWindow}, func(row Row) error {
			var mail dueMail
			err := row.Scan(&mail.id, &mail.user)
			due = append(due, mail)
			return err
		})
	return db.mailTurns.first(due, now), translate(err)
}

// nextMail returns when the next queued mail is due, zero if none is queued.
func (db *DB) nextMail(ctx context.Context) (time.Time, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var next int64
	err = tx.one(`SELECT next_at FROM mails WHERE status = 'queued' AND next_at > -1 ORDER BY next_at LIMIT 1`, nil, &next)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, translate(err)
	}
	return fromMillis(next), nil
}

// MailSent settles a claim: the server has accepted the mail. What was in it is
// forgotten.
func (db *DB) MailSent(ctx context.Context, id int64, now time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		return tx.exec(`UPDATE mails SET status = 'sent', sent_at = ?2, last_error = '', data = '{}' WHERE id = ?1`, id, millis(now))
	})
}

// MailFailed records that sending a claimed mail failed. With a zero next the mail is dead.
func (db *DB) MailFailed(ctx context.Context, id int64, reason string, next time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		if next.IsZero() {
			return tx.exec(`UPDATE mails SET status = 'dead', last_error = ?2 WHERE id = ?1`, id, reason)
		}
		return tx.exec(`UPDATE mails SET next_at = ?3, last_error = ?2 WHERE id = ?1`, id, reason, millis(next))
	})
}

// ErrNoMail says that there is no mail with the id.
var ErrNoMail = errors.New("no such mail")

// Mail returns one mail of the outbox, or ErrNoMail.
func (db *DB) Mail(ctx context.Context, id int64) (outbox.Mail, error) {
	var mail outbox.Mail
	tx, err := db.read(ctx)
	if err != nil {
		return mail, err
	}
	err = tx.each(`SELECT `+mailColumns+` FROM mails WHERE id = ?`, []any{id}, func(row Row) (err error) {
		mail, err = scanMail(row)
		return err
	})
	if err == nil && mail.ID == 0 {
		err = ErrNoMail
	}
	return mail, translate(err)
}

// Mails calls each for the mails of a status, or all when it is empty, the
// newest first, at most limit of them.
func (db *DB) Mails(ctx context.Context, status outbox.MailStatus, limit int, each func(outbox.Mail) error) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	return translate(tx.each(`SELECT `+mailColumns+` FROM mails
		WHERE ?1 = '' OR status = ?1 ORDER BY id DESC LIMIT ?2`,
		[]any{string(status), limit}, func(row Row) error {
			mail, err := scanMail(row)
			if err != nil {
				return err
			}
			return each(mail)
		}))
}

// RequeueMails makes dead mails queued again with all their attempts before
// them, due now: the one with the id, or all when id is 0. Returns how many.
func (db *DB) RequeueMails(ctx context.Context, id int64, now time.Time) (int64, error) {
	return db.inChunks(ctx, `UPDATE mails SET status = 'queued', attempts = 0, created_at = ?2, next_at = ?2
		WHERE id IN (SELECT id FROM mails WHERE status = 'dead' AND (?1 = 0 OR id = ?1) LIMIT ?3)`, id, millis(now))
}
