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

const taskColumns = `id, user_id, title, description, created_at, completed_at, priority, due, due_zone, due_utc, start, version`

// taskRow reads a row of taskColumns.
type taskRow struct {
	task                todo.Task
	created             int64
	completed, dueUTC   sql.NullInt64
	due, dueZone, start sql.NullString
}

func (r *taskRow) fields() []any {
	t := &r.task
	return []any{&t.ID, &t.UserID, &t.Title, &t.Description, &r.created, &r.completed, &t.Priority, &r.due, &r.dueZone, &r.dueUTC, &r.start, &t.Version}
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
	if r.start.Valid {
		if t.Dates.Start, err = todo.ReadDue(r.start.String, r.dueZone.String); err != nil {
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

// oneTask selects a task (?1) of an owner (?2), or of anybody for 0.
const (
	oneTask   = `SELECT ` + taskColumns + ` FROM tasks` + whereTask
	whereTask = ` WHERE id = ?1 AND (?2 = 0 OR user_id = ?2)` + living
)

// CreateTask adds a task. Returns todo.ErrNoSuchUser without its owner, and
// todo.ErrTooManyTasks.
func (db *DB) CreateTask(ctx context.Context, by app.Caller, task todo.NewTask) (todo.Task, error) {
	var created todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		if err := tx.roomFor(task.UserID, task.Most); err != nil {
			return err
		}
		var err error
		created, err = tx.addTask(0, task)
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
	task, err := tx.task(oneTask, id, owner.UserID)
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

// The columns of a task that a change may set, and what it sets them to. A change that
// leaves everything as it is makes no new version.
const (
	changeable  = `title, description, user_id, completed_at, priority, due, due_zone, due_utc, start`
	changedInto = `coalesce(?3, title), coalesce(?4, description), coalesce(?5, user_id),
		CASE ?6 WHEN 1 THEN coalesce(completed_at, ?7) WHEN 0 THEN NULL ELSE completed_at END,
		coalesce(?8, priority), iif(?9, ?10, due), iif(?9, ?11, due_zone), iif(?9, ?12, due_utc), iif(?9, ?13, start)`
	updateTask = `UPDATE tasks SET (` + changeable + `, version) = (` + changedInto + `,
			iif((` + changeable + `) IS (` + changedInto + `), version, ?14))` + whereTask
)

// UpdateTask changes what the change names, in one statement, so that two
// changes of different fields at once both stay. Returns todo.ErrTaskNotFound,
// todo.ErrNoSuchUser without the new owner, todo.ErrTooManyTasks of theirs, KindInvalid
// errors of dates that contradict each other, and todo.ErrChangedMeanwhile with the task.
func (db *DB) UpdateTask(ctx context.Context, by app.Caller, id int64, c todo.TaskChange) (todo.Task, error) {
	var updated todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		var dates todo.Dates
		if c.UserID != nil || c.Dates != nil || c.Match != nil {
			before, err := tx.task(oneTask, id, by.Owner().UserID)
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
			if !c.Match.Holds(before.Version) {
				updated = before
				return todo.ErrChangedMeanwhile
			}
		}
		version, err := tx.nextVersion()
		if err != nil {
			return err
		}
		updated, err = tx.task(updateTask+` RETURNING `+taskColumns,
			append([]any{id, by.Owner().UserID, c.Title, c.Description, c.UserID, c.Completed, millis(c.Now), (*int)(c.Priority), c.Dates != nil}, append(dateValues(dates), version)...)...)
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

// DeleteTask removes the task and returns it, or todo.ErrTaskNotFound.
func (db *DB) DeleteTask(ctx context.Context, by app.Caller, id int64, match *todo.Match) (todo.Task, error) {
	var task todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		var err error
		if task, err = tx.task(oneTask, id, by.Owner().UserID); err != nil {
			return err
		}
		if !match.Holds(task.Version) {
			return todo.ErrChangedMeanwhile
		}
		return tx.exec(`DELETE FROM tasks WHERE id = ?`, id)
	}))
	return task, err
}

// addTask adds a task, under a new id if id is 0.
func (t *tx) addTask(id int64, task todo.NewTask) (todo.Task, error) {
	version, err := t.nextVersion()
	if err != nil {
		return todo.Task{}, err
	}
	return t.task(`INSERT INTO tasks (id, version, user_id, title, description, created_at, completed_at, priority, due, due_zone, due_utc, start)
		VALUES (nullif(?, 0), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING `+taskColumns,
		append([]any{id, version, task.UserID, task.Title, task.Description, millis(task.CreatedAt), nullMillis(task.CompletedAt), int(task.Priority)}, dateValues(task.Dates)...)...)
}

// nextVersion returns the number of a change. Numbers grow in the order of the commits.
func (t *tx) nextVersion() (version int64, err error) {
	err = t.one(`INSERT INTO meta (name, value) VALUES ('seq', '1')
		ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1 RETURNING CAST(value AS INTEGER)`, nil, &version)
	return version, err
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
