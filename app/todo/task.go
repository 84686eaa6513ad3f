package todo

import (
	"slices"
	"time"

	"taskapi/app"
)

// Limits of a task, in characters.
const (
	MaxTitle       = 100
	MaxDescription = 10000
)

// Limits of subtasks.
const (
	MaxDepth    = 4 // levels, the topmost included
	MaxChildren = 500
	// MaxTree is how many tasks there are below one at the top, itself included: what is
	// moved or deleted with it fits one turn of the database.
	MaxTree = 2000
)

// MaxCopies is how many completed copies of a repeating task are kept, the newest.
const MaxCopies = 366

// positionStep is what lies between the positions of two tasks made one after another.
const positionStep = 1024

// Task is one thing to do.
type Task struct {
	ID int64
	// UserID owns the list.
	UserID      int64
	ListID      int64
	Title       string
	Description string
	CreatedAt   time.Time
	// CompletedAt is when the task last went from open to completed; zero
	// while it is open.
	CompletedAt time.Time
	UpdatedAt   time.Time
	// CreatedBy is 0 if nobody knows.
	CreatedBy int64
	// UID is the one that its client chose; empty for a derived one.
	UID string
	// ParentID is 0 at the top.
	ParentID   int64
	AssigneeID int64 // 0 for nobody
	// Position orders siblings, the least first.
	Position   int64
	Priority   Priority
	Labels     []string
	Dates      Dates
	Repetition Repetition
	// Exceptions are the days that the repetition leaves out, there only where it moves on.
	Exceptions []time.Time
	// Series is how it repeats where Repetition does not say so, there only where it moves on.
	Series Series
	// RecurrenceOf is the task of which this is a completed copy, 0 for another.
	RecurrenceOf int64
	// Was is how the task repeated of which this is a copy.
	Was Repetition
	// Reminders are the reader's own.
	Reminders []Reminder
	// Version grows with each change of the task; no two changes of the database have
	// the same.
	Version int64
	// OwnVersion is that of the reader's reminders, 0 without any.
	OwnVersion int64
	// DueAt is the moment of a due that has a zone, else zero.
	DueAt time.Time
}

// Completed reports whether the task is done.
func (t Task) Completed() bool { return !t.CompletedAt.IsZero() }

// Stamp is what a reader knows the task by.
func (t Task) Stamp() Stamp { return Stamp{t.Version, t.OwnVersion} }

// DefaultPosition is where a task is that was never moved: before all older ones.
func DefaultPosition(id int64) int64 { return -positionStep * id }

// TaskInput is what a client says of a task. On a change, what is absent stays as it
// is; so does a null of the first four, and any other null clears.
type TaskInput struct {
	Title       app.Field[string]
	Description app.Field[string]
	Completed   app.Field[bool]
	UserID      app.Field[int64]
	Priority    app.Field[string]
	Dates       DatesInput
	UID         app.Field[string]
	List        app.Field[Ref]
	Parent      app.Field[Ref]
	Labels      LabelsInput
	Repetition  RepetitionInput
	Reminders   app.Field[[]map[string]string]
	Assignee    app.Field[int64]
	// Position is where a new task goes among its siblings; nil for before them.
	Position *int64
	// Merge says that null removes, wherever it stands (RFC 7396).
	Merge bool
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
	UID         string // empty for a derived one
	// List is where it goes, none for the user's Inbox or the list of the parent.
	List       Ref
	Parent     Ref
	Labels     []string
	Repetition Repetition
	Reminders  []Reminder
	AssigneeID int64
	// Position is nil for the default.
	Position *int64
	// RecurrenceOf and Was are for a completed copy.
	RecurrenceOf int64
	Was          Repetition
	// Most is how many tasks the user may have; 0 is no limit.
	Most int64
}

// Updated is a task after a change, and what else the change has made.
type Updated struct {
	Task
	// Copy is the completed copy of a repeating task that moved on; else nil.
	Copy *Task
}

// TaskChange is a checked partial update. Nil leaves the value as it is.
type TaskChange struct {
	Title       *string
	Description *string
	Completed   *bool
	UserID      *int64
	Priority    *Priority
	Dates       *DatesChange
	List        *Ref
	Parent      *Ref // none: to the top
	Reminders   *[]Reminder
	AssigneeID  *int64 // 0: nobody
	labels      *labelsChange
	repetition  *repetitionChange
	// completedAt is when it was completed, if that was before Now; else zero.
	completedAt time.Time
	// put is the text that a calendar client has put; nil for any other change.
	put []byte
	// Match must hold, else ErrChangedMeanwhile.
	Match *Match
	// Now becomes the completion time when the task goes from open to done.
	Now time.Time
	// Most is how many tasks another user may have whom the task is given to;
	// 0 is no limit.
	Most int64
}

// DoneAt returns when a task is completed that the change completes at a moment.
func (c TaskChange) DoneAt(at time.Time) time.Time {
	if !c.completedAt.IsZero() {
		return c.completedAt
	}
	return at
}

// Put returns the text that a calendar client has put, nil for any other change.
func (c TaskChange) Put() []byte { return c.put }

// ForOriginal returns what of a change of a completed copy is for the task that it is a copy
// of, when that goes back to its date: neither where it is, nor its dates, nor how it repeats.
func (c TaskChange) ForOriginal() TaskChange {
	c.Dates, c.repetition, c.Reminders, c.List, c.Parent, c.UserID = nil, nil, nil, nil, nil, nil
	return c
}

// OwnOnly reports whether the change concerns nobody but its caller, who may only read the
// list.
func (c TaskChange) OwnOnly() bool {
	return c.Reminders != nil && c.Title == nil && c.Description == nil && c.Completed == nil && c.UserID == nil && c.Priority == nil &&
		c.Dates == nil && c.List == nil && c.Parent == nil && c.AssigneeID == nil && c.labels == nil && c.repetition == nil
}

// Apply returns the task after all of a change that looks at nothing but the task: not
// where it is, whose it is, and whether it is completed. Returns KindInvalid errors.
func (c TaskChange) Apply(t Task) (Task, error) {
	if c.Title != nil {
		t.Title = *c.Title
	}
	if c.Description != nil {
		t.Description = *c.Description
	}
	if c.Priority != nil {
		t.Priority = *c.Priority
	}
	if c.AssigneeID != nil {
		t.AssigneeID = *c.AssigneeID
	}
	dates, err := c.Dates.Apply(t.Dates)
	if err != nil {
		return t, err
	}
	t.Dates = dates
	p := app.Problems{}
	t.Labels = c.labels.apply(p, t.Labels)
	if err := p.Err(); err != nil {
		return t, err
	}
	if t.Repetition, err = c.repetition.apply(t.Repetition, dates.Due); err != nil {
		return t, err
	}
	t.DueAt, _ = dates.Due.Moment()
	switch {
	case c.Reminders != nil:
		t.Reminders = *c.Reminders
	case dates.Due.IsZero(): // what is relative to it goes with it
		t.Reminders = slices.DeleteFunc(slices.Clone(t.Reminders), func(r Reminder) bool { return r.At.IsZero() })
	}
	return t, checkReminders(t)
}

// checkReminders returns ErrReminderNeedsDue for one that is relative to nothing.
func checkReminders(t Task) error {
	for _, r := range t.Reminders {
		if r.At.IsZero() && t.Dates.Due.IsZero() {
			return ErrReminderNeedsDue
		}
	}
	return nil
}

// Done returns the task completed at a moment or, if it repeats, at its next date, by
// the clock of a person; then moved is true, and the task stays open.
func (t Task) Done(at time.Time, reader *time.Location) (task Task, moved bool) {
	next, found := t.movedOn(at, reader)
	if t.Repetition.Rule == "" {
		next, found = t.Series.movedOn(t, at, reader)
	}
	if found {
		next.DueAt, _ = next.Dates.Due.Moment()
		return next, true
	}
	t.CompletedAt = at
	return t, false
}

// MovedBack returns a repeating task at the date of a completed copy of it.
func (t Task) MovedBack(copied Task) Task {
	t.Dates = copied.Dates
	t.DueAt = copied.DueAt
	switch {
	case copied.Was.Rule != "":
		t.Repetition = copied.Was
	case t.Repetition.Rule != "": // the copy came from elsewhere
		t.Repetition.Start = copied.Dates.Due
	}
	return t
}

// CopyOf is what is kept of an occurrence of a repeating task that was completed.
func CopyOf(t Task, at time.Time) NewTask {
	return NewTask{
		UserID: t.UserID, List: ByID(t.ListID), Title: t.Title, Description: t.Description, CreatedAt: t.CreatedAt, CompletedAt: at,
		Priority: t.Priority, Dates: t.Dates, Labels: t.Labels, AssigneeID: t.AssigneeID, RecurrenceOf: t.ID, Was: t.Repetition,
	}
}

// Repeats returns how a task repeats, or did of which this is a copy.
func (t Task) Repeats() Repetition {
	if t.RecurrenceOf != 0 {
		return t.Was
	}
	return t.Repetition
}

// Fields returns which fields differ between two states of a task.
func Fields(a, b Task) (set FieldSet) {
	for _, one := range []struct {
		differs bool
		field   FieldSet
	}{
		{a.Title != b.Title, FieldTitle},
		{a.Description != b.Description, FieldDescription},
		{!a.CompletedAt.Equal(b.CompletedAt), FieldCompleted},
		{a.Priority != b.Priority, FieldPriority},
		{a.Dates.Due != b.Dates.Due, FieldDue},
		{a.Dates.Start != b.Dates.Start, FieldStart},
		{!sameLabels(a.Labels, b.Labels), FieldLabels},
		{a.Repetition != b.Repetition, FieldRecurrence},
		{a.AssigneeID != b.AssigneeID, FieldAssignee},
		{a.ParentID != b.ParentID, FieldParent},
		{a.Position != b.Position, FieldPosition},
		{a.ListID != b.ListID || a.UserID != b.UserID, FieldList},
	} {
		if one.differs {
			set |= one.field
		}
	}
	return set
}

func sameLabels(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TitleRule is the rule of a title, for a creation or a change.
func TitleRule(create bool) app.TextRule {
	return app.TextRule{Name: "title", Min: 1, Max: MaxTitle, Required: create, Trim: true}
}

// DescriptionRule is the rule of a description.
func DescriptionRule() app.TextRule {
	return app.TextRule{Name: "description", Max: MaxDescription, Multiline: true}
}
