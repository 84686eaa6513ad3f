package todo

import (
	"context"
	"time"

	"taskapi/app"
)

// TaskStore keeps tasks. A user with as many as they may have gets no more:
// ErrTooManyTasks. A task beyond the reach of the caller does not exist: ErrTaskNotFound;
// one in a list that the caller may only read is not changed: ErrReadOnlyList. A user_id
// without a user is ErrNoSuchUser. Who may not act any more when the change is made gets
// ErrSessionEnded. Where a Match does not hold, the task as it is comes back with
// ErrChangedMeanwhile.
type TaskStore interface {
	UndoStore
	// CreateTask returns the task that has the uid already with ErrExists, and else
	// ErrInTrash or ErrUIDTaken.
	CreateTask(ctx context.Context, by app.Caller, task NewTask) (Task, error)
	Task(ctx context.Context, by app.Caller, ref Ref) (Task, error)
	// TasksBelow returns all that is below a task, each after what it is below.
	TasksBelow(ctx context.Context, by app.Caller, ref Ref) ([]Task, error)
	Tasks(ctx context.Context, by app.Caller, userID int64, page app.PageRequest) (app.Page[Task], error)
	FindTasks(ctx context.Context, find Find) (Found, error)
	// Trash goes on after a place in it, whose Number is when it was deleted; nil from the
	// beginning.
	Trash(ctx context.Context, userID int64, list Ref, page app.PageRequest, after *Cursor) (app.Page[TrashedTask], error)
	Counts(ctx context.Context, userID int64, now Now) (Counts, error)
	TimeZone(ctx context.Context, userID int64) (string, error)
	UpdateTask(ctx context.Context, by app.Caller, ref Ref, change TaskChange) (Updated, error)
	// MayChange and MayAdd return why a caller may not do so, else nil.
	MayChange(ctx context.Context, by app.Caller, ref Ref) error
	MayAdd(ctx context.Context, by app.Caller, task NewTask) error
	MoveTask(ctx context.Context, by app.Caller, ref Ref, move Move) (Task, error)
	// DeleteTask moves a task and all below it to the trash, or removes them for good,
	// from the trash as well. It returns the task.
	DeleteTask(ctx context.Context, by app.Caller, ref Ref, gone Removal) (Task, error)
	RestoreTask(ctx context.Context, by app.Caller, ref Ref, match *Match, at time.Time, most int64) (Task, error)
	EmptyTrash(ctx context.Context, by app.Caller) (int64, error)
	Labels(ctx context.Context, userID int64) ([]Label, error)
	// RenameLabel gives a label another name in all lists that the caller may change, or
	// removes it with an empty one, and returns how many tasks it changed.
	RenameLabel(ctx context.Context, by app.Caller, key, name string, at time.Time) (int64, error)
}

// Removal says how a task is deleted.
type Removal struct {
	// Permanent leaves nothing of it.
	Permanent bool
	At        time.Time
	Match     *Match
}

// Tasks are the use cases of tasks. Another user's task is ErrTaskNotFound to
// everybody but the members of its list and an admin, so that ids tell nothing.
type Tasks struct {
	Store TaskStore
	Now   func() time.Time
	// Most is how many tasks a user may have; 0 is no limit.
	Most int64
	// KeepTrash says that what is deleted goes to the trash.
	KeepTrash bool
	// Lineage is that of the database, which cursors are of.
	Lineage string
}

// Create adds a task for the caller or, when an admin says so, for another
// user. Returns KindInvalid errors, ErrForbidden for someone else's user_id,
// ErrTooManyTasks, ErrListNotFound, ErrTaskNotFound for the parent, ErrReadOnlyList, and
// what CreateTask of the store returns for a uid.
func (t *Tasks) Create(ctx context.Context, caller app.Caller, in TaskInput) (Task, error) {
	owner := caller.UserID
	if in.UserID.State == app.Present {
		owner = in.UserID.Value
	}
	if owner != caller.UserID && !caller.Admin() {
		return Task{}, caller.Refused()
	}
	p := app.Problems{}
	title := p.Text(TitleRule(true), in.Title)
	description := p.Text(DescriptionRule(), in.Description)
	completed := p.Boolean("completed", in.Completed)
	p.Integer("user_id", in.UserID)
	priority := readPriority(p, in.Priority)
	dates := NewDates(p, in.Dates)
	labels, repetition, reminders := in.Labels.read(p), in.Repetition.read(p), readReminders(p, in.Reminders)
	assignee := readAssignee(p, in.Assignee)
	uid := readUID(p, in.UID)
	list, parent := readRef(p, "list_id", in.List), readRef(p, "parent_id", in.Parent)
	err := in.Dates.explain(p)
	if err != nil {
		return Task{}, t.explainAdding(ctx, caller, owner, list, parent, err)
	}
	now := t.Now()
	task := NewTask{UserID: owner, Title: *title, CreatedAt: now, Dates: dates, UID: uid, Most: t.Most, Labels: labels.apply(p, nil), Position: in.Position}
	if task.Repetition, err = repetition.apply(Repetition{}, dates.Due); err != nil {
		return Task{}, err
	}
	if priority != nil {
		task.Priority = *priority
	}
	if description != nil {
		task.Description = *description
	}
	if completed != nil && *completed {
		task.CompletedAt = now
	}
	if reminders != nil {
		task.Reminders = *reminders
	}
	if assignee != nil {
		task.AssigneeID = *assignee
	}
	if list != nil {
		task.List = *list
	}
	if parent != nil {
		task.Parent = *parent
	}
	if err := checkReminders(Task{Dates: dates, Reminders: task.Reminders}); err != nil {
		return Task{}, err
	}
	return t.Store.CreateTask(ctx, caller, task)
}

// explainAdding returns the error of a wrong request, of which somebody learns nothing for whom
// the place does not exist.
func (t *Tasks) explainAdding(ctx context.Context, caller app.Caller, owner int64, list, parent *Ref, wrong error) error {
	place := NewTask{UserID: owner}
	if list != nil {
		place.List = *list
	}
	if parent != nil {
		place.Parent = *parent
	}
	if place.List.None() && place.Parent.None() {
		return wrong
	}
	if err := t.Store.MayAdd(ctx, caller, place); err != nil {
		return err
	}
	return wrong
}

// readRef checks a field that names a task or a list; null names none. Returns nil
// without one.
func readRef(p app.Problems, name string, field app.Field[Ref]) *Ref {
	switch field.State {
	case app.Absent:
		return nil
	case app.Mistyped:
		p.Add(name, "The field "+name+" must be an id or a uid.")
	}
	return &field.Value
}

// readAssignee checks the field of a request; null is nobody. Returns nil without one.
func readAssignee(p app.Problems, field app.Field[int64]) *int64 {
	switch field.State {
	case app.Absent:
		return nil
	case app.Mistyped:
		p.Add("assignee_id", "The field assignee_id must be an integer.")
	}
	return &field.Value
}

// Get returns one task of the caller's, or of anybody's for an admin.
func (t *Tasks) Get(ctx context.Context, caller app.Caller, ref Ref) (Task, error) {
	return t.Store.Task(ctx, caller, ref)
}

// Below returns all that is below a task, each after what it is below.
func (t *Tasks) Below(ctx context.Context, caller app.Caller, ref Ref) ([]Task, error) {
	return t.Store.TasksBelow(ctx, caller, ref)
}

// MayChange returns why a caller may not change a task, else nil.
func (t *Tasks) MayChange(ctx context.Context, caller app.Caller, ref Ref) error {
	return t.Store.MayChange(ctx, caller, ref)
}

// List returns a page of the caller's tasks in the order of their ids. An
// admin may ask for another user's with a userID other than 0; anybody else
// who does gets ErrForbidden.
func (t *Tasks) List(ctx context.Context, caller app.Caller, userID int64, page app.PageRequest) (app.Page[Task], error) {
	if userID == 0 {
		userID = caller.UserID
	}
	if userID != caller.UserID && !caller.Admin() {
		return app.Page[Task]{}, caller.Refused()
	}
	if err := page.Check(); err != nil {
		return app.Page[Task]{}, err
	}
	return t.Store.Tasks(ctx, caller, userID, page)
}

// Update changes what the input names and nothing else. Returns KindInvalid errors,
// ErrTaskNotFound, ErrForbidden, ErrReadOnlyList, ErrListNotFound, ErrTooManyTasks, and
// ErrChangedMeanwhile with the task as it is.
func (t *Tasks) Update(ctx context.Context, caller app.Caller, ref Ref, in TaskInput) (Updated, error) {
	p := app.Problems{}
	in = in.merged(p)
	change := TaskChange{
		Title:       p.Text(TitleRule(false), in.Title),
		Description: p.Text(DescriptionRule(), in.Description),
		Completed:   p.Boolean("completed", in.Completed),
		UserID:      p.Integer("user_id", in.UserID),
		Priority:    readPriority(p, in.Priority),
		Dates:       in.Dates.read(p),
		Parent:      readRef(p, "parent_id", in.Parent),
		Reminders:   readReminders(p, in.Reminders),
		AssigneeID:  readAssignee(p, in.Assignee),
		labels:      in.Labels.read(p),
		repetition:  in.Repetition.read(p),
		Match:       in.Match,
		Now:         t.Now(),
		Most:        t.Most,
	}
	if list := readRef(p, "list_id", in.List); list != nil && !list.None() {
		change.List = list
	}
	err := in.Dates.explain(p)
	if err == nil {
		return t.Store.UpdateTask(ctx, caller, ref, change)
	}
	// A task that is not the caller's is not found, whatever else is wrong.
	if missing := t.Store.MayChange(ctx, caller, ref); missing != nil {
		return Updated{}, missing
	}
	return Updated{}, err
}

// merged returns the input of a merge patch (RFC 7396) as one of a plain change: null
// removes what can be removed, and what can't is noted.
func (in TaskInput) merged(p app.Problems) TaskInput {
	if !in.Merge {
		return in
	}
	if in.Description.State == app.Null {
		in.Description = app.Given("")
	}
	for name, null := range map[string]bool{
		"title": in.Title.State == app.Null, "completed": in.Completed.State == app.Null,
		"list_id": in.List.State == app.Null, "priority": in.Priority.State == app.Null,
	} {
		if null {
			p.Add(name, "The field "+name+" can't be removed.")
		}
	}
	return in
}

// Delete moves a task with all below it to the trash, or removes it for good. Returns
// ErrTaskNotFound, ErrReadOnlyList, and ErrChangedMeanwhile with the task as it is.
func (t *Tasks) Delete(ctx context.Context, caller app.Caller, ref Ref, permanent bool, match *Match) (Task, error) {
	return t.Store.DeleteTask(ctx, caller, ref, Removal{Permanent: permanent || !t.KeepTrash, At: t.Now(), Match: match})
}

// Restore brings a task back from the trash with what was deleted together with it.
// Returns ErrTaskNotFound, ErrReadOnlyList, ErrNotInTrash, ErrTooManyTasks, and
// ErrChangedMeanwhile with the task as it is.
func (t *Tasks) Restore(ctx context.Context, caller app.Caller, ref Ref, match *Match) (Task, error) {
	return t.Store.RestoreTask(ctx, caller, ref, match, t.Now(), t.Most)
}

// EmptyTrash removes for good what is in the trash of the caller's own lists, and returns
// how many tasks that were.
func (t *Tasks) EmptyTrash(ctx context.Context, caller app.Caller) (int64, error) {
	return t.Store.EmptyTrash(ctx, caller)
}

// Labels returns the labels of all tasks that the caller sees, by name.
func (t *Tasks) Labels(ctx context.Context, caller app.Caller) ([]Label, error) {
	return t.Store.Labels(ctx, caller.UserID)
}

// RenameLabel gives a label another name, on all tasks that the caller may change; one of
// that name that a task has already stays. Returns KindInvalid errors and
// ErrLabelNotFound.
func (t *Tasks) RenameLabel(ctx context.Context, caller app.Caller, label string, to app.Field[string]) (int64, error) {
	p := app.Problems{}
	name := p.Text(LabelRule(), to)
	if name != nil {
		CheckLabels(p, "name", []string{*name})
	}
	if err := p.Err(); err != nil {
		return 0, err
	}
	return t.Store.RenameLabel(ctx, caller, LabelKey(label), *name, t.Now())
}

// RemoveLabel takes a label off all tasks that the caller may change. Returns
// ErrLabelNotFound.
func (t *Tasks) RemoveLabel(ctx context.Context, caller app.Caller, label string) (int64, error) {
	return t.Store.RenameLabel(ctx, caller, LabelKey(label), "", t.Now())
}
