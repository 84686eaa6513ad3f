package mcp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app/todo"
)

type undoIn struct {
	Change int64 `json:"change" jsonschema:"number of the change, as its answer had it"`
	consenting
	repeatable
}

// undo takes back a change of tasks. It needs consent where deleting as many tasks would, and
// for a change that this token is not known to have made: the person may have made it in the page.
func (s *Server) undo(ctx context.Context, c *call, in undoIn) (outcome, *mcp.CallToolResult, error) {
	var agreed bulk
	run := func(ctx context.Context, look bool) (todo.Undone, bulk, error) {
		done, err := s.Tasks.UndoTasks(ctx, c.Caller, in.Change, look)
		if errors.Is(err, todo.ErrUndoConflict) {
			v, other := s.viewer(ctx, c.Caller)
			if other != nil {
				return done, bulk{}, other
			}
			return done, bulk{}, v.clash(ctx, todo.ErrUndoConflict, done.Task)
		}
		return done, s.undoing(c, in, done.Tasks), err
	}
	consent := func(ctx context.Context) (_ *outcome, _ *mcp.CallToolResult, err error) {
		// To look at an undo takes a turn of the database as the undo itself does.
		if err := s.keepPace(c); err != nil {
			return nil, nil, err
		}
		if _, agreed, err = run(ctx, true); err != nil {
			return nil, nil, err
		}
		return s.consent(ctx, c, agreed)
	}
	return s.write(ctx, c, job{in.RequestID, consent, func(ctx context.Context, v *viewer) (outcome, error) {
		done, b, err := run(ctx, false)
		if err == nil {
			err = b.still(c, agreed)
		}
		if err != nil {
			return outcome{}, err
		}
		out := outcome{Message: "Undone: " + s.fates(done.Tasks) + ".", Affected: len(done.Tasks)}
		var tasks []todo.Task
		for _, t := range done.Tasks {
			switch tasks = append(tasks, t.Task); {
			case t.Back:
				out.Back = append(out.Back, t.ID)
			case t.Gone:
				out.Gone = append(out.Gone, t.ID)
			}
		}
		return out, out.show(ctx, v, tasks)
	}})
}

// undoing returns what it means to undo a change.
func (s *Server) undoing(c *call, in undoIn, tasks []todo.UndoneTask) bulk {
	b := bulk{
		what: fmt.Sprintf("undo change %d: %s", in.Change, s.fates(tasks)), becomes: map[int64]string{},
		needs: len(tasks) > mayAtOnce, dryRun: in.DryRun, confirm: in.Confirm,
	}
	for _, t := range tasks {
		b.becomes[t.ID] = " (as it was before)"
		switch {
		case t.Back:
			b.becomes[t.ID] = " (comes back)"
		case t.Gone:
			b.becomes[t.ID] = " (goes)"
			b.needs = b.needs || !s.Tasks.KeepTrash
		}
		task := t.Task
		task.Version = t.Was // that of now is made up by the undo
		b.tasks = append(b.tasks, task)
	}
	if !s.made.has(madeBy(c, in.Change)) {
		b.needs, b.mind = true, "It is not known to be a change of this assistant: the person may have made it elsewhere, such as in the page."
	}
	return b
}

// fates says how many tasks become what.
func (s *Server) fates(tasks []todo.UndoneTask) string {
	var back, gone, other int
	for _, t := range tasks {
		switch {
		case t.Back:
			back++
		case t.Gone:
			gone++
		default:
			other++
		}
	}
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{back, "comes back", "come back"}, {other, "is as before", "are as before"},
		{gone, map[bool]string{true: "goes to the trash", false: "is deleted for good"}[s.Tasks.KeepTrash], map[bool]string{true: "go to the trash", false: "are deleted for good"}[s.Tasks.KeepTrash]},
	} {
		switch {
		case part.n == 1:
			parts = append(parts, "1 task "+part.one)
		case part.n > 1:
			parts = append(parts, fmt.Sprintf("%d tasks %s", part.n, part.many))
		}
	}
	if len(parts) == 0 {
		return "no task that is there"
	}
	return strings.Join(parts, ", ")
}

// madeBy tells a change of a token's from all others.
func madeBy(c *call, change int64) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %d", who(c.Caller), change))
}
