package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

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
	return db.writeAccess(ctx, func(tx *tx) error { return do(importTx{tx, db.seed, db.now()}) })
}

type importTx struct {
	*tx
	seed todo.Seed
	now  time.Time
}

// Fresh reports whether no id was ever given.
func (t importTx) Fresh() (fresh bool, err error) {
	err = t.one(`SELECT NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name IN ('users', 'lists', 'tasks') AND seq > 0)`, nil, &fresh)
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

// AddUser adds a user without an Inbox, with the record of it, under a new id if id is 0.
func (t importTx) AddUser(id int64, u account.NewUser, record account.Record) (int64, error) {
	err := t.one(`INSERT INTO users (id, username, email, email_key, password_hash, role, created_at, verified_at, time_zone)
		VALUES (nullif(?, 0 /* next of users */), ?, ?, ?, ?, ?, ?, ?, coalesce(nullif(?, ''), 'UTC')) RETURNING id`,
		[]any{id, u.Username, u.Email, app.EmailKey(u.Email), u.PasswordHash, string(u.Role), millis(u.CreatedAt), nullMillis(u.VerifiedAt), u.TimeZone}, &id)
	if err != nil {
		return 0, err
	}
	return id, t.record(id, record)
}

// AddList adds a list with its owner as its only member, or returns todo.ErrTooManyLists.
func (t importTx) AddList(l operate.ListRecord) (int64, error) {
	if !l.Inbox {
		if err := t.roomForList(l.OwnerID, true); err != nil {
			return 0, err
		}
	}
	n := todo.NewList{Name: l.Name, Color: l.Color, UID: l.UID, CreatedAt: l.CreatedAt}
	return t.addList(act{at: l.CreatedAt}, l.ID, l.OwnerID, n, l.Inbox)
}

// AddMember adds a member to a list, or returns todo.ErrListFull or todo.ErrTooManyLists.
// The owner is there already.
func (t importTx) AddMember(list int64, m operate.MemberRecord) error {
	if m.Role != todo.RoleOwner {
		if err := t.joinList(act{at: m.JoinedAt}, list, m.UserID, m.Role); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE members SET position = coalesce(?3, position), archived = ?4, joined_at = ?5 WHERE user_id = ?1 AND list_id = ?2`,
		m.UserID, list, m.Position, m.Archived, millis(m.JoinedAt))
}

// AddInboxes gives an Inbox to every user without one, a chunk at a time.
func (t importTx) AddInboxes() error {
	const chunk = 1000
	type user struct{ id, created int64 }
	for last := int64(0); ; {
		var some []user
		err := t.each(`SELECT id, created_at FROM users WHERE id > ? AND deleted_at IS NULL
			AND NOT EXISTS (SELECT 1 FROM lists WHERE owner_id = users.id AND inbox = 1) ORDER BY id LIMIT ?`, []any{last, chunk}, func(row Row) error {
			var u user
			err := row.Scan(&u.id, &u.created)
			some = append(some, u)
			return err
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, u := range some {
			if err := t.addInbox(act{at: fromMillis(u.created)}, u.id); err != nil {
				return err
			}
			last = u.id
		}
	}
}

// Inbox returns the id of a user's Inbox, 0 without one.
func (t importTx) Inbox(userID int64) (id int64, err error) {
	err = t.one(`SELECT coalesce((SELECT id FROM lists WHERE owner_id = ? AND inbox = 1), 0)`, []any{userID}, &id)
	return id, err
}

// OwnList returns the id of the oldest list of a name that a user owns, 0 without one.
func (t importTx) OwnList(userID int64, name string) (id int64, err error) {
	err = t.one(`SELECT coalesce((SELECT min(id) FROM lists WHERE owner_id = ? AND name = ?), 0)`, []any{userID, name}, &id)
	return id, err
}

// IsMember reports whether somebody is in a list.
func (t importTx) IsMember(list, userID int64) (bool, error) { return t.isMember(list, userID) }

// FreeUID returns the uid to store for a task or a list of an owner, none for the one that
// is derived from its id. One that is derived from another id, or that the owner has given
// already, is not free.
func (t importTx) FreeUID(kind todo.Kind, id, owner int64, uid string) (stored string, free bool, err error) {
	if derived := t.seed.ID(kind, uid); derived != 0 {
		return "", derived == id, nil
	}
	taken := `SELECT EXISTS (SELECT 1 FROM tasks WHERE uid = ?1 AND user_id = ?2) OR EXISTS (SELECT 1 FROM trash WHERE uid = ?1 AND user_id = ?2 AND id > 0)`
	if kind == todo.KindList {
		taken = `SELECT EXISTS (SELECT 1 FROM lists WHERE uid = ?1 AND owner_id = ?2) OR EXISTS (SELECT 1 FROM trash WHERE uid = ?1 AND user_id = ?2 AND id < 0)`
	}
	var has bool
	if err := t.one(taken, []any{uid, owner}, &has); err != nil || has {
		return "", false, err
	}
	return uid, true, nil
}

// AddTask adds a task at the top of its list, under a new id if it has none. Reminders of
// what is past stay silent.
func (t importTx) AddTask(task operate.TaskRecord, position *int64) (int64, error) {
	if err := t.putTask(&task.Task, position); err != nil {
		return 0, err
	}
	own := map[int64][]todo.Reminder{}
	var users []int64
	for _, r := range task.Reminders {
		if own[r.UserID] == nil {
			users = append(users, r.UserID)
		}
		own[r.UserID] = append(own[r.UserID], r.Reminder)
	}
	for _, user := range users {
		if err := t.setReminders(act{app.Caller{UserID: user}, task.UpdatedAt}, &task.Task, own[user], nil); err != nil {
			return 0, err
		}
	}
	if len(users) == 0 {
		return task.ID, nil
	}
	return task.ID, t.exec(`UPDATE reminders SET fires_at = NULL WHERE task_id = ? AND fires_at < ?`, task.ID, millis(t.now))
}

// SetParent puts a task that was just added below another. Returns todo.ErrBadParent and
// todo.ErrTooManyChildren.
func (t importTx) SetParent(id, parentID int64) error {
	var together bool
	err := t.one(`SELECT (SELECT list_id FROM tasks WHERE id = ?) = (SELECT list_id FROM tasks WHERE id = ?)`, []any{id, parentID}, &together)
	if err != nil {
		return err
	}
	size, cycle, err := t.treeOf(id, parentID)
	switch {
	case err != nil:
		return err
	case cycle || !together:
		return todo.ErrBadParent
	}
	if err := t.roomBelow(todo.Task{ID: parentID}, size.levels, size.tasks); err != nil {
		return err
	}
	return t.exec(`UPDATE tasks SET parent_id = ? WHERE id = ?`, parentID, id)
}

// SetCopyOf makes a task that was just added a completed copy of another.
func (t importTx) SetCopyOf(id, originalID int64) error {
	return t.exec(`UPDATE tasks SET recurrence_of = ? WHERE id = ?`, originalID, id)
}

// Reserve makes all ids to come greater than these. The table of sequences has
// no index to update by.
func (t importTx) Reserve(last operate.LastIDs) error {
	for name, id := range map[string]int64{"users": last.User, "lists": last.List, "tasks": last.Task} {
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
