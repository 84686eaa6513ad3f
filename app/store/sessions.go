package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

var _ account.SessionStore = (*DB)(nil)

const sessionColumns = `id, user_id, generation, created_at, last_used_at, expires_at, address, user_agent`

// CreateSession begins a session while the grounds for it hold, and renews the
// hash when there is a new one. Else account.ErrInvalidCredentials.
func (db *DB) CreateSession(ctx context.Context, s account.Session, grounds account.SignIn, record account.Record) error {
	ended := false
	err := db.write(ctx, func(tx *tx) error {
		n, err := tx.change(`INSERT INTO sessions (`+sessionColumns+`)
			SELECT ?1, id, ?3, ?4, ?5, ?6, ?8, ?9 FROM users
			WHERE id = ?2 AND password_hash = ?7 AND (NOT ?10 OR verified_at IS NOT NULL)`,
			s.ID, s.UserID, s.Generation, millis(s.CreatedAt), millis(s.LastUsedAt), millis(s.ExpiresAt),
			grounds.PasswordHash, s.Address, s.UserAgent, grounds.Verified)
		if err == nil && n == 0 {
			err = account.ErrInvalidCredentials
		}
		if err == nil && grounds.NewHash != "" {
			err = tx.exec(`UPDATE users SET password_hash = ? WHERE id = ?`, grounds.NewHash, s.UserID)
		}
		if err != nil {
			return err
		}
		if ended, err = tx.endTooMany(s.UserID, s.ID); err != nil {
			return err
		}
		return tx.record(s.UserID, record)
	})
	if ended {
		db.callers.forget()
	}
	return err
}

// maxSessions is how many sessions a user has. Scripts that sign in for each
// request would else fill the disk, and no end of them could be quick.
const maxSessions = 100

// endTooMany ends the sessions that were unused longest when there are too many;
// the new one stays, also if a wrong clock has dated others after it. False if
// none was ended.
func (t *tx) endTooMany(userID int64, newest string) (bool, error) {
	var count int64
	if err := t.one(`SELECT count(*) FROM sessions WHERE user_id = ?`, []any{userID}, &count); err != nil || count <= maxSessions {
		return false, err
	}
	return true, t.exec(`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions
		WHERE user_id = ?1 AND id <> ?2 ORDER BY last_used_at DESC, id LIMIT -1 OFFSET ?3)`, userID, newest, maxSessions-1)
}

// UseSession carries out what decide chooses, in one transaction. Returns
// account.ErrRefreshInvalid without the session.
func (db *DB) UseSession(ctx context.Context, shown account.UseOf, decide func(account.SessionUse) (account.SessionAction, account.Record)) (account.Session, error) {
	var use account.SessionUse
	ended := false
	err := db.write(ctx, func(tx *tx) error {
		var err error
		if use, err = tx.sessionUse(shown.SessionID, shown.Generation); err != nil {
			return err
		}
		action, record := decide(use)
		switch action {
		case account.SessionTouch:
			err = tx.touch(&use.Session, shown)
		case account.SessionRotate:
			use.Generation++
			err = errors.Join(tx.touch(&use.Session, shown), tx.retire(shown))
		case account.SessionStolen:
			ended = true
			err = errors.Join(tx.exec(`DELETE FROM sessions WHERE id = ?`, shown.SessionID),
				tx.exec(`DELETE FROM api_tokens WHERE session_id = ?1 AND session_id <> ''`, shown.SessionID),
				tx.exec(`DELETE FROM feeds WHERE session_id = ?1 AND session_id <> ''`, shown.SessionID))
		}
		return errors.Join(err, tx.record(use.UserID, record))
	})
	if ended {
		db.callers.forget()
	}
	return use.Session, err
}

func (t *tx) sessionUse(id string, generation int64) (account.SessionUse, error) {
	use := account.SessionUse{Session: account.Session{ID: id}}
	var created, lastUsed, expires int64
	var retired sql.NullInt64
	err := t.one(`SELECT s.user_id, s.generation, s.created_at, s.last_used_at, s.expires_at, r.retired_at
		FROM sessions s LEFT JOIN retired_tokens r ON r.session_id = s.id AND r.generation = ?2
		WHERE s.id = ?1`, []any{id, generation},
		&use.UserID, &use.Generation, &created, &lastUsed, &expires, &retired)
	if errors.Is(err, sql.ErrNoRows) {
		return use, account.ErrRefreshInvalid
	}
	use.CreatedAt, use.LastUsedAt, use.ExpiresAt = fromMillis(created), fromMillis(lastUsed), fromMillis(expires)
	if retired.Valid {
		use.RetiredAt = fromMillis(retired.Int64)
	}
	return use, err
}

// touch makes s.Generation current and notes the use.
func (t *tx) touch(s *account.Session, shown account.UseOf) error {
	s.LastUsedAt, s.Address, s.UserAgent = shown.Now, shown.Address, shown.UserAgent
	return t.exec(`UPDATE sessions SET generation = ?, last_used_at = ?, address = ?, user_agent = ? WHERE id = ?`,
		s.Generation, millis(s.LastUsedAt), s.Address, s.UserAgent, s.ID)
}

// retire remembers when the token shown was retired, and forgets those whose
// grace is over.
func (t *tx) retire(shown account.UseOf) error {
	if err := t.exec(`DELETE FROM retired_tokens WHERE session_id = ? AND retired_at < ?`,
		shown.SessionID, millis(shown.Now.Add(-account.RefreshGrace))); err != nil {
		return err
	}
	return t.exec(`INSERT INTO retired_tokens (session_id, generation, retired_at) VALUES (?, ?, ?)`,
		shown.SessionID, shown.Generation, millis(shown.Now))
}

// EndSession ends a session that has not expired: one of the caller's own or,
// without a caller, the one whose token was shown. False if there is none.
func (db *DB) EndSession(ctx context.Context, by app.Caller, id string, record account.Record) (bool, error) {
	ended, userID := false, by.UserID
	end := func(tx *tx) error {
		err := tx.one(`DELETE FROM sessions WHERE id = ?1 AND expires_at > ?2 AND (?3 = 0 OR user_id = ?3)
			RETURNING user_id`, []any{id, millis(db.now()), by.UserID}, &userID)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ended = true
		return tx.record(userID, record)
	}
	if by.UserID != 0 {
		end = db.as(by, end)
	}
	err := db.writeAccess(ctx, end)
	return ended && err == nil, err
}

// EndSessions ends all sessions of the caller's and, unless keepAPITokens is set,
// all API tokens, and returns how many.
func (db *DB) EndSessions(ctx context.Context, by app.Caller, keepAPITokens bool, record account.Record) (account.Ended, error) {
	var ended account.Ended
	err := db.writeAccess(ctx, db.as(by, func(tx *tx) error {
		var err error
		if ended, err = tx.endAccess(by.UserID, "", keepAPITokens); err != nil {
			return err
		}
		return tx.record(by.UserID, record)
	}))
	return ended, err
}

// Sessions returns a page of a user's sessions that have not expired, the one
// that began last first.
func (db *DB) Sessions(ctx context.Context, userID int64, now time.Time, page app.PageRequest) (app.Page[account.Session], error) {
	return pageOf(ctx, db, page, `SELECT (SELECT count(*) FROM sessions WHERE user_id = ?1 AND expires_at > ?2), `+sessionColumns+`
			FROM sessions WHERE user_id = ?1 AND expires_at > ?2 ORDER BY created_at DESC, id DESC LIMIT ?3 OFFSET ?4`,
		`SELECT count(*) FROM sessions WHERE user_id = ?1 AND expires_at > ?2`, []any{userID, millis(now)}, scanSession)
}

func scanSession(row Row, total *int64) (s account.Session, err error) {
	var created, lastUsed, expires int64
	err = row.Scan(total, &s.ID, &s.UserID, &s.Generation, &created, &lastUsed, &expires, &s.Address, &s.UserAgent)
	s.CreatedAt, s.LastUsedAt, s.ExpiresAt = fromMillis(created), fromMillis(lastUsed), fromMillis(expires)
	return s, err
}

// Caller returns who a living session of the user speaks for, else
// account.ErrSessionEnded.
func (db *DB) Caller(ctx context.Context, sessionID string, userID int64, now time.Time) (app.Caller, error) {
	caller, err := db.callers.find(sessionID, now, func() (app.Caller, time.Time, error) {
		tx, err := db.read(ctx)
		if err != nil {
			return app.Caller{}, time.Time{}, err
		}
		caller := app.Caller{SessionID: sessionID}
		var expires int64
		err = tx.one(`SELECT u.id, u.role, s.expires_at FROM sessions s JOIN users u ON u.id = s.user_id
			WHERE s.id = ? AND s.expires_at > ?`,
			[]any{sessionID, millis(now)}, &caller.UserID, &caller.Role, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			err = account.ErrSessionEnded
		}
		return caller, fromMillis(expires), translate(err)
	})
	if err == nil && caller.UserID != userID {
		err = account.ErrSessionEnded
	}
	if err != nil {
		return app.Caller{}, err
	}
	return caller, nil
}
