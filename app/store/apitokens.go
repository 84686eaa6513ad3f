package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

var _ account.APITokenStore = (*DB)(nil)

const apiTokenColumns = `id, user_id, name, scopes, created_at, expires_at`

func scanAPIToken(row Row, before ...any) (t account.APIToken, err error) {
	var scopes string
	var created int64
	var expires sql.NullInt64
	err = row.Scan(append(before, &t.ID, &t.UserID, &t.Name, &scopes, &created, &expires)...)
	t.Scopes, t.CreatedAt = scopesOf(scopes), fromMillis(created)
	if expires.Valid {
		t.ExpiresAt = fromMillis(expires.Int64)
	}
	return t, err
}

func scopesOf(text string) []app.Scope {
	var scopes []app.Scope
	for scope := range strings.FieldsSeq(text) {
		scopes = append(scopes, app.Scope(scope))
	}
	return scopes
}

// CreateAPIToken adds a token. Returns account.ErrTooManyTokens.
func (db *DB) CreateAPIToken(ctx context.Context, by app.Caller, t account.NewAPIToken, record account.Record) (account.APIToken, error) {
	var names []string
	for _, scope := range t.Scopes {
		names = append(names, string(scope))
	}
	var created account.APIToken
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		err := tx.each(`INSERT INTO api_tokens (user_id, name, hash, scopes, created_at, expires_at, session_id)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?8 WHERE (SELECT count(*) FROM api_tokens WHERE user_id = ?1) < ?7
			RETURNING `+apiTokenColumns, []any{t.UserID, t.Name, t.Hash, strings.Join(names, " "),
			millis(t.CreatedAt), nullMillis(t.ExpiresAt), account.MaxTokens, t.SessionID}, func(row Row) (err error) {
			created, err = scanAPIToken(row)
			return err
		})
		switch {
		case err != nil:
			return err
		case created.ID == 0:
			return account.ErrTooManyTokens
		}
		return tx.record(t.UserID, record)
	}))
	return created, err
}

// APITokens returns a page of the user's tokens that have not expired, by id.
func (db *DB) APITokens(ctx context.Context, userID int64, now time.Time, page app.PageRequest) (app.Page[account.APIToken], error) {
	return pageOf(ctx, db, page,
		`SELECT (SELECT count(*) FROM api_tokens WHERE user_id = ?1 AND coalesce(expires_at > ?2, true)), `+apiTokenColumns+`
			FROM api_tokens WHERE user_id = ?1 AND coalesce(expires_at > ?2, true) ORDER BY id LIMIT ?3 OFFSET ?4`,
		`SELECT count(*) FROM api_tokens WHERE user_id = ?1 AND coalesce(expires_at > ?2, true)`, []any{userID, millis(now)},
		func(row Row, total *int64) (account.APIToken, error) { return scanAPIToken(row, total) })
}

// DeleteAPIToken ends a token. Returns account.ErrTokenNotFound without one of the
// caller's.
func (db *DB) DeleteAPIToken(ctx context.Context, by app.Caller, id int64, record account.Record) error {
	return db.writeAccess(ctx, db.as(by, func(tx *tx) error {
		n, err := tx.change(`DELETE FROM api_tokens WHERE id = ? AND user_id = ?`, id, by.UserID)
		if err == nil && n == 0 {
			err = account.ErrTokenNotFound
		}
		return errors.Join(err, tx.record(by.UserID, record))
	}))
}

// CallerNow returns the caller of the session or the API token of a caller that was there before;
// see account.CallerStore.
func (db *DB) CallerNow(ctx context.Context, by app.Caller, now time.Time) (app.Caller, error) {
	if by.SignedIn() {
		return db.Caller(ctx, by.SessionID, by.UserID, now)
	}
	return db.callerOfToken(ctx, "token "+strconv.FormatInt(by.TokenID, 10), "t.id = ?", by.TokenID, now)
}

// TokenCaller returns who a token speaks for; else account.ErrSessionEnded, or
// account.ErrAPITokenExpired until housekeeping has removed the token.
func (db *DB) TokenCaller(ctx context.Context, hash string, now time.Time) (app.Caller, error) {
	return db.callerOfToken(ctx, hash, "t.hash = ?", hash, now)
}

// callerOfToken returns the caller of the API token that a condition finds, and remembers them
// under a key.
func (db *DB) callerOfToken(ctx context.Context, key, condition string, value any, now time.Time) (app.Caller, error) {
	return db.callers.find(key, now, func() (app.Caller, time.Time, error) {
		tx, err := db.read(ctx)
		if err != nil {
			return app.Caller{}, time.Time{}, err
		}
		var caller app.Caller
		var scopes string
		var expires sql.NullInt64
		err = tx.one(`SELECT u.id, u.role, t.id, t.name, t.scopes, t.expires_at FROM api_tokens t JOIN users u ON u.id = t.user_id
			WHERE `+condition, []any{value},
			&caller.UserID, &caller.Role, &caller.TokenID, &caller.TokenName, &scopes, &expires)
		if errors.Is(err, sql.ErrNoRows) {
			err = account.ErrSessionEnded
		}
		caller.Scopes = scopesOf(scopes)
		until := time.Time{}
		if expires.Valid {
			until = fromMillis(expires.Int64)
			if !now.Before(until) {
				err = account.ErrAPITokenExpired
			}
		}
		return caller, until, translate(err)
	})
}
