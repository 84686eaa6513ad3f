package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

var _ todo.TaskStore = (*DB)(nil)

// Most tasks have none of what is rare, and each column that is read costs. So all of it
// is one column, NULL for a task that has nothing: texts with a separator between them
// that none of them can hold.
const (
	taskColumns = `id, user_id, list_id, title, description, created_at, completed_at, updated_at, version, created_by, priority, ` + rareColumns
	rareColumns = `CASE WHEN coalesce(position, uid, parent_id, assignee_id, due, start, recurrence_of, labels) IS NOT NULL
		OR EXISTS (SELECT 1 FROM reminders WHERE task_id = tasks.id AND user_id = ?2) THEN concat(
		position, char(31), uid, char(31), parent_id, char(31), assignee_id, char(31), due, char(31), due_zone, char(31), due_utc, char(31), start, char(31),
		recurrence, char(31), recurrence_from, char(31), recurrence_start, char(31), recurrence_of, char(31), labels, char(31),
		(SELECT json_group_array(json_array(at, before)) FROM reminders WHERE task_id = tasks.id AND user_id = ?2), char(31),
		(SELECT max(version) FROM reminders WHERE task_id = tasks.id AND user_id = ?2)) END`
	rareCount = 15
)

// taskRow reads a row of taskColumns, in which ?2 is the reader.
type taskRow struct {
	task             todo.Task
	created, updated int64
	completed, maker sql.NullInt64
	rare             sql.NullString
}

func (r *taskRow) fields() []any {
	t := &r.task
	return []any{&t.ID, &t.UserID, &t.ListID, &t.Title, &t.Description, &r.created, &r.completed, &r.updated, &t.Version, &r.maker, &t.Priority, &r.rare}
}

// read returns the task of the row that was scanned.
func (r *taskRow) read() (t todo.Task, err error) {
	t = r.task
	t.CreatedAt, t.UpdatedAt, t.CreatedBy = fromMillis(r.created), fromMillis(r.updated), r.maker.Int64
	if r.completed.Valid {
		t.CompletedAt = fromMillis(r.completed.Int64)
	}
	t.Position = todo.DefaultPosition(t.ID)
	if r.rare.Valid {
		err = readRare(&t, strings.Split(r.rare.String, "\x1f"))
	}
	if err != nil {
		return t, fmt.Errorf("task %d: %w", t.ID, err)
	}
	return t, nil
}

// readRare reads the parts of rareColumns.
func readRare(t *todo.Task, parts []string) error {
	if len(parts) != rareCount {
		return fmt.Errorf("%d of %d parts", len(parts), rareCount)
	}
	var errs []error
	number := func(text string, to *int64) {
		if text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			*to = n
			errs = append(errs, err)
		}
	}
	date := func(text string, to *todo.Due) {
		if text != "" {
			var err error
			*to, err = todo.ReadDue(text, parts[5])
			errs = append(errs, err)
		}
	}
	number(parts[0], &t.Position)
	t.UID = parts[1]
	number(parts[2], &t.ParentID)
	number(parts[3], &t.AssigneeID)
	date(parts[4], &t.Dates.Due)
	if parts[6] != "" {
		var at int64
		number(parts[6], &at)
		t.DueAt = fromMillis(at)
	}
	date(parts[7], &t.Dates.Start)
	t.Repetition.Rule, t.Repetition.FromCompletion = parts[8], parts[9] == "1"
	date(parts[10], &t.Repetition.Start)
	if number(parts[11], &t.RecurrenceOf); t.RecurrenceOf != 0 {
		t.Was, t.Repetition = t.Repetition, todo.Repetition{}
	}
	if parts[12] != "" {
		errs = append(errs, json.Unmarshal([]byte(parts[12]), &t.Labels))
	}
	number(parts[14], &t.OwnVersion)
	if t.OwnVersion != 0 {
		errs = append(errs, readReminders(t, parts[13]))
	}
	return errors.Join(errs...)
}

func readReminders(t *todo.Task, text string) error {
	var rows [][2]*int64
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return err
	}
	for _, row := range rows {
		var r todo.Reminder
		if row[0] != nil {
			r.At = fromMillis(*row[0])
		}
		if row[1] != nil {
			r.Before = time.Duration(*row[1]) * time.Millisecond
		}
		t.Reminders = append(t.Reminders, r)
	}
	return nil
}

const (
	// living says that a task's owner was not deleted.
	living = `NOT EXISTS (SELECT 1 FROM users WHERE id = tasks.user_id AND deleted_at IS NOT NULL)`
	// visible says that somebody (?2) is a member of the list of a task, as its owner is, or
	// that everything is theirs (?3). The user_id of a task does not count: it follows a
	// list that is handed over only after a while.
	visible = `(EXISTS (SELECT 1 FROM members WHERE user_id = ?2 AND list_id = tasks.list_id) OR ?3 AND ` + living + `)`
	oneTask = `SELECT ` + taskColumns + ` FROM tasks WHERE id = ?1 AND ` + visible
	// roleTask is oneTask with what the reader may do there.
	roleTask = `SELECT coalesce((SELECT role FROM members WHERE user_id = ?2 AND list_id = tasks.list_id), 3), ` +
		taskColumns + ` FROM tasks WHERE id = ?1 AND ` + visible
	// taskByUID finds what one owns before what one sees.
	taskByUID = `SELECT coalesce((SELECT id FROM tasks WHERE uid = ?1 AND user_id = ?2), (SELECT min(id) FROM tasks WHERE uid = ?1 AND ` + visible + `))`
)

// everything reports whether all tasks are a caller's.
func everything(by app.Caller) bool { return by.Admin() || by.Operator() }

// taskID returns the id of what is named; 0 if there is nothing of the name in reach.
func (t *tx) taskID(seed todo.Seed, by app.Caller, ref todo.Ref) (int64, error) {
	return t.idOf(seed, todo.KindTask, ref, taskByUID, by.UserID, everything(by))
}

// idOf returns the id of what is named; 0 if there is nothing of the name. The query finds an
// id, or NULL, by a uid (?1) that is not derived, and by more.
func (t *tx) idOf(seed todo.Seed, kind todo.Kind, ref todo.Ref, query string, more ...any) (int64, error) {
	if ref.ID != 0 {
		return ref.ID, nil
	}
	if id := seed.ID(kind, ref.UID); id != 0 {
		return id, nil
	}
	var id sql.NullInt64
	err := t.one(query, append([]any{ref.UID}, more...), &id)
	if folded, other := ref.Folded(); other && err == nil && !id.Valid {
		return t.idOf(seed, kind, folded, query, more...)
	}
	return id.Int64, err
}

// Task returns the task, or todo.ErrTaskNotFound.
func (db *DB) Task(ctx context.Context, by app.Caller, ref todo.Ref) (todo.Task, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return todo.Task{}, err
	}
	id, err := tx.taskID(db.seed, by, ref)
	if err != nil {
		return todo.Task{}, translate(err)
	}
	task, err := tx.task(id, by.UserID, everything(by))
	return task, translate(err)
}

// taskFor returns a task that a caller may do something to, or todo.ErrTaskNotFound, or
// todo.ErrReadOnlyList.
func (t *tx) taskFor(seed todo.Seed, by app.Caller, ref todo.Ref, least todo.Role) (todo.Task, error) {
	id, err := t.taskID(seed, by, ref)
	if err != nil {
		return todo.Task{}, err
	}
	var r taskRow
	var role todo.Role
	err = t.one(roleTask, []any{id, by.UserID, everything(by)}, append([]any{&role}, r.fields()...)...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return todo.Task{}, todo.ErrTaskNotFound
	case err != nil:
		return todo.Task{}, err
	case role < least && !everything(by):
		return todo.Task{}, todo.ErrReadOnlyList
	}
	return r.read()
}

// Tasks returns a page of a user's tasks in the order of their ids. The page
// and its total are of the same moment.
func (db *DB) Tasks(ctx context.Context, by app.Caller, userID int64, page app.PageRequest) (app.Page[todo.Task], error) {
	return pageOfList(ctx, db, tasksOfUser(), userID, by.UserID, page, func(row Row, total *int64) (task todo.Task, err error) {
		var r taskRow
		if err := row.Scan(append([]any{total}, r.fields()...)...); err != nil {
			return task, err
		}
		return r.read()
	})
}

// task returns a task that a reader sees, or that is there if all is true; else
// todo.ErrTaskNotFound.
func (t *tx) task(id, reader int64, all bool) (todo.Task, error) {
	var r taskRow
	err := t.one(oneTask, []any{id, reader, all}, r.fields()...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return todo.Task{}, todo.ErrTaskNotFound
	case err != nil:
		return todo.Task{}, err
	}
	return r.read()
}

// tasks reads some tasks.
func (t *tx) tasks(query string, args ...any) (all []todo.Task, err error) {
	err = t.each(query, args, func(row Row) error {
		var r taskRow
		if err := row.Scan(r.fields()...); err != nil {
			return err
		}
		task, err := r.read()
		all = append(all, task)
		return err
	})
	return all, err
}

// TimeZone returns the time zone of a user, or account.ErrUserNotFound.
func (db *DB) TimeZone(ctx context.Context, userID int64) (string, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return "", err
	}
	zone, err := tx.timeZone(userID)
	return zone, translate(err)
}

func (t *tx) timeZone(userID int64) (zone string, err error) {
	err = t.one(`SELECT time_zone FROM users WHERE id = ?`, []any{userID}, &zone)
	if errors.Is(err, sql.ErrNoRows) {
		return "UTC", nil // the operator has none
	}
	return zone, err
}

// reader returns the clock of a user. A zone that is no longer known is UTC.
func (t *tx) reader(userID int64) (*time.Location, error) {
	zone, err := t.timeZone(userID)
	if err != nil {
		return nil, err
	}
	if location, err := todo.Location(zone); err == nil {
		return location, nil
	}
	return time.UTC, nil
}

// millis is how times are stored.
func millis(t time.Time) int64 { return t.UnixMilli() }

func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// nullID is NULL for 0.
func nullID(id int64) sql.NullInt64 { return sql.NullInt64{Int64: id, Valid: id != 0} }

// nullText is NULL for an empty text.
func nullText(text string) sql.NullString { return sql.NullString{String: text, Valid: text != ""} }
