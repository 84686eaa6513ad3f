package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// finder builds the query of a search. The conditions have their values in the order in
// which they come.
type finder struct {
	where []string
	args  []any
}

func (f *finder) add(condition string, args ...any) {
	f.where = append(f.where, condition)
	f.args = append(f.args, args...)
}

// conditions are those of the whole search.
func (f *finder) conditions() string { return strings.Join(f.where, "\n AND ") }

// FindTasks returns a page of a search with its total, of one moment. Returns
// todo.ErrListNotFound, todo.ErrTaskNotFound for the parent and todo.ErrSearchNotReady.
func (db *DB) FindTasks(ctx context.Context, find todo.Find) (todo.Found, error) {
	found := todo.Found{}
	found.PageRequest = find.Page
	err := db.snapshot(ctx, func(tx *tx) error {
		f, err := tx.finder(db.seed, find)
		if err != nil {
			return err
		}
		if find.Sort == todo.SortTitle {
			return tx.findByTitle(f, find, &found)
		}
		if err := tx.dynamic(`SELECT count(*) FROM tasks WHERE `+f.conditions(), f.args, func(row Row) error { return row.Scan(&found.Total) }); err != nil {
			return err
		}
		return tx.findPage(f, find, &found)
	})
	return found, translate(err)
}

// finder turns a search into conditions.
func (t *tx) finder(seed todo.Seed, find todo.Find) (*finder, error) {
	f := &finder{}
	lists, err := t.findLists(seed, f, find)
	if err != nil {
		return nil, err
	}
	if find.Completed != nil {
		f.add(`done = ?`, *find.Completed)
		if !*find.Completed && (find.Due || find.Sort == todo.SortDue) {
			f.add(`completed_at IS NULL`) // as the index says it
		}
	}
	if len(find.Priorities) > 0 {
		f.add(`priority IN (SELECT value FROM json_each(?))`, jsonOf(find.Priorities))
	}
	for _, key := range find.Labels {
		f.add(`id IN (SELECT task_id FROM task_labels WHERE list_id IN (`+lists.query+`) AND key = ?)`, append(slices.Clone(lists.args), key)...)
	}
	switch {
	case find.Assignee == nil:
	case *find.Assignee == 0:
		f.add(`assignee_id IS NULL`)
	default:
		f.add(`assignee_id = ?`, *find.Assignee)
	}
	if err := t.findParent(seed, f, find); err != nil {
		return nil, err
	}
	f.dates(find)
	if len(find.Words) > 0 {
		return f, t.findWords(f, find, lists)
	}
	return f, nil
}

// part is a piece of a query with its values.
type part struct {
	query string
	args  []any
}

// findLists says in which lists is looked, and that somebody sees them.
func (t *tx) findLists(seed todo.Seed, f *finder, find todo.Find) (lists part, err error) {
	switch {
	case len(find.Lists) > 0:
		var ids []int64
		for _, ref := range find.Lists {
			h, err := t.listFor(seed, app.Caller{UserID: find.UserID}, ref, todo.RoleViewer)
			if err != nil {
				return lists, err
			}
			ids = append(ids, h.list)
		}
		lists = part{`SELECT list_id FROM members WHERE user_id = ? AND list_id IN (SELECT value FROM json_each(?))`, []any{find.UserID, jsonOf(ids)}}
		if len(ids) == 1 {
			lists = part{`SELECT list_id FROM members WHERE user_id = ? AND list_id = ?`, []any{find.UserID, ids[0]}}
		}
	case find.Scope == todo.ScopeAll:
		lists = part{`SELECT list_id FROM members WHERE user_id = ? AND archived = 0`, []any{find.UserID}}
	case find.Scope == todo.ScopeAssigned:
		lists = part{`SELECT list_id FROM members WHERE user_id = ?`, []any{find.UserID}}
	default:
		lists = part{`SELECT id FROM lists WHERE owner_id = ?`, []any{find.UserID}}
	}
	one := len(find.Lists) == 1
	switch {
	case one: // so that the index gives the order as well
		f.add(`list_id = (`+lists.query+`)`, lists.args...)
	case find.Scope == todo.ScopeAssigned:
		f.add(`+list_id IN (`+lists.query+`)`, lists.args...)
	case find.Scope == todo.ScopeOwn && len(find.Lists) == 0 && find.Sort == todo.SortID && !find.Due && len(find.Words)+len(find.Labels) == 0 && find.Parent == nil && find.Assignee == nil:
		f.add(`user_id = ?`, find.UserID)
	case find.Parent != nil && !find.Parent.None() || find.Assignee != nil && *find.Assignee != 0 || len(find.Words)+len(find.Labels) > 0:
		f.add(`+list_id IN (`+lists.query+`)`, lists.args...) // there is a better index
	default:
		f.add(`list_id IN (`+lists.query+`)`, lists.args...)
	}
	if find.Scope == todo.ScopeAssigned {
		f.add(`assignee_id = ?`, find.UserID)
	}
	return lists, nil
}

func (t *tx) findParent(seed todo.Seed, f *finder, find todo.Find) error {
	switch {
	case find.Parent == nil:
	case find.Parent.None():
		f.add(`parent_id IS NULL`)
	default:
		parent, err := t.taskFor(seed, app.Caller{UserID: find.UserID}, *find.Parent, todo.RoleViewer)
		if err != nil {
			return err
		}
		f.add(`parent_id = ?`, parent.ID)
	}
	return nil
}

// zones is how far the clocks of two zones can be apart, from UTC-12 to UTC+14, in
// milliseconds.
const zones = 26 * 60 * 60 * 1000

func (f *finder) dates(find todo.Find) {
	if find.Due {
		f.add(`due_wall IS NOT NULL`)
	}
	if find.Undated {
		f.add(`due_wall IS NULL`)
	}
	for _, b := range find.Before {
		f.add(fmt.Sprintf(`due_wall < ? + %d AND CASE WHEN due_utc IS NULL THEN due_wall < ? ELSE due_utc < ? END`, zones), millis(b.Wall), millis(b.Wall), millis(b.Moment))
	}
	for _, b := range find.NotBefore {
		f.add(fmt.Sprintf(`due_wall >= ? - %d AND CASE WHEN due_utc IS NULL THEN due_wall >= ? ELSE due_utc >= ? END`, zones), millis(b.Wall), millis(b.Wall), millis(b.Moment))
	}
	for _, one := range []struct {
		condition string
		at        time.Time
	}{
		{`updated_at > ?`, find.UpdatedAfter}, {`completed_at > ?`, find.CompletedAfter}, {`completed_at < ?`, find.CompletedBefore},
	} {
		if !one.at.IsZero() {
			f.add(one.condition, millis(one.at))
		}
	}
}

// maxScanned is how many tasks are looked through whose words are not collected yet.
const maxScanned = 20_000

// findWords finds tasks by the beginnings of words.
func (t *tx) findWords(f *finder, find todo.Find, lists part) error {
	recent, err := t.findUnindexed(find, lists)
	if err != nil {
		return err
	}
	var queries []string
	var args []any
	for _, word := range find.Words {
		queries = append(queries, `SELECT task_id FROM task_words WHERE list_id IN (`+lists.query+`) AND word >= ? AND word < ?`)
		args = append(append(args, lists.args...), word, word+"\U0010ffff")
	}
	f.add(`id IN (SELECT task_id FROM (`+strings.Join(queries, " INTERSECT ")+`) AS found UNION SELECT value FROM json_each(?))`, append(args, jsonOf(recent))...)
	return nil
}

// findUnindexed returns the tasks that have the words and whose words are not collected yet.
func (t *tx) findUnindexed(find todo.Find, lists part) (ids []int64, err error) {
	var to, back int64
	if err := t.one(wordsState, nil, &to, &back); err != nil {
		return nil, err
	}
	scanned := 0
	look := func(row Row) error {
		var id int64
		var task todo.Task
		var labels jsonTexts
		if err := row.Scan(&id, &task.Title, &task.Description, &labels); err != nil {
			return err
		}
		task.Labels = labels
		if scanned++; scanned > maxScanned {
			return todo.ErrSearchNotReady
		}
		if task.HasWords(find.Words) {
			ids = append(ids, id)
		}
		return nil
	}
	const columns = `SELECT id, title, description, labels FROM tasks WHERE `
	err = t.dynamic(columns+`id IN (SELECT entity FROM changes WHERE scope IN (`+lists.query+`) AND seq > ? AND kind = 1)`, append(slices.Clone(lists.args), to), look)
	if err == nil && back > 0 {
		err = t.dynamic(columns+`list_id IN (`+lists.query+`) AND id <= ? LIMIT ?`, append(slices.Clone(lists.args), back, maxScanned+1), look)
	}
	return ids, err
}

// jsonOf is a list of numbers for json_each.
func jsonOf[T ~int | ~int64](numbers []T) string {
	if numbers == nil {
		return "[]"
	}
	raw, err := json.Marshal(numbers)
	if err != nil {
		return "[]" // numbers can always be written
	}
	return string(raw)
}
