package store

import "taskapi/app/todo"

// Two lists may have objects of one UID, and one list may not (RFC 4791 section 5.3.2.1).
const (
	// objectUID is the UID in the object of a task (?1), empty for that of the task itself.
	objectUID = `SELECT coalesce((SELECT said_uid FROM task_ical WHERE task_id = ?), '')`
	// sameUID finds another object in a list (?3) than that of a task (?1) with a UID (?2), which may
	// be derived from an id (?4).
	sameUID = `SELECT EXISTS (SELECT 1 FROM task_ical CROSS JOIN tasks ON tasks.id = task_id WHERE said_uid = ?2 AND list_id = ?3 AND task_id <> ?1)
		OR EXISTS (SELECT 1 FROM tasks WHERE uid = ?2 AND list_id = ?3 AND id <> ?1 AND recurrence_of IS NULL AND id NOT IN (SELECT task_id FROM task_ical WHERE task_id = tasks.id AND said_uid IS NOT NULL))
		OR EXISTS (SELECT 1 FROM tasks WHERE id = ?4 AND uid IS NULL AND list_id = ?3 AND id <> ?1 AND recurrence_of IS NULL AND id NOT IN (SELECT task_id FROM task_ical WHERE task_id = tasks.id AND said_uid IS NOT NULL))`
)

// apart gives the object of a task another UID if its list has an object of the same one, as after a
// move. The task keeps its own.
func (t *tx) apart(task todo.Task) error {
	if task.RecurrenceOf != 0 {
		return nil
	}
	seed, err := t.seed()
	if err != nil {
		return err
	}
	var uid string
	if err := t.one(objectUID, []any{task.ID}, &uid); err != nil {
		return err
	}
	if uid == "" {
		if uid = task.UID; uid == "" {
			uid = seed.UID(todo.KindTask, task.ID)
		}
	}
	var taken bool
	if err := t.one(sameUID, []any{task.ID, uid, task.ListID, seed.ID(todo.KindTask, uid)}, &taken); err != nil || !taken {
		return err
	}
	other, err := t.random(16)
	if err != nil {
		return err
	}
	return t.exec(`INSERT INTO task_ical (task_id, said_uid) VALUES (?, ?)
		ON CONFLICT (task_id) DO UPDATE SET said = 0, said_uid = excluded.said_uid`, task.ID, other)
}
