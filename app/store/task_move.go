package store

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app"
	"taskapi/app/todo"
)

// target returns where a task will be after a change: its list, the owner of that, and its
// parent.
func (t *tx) target(seed todo.Seed, by app.Caller, task todo.Task, c todo.TaskChange) (home, error) {
	h := home{list: task.ListID, owner: task.UserID, parent: task.ParentID}
	if c.UserID != nil && *c.UserID != task.UserID {
		if !everything(by) {
			return h, by.Refused()
		}
		inbox, err := t.inbox(*c.UserID)
		if err == nil {
			err = t.roomForTree(task, inbox.owner, inbox.total, c.Most)
		}
		return home{list: inbox.list, owner: inbox.owner}, err
	}
	if c.List != nil {
		to, err := t.listFor(seed, by, *c.List, todo.RoleEditor)
		switch {
		case err != nil:
			return h, err
		case to.list != task.ListID:
			if err := t.roomForTree(task, to.owner, to.total, c.Most); err != nil {
				return h, err
			}
			h = home{list: to.list, owner: to.owner}
		}
	}
	if c.Parent == nil {
		return h, nil
	}
	if c.Parent.None() {
		h.parent = 0
		return h, nil
	}
	return t.below(seed, by, task, h, c)
}

// below checks the parent that a task is to have.
func (t *tx) below(seed todo.Seed, by app.Caller, task todo.Task, h home, c todo.TaskChange) (home, error) {
	parent, err := t.taskFor(seed, by, *c.Parent, todo.RoleEditor)
	if err != nil {
		return h, err
	}
	if parent.ID == task.ParentID && parent.ListID == h.list {
		h.parent = parent.ID
		return h, nil
	}
	if c.List == nil && parent.ListID != h.list {
		total, err := t.totalOf("tasks", parent.UserID)
		if err != nil {
			return h, err
		}
		if err := t.roomForTree(task, parent.UserID, total, c.Most); err != nil {
			return h, err
		}
		h.list, h.owner = parent.ListID, parent.UserID
	}
	size, cycle, err := t.treeOf(task.ID, parent.ID)
	if err != nil {
		return h, err
	}
	if cycle || parent.ListID != h.list {
		return h, todo.ErrBadParent
	}
	h.parent = parent.ID
	return h, t.roomBelow(parent, size.levels, size.tasks)
}

// MoveTask puts a task elsewhere. Returns what UpdateTask returns, and todo.ErrNotSibling.
func (db *DB) MoveTask(ctx context.Context, by app.Caller, ref todo.Ref, m todo.Move) (todo.Task, error) {
	var moved todo.Task
	err := db.write(ctx, db.as(by, func(tx *tx) error {
		before, err := tx.taskFor(db.seed, by, ref, todo.RoleEditor)
		if err != nil {
			return err
		}
		target, err := tx.target(db.seed, by, before, todo.TaskChange{List: m.List, Parent: m.Parent, Most: m.Most})
		if err != nil {
			return err
		}
		after := before
		after.ListID, after.UserID, after.ParentID = target.list, target.owner, target.parent
		spread, err := tx.positionFor(db.seed, by, &after, m.Place)
		if err != nil {
			return err
		}
		if !m.Match.Holds(before.Stamp()) {
			moved = before
			return todo.ErrChangedMeanwhile
		}
		a := act{by, m.Now}
		for _, one := range spread {
			if _, err := tx.save(a, one.before, one.after, todo.OpUpdated); err != nil {
				return err
			}
		}
		if after.AssigneeID != 0 && after.ListID != before.ListID {
			if err := tx.checkAssignee(after.ListID, after.AssigneeID); errors.Is(err, todo.ErrNotMember) {
				after.AssigneeID = 0
			} else if err != nil {
				return err
			}
		}
		moved, err = tx.save(a, before, after, todo.OpUpdated)
		return err
	}))
	return moved, err
}

// shift is a sibling that makes room.
type shift struct{ before, after todo.Task }

// The open siblings of a task (?3) that is in a list (?4) below another (?5), or at the
// top.
const (
	siblings       = ` FROM tasks WHERE list_id = ?4 AND done = 0 AND parent_id IS NOT DISTINCT FROM ?5 AND id <> ?3`
	precedingRank  = `SELECT rank FROM tasks WHERE list_id = ?1 AND done = 0 AND parent_id IS NOT DISTINCT FROM ?2 AND id <> ?3 AND (rank, id) < (?4, ?5) ORDER BY rank DESC, id DESC LIMIT 1`
	followingRanks = `SELECT ` + taskColumns + siblings + ` AND (rank, id) > (?6, ?7) ORDER BY rank, id LIMIT ?8`
)

// edge is the position before which the next new task will be: what is moved to the front
// stays behind it, so that new tasks come first.
const edge = `SELECT -1024 * (max(id) + 1) FROM tasks`

// positionFor gives a task the position of a place among its siblings, and returns those
// that have to make room. Returns todo.ErrNotSibling.
func (t *tx) positionFor(seed todo.Seed, by app.Caller, task *todo.Task, place todo.Place) ([]shift, error) {
	parent := nullID(task.ParentID)
	if place.Before.None() && place.After.None() {
		first, err := t.tasks(`SELECT `+taskColumns+siblings+` ORDER BY rank, id LIMIT 1`, nil, by.UserID, task.ID, task.ListID, parent)
		if err != nil || len(first) == 0 {
			return nil, err
		}
		return t.putBefore(task, first[0])
	}
	ref, isAfter := place.After, true
	if !place.Before.None() {
		ref, isAfter = place.Before, false
	}
	beside, err := t.taskFor(seed, by, ref, todo.RoleViewer)
	switch {
	case errors.Is(err, todo.ErrTaskNotFound):
		return nil, todo.ErrNotSibling
	case err != nil:
		return nil, err
	case beside.ID == task.ID || beside.ListID != task.ListID || beside.ParentID != task.ParentID:
		return nil, todo.ErrNotSibling
	case !isAfter:
		return t.putBefore(task, beside)
	}
	following, err := t.tasks(followingRanks, nil, by.UserID, task.ID, task.ListID, parent, beside.Position, beside.ID, 1)
	if err != nil {
		return nil, err
	}
	if len(following) == 0 {
		task.Position = todo.Behind(beside.Position)
		return nil, nil
	}
	if position, ok := todo.Between(beside.Position, following[0].Position); ok {
		task.Position = position
		return nil, nil
	}
	return t.makeRoom(task, beside.Position, beside, false)
}

// putBefore puts a task before one, behind what is before that.
func (t *tx) putBefore(task *todo.Task, beside todo.Task) ([]shift, error) {
	var before sql.NullInt64
	err := t.one(`SELECT coalesce((`+precedingRank+`), (`+edge+`))`, []any{task.ListID, nullID(task.ParentID), task.ID, beside.Position, beside.ID}, &before)
	if err != nil {
		return nil, err
	}
	// What came from elsewhere may be before all that is made here.
	from := min(before.Int64, beside.Position)
	if position, ok := todo.Between(from, beside.Position); ok {
		task.Position = position
		return nil, nil
	}
	return t.makeRoom(task, from, beside, true)
}

// makeRoom spreads what follows a position, beginning with a task or behind it.
func (t *tx) makeRoom(task *todo.Task, from int64, beside todo.Task, with bool) ([]shift, error) {
	var all []todo.Task
	if with {
		all = append(all, beside)
	}
	for limit := 128; ; limit *= 8 {
		following, err := t.tasks(followingRanks, nil, 0, task.ID, task.ListID, nullID(task.ParentID), beside.Position, beside.ID, limit)
		if err != nil {
			return nil, err
		}
		around := append(all[:len(all):len(all)], following...)
		var ranks []int64
		for _, one := range around {
			ranks = append(ranks, one.Position)
		}
		position, moved := todo.Spread(from, ranks)
		if len(moved) == len(around) && len(following) == limit {
			continue // no room in sight: look further
		}
		task.Position = position
		var shifts []shift
		for i, at := range moved {
			after := around[i]
			after.Position = at
			shifts = append(shifts, shift{around[i], after})
		}
		return shifts, nil
	}
}
