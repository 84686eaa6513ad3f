package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// CreateTask adds a task. Returns todo.ErrNoSuchUser without its owner, todo.ErrTooManyTasks,
// what the list and the parent are refused for, and for a uid what uidFree returns.
func (db *DB) CreateTask(ctx context.Context, by app.Caller, task todo.NewTask) (todo.Task, error) {
	var created todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		home, err := tx.homeFor(db.seed, by, &task)
		if err != nil {
			return err
		}
		if task.UID != "" {
			if created, err = tx.uidFree(db.seed, by, home.owner, task.UID); err != nil {
				return err
			}
		}
		if task.Most > 0 && home.total >= task.Most {
			return todo.ErrTooManyTasks
		}
		if err := tx.checkAssignee(home.list, task.AssigneeID); err != nil {
			return err
		}
		a := act{by, task.CreatedAt}
		if created, err = tx.addTask(a, home, task); err != nil {
			return err
		}
		if task.Repetition.Rule != "" && created.Completed() {
			return tx.completeNew(a, &created)
		}
		return nil
	}))
	return created, err
}

// completeNew moves a task on that was made completed and repeats.
func (t *tx) completeNew(a act, task *todo.Task) error {
	open := *task
	open.CompletedAt = time.Time{}
	reader, err := t.reader(a.by.UserID)
	if err != nil {
		return err
	}
	next, moved := open.Done(a.at, reader)
	if !moved {
		return nil
	}
	if _, err := t.keepCopy(a, open, 0); err != nil {
		return err
	}
	*task, err = t.save(a, *task, next, todo.OpUpdated)
	return err
}

// home is where a new task goes.
type home struct{ list, owner, parent, total int64 }

const (
	totalOfOwner = `coalesce((SELECT total FROM totals WHERE list = 'tasks' AND owner = l.owner_id), 0)`
	inboxOf      = `SELECT l.id, l.owner_id, ` + totalOfOwner + ` FROM lists l
		WHERE l.owner_id = ? AND l.inbox = 1 AND NOT EXISTS (SELECT 1 FROM users WHERE id = l.owner_id AND deleted_at IS NOT NULL)`
)

// inbox returns the Inbox of a user, or todo.ErrNoSuchUser.
func (t *tx) inbox(userID int64) (h home, err error) {
	if t.known != nil {
		if h, ok := t.known.inboxes[userID]; ok {
			return h, nil
		}
	}
	err = t.one(inboxOf, []any{userID}, &h.list, &h.owner, &h.total)
	if errors.Is(err, sql.ErrNoRows) {
		return h, todo.ErrNoSuchUser
	}
	if err == nil && t.known != nil {
		t.known.inboxes[userID] = h
	}
	return h, err
}

// homeFor returns where a new task of a caller goes.
func (t *tx) homeFor(seed todo.Seed, by app.Caller, task *todo.NewTask) (h home, err error) {
	switch {
	case !task.Parent.None():
		parent, err := t.taskFor(seed, by, task.Parent, todo.RoleEditor)
		if err != nil {
			return h, err
		}
		if !task.List.None() {
			if list, err := t.listID(seed, by.UserID, task.List); err != nil {
				return h, err
			} else if list != parent.ListID {
				return h, todo.ErrBadParent
			}
		}
		if err := t.roomBelow(parent, 1, 1); err != nil {
			return h, err
		}
		h.parent = parent.ID
		return h, t.one(`SELECT l.id, l.owner_id, `+totalOfOwner+` FROM lists l WHERE l.id = ?`, []any{parent.ListID}, &h.list, &h.owner, &h.total)
	case !task.List.None():
		return t.listFor(seed, by, task.List, todo.RoleEditor)
	}
	return t.inbox(task.UserID)
}

// uidFree returns todo.ErrExists with the task that an owner has under a uid and the
// caller sees, todo.ErrInTrash, or todo.ErrUIDTaken.
func (t *tx) uidFree(seed todo.Seed, by app.Caller, owner int64, uid string) (todo.Task, error) {
	var id, trashed sql.NullInt64
	if derived := seed.ID(todo.KindTask, uid); derived != 0 {
		id = sql.NullInt64{Int64: derived, Valid: true}
		if err := t.one(`SELECT (SELECT id FROM trash WHERE id = ? AND user_id = ?)`, []any{derived, owner}, &trashed); err != nil {
			return todo.Task{}, err
		}
	} else if err := t.one(`SELECT (SELECT id FROM tasks WHERE uid = ?1 AND user_id = ?2), (SELECT id FROM trash WHERE uid = ?1 AND user_id = ?2 AND id > 0)`,
		[]any{uid, owner}, &id, &trashed); err != nil {
		return todo.Task{}, err
	}
	if trashed.Valid { // which only those learn who may see it
		role, err := t.roleInTrash(by, trashed.Int64)
		if err != nil {
			return todo.Task{}, err
		}
		if role == 0 {
			return todo.Task{}, todo.ErrUIDTaken
		}
		return todo.Task{}, todo.ErrInTrash.About(trashed.Int64)
	}
	if !id.Valid {
		return todo.Task{}, nil
	}
	task, err := t.task(id.Int64, by.UserID, everything(by))
	switch {
	case errors.Is(err, todo.ErrTaskNotFound):
		return todo.Task{}, todo.ErrUIDTaken
	case err != nil:
		return todo.Task{}, err
	}
	return task, todo.ErrExists
}

const insertTaskRow = `INSERT INTO tasks (id, version, user_id, list_id, title, description, created_at, completed_at, updated_at, created_by, priority,
		position, uid, parent_id, assignee_id, due, due_wall, due_zone, due_utc, start, recurrence, recurrence_from, recurrence_start, recurrence_of, labels)
	VALUES (nullif(?1, 0 /* next of tasks */), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)`

// addTask adds a task.
func (t *tx) addTask(a act, h home, n todo.NewTask) (todo.Task, error) {
	task := todo.Task{
		UserID: h.owner, ListID: h.list, ParentID: h.parent, Title: n.Title, Description: n.Description, CreatedAt: n.CreatedAt.UTC().Truncate(time.Millisecond),
		CompletedAt: n.CompletedAt.UTC().Truncate(time.Millisecond), UpdatedAt: a.at.UTC().Truncate(time.Millisecond), CreatedBy: a.by.UserID, UID: n.UID, AssigneeID: n.AssigneeID,
		Priority: n.Priority, Labels: n.Labels, Dates: n.Dates, Repetition: n.Repetition, RecurrenceOf: n.RecurrenceOf, Was: n.Was,
	}
	task.DueAt, _ = n.Dates.Due.Moment()
	if err := t.putTask(&task, n.Position); err != nil {
		return task, err
	}
	if len(n.Reminders) > 0 {
		return task, t.setReminders(a, &task, n.Reminders, nil)
	}
	return task, nil
}

// putTask stores a whole task, and gives it a version and, unless it has one, an id.
func (t *tx) putTask(task *todo.Task, position *int64) (err error) {
	newest, err := t.newestSeq()
	if err != nil {
		return err
	}
	task.Version = newest + 1
	var placed sql.NullInt64
	if position != nil {
		placed = sql.NullInt64{Int64: *position, Valid: true}
	}
	args := []any{task.ID, task.Version, task.UserID, task.ListID, task.Title, task.Description, millis(task.CreatedAt), nullMillis(task.CompletedAt), millis(task.UpdatedAt),
		nullID(task.CreatedBy), int(task.Priority), placed, nullText(task.UID), nullID(task.ParentID), nullID(task.AssigneeID)}
	args = append(args, dateValues(task.Dates)...)
	args = append(args, repetitionValues(task.Repeats())...)
	args = append(args, nullID(task.RecurrenceOf), labelsText(task.Labels))
	if task.ID, err = t.insert(insertTaskRow, args...); err != nil {
		return err
	}
	t.numbered(task.Version)
	if t.known != nil {
		t.known.added(task.UserID)
	}
	if task.Position = todo.DefaultPosition(task.ID); position != nil {
		task.Position = *position
	}
	if err := t.join(task.Version, task.ListID); err != nil || len(task.Labels) == 0 {
		return err
	}
	return t.indexLabels(*task)
}

// dateValues are due, due_wall, due_zone, due_utc and start as they are stored.
func dateValues(d todo.Dates) []any {
	values := make([]any, 5)
	if !d.Due.IsZero() {
		values[0], values[1] = d.Due.String(), millis(d.Due.Order())
	}
	if d.Due.Zone != "" {
		values[2] = d.Due.Zone
	}
	if moment, ok := d.Due.Moment(); ok {
		values[3] = millis(moment)
	}
	if !d.Start.IsZero() {
		values[4] = d.Start.String()
	}
	return values
}

// repetitionValues are recurrence, recurrence_from and recurrence_start as they are stored.
func repetitionValues(r todo.Repetition) []any {
	if r.Rule == "" {
		return make([]any, 3)
	}
	return []any{r.Rule, r.FromCompletion, dueText(r.Start)}
}

// labelsText is NULL without labels.
func labelsText(labels []string) any {
	if len(labels) == 0 {
		return nil
	}
	raw, err := json.Marshal(labels)
	if err != nil {
		return nil // texts can always be written
	}
	return string(raw)
}

// indexLabels makes task_labels agree with the labels of a task.
func (t *tx) indexLabels(task todo.Task) error {
	if err := t.exec(`DELETE FROM task_labels WHERE task_id = ?`, task.ID); err != nil {
		return err
	}
	for _, label := range task.Labels {
		if err := t.exec(`INSERT INTO task_labels (list_id, key, task_id) VALUES (?, ?, ?)`, task.ListID, todo.LabelKey(label), task.ID); err != nil {
			return err
		}
	}
	return nil
}

// checkAssignee returns todo.ErrNotMember unless somebody is a member of a list, or nobody.
func (t *tx) checkAssignee(list, assignee int64) error {
	if assignee == 0 {
		return nil
	}
	member, err := t.isMember(list, assignee)
	if err == nil && !member {
		return todo.ErrNotMember
	}
	return err
}

func (t *tx) isMember(list, userID int64) (bool, error) {
	role, err := t.roleIn(list, userID)
	return role != 0, err
}

// MayAdd returns why a caller may not add a task where it is to go, else nil.
func (db *DB) MayAdd(ctx context.Context, by app.Caller, task todo.NewTask) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	_, err = tx.homeFor(db.seed, by, &task)
	return translate(err)
}

// MayChange returns why a caller may not change a task, else nil.
func (db *DB) MayChange(ctx context.Context, by app.Caller, ref todo.Ref) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	_, err = tx.taskFor(db.seed, by, ref, todo.RoleEditor)
	return translate(err)
}
