package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app/account"
	"taskapi/app/todo"
)

// Export calls users for every user and then tasks for every task, in the
// order of their ids, all as they were at one moment: what is written
// meanwhile is not seen, and waits for nothing.
func (db *DB) Export(ctx context.Context, users func(account.User) error, tasks func(todo.Task) error) (err error) {
	snapshot, err := db.readers.pool.BeginTx(ctx, nil)
	if err != nil {
		return translate(err)
	}
	// Nothing was changed; the rows are what counts.
	defer func() { _ = snapshot.Rollback() }()
	err = eachRow(ctx, snapshot, `SELECT `+userColumns+` FROM users WHERE deleted_at IS NULL ORDER BY id`, func(row row) error {
		var user account.User
		if err := scanUser(row, &user); err != nil {
			return err
		}
		return users(user)
	})
	if err != nil {
		return translate(err)
	}
	return translate(eachRow(ctx, snapshot, `SELECT `+taskColumns+` FROM tasks
		WHERE user_id NOT IN (SELECT id FROM users WHERE deleted_at IS NOT NULL) ORDER BY id`, func(row row) error {
		var r taskRow
		if err := row.Scan(r.fields()...); err != nil {
			return err
		}
		task, err := r.read()
		if err != nil {
			return err
		}
		return tasks(task)
	}))
}

func eachRow(ctx context.Context, snapshot *sql.Tx, query string, scan func(row) error) (err error) {
	rows, err := snapshot.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
