package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

var _ todo.TaskStore = (*DB)(nil)

const taskColumns = `id, user_id, title, description, created_at, completed_at, priority, due, due_zone, due_utc, start`

// taskRow reads a row of taskColumns.
type taskRow struct {
	task                 todo.Task
	created              int64
	completed, dueUTC    sql.NullInt64
	due, dueZone, starts sql.NullString
}

func (r *taskRow) fields() []any {
	t := &r.task
	return []any{&t.ID, &t.UserID, &t.Title, &t.Description, &r.created, &r.completed, &t.Priority, &r.due, &r.dueZone, &r.dueUTC, &r.starts}
}

// read returns the task of the row that was scanned.
func (r *taskRow) read() (t todo.Task, err error) {
	t = r.task
	t.CreatedAt = fromMillis(r.created)
	if r.completed.Valid {
		t.CompletedAt = fromMillis(r.completed.Int64)
	}
	if r.due.Valid {
		if t.Dates.Due, err = todo.ReadDue(r.due.String, r.dueZone.String); err != nil {
			return t, fmt.Errorf("due of task %d: %w", t.ID, err)
		}
	}
	if r.starts.Valid {
		if t.Dates.Start, err = todo.ReadDue(r.starts.String, r.dueZone.String); err != nil {
			return t, fmt.Errorf("start of task %d: %w", t.ID, err)
		}
	}
	if r.dueUTC.Valid {
		t.DueAt = fromMillis(r.dueUTC.Int64)
	}
	return t, nil
}

// dateValues are due, due_zone, due_utc and start as they are stored.
func dateValues(d todo.Dates) []any {
	values := make([]any, 4)
	if !d.Due.IsZero() {
		values[0] = d.Due.String()
	}
	if d.Due.Zone != "" {
		values[1] = d.Due.Zone
	}
	if moment, ok := d.Due.Moment(); ok {
		values[2] = millis(moment)
	}
	if !d.Start.IsZero() {
		values[3] = d.Start.String()
	}
	return values
}

// living says that a task's owner was not deleted.
const living = ` AND NOT EXISTS (SELECT 1 FROM users WHERE id = tasks.user_id AND deleted_at IS NOT NULL)`

// CreateTask adds a task. Returns todo.ErrNoSuchUser without its owner, and
// todo.ErrTooManyTasks.
func (db *DB) CreateTask(ctx context.Context, by app.Caller, task todo.NewTask) (todo.Task, error) {
	var created todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		if err := tx.roomFor(task.UserID, task.Most); err != nil {
			return err
		}
		var err error
		created, err = tx.task(`INSERT INTO tasks (user_id, title, description, created_at, completed_at, priority, due, due_zone, due_utc, start)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `+taskColumns,
			append([]any{task.UserID, task.Title, task.Description, millis(task.CreatedAt), nullMillis(task.CompletedAt), int(task.Priority)}, dateValues(task.Dates)...)...)
		return err
	}))
	return created, err
}

// Task returns the task of the owner, or todo.ErrTaskNotFound.
func (db *DB) Task(ctx context.Context, owner app.Owner, id int64) (todo.Task, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return todo.Task{}, err
	}
	task, err := tx.task(`SELECT `+taskColumns+` FROM tasks WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)`+living, id, owner.UserID)
	return task, translate(err)
}

// Tasks returns a page of a user's tasks in the order of their ids. The page
// and its total are of the same moment.
func (db *DB) Tasks(ctx context.Context, userID int64, page app.PageRequest) (app.Page[todo.Task], error) {
	return pageOfList(ctx, db, tasksOfUser(), userID, page, func(row row, total *int64) (task todo.Task, err error) {
		var r taskRow
		if err := row.Scan(append([]any{total}, r.fields()...)...); err != nil {
			return task, err
		}
		return r.read()
	})
}

// UpdateTask changes what the change names, in one statement, so that two
// changes of different fields at once both stay. Returns todo.ErrTaskNotFound,
// todo.ErrNoSuchUser without the new owner, and todo.ErrTooManyTasks of theirs.
func (db *DB) UpdateTask(ctx context.Context, by app.Caller, id int64, c todo.TaskChange) (todo.Task, error) {
	var updated todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		var dates todo.Dates
		if c.UserID != nil || c.Dates != nil {
			before, err := tx.task(`SELECT `+taskColumns+` FROM tasks WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)`+living, id, by.Owner().UserID)
			if err != nil {
				return err
			}
			if c.UserID != nil && before.UserID != *c.UserID {
				if err := tx.roomFor(*c.UserID, c.Most); err != nil {
					return err
				}
			}
			if dates, err = c.Dates.Apply(before.Dates); err != nil {
				return err
			}
		}
		var err error
		updated, err = tx.task(`UPDATE tasks SET
				title        = coalesce(?3, title),
				description  = coalesce(?4, description),
				user_id      = coalesce(?5, user_id),
				completed_at = CASE ?6 WHEN 1 THEN coalesce(completed_at, ?7) WHEN 0 THEN NULL ELSE completed_at END,
				priority     = coalesce(?8, priority),
				due          = iif(?9, ?10, due),
				due_zone     = iif(?9, ?11, due_zone),
				due_utc      = iif(?9, ?12, due_utc),
				start        = iif(?9, ?13, start)
			WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)`+living+`
			RETURNING `+taskColumns,
			append([]any{id, by.Owner().UserID, c.Title, c.Description, c.UserID, c.Completed, millis(c.Now), (*int)(c.Priority), c.Dates != nil}, dateValues(dates)...)...)
		return err
	}))
	return updated, err
}

// roomFor returns todo.ErrNoSuchUser unless there is the user, and
// todo.ErrTooManyTasks unless they have fewer tasks than most, if that is not 0.
func (t *tx) roomFor(userID, most int64) error {
	var total sql.NullInt64
	err := t.one(`SELECT (SELECT total FROM totals WHERE list = 'tasks' AND owner = users.id)
		FROM users WHERE id = ? AND deleted_at IS NULL`, []any{userID}, &total)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return todo.ErrNoSuchUser
	case err == nil && most > 0 && total.Int64 >= most:
		return todo.ErrTooManyTasks
	}
	return err
}

// DeleteTask removes the task, or returns todo.ErrTaskNotFound.
func (db *DB) DeleteTask(ctx context.Context, by app.Caller, id int64) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		n, err := tx.change(`DELETE FROM tasks WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)`+living, id, by.Owner().UserID)
		if err == nil && n == 0 {
			return todo.ErrTaskNotFound
		}
		return err
	}))
}

func (t *tx) task(query string, args ...any) (todo.Task, error) {
	var r taskRow
	err := t.one(query, args, r.fields()...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return todo.Task{}, todo.ErrTaskNotFound
	case err != nil:
		return todo.Task{}, err
	}
	return r.read()
}

// millis is how times are stored.
func millis(t time.Time) int64 { return t.UnixMilli() }

func nullMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func fromMillis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
