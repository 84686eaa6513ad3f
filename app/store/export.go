package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

// Export calls users for every user, then lists for every list and tasks for every task,
// each in the order of their ids, all as they were at one moment: what is written meanwhile
// is not seen, and waits for nothing. All lists and tasks have their uids, derived or not.
func (db *DB) Export(ctx context.Context, users func(account.User) error, lists func(operate.ListRecord) error, tasks func(operate.TaskRecord) error) (err error) {
	return translate(db.snapshot(ctx, func(tx *tx) error {
		err := tx.inPages(ctx, "users", `SELECT `+userColumns+` FROM users WHERE deleted_at IS NULL AND id > ?1 AND id <= ?3 AND ?2 = 0 ORDER BY id`, func(row Row) error {
			var user account.User
			if err := scanUser(row, &user); err != nil {
				return err
			}
			return users(user)
		})
		if err == nil {
			err = db.exportLists(ctx, tx, lists)
		}
		if err == nil {
			err = db.exportTasks(ctx, tx, tasks)
		}
		return err
	}))
}

// exportPage is how many users, lists or tasks are read at once: an engine may hold them in memory.
const exportPage = 1000

// inPages reads a whole table, by a query for its rows behind an id (?1) up to another one (?3). The
// reader (?2) is nobody.
func (t *tx) inPages(ctx context.Context, table, query string, scan func(Row) error) error {
	for after := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var upto int64
		err := t.one(`SELECT coalesce((SELECT max(id) FROM (SELECT id FROM `+table+` WHERE id > ? ORDER BY id LIMIT ?) AS page), 0)`, []any{after, exportPage}, &upto)
		if err != nil || upto == 0 {
			return err
		}
		if err := t.each(query, []any{after, 0, upto}, scan); err != nil {
			return err
		}
		after = upto
	}
}

// theDeleted are the users who are being removed.
const theDeleted = `(SELECT id FROM users WHERE deleted_at IS NOT NULL)`

// exportLists hands out each list when its last member has been read.
func (db *DB) exportLists(ctx context.Context, tx *tx, lists func(operate.ListRecord) error) error {
	var list operate.ListRecord
	err := tx.inPages(ctx, "lists", `SELECT l.id, coalesce(l.uid, ''), l.name, coalesce(l.color, ''), l.inbox, l.owner_id, l.created_at,
			m.user_id, m.role, m.position, m.archived, m.joined_at
		FROM lists l CROSS JOIN members m ON m.list_id = l.id
		WHERE l.owner_id NOT IN `+theDeleted+` AND m.user_id NOT IN `+theDeleted+` AND l.id > ?1 AND l.id <= ?3 AND ?2 = 0 ORDER BY l.id, m.role DESC, m.user_id`+sorts, func(row Row) error {
		var l operate.ListRecord
		var m operate.MemberRecord
		var created, position, joined int64
		if err := row.Scan(&l.ID, &l.UID, &l.Name, &l.Color, &l.Inbox, &l.OwnerID, &created, &m.UserID, &m.Role, &position, &m.Archived, &joined); err != nil {
			return err
		}
		m.Position, m.JoinedAt = &position, fromMillis(joined)
		if l.ID == list.ID {
			list.Members = append(list.Members, m)
			return nil
		}
		before := list
		list = l
		list.CreatedAt, list.Members = fromMillis(created), []operate.MemberRecord{m}
		if list.UID == "" {
			list.UID = db.seed.UID(todo.KindList, list.ID)
		}
		if before.ID == 0 {
			return nil
		}
		return lists(before)
	})
	if err != nil || list.ID == 0 {
		return err
	}
	return lists(list)
}

func (db *DB) exportTasks(ctx context.Context, tx *tx, tasks func(operate.TaskRecord) error) error {
	return tx.inPages(ctx, "tasks", `SELECT `+taskColumns+`,
			coalesce((SELECT json_group_array(json_array(user_id, at, before) ORDER BY user_id, id) FROM reminders WHERE task_id = tasks.id), '[]')
		FROM tasks WHERE user_id NOT IN `+theDeleted+` AND id > ?1 AND id <= ?3 ORDER BY id`, func(row Row) error {
		var r taskRow
		var reminders string
		if err := row.Scan(append(r.fields(), &reminders)...); err != nil {
			return err
		}
		task, err := r.read()
		if err != nil {
			return err
		}
		if task.UID == "" {
			task.UID = db.seed.UID(todo.KindTask, task.ID)
		}
		record := operate.TaskRecord{Task: task}
		if record.Reminders, err = reminderRecords(reminders); err != nil {
			return fmt.Errorf("task %d: %w", task.ID, err)
		}
		return tasks(record)
	})
}

// reminderRecords reads the reminders of a task: arrays of a user, a moment and a duration.
func reminderRecords(text string) (all []operate.ReminderRecord, err error) {
	if text == "[]" {
		return nil, nil
	}
	var rows [][3]*int64
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	for _, row := range rows {
		var r operate.ReminderRecord
		if row[0] != nil {
			r.UserID = *row[0]
		}
		if row[1] != nil {
			r.At = fromMillis(*row[1])
		}
		if row[2] != nil {
			r.Before = time.Duration(*row[2]) * time.Millisecond
		}
		all = append(all, r)
	}
	return all, nil
}
