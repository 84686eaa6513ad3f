package store

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"taskapi/app/todo"
)

// A field is what a change made it if it is now what the first later line that touches it
// found it to be, or if there is no such line. So what others did to other fields stays, what
// was done and undone since is not in the way, and several undos go back step by step.

// maxSince is how many lines after the group are looked at, in the lists that matter.
const maxSince = 50_000

// sinceLine is a line after the group about something that the group touched.
type sinceLine struct {
	seq  int64
	op   todo.Op
	undo values
}

// check returns why the group can't be undone: todo.ErrUndoConflict, todo.ErrUndoExpired, or
// that the caller may not write there any more.
func (u *undoing) check() error {
	tasks, err := u.reach()
	if err != nil {
		return err
	}
	u.before = tasks
	if err := u.loadSince(tasks); err != nil {
		return err
	}
	for _, key := range u.order {
		w := u.things[key]
		var err error
		switch {
		case w.fate() == fatePassing:
		case w.fate() == fateDeleted:
			err = u.checkDeleted(key, w)
		case key.kind == todo.KindTask:
			err = u.checkTask(tasks[key.id], w)
		case key.kind == todo.KindReminder:
			err = u.checkReminders(key)
		case key.kind == todo.KindList, key.kind == todo.KindMember && w.keys["archived"] && u.fateOf(todo.KindList, key.id) != fateDeleted:
			err = u.checkList(key, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reach returns the tasks that the group left alive, which the caller may still change.
func (u *undoing) reach() (map[int64]todo.Task, error) {
	tasks := map[int64]todo.Task{}
	for _, key := range u.order {
		w := u.things[key]
		least := todo.RoleEditor
		if key.kind == todo.KindReminder {
			least = todo.RoleViewer
		} else if key.kind != todo.KindTask || w.fate() == fateDeleted || w.fate() == fatePassing {
			continue
		}
		if key.kind == todo.KindReminder && u.fateOf(todo.KindTask, key.id) != fateChanged {
			continue // its task is looked at
		}
		task, err := u.taskFor(u.seed, u.by, todo.ByID(key.id), least)
		switch {
		case errors.Is(err, todo.ErrTaskNotFound):
			return nil, u.missing(key, w)
		case err != nil:
			return nil, err
		}
		tasks[key.id] = task
	}
	return tasks, nil
}

// missing returns todo.ErrUndoConflict for a task that was deleted since, and
// todo.ErrTaskNotFound to who may not know that.
func (u *undoing) missing(key thing, w *touched) error {
	var alive bool
	if err := u.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?)`, []any{key.id}, &alive); err != nil {
		return err
	}
	if w.list < 0 { // of reminders
		return todo.ErrTaskNotFound
	}
	member, err := u.isMember(w.list, u.by.UserID)
	if err != nil {
		return err
	}
	role, err := u.roleInTrash(u.by, key.id)
	switch {
	case err != nil:
		return err
	case alive || !member && role == todo.RoleNone && !everything(u.by):
		return todo.ErrTaskNotFound
	}
	return u.conflict(key)
}

// loadSince reads what was logged after the group about what it touched.
func (u *undoing) loadSince(tasks map[int64]todo.Task) error {
	var scopes []int64
	for _, key := range u.order {
		switch key.kind {
		case todo.KindTask:
			if task, some := tasks[key.id]; some && task.Version > u.last {
				scopes = append(scopes, task.ListID)
			}
		case todo.KindList:
			if f := u.things[key].fate(); f != fateDeleted && f != fatePassing {
				scopes = append(scopes, key.id)
			}
		default:
			scopes = append(scopes, -u.by.UserID)
		}
	}
	read, seen := 0, map[int64]bool{}
	for len(scopes) > 0 {
		scope := scopes[0]
		if scopes = scopes[1:]; seen[scope] {
			continue
		}
		seen[scope] = true
		more, n, err := u.loadScope(scope, maxSince-read)
		if err != nil {
			return err
		}
		if read += n; read >= maxSince {
			return u.conflict(u.order[0])
		}
		scopes = append(scopes, more...)
	}
	for _, lines := range u.since {
		slices.SortFunc(lines, func(a, b sinceLine) int { return cmp.Compare(a.seq, b.seq) })
	}
	return nil
}

// loadScope is loadSince for one scope, of which it reads so many lines at most. It returns
// the lists in which tasks were meanwhile, and how many lines it has read.
func (u *undoing) loadScope(scope int64, most int) (more []int64, n int, err error) {
	err = u.each(`SELECT seq, kind, op, entity, coalesce(undo, '') FROM changes WHERE scope = ? AND seq > ? ORDER BY seq LIMIT ?`, []any{scope, u.last, most}, func(row Row) error {
		var key thing
		var l sinceLine
		var text string
		if err := row.Scan(&l.seq, &key.kind, &l.op, &key.id, &text); err != nil {
			return err
		}
		n++
		if key.kind == todo.KindMember && scope > 0 {
			key = thing{todo.KindList, scope}
		}
		if u.things[key] == nil {
			return nil
		}
		if text != "" {
			if err := json.Unmarshal([]byte(text), &l.undo); err != nil {
				return err
			}
		}
		u.since[key] = append(u.since[key], l)
		if l.undo.has("list_id") {
			more = append(more, l.undo.number("list_id"))
		}
		return nil
	})
	return more, n, err
}

// same reports whether the fields of a thing are what the group made them: those that it
// changed or, of what it made, all that matter.
func (u *undoing) same(key thing, now map[string]any, w *touched) (bool, error) {
	lines := u.since[key]
	if len(lines) == 0 {
		return true, nil
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return false, err
	}
	var current values
	if err := json.Unmarshal(raw, &current); err != nil {
		return false, err
	}
	made := values{}
	for _, l := range slices.Backward(lines) {
		maps.Copy(made, l.undo)
	}
	all := w.fate() == fateMade || w.fate() == fateRestored
	for name, value := range made {
		known, some := current[name]
		counts := w.keys[name] || all && name != "position" // which neighbours change as well
		if some && counts && string(known) != string(value) {
			return false, nil
		}
	}
	return true, nil
}

// checkTask returns todo.ErrUndoConflict for a task that is not what the group made it.
func (u *undoing) checkTask(task todo.Task, w *touched) error {
	key := thing{todo.KindTask, task.ID}
	now := undoOf(task, todo.AllFields)
	maps.Copy(now, undoOfCopy(task))
	same, err := u.same(key, now, w)
	switch {
	case err != nil:
		return err
	case !same || task.ListID != w.list:
		return u.conflict(key)
	}
	return nil
}

// checkReminders returns todo.ErrUndoConflict if the caller has set other reminders since.
func (u *undoing) checkReminders(key thing) error {
	if u.fateOf(todo.KindTask, key.id) != fateChanged {
		return nil
	}
	task, err := u.task(key.id, u.by.UserID, true)
	if err != nil {
		return err
	}
	u.own[key.id] = task.Reminders
	same, err := u.same(key, map[string]any{"reminders": reminderPairs(task.Reminders)}, u.things[key])
	if err == nil && !same {
		err = u.conflict(key)
	}
	return err
}

// checkList returns todo.ErrUndoConflict for a list that is not what the group made it, or that
// others have come into.
func (u *undoing) checkList(key thing, w *touched) error {
	list, err := u.list(u.seed, u.by.UserID, todo.ByID(key.id))
	if errors.Is(err, todo.ErrListNotFound) {
		if trashed, lookErr := u.ownsTrashed(key.id); lookErr != nil || trashed { // it was deleted since
			return errors.Join(lookErr, u.conflict(key))
		}
	}
	if err != nil {
		return err
	}
	if key.kind == todo.KindList && list.Role != todo.RoleOwner {
		return todo.ErrNotListOwner
	}
	now := map[string]any{"name": list.Name, "color": list.Color}
	if key.kind == todo.KindMember {
		now = map[string]any{"archived": list.Archived}
	}
	same, err := u.same(key, now, w)
	if err != nil {
		return err
	}
	if f := w.fate(); f == fateMade || f == fateRestored {
		for _, l := range u.since[key] {
			if l.op == todo.OpJoined || l.op == todo.OpLeft || l.op == todo.OpHandedOver || l.op == todo.OpUpdated && len(l.undo) == 0 {
				same = false
			}
		}
	}
	if !same {
		return u.conflict(key)
	}
	return nil
}

// checkDeleted looks for what the group deleted, and keeps it for the undo. What is not there
// any more is todo.ErrUndoExpired.
func (u *undoing) checkDeleted(key thing, w *touched) error {
	switch key.kind {
	case todo.KindTask:
		if w.keys[undoRemoved] {
			return u.readRemoved(key, w)
		}
		r, err := u.trashedFor(u.by, key.id)
		switch {
		case errors.Is(err, todo.ErrTaskNotFound):
			return u.notTrashed(key, w)
		case err == nil && r.actor.Int64 != u.by.UserID: // it came back, and somebody else deleted it
			return u.conflict(key)
		}
		if err != nil {
			return err
		}
		for _, l := range u.lines {
			if (thing{l.kind, l.entity}) == key && l.op == todo.OpDeleted {
				r.task, err = l.undo.apply(r.task)
			}
		}
		u.rows[key.id] = r
		return err
	case todo.KindList:
		if trashed, err := u.ownsTrashed(key.id); err != nil || trashed {
			return err
		}
		if _, err := u.list(u.seed, u.by.UserID, todo.ByID(key.id)); err == nil {
			return u.conflict(key)
		} else if !errors.Is(err, todo.ErrListNotFound) {
			return err
		}
		return todo.ErrUndoExpired
	}
	return nil
}

// ownsTrashed reports whether a list is in the trash of the caller.
func (u *undoing) ownsTrashed(list int64) (trashed bool, err error) {
	err = u.one(`SELECT EXISTS (SELECT 1 FROM trash WHERE id = ? AND user_id = ?)`, []any{-list, u.by.UserID}, &trashed)
	return trashed, err
}

// notTrashed returns why a task that was deleted is not in the trash of the caller.
func (u *undoing) notTrashed(key thing, w *touched) error {
	if _, err := u.taskFor(u.seed, u.by, todo.ByID(key.id), todo.RoleViewer); err == nil {
		return u.conflict(key)
	} else if !errors.Is(err, todo.ErrTaskNotFound) {
		return err
	}
	member, err := u.isMember(w.list, u.by.UserID)
	if err != nil {
		return err
	}
	var there bool
	err = u.one(`SELECT EXISTS (SELECT 1 FROM trash WHERE id = ?1) OR EXISTS (SELECT 1 FROM tasks WHERE id = ?1)`, []any{key.id}, &there)
	switch {
	case err != nil:
		return err
	case there || !member && !everything(u.by):
		return todo.ErrTaskNotFound
	}
	return todo.ErrUndoExpired
}

// readRemoved reads a task that the log alone has kept.
func (u *undoing) readRemoved(key thing, w *touched) error {
	if _, err := u.ownerOf(w.list); err != nil {
		return err
	}
	var there bool
	err := u.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ?1) OR EXISTS (SELECT 1 FROM trash WHERE id = ?1)`, []any{key.id}, &there)
	if err != nil || there {
		return errors.Join(err, u.conflict(key))
	}
	for _, l := range u.lines {
		if (thing{l.kind, l.entity}) != key || !l.undo.has(undoRemoved) {
			continue
		}
		var r trashRow
		if err := json.Unmarshal(l.undo[undoRemoved], &r.data); err != nil {
			return err
		}
		if r.task, err = r.data.task(key.id); err != nil {
			return err
		}
		r.task.UID, r.task.ListID = l.uid, l.scope
		if err := u.one(`SELECT coalesce((SELECT id FROM users WHERE id = ? AND deleted_at IS NULL), 0)`, []any{r.task.CreatedBy}, &r.task.CreatedBy); err != nil {
			return err
		}
		u.rows[key.id] = r
	}
	return nil
}

// ownerOf returns the owner of a list that the caller may change.
func (u *undoing) ownerOf(list int64) (home, error) {
	h, err := u.listFor(u.seed, u.by, todo.ByID(list), todo.RoleEditor)
	if !errors.Is(err, todo.ErrListNotFound) || !everything(u.by) {
		return h, err
	}
	found := false
	err = u.each(`SELECT l.id, l.owner_id, `+totalOfOwner+` FROM lists l WHERE l.id = ?`, []any{list}, func(row Row) error {
		found = true
		return row.Scan(&h.list, &h.owner, &h.total)
	})
	if err == nil && !found {
		err = todo.ErrListNotFound
	}
	return h, err
}
