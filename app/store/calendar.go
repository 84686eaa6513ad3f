package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"taskapi/app"
	"taskapi/app/todo"
)

var _ todo.CalendarStore = (*DB)(nil)

const (
	// scopeSeq is the number that the token of a list (?2) is made of, for a user (?1): that of the
	// newest change of the list or of what the user alone has, and at least one that the log will
	// hold for long. That grows in steps, a sixteenth of the log each, so that the token of a quiet
	// list changes seldom and still does not expire as long as somebody asks.
	scopeSeq = `(SELECT max(seq) FROM (SELECT (SELECT max(seq) FROM changes WHERE scope = m.list_id) AS seq UNION ALL SELECT (SELECT max(seq) FROM changes WHERE scope = -m.user_id) UNION ALL
		SELECT newest - newest % CASE WHEN newest - oldest < 32 THEN 1 ELSE (newest - oldest) / 16 END FROM (SELECT coalesce((SELECT max(seq) FROM changes), 1) AS newest,
		coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'log_from'), 0) AS oldest) AS ends) AS scopes)`
	calendarsOf = `SELECT ` + scopeSeq + `, ` + listColumns + ` FROM members m JOIN lists l ON l.id = m.list_id
		WHERE m.user_id = ?1 AND m.archived = 0 ORDER BY l.inbox DESC, m.position, l.id` + sorts
	oneCalendar = `SELECT ` + scopeSeq + `, ` + listColumns + ` FROM members m JOIN lists l ON l.id = m.list_id WHERE m.user_id = ?1 AND m.list_id = ?2`
)

// calendarColumns are what is known of a task as an object, for a reader (?2). Bodies are read
// if ?4 says so. The list is no reason to walk through all of it ("+").
const (
	calendarColumns = `coalesce((SELECT name FROM task_names n WHERE n.task_id = tasks.id AND n.list_id = tasks.list_id AND n.gone IS NULL), ''),
		coalesce(k.said, 0), coalesce(k.said_uid, ''), CASE WHEN k.parent_at = coalesce(tasks.parent_id, 0) THEN k.parent_uid ELSE '' END,
		(SELECT coalesce(pk.said_uid, p.uid, '') FROM tasks p LEFT JOIN task_ical pk ON pk.task_id = p.id WHERE p.id = tasks.parent_id),
		CASE WHEN ?4 THEN k.body ELSE NULL END, CASE WHEN ?4 THEN (SELECT a.body FROM task_alarms a WHERE a.task_id = tasks.id AND a.user_id = ?2) ELSE NULL END, ` + taskColumns
	calendarTasks = `SELECT ` + calendarColumns + ` FROM tasks LEFT JOIN task_ical k ON k.task_id = tasks.id
		WHERE tasks.id IN (SELECT value FROM json_each(?1)) AND +list_id = ?3 AND recurrence_of IS NULL ORDER BY tasks.id`
)

// calendarRow reads a row of calendarColumns.
func scanCalendar(row Row, seed todo.Seed) (c todo.CalendarTask, err error) {
	var r taskRow
	var name, own string
	var waits, parent sql.NullString
	dest := append([]any{&name, &c.KeptVersion, &own, &waits, &parent, &c.Kept, &c.Alarms}, r.fields()...)
	if err := row.Scan(dest...); err != nil {
		return c, err
	}
	if c.Task, err = r.read(); err != nil {
		return c, err
	}
	uid := func(text string, id int64) string {
		if text == "" {
			return seed.UID(todo.KindTask, id)
		}
		return text
	}
	c.UID = own
	if own == "" {
		c.UID = uid(c.Task.UID, c.Task.ID)
	}
	switch {
	case waits.String != "":
		c.ParentUID = waits.String
	case parent.Valid:
		c.ParentUID = uid(parent.String, c.Task.ParentID)
	}
	if c.Name = name; name == "" {
		c.Name = todo.ObjectName(seed, c.Task.ID, c.Task.UID)
	}
	return c, nil
}

// calendarTasks reads some tasks of a list as objects, in the order of their ids.
func (t *tx) calendarTasks(seed todo.Seed, reader, list int64, ids []int64, bodies bool) (all []todo.CalendarTask, err error) {
	err = t.each(calendarTasks, []any{jsonOf(ids), reader, list, bodies}, func(row Row) error {
		c, err := scanCalendar(row, seed)
		all = append(all, c)
		return err
	})
	return all, err
}

// calendarTask reads one task with all that is kept, or returns todo.ErrTaskNotFound.
func (t *tx) calendarTask(seed todo.Seed, reader, list, id int64) (todo.CalendarTask, error) {
	all, err := t.calendarTasks(seed, reader, list, []int64{id}, true)
	if err == nil && len(all) == 0 {
		err = todo.ErrTaskNotFound
	}
	if err != nil {
		return todo.CalendarTask{}, err
	}
	return all[0], nil
}

// objectID returns the id of the task that has a name in a list, 0 for none.
func (t *tx) objectID(seed todo.Seed, list int64, name string) (id int64, err error) {
	if err := t.one(`SELECT coalesce((SELECT task_id FROM task_names WHERE list_id = ? AND name = ? AND gone IS NULL), 0)`, []any{list, name}, &id); err != nil || id != 0 {
		return id, err
	}
	uid, ok := strings.CutSuffix(name, ".ics")
	if !ok {
		return 0, nil
	}
	derived := seed.ID(todo.KindTask, uid)
	// Two searches: an OR would walk the list.
	err = t.each(`SELECT id, coalesce(uid, '') FROM tasks WHERE id = coalesce(nullif(?1, 0), (SELECT id FROM tasks WHERE uid = ?2 AND list_id = ?3)) AND list_id = ?3 AND recurrence_of IS NULL
		AND NOT EXISTS (SELECT 1 FROM task_names WHERE task_id = tasks.id AND gone IS NULL)`, []any{derived, uid, list}, func(row Row) error {
		var found int64
		var own string
		err := row.Scan(&found, &own)
		if todo.ObjectName(seed, found, own) == name {
			id = found
		}
		return err
	})
	return id, err
}

// objectByUID returns the id of the task of which the object in a list has a UID, 0 for none.
func (t *tx) objectByUID(seed todo.Seed, list int64, uid string) (id int64, err error) {
	const query = `SELECT coalesce((SELECT id FROM tasks WHERE id = ?1 AND list_id = ?3 AND recurrence_of IS NULL),
		(SELECT id FROM tasks WHERE uid = ?2 AND list_id = ?3 AND recurrence_of IS NULL),
		(SELECT task_id FROM task_ical CROSS JOIN tasks ON tasks.id = task_id WHERE said_uid = ?2 AND list_id = ?3), 0)`
	return id, t.one(query, []any{seed.ID(todo.KindTask, uid), uid, list}, &id)
}

func (t *tx) calendar(seed todo.Seed, userID int64, ref todo.Ref) (s todo.CalendarState, err error) {
	id, err := t.listID(seed, userID, ref)
	if err != nil {
		return s, err
	}
	err = todo.ErrListNotFound
	eachErr := t.each(oneCalendar, []any{userID, id}, func(row Row) (scanErr error) {
		s, scanErr = scanCalendarState(row, seed)
		err = nil
		return scanErr
	})
	return s, errors.Join(err, eachErr)
}

func scanCalendarState(row Row, seed todo.Seed) (s todo.CalendarState, err error) {
	s.List, err = scanList(row, &s.Seq)
	if s.UID = s.List.UID; s.UID == "" {
		s.UID = seed.UID(todo.KindList, s.List.ID)
	}
	return s, err
}

// Calendars returns the lists of a user that are not archived.
func (db *DB) Calendars(ctx context.Context, userID int64) (all []todo.CalendarState, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	err = reader.each(calendarsOf, []any{userID}, func(row Row) error {
		s, err := scanCalendarState(row, db.seed)
		all = append(all, s)
		return err
	})
	return all, translate(err)
}

// Calendar returns a list as a member sees it, or todo.ErrListNotFound.
func (db *DB) Calendar(ctx context.Context, userID int64, list todo.Ref) (s todo.CalendarState, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return s, err
	}
	s, err = reader.calendar(db.seed, userID, list)
	return s, translate(err)
}

// The ids of the objects of a list (?1), or of its open or done ones (?2).
const objectIDs = `SELECT id FROM tasks WHERE list_id = ?1 AND recurrence_of IS NULL AND (CAST(?2 AS BIGINT) IS NULL OR done = ?2) AND id > ?3 ORDER BY id LIMIT ?4` + sorts

// How many tasks are read at a time, without and with their texts, which may be long.
const (
	objectChunk = 500
	textChunk   = 50
)

// CalendarTasks gives the tasks of a list that are asked for.
func (db *DB) CalendarTasks(ctx context.Context, userID int64, ref todo.Ref, q todo.CalendarQuery, each func(todo.CalendarTask) error) error {
	list, ids, err := db.calendarIDs(ctx, userID, ref, q)
	if err != nil {
		return err
	}
	chunk := objectChunk
	if q.WithText {
		chunk = textChunk
	}
	for len(ids) > 0 {
		n := min(chunk, len(ids))
		reader, err := db.read(ctx)
		if err != nil {
			return err
		}
		tasks, err := reader.calendarTasks(db.seed, userID, list, ids[:n], q.WithText)
		if err != nil {
			return translate(err)
		}
		for _, task := range tasks {
			if err := each(task); err != nil {
				return err
			}
		}
		ids = ids[n:]
	}
	return nil
}

// calendarIDs returns the id of a list and those of the tasks in it that are asked for.
func (db *DB) calendarIDs(ctx context.Context, userID int64, ref todo.Ref, q todo.CalendarQuery) (list int64, ids []int64, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return 0, nil, err
	}
	h, err := reader.listFor(db.seed, app.Caller{UserID: userID}, ref, todo.RoleViewer)
	if err != nil {
		return 0, nil, translate(err)
	}
	if q.Names == nil {
		ids, err = reader.ids(objectIDs, h.list, q.Completed, 0, noLimit)
		return h.list, ids, translate(err)
	}
	for _, name := range q.Names {
		id, err := reader.objectID(db.seed, h.list, name)
		if err != nil {
			return 0, nil, translate(err)
		}
		if id != 0 {
			ids = append(ids, id)
		}
	}
	return h.list, ids, nil
}

// ids reads some ids.
func (t *tx) ids(query string, args ...any) (all []int64, err error) {
	err = t.each(query, args, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		all = append(all, id)
		return err
	})
	return all, err
}

// keptText returns what a calendar client has put of a task last, nil for nothing.
func (t *tx) keptText(id int64) (kept []byte, err error) {
	return kept, t.one(`SELECT (SELECT body FROM task_ical WHERE task_id = ?)`, []any{id}, &kept)
}

// uncancel lets the object of a task that is completed now no longer say that it was cancelled, which
// was before it was reopened.
func (t *tx) uncancel(task todo.Task) error {
	kept, err := t.keptText(task.ID)
	if err != nil || !todo.Cancelled(kept) {
		return err
	}
	done, err := todo.Uncancelled(kept, task.CompletedAt)
	if err != nil || len(done) > todo.MaxCalendarObject {
		return err
	}
	return t.exec(`UPDATE task_ical SET said = 0, body = ? WHERE task_id = ?`, done, task.ID)
}
