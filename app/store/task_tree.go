package store

import (
	"context"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// below selects the ids of all that is below a task (?1), each after what it is below.
const below = `WITH RECURSIVE under (id, depth) AS (
	SELECT id, 1 FROM tasks WHERE parent_id = ?1
	UNION ALL SELECT tasks.id, depth + 1 FROM under JOIN tasks ON tasks.parent_id = under.id WHERE depth < 100)`

// TasksBelow returns all that is below a task that the caller sees, each after what it is below.
func (db *DB) TasksBelow(ctx context.Context, by app.Caller, ref todo.Ref) ([]todo.Task, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	task, err := tx.taskFor(db.seed, by, ref, todo.RoleViewer)
	if err != nil {
		return nil, translate(err)
	}
	below, err := tx.descendants(task.ID)
	return below, translate(err)
}

// descendants returns all that is below a task, each after what it is below.
func (t *tx) descendants(id int64) ([]todo.Task, error) {
	var some bool
	err := t.one(`SELECT EXISTS (SELECT 1 FROM tasks WHERE parent_id = ?)`, []any{id}, &some)
	if err != nil || !some {
		return nil, err
	}
	return t.tasks(below+` SELECT `+taskColumns+` FROM tasks WHERE id IN (SELECT id FROM under) ORDER BY (SELECT depth FROM under WHERE under.id = tasks.id), id `+sorts, id, 0)
}

// completeBelow completes what is open below a task.
func (t *tx) completeBelow(a act, id int64) error {
	all, err := t.descendants(id)
	if err != nil {
		return err
	}
	for _, task := range all {
		if !task.Completed() {
			done := task
			done.CompletedAt = a.at
			if _, err := t.save(a, task, done, todo.OpCompleted); err != nil {
				return err
			}
		}
	}
	return nil
}

// reopenBelow opens what is completed below a task that begins anew.
func (t *tx) reopenBelow(a act, id int64) error {
	all, err := t.descendants(id)
	if err != nil {
		return err
	}
	for _, task := range all {
		if err := t.reopenOne(a, task); err != nil {
			return err
		}
	}
	return nil
}

// reopenAbove opens a task and those that it is below.
func (t *tx) reopenAbove(a act, id int64) error {
	for range todo.MaxDepth {
		if id == 0 {
			return nil
		}
		task, err := t.task(id, 0, true)
		if err != nil {
			return err
		}
		if err := t.reopenOne(a, task); err != nil {
			return err
		}
		id = task.ParentID
	}
	return nil
}

func (t *tx) reopenOne(a act, task todo.Task) error {
	if !task.Completed() {
		return nil
	}
	open := task
	open.CompletedAt = time.Time{}
	_, err := t.save(a, task, open, todo.OpReopened)
	return err
}

// roomBelow returns todo.ErrBadParent if so many levels below a task would be too many, and
// todo.ErrTooManyChildren.
func (t *tx) roomBelow(parent todo.Task, levels, tasks int64) error {
	var depth, children, tree int64
	err := t.one(`WITH RECURSIVE above (id, depth) AS (
			SELECT ?1, 1 UNION ALL SELECT tasks.parent_id, depth + 1 FROM above JOIN tasks ON tasks.id = above.id WHERE tasks.parent_id IS NOT NULL AND depth < 100),
		under (id) AS (SELECT id FROM (SELECT id FROM above ORDER BY depth DESC LIMIT 1) AS top
			UNION ALL SELECT tasks.id FROM under JOIN tasks ON tasks.parent_id = under.id)
		SELECT (SELECT max(depth) FROM above), (SELECT count(*) FROM tasks WHERE parent_id = ?1), (SELECT count(*) FROM (SELECT id FROM under LIMIT ?2) AS tree)`+sorts,
		[]any{parent.ID, todo.MaxTree + 1}, &depth, &children, &tree)
	switch {
	case err != nil:
		return err
	case depth+levels > todo.MaxDepth:
		return todo.ErrBadParent
	case children >= todo.MaxChildren || tree+tasks > todo.MaxTree:
		return todo.ErrTooManyChildren
	}
	return nil
}

// tree is a task with all that is below it.
type tree struct{ levels, tasks int64 }

// treeOf measures a task with all below it, and tells whether an id is among them.
func (t *tx) treeOf(task, id int64) (size tree, contains bool, err error) {
	err = t.one(below+` SELECT 1 + coalesce(max(depth), 0), 1 + count(*), ?1 = ?2 OR EXISTS (SELECT 1 FROM under WHERE id = ?2) FROM under`, []any{task, id}, &size.levels, &size.tasks, &contains)
	return size, contains, err
}

// roomForTree returns todo.ErrTooManyTasks if a task with all below it would be too many for
// somebody else who has so many.
func (t *tx) roomForTree(task todo.Task, owner, has, most int64) error {
	if most == 0 || owner == task.UserID {
		return nil
	}
	size, _, err := t.treeOf(task.ID, 0)
	if err == nil && has+size.tasks > most {
		return todo.ErrTooManyTasks
	}
	return err
}

// takeAlong moves what is below a task into the list that it has moved to.
func (t *tx) takeAlong(a act, after todo.Task) error {
	if err := t.apart(after); err != nil {
		return err
	}
	// Those right below it; each takes its own along.
	children, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE parent_id = ?1`, after.ID, 0)
	if err != nil {
		return err
	}
	for _, task := range children {
		moved := task
		moved.ListID, moved.UserID = after.ListID, after.UserID
		if moved.AssigneeID != 0 {
			member, err := t.isMember(moved.ListID, moved.AssigneeID)
			if err != nil {
				return err
			}
			if !member {
				moved.AssigneeID = 0
			}
		}
		if _, err := t.save(a, task, moved, todo.OpUpdated); err != nil {
			return err
		}
	}
	// Who is no member there is not reminded any more.
	const strangers = ` WHERE task_id = ?1 AND user_id NOT IN (SELECT user_id FROM members WHERE list_id = ?2)`
	if err := t.exec(`DELETE FROM task_alarms`+strangers, after.ID, after.ListID); err != nil {
		return err
	}
	return t.exec(`DELETE FROM reminders`+strangers, after.ID, after.ListID)
}
