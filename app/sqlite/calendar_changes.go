package sqlite

import (
	"context"
	"slices"

	"taskapi/app/todo"
)

// objectLines are the lines of the log after a number (?3) that are about tasks of a list (?2) or
// about what a user (?1) has alone of tasks, at most ?4.
const objectLines = `SELECT seq, op, entity, coalesce(uid, ''), scope FROM (SELECT list_id AS scope FROM members WHERE user_id = ?1 AND list_id = ?2 UNION ALL SELECT -?1) own
	JOIN changes c ON c.seq IN (SELECT seq FROM changes WHERE scope = own.scope AND seq > ?3 AND kind IN (1, 4) ORDER BY seq LIMIT ?4)
	ORDER BY seq LIMIT ?4` + sorts

// CalendarChanges returns what is new in a list, of one moment.
func (db *DB) CalendarChanges(ctx context.Context, userID int64, ref todo.Ref, after *todo.CalendarCursor, limit int) (news todo.CalendarNews, err error) {
	err = db.snapshot(ctx, func(tx *tx) error {
		state, err := tx.calendar(db.seed, userID, ref)
		if err != nil {
			return err
		}
		var newest, from int64
		err = tx.one(`SELECT coalesce((SELECT max(seq) FROM changes), 1), coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'log_from'), 0)`, nil, &newest, &from)
		switch {
		case err != nil:
			return err
		case after == nil:
			after = &todo.CalendarCursor{Seq: state.Seq}
		case after.Seq > newest || after.Seq < from:
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
	c.news.Next = todo.CalendarCursor{Seq: at.Seq, Walked: -1}
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
	c.news.Next = todo.CalendarCursor{Seq: newest, Walked: -1}
	if int64(len(lines)) > c.limit {
		lines = lines[:c.limit]
		c.news.More, c.news.Next.Seq = true, lines[len(lines)-1].seq
	}
	var ids []int64
	seen, left := map[int64]bool{}, map[int64]line{}
	for _, l := range lines {
		if !seen[l.entity] {
			ids = append(ids, l.entity)
			seen[l.entity] = true
		}
		// A reminder may be of a task in another list, and what is kept of a repetition was no object.
		if l.scope > 0 && l.op != todo.OpCreated {
			left[l.entity] = l
		}
	}
	for chunk := range slices.Chunk(ids, objectChunk) {
		tasks, err := c.calendarTasks(c.seed, c.userID, c.list, chunk, false)
		if err != nil {
			return err
		}
		for _, task := range tasks {
			delete(left, task.Task.ID)
		}
		c.news.Changed = append(c.news.Changed, tasks...)
	}
	for _, id := range ids {
		if l, gone := left[id]; gone {
			if err := c.leave(l); err != nil {
				return err
			}
		}
	}
	return nil
}

// lines reads those after a number, and one more than fit.
func (c *calendarNews) lines(seq int64) (lines []line, err error) {
	err = c.each(objectLines, []any{c.userID, c.list, seq, c.limit + 1}, func(row row) error {
		var l line
		err := row.Scan(&l.seq, &l.op, &l.entity, &l.uid, &l.scope)
		lines = append(lines, l)
		return err
	})
	return lines, err
}

// leave says that a task is gone from the list, by all names that it had there and that no other
// has now.
func (c *calendarNews) leave(l line) error {
	names := []string{todo.ObjectName(c.seed, l.entity, l.uid)}
	err := c.each(`SELECT name FROM task_names WHERE task_id = ? AND list_id = ? AND gone IS NOT NULL ORDER BY gone`, []any{l.entity, c.list}, func(row row) error {
		var name string
		err := row.Scan(&name)
		names = append(names, name)
		return err
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		id, err := c.objectID(c.seed, c.list, name)
		if err != nil {
			return err
		}
		if id == 0 && !slices.Contains(c.news.Gone, name) {
			c.news.Gone = append(c.news.Gone, name)
		}
	}
	return nil
}
