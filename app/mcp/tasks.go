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
	changes := hints{}
	add(s, to, described{name: "add_tasks", title: "Add tasks", hints: hints{repeatable: true}, bounds: []bound{{"tasks", maxTasks}},
		text: "Add tasks: all of them or, if one is wrong, none. Give a new request_id, so that the call can be repeated without making them twice."}, s.addTasks)
	add(s, to, described{name: "update_task", title: "Change a task", hints: changes,
		text: "Change the fields of a task that are named, and no others; null clears. The answer says which fields have another value now. With version, only if nobody has changed the task since."}, s.updateTask)
	add(s, to, described{name: "complete_tasks", title: "Complete tasks", hints: changes, bounds: []bound{{"ids", maxTasks}},
		text: "Complete tasks: all of them or none. A task that repeats moves on to its next date and stays open. More than 5 need the person's consent: the client asks, or run it with dry_run first and, if the person agrees, with confirm."}, s.completeTasks)
	add(s, to, described{name: "reopen_tasks", title: "Reopen tasks", hints: changes, bounds: []bound{{"ids", maxTasks}},
		text: "Make completed tasks open again: all of them or none."}, s.reopenTasks)
	add(s, to, described{name: "move_task", title: "Move a task", hints: changes,
		text: "Put a task, with its subtasks, into another list, below another task, or beside one."}, s.moveTask)
	add(s, to, described{name: "delete_tasks", title: "Delete tasks", hints: hints{destroys: true}, bounds: []bound{{"ids", maxTasks}},
		text: "Move tasks, with their subtasks, to the trash: all of them or none. undo brings them back. More than 5, subtasks included, need the person's consent: the client asks, or run it with dry_run first and, if the person agrees, with confirm."}, s.deleteTasks)
	add(s, to, described{name: "undo", title: "Take a change back", hints: changes,
		text: "Take back a change by the number that its answer had, all of it or nothing. It fails if somebody has changed the same since."}, s.undo)
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
			task, err := s.Tasks.Create(ctx, c.Caller, n.input(list))
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
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
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
		case updated.Copy != nil:
			out.Message = "Completed; it repeats, so it moved on to its next date and stays open."
		case len(out.Changed) == 0:
			out.Message = "Nothing had to be changed."
		}
		out.Tasks, err = v.tasks(ctx, []todo.Task{updated.Task})
		return out, err
	}})
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
	beside := func(id taskID) app.Field[todo.Ref] {
		if id.None() {
			return app.Field[todo.Ref]{}
		}
		return app.Given(id.Ref)
	}
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		list, err := s.list(ctx, c.Caller, in.List)
		if err != nil {
			return outcome{}, err
		}
		parent := app.Field[todo.Ref]{State: in.Parent.State, Value: in.Parent.Value.Ref}
		place := todo.PlaceInput{Before: beside(in.Before), After: beside(in.After)}
		task, err := s.Tasks.Move(ctx, c.Caller, in.ID.Ref, list, parent, place, nil)
		if err != nil {
			return outcome{}, err
		}
		views, err := v.tasks(ctx, []todo.Task{task})
		return outcome{Message: "Moved.", Tasks: views}, err
	}})
}

type undoIn struct {
	Change int64 `json:"change" jsonschema:"number of the change, as its answer had it"`
	repeatable
}

func (s *Server) undo(ctx context.Context, c *call, in undoIn) (outcome, *mcp.CallToolResult, error) {
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		done, err := s.Tasks.Undo(ctx, c.Caller, app.Given(in.Change))
		if errors.Is(err, todo.ErrUndoConflict) {
			return outcome{}, v.clash(ctx, todo.ErrUndoConflict, done.Task)
		}
		if err != nil {
			return outcome{}, err
		}
		out := outcome{Message: "Undone.", Tasks: []taskView{}}
		if done.Task != nil {
			out.Tasks, err = v.tasks(ctx, []todo.Task{*done.Task})
		}
		return out, err
	}})
}
