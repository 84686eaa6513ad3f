package caldav

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// maxObject is the size of an object as clients are told of it, in bytes.
const maxObject = 128 << 10

// resource is something that has properties.
type resource struct {
	place      place
	collection *todo.Collection     // of a collection, and of the one that an object is in
	object     *todo.CalendarObject // of an object
}

// wanted is what a client asks for.
type wanted struct {
	names   []xml.Name // nil for all
	only    bool       // the names without the values: propname
	minimal bool       // no word of properties that are not there (RFC 8144 section 2.1)
}

// names that make up "all" are those of RFC 4918 with what costs nothing; the rest is to be named.
func allNames(kind kind) []xml.Name {
	names := []xml.Name{{Space: nsDAV, Local: "resourcetype"}, {Space: nsDAV, Local: "displayname"}}
	switch kind {
	case kindCollection:
		names = append(names, xml.Name{Space: nsServer, Local: "getctag"}, xml.Name{Space: nsDAV, Local: "sync-token"})
	case kindObject:
		names = append(names[:1], xml.Name{Space: nsDAV, Local: "getetag"}, xml.Name{Space: nsDAV, Local: "getcontenttype"}, xml.Name{Space: nsDAV, Local: "getlastmodified"})
	case kindRoot, kindPrincipals, kindPrincipal, kindHome:
	}
	return names
}

// describe writes what is asked for of a resource.
func (q *request) describe(m *multistatus, r resource, want wanted) error {
	names := want.names
	if names == nil {
		names = allNames(r.place.kind)
	}
	var has strings.Builder
	var lacks []xml.Name
	for _, name := range names {
		switch value, ok := q.property(r, name); {
		case !ok && !want.minimal && want.names != nil:
			lacks = append(lacks, name)
		case ok && want.only:
			element(&has, name, "")
		case ok:
			element(&has, name, value)
		}
	}
	return m.found(q.home.href(r.place), has.String(), lacks, http.StatusNotFound)
}

// property returns a property of a resource as XML; ok is false if it has none of the name.
func (q *request) property(r resource, name xml.Name) (value string, ok bool) {
	if name.Space == nsDAV {
		switch name.Local {
		case "current-user-principal":
			return hrefElement(q.home.href(principal(q.caller.UserID))), true
		case "principal-collection-set":
			return hrefElement(q.home.href(place{kind: kindPrincipals})), true
		case "resourcetype":
			return resourceType(r.place.kind), true
		case "current-user-privilege-set":
			return q.privileges(r), true
		case "owner":
			return hrefElement(q.home.href(principal(q.owner(r)))), true
		case "supported-report-set":
			return reportSet(r.place.kind), true
		}
	}
	switch r.place.kind {
	case kindObject:
		return objectProperty(r.object, name)
	case kindCollection:
		return q.collectionProperty(r.collection, name)
	case kindPrincipal:
		return q.principalProperty(name)
	case kindRoot, kindHome, kindPrincipals:
	}
	if r.place.kind == kindHome && name == (xml.Name{Space: nsCalDAV, Local: "supported-calendar-component-sets"}) {
		return `<c:supported-calendar-component-set><c:comp name="VTODO"/></c:supported-calendar-component-set>`, true
	}
	if name == (xml.Name{Space: nsDAV, Local: "displayname"}) {
		return "taskapi", true
	}
	return "", false
}

// owner is whose a resource is.
func (q *request) owner(r resource) int64 {
	if r.collection != nil {
		return r.collection.List.OwnerID
	}
	return q.caller.UserID
}

func resourceType(kind kind) string {
	switch kind {
	case kindObject:
		return ""
	case kindCollection:
		return "<d:collection/><c:calendar/>"
	case kindPrincipal:
		return "<d:collection/><d:principal/>"
	case kindRoot, kindPrincipals, kindHome:
	}
	return "<d:collection/>"
}

// privileges says what the caller may do (RFC 3744 section 5.5), by their role in the list and by
// what their app password is good for.
func (q *request) privileges(r resource) string {
	may := []string{"read", "read-current-user-privilege-set"}
	if q.caller.May(app.ScopeTasksWrite) {
		switch {
		case r.collection != nil && r.collection.List.Role >= todo.RoleEditor:
			may = append(may, "write", "write-content", "write-properties", "bind", "unbind")
		case r.collection != nil:
			// Viewers may set their own order of lists, but "write-properties" alone makes
			// Thunderbird offer them to change the tasks.
		case r.place.kind == kindHome:
			may = append(may, "bind", "unbind")
		}
	}
	return "<d:privilege><d:" + strings.Join(may, "/></d:privilege><d:privilege><d:") + "/></d:privilege>"
}

func reportSet(kind kind) string {
	var reports []string
	switch kind {
	case kindCollection:
		reports = []string{"<c:calendar-query/>", "<c:calendar-multiget/>", "<d:sync-collection/>"}
	case kindObject:
		reports = []string{"<c:calendar-multiget/>"}
	case kindRoot, kindPrincipals, kindPrincipal, kindHome:
		reports = []string{"<d:principal-search-property-set/>"}
	}
	return "<d:supported-report><d:report>" + strings.Join(reports, "</d:report></d:supported-report><d:supported-report><d:report>") + "</d:report></d:supported-report>"
}

func objectProperty(o *todo.CalendarObject, name xml.Name) (string, bool) {
	switch name {
	case xml.Name{Space: nsDAV, Local: "getetag"}:
		return escaped(o.ETag), true
	case xml.Name{Space: nsDAV, Local: "getcontenttype"}:
		return mimeCalendar, true
	case xml.Name{Space: nsDAV, Local: "getlastmodified"}:
		return o.Updated.UTC().Format(http.TimeFormat), !o.Updated.IsZero()
	case xml.Name{Space: nsDAV, Local: "getcontentlength"}:
		return strconv.Itoa(len(o.Text)), o.Text != nil
	case xml.Name{Space: nsCalDAV, Local: "calendar-data"}:
		return escaped(string(o.Text)), o.Text != nil
	}
	return "", false
}

func (q *request) collectionProperty(c *todo.Collection, name xml.Name) (string, bool) {
	switch name {
	case xml.Name{Space: nsDAV, Local: "displayname"}:
		return escaped(c.List.Name), true
	case xml.Name{Space: nsApple, Local: "calendar-color"}:
		return strings.ToUpper(c.List.Color), c.List.Color != ""
	case xml.Name{Space: nsApple, Local: "calendar-order"}:
		return strconv.FormatInt(c.Order, 10), true
	case xml.Name{Space: nsServer, Local: "getctag"}, xml.Name{Space: nsDAV, Local: "sync-token"}:
		return escaped(c.Token), true
	case xml.Name{Space: nsCalDAV, Local: "supported-calendar-component-set"}:
		return `<c:comp name="VTODO"/>`, true
	case xml.Name{Space: nsCalDAV, Local: "supported-calendar-data"}:
		return `<c:calendar-data content-type="text/calendar" version="2.0"/>`, true
	case xml.Name{Space: nsCalDAV, Local: "supported-collation-set"}:
		return "<c:supported-collation>i;ascii-casemap</c:supported-collation><c:supported-collation>i;octet</c:supported-collation>", true
	case xml.Name{Space: nsCalDAV, Local: "max-resource-size"}:
		return strconv.Itoa(maxObject), true
	case xml.Name{Space: nsDAV, Local: "getcontenttype"}:
		return "text/calendar", true
	case xml.Name{Space: nsDAV, Local: "creationdate"}:
		return c.List.CreatedAt.UTC().Format(time.RFC3339), true
	}
	return "", false
}

func (q *request) principalProperty(name xml.Name) (string, bool) {
	self := hrefElement(q.home.href(principal(q.caller.UserID)))
	switch name {
	case xml.Name{Space: nsDAV, Local: "principal-URL"}, xml.Name{Space: nsCalDAV, Local: "calendar-user-address-set"}:
		return self, true
	case xml.Name{Space: nsCalDAV, Local: "calendar-home-set"}:
		return hrefElement(q.home.href(place{kind: kindHome})), true
	case xml.Name{Space: nsCalDAV, Local: "calendar-user-type"}:
		return "INDIVIDUAL", true
	case xml.Name{Space: nsDAV, Local: "displayname"}:
		text, err := q.home.Name(q.Context(), q.caller)
		if err != nil {
			text = fmt.Sprintf("user %d", q.caller.UserID)
		}
		return escaped(text), true
	}
	return "", false
}
