package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"taskapi/app"
)

var _ app.UserStore = (*DB)(nil)

const userColumns = `id, username, email, password_hash, role, created_at, verified_at, pending_email`

func scanUser(row row, u *app.User, before ...any) error {
	var created int64
	var verified sql.NullInt64
	var pending sql.NullString
	err := row.Scan(append(before, &u.ID, &u.Username, &u.Email, &u.PasswordHash, &u.Role, &created, &verified, &pending)...)
	u.CreatedAt = fromMillis(created)
	u.PendingEmail = pending.String
	u.VerifiedAt = time.Time{}
	if verified.Valid {
		u.VerifiedAt = fromMillis(verified.Int64)
	}
	return err
}

func (t *tx) user(query string, args ...any) (app.User, error) {
	var user app.User
	found := false
	err := t.each(query, args, func(row row) error {
		found = true
		return scanUser(row, &user)
	})
	switch {
	case isUnique(err):
		return app.User{}, app.ErrEmailTaken
	case err == nil && !found:
		return app.User{}, app.ErrUserNotFound
	}
	return user, err
}

// CreateUser adds the user with the record of it. Returns app.ErrEmailTaken.
func (db *DB) CreateUser(ctx context.Context, by app.Caller, u app.NewUser, record app.Record) (app.User, error) {
	var created app.User
	create := func(tx *tx) error {
		var err error
		created, err = tx.user(`INSERT INTO users (username, email, email_key, password_hash, role, created_at, verified_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING `+userColumns,
			u.Username, u.Email, app.EmailKey(u.Email), u.PasswordHash, string(u.Role), millis(u.CreatedAt), nullMillis(u.VerifiedAt))
		if err != nil {
			return err
		}
		return tx.record(created.ID, record)
	}
	if by.UserID != 0 { // anybody may, but who was somebody must still be
		create = db.as(by, create)
	}
	err := db.write(ctx, create)
	return created, err
}

// User returns the user, or app.ErrUserNotFound.
func (db *DB) User(ctx context.Context, id int64) (app.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.User{}, err
	}
	user, err := tx.user(userByID, id)
	return user, translate(err)
}

// userByKey finds a user by the key of an address, or by its mere lower case:
// an account from before there was more to a key, whose key another one has,
// still answers to the address as its owner writes it.
const userByKey = `SELECT ` + userColumns + ` FROM users
	WHERE email_key = coalesce((SELECT email_key FROM users WHERE email_key = ?2), ?1) AND deleted_at IS NULL`

const userByID = `SELECT ` + userColumns + ` FROM users WHERE id = ? AND deleted_at IS NULL`

// UserByEmail returns the user with the address, whatever its case, or
// app.ErrUserNotFound.
func (db *DB) UserByEmail(ctx context.Context, email string) (app.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.User{}, err
	}
	user, err := tx.user(userByKey, app.EmailKey(email), strings.ToLower(email))
	return user, translate(err)
}

// Users returns a page of all users in the order of their ids.
func (db *DB) Users(ctx context.Context, page app.PageRequest) (app.Page[app.User], error) {
	return pageOfList(ctx, db, allUsers(), 0, page, func(row row, total *int64) (user app.User, err error) {
		err = scanUser(row, &user, total)
		return user, err
	})
}

// UpdateUser changes what the change names. A new password ends all sessions
// but c.KeepSession, the API tokens unless c.KeepAPITokens and, since somebody
// else may have set them up, the wish for a new address and all links but those
// that prove the present one. A new address is not a proven one, and links to
// another are good for nothing any more. Returns app.ErrUserNotFound,
// app.ErrEmailTaken, and what as does.
func (db *DB) UpdateUser(ctx context.Context, by app.Caller, id int64, c app.UserChange, record app.Record) (app.User, app.Ended, error) {
	var updated app.User
	var ended app.Ended
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		var err error
		updated, err = tx.changeUser(id, c)
		if err != nil {
			return err
		}
		if c.PasswordHash != nil {
			if ended, err = tx.endAccess(id, c.KeepSession, c.KeepAPITokens); err != nil {
				return err
			}
		}
		if err := tx.dropLinks(id, c); err != nil {
			return err
		}
		return tx.record(id, record)
	}))
	return updated, ended, err
}

// dropLinks ends the links that a change leaves nothing for.
func (t *tx) dropLinks(id int64, c app.UserChange) error {
	var errs []error
	if c.Email != nil {
		errs = append(errs, t.exec(`DELETE FROM links WHERE user_id = ?1
			AND email NOT IN (SELECT email FROM users WHERE id = ?1)`, id))
	}
	if c.PendingEmail != nil {
		errs = append(errs, t.exec(`DELETE FROM links WHERE user_id = ? AND purpose = 'change'`, id))
	}
	if c.PasswordHash != nil {
		errs = append(errs, t.exec(`DELETE FROM links WHERE user_id = ? AND purpose IN ('change', 'reset')`, id))
	}
	return errors.Join(errs...)
}

func (t *tx) changeUser(id int64, c app.UserChange) (app.User, error) {
	var key *string
	if c.Email != nil {
		lower := app.EmailKey(*c.Email)
		key = &lower
	}
	return t.user(`UPDATE users SET
			username      = coalesce(?2, username),
			email         = coalesce(?3, email),
			email_key     = coalesce(?4, email_key),
			verified_at   = iif(email_key = coalesce(?4, email_key), verified_at, NULL),
			pending_email = CASE WHEN ?6 IS NOT NULL THEN nullif(?6, '') WHEN ?5 IS NULL THEN pending_email END,
			password_hash = coalesce(?5, password_hash)
		WHERE id = ?1 AND deleted_at IS NULL
		RETURNING `+userColumns,
		id, c.Username, c.Email, key, c.PasswordHash, c.PendingEmail)
}

// SetRole changes the role; where that changes anything, all sessions and API
// tokens of the user end. Returns app.ErrUserNotFound or app.ErrLastAdmin.
func (db *DB) SetRole(ctx context.Context, id int64, role app.Role, record app.Record) (app.User, error) {
	var user app.User
	err := db.write(ctx, func(tx *tx) error {
		var err error
		user, err = tx.user(userByID, id)
		if err != nil || user.Role == role {
			return err
		}
		if err := tx.refuseLastAdmin(id); err != nil {
			return err
		}
		user.Role = role
		if err := tx.exec(`UPDATE users SET role = ? WHERE id = ?`, string(role), id); err != nil {
			return err
		}
		_, err = tx.endAccess(id, "", false)
		return errors.Join(err, tx.record(id, record))
	})
	return user, err
}

// endAccess ends everything by which the user is signed in anywhere but, unless
// it is empty, one session and, if they are kept, the API tokens.
func (t *tx) endAccess(id int64, keepSession string, keepAPITokens bool) (ended app.Ended, err error) {
	if ended.Sessions, err = t.change(`DELETE FROM sessions WHERE user_id = ? AND id <> ?`, id, keepSession); err != nil || keepAPITokens {
		return ended, err
	}
	ended.APITokens, err = t.change(`DELETE FROM api_tokens WHERE user_id = ?`, id)
	return ended, err
}

// refuseLastAdmin returns app.ErrLastAdmin if the user is the only admin.
func (t *tx) refuseLastAdmin(id int64) error {
	var only bool
	err := t.one(`SELECT
		EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND id = ?1) AND NOT
		EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND (id < ?1 OR id > ?1))`, []any{id}, &only)
	if err == nil && only {
		return app.ErrLastAdmin
	}
	return err
}
