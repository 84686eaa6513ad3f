package caldav

import (
	"encoding/xml"
	"net/http"
	"strconv"
	"strings"

	"taskapi/app/todo"
)

// maxNames is how many properties a request may name.
const maxNames = 200

// propfind answers PROPFIND (RFC 4918 section 9.1), of a depth of 0 or 1.
func (h *Handler) propfind(w http.ResponseWriter, q *request) error {
	depth := q.Header.Get("Depth")
	switch depth {
	case "0", "1", "": // none would be an infinite one, which those that leave it out don't mean
	default:
		return errDepth
	}
	deep := depth == "1"
	body, err := readXML(q.Body)
	if err != nil || body != nil && !body.is(nsDAV, "propfind") {
		return errNoXML
	}
	want, err := q.wants(body)
	if err != nil {
		return err
	}
	switch q.at.kind {
	case kindCollection, kindObject:
		return h.propfindObjects(w, q, want, deep)
	case kindPrincipal:
		if q.at != principal(q.caller.UserID) {
			return errNoResource
		}
	case kindRoot, kindPrincipals, kindHome:
	}
	below, err := h.below(q, deep)
	if err != nil {
		return err
	}
	m := begin(w)
	for _, r := range append([]resource{{place: q.at}}, below...) {
		if err := q.describe(m, r, want); err != nil {
			return err
		}
	}
	return m.end("")
}

// below returns what is in a folder that is no collection of objects.
func (h *Handler) below(q *request, deep bool) ([]resource, error) {
	switch {
	case !deep:
	case q.at.kind == kindRoot:
		return []resource{{place: place{kind: kindPrincipals}}, {place: place{kind: kindHome}}}, nil
	case q.at.kind == kindPrincipals:
		return []resource{{place: principal(q.caller.UserID)}}, nil
	case q.at.kind == kindHome:
		collections, err := h.Calendars.Collections(q.Context(), q.caller)
		var all []resource
		for _, c := range collections {
			all = append(all, resource{place: place{kind: kindCollection, list: c.UID}, collection: &c})
		}
		return all, err
	}
	return nil, nil
}

// propfindObjects answers PROPFIND of a collection, with its objects or without, and of an object.
func (h *Handler) propfindObjects(w http.ResponseWriter, q *request, want wanted, deep bool) error {
	collection, err := h.Calendars.Collection(q.Context(), q.caller, q.at.list)
	if err != nil {
		return err
	}
	var m *multistatus
	query := todo.CalendarQuery{WithText: want.text()}
	if q.at.kind == kindObject {
		query.Names = []string{q.at.name}
	} else {
		m = begin(w)
		if err := q.describe(m, resource{place: q.at, collection: &collection}, want); err != nil {
			return err
		}
		if !deep {
			return m.end("")
		}
	}
	err = h.Calendars.Objects(q.Context(), q.caller, q.at.list, query, func(o todo.CalendarObject) error {
		if m == nil {
			m = begin(w)
		}
		return q.describe(m, objectIn(&collection, &o), want)
	})
	switch {
	case err != nil:
		return err
	case m == nil:
		return errNoResource
	}
	return m.end("")
}

// objectIn is the resource of an object.
func objectIn(c *todo.Collection, o *todo.CalendarObject) resource {
	return resource{place: place{kind: kindObject, list: c.UID, name: o.Name}, collection: c, object: o}
}

// wants reads which properties a client asks for: those inside of a prop element; all of them
// without one.
func (q *request) wants(body *node) (wanted, error) {
	want := wanted{minimal: strings.Contains(q.Header.Get("Prefer"), "return=minimal") || strings.EqualFold(q.Header.Get("Brief"), "t")}
	if body == nil {
		return want, nil
	}
	want.only = body.child(nsDAV, "propname") != nil
	list := body.child(nsDAV, "prop")
	if list == nil {
		return want, nil
	}
	if len(list.inner) > maxNames {
		return want, problem{status: http.StatusBadRequest, message: "At most " + strconv.Itoa(maxNames) + " properties can be asked for."}
	}
	want.names = []xml.Name{}
	for _, inner := range list.inner {
		want.names = append(want.names, inner.Name)
	}
	return want, nil
}

// text reports whether what is asked for needs the texts of objects.
func (w wanted) text() bool {
	for _, name := range w.names {
		if name == (xml.Name{Space: nsCalDAV, Local: "calendar-data"}) || name == (xml.Name{Space: nsDAV, Local: "getcontentlength"}) {
			return !w.only
		}
	}
	return false
}
