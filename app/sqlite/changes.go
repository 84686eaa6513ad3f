package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// The log of changes. Each change takes the number after that of the newest line, and
// writes it into the rows that it changes. There is one writer, so that the order of the
// numbers is that of the commits.

// nextSeq is the number of the next change. 1 is what an upgrade gave to all that there was.
const nextSeq = `(SELECT coalesce(max(seq), 1) + 1 FROM changes)`

// logged is a line of the log that has no number yet.
type logged struct {
	scope  int64
	kind   todo.Kind
	op     todo.Op
	entity int64
	fields todo.FieldSet
	uid    string
	// undo holds the values from before; nil for none.
	undo map[string]any
}

// act says who makes a change, and when.
type act struct {
	by app.Caller
	at time.Time
}

// log adds a line, and returns its number.
func (t *tx) log(a act, l logged) (seq int64, err error) {
	var undo any
	if len(l.undo) > 0 {
		raw, err := json.Marshal(l.undo)
		if err != nil {
			return 0, err
		}
		undo = string(raw)
	}
	err = t.one(`INSERT INTO changes (seq, scope, grp, at, actor, kind, op, entity, fields, uid, undo)
		VALUES (`+nextSeq+`, ?1, coalesce(nullif(?2, 0), `+nextSeq+`), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING seq`,
		[]any{l.scope, t.group, millis(a.at), nullID(a.by.UserID), int(l.kind), int(l.op), l.entity, int64(l.fields), nullText(l.uid), undo}, &seq)
	t.changed, t.first = true, cmp.Or(t.first, seq)
	t.group = cmp.Or(t.group, seq)
	t.touched = append(t.touched, todo.Touched{Scope: l.scope, Members: l.kind == todo.KindMember || l.kind == todo.KindList})
	return seq, err
}

// join puts a line that a trigger wrote into the group of the request.
func (t *tx) join(seq, scope int64) error {
	t.touched = append(t.touched, todo.Touched{Scope: scope})
	t.first = cmp.Or(t.first, seq)
	if t.group == 0 {
		t.group = seq
		return nil
	}
	return t.exec(`UPDATE changes SET grp = ? WHERE seq = ?`, t.group, seq)
}

// undoOf returns the values that a task had before a change in the fields that it touched.
func undoOf(t todo.Task, fields todo.FieldSet) map[string]any {
	undo := map[string]any{}
	for field, value := range map[todo.FieldSet]func(){
		todo.FieldTitle:       func() { undo["title"] = t.Title },
		todo.FieldDescription: func() { undo["description"] = t.Description },
		todo.FieldCompleted:   func() { undo["completed_at"] = nullMillis(t.CompletedAt) },
		todo.FieldPriority:    func() { undo["priority"] = int(t.Priority) },
		todo.FieldDue:         func() { undo["due"], undo["due_zone"] = dueText(t.Dates.Due), t.Dates.Due.Zone },
		todo.FieldStart:       func() { undo["start"] = dueText(t.Dates.Start) },
		todo.FieldLabels:      func() { undo["labels"] = t.Labels },
		todo.FieldRecurrence: func() {
			undo["recurrence"], undo["recurrence_from"], undo["recurrence_start"] = t.Repetition.Rule, t.Repetition.FromCompletion, dueText(t.Repetition.Start)
		},
		todo.FieldAssignee: func() { undo["assignee_id"] = t.AssigneeID },
		todo.FieldParent:   func() { undo["parent_id"] = t.ParentID },
		todo.FieldPosition: func() { undo["position"] = t.Position },
		todo.FieldList:     func() { undo["list_id"] = t.ListID },
	} {
		if fields&field != 0 {
			value()
		}
	}
	return undo
}

// dueText is empty for a date that is not set.
func dueText(d todo.Due) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// keepUndo is how long the log holds the values from before.
const keepUndo = 30 * 24 * time.Hour

// oldChanges selects the oldest lines of the log that are old (?1, a time), at most ?2, but
// neither the newest of all nor those whose words are not collected yet.
const oldChanges = `SELECT seq FROM (SELECT seq, at FROM changes WHERE seq > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?3), 0)
	AND seq < (SELECT max(seq) FROM changes) AND seq <= coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'words_to'), 0)
	ORDER BY seq LIMIT ?2) WHERE at <= ?1`

// pruneChanges removes old lines of the log, a chunk at a time, and returns how many. Of
// younger ones it removes the values from before, when those are old.
func (db *DB) pruneChanges(ctx context.Context, keep Keep) (removed int64, err error) {
	const chunk = 1000
	for _, one := range []struct {
		mark, query string
		before      time.Time
	}{
		{"undo_from", `UPDATE changes SET undo = NULL WHERE seq IN (` + oldChanges + `)`, db.now().Add(-keepUndo)},
		{"", `DELETE FROM changes WHERE seq IN (` + oldChanges + `)`, db.now().Add(-keep.Changes)},
	} {
		for n := int64(chunk); n == chunk; {
			reader, err := db.read(ctx)
			if err != nil {
				return removed, err
			}
			var last sql.NullInt64
			if err := reader.one(`SELECT (SELECT max(seq) FROM (`+oldChanges+`))`, []any{millis(one.before), chunk, one.mark}, &last); err != nil {
				return removed, translate(err)
			}
			if !last.Valid {
				break
			}
			err = db.write(ctx, func(tx *tx) (err error) {
				n, err = tx.change(one.query, millis(one.before), chunk, one.mark)
				mark := "log_from"
				if one.mark != "" {
					mark = one.mark
				}
				return errors.Join(err, tx.exec(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value`, mark, fmt.Sprint(last.Int64)))
			})
			if err != nil {
				return removed, err
			}
			if one.mark == "" {
				removed += n
			}
		}
	}
	return removed, nil
}
