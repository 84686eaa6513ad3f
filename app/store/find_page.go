package store

import (
	"context"
	"slices"
	"strings"

	"taskapi/app/todo"
)

// sortKey returns what an order compares, beside the id, and the condition of a task that
// lacks it.
func sortKey(key todo.SortKey) (value, missing string) {
	switch key {
	case todo.SortDue:
		return `due_wall`, `due_wall IS NULL`
	case todo.SortPriority:
		return `priority`, `priority = 0`
	case todo.SortPosition:
		return `rank`, ``
	case todo.SortCreated:
		return `created_at`, ``
	case todo.SortCompleted:
		return `completed_at`, `completed_at IS NULL`
	case todo.SortUpdated:
		return `updated_at`, ``
	}
	return `id`, ``
}

// pageQuery is the query of the places of one page of a search in its order, with its values
// but for a limit and an offset. What is sorted is no more than the order needs.
func pageQuery(f *finder, find todo.Find) (query string, args []any) {
	value, missing := sortKey(find.Sort)
	lacks := missing
	if lacks == `` {
		lacks = `false`
	}
	direction, compare := ``, `>`
	if find.Down {
		direction, compare = ` DESC`, `<`
	}
	order := value + direction
	where, args := f.conditions(), slices.Clone(f.args)
	after := func(condition string, more ...any) {
		if find.After != nil {
			where += "\n AND " + condition
			args = append(args, more...)
		}
	}
	c := todo.Cursor{}
	if find.After != nil {
		c = *find.After
	}
	switch find.Sort {
	case todo.SortID:
		after(`id `+compare+` ?`, c.ID)
	case todo.SortPosition:
		order = `done, rank` + direction + `, id`
		after(`(done > ? OR done = ? AND (rank `+compare+` ? OR rank = ? AND id > ?))`, c.Done, c.Done, c.Number, c.Number, c.ID)
	default:
		order += `, id`
		if missing != `` && (!find.Due || find.Sort != todo.SortDue) {
			order = missing + `, ` + order
		}
		after(`((`+lacks+`) > ? OR (`+lacks+`) = ? AND (`+value+` `+compare+` ? OR (`+value+` = ? OR ?) AND id > ?))`, c.Missing, c.Missing, c.Number, c.Number, c.Missing, c.ID)
	}
	return `SELECT id, done, coalesce(` + lacks + `, false), coalesce(` + value + `, 0) FROM tasks WHERE ` + where + ` ORDER BY ` + order + ` LIMIT ? OFFSET ?`, args
}

// findPage reads one page of a search in its order.
func (t *tx) findPage(f *finder, find todo.Find, found *todo.Found) error {
	limit, offset := find.Page.PerPage+1, int64(0)
	if !find.Page.ByCursor {
		limit, offset = find.Page.PerPage, find.Page.Offset()
	}
	query, args := pageQuery(f, find)
	var lasts []todo.Cursor
	var ids []int64
	err := t.dynamic(query, append(args, limit, offset), func(row Row) error {
		var last todo.Cursor
		err := row.Scan(&last.ID, &last.Done, &last.Missing, &last.Number)
		lasts, ids = append(lasts, last), append(ids, last.ID)
		return err
	})
	if err != nil {
		return err
	}
	if found.Items, err = t.tasksByID(find.UserID, ids); err != nil {
		return err
	}
	cutPage(found, lasts)
	return nil
}

// tasksByID returns tasks that are there in the order of the ids, as a reader sees them.
func (t *tx) tasksByID(reader int64, ids []int64) ([]todo.Task, error) {
	rows, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE id IN (SELECT value FROM json_each(?1))`, jsonOf(ids), reader)
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]todo.Task, len(rows))
	for _, task := range rows {
		byID[task.ID] = task
	}
	out := make([]todo.Task, len(ids))
	for i, id := range ids {
		out[i] = byID[id]
	}
	return out, nil
}

// cutPage drops the row that tells whether more follow.
func cutPage(found *todo.Found, lasts []todo.Cursor) {
	if found.More = found.ByCursor && int64(len(found.Items)) > found.PerPage; found.More {
		found.Items, lasts = found.Items[:found.PerPage], lasts[:found.PerPage]
	}
	if len(lasts) > 0 {
		found.Last = lasts[len(lasts)-1]
	}
}

// findByTitle sorts by what no database knows how to fold. There are as many titles as one
// account has tasks.
func (t *tx) findByTitle(f *finder, find todo.Find, found *todo.Found) error {
	type titled struct {
		key string
		id  int64
	}
	var all []titled
	err := t.dynamic(`SELECT id, title FROM tasks WHERE `+f.conditions(), f.args, func(row Row) error {
		var one titled
		var title string
		err := row.Scan(&one.id, &title)
		one.key = todo.Fold(title)
		all = append(all, one)
		return err
	})
	if err != nil {
		return err
	}
	compare := func(a, b titled) int {
		order := strings.Compare(a.key, b.key)
		if find.Down {
			order = -order
		}
		if order == 0 {
			order = int(min(1, max(-1, a.id-b.id)))
		}
		return order
	}
	slices.SortFunc(all, compare)
	found.Total = int64(len(all))
	from := int64(0)
	if c := find.After; c != nil {
		at, there := slices.BinarySearchFunc(all, titled{c.Text, c.ID}, compare)
		if from = int64(at); there {
			from++
		}
	} else if !find.Page.ByCursor {
		from = min(find.Page.Offset(), found.Total)
	}
	end := min(from+find.Page.PerPage, found.Total)
	var ids []int64
	for _, one := range all[from:end] {
		ids = append(ids, one.id)
		found.Last = todo.Cursor{Text: one.key, ID: one.id}
	}
	if found.Items, err = t.tasksByID(find.UserID, ids); err != nil {
		return err
	}
	found.More = find.Page.ByCursor && end < found.Total
	return nil
}

// Counts returns how many tasks each view and each list of a user has, of one moment.
func (db *DB) Counts(ctx context.Context, userID int64, now todo.Now) (todo.Counts, error) {
	counts := todo.Counts{Lists: map[int64]todo.ListCount{}}
	open := false
	find := todo.Find{UserID: userID, Scope: todo.ScopeAll, Completed: &open}
	views := []struct {
		to     *int64
		change func(*todo.Find)
	}{
		{&counts.Today, func(f *todo.Find) { f.Due, f.Before = true, []todo.Boundary{now.Tomorrow()} }},
		{&counts.Overdue, func(f *todo.Find) { f.Due, f.Before = true, []todo.Boundary{now.Passed()} }},
		{&counts.Upcoming, func(f *todo.Find) { f.Due, f.NotBefore = true, []todo.Boundary{now.Tomorrow()} }},
		{&counts.Undated, func(*todo.Find) {}}, // and those with a date, until they are taken off
		{&counts.Assigned, func(f *todo.Find) { f.Scope = todo.ScopeAssigned }},
	}
	err := db.snapshot(ctx, func(tx *tx) error {
		for _, view := range views {
			one := find
			view.change(&one)
			f, err := tx.finder(db.seed, one)
			if err != nil {
				return err
			}
			if err := tx.dynamic(`SELECT count(*) FROM tasks WHERE `+f.conditions(), f.args, func(row Row) error { return row.Scan(view.to) }); err != nil {
				return err
			}
		}
		// An index has how many are open, but not which of them have no date.
		counts.Undated -= counts.Today + counts.Upcoming
		err := tx.one(`SELECT (SELECT count(*) FROM trash WHERE user_id = ? AND id > 0), coalesce((SELECT max(seq) FROM changes), 1)`, []any{userID}, &counts.Trash, &counts.Seq)
		if err != nil {
			return err
		}
		return tx.each(`SELECT m.list_id, (SELECT count(*) FROM tasks WHERE list_id = m.list_id AND done = 0), (SELECT count(*) FROM tasks WHERE list_id = m.list_id AND done = 1)
			FROM members m WHERE m.user_id = ?`, []any{userID}, func(row Row) error {
			var id int64
			var n todo.ListCount
			err := row.Scan(&id, &n.Open, &n.Completed)
			counts.Lists[id] = n
			return err
		})
	})
	return counts, translate(err)
}
