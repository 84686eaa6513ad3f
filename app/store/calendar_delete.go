package store

import (
	"context"

	"taskapi/app"
	"taskapi/app/todo"
)

// DeleteCalendar deletes the task of a name. What is below it goes to the top, and waits for it:
// a client that knows of subtasks deletes each of them, and one that doesn't would not expect
// them to go.
func (db *DB) DeleteCalendar(ctx context.Context, by app.Caller, list todo.Ref, name string, gone todo.Removal) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		h, err := tx.listFor(db.seed, by, list, todo.RoleViewer)
		if err != nil {
			return err
		}
		id, err := tx.objectID(db.seed, h.list, name)
		if err != nil {
			return err
		}
		if id == 0 {
			return todo.ErrTaskNotFound
		}
		if _, err := tx.listFor(db.seed, by, list, todo.RoleEditor); err != nil {
			return err
		}
		task, err := tx.calendarTask(db.seed, by.UserID, h.list, id)
		if err != nil {
			return err
		}
		if !gone.Match.Holds(task.Task.Stamp()) {
			return todo.ErrChangedMeanwhile
		}
		a := act{by, gone.At}
		if err := tx.liftBelow(a, db.seed, task); err != nil {
			return err
		}
		if gone.Permanent {
			return tx.removeTask(a, task.Task, permanently())
		}
		if err := tx.trashTask(a, task.Task, false); err != nil {
			return err
		}
		return tx.boundTrash(task.Task.UserID)
	}))
}

// liftBelow puts what is right below a task to the top, where it waits for its parent.
func (t *tx) liftBelow(a act, seed todo.Seed, parent todo.CalendarTask) error {
	children, err := t.ids(`SELECT id FROM tasks WHERE parent_id = ? ORDER BY id`, parent.Task.ID)
	if err != nil {
		return err
	}
	tasks, err := t.calendarTasks(seed, a.by.UserID, parent.Task.ListID, children, false)
	if err != nil {
		return err
	}
	for _, child := range tasks {
		lifted := child.Task
		lifted.ParentID = 0
		if _, err := t.save(a, child.Task, lifted, todo.OpUpdated); err != nil {
			return err
		}
		err := t.exec(`INSERT INTO task_ical (task_id, parent_uid, parent_at) VALUES (?1, ?2, 0)
			ON CONFLICT (task_id) DO UPDATE SET parent_uid = ?2, parent_at = 0`, child.Task.ID, child.ParentUID)
		if err != nil {
			return err
		}
	}
	return nil
}
