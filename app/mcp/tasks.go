package mcp

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/todo"
)

// maxTasks is how many tasks one call may be about.
const maxTasks = 20

func (s *Server) addWriting(to *mcp.Server) {
	changes := hints{destroys: true}
	where, back := "to the trash", " undo brings them back."
	more := "More than 5, subtasks included, need the person's consent"
	if !s.Tasks.KeepTrash {
		where, back, more = "for good: this server keeps no trash", "", "It needs the person's consent"
	}
	const consent = ": the client asks, or run it with dry_run first and, if the person agrees, with confirm."
	add(s, to, described{name: "add_tasks", title: "Add tasks", hints: hints{repeatable: true}, bounds: []bound{{"tasks", maxTasks}},
		text: "Add tasks, in this order: all of them or, if one is wrong, none. A parent must be there already: add it first, then its subtasks with its id. Give a new request_id, so that the call can be repeated without making them twice."}, s.addTasks)
	add(s, to, described{name: "update_task", title: "Change a task", hints: changes,
		text: "Change the fields of a task that are named, and no others; null clears. Without a due, recurrence and the reminders before it go as well. completed: true completes the open subtasks, too; more than 5 tasks need the person's consent, as with complete_tasks. The answer says which fields have another value now. With version, only if nobody has changed the task since."}, s.updateTask)
	add(s, to, described{name: "complete_tasks", title: "Complete tasks", hints: changes, bounds: []bound{{"ids", maxTasks}},
		text: "Complete tasks and all open subtasks of them: all or none. A task that repeats moves on to its next date and stays open. More than 5, subtasks included, need the person's consent" + consent}, s.completeTasks)
	add(s, to, described{name: "reopen_tasks", title: "Reopen tasks", hints: changes, bounds: []bound{{"ids", maxTasks}},
		text: "Make completed tasks, and those that they are subtasks of, open again: all or none."}, s.reopenTasks)
	add(s, to, described{name: "move_task", title: "Move a task", hints: changes,
		text: "Put a task, with its subtasks, into another list, below another task, or before or after one: there, unless list or parent say otherwise."}, s.moveTask)
	add(s, to, described{name: "delete_tasks", title: "Delete tasks", hints: hints{destroys: true}, bounds: []bound{{"ids", maxTasks}},
		text: "Delete tasks, with their subtasks, " + where + ": all of them or none." + back + " " + more + consent}, s.deleteTasks)
	add(s, to, described{name: "undo", title: "Take a change back", hints: changes,
		text: "Take back a change of tasks by the number that its answer had, all of it or nothing; not of lists and members. It may delete: what the change added goes. It fails if somebody has changed the same since. A change that this token has not made lately, and one of more than 5 tasks, need the person's consent" + consent}, s.undo)
}

type newTask struct {
	Title          string       `json:"title" jsonschema:"at most 100 characters"`
	List           listName     `json:"list,omitzero" jsonschema:"name or id of a list; default: the Inbox, or the list of the parent"`
	Due            string       `json:"due,omitempty" jsonschema:"a day such as 2026-11-30, or a local time such as 2026-11-30T09:00, without an offset"`
	DueZone        string       `json:"due_zone,omitempty" jsonschema:"time zone such as Europe/Berlin, only if the time is the same moment everywhere; default: the time of wherever the person is"`
	Start          string       `json:"start,omitempty" jsonschema:"when it begins, of the form of due"`
	Priority       priorityName `json:"priority,omitempty"`
	Labels         []string     `json:"labels,omitempty"`
	Description    string       `json:"description,omitempty"`
	Recurrence     string       `json:"recurrence,omitempty" jsonschema:"an RRULE of RFC 5545 on days, such as FREQ=WEEKLY;BYDAY=MO; needs a due"`
	RecurrenceFrom fromName     `json:"recurrence_from,omitempty" jsonschema:"from where the next date counts; default due"`
	Reminders      []aReminder  `json:"reminders,omitempty"`
	Parent         taskID       `json:"parent,omitzero" jsonschema:"id of the task that it is a subtask of"`
}

// input returns it as the use cases take it.
func (n newTask) input(list app.Field[todo.Ref]) todo.TaskInput {
	in := todo.TaskInput{
		Title: app.Given(n.Title), List: list, Description: optional(n.Description), Priority: optional(string(n.Priority)),
		Dates:      todo.DatesInput{Due: optional(n.Due), Zone: optional(n.DueZone), Start: optional(n.Start)},
		Repetition: todo.RepetitionInput{Rule: optional(n.Recurrence), From: optional(string(n.RecurrenceFrom))},
	}
	if len(n.Labels) > 0 {
		in.Labels.All = app.Given(n.Labels)
	}
	if len(n.Reminders) > 0 {
		in.Reminders = app.Given(texts(n.Reminders))
	}
	if !n.Parent.None() {
		in.Parent = app.Given(n.Parent.Ref)
	}
	return in
}

// optional is absent for an empty text.
func optional(text string) app.Field[string] {
	if text == "" {
		return app.Field[string]{}
	}
	return app.Given(text)
}

// repeatable is the part of a call that makes two of them one.
type repeatable struct {
	RequestID string `json:"request_id,omitempty" jsonschema:"a new text of your own, such as a UUID; a call with the same one is done once, within 24 hours"`
}

type addIn struct {
	Tasks []newTask `json:"tasks"`
	repeatable
}

func (s *Server) addTasks(ctx context.Context, c *call, in addIn) (outcome, *mcp.CallToolResult, error) {
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		var made []todo.Task
		for i, n := range in.Tasks {
			list, err := s.list(ctx, c.Caller, n.List)
			if err != nil {
				return outcome{}, numbered(err, i+1)
			}
			input := n.input(list)
			if i > 0 { // else each would come before the one above it, wherever that is
				position := todo.Following(made[0].Position, i, maxTasks+1)
				input.Position = &position
			}
			task, err := s.Tasks.Create(ctx, c.Caller, input)
			if err != nil {
				return outcome{}, numbered(err, i+1)
			}
			made = append(made, task)
		}
		views, err := v.tasks(ctx, made)
		return outcome{Message: fmt.Sprintf("Added: %d.", len(made)), Tasks: views}, err
	}})
}

type updateIn struct {
	ID             taskID              `json:"id" jsonschema:"id or uid of the task"`
	Version        int64               `json:"version,omitempty" jsonschema:"as the task was read; another one is refused"`
	Title          given[string]       `json:"title,omitzero"`
	Description    given[string]       `json:"description,omitzero"`
	Completed      given[bool]         `json:"completed,omitzero"`
	Priority       given[priorityName] `json:"priority,omitzero"`
	Due            given[string]       `json:"due,omitzero" jsonschema:"a day such as 2026-11-30, or a local time such as 2026-11-30T09:00, without an offset"`
	DueZone        given[string]       `json:"due_zone,omitzero"`
	Start          given[string]       `json:"start,omitzero"`
	Labels         given[[]string]     `json:"labels,omitzero" jsonschema:"all labels; to change single ones, labels_add and labels_remove"`
	LabelsAdd      given[[]string]     `json:"labels_add,omitzero"`
	LabelsRemove   given[[]string]     `json:"labels_remove,omitzero"`
	Recurrence     given[string]       `json:"recurrence,omitzero"`
	RecurrenceFrom given[fromName]     `json:"recurrence_from,omitzero"`
	Reminders      given[[]aReminder]  `json:"reminders,omitzero" jsonschema:"the person's own, all of them"`
	Assignee       given[int64]        `json:"assignee_id,omitzero"`
	List           listName            `json:"list,omitzero" jsonschema:"name or id of the list that it goes to"`
	Parent         given[taskID]       `json:"parent,omitzero" jsonschema:"id of the task that it becomes a subtask of; null: of none"`
	Confirm        bool                `json:"confirm,omitempty" jsonschema:"for completed: true, which may complete many subtasks; the person has seen them and agrees; never set it on your own"`
	repeatable
}

func (in updateIn) input(list app.Field[todo.Ref]) todo.TaskInput {
	return todo.TaskInput{
		Title: in.Title.Field, Description: in.Description.Field, Completed: in.Completed.Field, Priority: named(in.Priority), List: list,
		Dates:      todo.DatesInput{Due: in.Due.Field, Zone: in.DueZone.Field, Start: in.Start.Field},
		Labels:     todo.LabelsInput{All: in.Labels.Field, Add: in.LabelsAdd.Field, Remove: in.LabelsRemove.Field},
		Repetition: todo.RepetitionInput{Rule: in.Recurrence.Field, From: named(in.RecurrenceFrom)},
		Reminders:  app.Field[[]map[string]string]{State: in.Reminders.State, Value: texts(in.Reminders.Value)},
		Assignee:   in.Assignee.Field, Parent: app.Field[todo.Ref]{State: in.Parent.State, Value: in.Parent.Value.Ref},
		Merge: true,
	}
}

func named[T ~string](g given[T]) app.Field[string] {
	return app.Field[string]{State: g.State, Value: string(g.Value)}
}

func (s *Server) updateTask(ctx context.Context, c *call, in updateIn) (outcome, *mcp.CallToolResult, error) {
	look := func(ctx context.Context) (bulk, error) {
		if in.Completed.State != app.Present || !in.Completed.Value {
			return bulk{}, nil
		}
		tasks, err := s.changeable(ctx, c, []taskID{in.ID})
		if err != nil {
			return bulk{}, err
		}
		dates := in.Recurrence.State | in.RecurrenceFrom.State | in.Due.State
		return s.completing(ctx, c, tasks, dates != app.Absent, consenting{Confirm: in.Confirm})
	}
	return s.write(ctx, c, s.bulkJob(c, in.RequestID, look, func(ctx context.Context, v *viewer, b bulk) (outcome, error) {
		return s.update(ctx, c, v, in, len(b.tasks))
	}))
}

// update changes a task; completing is how many tasks are completed if it is, and stays so.
func (s *Server) update(ctx context.Context, c *call, v *viewer, in updateIn, completing int) (outcome, error) {
	list, err := s.list(ctx, c.Caller, in.List)
	if err != nil {
		return outcome{}, err
	}
	before, err := s.Tasks.Get(ctx, c.Caller, in.ID.Ref)
	if err != nil {
		return outcome{}, err
	}
	input := in.input(list)
	if in.Version != 0 {
		// The person's reminders have a version of their own, which is not shown.
		input.Match = &todo.Match{Stamps: []todo.Stamp{{Version: in.Version, Own: before.OwnVersion}}}
	}
	updated, err := s.Tasks.Update(ctx, c.Caller, in.ID.Ref, input)
	if errors.Is(err, todo.ErrChangedMeanwhile) {
		return outcome{}, v.clash(ctx, todo.ErrChangedMeanwhile, &updated.Task)
	}
	if err != nil {
		return outcome{}, err
	}
	out := outcome{Message: "Updated.", Changed: fieldsOf(before, updated.Task)}
	switch {
	case len(out.Changed) == 0:
		out.Message = "Nothing had to be changed."
	case updated.Copy != nil:
		out.Message = "Completed; it repeats, so it moved on to its next date and stays open."
	case completing > 0 && updated.Completed():
		out.Message, out.Affected = fmt.Sprintf("Updated. Completed: %d, subtasks included.", completing), completing
	}
	return out, out.show(ctx, v, []todo.Task{updated.Task})
}

// fieldsOf returns the names of the arguments whose fields differ.
func fieldsOf(before, after todo.Task) (names []string) {
	for _, name := range todo.Fields(before, after).Names() {
		switch name {
		case "list_id":
			name = "list"
		case "parent_id":
			name = "parent"
		}
		names = append(names, name)
	}
	if !slices.Equal(before.Reminders, after.Reminders) {
		names = append(names, "reminders")
	}
	return names
}

// clash is an error with a task as it is; nil for one that is gone.
func (v *viewer) clash(ctx context.Context, why *app.Error, now *todo.Task) error {
	r := refusalOf(why)
	if now != nil {
		view, err := v.task(ctx, *now, false)
		if err != nil {
			return err
		}
		r.Current = &view
	}
	return r
}

type moveIn struct {
	ID     taskID        `json:"id" jsonschema:"id or uid of the task"`
	List   listName      `json:"list,omitzero" jsonschema:"name or id of the list that it goes to"`
	Parent given[taskID] `json:"parent,omitzero" jsonschema:"id of the task that it becomes a subtask of; null: of none"`
	Before taskID        `json:"before,omitzero" jsonschema:"id of the task that it is put before, at that place"`
	After  taskID        `json:"after,omitzero" jsonschema:"id of the task that it is put after, at that place"`
	repeatable
}

func (s *Server) moveTask(ctx context.Context, c *call, in moveIn) (outcome, *mcp.CallToolResult, error) {
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		list, parent, at, err := s.placeOf(ctx, c, in)
		if err != nil {
			return outcome{}, err
		}
		before, err := s.Tasks.Get(ctx, c.Caller, in.ID.Ref)
		if err != nil {
			return outcome{}, err
		}
		task, err := s.Tasks.Move(ctx, c.Caller, in.ID.Ref, list, parent, at, nil)
		if err != nil {
			return outcome{}, err
		}
		out := outcome{Message: "Moved."}
		if task.Version == before.Version {
			out.Message = "Nothing had to be changed: it is there already."
		}
		return out, out.show(ctx, v, []todo.Task{task})
	}})
}

// placeOf returns where a task is to go: beside a task is where that one is.
func (s *Server) placeOf(ctx context.Context, c *call, in moveIn) (list, parent app.Field[todo.Ref], at todo.PlaceInput, err error) {
	if list, err = s.list(ctx, c.Caller, in.List); err != nil {
		return list, parent, at, err
	}
	parent = app.Field[todo.Ref]{State: in.Parent.State, Value: in.Parent.Value.Ref}
	beside := in.Before
	if !in.Before.None() {
		at.Before = app.Given(in.Before.Ref)
	}
	if !in.After.None() {
		beside, at.After = in.After, app.Given(in.After.Ref)
	}
	nowhere := list.State == app.Absent && parent.State == app.Absent
	switch {
	case nowhere && beside.None():
		err = app.Mistake("list", "Say where the task goes: one of list, parent, before and after is needed.")
	case nowhere && (in.Before.None() || in.After.None()):
		var neighbour todo.Task
		if neighbour, err = s.Tasks.Get(ctx, c.Caller, beside.Ref); err != nil {
			return list, parent, at, about(err, beside.ID)
		}
		list, parent = app.Given(todo.ByID(neighbour.ListID)), app.Field[todo.Ref]{State: app.Null}
		if neighbour.ParentID != 0 {
			parent = app.Given(todo.ByID(neighbour.ParentID))
		}
	}
	return list, parent, at, err
}
