package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

var _ account.LinkStore = (*DB)(nil)

// Link returns what a link is good for, else account.ErrLinkInvalid.
func (db *DB) Link(ctx context.Context, hash string, now time.Time) (account.Link, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return account.Link{}, err
	}
	link, err := tx.link(hash, now)
	return link, translate(err)
}

func (t *tx) link(hash string, now time.Time) (link account.Link, err error) {
	err = t.one(`SELECT user_id, purpose, email FROM links WHERE hash = ? AND expires_at > ?`,
		[]any{hash, millis(now)}, &link.UserID, &link.Purpose, &link.Email)
	if errors.Is(err, sql.ErrNoRows) {
		err = account.ErrLinkInvalid
	}
	return link, err
}

// ResetPassword sets a password by a reset link. It consumes all reset links of the
// user, ends all sessions and API tokens, and withdraws a pending address, which an
// intruder may have asked for. Returns account.ErrLinkInvalid.
func (db *DB) ResetPassword(ctx context.Context, hash, passwordHash string, now time.Time, record account.Record) (account.User, error) {
	var user account.User
	err := db.writeAccess(ctx, func(tx *tx) error {
		link, err := tx.link(hash, now)
		if err != nil {
			return err
		}
		if link.Purpose != outbox.PurposeReset {
			return account.ErrLinkInvalid
		}
		user, err = tx.user(`UPDATE users SET password_hash = ?2, pending_email = NULL, verified_at = coalesce(verified_at, ?4)
			WHERE id = ?1 AND email = ?3 RETURNING `+userColumns, link.UserID, passwordHash, link.Email, millis(now))
		if errors.Is(err, account.ErrUserNotFound) {
			err = account.ErrLinkInvalid
		}
		if err != nil {
			return err
		}
		_, err = tx.endAccess(user.ID, "", false)
		return errors.Join(err,
			tx.exec(`DELETE FROM links WHERE user_id = ? AND purpose IN ('change', 'reset')`, user.ID),
			tx.record(user.ID, record))
	})
	return user, err
}

// VerifyEmail uses a link that proves an address up. The address of a change
// becomes the user's. Returns account.ErrLinkInvalid when the address is no longer
// the user's or the one they want, and account.ErrEmailTaken.
func (db *DB) VerifyEmail(ctx context.Context, hash string, now time.Time, record func(account.Link, account.User) account.Record) (account.User, error) {
	var after account.User
	err := db.write(ctx, func(tx *tx) error {
		link, err := tx.link(hash, now)
		if err != nil {
			return err
		}
		before, err := tx.user(userByID, link.UserID)
		if err != nil {
			return err
		}
		after, err = tx.verify(link, now)
		if errors.Is(err, account.ErrUserNotFound) {
			err = account.ErrLinkInvalid
		}
		if err != nil {
			return err
		}
		return errors.Join(
			tx.exec(`DELETE FROM links WHERE user_id = ? AND (purpose = ? OR email <> ?)`, after.ID, string(link.Purpose), after.Email),
			tx.record(after.ID, record(link, before)))
	})
	return after, err
}

func (t *tx) verify(link account.Link, now time.Time) (account.User, error) {
	switch link.Purpose {
	case outbox.PurposeVerify:
		return t.user(`UPDATE users SET verified_at = coalesce(verified_at, ?3)
			WHERE id = ?1 AND email = ?2 RETURNING `+userColumns, link.UserID, link.Email, millis(now))
	case outbox.PurposeChange:
		return t.user(`UPDATE users SET email = ?2, email_key = ?3, verified_at = ?4, pending_email = NULL
			WHERE id = ?1 AND pending_email = ?2 RETURNING `+userColumns, link.UserID, link.Email, app.EmailKey(link.Email), millis(now))
	}
	return account.User{}, account.ErrLinkInvalid
}
