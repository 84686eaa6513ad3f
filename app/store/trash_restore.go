package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// RestoreTask brings a task back with all below it that was deleted in the same request.
// Returns todo.ErrTaskNotFound, todo.ErrReadOnlyList, todo.ErrNotInTrash and
// todo.ErrTooManyTasks, and todo.ErrChangedMeanwhile with the task.
func (db *DB) RestoreTask(ctx context.Context, by app.Caller, ref todo.Ref, match *todo.Match, at time.Time, most int64) (todo.Task, error) {
	var task todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		id, err := tx.trashID(db.seed, by, ref)
		if err != nil {
			return err
		}
		root, err := tx.trashedFor(by, id)
		if errors.Is(err, todo.ErrTaskNotFound) {
			if _, alive := tx.taskFor(db.seed, by, ref, todo.RoleViewer); alive == nil {
				return todo.ErrNotInTrash
			}
		}
		if err != nil {
			return err
		}
		if !match.Holds(root.task.Stamp()) {
			task = root.task
			return todo.ErrChangedMeanwhile
		}
		task, err = tx.restoreTree(act{by, at}, root, most)
		return err
	}))
	return task, err
}

// trashedFor returns a row of the trash that a caller may restore.
func (t *tx) trashedFor(by app.Caller, id int64) (r trashRow, err error) {
	if err := t.mayChangeTrashed(by, id); err != nil {
		return r, err
	}
	err = t.each(`SELECT `+trashColumns+` FROM trash WHERE id = ?`, []any{id}, func(row Row) (err error) {
		r, err = scanTrash(row)
		return err
	})
	return r, err
}

// restoreTree restores a task, and then what was below it.
func (t *tx) restoreTree(a act, root trashRow, most int64) (todo.Task, error) {
	var group []trashRow
	err := t.each(`SELECT `+trashColumns+` FROM trash WHERE grp = ? AND id > 0 ORDER BY trash.id`, []any{root.group}, func(row Row) error {
		r, err := scanTrash(row)
		group = append(group, r)
		return err
	})
	if err != nil {
		return todo.Task{}, err
	}
	h, gone, err := t.homeOfTrashed(root.task)
	if err != nil {
		return todo.Task{}, err
	}
	below := map[int64][]trashRow{}
	for _, r := range group {
		below[r.task.ParentID] = append(below[r.task.ParentID], r)
	}
	rows, levels := []trashRow{root}, []int64{1}
	for i := 0; i < len(rows); i++ { // breadth first: each after what it is below
		for _, r := range below[rows[i].task.ID] {
			rows, levels = append(rows, r), append(levels, levels[i]+1)
		}
	}
	if most > 0 && h.total+int64(len(rows)) > most {
		return todo.Task{}, todo.ErrTooManyTasks
	}
	var restored todo.Task
	for i, r := range rows {
		if i == 0 && (gone || r.task.ParentID != 0) {
			var there bool
			if err := t.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ? AND list_id = ?)`, []any{r.task.ParentID, h.list}, &there); err != nil {
				return todo.Task{}, err
			}
			if there { // and has room
				err := t.roomBelow(todo.Task{ID: r.task.ParentID}, levels[len(levels)-1], int64(len(rows)))
				if there = err == nil; err != nil && !errors.Is(err, todo.ErrBadParent) && !errors.Is(err, todo.ErrTooManyChildren) {
					return todo.Task{}, err
				}
			}
			if !there {
				r.task.ParentID = 0
			}
		}
		task, err := t.restoreOne(a, r, h)
		if err != nil {
			return task, err
		}
		if i == 0 {
			restored = task
		}
	}
	return restored, nil
}

// homeOfTrashed returns the list of a task that was deleted or, if that has gone, the
// Inbox of who owned it.
func (t *tx) homeOfTrashed(task todo.Task) (h home, gone bool, err error) {
	err = t.one(`SELECT l.id, l.owner_id, `+totalOfOwner+` FROM lists l WHERE l.id = ?`, []any{task.ListID}, &h.list, &h.owner, &h.total)
	if !errors.Is(err, sql.ErrNoRows) {
		return h, false, err
	}
	h, err = t.inbox(task.UserID)
	return h, true, err
}

// restoreOne puts one row of the trash back.
func (t *tx) restoreOne(a act, r trashRow, h home) (todo.Task, error) {
	task := r.task
	task.ListID, task.UserID, task.UpdatedAt = h.list, h.owner, a.at.UTC().Truncate(time.Millisecond)
	if err := t.exec(`DELETE FROM trash WHERE id = ?`, task.ID); err != nil {
		return task, err
	}
	if errors.Is(t.checkAssignee(h.list, task.AssigneeID), todo.ErrNotMember) {
		task.AssigneeID = 0
	}
	var position *int64
	if task.Position != todo.DefaultPosition(task.ID) {
		position = &task.Position
	}
	if err := t.dropUID(&task); err != nil {
		return task, err
	}
	if err := t.putTask(&task, position); err != nil {
		return task, err
	}
	undo, err := undoText(undoOfRestore(r, task))
	if err != nil {
		return task, err
	}
	if err := t.exec(`UPDATE changes SET op = ?, actor = ?, undo = ? WHERE seq = ?`, int(todo.OpRestored), nullID(a.by.UserID), undo, task.Version); err != nil {
		return task, err
	}
	if err := t.restoreObject(task, r.data.Object); err != nil {
		return task, err
	}
	if err := t.apart(task); err != nil {
		return task, err
	}
	for _, kept := range r.data.Reminders {
		if err := t.addReminder(task, kept, 0); err != nil {
			return task, err
		}
		if kept[0] == a.by.UserID {
			task.OwnVersion = task.Version
			task.Reminders = append(task.Reminders, reminderOf(kept[1], kept[2]))
		}
	}
	if len(r.data.Reminders) > 0 {
		return task, t.rewind(task, a.at)
	}
	return task, nil
}
