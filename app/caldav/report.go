package caldav

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"taskapi/app/todo"
)

// report answers REPORT (RFC 3253 section 3.6).
func (h *Handler) report(w http.ResponseWriter, q *request) error {
	body, err := readXML(q.Body)
	if err != nil || body == nil {
		return errNoXML
	}
	collection := q.at.kind == kindCollection
	switch {
	case body.is(nsCalDAV, "calendar-query") && collection:
		return h.query(w, q, body)
	case body.is(nsCalDAV, "calendar-multiget") && (collection || q.at.kind == kindObject):
		return h.multiget(w, q, body)
	case body.is(nsDAV, "sync-collection") && collection:
		return h.sync(w, q, body)
	case body.is(nsDAV, "principal-search-property-set") && !collection && q.at.kind != kindObject:
		w.Header().Set("Content-Type", mimeXML)
		_, err := io.WriteString(w, xmlBegin+`<d:principal-search-property-set xmlns:d="DAV:"/>`+"\n")
		return err
	}
	return errReport
}

// query answers calendar-query (RFC 4791 section 7.8).
func (h *Handler) query(w http.ResponseWriter, q *request, body *node) error {
	want, err := q.wants(body)
	if err != nil {
		return err
	}
	f, err := readFilter(body.child(nsCalDAV, "filter"))
	if err != nil {
		return err
	}
	collection, err := h.Calendars.Collection(q.Context(), q.caller, q.at.list)
	if err != nil {
		return err
	}
	m := begin(w)
	if f.nothing {
		return m.end("")
	}
	query := todo.CalendarQuery{Completed: f.completed, From: f.from, To: f.to, WithText: want.text() || f.exact}
	err = h.Calendars.Objects(q.Context(), q.caller, q.at.list, query, func(o todo.CalendarObject) error {
		if f.exact && !f.matches(string(o.Text)) {
			return nil
		}
		return q.describe(m, objectIn(&collection, &o), want)
	})
	if err != nil {
		return err
	}
	return m.end("")
}

// multiget answers calendar-multiget (RFC 4791 section 7.9).
func (h *Handler) multiget(w http.ResponseWriter, q *request, body *node) error {
	want, err := q.wants(body)
	if err != nil {
		return err
	}
	collection, err := h.Calendars.Collection(q.Context(), q.caller, q.at.list)
	if err != nil {
		return err
	}
	asked := map[string]string{} // names to the hrefs that the client wrote
	names, elsewhere := []string{}, []string{}
	for _, inner := range body.inner {
		if !inner.is(nsDAV, "href") {
			continue
		}
		href := strings.TrimSpace(inner.text)
		at, ok := h.placeOfHref(href)
		if !ok || at.kind != kindObject || at.list != q.at.list || q.at.kind == kindObject && at != q.at {
			elsewhere = append(elsewhere, href)
			continue
		}
		if _, twice := asked[at.name]; !twice {
			asked[at.name] = href
			names = append(names, at.name)
		}
	}
	m := begin(w)
	if len(names) > 0 {
		query := todo.CalendarQuery{Names: names, WithText: want.text()}
		err = h.Calendars.Objects(q.Context(), q.caller, q.at.list, query, func(o todo.CalendarObject) error {
			delete(asked, o.Name)
			return q.describe(m, objectIn(&collection, &o), want)
		})
		if err != nil {
			return err
		}
	}
	for _, name := range names {
		if href, missing := asked[name]; missing {
			elsewhere = append(elsewhere, href)
		}
	}
	for _, href := range elsewhere {
		if err := m.status(href, http.StatusNotFound, ""); err != nil {
			return err
		}
	}
	return m.end("")
}

// sync answers sync-collection (RFC 6578).
func (h *Handler) sync(w http.ResponseWriter, q *request, body *node) error {
	want, err := q.wants(body)
	if err != nil {
		return err
	}
	limit := 0
	if text := body.child(nsDAV, "limit").value(nsDAV, "nresults"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return errNoXML
		}
	}
	token := body.value(nsDAV, "sync-token")
	news, err := h.Calendars.Changes(q.Context(), q.caller, q.at.list, token, limit)
	if err != nil {
		return err
	}
	collection := todo.Collection{}
	if len(news.Changed) > 0 || news.More {
		if collection, err = h.Calendars.Collection(q.Context(), q.caller, q.at.list); err != nil {
			return err
		}
	}
	m := begin(w)
	for {
		if err := h.news(q, m, &collection, news, want); err != nil {
			return err
		}
		// Many clients that give no limit don't know what a truncated answer is.
		if !news.More || limit > 0 {
			break
		}
		if news, err = h.Calendars.Changes(q.Context(), q.caller, q.at.list, news.Next, 0); err != nil {
			return err
		}
	}
	if news.More {
		if err := m.status(h.href(q.at), http.StatusInsufficientStorage, "<d:error><d:number-of-matches-within-limits/></d:error>"); err != nil {
			return err
		}
	}
	return m.end("<d:sync-token>" + escaped(news.Next) + "</d:sync-token>")
}

// news writes what is new: what has changed, and what is gone.
func (h *Handler) news(q *request, m *multistatus, collection *todo.Collection, news todo.CalendarChanges, want wanted) error {
	if err := h.changed(q, m, collection, news.Changed, want); err != nil {
		return err
	}
	for _, name := range news.Gone {
		if err := m.status(h.href(place{kind: kindObject, list: q.at.list, name: name}), http.StatusNotFound, ""); err != nil {
			return err
		}
	}
	return nil
}

// changed writes what has changed, with texts if they are wanted.
func (h *Handler) changed(q *request, m *multistatus, collection *todo.Collection, objects []todo.CalendarObject, want wanted) error {
	if !want.text() {
		for _, o := range objects {
			if err := q.describe(m, objectIn(collection, &o), want); err != nil {
				return err
			}
		}
		return nil
	}
	if len(objects) == 0 {
		return nil
	}
	names := make([]string, len(objects))
	for i, o := range objects {
		names[i] = o.Name
	}
	query := todo.CalendarQuery{Names: names, WithText: true}
	return h.Calendars.Objects(q.Context(), q.caller, q.at.list, query, func(o todo.CalendarObject) error {
		return q.describe(m, objectIn(collection, &o), want)
	})
}
