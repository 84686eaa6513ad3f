package todo

import (
	"context"
	"time"

	"taskapi/app"
)

// Limits of a task, in characters.
const (
	MaxTitle       = 100
	MaxDescription = 10000
)

// Task is one thing to do.
type Task struct {
	ID          int64
	UserID      int64
	Title       string
	Description string
	CreatedAt   time.Time
	// CompletedAt is when the task last went from open to completed; zero
	// while it is open.
	CompletedAt time.Time
	Priority    Priority
	Dates       Dates
	// Version grows with each change of the task; no two changes of the database have
	// the same.
	Version int64
	// DueAt is the moment of a due that has a zone, else zero.
	DueAt time.Time
}

// Completed reports whether the task is done.
func (t Task) Completed() bool { return !t.CompletedAt.IsZero() }

// TaskInput is what a client says of a task. On a change, what is absent stays as it
// is; so does a null of the first four, and any other null clears.
type TaskInput struct {
	Title       app.Field[string]
	Description app.Field[string]
	Completed   app.Field[bool]
	UserID      app.Field[int64]
	Priority    app.Field[string]
	Dates       DatesInput
	// Match is a condition on what is changed; nil is none.
	Match *Match
}

// NewTask is a checked task that has no id yet.
type NewTask struct {
	UserID      int64
	Title       string
	Description string
	CreatedAt   time.Time
	CompletedAt time.Time // zero for an open task
	Priority    Priority
	Dates       Dates
	// Most is how many tasks the user may have; 0 is no limit.
	Most int64
}

// TaskChange is a checked partial update. Nil leaves the value as it is.
type TaskChange struct {
	Title       *string
	Description *string
	Completed   *bool
	UserID      *int64
	Priority    *Priority
	Dates       *DatesChange
	// Match must hold, else ErrChangedMeanwhile.
	Match *Match
	// Now becomes the completion time when the task goes from open to done.
	Now time.Time
	// Most is how many tasks another user may have whom the task is given to;
	// 0 is no limit.
	Most int64
}

// TaskStore keeps tasks. A user with as many as they may have gets no more:
// ErrTooManyTasks. A task beyond the reach of the owner or the caller
// does not exist: ErrTaskNotFound. A user_id without a user is ErrNoSuchUser.
// Who may not act any more when the change is made gets ErrSessionEnded. Where a Match
// does not hold, the task as it is comes back with ErrChangedMeanwhile.
type TaskStore interface {
	CreateTask(ctx context.Context, by app.Caller, task NewTask) (Task, error)
	Task(ctx context.Context, owner app.Owner, id int64) (Task, error)
	Tasks(ctx context.Context, userID int64, page app.PageRequest) (app.Page[Task], error)
	UpdateTask(ctx context.Context, by app.Caller, id int64, change TaskChange) (Task, error)
	// DeleteTask removes a task and returns it.
	DeleteTask(ctx context.Context, by app.Caller, id int64, match *Match) (Task, error)
}

// Tasks are the use cases of tasks. Another user's task is ErrTaskNotFound to
// everybody but an admin, so that ids tell nothing.
type Tasks struct {
	Store TaskStore
	Now   func() time.Time
	// Most is how many tasks a user may have; 0 is no limit.
	Most int64
}

// TitleRule is the rule of a title, for a creation or a change.
func TitleRule(create bool) app.TextRule {
	return app.TextRule{Name: "title", Min: 1, Max: MaxTitle, Required: create, Trim: true}
}

// DescriptionRule is the rule of a description.
func DescriptionRule() app.TextRule {
	return app.TextRule{Name: "description", Max: MaxDescription, Multiline: true}
}

// Create adds a task for the caller or, when an admin says so, for another
// user. Returns KindInvalid errors, ErrForbidden for someone else's user_id, and
// ErrTooManyTasks.
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
	if err := in.Dates.explain(p); err != nil {
		return Task{}, err
	}
	now := t.Now()
	task := NewTask{UserID: owner, Title: *title, CreatedAt: now, Dates: dates, Most: t.Most}
	if priority != nil {
		task.Priority = *priority
	}
	if description != nil {
		task.Description = *description
	}
	if completed != nil && *completed {
		task.CompletedAt = now
	}
	return t.Store.CreateTask(ctx, caller, task)
}

// Get returns one task of the caller's, or of anybody's for an admin.
func (t *Tasks) Get(ctx context.Context, caller app.Caller, id int64) (Task, error) {
	return t.Store.Task(ctx, caller.Owner(), id)
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
	return t.Store.Tasks(ctx, userID, page)
}

// Update changes what the input names and nothing else. Returns KindInvalid errors,
// ErrTaskNotFound, ErrForbidden, ErrTooManyTasks, and ErrChangedMeanwhile with the task
// as it is.
func (t *Tasks) Update(ctx context.Context, caller app.Caller, id int64, in TaskInput) (Task, error) {
	p := app.Problems{}
	change := TaskChange{
		Title:       p.Text(TitleRule(false), in.Title),
		Description: p.Text(DescriptionRule(), in.Description),
		Completed:   p.Boolean("completed", in.Completed),
		UserID:      p.Integer("user_id", in.UserID),
		Priority:    readPriority(p, in.Priority),
		Dates:       in.Dates.read(p),
		Match:       in.Match,
		Now:         t.Now(),
		Most:        t.Most,
	}
	err := in.Dates.explain(p)
	if change.UserID != nil && *change.UserID != caller.UserID && !caller.Admin() {
		err = caller.Refused()
	}
	if err == nil {
		return t.Store.UpdateTask(ctx, caller, id, change)
	}
	// A task that is not the caller's is not found, whatever else is wrong.
	if _, missing := t.Store.Task(ctx, caller.Owner(), id); missing != nil {
		return Task{}, missing
	}
	return Task{}, err
}

// Delete removes a task for good. Returns ErrTaskNotFound, and ErrChangedMeanwhile with
// the task as it is.
func (t *Tasks) Delete(ctx context.Context, caller app.Caller, id int64, match *Match) (Task, error) {
	return t.Store.DeleteTask(ctx, caller, id, match)
}
