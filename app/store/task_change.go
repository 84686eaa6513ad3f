package store

import (
	"context"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// UpdateTask changes what the change names in a turn of its own, so that two changes of
// different fields at once both stay. Returns todo.ErrTaskNotFound, todo.ErrReadOnlyList,
// app.ErrForbidden, todo.ErrListNotFound, todo.ErrNoSuchUser without the new owner,
// todo.ErrTooManyTasks of theirs, KindInvalid errors of what contradicts itself, and
// todo.ErrChangedMeanwhile with the task.
func (db *DB) UpdateTask(ctx context.Context, by app.Caller, ref todo.Ref, c todo.TaskChange) (todo.Updated, error) {
	var updated todo.Updated
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		updated = todo.Updated{}
		least := todo.RoleEditor
		if c.OwnOnly() {
			least = todo.RoleViewer
		}
		before, err := tx.taskFor(db.seed, by, ref, least)
		if err != nil {
			return err
		}
		c, err := tx.once(before, c, &updated)
		if err != nil {
			return err
		}
		after, err := c.Apply(before)
		if err != nil {
			return err
		}
		target, err := tx.target(db.seed, by, before, c)
		if err != nil {
			return err
		}
		if !c.Match.Holds(before.Stamp()) {
			updated.Task = before
			return todo.ErrChangedMeanwhile
		}
		after.ListID, after.UserID, after.ParentID = target.list, target.owner, target.parent
		return tx.update(act{by, c.Now}, before, after, c, &updated)
	}))
	return updated, err
}

// once returns a change without the completion of an occurrence of a repeating task that was
// completed already, whose copy it adds to what is answered.
func (t *tx) once(task todo.Task, c todo.TaskChange, updated *todo.Updated) (todo.TaskChange, error) {
	if c.Completed == nil || !*c.Completed || task.Completed() {
		return c, nil
	}
	if task.Repetition.Rule == "" {
		kept, err := t.keptText(task.ID)
		if err != nil || !todo.KeptSeries(kept).Repeats() {
			return c, err
		}
	}
	newest, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE recurrence_of = ?1 ORDER BY id DESC LIMIT 1`, task.ID, 0)
	if err != nil || len(newest) == 0 {
		return c, err
	}
	var touched bool
	err = t.one(`SELECT coalesce((SELECT grp FROM changes WHERE seq = ?) <> (SELECT grp FROM changes WHERE seq = ?), true)`, []any{task.Version, newest[0].Version}, &touched)
	if err != nil {
		return c, err
	}
	c, dropped := c.Once(task, newest[0], touched)
	if dropped {
		updated.Copy = &newest[0]
	}
	return c, nil
}

// update carries a change out whose parts are known to be right.
func (t *tx) update(a act, before, after todo.Task, c todo.TaskChange, updated *todo.Updated) error {
	if after.AssigneeID != 0 && (after.AssigneeID != before.AssigneeID || after.ListID != before.ListID) {
		err := t.checkAssignee(after.ListID, after.AssigneeID)
		if err != nil && c.AssigneeID != nil {
			return err
		} else if err != nil {
			after.AssigneeID = 0
		}
	}
	op := todo.OpUpdated
	if c.Completed != nil && *c.Completed != before.Completed() {
		var err error
		if op, err = t.tick(a, before, &after, c, updated); err != nil {
			return err
		}
	}
	var err error
	if after.ID == before.ID { // else a copy went, and its original is saved
		after, err = t.save(a, before, after, op)
	}
	if updated.Task = after; err != nil {
		return err
	}
	if op == todo.OpReopened && after.ParentID != 0 {
		if err := t.reopenAbove(a, after.ParentID); err != nil {
			return err
		}
	}
	if c.Reminders != nil && !slices.Equal(before.Reminders, after.Reminders) {
		return t.setReminders(a, &updated.Task, after.Reminders, map[string]any{"reminders": reminderPairs(before.Reminders)})
	}
	return nil
}

// tick completes or reopens a task, with what follows for others.
func (t *tx) tick(a act, before todo.Task, after *todo.Task, c todo.TaskChange, updated *todo.Updated) (todo.Op, error) {
	if !*c.Completed {
		return t.reopen(a, before, after, c)
	}
	next, moved, err := t.done(a, *after, c)
	if err != nil {
		return 0, err
	}
	if !moved {
		after.CompletedAt = c.DoneAt(next.CompletedAt)
		return todo.OpCompleted, t.completeBelow(a, before.ID)
	}
	kept, err := t.keepCopy(a, *after, c.Most)
	if err != nil {
		return 0, err
	}
	updated.Copy = kept
	*after = next
	return todo.OpUpdated, t.reopenBelow(a, before.ID)
}

// done returns a task that is completed, or moved on to its next date. Returns
// todo.ErrRepeatsInApp where there are dates to come that nobody but its app can tell.
func (t *tx) done(a act, task todo.Task, c todo.TaskChange) (next todo.Task, moved bool, err error) {
	kept := c.Put()
	if kept == nil {
		if kept, err = t.keptText(task.ID); err != nil {
			return next, false, err
		}
	}
	if task.Repetition.Rule == "" {
		task.Series = todo.KeptSeries(kept)
		if task.Series.Repeats() && !task.Series.Followed(task.Dates) && c.Put() == nil {
			return next, false, todo.ErrRepeatsInApp
		}
	} else if kept != nil {
		task.Exceptions = todo.Exceptions(kept, task.Dates.Due)
	}
	reader := time.UTC
	if task.Repetition.Rule != "" || task.Series.Repeats() {
		if reader, err = t.reader(a.by.UserID); err != nil {
			return next, false, err
		}
	}
	next, moved = task.Done(a.at, reader)
	return next, moved, nil
}

// keepCopy keeps an occurrence of a repeating task that was completed, and drops the
// oldest copy beyond todo.MaxCopies. It keeps none where there is no room: the owner has as
// many tasks as they may, if that is not 0.
func (t *tx) keepCopy(a act, task todo.Task, most int64) (*todo.Task, error) {
	if most > 0 {
		total, err := t.totalOf("tasks", task.UserID)
		if err != nil || total >= most {
			return nil, err
		}
	}
	n := todo.CopyOf(task, a.at)
	kept, err := t.addTask(a, home{list: task.ListID, owner: task.UserID}, n)
	if err != nil {
		return nil, err
	}
	old, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE recurrence_of = ?1
		AND NOT EXISTS (SELECT 1 FROM tasks below WHERE below.parent_id = tasks.id) ORDER BY id DESC LIMIT -1 OFFSET ?3`, task.ID, 0, todo.MaxCopies)
	if err != nil {
		return nil, err
	}
	for _, one := range old {
		if err := t.removeRecorded(a, one); err != nil {
			return nil, err
		}
	}
	return &kept, nil
}

// reopen opens a task again. The newest copy of a repeating task that has not moved on
// since takes the task back to its date, and goes.
func (t *tx) reopen(a act, before todo.Task, after *todo.Task, c todo.TaskChange) (todo.Op, error) {
	after.CompletedAt = time.Time{}
	if before.RecurrenceOf == 0 {
		return todo.OpReopened, nil
	}
	var newest int64
	if err := t.one(`SELECT max(id) FROM tasks WHERE recurrence_of = ?`, []any{before.RecurrenceOf}, &newest); err != nil {
		return 0, err
	}
	after.RecurrenceOf = 0
	original, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE id = ?1 AND list_id = ?3 AND completed_at IS NULL`, before.RecurrenceOf, a.by.UserID, before.ListID)
	if err != nil || len(original) == 0 || newest != before.ID {
		return todo.OpReopened, err
	}
	below, err := t.descendants(before.ID)
	if err != nil || len(below) > 0 { // somebody went on with it: it stays, as a task of its own
		return todo.OpReopened, err
	}
	if err := t.removeRecorded(a, before); err != nil {
		return 0, err
	}
	back, err := c.ForOriginal().Apply(original[0].MovedBack(before))
	if err != nil {
		return 0, err
	}
	*after, err = t.save(a, original[0], back, todo.OpReopened)
	return todo.OpReopened, err
}

const updateTask = `UPDATE tasks SET version = ?2, updated_at = ?3, user_id = ?4, list_id = ?5, title = ?6, description = ?7, completed_at = ?8, priority = ?9,
		parent_id = ?10, assignee_id = ?11, due = ?12, due_wall = ?13, due_zone = ?14, due_utc = ?15, start = ?16,
		recurrence = ?17, recurrence_from = ?18, recurrence_start = ?19, recurrence_of = ?20, labels = ?21, position = CASE WHEN ?22 THEN ?23 ELSE position END
	WHERE id = ?1`

// save stores what a task has become, with a line in the log, and what hangs on it. A task
// that has not changed keeps its version.
func (t *tx) save(a act, before, after todo.Task, op todo.Op) (todo.Task, error) {
	fields := todo.Fields(before, after)
	if fields == 0 && before.RecurrenceOf == after.RecurrenceOf {
		return after, nil
	}
	undo, err := t.undoOfSave(before, after, fields)
	if err != nil {
		return after, err
	}
	line := logged{scope: after.ListID, kind: todo.KindTask, op: op, entity: after.ID, fields: fields, uid: after.UID, undo: undo}
	if before.ListID != after.ListID {
		if _, err := t.log(a, logged{scope: before.ListID, kind: todo.KindTask, op: todo.OpOut, entity: after.ID, uid: after.UID}); err != nil {
			return after, err
		}
		if line.op == todo.OpUpdated {
			line.op = todo.OpIn
		}
	}
	if before.UserID != after.UserID {
		if err := t.dropUID(&after); err != nil {
			return after, err
		}
	}
	version, err := t.log(a, line)
	if err != nil {
		return after, err
	}
	after.Version, after.UpdatedAt = version, a.at.UTC().Truncate(time.Millisecond)
	args := []any{after.ID, version, millis(a.at), after.UserID, after.ListID, after.Title, after.Description, nullMillis(after.CompletedAt), int(after.Priority),
		nullID(after.ParentID), nullID(after.AssigneeID)}
	args = append(args, dateValues(after.Dates)...)
	args = append(args, repetitionValues(after.Repeats())...)
	args = append(args, nullID(after.RecurrenceOf), labelsText(after.Labels), fields&todo.FieldPosition != 0, after.Position)
	if err := t.exec(updateTask, args...); err != nil {
		return after, err
	}
	return after, t.follow(a, before, &after, fields)
}

// dropUID makes the uid of a task a derived one if its owner has it already.
func (t *tx) dropUID(task *todo.Task) error {
	if task.UID == "" {
		return nil
	}
	var taken bool
	err := t.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE uid = ? AND user_id = ? AND id <> ?)`, []any{task.UID, task.UserID, task.ID}, &taken)
	if err != nil || !taken {
		return err
	}
	task.UID = ""
	return t.exec(`UPDATE tasks SET uid = NULL WHERE id = ?`, task.ID)
}

// follow makes what is kept beside a task agree with what it has become.
func (t *tx) follow(a act, before todo.Task, after *todo.Task, fields todo.FieldSet) error {
	if fields&(todo.FieldLabels|todo.FieldList) != 0 && len(before.Labels)+len(after.Labels) > 0 {
		if err := t.indexLabels(*after); err != nil {
			return err
		}
	}
	if fields&(todo.FieldTitle|todo.FieldDescription|todo.FieldLabels|todo.FieldList) != 0 {
		if err := t.forgetWords(before, *after); err != nil {
			return err
		}
	}
	if fields&(todo.FieldDue|todo.FieldCompleted) != 0 {
		if err := t.rewind(*after, a.at); err != nil {
			return err
		}
		if len(after.Reminders) == 0 { // those that were relative to a date that is gone
			after.OwnVersion = 0
		}
	}
	if !before.Completed() && after.CompletedAt.Equal(a.at) {
		if err := t.uncancel(*after); err != nil {
			return err
		}
	}
	if before.ListID != after.ListID {
		return t.takeAlong(a, *after)
	}
	return nil
}
