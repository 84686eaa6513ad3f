package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

var _ account.UserStore = (*DB)(nil)

const userColumns = `id, username, email, password_hash, role, created_at, verified_at, pending_email, time_zone, reminder_channels`

func scanUser(row Row, u *account.User, before ...any) error {
	var created int64
	var verified sql.NullInt64
	var pending, channels sql.NullString
	err := row.Scan(append(before, &u.ID, &u.Username, &u.Email, &u.PasswordHash, &u.Role, &created, &verified, &pending, &u.TimeZone, &channels)...)
	u.CreatedAt = fromMillis(created)
	u.PendingEmail, u.ReminderChannels = pending.String, channelsOf(channels)
	u.VerifiedAt = time.Time{}
	if verified.Valid {
		u.VerifiedAt = fromMillis(verified.Int64)
	}
	return err
}

// channelsOf reads channels as they are stored.
func channelsOf(stored sql.NullString) app.Channels {
	if !stored.Valid {
		return nil
	}
	// Names of a later version are none of ours.
	channels, _ := app.ChannelsOf(strings.Fields(stored.String))
	return channels
}

func (t *tx) user(query string, args ...any) (account.User, error) {
	var user account.User
	found := false
	err := t.each(query, args, func(row Row) error {
		found = true
		return scanUser(row, &user)
	})
	switch {
	case errors.Is(err, ErrUnique):
		return account.User{}, account.ErrEmailTaken
	case err == nil && !found:
		return account.User{}, account.ErrUserNotFound
	}
	return user, err
}

// CreateUser adds the user with the record of it. Returns account.ErrEmailTaken.
func (db *DB) CreateUser(ctx context.Context, by app.Caller, u account.NewUser, record account.Record) (account.User, error) {
	var created account.User
	create := func(tx *tx) error {
		var err error
		created, err = tx.user(`INSERT INTO users (username, email, email_key, password_hash, role, created_at, verified_at, time_zone)
			VALUES (?, ?, ?, ?, ?, ?, ?, coalesce(nullif(?, ''), 'UTC')) RETURNING `+userColumns,
			u.Username, u.Email, app.EmailKey(u.Email), u.PasswordHash, string(u.Role), millis(u.CreatedAt), nullMillis(u.VerifiedAt), u.TimeZone)
		if err != nil {
			return err
		}
		if err := tx.addInbox(act{by, u.CreatedAt}, created.ID); err != nil {
			return err
		}
		return tx.record(created.ID, record)
	}
	if by.UserID != 0 { // anybody may, but who was somebody must still be
		create = db.as(by, create)
	}
	err := db.writeAccess(ctx, create)
	return created, err
}

// User returns the user, or account.ErrUserNotFound.
func (db *DB) User(ctx context.Context, id int64) (account.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return account.User{}, err
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

// Admins returns how many admins there are.
func (db *DB) Admins(ctx context.Context) (int64, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return 0, err
	}
	var n int64
	return n, translate(tx.one(`SELECT count(*) FROM users WHERE role = 'admin' AND deleted_at IS NULL`, nil, &n))
}

// UserByEmail returns the user with the address, whatever its case, or
// account.ErrUserNotFound.
func (db *DB) UserByEmail(ctx context.Context, email string) (account.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return account.User{}, err
	}
	user, err := tx.user(userByKey, app.EmailKey(email), strings.ToLower(email))
	return user, translate(err)
}

// Users returns a page of all users in the order of their ids.
func (db *DB) Users(ctx context.Context, page app.PageRequest) (app.Page[account.User], error) {
	return pageOfList(ctx, db, allUsers(), 0, 0, page, func(row Row, total *int64) (user account.User, err error) {
		err = scanUser(row, &user, total)
		return user, err
	})
}

// UpdateUser changes the fields that the change names. A new password ends all
// sessions except c.KeepSession, and the API tokens unless c.KeepAPITokens. Because
// an intruder may have set them up, it also withdraws a pending address and deletes
// all links except those that verify the present address. A new address is
// unverified and invalidates the links to other addresses. Returns
// account.ErrUserNotFound, account.ErrEmailTaken, and the errors of as.
func (db *DB) UpdateUser(ctx context.Context, by app.Caller, id int64, c account.UserChange, record account.Record) (account.User, account.Ended, error) {
	var updated account.User
	var ended account.Ended
	err := db.writeAccess(ctx, db.as(by, func(tx *tx) error {
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
		if c.Username != nil || c.TimeZone != nil {
			if err := tx.noteUser(act{by, db.now()}, id, c.Username != nil); err != nil {
				return err
			}
		}
		return tx.record(id, record)
	}))
	if err == nil && c.TimeZone != nil {
		err = db.rewindAll(ctx, id)
	}
	return updated, ended, err
}

// dropLinks ends the links that a change leaves nothing for.
func (t *tx) dropLinks(id int64, c account.UserChange) error {
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

func (t *tx) changeUser(id int64, c account.UserChange) (account.User, error) {
	var key *string
	if c.Email != nil {
		lower := app.EmailKey(*c.Email)
		key = &lower
	}
	var channels any
	if c.ReminderChannels != nil && *c.ReminderChannels != nil {
		channels = c.ReminderChannels.Text()
	}
	return t.user(`UPDATE users SET
			username      = coalesce(?2, username),
			email         = coalesce(?3, email),
			email_key     = coalesce(?4, email_key),
			verified_at   = CASE WHEN email_key = coalesce(?4, email_key) THEN verified_at ELSE NULL END,
			pending_email = CASE WHEN CAST(?6 AS TEXT) IS NOT NULL THEN nullif(?6, '') WHEN CAST(?5 AS TEXT) IS NULL THEN pending_email END,
			password_hash = coalesce(?5, password_hash),
			time_zone     = coalesce(?7, time_zone),
			reminder_channels = CASE WHEN ?8 THEN ?9 ELSE reminder_channels END
		WHERE id = ?1 AND deleted_at IS NULL
		RETURNING `+userColumns,
		id, c.Username, c.Email, key, c.PasswordHash, c.PendingEmail, c.TimeZone, c.ReminderChannels != nil, channels)
}

// SetRole changes the role; where that changes anything, all sessions and API
// tokens of the user end. Returns account.ErrUserNotFound or account.ErrLastAdmin.
func (db *DB) SetRole(ctx context.Context, id int64, role app.Role, record account.Record) (account.User, error) {
	var user account.User
	err := db.writeAccess(ctx, func(tx *tx) error {
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
func (t *tx) endAccess(id int64, keepSession string, keepAPITokens bool) (ended account.Ended, err error) {
	if ended.Sessions, err = t.change(`DELETE FROM sessions WHERE user_id = ? AND id <> ?`, id, keepSession); err != nil || keepAPITokens {
		return ended, err
	}
	if ended.APITokens, err = t.change(`DELETE FROM api_tokens WHERE user_id = ?`, id); err != nil {
		return ended, err
	}
	return ended, t.exec(`DELETE FROM feeds WHERE user_id = ?`, id)
}

// refuseLastAdmin returns account.ErrLastAdmin if the user is the only admin.
func (t *tx) refuseLastAdmin(id int64) error {
	var only bool
	err := t.one(`SELECT
		EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND id = ?1) AND NOT
		EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND (id < ?1 OR id > ?1))`, []any{id}, &only)
	if err == nil && only {
		return account.ErrLastAdmin
	}
	return err
}
