package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"taskapi/app"
)

var _ app.SessionStore = (*DB)(nil)

// CreateSession begins a session, while the stored hash is still ifHash, and
// renews the hash when newHash is not empty. Else app.ErrInvalidCredentials.
func (db *DB) CreateSession(ctx context.Context, s app.Session, ifHash, newHash string) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.change(`INSERT INTO sessions (id, user_id, generation, created_at, last_used_at, expires_at)
			SELECT ?1, id, ?3, ?4, ?5, ?6 FROM users WHERE id = ?2 AND password_hash = ?7`,
			s.ID, s.UserID, s.Generation, millis(s.CreatedAt), millis(s.LastUsedAt), millis(s.ExpiresAt), ifHash)
		switch {
		case err != nil:
			return err
		case n == 0:
			return app.ErrInvalidCredentials
		case newHash != "":
			return tx.exec(`UPDATE users SET password_hash = ? WHERE id = ?`, newHash, s.UserID)
		}
		return nil
	})
}

// UseSession carries out what decide chooses, in one transaction. Returns
// app.ErrRefreshInvalid without the session.
func (db *DB) UseSession(ctx context.Context, id string, generation int64, now time.Time, decide func(app.SessionUse) app.SessionAction) (app.Session, error) {
	var use app.SessionUse
	err := db.write(ctx, func(tx *tx) error {
		var err error
		if use, err = tx.sessionUse(id, generation); err != nil {
			return err
		}
		switch decide(use) {
		case app.SessionTouch:
			use.LastUsedAt = now
			return tx.exec(`UPDATE sessions SET last_used_at = ? WHERE id = ?`, millis(now), id)
		case app.SessionRotate:
			use.LastUsedAt = now
			use.Generation++
			return tx.rotate(use.Session, generation, now)
		case app.SessionEnd:
			return tx.exec(`DELETE FROM sessions WHERE id = ?`, id)
		}
		return nil
	})
	return use.Session, err
}

func (t *tx) sessionUse(id string, generation int64) (app.SessionUse, error) {
	use := app.SessionUse{Session: app.Session{ID: id}}
	var created, lastUsed, expires int64
	var retired sql.NullInt64
	err := t.one(`SELECT s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, r.retired_at
		FROM sessions s LEFT JOIN retired_tokens r ON r.session_id = s.id AND r.generation = ?2
		WHERE s.id = ?1`, []any{id, generation},
		&use.UserID, &use.Generation, &created, &lastUsed, &expires, &retired)
	if errors.Is(err, sql.ErrNoRows) {
		return use, app.ErrRefreshInvalid
	}
	use.CreatedAt, use.LastUsedAt, use.ExpiresAt = fromMillis(created), fromMillis(lastUsed), fromMillis(expires)
	if retired.Valid {
		use.RetiredAt = fromMillis(retired.Int64)
	}
	return use, err
}

// rotate makes s.Generation current, remembers when the one before retired,
// and forgets those whose grace is over.
func (t *tx) rotate(s app.Session, retired int64, now time.Time) error {
	if err := t.exec(`UPDATE sessions SET generation = ?, last_used_at = ? WHERE id = ?`,
		s.Generation, millis(now), s.ID); err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM retired_tokens WHERE session_id = ? AND retired_at < ?`,
		s.ID, millis(now.Add(-app.RefreshGrace))); err != nil {
		return err
	}
	return t.exec(`INSERT INTO retired_tokens (session_id, generation, retired_at) VALUES (?, ?, ?)`,
		s.ID, retired, millis(now))
}

// EndSession ends a session that has not expired. False if there is none.
func (db *DB) EndSession(ctx context.Context, id string, now time.Time) (bool, error) {
	var ended int64
	err := db.write(ctx, func(tx *tx) error {
		var err error
		ended, err = tx.change(`DELETE FROM sessions WHERE id = ? AND expires_at > ?`, id, millis(now))
		return err
	})
	return ended > 0, err
}

// Caller returns who a living session of the user speaks for, else
// app.ErrSessionEnded.
func (db *DB) Caller(ctx context.Context, sessionID string, userID int64, now time.Time) (app.Caller, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.Caller{}, err
	}
	caller := app.Caller{UserID: userID, SessionID: sessionID}
	err = tx.one(`SELECT u.role FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.id = ? AND s.user_id = ? AND s.expires_at > ?`,
		[]any{sessionID, userID, millis(now)}, &caller.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return app.Caller{}, app.ErrSessionEnded
	}
	return caller, translate(err)
}
