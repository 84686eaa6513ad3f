package caldav

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"taskapi/app"
	"taskapi/app/todo"
)

// Calendars are the use cases behind this door; *todo.Calendars has them.
type Calendars interface {
	Collections(ctx context.Context, caller app.Caller) ([]todo.Collection, error)
	Collection(ctx context.Context, caller app.Caller, listUID string) (todo.Collection, error)
	Objects(ctx context.Context, caller app.Caller, listUID string, query todo.CalendarQuery, each func(todo.CalendarObject) error) error
	Put(ctx context.Context, caller app.Caller, listUID, name string, text []byte, condition todo.CalendarCondition) (etag string, created bool, err error)
	Delete(ctx context.Context, caller app.Caller, listUID, name, ifMatch string) error
	Changes(ctx context.Context, caller app.Caller, listUID, token string, limit int) (todo.CalendarChanges, error)
	Make(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error
	Change(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error
	Remove(ctx context.Context, caller app.Caller, listUID string) error
}

// Handler answers the requests of calendar clients.
type Handler struct {
	Calendars Calendars
	// Prefix is where clients see the root, such as /todo/dav, without a final slash.
	Prefix string
	// Name returns what the caller is called.
	Name func(ctx context.Context, caller app.Caller) (string, error)
}

// Classes is the DAV header of responses (RFC 4918 section 10.1).
const Classes = "1, 3, access-control, calendar-access, extended-mkcol"

// request is a request with what it is about.
type request struct {
	*http.Request
	caller app.Caller
	at     place
	home   *Handler
}

// ServeDAV answers a request of a signed-in caller, whose path begins with /dav. A refusal that has
// a meaning in WebDAV is answered here; any other error is returned, with nothing answered unless
// the answer had begun.
func (h *Handler) ServeDAV(w http.ResponseWriter, r *http.Request, caller app.Caller) error {
	w.Header().Set("DAV", Classes)
	at, ok := placeOf(r.URL.EscapedPath())
	if !ok {
		return answerProblem(w, problem{status: http.StatusNotFound})
	}
	q := &request{Request: r, caller: caller, at: at, home: h}
	allowed := at.methods()
	if !slices.Contains(allowed, r.Method) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return answerProblem(w, problem{status: http.StatusMethodNotAllowed})
	}
	if scope := scopeOf(r.Method); !caller.May(scope) {
		return refuse(w, q, app.LacksScope(scope))
	}
	if err := h.handle(w, q); err != nil {
		return refuse(w, q, err)
	}
	return nil
}

// handle answers a request whose method the place has.
func (h *Handler) handle(w http.ResponseWriter, q *request) error {
	switch q.Method {
	case http.MethodOptions:
		h.Options(w, q.URL.EscapedPath())
		return nil
	case http.MethodPut:
		return h.put(w, q)
	case http.MethodDelete:
		return h.delete(w, q)
	case "PROPFIND":
		return h.propfind(w, q)
	case "PROPPATCH":
		return h.proppatch(w, q)
	case "REPORT":
		return h.report(w, q)
	case "MKCALENDAR", "MKCOL":
		return h.makeCollection(w, q)
	}
	return h.get(w, q)
}

// scopeOf is what an app password must be good for.
func scopeOf(method string) app.Scope {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, "PROPFIND", "REPORT":
		return app.ScopeTasksRead
	}
	return app.ScopeTasksWrite
}

// Options answers OPTIONS, which needs no sign-in: clients look at it before they ask for one.
func (h *Handler) Options(w http.ResponseWriter, path string) {
	at, _ := placeOf(path)
	w.Header().Set("DAV", Classes)
	w.Header().Set("Allow", strings.Join(at.methods(), ", "))
	w.WriteHeader(http.StatusNoContent)
}
