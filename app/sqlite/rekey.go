package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app"
)

// rekey gives the accounts of older versions, and of other tables of Unicode,
// the key that their address has today. Only addresses beyond ASCII can differ.
// Where another account has the key already, the old one stays; see userByKey.
func rekey(ctx context.Context, conn *sql.Conn) error {
	keys, err := staleKeys(ctx, conn)
	if err != nil {
		return err
	}
	for id, key := range keys {
		if _, err := conn.ExecContext(ctx, `UPDATE OR IGNORE users SET email_key = ? WHERE id = ?`, key, id); err != nil {
			return err
		}
	}
	return nil
}

// staleKeys returns the key that each user should have and has not.
func staleKeys(ctx context.Context, conn *sql.Conn) (keys map[int64]string, err error) {
	rows, err := conn.QueryContext(ctx, `SELECT id, email, email_key FROM users WHERE email GLOB '*[^ -~]*' AND deleted_at IS NULL`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keys = map[int64]string{}
	for rows.Next() {
		var id int64
		var email, key string
		if err := rows.Scan(&id, &email, &key); err != nil {
			return nil, err
		}
		if want := app.EmailKey(email); want != key {
			keys[id] = want
		}
	}
	return keys, rows.Err()
}
