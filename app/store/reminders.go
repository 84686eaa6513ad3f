package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"taskapi/app/todo"
)

// reminderPairs are at and before in milliseconds, -1 for the one that is not set.
func reminderPairs(reminders []todo.Reminder) [][2]int64 {
	pairs := [][2]int64{}
	for _, r := range reminders {
		if r.At.IsZero() {
			pairs = append(pairs, [2]int64{-1, r.Before.Milliseconds()})
		} else {
			pairs = append(pairs, [2]int64{millis(r.At), -1})
		}
	}
	return pairs
}

// reminderOf reverses reminderPairs.
func reminderOf(at, before int64) todo.Reminder {
	if at >= 0 {
		return todo.Reminder{At: fromMillis(at)}
	}
	return todo.Reminder{Before: time.Duration(before) * time.Millisecond}
}

// setReminders replaces the reminders that somebody has on a task, with an undo for the log.
func (t *tx) setReminders(a act, task *todo.Task, reminders []todo.Reminder, undo map[string]any) error {
	version, err := t.log(a, logged{scope: -a.by.UserID, kind: todo.KindReminder, op: todo.OpUpdated, entity: task.ID, undo: undo})
	if err != nil {
		return err
	}
	silent, err := t.silent(task.ID, a.by.UserID)
	if err != nil {
		return err
	}
	if err := t.exec(`DELETE FROM reminders WHERE task_id = ? AND user_id = ?`, task.ID, a.by.UserID); err != nil {
		return err
	}
	reader, err := t.reader(a.by.UserID)
	if err != nil {
		return err
	}
	t.reminded = true
	for _, r := range reminders {
		var at, before any
		if r.At.IsZero() {
			before = r.Before.Milliseconds()
		} else {
			at = millis(r.At)
		}
		err := t.exec(`INSERT INTO reminders (user_id, task_id, at, before, fires_at, version) VALUES (?, ?, ?, ?, ?, ?)`,
			a.by.UserID, task.ID, at, before, firesAt(*task, r, reader, silent[nameOf(r)], a.at), version)
		if err != nil {
			return err
		}
	}
	task.Reminders, task.OwnVersion = reminders, 0
	if len(reminders) > 0 {
		task.OwnVersion = version
	}
	return nil
}

// addReminder brings back a reminder (user, at or before in milliseconds, -1 for none) of somebody
// who is in the list, under the id that gives it its place, or a new one for 0. When it is due is
// for rewind.
func (t *tx) addReminder(task todo.Task, r [3]int64, id int64) error {
	return t.exec(`INSERT INTO reminders (user_id, task_id, at, before, version, id)
		SELECT ?1, ?2, nullif(?3, -1), nullif(?4, -1), ?5, nullif(?7, 0 /* next of reminders */) WHERE EXISTS (SELECT 1 FROM members WHERE user_id = ?1 AND list_id = ?6)`,
		r[0], task.ID, r[1], r[2], task.Version, task.ListID, id)
}

// silent returns the reminders of somebody on a task that wait for nothing: they have fired,
// or the task is done.
func (t *tx) silent(taskID, userID int64) (map[string]bool, error) {
	silent := map[string]bool{}
	err := t.each(`SELECT coalesce(at, -1), coalesce(before, -1) FROM reminders WHERE task_id = ? AND user_id = ? AND fires_at IS NULL`, []any{taskID, userID}, func(row Row) error {
		var at, before int64
		if err := row.Scan(&at, &before); err != nil {
			return err
		}
		silent[nameOf(reminderOf(at, before))] = true
		return nil
	})
	return silent, err
}

// nameOf tells a reminder from the others on its task.
func nameOf(r todo.Reminder) string { return fmt.Sprint(millis(r.At), r.Before) }

// firesAt is NULL for a task that is done, and for a reminder that is silent and would fire
// at a moment that has passed: whatever happens to its task, it fires once.
func firesAt(task todo.Task, r todo.Reminder, reader *time.Location, silent bool, now time.Time) sql.NullInt64 {
	at := r.FiresAt(task.Dates.Due, reader)
	if task.Completed() || silent && !at.After(now) {
		return sql.NullInt64{}
	}
	return nullMillis(at)
}

// rewindAll computes anew when the reminders of somebody are due that go by their clock, a
// chunk in each turn.
func (db *DB) rewindAll(ctx context.Context, userID int64) error {
	const chunk = 100
	for after := int64(0); ; {
		reader, err := db.read(ctx)
		if err != nil {
			return err
		}
		tasks, err := reader.tasks(`SELECT `+taskColumns+` FROM tasks WHERE id IN (SELECT task_id FROM reminders WHERE user_id = ?2 AND before IS NOT NULL AND fires_at IS NOT NULL)
			AND due_utc IS NULL AND id > ?1 ORDER BY id LIMIT ?3`+sorts, after, userID, chunk)
		if err != nil || len(tasks) == 0 {
			return translate(err)
		}
		err = db.write(ctx, func(tx *tx) error {
			for _, task := range tasks {
				if now, err := tx.task(task.ID, userID, true); errors.Is(err, todo.ErrTaskNotFound) {
					continue
				} else if err != nil {
					return err
				} else if err := tx.rewind(now, db.now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = tasks[len(tasks)-1].ID
	}
}

// rewind computes anew when the reminders of everybody on a task are due. Those that are
// relative to nothing any more go.
func (t *tx) rewind(task todo.Task, now time.Time) error {
	type kept struct {
		id     int64
		r      todo.Reminder
		silent bool
		zone   string
	}
	t.reminded = true
	var rows []kept
	err := t.each(`SELECT r.id, coalesce(r.at, -1), coalesce(r.before, -1), r.fires_at IS NULL, u.time_zone FROM reminders r JOIN users u ON u.id = r.user_id WHERE r.task_id = ?`, []any{task.ID}, func(scan Row) error {
		var one kept
		var at, before int64
		if err := scan.Scan(&one.id, &at, &before, &one.silent, &one.zone); err != nil {
			return err
		}
		one.r = reminderOf(at, before)
		rows = append(rows, one)
		return nil
	})
	if err != nil {
		return err
	}
	for _, one := range rows {
		if one.r.At.IsZero() && task.Dates.Due.IsZero() {
			if err := t.exec(`DELETE FROM reminders WHERE id = ?`, one.id); err != nil {
				return err
			}
			continue
		}
		reader, err := todo.Location(one.zone)
		if err != nil {
			reader = time.UTC
		}
		if err := t.exec(`UPDATE reminders SET fires_at = ? WHERE id = ?`, firesAt(task, one.r, reader, one.silent, now), one.id); err != nil {
			return err
		}
	}
	return nil
}
