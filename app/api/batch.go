package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"taskapi/app"
)

// maxBatch is how many requests a batch may hold.
const maxBatch = 100

// batchBody is several writes that are made in one turn, in their order.
type batchBody struct {
	// Atomic makes all of them or none; nil is true.
	Atomic   *bool          `json:"atomic"`
	Requests []batchRequest `json:"requests"`
}

type batchRequest struct {
	Method  string         `json:"method"`
	Path    string         `json:"path"`
	Body    jsontext.Value `json:"body"`
	IfMatch *string        `json:"if_match"`
}

// batchResponse is what one request of a batch was answered.
type batchResponse struct {
	Status int            `json:"status"`
	ETag   string         `json:"etag,omitzero"`
	Change int64          `json:"change,omitzero"`
	Body   jsontext.Value `json:"body"`
}

type batchAnswer struct {
	Responses []batchResponse `json:"responses"`
}

// batchFailure is the body of a 409: one request failed, and so none was done.
type batchFailure struct {
	Error    string        `json:"error"`
	Code     string        `json:"code"`
	Failed   int           `json:"failed"`
	Response batchResponse `json:"response"`
}

// errBatchFailed ends the turn of a batch of which nothing is done. Nobody sees it.
var errBatchFailed = errors.New("a request of the batch failed")

// batch makes several writes in one turn.
func (s *Server) batch(c *fiber.Ctx) error {
	in, err := s.readBatch(c)
	if err != nil {
		return err
	}
	var all []batchResponse
	err = s.Answers.Together(c.UserContext(), func(ctx context.Context) (err error) {
		all, err = s.runBatch(ctx, c, in)
		return err
	})
	switch {
	case errors.Is(err, errBatchFailed):
		failed := len(all) - 1
		return sendBatch(c, fiber.StatusConflict, batchFailure{
			Error: fmt.Sprintf("Request %d failed, nothing was done.", failed+1), Code: "batch_failed", Failed: failed, Response: all[failed],
		})
	case err != nil:
		return err
	}
	return sendBatch(c, fiber.StatusOK, batchAnswer{all})
}

// sendBatch is send, for values that hold JSON.
func sendBatch(c *fiber.Ctx, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return sendBody(c, status, append(text, '\n'))
}

// readBatch reads the body of a batch. What is inside is for the handler of each request to
// check.
func (s *Server) readBatch(c *fiber.Ctx) (in batchBody, err error) {
	if kind := c.Get(fiber.HeaderContentType); !isJSON(kind) {
		return in, errNotJSON.Detailed(wrongType(kind))
	}
	data, lease, err := s.readBody(c)
	if err != nil {
		return in, err
	}
	defer lease.give()
	if err := json.Unmarshal(data, &in, json.RejectUnknownMembers(true)); err != nil {
		var wrong *json.SemanticError
		if !errors.As(err, &wrong) {
			return in, errNotJSON.With(err).Detailed(wrongText(data, err))
		}
		return in, invalidBatch("The field requests must be an array of objects with method, path and, where it is needed, body and if_match.").With(err)
	}
	if n := len(in.Requests); n < 1 || n > maxBatch {
		return in, invalidBatch(fmt.Sprintf("The field requests must hold 1 to %d requests.", maxBatch))
	}
	for i, one := range in.Requests {
		if !slices.Contains([]string{fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete}, one.Method) {
			return in, invalidBatch(fmt.Sprintf("Request %d must have the method POST, PUT, PATCH or DELETE.", i+1))
		}
		if !strings.HasPrefix(one.Path, "/") || strings.HasPrefix(one.Path, "//") {
			return in, invalidBatch(fmt.Sprintf("Request %d must have a path, such as /tasks/5.", i+1))
		}
	}
	return in, nil
}

func invalidBatch(why string) *app.Error {
	return &app.Error{Kind: app.KindInvalid, Code: app.CodeValidation, Fields: map[string]string{"requests": why}}
}

// runBatch makes the requests of a batch, and returns what each was answered; with
// errBatchFailed, the last of them is the one that failed.
func (s *Server) runBatch(ctx context.Context, c *fiber.Ctx, in batchBody) (all []batchResponse, err error) {
	for _, one := range in.Requests {
		response, err := s.runInner(ctx, c, one)
		if err != nil { // it is the server that failed: nothing of what follows would be done
			return nil, err
		}
		all = append(all, response)
		if response.Status >= 300 && (in.Atomic == nil || *in.Atomic) {
			return all, errBatchFailed
		}
	}
	return all, nil
}

// The keys of values that a batch hands to the handlers of its requests.
const (
	keyInner  = "inner"  // their context
	keyFailed = "failed" // the error of one, where the server failed
)

// newInner makes the application that the requests of a batch are handled by: the writes on
// tasks, lists and labels, without what a request from outside goes through.
func (s *Server) newInner(routes []route) *fiber.App {
	inner := fiber.New(fiber.Config{Immutable: true, CaseSensitive: true, DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, err error) error {
		var domain *app.Error
		var http *fiber.Error
		if errors.Is(err, app.ErrTooMuchAtOnce) || (!errors.As(err, &domain) || domain.Kind == app.KindUnavailable || domain.Kind == app.KindInternal) && !errors.As(err, &http) {
			// It is about the batch as a whole, or about the server.
			c.Locals(keyFailed, err)
			return nil
		}
		s.fail(c, err)
		return nil
	}})
	inner.Use(func(c *fiber.Ctx) error {
		ctx, _ := c.Locals(keyInner).(context.Context)
		c.SetUserContext(ctx)
		return c.Next()
	})
	for _, r := range routes {
		if inBatch(r) {
			inner.Add(r.method, r.path, r.query.only, r.handle)
		}
	}
	inner.Use(func(*fiber.Ctx) error { return errNotInBatch })
	return inner
}

var errNotInBatch = &app.Error{Kind: app.KindNotFound, Code: "not_in_batch", Message: "A batch takes the writes on tasks, lists and labels, and nothing else."}

// inBatch reports whether a batch takes a route.
func inBatch(r route) bool {
	return r.method != fiber.MethodGet && r.scope == app.ScopeTasksWrite &&
		slices.ContainsFunc([]string{"/tasks/", "/lists/", "/labels/"}, func(top string) bool { return strings.HasPrefix(r.path, top) })
}

// runInner handles one request of a batch.
func (s *Server) runInner(ctx context.Context, outer *fiber.Ctx, in batchRequest) (batchResponse, error) {
	var request fasthttp.Request
	request.Header.SetMethod(in.Method)
	request.SetRequestURI(in.Path)
	if in.IfMatch != nil {
		request.Header.Set(fiber.HeaderIfMatch, *in.IfMatch)
	}
	if in.Body != nil {
		request.Header.SetContentType(fiber.MIMEApplicationJSON)
	}
	var inner fasthttp.RequestCtx
	inner.Init(&request, nil, nil)
	inner.SetUserValue(keyInner, ctx)
	inner.SetUserValue(keyCaller, callerOf(outer))
	inner.SetUserValue(keyRequestID, requestID(outer))
	inner.SetUserValue(keyShows, outer.Locals(keyShows))
	inner.SetUserValue(keyBody, []byte(in.Body))
	s.inner.Handler()(&inner)
	if err, failed := inner.UserValue(keyFailed).(error); failed {
		return batchResponse{}, err
	}
	body := bytes.TrimSuffix(bytes.Clone(inner.Response.Body()), []byte("\n"))
	if len(body) == 0 {
		body = []byte("null")
	}
	header := &inner.Response.Header
	response := batchResponse{Status: header.StatusCode(), ETag: string(header.Peek(fiber.HeaderETag)), Body: body}
	if change := header.Peek(headerChange); len(change) > 0 {
		var err error
		if response.Change, err = strconv.ParseInt(string(change), 10, 64); err != nil {
			return response, err
		}
	}
	return response, nil
}
