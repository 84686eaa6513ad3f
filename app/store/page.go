package store

import (
	"context"
	"slices"

	"taskapi/app"
)

// The tasks of a deleted user have no total, and are in no list.
//
// A list that can be very long has its total kept in the table totals, and is
// read by queries that begin alike. ?1 is the owner of the list, ?2 who reads it, which
// only tasks ask for.
//
//   - counted: the total alone.
//   - forward: from the list's beginning, with a limit and an offset.
//   - deep: the same, for a large offset. What is skipped is walked, by the index alone.
//   - backward: the same from its end; a page is read from whichever end is nearer.
//   - after: what follows an id (?3), with a limit; it walks nothing.
//   - from: what begins with an id (?3), with a limit and an offset; "" if the list has no marks.
type list struct{ counted, forward, deep, backward, after, from string }

const (
	totalOfTasks  = `(SELECT total FROM totals WHERE list = 'tasks' AND owner = ?1)`
	totalOfUsers  = `(SELECT total FROM totals WHERE list = 'users' AND owner = ?1)`
	totalOfEvents = `(SELECT total FROM totals WHERE list = 'events' AND owner = ?1)`

	// In taskColumns, the reader is ?2.
	selectTasks = `SELECT ` + totalOfTasks + `, ` + taskColumns + ` FROM tasks
		WHERE user_id = (SELECT owner FROM totals WHERE list = 'tasks' AND owner = ?1)`
	selectUsers  = `SELECT ` + totalOfUsers + `, ` + userColumns + ` FROM users WHERE id > ?1 AND ?2 = 0 AND deleted_at IS NULL`
	selectEvents = `SELECT ` + totalOfEvents + `, ` + eventColumns + ` FROM events WHERE user_id = ?1 AND ?2 = 0`

	oldestFirst = ` ORDER BY id LIMIT ?3 OFFSET ?4`
	newestFirst = ` ORDER BY id DESC LIMIT ?3 OFFSET ?4`
	following   = ` AND id > ?3 ORDER BY id LIMIT ?4`

	// The ids of a page of tasks. PostgreSQL would make every column of what is skipped.
	idsOfUser = `SELECT id FROM tasks WHERE user_id = (SELECT owner FROM totals WHERE list = 'tasks' AND owner = ?1)`
	theseIDs  = `SELECT ` + totalOfTasks + `, ` + taskColumns + ` FROM tasks WHERE id IN (` + idsOfUser
	beginning = ` AND id >= ?3 ORDER BY id LIMIT ?4 OFFSET ?5`
	inOrder   = `) ORDER BY id`
	backwards = `) ORDER BY id DESC`
)

// totalOf returns how many tasks, or rows of the trash, an owner has.
func (t *tx) totalOf(list string, owner int64) (total int64, err error) {
	err = t.one(`SELECT coalesce((SELECT total FROM totals WHERE list = ? AND owner = ?), 0)`, []any{list, owner}, &total)
	return total, err
}

func tasksOfUser() list {
	return list{
		counted: `SELECT coalesce(` + totalOfTasks + `, 0)`,
		forward: selectTasks + oldestFirst, deep: theseIDs + oldestFirst + inOrder, backward: theseIDs + newestFirst + backwards,
		after: selectTasks + following, from: theseIDs + beginning + inOrder,
	}
}

// allUsers is the list of owner 0; ids begin at 1.
func allUsers() list {
	return list{
		counted: `SELECT coalesce(` + totalOfUsers + `, 0)`,
		forward: selectUsers + oldestFirst, deep: selectUsers + oldestFirst, backward: selectUsers + newestFirst, after: selectUsers + following,
	}
}

// eventsOfUser has no cursor.
func eventsOfUser() list {
	return list{
		counted: `SELECT coalesce(` + totalOfEvents + `, 0)`,
		forward: selectEvents + newestFirst, deep: selectEvents + newestFirst, backward: selectEvents + oldestFirst,
	}
}

// deepOffset is the offset from which it is asked first which end is nearer.
const deepOffset = 1000

// pageOfList reads a page of a list and the list's total, of the same moment.
func pageOfList[T any](ctx context.Context, db *DB, l list, owner, reader int64, page app.PageRequest, scan func(row Row, total *int64) (T, error)) (app.Page[T], error) {
	out := app.Page[T]{PageRequest: page}
	tx, err := db.read(ctx)
	if err != nil {
		return out, err
	}
	if page.ByCursor {
		// One row more than asked for tells whether more follow.
		err = fetch(tx, &out, l.after, []any{owner, reader, page.After, page.PerPage + 1}, l.counted, []any{owner}, scan)
		if out.More = int64(len(out.Items)) > page.PerPage; out.More {
			out.Items = out.Items[:page.PerPage]
		}
		return out, translate(err)
	}
	query := l.forward
	if page.Offset() >= deepOffset {
		query = l.deep
		if done, err := fromMark(db, tx, l, &out, scan, owner, reader); done || err != nil {
			return out, translate(err)
		}
		if done, err := fromEnd(tx, l, &out, scan, owner, reader); done || err != nil {
			return out, translate(err)
		}
	}
	return out, translate(fetch(tx, &out, query, []any{owner, reader, page.PerPage, page.Offset()}, l.counted, []any{owner}, scan))
}

// fromMark reads a page by the mark before it. False if there is none, or if something changed in
// between.
func fromMark[T any](db *DB, tx *tx, l list, out *app.Page[T], scan func(row Row, total *int64) (T, error), owner, reader int64) (done bool, err error) {
	if l.from == "" {
		return false, nil
	}
	number, quiet, err := db.stateOfTasks(tx)
	if err != nil || !quiet {
		return false, err
	}
	ids, err := db.mark(tx, number, owner)
	at := out.Offset() / markEvery
	if err != nil || at >= int64(len(ids)) {
		return false, err
	}
	err = fetch(tx, out, l.from, []any{owner, reader, ids[at], out.PerPage, out.Offset() % markEvery}, l.counted, []any{owner}, scan)
	if err != nil {
		return false, err
	}
	now, quiet, err := db.stateOfTasks(tx)
	return quiet && now == number, err
}

// fromEnd reads a page that is nearer to the end. False if it is not, or if
// the list changed in between.
func fromEnd[T any](tx *tx, l list, out *app.Page[T], scan func(row Row, total *int64) (T, error), owner, reader int64) (done bool, err error) {
	var total int64
	if err := tx.one(l.counted, []any{owner}, &total); err != nil {
		return false, err
	}
	out.Total = total
	rest := total - out.Offset()
	if rest <= 0 {
		return true, nil
	}
	if rest > total/2 {
		return false, nil
	}
	count := min(rest, out.PerPage)
	err = fetch(tx, out, l.backward, []any{owner, reader, count, rest - count}, l.counted, []any{owner}, scan)
	slices.Reverse(out.Items)
	return out.Total == total, err
}

// fetch reads the rows of a page, each with the total in its first column.
func fetch[T any](tx *tx, out *app.Page[T], query string, args []any, counted string, countedArgs []any, scan func(row Row, total *int64) (T, error)) error {
	out.Items = make([]T, 0, out.PerPage+1)
	err := tx.each(query, args, func(row Row) error {
		item, err := scan(row, &out.Total)
		out.Items = append(out.Items, item)
		return err
	})
	if err == nil && len(out.Items) == 0 {
		err = tx.one(counted, countedArgs, &out.Total)
	}
	return err
}

// pageOf reads a page of a short list and its total, of the same moment. The
// query takes, after args, a limit and an offset; counted is for a page without
// rows.
func pageOf[T any](ctx context.Context, db *DB, page app.PageRequest, query, counted string, args []any, scan func(row Row, total *int64) (T, error)) (app.Page[T], error) {
	out := app.Page[T]{PageRequest: page}
	tx, err := db.read(ctx)
	if err != nil {
		return out, err
	}
	all := append(append(make([]any, 0, len(args)+2), args...), page.PerPage, page.Offset())
	return out, translate(fetch(tx, &out, query, all, counted, args, scan))
}
