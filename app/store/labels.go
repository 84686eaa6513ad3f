package store

import (
	"context"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// Labels returns the labels on all tasks that a user sees, in the order of their keys, each
// in the spelling of its newest task.
func (db *DB) Labels(ctx context.Context, userID int64) ([]todo.Label, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	labels := []todo.Label{}
	err = tx.each(`SELECT key, open, total, (SELECT labels FROM tasks WHERE id = newest) FROM (
		SELECT k.key AS key, count(*) FILTER (WHERE t.done = 0) AS open, count(*) AS total, max(t.id) AS newest
		FROM task_labels k JOIN tasks t ON t.id = k.task_id
		WHERE k.list_id IN (SELECT list_id FROM members WHERE user_id = ?) GROUP BY k.key) AS labels ORDER BY key`+sorts, []any{userID}, func(row Row) error {
		var label todo.Label
		var key string
		var names jsonTexts
		if err := row.Scan(&key, &label.Open, &label.Total, &names); err != nil {
			return err
		}
		label.Name = key
		for _, name := range names {
			if todo.LabelKey(name) == key {
				label.Name = name
			}
		}
		labels = append(labels, label)
		return nil
	})
	return labels, translate(err)
}

// labelChunk is how many tasks get another label in one turn.
const labelChunk = 500

// RenameLabel gives a label another name on the tasks of all lists that the caller may
// change, or takes it off, a chunk in each turn. A request that is cut in between is
// repeated, and goes on. Returns todo.ErrLabelNotFound.
func (db *DB) RenameLabel(ctx context.Context, by app.Caller, key, name string, at time.Time) (changed int64, err error) {
	found := false
	for after := int64(0); ; {
		var n int64
		var more bool
		var tasks []todo.Task
		err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
			n = 0
			tasks, err = tx.tasks(`SELECT `+taskColumns+` FROM tasks WHERE id IN (SELECT task_id FROM task_labels
					WHERE list_id IN (SELECT list_id FROM members WHERE user_id = ?2 AND role >= 2) AND key = ?3)
				AND id > ?4 ORDER BY id LIMIT ?5`+sorts, nil, by.UserID, key, after, labelChunk+1)
			if err != nil {
				return err
			}
			if more = len(tasks) > labelChunk; more {
				tasks = tasks[:labelChunk]
			}
			tx.inTurns = (more || after > 0) && db.outerOf(ctx) == nil
			for _, task := range tasks {
				labels, differs := todo.Renamed(task.Labels, key, name)
				if !differs {
					continue
				}
				other := task
				other.Labels = labels
				if _, err := tx.save(act{by, at}, task, other, todo.OpUpdated); err != nil {
					return err
				}
				n++
			}
			return nil
		}))
		if err != nil {
			return changed, err
		}
		changed += n
		found = found || len(tasks) > 0
		if !more {
			if !found {
				return 0, todo.ErrLabelNotFound
			}
			return changed, nil
		}
		after = tasks[len(tasks)-1].ID
	}
}
