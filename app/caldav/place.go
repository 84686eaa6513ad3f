package caldav

import (
	"net/url"
	"strconv"
	"strings"
)

// kind says which sort of resource an address stands for.
type kind int

const (
	kindRoot       kind = iota
	kindPrincipals      // the folder of principals
	kindPrincipal
	kindHome
	kindCollection
	kindObject
)

// place is an address: its kind and the parts that differ.
type place struct {
	kind kind
	user string // of a principal, as text
	list string // uid of a collection or of an object's
	name string // of an object
	// outside is the root by the address of the whole server, which some clients know only.
	outside bool
}

// placeOf reads an escaped path. The final slash of a collection may be missing.
func placeOf(path string) (place, bool) {
	parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(path, "/dav"), "/"), "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil || i > 0 && plain == "" {
			return place{}, false
		}
		parts[i] = plain
	}
	switch at := append(parts, "", "", ""); {
	case at[0] != "" || len(parts) > 4:
		return place{}, false
	case len(parts) == 1:
		return place{kind: kindRoot, outside: path == "/"}, true
	case at[1] == "principals" && len(parts) == 2:
		return place{kind: kindPrincipals}, true
	case at[1] == "principals" && len(parts) == 3:
		return place{kind: kindPrincipal, user: at[2]}, true
	case at[1] == "lists" && len(parts) == 2:
		return place{kind: kindHome}, true
	case at[1] == "lists" && len(parts) == 3:
		return place{kind: kindCollection, list: at[2]}, true
	case at[1] == "lists" && len(parts) == 4:
		return place{kind: kindObject, list: at[2], name: at[3]}, true
	}
	return place{}, false
}

// methods lists the methods that a place knows.
func (p place) methods() []string {
	switch p.kind {
	case kindCollection:
		return []string{"DELETE", "GET", "HEAD", "MKCALENDAR", "MKCOL", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"}
	case kindObject:
		return []string{"DELETE", "GET", "HEAD", "OPTIONS", "PROPFIND", "PUT", "REPORT"}
	}
	return []string{"GET", "HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"}
}

// href writes the address of a place for clients.
func (h *Handler) href(p place) string {
	switch p.kind {
	case kindPrincipals:
		return h.Prefix + "/principals/"
	case kindPrincipal:
		return h.Prefix + "/principals/" + url.PathEscape(p.user) + "/"
	case kindHome:
		return h.Prefix + "/lists/"
	case kindCollection:
		return h.Prefix + "/lists/" + url.PathEscape(p.list) + "/"
	case kindObject:
		return h.Prefix + "/lists/" + url.PathEscape(p.list) + "/" + url.PathEscape(p.name)
	}
	if p.outside {
		return strings.TrimSuffix(h.Prefix, "dav")
	}
	return h.Prefix + "/"
}

// principal is the place of a person.
func principal(userID int64) place {
	return place{kind: kindPrincipal, user: strconv.FormatInt(userID, 10)}
}

// placeOfHref reads an address as a client writes it in XML: a path, or a whole URL.
func (h *Handler) placeOfHref(href string) (place, bool) {
	parsed, err := url.Parse(strings.TrimSpace(href))
	if err != nil {
		return place{}, false
	}
	rest, below := strings.CutPrefix(parsed.EscapedPath(), h.Prefix)
	if !below {
		return place{}, false
	}
	return placeOf("/dav" + rest)
}
