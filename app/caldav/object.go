package caldav

import (
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"taskapi/app/todo"
)

// get answers GET and HEAD: the text of an object, and a word for people elsewhere.
func (h *Handler) get(w http.ResponseWriter, q *request) error {
	if q.at.kind != kindObject {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, err := io.WriteString(w, "This is for calendar apps: CalDAV. Give one this address, any user name, and an API token as the password.\n")
		return err
	}
	var found *todo.CalendarObject
	query := todo.CalendarQuery{Names: []string{q.at.name}, WithText: true}
	err := h.Calendars.Objects(q.Context(), q.caller, q.at.list, query, func(o todo.CalendarObject) error {
		found = &o
		return nil
	})
	switch {
	case err != nil:
		return err
	case found == nil:
		return errNoResource
	}
	header := w.Header()
	header.Set("ETag", found.ETag)
	header.Set("Content-Type", mimeCalendar)
	if !found.Updated.IsZero() {
		header.Set("Last-Modified", found.Updated.UTC().Format(http.TimeFormat))
	}
	if tags := q.Header.Get("If-None-Match"); tags == "*" || tags != "" && hasTag(tags, found.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header.Set("Content-Length", strconv.Itoa(len(found.Text)))
	_, err = w.Write(found.Text)
	return err
}

// hasTag reports whether a list of entity tags has one, by the weak comparison.
func hasTag(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}

// put answers PUT of an object.
func (h *Handler) put(w http.ResponseWriter, q *request) error {
	// Some WebDAV clients name no type, or that of any file.
	switch media, _, _ := mime.ParseMediaType(q.Header.Get("Content-Type")); media {
	case "text/calendar", "", "application/octet-stream":
	default:
		return errMediaType
	}
	text, err := io.ReadAll(io.LimitReader(q.Body, maxObject+1))
	if err != nil {
		return err
	}
	if len(text) > maxObject {
		return todo.ErrCalendarTooLarge
	}
	etag, created, err := h.Calendars.Put(q.Context(), q.caller, q.at.list, q.at.name, text, todo.CalendarCondition{
		IfMatch:     strings.Join(q.Header.Values("If-Match"), ", "),
		IfNoneMatch: strings.TrimSpace(q.Header.Get("If-None-Match")) == "*",
	})
	if err != nil {
		return err
	}
	if etag != "" {
		w.Header().Set("ETag", etag)
	}
	if created {
		w.WriteHeader(http.StatusCreated)
		return nil
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// delete answers DELETE of an object and of a collection.
func (h *Handler) delete(w http.ResponseWriter, q *request) error {
	var err error
	if q.at.kind == kindCollection {
		err = h.Calendars.Remove(q.Context(), q.caller, q.at.list)
	} else {
		err = h.Calendars.Delete(q.Context(), q.caller, q.at.list, q.at.name, strings.Join(q.Header.Values("If-Match"), ", "))
	}
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}
