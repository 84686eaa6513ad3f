package mcp

import (
	"context"
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/todo"
)

type reopenIn struct {
	IDs []taskID `json:"ids" jsonschema:"ids or uids of the tasks"`
	repeatable
}

// consenting is the part of a call that may need the person's consent.
type consenting struct {
	DryRun  bool `json:"dry_run,omitempty" jsonschema:"change nothing, and show what it would concern"`
	Confirm bool `json:"confirm,omitempty" jsonschema:"the person has seen what it concerns and agrees; never set it on your own"`
}

type bulkIn struct {
	IDs []taskID `json:"ids" jsonschema:"ids or uids of the tasks"`
	consenting
	repeatable
}

// bulkJob is the job of a call that look says what it concerns of, and do does.
func (s *Server) bulkJob(c *call, requestID string, look func(ctx context.Context) (bulk, error), do func(ctx context.Context, v *viewer, b bulk) (outcome, error)) job {
	var agreed bulk
	return job{
		requestID: requestID,
		consent: func(ctx context.Context) (_ *outcome, _ *mcp.CallToolResult, err error) {
			if agreed, err = look(ctx); err != nil {
				return nil, nil, err
			}
			return s.consent(ctx, c, agreed)
		},
		change: func(ctx context.Context, v *viewer) (outcome, error) {
			b, err := look(ctx)
			if err == nil {
				err = b.still(c, agreed)
			}
			if err != nil {
				return outcome{}, err
			}
			return do(ctx, v, b)
		},
	}
}

func (s *Server) completeTasks(ctx context.Context, c *call, in bulkIn) (outcome, *mcp.CallToolResult, error) {
	look := func(ctx context.Context) (bulk, error) {
		tasks, err := s.changeable(ctx, c, in.IDs)
		if err != nil {
			return bulk{}, err
		}
		return s.completing(ctx, c, tasks, false, in.consenting)
	}
	return s.write(ctx, c, s.bulkJob(c, in.RequestID, look, func(ctx context.Context, v *viewer, b bulk) (outcome, error) {
		return s.complete(ctx, c, v, in.IDs, b)
	}))
}

// completing returns what it means to complete tasks: what is open below one is completed as
// well, unless it repeats and moves on. Whether it does is not known if its dates change, too.
func (s *Server) completing(ctx context.Context, c *call, tasks []todo.Task, unknown bool, in consenting) (bulk, error) {
	now, err := s.Tasks.Clock(ctx, c.UserID, "")
	if err != nil {
		return bulk{}, err
	}
	b := bulk{dryRun: in.DryRun, confirm: in.Confirm}
	seen := map[int64]bool{}
	for _, task := range tasks {
		if task.Completed() {
			continue
		}
		all := []todo.Task{task}
		if _, moves := task.Done(now.At, now.Reader); unknown || !moves {
			if all, err = s.whole(ctx, c, task); err != nil {
				return bulk{}, err
			}
		}
		for _, one := range all {
			if !seen[one.ID] && !one.Completed() {
				seen[one.ID] = true
				b.tasks = append(b.tasks, one)
			}
		}
	}
	b.what, b.needs = "complete "+tasksOf(len(b.tasks)), len(b.tasks) > mayAtOnce
	return b, nil
}

// whole returns a task and all that is below it, each after what it is below.
func (s *Server) whole(ctx context.Context, c *call, task todo.Task) ([]todo.Task, error) {
	below, err := s.Tasks.Below(ctx, c.Caller, todo.ByID(task.ID))
	if err != nil {
		return nil, about(err, task.ID)
	}
	children := map[int64][]todo.Task{}
	for _, one := range below {
		children[one.ParentID] = append(children[one.ParentID], one)
	}
	var all []todo.Task
	var walk func(todo.Task)
	walk = func(one todo.Task) {
		all = append(all, one)
		for _, child := range children[one.ID] {
			walk(child)
		}
	}
	walk(task)
	return all, nil
}

// complete completes tasks, and what a bulk names below them. What it says was done, was.
func (s *Server) complete(ctx context.Context, c *call, v *viewer, ids []taskID, b bulk) (outcome, error) {
	tasks, err := s.named(ctx, c, ids)
	if err != nil {
		return outcome{}, err
	}
	open, seen := map[int64]bool{}, map[int64]bool{}
	for _, task := range b.tasks {
		open[task.ID] = true
	}
	var done []todo.Task
	repeat := 0
	for _, before := range tasks {
		updated, err := s.Tasks.Update(ctx, c.Caller, todo.ByID(before.ID), todo.TaskInput{Completed: app.Given(true)})
		if err != nil {
			return outcome{}, about(err, before.ID)
		}
		if updated.Version == before.Version {
			continue
		}
		all := []todo.Task{updated.Task}
		if updated.Copy != nil {
			repeat++
		} else if all, err = s.whole(ctx, c, updated.Task); err != nil {
			return outcome{}, err
		}
		for _, one := range all {
			if !seen[one.ID] && open[one.ID] && (one.Completed() || one.ID == before.ID) {
				seen[one.ID] = true
				done = append(done, one)
			}
		}
	}
	out := outcome{Message: fmt.Sprintf("Completed: %d.", len(done)), Affected: len(done)}
	switch {
	case len(done) == 0:
		out.Message += " Nothing had to be changed."
		done = tasks
	case repeat > 0:
		out.Message += fmt.Sprintf(" Of these, %d repeat, so they moved on to their next date and stay open.", repeat)
	}
	return out, out.show(ctx, v, done)
}

func (s *Server) reopenTasks(ctx context.Context, c *call, in reopenIn) (outcome, *mcp.CallToolResult, error) {
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		tasks, err := s.named(ctx, c, in.IDs)
		if err != nil {
			return outcome{}, err
		}
		changed := 0
		for i, before := range tasks {
			updated, err := s.Tasks.Update(ctx, c.Caller, todo.ByID(before.ID), todo.TaskInput{Completed: app.Given(false)})
			if err != nil {
				return outcome{}, about(err, before.ID)
			}
			if updated.Version != before.Version {
				changed++
			}
			tasks[i] = updated.Task
		}
		out := outcome{Message: fmt.Sprintf("Reopened: %d.", changed)}
		if changed == 0 {
			out.Message += " Nothing had to be changed."
		}
		return out, out.show(ctx, v, tasks)
	}})
}

func (s *Server) deleteTasks(ctx context.Context, c *call, in bulkIn) (outcome, *mcp.CallToolResult, error) {
	look := func(ctx context.Context) (bulk, error) {
		tasks, err := s.changeable(ctx, c, in.IDs)
		if err != nil {
			return bulk{}, err
		}
		return s.deleting(ctx, c, tasks, in.consenting)
	}
	return s.write(ctx, c, s.bulkJob(c, in.RequestID, look, func(ctx context.Context, v *viewer, b bulk) (outcome, error) {
		out := outcome{Message: fmt.Sprintf("Deleted: %d. They are in the trash.", len(b.tasks)), Affected: len(b.tasks)}
		if !s.Tasks.KeepTrash {
			out.Message, out.final = fmt.Sprintf("Deleted: %d. This server keeps no trash: they are gone for good.", len(b.tasks)), true
		}
		if err := out.show(ctx, v, b.tasks); err != nil {
			return outcome{}, err
		}
		tasks, err := s.named(ctx, c, in.IDs)
		if err != nil {
			return outcome{}, err
		}
		for _, task := range tasks {
			_, err := s.Tasks.Delete(ctx, c.Caller, todo.ByID(task.ID), false, nil)
			// It was there before: it went with a task above it.
			if err != nil && !errors.Is(err, todo.ErrTaskNotFound) {
				return outcome{}, about(err, task.ID)
			}
		}
		return out, nil
	}))
}

// deleting returns what it means to delete tasks: all that is below them goes along.
func (s *Server) deleting(ctx context.Context, c *call, tasks []todo.Task, in consenting) (bulk, error) {
	b := bulk{dryRun: in.DryRun, confirm: in.Confirm}
	seen := map[int64]bool{}
	for _, task := range tasks {
		all, err := s.whole(ctx, c, task)
		if err != nil {
			return bulk{}, err
		}
		for _, one := range all {
			if !seen[one.ID] {
				seen[one.ID] = true
				b.tasks = append(b.tasks, one)
			}
		}
	}
	b.what, b.needs = "delete "+tasksOf(len(b.tasks)), len(b.tasks) > mayAtOnce
	if !s.Tasks.KeepTrash {
		b.what, b.needs = "delete "+tasksOf(len(b.tasks))+" for good", true
	}
	return b, nil
}

// named returns the tasks of a call, each once.
func (s *Server) named(ctx context.Context, c *call, ids []taskID) (tasks []todo.Task, err error) {
	seen := map[int64]bool{}
	for _, id := range ids {
		task, err := s.Tasks.Get(ctx, c.Caller, id.Ref)
		if err != nil {
			return nil, about(err, id.ID)
		}
		if !seen[task.ID] {
			seen[task.ID] = true
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

// changeable is named for tasks that the person may change.
func (s *Server) changeable(ctx context.Context, c *call, ids []taskID) ([]todo.Task, error) {
	tasks, err := s.named(ctx, c, ids)
	for _, task := range tasks {
		if err := s.Tasks.MayChange(ctx, c.Caller, todo.ByID(task.ID)); err != nil {
			return nil, about(err, task.ID)
		}
	}
	return tasks, err
}
