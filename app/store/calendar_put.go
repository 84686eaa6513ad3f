package store

import (
	"bytes"
	"context"
	"errors"

	"taskapi/app"
	"taskapi/app/todo"
)

// putting is one object that is put into a list.
type putting struct {
	*tx
	act
	seed todo.Seed
	put  todo.CalendarPut
	home home
	// before is the task that the name has, or that comes back from the trash; its id is 0 for a
	// new one.
	before todo.CalendarTask
	// waits is the parent that the client names where the task gets another one, or none.
	waits string
}

// PutCalendar makes or changes the task of a name, see todo.CalendarStore.
func (db *DB) PutCalendar(ctx context.Context, by app.Caller, list todo.Ref, put todo.CalendarPut) (stored todo.CalendarStored, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) (err error) {
		p := &putting{tx: tx, act: act{by, put.At}, seed: db.seed, put: put}
		if p.home, err = tx.listFor(db.seed, by, list, todo.RoleEditor); err != nil {
			return err
		}
		stored, err = p.run()
		return err
	}))
	return stored, err
}

func (p *putting) run() (stored todo.CalendarStored, err error) {
	if err := p.find(); err != nil {
		return stored, err
	}
	var id int64
	if stored.Created = p.before.Task.ID == 0; stored.Created {
		id, err = p.create()
	} else {
		id, err = p.before.Task.ID, p.change()
	}
	if err != nil {
		return stored, err
	}
	if stored.Created {
		if err := p.nameIt(id); err != nil {
			return stored, err
		}
	}
	if err := p.keep(id); err != nil {
		return stored, err
	}
	if stored.Created {
		if err := p.adopt(id); err != nil {
			return stored, err
		}
	}
	now, err := p.calendarTask(p.seed, p.by.UserID, p.home.list, id)
	if err != nil {
		return stored, err
	}
	if stored.Stamp = now.Task.Stamp(); now.AsPut(p.put.Text) {
		stored.AsPut = true
		err = p.exec(`UPDATE task_ical SET said = ? WHERE task_id = ?`, now.Task.Version, id)
	}
	return stored, err
}

// find looks for the task that the name has, and checks the conditions.
func (p *putting) find() error {
	id, err := p.objectID(p.seed, p.home.list, p.put.Name)
	if err != nil {
		return err
	}
	switch {
	case id != 0 && p.put.IfNoneMatch:
		return todo.ErrObjectThere
	case id == 0 && p.put.MustExist:
		return todo.ErrObjectGone
	case id != 0:
		if p.before, err = p.calendarTask(p.seed, p.by.UserID, p.home.list, id); err != nil {
			return err
		}
		if !p.put.Match.Holds(p.before.Task.Stamp()) {
			return todo.ErrChangedMeanwhile
		}
		if p.before.UID != p.put.Said.UID {
			return todo.ErrCalendarUID.Detailed(p.before.Name)
		}
		return nil
	}
	other, err := p.objectByUID(p.seed, p.home.list, p.put.Said.UID)
	if err != nil || other == 0 {
		return err
	}
	task, err := p.calendarTask(p.seed, p.by.UserID, p.home.list, other)
	if err != nil {
		return err
	}
	return todo.ErrCalendarUID.Detailed(task.Name)
}

// create makes the task, or brings back the one that had its UID before it was deleted: clients
// move an object to another list by deleting and putting it.
func (p *putting) create() (int64, error) {
	if p.put.Most > 0 && p.home.total >= p.put.Most {
		return 0, todo.ErrTooManyTasks
	}
	back, err := p.fromTrash()
	if err != nil || back != 0 {
		return back, err
	}
	n, err := p.put.Said.New(p.at)
	if err != nil {
		return 0, err
	}
	taken, err := p.uidTaken(n.UID)
	if err != nil {
		return 0, err
	}
	if taken {
		n.UID = ""
	}
	h := p.home
	if h.parent, err = p.place(todo.CalendarTask{}, p.put.Said.ParentUID); err != nil {
		return 0, err
	}
	task, err := p.addTask(p.act, h, n)
	return task.ID, err
}

// uidTaken reports whether a new task of the owner can't have a uid: it is that of another list,
// or derived from the id of another task.
func (p *putting) uidTaken(uid string) (taken bool, err error) {
	if p.seed.ID(todo.KindTask, uid) != 0 {
		return true, nil
	}
	return taken, p.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE uid = ? AND user_id = ?)`, []any{uid, p.home.owner}, &taken)
}

// fromTrash restores the task that had the UID, without what was below it, and changes it.
// Returns 0 without one that may be restored.
func (p *putting) fromTrash() (int64, error) {
	id, err := p.trashID(p.seed, p.by, todo.Ref{UID: p.put.Said.UID})
	if err != nil || id == 0 {
		return 0, err
	}
	row, err := p.trashedFor(p.by, id)
	switch {
	case errors.Is(err, todo.ErrTaskNotFound), errors.Is(err, todo.ErrReadOnlyList):
		return 0, nil
	case err != nil:
		return 0, err
	case row.task.UserID != p.home.owner || row.task.RecurrenceOf != 0:
		return 0, nil
	}
	row.task.ParentID = 0
	if _, err := p.restoreOne(p.act, row, p.home); err != nil {
		return 0, err
	}
	if p.before, err = p.calendarTask(p.seed, p.by.UserID, p.home.list, id); err != nil {
		return 0, err
	}
	return id, p.change()
}

// change changes the task that there is.
func (p *putting) change() error {
	before := p.before.Task
	c := p.put.Said.Change(before, p.at)
	c.Match, c.Most = p.put.Match, p.put.Most
	var updated todo.Updated
	c, err := p.once(before, c, &updated)
	if err != nil {
		return err
	}
	after, err := c.Apply(before)
	if err != nil {
		return err
	}
	if p.put.Said.Position != nil {
		after.Position = *p.put.Said.Position
	}
	if after.ParentID, err = p.place(p.before, p.put.Said.ParentUID); err != nil {
		return err
	}
	return p.update(p.act, before, after, c, &updated)
}

// place returns the parent of a task for which its client names one: that, if it is there, or
// what it is below, as far as the levels allow; else none. A new task has the id 0.
func (p *putting) place(task todo.CalendarTask, uid string) (int64, error) {
	p.waits = ""
	if uid == "" {
		return 0, nil
	}
	named, err := p.objectByUID(p.seed, p.home.list, uid)
	if err != nil {
		return 0, err
	}
	size := tree{levels: 1, tasks: 1}
	for parent := named; parent != 0 && parent != task.Task.ID; {
		if parent == task.Task.ParentID {
			return p.settled(parent, named, uid), nil
		}
		if task.Task.ID != 0 {
			cycle := false
			if size, cycle, err = p.treeOf(task.Task.ID, parent); err != nil {
				return 0, err
			}
			if cycle {
				break
			}
		}
		err := p.roomBelow(todo.Task{ID: parent}, size.levels, size.tasks)
		switch {
		case err == nil:
			return p.settled(parent, named, uid), nil
		case errors.Is(err, todo.ErrTooManyChildren):
			parent = 0
			continue
		case !errors.Is(err, todo.ErrBadParent):
			return 0, err
		}
		if err := p.one(`SELECT coalesce(parent_id, 0) FROM tasks WHERE id = ?`, []any{parent}, &parent); err != nil {
			return 0, err
		}
	}
	return p.settled(0, named, uid), nil
}

// settled notes the parent that was named if the task gets another one.
func (p *putting) settled(parent, named int64, uid string) int64 {
	if parent != named || parent == 0 {
		p.waits = uid
	}
	return parent
}

// nameIt gives a new object its name.
func (p *putting) nameIt(id int64) error {
	now, err := p.calendarTask(p.seed, p.by.UserID, p.home.list, id)
	if err != nil || now.Name == p.put.Name {
		return err
	}
	if err := p.exec(`DELETE FROM task_names WHERE task_id = ? AND gone IS NULL`, id); err != nil {
		return err
	}
	if todo.ObjectName(p.seed, id, now.Task.UID) == p.put.Name {
		return nil
	}
	return p.exec(`INSERT INTO task_names (list_id, task_id, name) VALUES (?, ?, ?)`, p.home.list, id, p.put.Name)
}

// keep stores what was put beside the task. Where that is all that has changed, the task gets a
// new version nevertheless.
func (p *putting) keep(id int64) error {
	now, err := p.calendarTask(p.seed, p.by.UserID, p.home.list, id)
	if err != nil {
		return err
	}
	said, own := p.put.Said, any(nil)
	derived := now.Task.UID
	if derived == "" {
		derived = p.seed.UID(todo.KindTask, id)
	}
	if said.UID != derived {
		own = said.UID
	}
	var at any
	if p.waits != "" {
		at = now.Task.ParentID
	}
	err = p.exec(`INSERT INTO task_ical (task_id, said_uid, parent_uid, parent_at, body) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (task_id) DO UPDATE SET said = 0, said_uid = ?2, parent_uid = ?3, parent_at = ?4, body = ?5`, id, own, nullText(p.waits), at, said.Kept)
	if err != nil {
		return err
	}
	if err := p.setAlarms(id, p.by.UserID, said.Alarms); err != nil {
		return err
	}
	same := bytes.Equal(p.before.Kept, said.Kept) && bytes.Equal(p.before.Alarms, said.Alarms)
	if same || now.Task.Version != p.before.Task.Version {
		return nil
	}
	return p.renumber(p.act, now.Task)
}

// setAlarms replaces the alarms of somebody in an object.
func (t *tx) setAlarms(task, userID int64, alarms []byte) error {
	if len(alarms) == 0 {
		return t.exec(`DELETE FROM task_alarms WHERE task_id = ? AND user_id = ?`, task, userID)
	}
	return t.exec(`INSERT INTO task_alarms (task_id, user_id, body) VALUES (?1, ?2, ?3) ON CONFLICT (task_id, user_id) DO UPDATE SET body = ?3`, task, userID, alarms)
}

// renumber gives a task a new version, in which none of its fields has changed.
func (t *tx) renumber(a act, task todo.Task) error {
	version, err := t.log(a, logged{scope: task.ListID, kind: todo.KindTask, op: todo.OpUpdated, entity: task.ID, uid: task.UID})
	if err != nil {
		return err
	}
	return t.exec(`UPDATE tasks SET version = ?, updated_at = ? WHERE id = ?`, version, millis(a.at), task.ID)
}

// waiting are the tasks in a list (?2) whose clients name a parent (?1) that they are not below.
const waiting = `SELECT task_id FROM task_ical JOIN tasks ON tasks.id = task_id
	WHERE parent_uid = ?1 AND list_id = ?2 AND parent_at = coalesce(tasks.parent_id, 0) AND task_id <> ?3 ORDER BY task_id`

// adopt puts what waits for a new task below it.
func (p *putting) adopt(id int64) error {
	uid := p.put.Said.UID
	children, err := p.ids(waiting, uid, p.home.list, id)
	if err != nil {
		return err
	}
	for _, child := range children {
		one, err := p.calendarTask(p.seed, p.by.UserID, p.home.list, child)
		if err != nil {
			return err
		}
		moved := one.Task
		if moved.ParentID, err = p.place(one, uid); err != nil {
			return err
		}
		if moved.ParentID == one.Task.ParentID {
			continue
		}
		if _, err := p.save(p.act, one.Task, moved, todo.OpUpdated); err != nil {
			return err
		}
		var at any
		if p.waits != "" {
			at = moved.ParentID
		}
		if err := p.exec(`UPDATE task_ical SET parent_uid = ?2, parent_at = ?3 WHERE task_id = ?1`, child, nullText(p.waits), at); err != nil {
			return err
		}
	}
	return nil
}
