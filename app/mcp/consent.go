package mcp

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app/todo"
)

const (
	// mayAtOnce is how many tasks may be deleted or completed without a person's consent.
	mayAtOnce = 5
	// askedFor is how long a dry run, or a question, is good for.
	askedFor = 10 * time.Minute
	// maxAsked bounds the memory of them.
	maxAsked = 4096
	// maxNamed is how many titles a question has.
	maxNamed = 10
	// maxCounted is how far subtasks are counted.
	maxCounted = 100
)

// asked are the calls that somebody was asked about, or that were run dry.
type asked struct {
	now func() time.Time

	mu    sync.Mutex
	until map[[sha256.Size]byte]time.Time
}

func newAsked(now func() time.Time) *asked {
	return &asked{now: now, until: map[[sha256.Size]byte]time.Time{}}
}

// note notes a call.
func (a *asked) note(key [sha256.Size]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if len(a.until) >= maxAsked {
		for key, until := range a.until {
			if !now.Before(until) {
				delete(a.until, key)
			}
		}
		for key := range a.until {
			if len(a.until) < maxAsked {
				break
			}
			delete(a.until, key)
		}
	}
	a.until[key] = now.Add(askedFor)
}

// take reports whether a call was noted, and forgets it.
func (a *asked) take(key [sha256.Size]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	until, noted := a.until[key]
	delete(a.until, key)
	return noted && a.now().Before(until)
}

// bulk is a call that may concern many tasks.
type bulk struct {
	verb            string // "delete" or "complete"
	tasks           []todo.Task
	affected        int
	free            int // how many need no consent
	dryRun, confirm bool
}

// key tells a bulk from others; one that meanwhile concerns more tasks is another.
func (b bulk) key(c *call) [sha256.Size]byte {
	var ids []int64
	for _, t := range b.tasks {
		ids = append(ids, t.ID)
	}
	slices.Sort(ids)
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %v %d", who(c.Caller), c.tool, ids, b.affected))
}

// many says how many tasks it concerns.
func (b bulk) many() string {
	switch {
	case b.affected > maxCounted:
		return fmt.Sprintf("more than %d tasks", maxCounted)
	case b.affected == 1:
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", b.affected)
}

// consent returns nil if a bulk may be done: if it is small, or if the person was asked and
// agrees. Where the client can't ask, the assistant has to confirm what it has run dry.
func (s *Server) consent(ctx context.Context, c *call, b bulk) (*outcome, *mcp.CallToolResult, error) {
	key := b.key(c)
	answer, answered := c.request.Params.InputResponses[question].(*mcp.ElicitResult)
	switch {
	case b.dryRun:
		s.asked.note(key)
		return s.notDone(ctx, c, b, fmt.Sprintf("Nothing was done yet. This would %s %s.", b.verb, b.many()))
	case b.affected <= b.free:
		return nil, nil, nil
	case canAsk(c.request) && answered && agrees(answer) && s.asked.take(key):
		return nil, nil, nil
	case canAsk(c.request) && answered:
		return s.notDone(ctx, c, b, "Nothing was done: the person did not agree.")
	case canAsk(c.request):
		s.asked.note(key)
		return nil, b.ask(), errAsks
	case b.confirm && s.asked.take(key):
		return nil, nil, nil
	}
	s.asked.note(key)
	return s.notDone(ctx, c, b, fmt.Sprintf("Nothing was done yet: this would %s %s. Show them to the person. Only if the person agrees, call again with the same ids and confirm: true, within %d minutes.", b.verb, b.many(), int(askedFor.Minutes())))
}

// notDone shows what a bulk concerns.
func (s *Server) notDone(ctx context.Context, c *call, b bulk, message string) (*outcome, *mcp.CallToolResult, error) {
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return nil, nil, err
	}
	out := &outcome{Message: message, Affected: b.affected, Now: v.today()}
	out.Tasks, err = v.tasks(ctx, b.tasks)
	return out, nil, err
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
	fmt.Fprintf(&text, "The assistant wants to %s %s:\n", b.verb, b.many())
	for i, t := range b.tasks {
		if i == maxNamed {
			fmt.Fprintf(&text, "- and %d more\n", len(b.tasks)-i)
			break
		}
		fmt.Fprintf(&text, "- %s\n", t.Title)
	}
	if more := b.affected - len(b.tasks); more > 0 {
		text.WriteString("and the subtasks of these.\n")
	}
	return &mcp.CallToolResult{
		RequestState: question,
		InputRequests: mcp.InputRequestMap{question: &mcp.ElicitParams{
			Mode: "form", Message: text.String(),
			RequestedSchema: map[string]any{
				"type": "object", "required": []string{"agree"},
				"properties": map[string]any{"agree": map[string]any{"type": "boolean", "title": "Yes, " + b.verb + " " + b.many()}},
			},
		}},
	}
}

// below counts the tasks below one, as far as they matter.
func (s *Server) below(ctx context.Context, c *call, task todo.Task, most int) (n int, err error) {
	for level := []todo.Task{task}; len(level) > 0 && n <= most; {
		parent := level[0]
		level = level[1:]
		found, err := s.Tasks.Find(ctx, c.Caller, children(parent, min(most, maxChildren)))
		if err != nil {
			return 0, err
		}
		n += int(found.Total)
		level = append(level, found.Items...)
	}
	return n, nil
}

// maxChildren is how many tasks a page may have.
const maxChildren = 100
