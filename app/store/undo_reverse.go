package store

import (
	"database/sql"
	"errors"
	"slices"

	"taskapi/app/todo"
)

// reverseAll undoes the lines of the group, the last first. Reminders come after all else: they
// may be relative to a date that comes back.
func (u *undoing) reverseAll() error {
	for _, l := range slices.Backward(u.lines) {
		var err error
		switch l.kind {
		case todo.KindTask:
			err = u.reverseTask(l)
		case todo.KindList:
			err = u.reverseList(l)
		case todo.KindMember:
			err = u.archiveAgain(l)
		}
		if err != nil {
			return err
		}
	}
	// The first line of a task has its reminders from before the group; those in between may be
	// relative to a date that was there for as long.
	first := map[int64]int{}
	for i, l := range u.lines {
		if _, some := first[l.entity]; !some && l.kind == todo.KindReminder && l.undo.has("reminders") {
			first[l.entity] = i
		}
	}
	for i, l := range slices.Backward(u.lines) {
		if at, some := first[l.entity]; !some || at != i {
			continue
		}
		if err := u.remindAgain(l); err != nil {
			return err
		}
	}
	for owner := range u.owners {
		if err := u.boundTrash(owner); err != nil {
			return err
		}
	}
	return u.checkMoved()
}

// checkMoved returns todo.ErrUndoConflict if a task that went back to another list is not in that
// of the task which somebody has put it below since. Only the end counts: those of one tree go
// back one after the other, and take along what they have below them.
func (u *undoing) checkMoved() error {
	var apart int64
	err := u.one(`SELECT child.id FROM json_each(?) moved JOIN tasks child ON child.id = moved.value
		JOIN tasks parent ON parent.id = child.parent_id WHERE child.list_id <> parent.list_id LIMIT 1`, []any{jsonOf(u.moved)}, &apart)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return u.conflict(thing{todo.KindTask, apart})
}

func (u *undoing) reverseTask(l pastLine) error {
	w := u.things[thing{l.kind, l.entity}]
	f := w.fate()
	switch {
	case f == fatePassing, l.op == todo.OpOut, f == fateMade && l.op != todo.OpCreated:
		return nil
	case l.op == todo.OpCreated, l.op == todo.OpRestored:
		if f == fateChanged || w.handled { // deleted before it was restored
			return nil
		}
		return u.putAwayTree(l)
	case l.op == todo.OpDeleted:
		switch {
		case f == fateChanged:
			return u.restoredAs(l)
		case w.handled:
			return nil
		}
		w.handled = true
		return u.bringBack(l)
	}
	return u.revert(l)
}

// restoredAs makes a task that the group deleted and then restored what it was before.
func (u *undoing) restoredAs(deleted pastLine) error {
	for _, l := range u.lines {
		if l.kind == deleted.kind && l.entity == deleted.entity && l.seq > deleted.seq && l.op == todo.OpRestored {
			return u.revert(l)
		}
	}
	return nil
}

// revert gives the fields of a task the values from before a line.
func (u *undoing) revert(l pastLine) error {
	before, err := u.task(l.entity, u.by.UserID, true)
	if err != nil {
		return err
	}
	after, err := l.undo.apply(before)
	if err != nil {
		return err
	}
	if (l.undo.has("due") || l.undo.has("start") || l.undo.has("recurrence")) && !after.DatesAgree() {
		return u.conflict(thing{l.kind, l.entity})
	}
	if err := u.place(before, &after); err != nil {
		return err
	}
	if errors.Is(u.checkAssignee(after.ListID, after.AssigneeID), todo.ErrNotMember) {
		after.AssigneeID = 0
	}
	op := todo.OpUpdated
	switch {
	case after.Completed() && !before.Completed():
		op = todo.OpCompleted
	case before.Completed() && !after.Completed():
		op = todo.OpReopened
	}
	saved, err := u.save(u.act, before, after, op)
	if err != nil {
		return err
	}
	u.alive[saved.ID] = saved.ParentID
	if err := u.reclaimUID(l, saved); err != nil {
		return err
	}
	return u.restoreReminders(l, saved)
}

// reclaimUID gives a task the uid again that it lost to a task of another owner.
func (u *undoing) reclaimUID(l pastLine, task todo.Task) error {
	if l.uid == "" || task.UID != "" || !l.undo.has("list_id") {
		return nil
	}
	return u.exec(`UPDATE tasks SET uid = ?1 WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM tasks other WHERE other.uid = ?1 AND other.user_id = tasks.user_id)`, l.uid, task.ID)
}

// restoreReminders brings back the reminders that a line has ended, of who still sees the task.
func (u *undoing) restoreReminders(l pastLine, task todo.Task) error {
	var lost [][4]int64
	if some, err := l.undo.read(undoReminders, &lost); err != nil || !some {
		return err
	}
	for _, r := range lost {
		if err := u.addReminder(task, [3]int64(r[:3]), r[3]); err != nil {
			return err
		}
	}
	return u.rewind(task, u.at)
}

// place checks where a task goes, and makes it the list's owner's.
func (u *undoing) place(before todo.Task, after *todo.Task) error {
	key := thing{todo.KindTask, after.ID}
	if after.ListID != before.ListID {
		u.moved = append(u.moved, after.ID)
		h, err := u.ownerOf(after.ListID)
		if err != nil {
			return err
		}
		if after.UserID = h.owner; u.asked.Most > 0 && h.owner != before.UserID && h.total >= u.asked.Most {
			return todo.ErrTooManyTasks
		}
	}
	if after.ParentID == 0 || after.ParentID == before.ParentID {
		return nil
	}
	parent, err := u.task(after.ParentID, 0, true)
	switch {
	case errors.Is(err, todo.ErrTaskNotFound), err == nil && parent.ListID != after.ListID:
		return u.conflict(key)
	case err != nil:
		return err
	}
	size, cycle, err := u.treeOf(before.ID, parent.ID)
	if err != nil {
		return err
	}
	if cycle {
		return u.conflict(key)
	}
	return u.roomIn(key, parent, size)
}

// roomIn returns todo.ErrUndoConflict if there is no room below a task for so many.
func (u *undoing) roomIn(key thing, parent todo.Task, size tree) error {
	err := u.roomBelow(parent, size.levels, size.tasks)
	if errors.Is(err, todo.ErrBadParent) || errors.Is(err, todo.ErrTooManyChildren) {
		return u.conflict(key)
	}
	return err
}

// putAwayTree undoes that a task was made or restored, after all below it that the group made or
// restored as well. If there is anything else, somebody went on with it.
func (u *undoing) putAwayTree(l pastLine) error {
	below, err := u.descendants(l.entity)
	if err != nil {
		return err
	}
	for _, task := range slices.Backward(below) {
		i := slices.IndexFunc(u.lines, func(other pastLine) bool {
			return other.kind == todo.KindTask && other.entity == task.ID && (other.op == todo.OpCreated || other.op == todo.OpRestored)
		})
		if f := u.fateOf(todo.KindTask, task.ID); i < 0 || f != fateMade && f != fateRestored {
			return u.conflict(thing{l.kind, l.entity})
		}
		if err := u.putAway(u.lines[i]); err != nil {
			return err
		}
	}
	return u.putAway(l)
}

// putAway is putAwayTree for one task. What was never in the trash, such as the copy of an
// occurrence, does not go there.
func (u *undoing) putAway(l pastLine) error {
	u.things[thing{l.kind, l.entity}].handled = true
	task, err := u.task(l.entity, u.by.UserID, true)
	if err != nil {
		return err
	}
	copied := l.undo.has(undoRecorded) || l.op == todo.OpCreated && task.RecurrenceOf != 0
	if !copied {
		u.away++
	}
	if copied || !u.asked.KeepTrash {
		return u.removeRecorded(u.act, task)
	}
	u.owners[task.UserID] = true
	was, err := l.undo.apply(task)
	if err != nil {
		return err
	}
	as := task
	as.ParentID, as.AssigneeID = was.ParentID, was.AssigneeID
	f := u.fateOf(todo.KindList, task.ListID)
	return u.trashAs(u.act, task, as, f == fateMade || f == fateRestored)
}

// bringBack undoes that a task was deleted.
func (u *undoing) bringBack(l pastLine) error {
	key := thing{l.kind, l.entity}
	r := u.rows[l.entity]
	h, gone, err := u.homeOfTrashed(r.task)
	switch {
	case err != nil:
		return err
	case gone:
		return u.conflict(key)
	case u.asked.Most > 0 && h.total >= u.asked.Most:
		return todo.ErrTooManyTasks
	}
	if u.fateOf(todo.KindTask, r.task.ParentID) == fatePassing {
		r.task.ParentID = 0 // what the group made and deleted again; the line that put it there says where it was
	}
	if parent := r.task.ParentID; parent != 0 {
		above, err := u.task(parent, 0, true)
		switch {
		case errors.Is(err, todo.ErrTaskNotFound), err == nil && above.ListID != h.list:
			return u.conflict(key)
		case err != nil:
			return err
		}
		if _, together := u.rows[parent]; !together {
			if err := u.roomIn(key, above, u.sizeOf(l.entity)); err != nil {
				return err
			}
		}
	}
	task, err := u.restoreOne(u.act, r, h)
	if err != nil {
		return err
	}
	if !l.undo.has(undoRemoved) {
		u.alive[task.ID] = task.ParentID
		return nil
	}
	if task.RecurrenceOf == 0 {
		u.alive[task.ID] = task.ParentID
	}
	return u.exec(`UPDATE changes SET undo = json_set(coalesce(undo, '{}'), '$.' || ?, json('true')) WHERE seq = ?`, undoRecorded, task.Version)
}

func (u *undoing) reverseList(l pastLine) error {
	key := thing{l.kind, l.entity}
	w := u.things[key]
	f := w.fate()
	switch {
	case f == fatePassing, w.handled, f == fateMade && l.op == todo.OpUpdated:
		return nil
	case l.op == todo.OpDeleted && f == fateDeleted:
		w.handled = true
		_, err := u.restoreListRow(u.act, l.entity, u.asked.Most)
		return err
	case l.op == todo.OpUpdated:
		return u.renameAgain(l)
	case f != fateMade && f != fateRestored:
		return nil
	}
	w.handled = true
	list, err := u.ownList(u.seed, u.by, todo.ByID(l.entity))
	if err != nil {
		return err
	}
	var some bool
	if err := u.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE list_id = ?)`, []any{list.ID}, &some); err != nil {
		return err
	}
	if some { // somebody went on with it
		return u.conflict(key)
	}
	return u.dropList(u.act, list, !u.asked.KeepTrash)
}

// renameAgain gives a list the name and the color from before a line.
func (u *undoing) renameAgain(l pastLine) error {
	list, err := u.ownListOrInbox(l.entity)
	if err != nil {
		return err
	}
	name, color := list.Name, list.Color
	_, err = l.undo.read("name", &name)
	_, other := l.undo.read("color", &color)
	if err := errors.Join(err, other); err != nil {
		return err
	}
	return u.changeList(u.act, list, todo.ListChange{Name: &name, Color: &color})
}

// ownListOrInbox returns a list that the caller owns.
func (u *undoing) ownListOrInbox(id int64) (todo.List, error) {
	list, err := u.list(u.seed, u.by.UserID, todo.ByID(id))
	if err == nil && list.Role != todo.RoleOwner {
		err = todo.ErrNotListOwner
	}
	return list, err
}

// archiveAgain undoes that the caller archived a list, or took it out of the archive.
func (u *undoing) archiveAgain(l pastLine) error {
	archived := false
	if some, err := l.undo.read("archived", &archived); err != nil || !some {
		return err
	}
	list, err := u.list(u.seed, u.by.UserID, todo.ByID(l.entity))
	if errors.Is(err, todo.ErrListNotFound) && u.fateOf(todo.KindList, l.entity) != fateChanged {
		return nil // it went with the list
	}
	if err != nil {
		return err
	}
	return u.changeList(u.act, list, todo.ListChange{Archived: &archived})
}

// remindAgain gives the caller the reminders from before a line.
func (u *undoing) remindAgain(l pastLine) error {
	var pairs [][2]int64
	if some, err := l.undo.read("reminders", &pairs); err != nil || !some || !u.reminds(l.entity) {
		return err
	}
	task, err := u.task(l.entity, u.by.UserID, true)
	if err != nil {
		return err
	}
	var reminders []todo.Reminder
	for _, p := range pairs {
		r := reminderOf(p[0], p[1])
		if r.At.IsZero() && task.Dates.Due.IsZero() {
			return u.conflict(thing{todo.KindReminder, l.entity})
		}
		reminders = append(reminders, r)
	}
	u.alive[task.ID] = task.ParentID
	was := task.Reminders
	if own, first := u.own[task.ID]; first { // some may have gone with the date already
		was = own
		delete(u.own, task.ID)
	}
	return u.setReminders(u.act, &task, reminders, map[string]any{"reminders": reminderPairs(was)})
}
