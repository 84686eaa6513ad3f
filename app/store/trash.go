package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"taskapi/app"
	"taskapi/app/todo"
)

// The trash is a table of its own, so that no query can forget to leave it out and the
// indexes of what lives stay small. A row holds all that a task was.

// trashed is what a row of the trash holds of a task.
type trashed struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Created     int64    `json:"created_at"`
	Completed   *int64   `json:"completed_at,omitempty"`
	Maker       int64    `json:"created_by,omitempty"`
	Priority    int      `json:"priority,omitempty"`
	Position    int64    `json:"position"`
	Parent      int64    `json:"parent_id,omitempty"`
	Assignee    int64    `json:"assignee_id,omitempty"`
	Due         string   `json:"due,omitempty"`
	Zone        string   `json:"due_zone,omitempty"`
	Start       string   `json:"start,omitempty"`
	Rule        string   `json:"recurrence,omitempty"`
	Completion  bool     `json:"recurrence_from,omitempty"`
	RuleStart   string   `json:"recurrence_start,omitempty"`
	CopyOf      int64    `json:"recurrence_of,omitempty"`
	Labels      []string `json:"labels,omitempty"`
	// Reminders are those of everybody: user, at or before in milliseconds.
	Reminders [][3]int64 `json:"reminders,omitempty"`
	// Object is what calendar clients have put of it.
	Object *trashedObject `json:"object,omitempty"`
	// WithList says that it went together with its list.
	WithList bool `json:"with_list,omitempty"`
}

func trashedOf(t todo.Task) trashed {
	data := trashed{
		Title: t.Title, Description: t.Description, Created: millis(t.CreatedAt), Maker: t.CreatedBy, Priority: int(t.Priority), Position: t.Position,
		Parent: t.ParentID, Assignee: t.AssigneeID, Due: dueText(t.Dates.Due), Zone: t.Dates.Due.Zone, Start: dueText(t.Dates.Start),
		Rule: t.Repeats().Rule, Completion: t.Repeats().FromCompletion, RuleStart: dueText(t.Repeats().Start), CopyOf: t.RecurrenceOf, Labels: t.Labels,
	}
	if t.Completed() {
		done := millis(t.CompletedAt)
		data.Completed = &done
	}
	return data
}

// task returns the task that a row of the trash was.
func (d trashed) task(id int64) (t todo.Task, err error) {
	t = todo.Task{
		ID: id, Title: d.Title, Description: d.Description, CreatedAt: fromMillis(d.Created), CreatedBy: d.Maker, Priority: todo.Priority(d.Priority), Position: d.Position,
		ParentID: d.Parent, AssigneeID: d.Assignee, RecurrenceOf: d.CopyOf, Labels: d.Labels,
	}
	if d.Completed != nil {
		t.CompletedAt = fromMillis(*d.Completed)
	}
	date := func(text string) (due todo.Due) {
		if text != "" && err == nil {
			due, err = todo.ReadDue(text, d.Zone)
		}
		return due
	}
	t.Dates = todo.Dates{Due: date(d.Due), Start: date(d.Start)}
	t.DueAt, _ = t.Dates.Due.Moment()
	t.Repetition = todo.Repetition{Rule: d.Rule, FromCompletion: d.Completion, Start: date(d.RuleStart)}
	if t.RecurrenceOf != 0 {
		t.Was, t.Repetition = t.Repetition, todo.Repetition{}
	}
	return t, err
}

// removeTask removes one task, and nothing below it, from what lives, with an undo for the log.
func (t *tx) removeTask(a act, task todo.Task, undo map[string]any) error {
	if _, err := t.log(a, logged{scope: task.ListID, kind: todo.KindTask, op: todo.OpDeleted, entity: task.ID, uid: task.UID, undo: undo}); err != nil {
		return err
	}
	if err := t.dropWords(task.ListID, task.ID, task.Words()); err != nil {
		return err
	}
	return t.exec(`DELETE FROM tasks WHERE id = ?`, task.ID)
}

// removeRecorded removes one task, of which the log alone keeps all that it was.
func (t *tx) removeRecorded(a act, task todo.Task) error {
	data, err := t.allOf(task)
	if err != nil {
		return err
	}
	return t.removeTask(a, task, map[string]any{undoRemoved: data})
}

// allOf returns all that a task is, with everybody's reminders.
func (t *tx) allOf(task todo.Task) (trashed, error) {
	data := trashedOf(task)
	err := t.each(`SELECT user_id, coalesce(at, -1), coalesce(before, -1) FROM reminders WHERE task_id = ? ORDER BY user_id, id`, []any{task.ID}, func(row Row) error {
		var r [3]int64
		err := row.Scan(&r[0], &r[1], &r[2])
		data.Reminders = append(data.Reminders, r)
		return err
	})
	if err != nil {
		return data, err
	}
	data.Object, err = t.objectOf(task)
	return data, err
}

// trashTask moves one task, and nothing below it, to the trash.
func (t *tx) trashTask(a act, task todo.Task, withList bool) error {
	return t.trashAs(a, task, task, withList)
}

// trashAs is trashTask for one that is below and assigned to somebody else in the trash.
func (t *tx) trashAs(a act, task, as todo.Task, withList bool) error {
	undo := map[string]any{}
	if as.ParentID != task.ParentID {
		undo["parent_id"] = task.ParentID
	}
	if as.AssigneeID != task.AssigneeID {
		undo["assignee_id"] = task.AssigneeID
	}
	data, err := t.allOf(as)
	if err != nil {
		return err
	}
	data.WithList = withList
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	if err := t.removeTask(a, task, undo); err != nil {
		return err
	}
	return t.exec(`INSERT INTO trash (id, user_id, list_id, grp, at, actor, uid, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		task.ID, task.UserID, task.ListID, t.group, millis(a.at), nullID(a.by.UserID), nullText(task.UID), string(raw))
}

// DeleteTask moves the task with all below it to the trash, or removes them for good. For
// good, it finds tasks in the trash as well. Returns todo.ErrTaskNotFound,
// todo.ErrReadOnlyList and todo.ErrChangedMeanwhile with the task.
func (db *DB) DeleteTask(ctx context.Context, by app.Caller, ref todo.Ref, gone todo.Removal) (todo.Task, error) {
	var task todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		var err error
		task, err = tx.taskFor(db.seed, by, ref, todo.RoleEditor)
		if errors.Is(err, todo.ErrTaskNotFound) && gone.Permanent {
			return tx.deleteTrashed(db.seed, by, ref)
		}
		if err != nil {
			return err
		}
		if !gone.Match.Holds(task.Stamp()) {
			return todo.ErrChangedMeanwhile
		}
		return tx.deleteTree(act{by, gone.At}, task, gone.Permanent)
	}))
	return task, err
}

// deleteTree deletes a task after all that is below it.
func (t *tx) deleteTree(a act, task todo.Task, permanent bool) error {
	all, err := t.descendants(task.ID)
	if err != nil {
		return err
	}
	all = append([]todo.Task{task}, all...)
	for i := len(all) - 1; i >= 0; i-- {
		if permanent {
			err = t.removeTask(a, all[i], permanently())
		} else {
			err = t.trashTask(a, all[i], false)
		}
		if err != nil {
			return err
		}
	}
	if permanent {
		return nil
	}
	return t.boundTrash(task.UserID)
}

// maxTrash is how many tasks a user's trash holds; the oldest go.
const maxTrash = 20_000

func (t *tx) boundTrash(userID int64) error {
	total, err := t.totalOf("trash", userID)
	if err != nil || total <= maxTrash {
		return err
	}
	// Never what this very request has deleted, and what was deleted together goes together,
	// as far as one turn allows.
	var oldest sql.NullInt64
	err = t.one(`SELECT (SELECT grp FROM trash WHERE user_id = ? AND grp <> ? ORDER BY at LIMIT 1)`, []any{userID, t.group}, &oldest)
	if err != nil || !oldest.Valid {
		return err
	}
	return t.exec(`DELETE FROM trash WHERE id IN (SELECT id FROM trash WHERE grp = ? AND user_id = ? LIMIT ?)`, oldest.Int64, userID, max(treeChunk, total-maxTrash))
}

// roleInTrash is what a caller (?2) may do to a task in the trash: what they may do in its list,
// and all if the list has gone and it was theirs, or if everything is theirs (?3).
const roleInTrash = `SELECT coalesce((SELECT CASE WHEN ?3 OR user_id = ?2 AND NOT EXISTS (SELECT 1 FROM lists WHERE id = trash.list_id) THEN 3 ELSE (SELECT role FROM members WHERE user_id = ?2 AND list_id = trash.list_id) END FROM trash WHERE id = ?1 AND id > 0), 0)`

// roleInTrash returns what a caller may do to a task in the trash; 0 if they do not see it.
func (t *tx) roleInTrash(by app.Caller, id int64) (role todo.Role, err error) {
	err = t.one(roleInTrash, []any{id, by.UserID, everything(by)}, &role)
	return role, err
}

// mayChangeTrashed returns todo.ErrReadOnlyList or todo.ErrTaskNotFound if a caller may not
// change a task in the trash.
func (t *tx) mayChangeTrashed(by app.Caller, id int64) error {
	role, err := t.roleInTrash(by, id)
	switch {
	case err != nil:
		return err
	case role == 0:
		return todo.ErrTaskNotFound
	case role < todo.RoleEditor:
		return todo.ErrReadOnlyList
	}
	return nil
}

// trashID returns the id of what is named and is in the trash, 0 if nothing is.
func (t *tx) trashID(seed todo.Seed, by app.Caller, ref todo.Ref) (int64, error) {
	return t.idOf(seed, todo.KindTask, ref, `SELECT coalesce((SELECT id FROM trash WHERE uid = ?1 AND user_id = ?2 AND id > 0), (SELECT min(id) FROM trash WHERE uid = ?1 AND id > 0
		AND EXISTS (SELECT 1 FROM members WHERE user_id = ?2 AND list_id = trash.list_id)))`, by.UserID)
}

// deleteTrashed removes a task for good that is in the trash already.
func (t *tx) deleteTrashed(seed todo.Seed, by app.Caller, ref todo.Ref) error {
	id, err := t.trashID(seed, by, ref)
	if err != nil {
		return err
	}
	if err := t.mayChangeTrashed(by, id); err != nil {
		return err
	}
	return t.exec(`DELETE FROM trash WHERE id = ?`, id)
}

// trashRow is a row of the trash.
type trashRow struct {
	task      todo.Task
	data      trashed
	group, at int64
	actor     sql.NullInt64
}

// Whoever has gone since has neither made a task of the trash nor is it theirs to do.
const (
	trashColumns = `id, user_id, list_id, grp, at, ` + stays + `actor), coalesce(uid, ''), data, ` + stays + `data ->> 'created_by'), ` + stays + `data ->> 'assignee_id')`
	stays        = `(SELECT u.id FROM users u WHERE u.deleted_at IS NULL AND u.id = trash.`
)

func scanTrash(row Row, before ...any) (r trashRow, err error) {
	var id, user, list int64
	var uid, raw string
	var maker, assignee sql.NullInt64
	if err := row.Scan(append(before, &id, &user, &list, &r.group, &r.at, &r.actor, &uid, &raw, &maker, &assignee)...); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(raw), &r.data); err != nil {
		return r, err
	}
	r.data.Maker, r.data.Assignee = maker.Int64, assignee.Int64
	r.task, err = r.data.task(id)
	r.task.UserID, r.task.ListID, r.task.UID, r.task.Version, r.task.UpdatedAt = user, list, uid, r.group, fromMillis(r.at)
	return r, err
}

// Trash returns a page of what is in the trash, the newest first: of a user's own, or of a
// list that they may change. After is where it goes on.
func (db *DB) Trash(ctx context.Context, userID int64, list todo.Ref, page app.PageRequest, after *todo.Cursor) (out app.Page[todo.TrashedTask], err error) {
	out.PageRequest = page
	tx, err := db.read(ctx)
	if err != nil {
		return out, err
	}
	where, key := `user_id = ?1`, userID
	if !list.None() {
		where = `list_id = ?1`
		if key, err = tx.trashOfList(db.seed, userID, list); err != nil {
			return out, translate(err)
		}
	}
	counted := `(SELECT count(*) FROM trash WHERE ` + where + ` AND id > 0)`
	limit, offset, from := page.PerPage+1, int64(0), todo.Cursor{}
	if !page.ByCursor {
		limit, offset = page.PerPage, page.Offset()
	}
	if after != nil {
		from = *after
	}
	query := `SELECT ` + counted + `, ` + trashColumns + ` FROM trash WHERE ` + where + ` AND id > 0 AND (?4 = 0 OR (at, id) < (?5, ?4)) ORDER BY at DESC, trash.id DESC LIMIT ?2 OFFSET ?3` + sorts
	err = fetch(tx, &out, query, []any{key, limit, offset, from.ID, from.Number}, `SELECT `+counted, []any{key}, func(row Row, total *int64) (todo.TrashedTask, error) {
		r, err := scanTrash(row, total)
		return todo.TrashedTask{Task: r.task, DeletedAt: fromMillis(r.at), DeletedBy: r.actor.Int64}, err
	})
	if out.More = page.ByCursor && int64(len(out.Items)) > page.PerPage; out.More {
		out.Items = out.Items[:page.PerPage]
	}
	return out, translate(err)
}

// trashOfList returns the id of a list that somebody may change, or that they owned and that is
// in the trash itself.
func (t *tx) trashOfList(seed todo.Seed, userID int64, list todo.Ref) (int64, error) {
	me := app.Caller{UserID: userID}
	h, err := t.listFor(seed, me, list, todo.RoleEditor)
	if !errors.Is(err, todo.ErrListNotFound) {
		return h.list, err
	}
	id, lookErr := t.trashedListID(seed, me, list)
	var owned bool
	if lookErr == nil {
		lookErr = t.one(`SELECT EXISTS (SELECT 1 FROM trash WHERE id = ? AND user_id = ?)`, []any{-id, userID}, &owned)
	}
	if lookErr != nil || owned {
		return id, lookErr
	}
	return 0, err
}

// EmptyTrash removes what is in the trash of a caller's own lists, a chunk at a time, and
// returns how many tasks there were.
func (db *DB) EmptyTrash(ctx context.Context, by app.Caller) (removed int64, err error) {
	const chunk = 2000
	for {
		var n, tasks int64
		err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
			if err := tx.one(`SELECT count(*) FROM (SELECT id FROM trash WHERE user_id = ? ORDER BY at LIMIT ?) AS oldest WHERE id > 0`, []any{by.UserID, chunk}, &tasks); err != nil {
				return err
			}
			n, err = tx.change(`DELETE FROM trash WHERE id IN (SELECT id FROM trash WHERE user_id = ? ORDER BY at LIMIT ?)`, by.UserID, chunk)
			return err
		}))
		removed += tasks
		if err != nil || n < chunk {
			return removed, err
		}
	}
}
