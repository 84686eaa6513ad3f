package store

import (
	"context"
	"slices"

	"taskapi/app/todo"
)

// objectLines are the lines of the log after a number (?3) that are about tasks of a list (?2) or
// about what a user (?1) has alone of tasks, at most ?4.
const objectLines = `SELECT c.seq, c.op, c.entity, coalesce(c.uid, ''), c.scope FROM (SELECT list_id AS scope FROM members WHERE user_id = ?1 AND list_id = ?2 UNION ALL SELECT -?1) own
	JOIN changes c ON c.seq IN (SELECT seq FROM changes WHERE scope = own.scope AND seq > ?3 AND kind IN (1, 4) ORDER BY seq LIMIT ?4)
	ORDER BY c.seq LIMIT ?4` + sorts

// CalendarChanges returns what is new in a list, of one moment.
func (db *DB) CalendarChanges(ctx context.Context, userID int64, ref todo.Ref, after *todo.CalendarCursor, limit int) (news todo.CalendarNews, err error) {
	err = db.snapshot(ctx, func(tx *tx) error {
		state, err := tx.calendar(db.seed, userID, ref)
		if err != nil {
			return err
		}
		var newest, from int64
		err = tx.one(`SELECT coalesce((SELECT max(seq) FROM changes), 1), coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'log_from'), 0)`, nil, &newest, &from)
		switch {
		case err != nil:
			return err
		case after == nil:
			after = &todo.CalendarCursor{Seq: state.Seq}
		case after.List != state.List.ID, after.Seq > newest || after.Seq < from:
			return todo.ErrSyncExpired
		}
		c := &calendarNews{tx: tx, seed: db.seed, userID: userID, list: state.List.ID, limit: int64(limit)}
		if after.Walked >= 0 {
			err = c.walk(*after)
		} else {
			err = c.since(after.Seq, state.Seq)
		}
		news = c.news
		return err
	})
	return news, translate(err)
}

// calendarNews is one answer in the making.
type calendarNews struct {
	*tx
	seed                todo.Seed
	userID, list, limit int64
	news                todo.CalendarNews
}

// walk gives all objects, in the order of their ids. What has changed since it began comes with
// the first news.
func (c *calendarNews) walk(at todo.CalendarCursor) error {
	ids, err := c.ids(objectIDs, c.list, nil, at.Walked, c.limit+1)
	if err != nil {
		return err
	}
	c.news.Next = todo.CalendarCursor{List: c.list, Seq: at.Seq, Walked: -1}
	if int64(len(ids)) > c.limit {
		ids = ids[:c.limit]
		c.news.More, c.news.Next.Walked = true, ids[len(ids)-1]
	}
	for chunk := range slices.Chunk(ids, objectChunk) {
		tasks, err := c.calendarTasks(c.seed, c.userID, c.list, chunk, false)
		if err != nil {
			return err
		}
		c.news.Changed = append(c.news.Changed, tasks...)
	}
	return nil
}

// since gives what lines of the log are about, each once, as it is now.
func (c *calendarNews) since(seq, newest int64) error {
	lines, err := c.lines(seq)
	if err != nil {
		return err
	}
	c.news.Next = todo.CalendarCursor{List: c.list, Seq: newest, Walked: -1}
	if int64(len(lines)) > c.limit {
		lines = lines[:c.limit]
		c.news.More, c.news.Next.Seq = true, lines[len(lines)-1].seq
	}
	var ids []int64
	seen, there := map[int64]bool{}, map[int64]bool{}
	for _, l := range lines {
		if !seen[l.entity] {
			ids = append(ids, l.entity)
			seen[l.entity] = true
		}
	}
	for chunk := range slices.Chunk(ids, objectChunk) {
		tasks, err := c.calendarTasks(c.seed, c.userID, c.list, chunk, false)
		if err != nil {
			return err
		}
		for _, task := range tasks {
			there[task.Task.ID] = true
		}
		c.news.Changed = append(c.news.Changed, tasks...)
	}
	for _, l := range lines {
		// A reminder may be of a task in another list.
		if l.scope > 0 {
			if err := c.leave(l, there[l.entity]); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines reads those after a number, and one more than fit.
func (c *calendarNews) lines(seq int64) (lines []line, err error) {
	err = c.each(objectLines, []any{c.userID, c.list, seq, c.limit + 1}, func(row Row) error {
		var l line
		err := row.Scan(&l.seq, &l.op, &l.entity, &l.uid, &l.scope)
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// leave says that a task has left the list, unless another one, or itself, has its name now.
func (c *calendarNews) leave(l line, there bool) error {
	name := todo.ObjectName(c.seed, l.entity, l.uid)
	switch {
	case l.op == todo.OpDeleted || l.op == todo.OpOut:
		// The trigger that notes a name comes after the lines of what was done.
		err := c.one(`SELECT coalesce((SELECT name FROM task_names WHERE task_id = ? AND list_id = ? AND gone IN (?3, ?3 + 1)), ?4)`, []any{l.entity, c.list, l.seq, name}, &name)
		if err != nil {
			return err
		}
	case there || l.op == todo.OpCreated:
		return nil
	default: // an undo may have made it a copy of a repetition again, which is no object
		copied := false
		err := c.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE id = ? AND list_id = ? AND recurrence_of IS NOT NULL)`, []any{l.entity, c.list}, &copied)
		if err != nil || !copied {
			return err
		}
	}
	id, err := c.objectID(c.seed, c.list, name)
	if err == nil && id == 0 && !slices.Contains(c.news.Gone, name) {
		c.news.Gone = append(c.news.Gone, name)
	}
	return err
}
