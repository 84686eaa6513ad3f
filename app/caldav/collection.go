package caldav

import (
	"encoding/xml"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// changes are the properties of a collection that a client sets.
type changes struct {
	name, color *string
	order       *int64
	known       []xml.Name // those that are kept
	unknown     []xml.Name
}

// colorForm is a color as clients write it: some with how opaque it is, some with a digit each.
var colorForm = regexp.MustCompile(`^#(?:[0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?)$`)

// readColor returns a color as it is kept, without how opaque it is.
func readColor(text string) (color string, ok bool) {
	if !colorForm.MatchString(text) {
		return "", false
	}
	if len(text) <= len("#rgba") {
		text = "#" + strings.Repeat(text[1:2], 2) + strings.Repeat(text[2:3], 2) + strings.Repeat(text[3:4], 2)
	}
	return strings.ToLower(text[:len("#rrggbb")]), true
}

// read takes the properties below a set or a remove element.
func (c *changes) read(action *node) error {
	removes := action.is(nsDAV, "remove")
	prop := action.child(nsDAV, "prop")
	if prop == nil {
		return errNoXML
	}
	for _, p := range prop.inner {
		value := strings.TrimSpace(p.text)
		switch {
		case p.is(nsDAV, "displayname") && !removes:
			c.name = &value
		case p.is(nsApple, "calendar-color") && removes:
			value = ""
			c.color = &value
		case p.is(nsApple, "calendar-color"):
			color, ok := readColor(value)
			if !ok {
				c.unknown = append(c.unknown, p.Name)
				continue
			}
			c.color = &color
		case p.is(nsApple, "calendar-order") && !removes:
			order, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				c.unknown = append(c.unknown, p.Name)
				continue
			}
			c.order = &order
		default:
			c.unknown = append(c.unknown, p.Name)
			continue
		}
		c.known = append(c.known, p.Name)
	}
	return nil
}

// proppatch answers PROPPATCH (RFC 4918 section 9.2): all that is asked for, or nothing.
func (h *Handler) proppatch(w http.ResponseWriter, q *request) error {
	body, err := readXML(q.Body)
	if err != nil || !body.is(nsDAV, "propertyupdate") {
		return errNoXML
	}
	var c changes
	for _, action := range body.inner {
		if !action.is(nsDAV, "set") && !action.is(nsDAV, "remove") {
			continue
		}
		if err := c.read(action); err != nil {
			return err
		}
	}
	href := q.home.href(q.at)
	if q.at.kind != kindCollection {
		c.known, c.unknown = nil, append(c.known, c.unknown...)
	}
	if len(c.unknown) > 0 {
		return h.refuseProperties(w, href, c)
	}
	if err := h.Calendars.Change(q.Context(), q.caller, q.at.list, c.name, c.color, c.order); err != nil {
		return err
	}
	m := begin(w)
	var has strings.Builder
	for _, name := range c.known {
		element(&has, name, "")
	}
	if err := m.found(href, has.String(), nil, 0); err != nil {
		return err
	}
	return m.end("")
}

// refuseProperties answers a PROPPATCH of properties that can't be set.
func (h *Handler) refuseProperties(w http.ResponseWriter, href string, c changes) error {
	m := begin(w)
	m.text.WriteString("<d:response>" + hrefElement(href))
	for _, part := range []struct {
		names  []xml.Name
		status int
		why    string
	}{{c.unknown, http.StatusForbidden, "<d:error><d:cannot-modify-protected-property/></d:error>"}, {c.known, http.StatusFailedDependency, ""}} {
		if len(part.names) == 0 {
			continue
		}
		m.text.WriteString("<d:propstat><d:prop>")
		for _, name := range part.names {
			element(&m.text, name, "")
		}
		m.text.WriteString("</d:prop><d:status>" + statusLine(part.status) + "</d:status>" + part.why + "</d:propstat>")
	}
	m.text.WriteString("</d:response>")
	return m.end("")
}

// makeCollection answers MKCALENDAR (RFC 4791 section 5.3.1) and MKCOL with a body (RFC 5689).
// Clients send properties along that are not kept, such as a time zone: they are passed over, since
// RFC 4791's all or nothing would keep those clients from making any list. A color that can't be kept
// is refused, as by PROPPATCH.
func (h *Handler) makeCollection(w http.ResponseWriter, q *request) error {
	body, err := readXML(q.Body)
	if err != nil {
		return errNoXML
	}
	var c changes
	if body != nil {
		if !body.is(nsCalDAV, "mkcalendar") && !body.is(nsDAV, "mkcol") {
			return errNoXML
		}
		for _, set := range body.inner {
			if !set.is(nsDAV, "set") {
				continue
			}
			if !holdsTasks(set.child(nsDAV, "prop")) {
				return errComponents
			}
			if err := c.read(set); err != nil {
				return err
			}
		}
	}
	color := xml.Name{Space: nsApple, Local: "calendar-color"}
	if slices.Contains(c.unknown, color) {
		c.unknown = []xml.Name{color}
		return h.refuseProperties(w, q.home.href(q.at), c)
	}
	if err := h.Calendars.Make(q.Context(), q.caller, q.at.list, c.name, c.color, c.order); err != nil {
		return err
	}
	w.Header().Set("Location", q.home.href(q.at))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// holdsTasks reports whether a new collection is for tasks, maybe among others, or for whatever the
// server has.
func holdsTasks(prop *node) bool {
	if prop == nil {
		return true
	}
	if kind := prop.child(nsDAV, "resourcetype"); kind != nil && kind.child(nsCalDAV, "calendar") == nil {
		return false
	}
	components := prop.child(nsCalDAV, "supported-calendar-component-set")
	if components == nil || len(components.inner) == 0 {
		return true
	}
	for _, comp := range components.inner {
		if strings.EqualFold(comp.attribute("name"), "VTODO") {
			return true
		}
	}
	return false
}
