package caldav

import (
	"encoding/xml"
	"errors"
	"net/http"

	"taskapi/app"
	"taskapi/app/todo"
)

// Error makes a problem something that a handler can return.
func (p problem) Error() string { return http.StatusText(p.status) + " " + p.precondition.Local }

// The refusals that are WebDAV's own.
var (
	errNoXML       = problem{status: http.StatusBadRequest, message: "The body must be XML, without a document type."}
	errDepth       = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsDAV, Local: "propfind-finite-depth"}}
	errReport      = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsDAV, Local: "supported-report"}}
	errFilter      = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsCalDAV, Local: "supported-filter"}}
	errValidFilter = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsCalDAV, Local: "valid-filter"}}
	errMediaType   = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsCalDAV, Local: "supported-calendar-data"}, message: "An object must be text/calendar."}
	errComponents  = problem{status: http.StatusForbidden, precondition: xml.Name{Space: nsCalDAV, Local: "supported-calendar-component"}, message: todo.ErrCalendarComponent.Message}
	errNoResource  = problem{status: http.StatusNotFound}
)

// preconditions are those of the errors that have one.
func preconditions() map[string]problem {
	caldav := func(status int, local string) problem {
		return problem{status: status, precondition: xml.Name{Space: nsCalDAV, Local: local}}
	}
	dav := func(status int, local string) problem {
		return problem{status: status, precondition: xml.Name{Space: nsDAV, Local: local}}
	}
	return map[string]problem{
		todo.ErrCalendarData.Code:      caldav(http.StatusForbidden, "valid-calendar-data"),
		todo.ErrCalendarObject.Code:    caldav(http.StatusForbidden, "valid-calendar-object-resource"),
		todo.ErrCalendarComponent.Code: caldav(http.StatusForbidden, "supported-calendar-component"),
		todo.ErrCalendarTooLarge.Code:  caldav(http.StatusRequestEntityTooLarge, "max-resource-size"),
		todo.ErrCalendarUID.Code:       caldav(http.StatusForbidden, "no-uid-conflict"),
		todo.ErrSyncExpired.Code:       dav(http.StatusForbidden, "valid-sync-token"),
		todo.ErrReadOnlyList.Code:      dav(http.StatusForbidden, "need-privileges"),
		todo.ErrNotListOwner.Code:      dav(http.StatusForbidden, "need-privileges"),
		todo.ErrExists.Code:            dav(http.StatusMethodNotAllowed, "resource-must-be-null"),
		todo.ErrUIDTaken.Code:          dav(http.StatusForbidden, "resource-must-be-null"),
		todo.ErrInboxFixed.Code:        {status: http.StatusForbidden},
		app.ErrScope.Code:              dav(http.StatusForbidden, "need-privileges"),
		app.ErrForbidden.Code:          dav(http.StatusForbidden, "need-privileges"),
	}
}

// statusOf maps kinds of errors to the statuses that WebDAV has for them; 0 leaves the error to
// those that answer for the whole server.
func statusOf(kind app.Kind) int {
	switch kind {
	case app.KindMalformed:
		return http.StatusBadRequest
	case app.KindInvalid, app.KindForbidden:
		return http.StatusForbidden
	case app.KindNotFound:
		return http.StatusNotFound
	case app.KindConflict:
		return http.StatusConflict
	case app.KindPrecondition:
		return http.StatusPreconditionFailed
	case app.KindInternal, app.KindUnauthenticated, app.KindGone, app.KindLimited, app.KindUnavailable:
	}
	return 0
}

// refuse answers an error, or returns it if it has no meaning of its own in WebDAV.
func refuse(w http.ResponseWriter, q *request, err error) error {
	var own problem
	if errors.As(err, &own) {
		return answerProblem(w, own)
	}
	var domain *app.Error
	if !errors.As(err, &domain) {
		return err
	}
	p := preconditions()[domain.Code]
	if p.status == 0 {
		p.status = statusOf(domain.Kind)
	}
	if p.status == 0 {
		return err
	}
	if p.message = domain.Message; p.message == "" {
		p.message = domain.Error()
	}
	if p.precondition.Local == "need-privileges" {
		privilege := "write"
		switch {
		case scopeOf(q.Method) == app.ScopeTasksRead:
			privilege = "read"
		case q.Method == http.MethodPut:
			privilege = "write-content"
		}
		p.inside = "<d:resource>" + hrefElement(q.home.href(q.at)) + "<d:privilege><d:" + privilege + "/></d:privilege></d:resource>"
	}
	return answerProblem(w, p)
}
