package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

var _ operate.ImportStore = (*DB)(nil)

// Import runs do in one transaction. Call it while nothing else writes by the
// same DB: a change that shares its commit with others may be run twice, and a
// source is read once.
func (db *DB) Import(ctx context.Context, do func(operate.ImportTx) error) error {
	return db.writeAccess(ctx, func(tx *tx) error { return do(importTx{tx}) })
}

type importTx struct{ *tx }

// Fresh reports whether no id was ever given.
func (t importTx) Fresh() (fresh bool, err error) {
	err = t.one(`SELECT NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name IN ('users', 'tasks') AND seq > 0)`, nil, &fresh)
	return fresh, err
}

// EmailOwner returns the id of the user with the address, 0 without one.
func (t importTx) EmailOwner(email string) (id int64, err error) {
	err = t.one(`SELECT id FROM users WHERE email_key = ?`, []any{app.EmailKey(email)}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// HasTask reports whether there is a task with the id.
func (t importTx) HasTask(id int64) (has bool, err error) {
	err = t.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?)`, []any{id}, &has)
	return has, err
}

// AddUser adds a user with the record of it, under a new id if id is 0.
func (t importTx) AddUser(id int64, u account.NewUser, record account.Record) (int64, error) {
	err := t.one(`INSERT INTO users (id, username, email, email_key, password_hash, role, created_at)
		VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?) RETURNING id`,
		[]any{id, u.Username, u.Email, app.EmailKey(u.Email), u.PasswordHash, string(u.Role), millis(u.CreatedAt)}, &id)
	if err != nil {
		return 0, err
	}
	return id, t.record(id, record)
}

// AddTask adds a task, under a new id if id is 0.
func (t importTx) AddTask(id int64, task todo.NewTask) error {
	_, err := t.addTask(id, task)
	return err
}

// Reserve makes all ids to come greater than these. The table of sequences has
// no index to update by.
func (t importTx) Reserve(userID, taskID int64) error {
	for name, id := range map[string]int64{"users": userID, "tasks": taskID} {
		n, err := t.change(`UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?`, id, name)
		if err == nil && n == 0 {
			err = t.exec(`INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)`, name, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
