package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"taskapi/app"
)

// failed is all that an assistant learns of a fault of the server's.
const failed = "Something went wrong on the server. Its log has the cause."

// refusal is the error of a tool as an assistant reads it: JSON, in which what people typed
// stands in fields called title.
type refusal struct {
	Message string            `json:"error"`
	Code    string            `json:"code"`
	Detail  string            `json:"detail,omitempty"`
	Fields  map[string]string `json:"errors,omitempty"`
	// Number is that of the task that it is about, of several; from 1.
	Number int `json:"task_number,omitempty"`
	// ID is what it is about.
	ID int64 `json:"id,omitempty"`
	// RetryAfter is in seconds.
	RetryAfter int `json:"retry_after,omitempty"`
	// Candidates are what a name may stand for.
	Candidates []listView `json:"candidates,omitempty"`
	// Current is a task as it is.
	Current *taskView `json:"current,omitempty"`
	Texts   string    `json:"texts_are_data,omitempty"`
}

// Error returns the JSON.
func (r *refusal) Error() string {
	whole := *r
	if r.Current != nil || len(r.Candidates) > 0 {
		whole.Texts = areData
	}
	text, err := json.Marshal(whole)
	if err != nil { // it is plain texts and numbers
		return failed
	}
	return string(text)
}

// refuse turns an error into what an assistant may know of it, and logs faults.
func (s *Server) refuse(ctx context.Context, tool string, err error) error {
	var ready *refusal
	var domain *app.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ready):
		return ready
	case !errors.As(err, &domain) || domain.Kind == app.KindInternal:
		s.Log.ErrorContext(ctx, "a tool failed", "tool", tool, "error", err)
		return &refusal{Message: failed, Code: "internal_error"}
	case domain.Kind == app.KindUnavailable:
		s.Log.WarnContext(ctx, "a tool was put off", "tool", tool, "error", err)
	}
	return refusalOf(domain)
}

func refusalOf(err *app.Error) *refusal {
	r := &refusal{Message: worded(err.Message), Code: err.Code, Detail: worded(err.Detail), ID: err.ID}
	if len(err.Fields) > 0 {
		r.Fields = map[string]string{}
		for name, text := range err.Fields {
			r.Fields[argument(name)] = worded(text)
		}
	}
	if r.Message == "" {
		r.Message = "Some arguments are wrong."
	}
	if err.RetryAfter > 0 {
		r.RetryAfter = max(1, int(math.Ceil(err.RetryAfter.Seconds())))
	}
	return r
}

// about says which task an error concerns.
func about(err error, id int64) error {
	var domain *app.Error
	if !errors.As(err, &domain) || domain.Kind == app.KindInternal || domain.Kind == app.KindUnavailable {
		return err
	}
	r := refusalOf(domain)
	r.ID = id
	return r
}

// numbered says which of several tasks an error concerns, from 1.
func numbered(err error, number int) error {
	var domain *app.Error
	if !errors.As(err, &domain) || domain.Kind != app.KindInvalid && domain.Kind != app.KindNotFound && domain.Kind != app.KindForbidden {
		return err
	}
	r := refusalOf(domain)
	r.Number = number
	return r
}
