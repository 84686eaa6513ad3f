package mcp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app/todo"
)

const (
	// mayAtOnce is how many tasks may be deleted or completed without a person's consent.
	mayAtOnce = 5
	// askedFor is how long a dry run, or a question, is good for.
	askedFor = 10 * time.Minute
	// maxNamed is how many titles a question has.
	maxNamed = 50
	// maxShown is how many tasks an outcome shows.
	maxShown = 100
)

// bulk is a call that may concern many tasks.
type bulk struct {
	// what it does, such as "delete 8 tasks", and mind what the person should know as well.
	what, mind string
	// tasks are all that it concerns, subtasks included, each after what it is below.
	tasks []todo.Task
	// becomes says of some tasks what becomes of them.
	becomes map[int64]string
	// needs says that it needs consent.
	needs           bool
	dryRun, confirm bool
}

// The two ways in which a person may get to know what a call would do.
const (
	shown = "shown"
	posed = "posed"
)

// key tells a bulk from others. One of which a task has changed meanwhile is another.
func (b bulk) key(c *call, way string) [sha256.Size]byte {
	var versions []string
	for _, t := range b.tasks {
		versions = append(versions, fmt.Sprintf("%d at %d", t.ID, t.Version))
	}
	slices.Sort(versions)
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %s %q %q", way, who(c.Caller), c.tool, b.what, versions))
}

// tasksOf says how many tasks there are.
func tasksOf(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

// consent returns nil if a bulk may be done: if it is small, or if the person was asked and
// agrees. Where the client can't ask, the assistant has to confirm what it has run dry. A
// question that was declined, or not answered, has shown nothing.
func (s *Server) consent(ctx context.Context, c *call, b bulk) (*outcome, *mcp.CallToolResult, error) {
	answer, answered := c.request.Params.InputResponses[question].(*mcp.ElicitResult)
	switch {
	case b.dryRun:
		s.asked.note(b.key(c, shown))
		return s.notDone(ctx, c, b, fmt.Sprintf("Nothing was done yet. This would %s.%s", b.what, b.also()))
	case !b.needs:
		return nil, nil, nil
	case canAsk(c.request) && answered:
		asked := s.asked.take(b.key(c, posed))
		switch {
		case agrees(answer) && asked:
			return nil, nil, nil
		case agrees(answer):
			return s.notDone(ctx, c, b, "Nothing was done: since the person was asked, something of this has changed, or it was too long ago. Call again.")
		}
		s.asked.take(b.key(c, shown))
		return s.notDone(ctx, c, b, "Nothing was done: the person did not agree.")
	case canAsk(c.request):
		s.asked.note(b.key(c, posed))
		return nil, b.ask(), errAsks
	case b.confirm && s.asked.take(b.key(c, shown)):
		return nil, nil, nil
	}
	s.asked.note(b.key(c, shown))
	return s.notDone(ctx, c, b, fmt.Sprintf("Nothing was done yet: this would %s.%s Show the tasks to the person. Only if the person agrees, call again with the same arguments and confirm: true, within %d minutes.", b.what, b.also(), int(askedFor.Minutes())))
}

// still returns an error unless a bulk is what was agreed to.
func (b bulk) still(c *call, agreed bulk) error {
	if !b.needs || b.key(c, "") == agreed.key(c, "") {
		return nil
	}
	r := refusalOf(todo.ErrChangedMeanwhile)
	r.Detail = "Nothing was done: another task is concerned now, or one has changed. Call again."
	return r
}

func (b bulk) also() string {
	if b.mind == "" {
		return ""
	}
	return " " + b.mind
}

// notDone shows what a bulk concerns.
func (s *Server) notDone(ctx context.Context, c *call, b bulk, message string) (*outcome, *mcp.CallToolResult, error) {
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return nil, nil, err
	}
	out := &outcome{Message: message, Affected: len(b.tasks), Now: v.today(), Texts: areData}
	err = out.show(ctx, v, b.tasks)
	return out, nil, err
}

// show adds tasks to an outcome, as many as it may have.
func (o *outcome) show(ctx context.Context, v *viewer, tasks []todo.Task) (err error) {
	if len(tasks) > maxShown {
		o.Message += fmt.Sprintf(" Shown are the first %d.", maxShown)
	}
	o.Tasks, err = v.tasks(ctx, tasks[:min(len(tasks), maxShown)])
	return err
}

// question is the name of the only question that is ever asked.
const question = "consent"

// canAsk reports whether the client of a call can ask its person. One of a protocol before 2026
// says so once for a session, and there are no sessions here; the bridge knows.
func canAsk(request *mcp.CallToolRequest) bool {
	can := request.ClientCapabilities()
	return can != nil && can.Elicitation != nil && (can.Elicitation.Form != nil || can.Elicitation.URL == nil)
}

func agrees(answer *mcp.ElicitResult) bool {
	yes, _ := answer.Content["agree"].(bool)
	return answer.Action == "accept" && yes
}

// ask asks the person, who has to know what it is about.
func (b bulk) ask() *mcp.CallToolResult {
	var text strings.Builder
	fmt.Fprintf(&text, "The assistant wants to %s:\n", b.what)
	depth := map[int64]int{}
	for i, t := range b.tasks {
		if i == maxNamed {
			fmt.Fprintf(&text, "- and %d more\n", len(b.tasks)-i)
			break
		}
		if above, within := depth[t.ParentID]; within {
			depth[t.ID] = above + 1
		} else {
			depth[t.ID] = 0
		}
		fmt.Fprintf(&text, "%s- %s%s\n", strings.Repeat("  ", depth[t.ID]), strings.Join(strings.Fields(t.Title), " "), b.becomes[t.ID])
	}
	if b.mind != "" {
		text.WriteString(b.mind + "\n")
	}
	return &mcp.CallToolResult{
		RequestState: question,
		InputRequests: mcp.InputRequestMap{question: &mcp.ElicitParams{
			Mode: "form", Message: text.String(),
			RequestedSchema: map[string]any{
				"type": "object", "required": []string{"agree"},
				"properties": map[string]any{"agree": map[string]any{"type": "boolean", "title": "Yes, " + b.what}},
			},
		}},
	}
}
