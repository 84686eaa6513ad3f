package sqlite

import (
	"context"
	"encoding/json"
	"errors"

	"taskapi/app"
)

var _ app.UserStore = (*DB)(nil)

const userColumns = `id, username, email, password_hash, role, created_at`

func scanUser(row row, u *app.User, before ...any) error {
	var created int64
	err := row.Scan(append(before, &u.ID, &u.Username, &u.Email, &u.PasswordHash, &u.Role, &created)...)
	u.CreatedAt = fromMillis(created)
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

// CreateUser adds the user and queues the mail to them, if any, as one.
// Returns app.ErrEmailTaken.
func (db *DB) CreateUser(ctx context.Context, u app.NewUser, welcome *app.NewMail) (app.User, error) {
	var created app.User
	err := db.write(ctx, func(tx *tx) error {
		var err error
		created, err = tx.user(`INSERT INTO users (username, email, email_key, password_hash, role, created_at)
			VALUES (?, ?, ?, ?, ?, ?) RETURNING `+userColumns,
			u.Username, u.Email, app.EmailKey(u.Email), u.PasswordHash, string(u.Role), millis(u.CreatedAt))
		if err != nil || welcome == nil {
			return err
		}
		return tx.queueMail(created.ID, *welcome)
	})
	return created, err
}

// User returns the user, or app.ErrUserNotFound.
func (db *DB) User(ctx context.Context, id int64) (app.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.User{}, err
	}
	user, err := tx.user(`SELECT `+userColumns+` FROM users WHERE id = ?`, id)
	return user, translate(err)
}

// UserByEmail returns the user with the address, whatever its case, or
// app.ErrUserNotFound.
func (db *DB) UserByEmail(ctx context.Context, email string) (app.User, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.User{}, err
	}
	user, err := tx.user(`SELECT `+userColumns+` FROM users WHERE email_key = ?`, app.EmailKey(email))
	return user, translate(err)
}

// Users returns a page of all users in the order of their ids.
func (db *DB) Users(ctx context.Context, page app.PageRequest) (app.Page[app.User], error) {
	out := app.Page[app.User]{PageRequest: page}
	tx, err := db.read(ctx)
	if err != nil {
		return out, err
	}
	// Ids begin at 1; saying so makes both a search and keeps the order free.
	err = tx.each(`SELECT (SELECT count(*) FROM users WHERE id > 0), `+userColumns+`
		FROM users WHERE id > 0 ORDER BY id LIMIT ? OFFSET ?`,
		[]any{page.PerPage, page.Offset()}, func(row row) error {
			var user app.User
			err := scanUser(row, &user, &out.Total)
			out.Items = append(out.Items, user)
			return err
		})
	if err == nil && len(out.Items) == 0 {
		err = tx.one(`SELECT count(*) FROM users WHERE id > 0`, nil, &out.Total)
	}
	return out, translate(err)
}

// UpdateUser changes what the change names. A new password ends all sessions
// but c.KeepSession. Returns app.ErrUserNotFound, app.ErrEmailTaken, or
// app.ErrWrongPassword when c.IfPasswordHash is no longer the hash.
func (db *DB) UpdateUser(ctx context.Context, id int64, c app.UserChange) (app.User, error) {
	var updated app.User
	err := db.write(ctx, func(tx *tx) error {
		var key *string
		if c.Email != nil {
			lower := app.EmailKey(*c.Email)
			key = &lower
		}
		var err error
		updated, err = tx.user(`UPDATE users SET
				username      = coalesce(?3, username),
				email         = coalesce(?4, email),
				email_key     = coalesce(?5, email_key),
				password_hash = coalesce(?6, password_hash)
			WHERE id = ?1 AND (?2 = '' OR password_hash = ?2)
			RETURNING `+userColumns,
			id, c.IfPasswordHash, c.Username, c.Email, key, c.PasswordHash)
		if errors.Is(err, app.ErrUserNotFound) && c.IfPasswordHash != "" {
			if _, err := tx.user(`SELECT `+userColumns+` FROM users WHERE id = ?`, id); err == nil {
				return app.ErrWrongPassword
			}
		}
		if err != nil || c.PasswordHash == nil {
			return err
		}
		return tx.exec(`DELETE FROM sessions WHERE user_id = ? AND id <> ?`, id, c.KeepSession)
	})
	return updated, err
}

// DeleteUser removes the user; tasks, sessions and mails go with the row.
// Returns app.ErrUserNotFound or app.ErrLastAdmin.
func (db *DB) DeleteUser(ctx context.Context, id int64) error {
	return db.write(ctx, func(tx *tx) error {
		if err := tx.refuseLastAdmin(id); err != nil {
			return err
		}
		n, err := tx.change(`DELETE FROM users WHERE id = ?`, id)
		if err == nil && n == 0 {
			return app.ErrUserNotFound
		}
		return err
	})
}

// SetRole changes the role; where that changes anything, all sessions of the
// user end. Returns app.ErrUserNotFound or app.ErrLastAdmin.
func (db *DB) SetRole(ctx context.Context, id int64, role app.Role) (app.User, error) {
	var user app.User
	err := db.write(ctx, func(tx *tx) error {
		var err error
		user, err = tx.user(`SELECT `+userColumns+` FROM users WHERE id = ?`, id)
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
		return tx.exec(`DELETE FROM sessions WHERE user_id = ?`, id)
	})
	return user, err
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

// queueMail puts a mail to the user into the outbox.
func (t *tx) queueMail(userID int64, m app.NewMail) error {
	data, err := json.Marshal(m.Data)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO mails (user_id, template, recipient, data, message_id, status, created_at, next_at)
		VALUES (?1, ?2, ?3, ?4, lower(hex(randomblob(16))), 'queued', ?5, ?5)`,
		userID, string(m.Template), m.To, string(data), millis(m.CreatedAt))
}
