package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"taskapi/app"
	"taskapi/app/todo"
)

// A request is undone line by line of the log, the last first, so that every state in between
// is one that there was. Before that, all that it touched is held against what it was made:
// see undo_check.go.

const (
	// maxUndoLines is how many lines a request may have to be undone in one turn.
	maxUndoLines = maxTogether
	// groupLines are the lines of a group (?1). One turn of the writer wrote them one after
	// another.
	groupLines = `SELECT seq, kind, op, entity, scope, coalesce(uid, ''), coalesce(actor, 0), fields, coalesce(undo, '') FROM changes
		WHERE seq >= ?1 AND seq < coalesce((SELECT seq FROM changes WHERE seq > ?1 AND grp <> ?1 ORDER BY seq LIMIT 1), 9223372036854775807) ORDER BY seq LIMIT ?2`
	// prunedTo is the last line whose values are no longer kept.
	prunedTo = `SELECT coalesce((SELECT max(CAST(value AS BIGINT)) FROM meta WHERE name IN ('log_from', 'undo_from')), 0)`
)

// pastLine is a line of the group that is undone.
type pastLine struct {
	line
	fields todo.FieldSet
	undo   values
}

// known reports whether a line changed anything but what is kept for calendar clients alone, of which
// nobody has the text from before.
func (l pastLine) known() bool {
	return l.kind != todo.KindTask || l.op != todo.OpUpdated || l.fields != 0 || len(l.undo) > 0
}

// thing is what a line is about. What one member has alone of a list, or of a task, is a
// thing of its own.
type thing struct {
	kind todo.Kind
	id   int64
}

// fate is what a group as a whole has done to a thing.
type fate int

const (
	fateChanged fate = iota
	fateMade
	fateRestored
	fateDeleted
	// fatePassing is for what was not there before the group, nor after it.
	fatePassing
)

// touched is what a group did to one thing.
type touched struct {
	first, last todo.Op // of those that make it live or not; 0 for none
	keys        map[string]bool
	// list is where the group left a task.
	list int64
	// handled says that it was deleted or brought back by the undo.
	handled bool
}

func (w *touched) fate() fate {
	switch {
	case w.last == todo.OpDeleted && w.first == todo.OpDeleted:
		return fateDeleted
	case w.last == todo.OpDeleted:
		return fatePassing
	case w.first == todo.OpCreated:
		return fateMade
	case w.first == todo.OpRestored:
		return fateRestored
	}
	return fateChanged // or deleted and restored
}

// undoing is the undo of one group.
type undoing struct {
	*tx
	act
	seed  todo.Seed
	asked todo.Undo
	// lines are those of the group, and last is the number of the last.
	lines []pastLine
	last  int64
	// things has what the group touched, and order the same in the order of the log.
	things map[thing]*touched
	order  []thing
	// rows are the tasks that come back, and since what was logged after the group.
	rows  map[int64]trashRow
	since map[thing][]sinceLine
	// before are the tasks that the group left alive, as they are before the undo.
	before map[int64]todo.Task
	// own are the reminders that the caller had on tasks before the undo.
	own map[int64][]todo.Reminder
	// alive are the tasks that the undo leaves, each with its parent, and away counts those
	// that it has put away.
	alive map[int64]int64
	away  int
	// moved are the tasks that it moved to other lists.
	moved []int64
	// owners are those whose trash got more.
	owners map[int64]bool
	// clash is what is in the way.
	clash thing
}

// Undo undoes a request of the caller's, see todo.UndoStore.
func (db *DB) Undo(ctx context.Context, by app.Caller, asked todo.Undo) (todo.Undone, error) {
	var done todo.Undone
	var u *undoing
	err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
		u = &undoing{
			tx: tx, act: act{by, asked.At}, seed: db.seed, asked: asked, things: map[thing]*touched{}, rows: map[int64]trashRow{},
			since: map[thing][]sinceLine{}, alive: map[int64]int64{}, owners: map[int64]bool{}, own: map[int64][]todo.Reminder{},
		}
		if done, err = u.run(); err == nil && asked.Look {
			err = errLooked
		}
		return err
	}))
	switch {
	case errors.Is(err, errLooked):
		return done, nil
	case errors.Is(err, todo.ErrUndoConflict):
		return db.clash(ctx, by, u.clash), err
	}
	return done, err
}

// errLooked takes back an undo that was only to be looked at. Nobody sees it.
var errLooked = errors.New("looked at only")

// clash returns what is in the way of an undo, as the caller sees it.
func (db *DB) clash(ctx context.Context, by app.Caller, what thing) (current todo.Undone) {
	switch what.kind {
	case todo.KindTask, todo.KindReminder:
		if task, err := db.Task(ctx, by, todo.ByID(what.id)); err == nil {
			current.Task = &task
		}
	case todo.KindList, todo.KindMember:
		if list, err := db.List(ctx, by.UserID, todo.ByID(what.id)); err == nil {
			current.List = &list
		}
	}
	return current
}

// conflict returns todo.ErrUndoConflict for a thing.
func (u *undoing) conflict(what thing) error {
	u.clash = what
	return todo.ErrUndoConflict
}

func (u *undoing) run() (done todo.Undone, err error) {
	if err := u.load(); err != nil {
		return done, err
	}
	if err := u.check(); err != nil {
		return done, err
	}
	var newest int64
	if err := u.one(`SELECT max(seq) FROM changes`, nil, &newest); err != nil {
		return done, err
	}
	if err := u.reverseAll(); err != nil {
		return done, err
	}
	err = u.each(`SELECT seq FROM changes WHERE seq > ? ORDER BY seq`, []any{newest}, func(row Row) error {
		var seq int64
		err := row.Scan(&seq)
		done.Changes = append(done.Changes, seq)
		return err
	})
	if err != nil {
		return done, err
	}
	if u.asked.TasksOnly {
		if done.Tasks, err = u.fates(); err != nil {
			return done, err
		}
	}
	return done, u.show(&done)
}

// load reads the group. Returns todo.ErrChangeNotFound, todo.ErrUndoExpired and
// todo.ErrNotUndoable.
func (u *undoing) load() error {
	var pruned, group, actor, at int64
	if err := u.one(prunedTo, nil, &pruned); err != nil {
		return err
	}
	err := u.one(`SELECT grp, coalesce(actor, 0), at FROM changes WHERE seq = ?`, []any{u.asked.Change}, &group, &actor, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows) && u.asked.Change <= pruned:
		return todo.ErrUndoExpired
	case errors.Is(err, sql.ErrNoRows):
		return todo.ErrChangeNotFound
	case err != nil:
		return err
	case actor == 0 || actor != u.by.UserID:
		return todo.ErrChangeNotFound
	case group <= pruned || at <= millis(u.at.Add(-todo.KeepUndo)):
		return todo.ErrUndoExpired
	}
	foreign := false
	err = u.each(groupLines, []any{group, maxUndoLines + 1}, func(row Row) error {
		var l pastLine
		var actor int64
		var text string
		if err := row.Scan(&l.seq, &l.kind, &l.op, &l.entity, &l.scope, &l.uid, &actor, &l.fields, &text); err != nil {
			return err
		}
		foreign = foreign || actor != u.by.UserID
		if text != "" {
			if err := json.Unmarshal([]byte(text), &l.undo); err != nil {
				return err
			}
		}
		u.lines, u.last = append(u.lines, l), l.seq
		return nil
	})
	if err != nil {
		return err
	}
	if foreign || len(u.lines) > maxUndoLines {
		return todo.ErrNotUndoable
	}
	if !slices.ContainsFunc(u.lines, pastLine.known) {
		return todo.ErrNotUndoable
	}
	for _, l := range u.lines {
		u.touch(l)
	}
	for _, l := range u.lines {
		if u.asked.TasksOnly && l.kind != todo.KindTask && l.kind != todo.KindReminder {
			return todo.ErrUndoOfList
		}
		if err := u.undoable(l); err != nil {
			return err
		}
	}
	return nil
}

// touch adds a line to what the group did.
func (u *undoing) touch(l pastLine) {
	key := thing{l.kind, l.entity}
	w := u.things[key]
	if w == nil {
		w = &touched{keys: map[string]bool{}}
		u.things[key] = w
		u.order = append(u.order, key)
	}
	switch l.op {
	case todo.OpCreated, todo.OpRestored, todo.OpDeleted:
		if w.last = l.op; w.first == 0 {
			w.first = l.op
		}
	}
	if l.op != todo.OpOut {
		w.list = l.scope
	}
	for name := range l.undo {
		w.keys[name] = true
	}
}

// fateOf returns what the group did to a thing; fateChanged if it did not touch it.
func (u *undoing) fateOf(kind todo.Kind, id int64) fate {
	if w := u.things[thing{kind, id}]; w != nil {
		return w.fate()
	}
	return fateChanged
}

// undoable returns todo.ErrNotUndoable for a line that can't be undone, and
// todo.ErrUndoExpired for one whose values are gone.
func (u *undoing) undoable(l pastLine) error {
	if l.undo.has(undoInTurns) || l.undo.has(undoPermanent) {
		return todo.ErrNotUndoable
	}
	possible, needs := true, ""
	switch l.kind {
	case todo.KindTask:
		if l.fields != 0 && len(l.undo) == 0 {
			return todo.ErrUndoExpired
		}
	case todo.KindList:
		possible = l.op != todo.OpHandedOver
	case todo.KindMember:
		back := u.fateOf(todo.KindList, l.entity)
		if joined := l.op == todo.OpJoined && l.scope < 0 && (back == fateRestored || back == fatePassing); !joined {
			needs = "archived"
		}
	case todo.KindReminder:
		if u.reminds(l.entity) {
			needs = "reminders"
		}
	default:
		possible = false
	}
	if !possible || needs != "" && !l.undo.has(needs) {
		return todo.ErrNotUndoable
	}
	return nil
}

// reminds reports whether the reminders of a task are to come back: not those of one that goes.
func (u *undoing) reminds(task int64) bool {
	f := u.fateOf(todo.KindTask, task)
	return f == fateChanged || f == fateDeleted
}

// show adds what the group was about, if that is one list, or one task with what is below it.
func (u *undoing) show(done *todo.Undone) error {
	lists, tops := map[int64]bool{}, []int64{}
	for key := range u.things {
		if key.kind == todo.KindList || key.kind == todo.KindMember {
			lists[key.id] = true
		}
	}
	for id, parent := range u.alive {
		if _, within := u.alive[parent]; !within {
			tops = append(tops, id)
		}
	}
	switch {
	case len(lists) == 1:
		for id := range lists {
			list, err := u.list(u.seed, u.by.UserID, todo.ByID(id))
			if err == nil {
				done.List = &list
			} else if !errors.Is(err, todo.ErrListNotFound) {
				return err
			}
		}
	case len(lists) == 0 && len(tops) == 1 && u.away == 0:
		task, err := u.task(tops[0], u.by.UserID, everything(u.by))
		if err == nil {
			done.Task = &task
		} else if !errors.Is(err, todo.ErrTaskNotFound) {
			return err
		}
	}
	return nil
}
