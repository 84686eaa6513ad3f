package todo

import (
	"context"
	"fmt"
	"time"

	"taskapi/app"
)

// A write can be undone by who made it, as long as the log of changes holds the values from
// before. An undo is a write like any other: it is logged, and can itself be undone.

// KeepUndo is how long a write can be undone.
const KeepUndo = 30 * 24 * time.Hour

// The errors of undoing.
var (
	ErrChangeNotFound = &app.Error{Kind: app.KindNotFound, Code: "change_not_found", Message: "Change not found."}
	// ErrUndoConflict says that something is no longer what the change has made it. The
	// task or the list as it is now comes with it, if there is one.
	ErrUndoConflict = &app.Error{Kind: app.KindConflict, Code: "undo_conflict", Message: "It was changed again since, so it can't be undone."}
	ErrUndoExpired  = &app.Error{Kind: app.KindConflict, Code: "undo_expired", Message: fmt.Sprintf("The values from before are no longer kept: a change can be undone for %d days, and a deletion while it is in the trash.", int(KeepUndo.Hours()/24))}
	ErrNotUndoable  = &app.Error{Kind: app.KindConflict, Code: "not_undoable", Message: "This can't be undone: it is not of a kind that can, or changed more than 500 tasks at once. What was deleted may be in the trash, and can be restored from there."}
	// ErrUndoOfList is for who may undo what was done to tasks only.
	ErrUndoOfList = &app.Error{Kind: app.KindConflict, Code: "not_undoable", Message: "This changed a list or its members. Only changes of tasks can be undone here; the person can undo it in the page."}
)

// Undo asks for a request to be undone whole.
type Undo struct {
	// Change is the number of a line that the request wrote into the log.
	Change int64
	At     time.Time
	// KeepTrash says that what the request made goes to the trash.
	KeepTrash bool
	// Most is how many tasks a user may have; 0 is no limit.
	Most int64
	// TasksOnly refuses to undo what was done to lists and members, with ErrUndoOfList, and
	// asks for what becomes of each task.
	TasksOnly bool
	// Look asks for that alone, and nothing is undone.
	Look bool
}

// UndoneTask is what an undo makes of a task.
type UndoneTask struct {
	// Task is as it is now or, if it goes, was.
	Task
	// Was is its version before, 0 if it was deleted.
	Was int64
	// Back and Gone say that it comes back from, or goes to, the trash or nowhere. A task
	// that is neither has its values from before.
	Back, Gone bool
}

// Undone is what an undo has done.
type Undone struct {
	// Changes are the numbers of the lines that it wrote into the log.
	Changes []int64
	// Task or List is what the request was about, as the caller sees it now, or what is in
	// the way with ErrUndoConflict; nil if that is several things, or gone.
	Task *Task
	List *List
	// Tasks are those that the request was about, if the undo asked for them.
	Tasks []UndoneTask
}

// DatesAgree reports whether the dates of a task go with each other, and with how it repeats:
// those from before a change may not go with what others have set since.
func (t Task) DatesAgree() bool {
	c := &DatesChange{due: &t.Dates.Due, start: &t.Dates.Start, zone: &t.Dates.Due.Zone}
	_, err := c.Apply(t.Dates)
	return err == nil && (t.Repeats().Rule == "" || !t.Dates.Due.IsZero())
}

// UndoStore undoes what is in the log of changes.
type UndoStore interface {
	// Undo undoes all of a request of the caller's, or nothing. It returns the errors of
	// undoing, and those of whoever may not write to a task or a list any more.
	Undo(ctx context.Context, by app.Caller, undo Undo) (Undone, error)
}

// Undo undoes the request that wrote a change, whose number the header Change had. It is for
// who made the request, and who still may write there. Returns KindInvalid errors,
// ErrChangeNotFound, ErrUndoExpired, ErrNotUndoable, ErrUndoConflict with what is in the way,
// ErrTaskNotFound, ErrListNotFound, ErrReadOnlyList, ErrNotListOwner, ErrTooManyTasks and
// ErrTooManyLists.
func (t *Tasks) Undo(ctx context.Context, caller app.Caller, change app.Field[int64]) (Undone, error) {
	return t.undo(ctx, caller, change, Undo{})
}

// UndoTasks is Undo for a change of tasks alone, and returns what becomes of each. With look it
// undoes nothing. Returns ErrUndoOfList as well.
func (t *Tasks) UndoTasks(ctx context.Context, caller app.Caller, change int64, look bool) (Undone, error) {
	return t.undo(ctx, caller, app.Given(change), Undo{TasksOnly: true, Look: look})
}

func (t *Tasks) undo(ctx context.Context, caller app.Caller, change app.Field[int64], undo Undo) (Undone, error) {
	p := app.Problems{}
	number := p.Integer("change", change)
	if len(p) == 0 && (number == nil || *number < 1) {
		p.Add("change", "The field change must be the number of a change.")
	}
	if err := p.Err(); err != nil {
		return Undone{}, err
	}
	undo.Change, undo.At, undo.KeepTrash, undo.Most = *number, t.Now(), t.KeepTrash, t.Most
	return t.Store.Undo(ctx, caller, undo)
}
