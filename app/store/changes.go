package store

import (
	"cmp"
	"encoding/json"
	"maps"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// The log of changes. Each change takes the number after that of the newest line, and
// writes it into the rows that it changes. There is one writer, so that the order of the
// numbers is that of the commits.

// nextSeq is the number of the next change, which newestSeq knows without asking.
const nextSeq = `(SELECT coalesce(max(seq), 1) + 1 FROM changes)`

// addToGroup puts a line (?2) into a group (?1).
const addToGroup = `UPDATE changes SET grp = ? WHERE seq = ?`

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
	if t.inTurns {
		l.undo = maps.Clone(l.undo)
		if l.undo == nil {
			l.undo = map[string]any{}
		}
		l.undo[undoInTurns] = true
	}
	undo, err := undoText(l.undo)
	if err != nil {
		return 0, err
	}
	if seq, err = t.newestSeq(); err != nil {
		return 0, err
	}
	seq++
	err = t.exec(`INSERT INTO changes (seq, scope, grp, at, actor, kind, op, entity, fields, uid, undo)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		seq, l.scope, cmp.Or(t.group, seq), millis(a.at), nullID(a.by.UserID), int(l.kind), int(l.op), l.entity, int64(l.fields), nullText(l.uid), undo)
	t.numbered(seq)
	t.first = cmp.Or(t.first, seq)
	t.group = cmp.Or(t.group, seq)
	t.touched = append(t.touched, todo.Touched{Scope: l.scope, Members: l.kind == todo.KindMember || l.kind == todo.KindList})
	return seq, err
}

// undoText is NULL for no values.
func undoText(undo map[string]any) (any, error) {
	if len(undo) == 0 {
		return nil, nil
	}
	raw, err := json.Marshal(undo)
	return string(raw), err
}

// logAll adds a line for each of some tasks in a list, in which nothing changed but whose they are,
// and returns the number before the first of them.
func (t *tx) logAll(a act, list int64, tasks []int64) (newest int64, err error) {
	if newest, err = t.newestSeq(); err != nil {
		return 0, err
	}
	t.numbered(newest + int64(len(tasks)))
	t.first = cmp.Or(t.first, newest+1)
	t.group = cmp.Or(t.group, newest+1)
	for range tasks {
		t.touched = append(t.touched, todo.Touched{Scope: list})
	}
	return newest, t.exec(`INSERT INTO changes (seq, scope, grp, at, actor, kind, op, entity) SELECT ?1 + 1 + key, ?2, ?3, ?4, ?5, ?6, ?7, value FROM json_each(?8)`,
		newest, list, t.group, millis(a.at), nullID(a.by.UserID), int(todo.KindTask), int(todo.OpUpdated), jsonOf(tasks))
}

// join puts a line that a trigger wrote into the group of the request.
func (t *tx) join(seq, scope int64) error {
	t.touched = append(t.touched, todo.Touched{Scope: scope})
	t.first = cmp.Or(t.first, seq)
	if t.group == 0 {
		t.group = seq
		return nil
	}
	return t.exec(addToGroup, t.group, seq)
}

// undoOf returns the values that a task had before a change in the fields that it touched.
func undoOf(t todo.Task, fields todo.FieldSet) map[string]any {
	undo := map[string]any{}
	for field, value := range map[todo.FieldSet]func(){
		todo.FieldTitle:       func() { undo["title"] = t.Title },
		todo.FieldDescription: func() { undo["description"] = t.Description },
		todo.FieldCompleted:   func() { undo["completed_at"] = optionalMillis(t.CompletedAt) },
		todo.FieldPriority:    func() { undo["priority"] = int(t.Priority) },
		todo.FieldDue:         func() { undo["due"], undo["due_zone"] = dueText(t.Dates.Due), t.Dates.Due.Zone },
		todo.FieldStart:       func() { undo["start"] = dueText(t.Dates.Start) },
		todo.FieldLabels:      func() { undo["labels"] = labelsOrNil(t.Labels) },
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

// What a line of the log says in its undo beside the values from before.
const (
	// undoPermanent says that nothing was kept of what was deleted.
	undoPermanent = "permanent"
	// undoRemoved holds all that a task was which did not go to the trash.
	undoRemoved = "removed"
	// undoRecorded says that a task came back from such a line, and not from the trash.
	undoRecorded = "recorded"
	// undoReminders holds the reminders that a change has ended, of everybody.
	undoReminders = "lost_reminders"
	// undoInTurns says that the line is of a request that took several turns, of which
	// no group is the whole.
	undoInTurns = "in_turns"
)

// permanently is the undo of what was deleted for good.
func permanently() map[string]any { return map[string]any{undoPermanent: true} }

// undoOfSave returns what save puts into the log to undo it.
func (t *tx) undoOfSave(before, after todo.Task, fields todo.FieldSet) (map[string]any, error) {
	undo := undoOf(before, fields)
	if before.RecurrenceOf != after.RecurrenceOf {
		maps.Copy(undo, undoOfCopy(before))
	}
	lost, err := t.lostReminders(before, after, fields)
	if len(lost) > 0 {
		undo[undoReminders] = lost
	}
	return undo, err
}

// undoOfCopy returns what makes a task the copy that it was.
func undoOfCopy(t todo.Task) map[string]any {
	return map[string]any{"recurrence_of": t.RecurrenceOf, "was": t.Was.Rule, "was_from": t.Was.FromCompletion, "was_start": dueText(t.Was.Start)}
}

// undoOfRestore returns what a task was in the trash and is no more, since what it was in, below or
// assigned to is gone.
func undoOfRestore(r trashRow, now todo.Task) map[string]any {
	undo := map[string]any{}
	if now.ListID != r.task.ListID {
		undo["list_id"] = r.task.ListID
	}
	if now.ParentID != r.data.Parent {
		undo["parent_id"] = r.data.Parent
	}
	if now.AssigneeID != r.data.Assignee {
		undo["assignee_id"] = r.data.Assignee
	}
	return undo
}

// lostReminders returns the reminders that go with a change of a task: those that are relative
// to a date that it has no more, and those of who is no member where it goes.
func (t *tx) lostReminders(before, after todo.Task, fields todo.FieldSet) (lost [][4]int64, err error) {
	undated := fields&todo.FieldDue != 0 && after.Dates.Due.IsZero()
	if !undated && before.ListID == after.ListID {
		return nil, nil
	}
	err = t.each(`SELECT user_id, coalesce(at, -1), coalesce(before, -1), id FROM reminders WHERE task_id = ?1
		AND (?2 AND before IS NOT NULL OR user_id NOT IN (SELECT user_id FROM members WHERE list_id = ?3))`, []any{before.ID, undated, after.ListID}, func(row Row) error {
		var r [4]int64
		err := row.Scan(&r[0], &r[1], &r[2], &r[3])
		lost = append(lost, r)
		return err
	})
	return lost, err
}

// labelsOrNil returns labels in the one form that the log has them in.
func labelsOrNil(labels []string) []string {
	if len(labels) == 0 {
		return nil
	}
	return labels
}

// optionalMillis is nil for a time that is not set.
func optionalMillis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := millis(t)
	return &ms
}

// dueText is empty for a date that is not set.
func dueText(d todo.Due) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}
