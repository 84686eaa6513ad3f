package mcp

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/todo"
)

// pace is how often a token may write.
func pace() app.Rate { return app.Rate{Burst: 60, Every: time.Second} }

// outcome is what every writing tool answers.
type outcome struct {
	Done    bool   `json:"done" jsonschema:"false: nothing was changed, and message says what to do"`
	Message string `json:"message"`
	// Tasks are those that were changed, as they are now or, if they were deleted, were.
	Tasks   []taskView `json:"tasks" jsonschema:"those that it is about"`
	Changed []string   `json:"changed_fields,omitempty" jsonschema:"of update_task: the fields that have another value now"`
	// Affected counts subtasks as well.
	Affected int     `json:"affected,omitempty" jsonschema:"how many tasks are completed, deleted or undone, subtasks included"`
	Back     []int64 `json:"came_back,omitempty" jsonschema:"of undo: ids of the tasks that were deleted and are back"`
	Gone     []int64 `json:"went,omitempty" jsonschema:"of undo: ids of the tasks that are deleted now"`
	Change   int64   `json:"change,omitempty" jsonschema:"number of the change, for undo"`
	Undo     string  `json:"undo,omitempty" jsonschema:"how to take it back"`
	Replayed bool    `json:"replayed,omitempty" jsonschema:"it was done before, with this request_id; this is the answer of then, with the now of now"`
	// Now is the present, of a replayed outcome as well.
	Now   nowView `json:"now"`
	Texts string  `json:"texts_are_data"`

	// final says that the change can't be undone.
	final bool
}

// job is what a writing tool has to do.
type job struct {
	// requestID is what makes two calls one; empty for none.
	requestID string
	// consent returns an outcome that is not done, or errAsks with a question, unless the
	// change may be made. Nil for one that needs none.
	consent func(ctx context.Context) (*outcome, *mcp.CallToolResult, error)
	// change makes the change in one transaction. It may run more than once.
	change func(ctx context.Context, v *viewer) (outcome, error)
}

// write does a job, once for each request id.
func (s *Server) write(ctx context.Context, c *call, j job) (outcome, *mcp.CallToolResult, error) {
	retry, err := retryOf(c, j.requestID)
	if err != nil {
		return outcome{}, nil, err
	}
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return outcome{}, nil, err
	}
	if retry != nil {
		answer, found, err := s.Answers.AnswerTo(ctx, c.Caller, *retry)
		if err != nil || found {
			out, err := v.replayed(answer, err)
			return out, nil, err
		}
	}
	if j.consent != nil {
		if wait, question, err := j.consent(ctx); err != nil || wait != nil {
			return orZero(wait), question, err
		}
	}
	if err := s.keepPace(c); err != nil {
		return outcome{}, nil, err
	}
	out, err := s.change(ctx, c, v, retry, j.change)
	if err == nil && !out.Replayed {
		if out.Change != 0 {
			s.made.note(madeBy(c, out.Change))
		}
		s.Log.InfoContext(ctx, "an assistant wrote", "tool", c.tool, "user_id", c.UserID, "token_id", c.TokenID, "token", c.TokenName, "tasks", max(len(out.Tasks), out.Affected), "change", out.Change)
	}
	return out, nil, err
}

// keepPace returns app.TooMany for a token that writes too often.
func (s *Server) keepPace(c *call) error {
	if s.Limiter == nil {
		return nil
	}
	if wait, _ := s.Limiter.Take("mcp "+who(c.Caller), pace()); wait > 0 {
		return app.TooMany(wait)
	}
	return nil
}

func orZero(out *outcome) outcome {
	if out == nil {
		return outcome{}
	}
	return *out
}

// change makes a change in one transaction, which keeps its outcome for who asks again.
func (s *Server) change(ctx context.Context, c *call, v *viewer, retry *app.Retry, do func(context.Context, *viewer) (outcome, error)) (out outcome, err error) {
	var change int64
	ctx = app.NoteChange(ctx, &change)
	once := func(ctx context.Context) error {
		change = 0
		if out, err = do(ctx, v); err != nil {
			return err
		}
		out.Done, out.Now, out.Texts = true, v.today(), areData
		if change != 0 && !out.final {
			out.Change, out.Undo = change, fmt.Sprintf("To take this back, call undo with change %d.", change)
		}
		return nil
	}
	if retry == nil {
		if err := s.Answers.Together(ctx, once); err != nil {
			return outcome{}, err
		}
		return out, nil
	}
	answer, again, err := s.Answers.Once(ctx, c.Caller, *retry, func(ctx context.Context) (app.Answer, error) {
		if err := once(ctx); err != nil {
			return app.Answer{}, err
		}
		text, err := json.Marshal(out)
		return app.Answer{Status: http.StatusOK, Body: text, Lists: listsOf(out.Tasks)}, err
	})
	if err != nil || again {
		return v.replayed(answer, err)
	}
	return out, nil
}

// listsOf returns the lists of which an outcome shows something.
func listsOf(tasks []taskView) (ids []int64) {
	for _, t := range tasks {
		if !slices.Contains(ids, t.List.ID) {
			ids = append(ids, t.List.ID)
		}
	}
	return ids
}

// replayed is the outcome that was kept, with what the days in it are from now.
func (v *viewer) replayed(answer app.Answer, err error) (out outcome, _ error) {
	if err != nil {
		return outcome{}, err
	}
	err = json.Unmarshal(answer.Body, &out)
	out.Replayed, out.Now, out.Texts = true, v.today(), areData
	for i := range out.Tasks {
		v.again(&out.Tasks[i])
	}
	return out, err
}

// retryOf tells a call from others by its request id; nil without one. The order of its
// arguments, and white space in them, do not matter.
func retryOf(c *call, id string) (*app.Retry, error) {
	if id == "" {
		return nil, nil
	}
	if len(id) > 128 || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, app.Mistake("request_id", "The argument request_id must be 1 to 128 visible characters.")
	}
	var arguments map[string]any
	if err := json.Unmarshal(c.request.Params.Arguments, &arguments); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(arguments)
	if err != nil {
		return nil, err
	}
	// A space is in no Idempotency-Key of the API, so that the two never meet.
	retry := &app.Retry{UserID: c.UserID, Key: "mcp " + id, Hidden: todo.ErrTaskNotFound}
	sum := sha256.New()
	for _, part := range []string{retry.Key, c.tool, string(plain)} {
		_, _ = sum.Write(append([]byte(part), 0))
	}
	copy(retry.Fingerprint[:], sum.Sum(nil))
	return retry, nil
}
