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

type reopenIn struct {
	IDs []taskID `json:"ids" jsonschema:"ids or uids of the tasks"`
	repeatable
}

type bulkIn struct {
	IDs     []taskID `json:"ids" jsonschema:"ids or uids of the tasks"`
	DryRun  bool     `json:"dry_run,omitempty" jsonschema:"change nothing, and show what it would concern"`
	Confirm bool     `json:"confirm,omitempty" jsonschema:"the person has seen the dry run and agrees; never set it on your own"`
	repeatable
}

func (s *Server) completeTasks(ctx context.Context, c *call, in bulkIn) (outcome, *mcp.CallToolResult, error) {
	consent := func(ctx context.Context) (*outcome, *mcp.CallToolResult, error) {
		tasks, err := s.named(ctx, c, in.IDs)
		if err != nil {
			return nil, nil, err
		}
		return s.consent(ctx, c, bulk{verb: "complete", tasks: tasks, affected: len(tasks), free: mayAtOnce, dryRun: in.DryRun, confirm: in.Confirm})
	}
	return s.write(ctx, c, job{in.RequestID, consent, func(ctx context.Context, v *viewer) (outcome, error) {
		return s.mark(ctx, c, v, in.IDs, true)
	}})
}

func (s *Server) reopenTasks(ctx context.Context, c *call, in reopenIn) (outcome, *mcp.CallToolResult, error) {
	return s.write(ctx, c, job{requestID: in.RequestID, change: func(ctx context.Context, v *viewer) (outcome, error) {
		return s.mark(ctx, c, v, in.IDs, false)
	}})
}

// mark completes or reopens tasks.
func (s *Server) mark(ctx context.Context, c *call, v *viewer, ids []taskID, completed bool) (outcome, error) {
	tasks, err := s.named(ctx, c, ids)
	if err != nil {
		return outcome{}, err
	}
	repeat := 0
	for i, task := range tasks {
		updated, err := s.Tasks.Update(ctx, c.Caller, todo.ByID(task.ID), todo.TaskInput{Completed: app.Given(completed)})
		if err != nil {
			return outcome{}, about(err, task.ID)
		}
		if updated.Copy != nil {
			repeat++
		}
		tasks[i] = updated.Task
	}
	out := outcome{Message: fmt.Sprintf("Reopened: %d.", len(tasks))}
	if completed {
		out.Message = fmt.Sprintf("Completed: %d.", len(tasks))
	}
	if repeat > 0 {
		out.Message += fmt.Sprintf(" Of these, %d repeat, so they moved on to their next date and stay open.", repeat)
	}
	out.Tasks, err = v.tasks(ctx, tasks)
	return out, err
}

func (s *Server) deleteTasks(ctx context.Context, c *call, in bulkIn) (outcome, *mcp.CallToolResult, error) {
	affected := 0
	consent := func(ctx context.Context) (*outcome, *mcp.CallToolResult, error) {
		tasks, err := s.named(ctx, c, in.IDs)
		if err != nil {
			return nil, nil, err
		}
		if affected, err = s.affected(ctx, c, tasks); err != nil {
			return nil, nil, err
		}
		verb, free := "delete", mayAtOnce
		if !s.Tasks.KeepTrash {
			verb, free = "delete for good", 0
		}
		return s.consent(ctx, c, bulk{verb: verb, tasks: tasks, affected: affected, free: free, dryRun: in.DryRun, confirm: in.Confirm})
	}
	return s.write(ctx, c, job{in.RequestID, consent, func(ctx context.Context, v *viewer) (outcome, error) {
		tasks, err := s.named(ctx, c, in.IDs)
		if err != nil {
			return outcome{}, err
		}
		views, err := v.tasks(ctx, tasks)
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
		where := "They are in the trash."
		if !s.Tasks.KeepTrash {
			where = "This server keeps no trash: they are gone."
		}
		return outcome{Message: fmt.Sprintf("Deleted: %d. %s", len(tasks), where), Tasks: views, Affected: affected}, nil
	}})
}

// named returns the tasks of a call, each once.
func (s *Server) named(ctx context.Context, c *call, ids []taskID) (tasks []todo.Task, err error) {
	for _, id := range ids {
		task, err := s.Tasks.Get(ctx, c.Caller, id.Ref)
		if err != nil {
			return nil, about(err, id.ID)
		}
		if !slices.ContainsFunc(tasks, func(other todo.Task) bool { return other.ID == task.ID }) {
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

// affected counts the tasks that are deleted with others, as far as that matters. One that is
// named and below another one counts twice: better asked once too often.
func (s *Server) affected(ctx context.Context, c *call, tasks []todo.Task) (int, error) {
	n := len(tasks)
	for _, task := range tasks {
		if n > maxCounted {
			break
		}
		below, err := s.below(ctx, c, task, maxCounted-n+1)
		if err != nil {
			return 0, err
		}
		n += below
	}
	return n, nil
}
