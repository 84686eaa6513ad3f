package caldav

import (
	"strings"
	"time"
)

// filter is what a calendar-query asks for (RFC 4791 section 9.7). What the store can look for is
// left to it; where that is not all, each text is looked at, too.
type filter struct {
	completed *bool
	from, to  time.Time
	// nothing says that no task can match, such as for a filter for events.
	nothing bool
	// exact says that the texts are to be looked at, by root.
	exact bool
	root  *node
}

// readFilter reads a filter element. Refuses those that can't be computed: a query that finds too
// much is worse than one that the client does in another way.
func readFilter(n *node) (*filter, error) {
	calendar := n.child(nsCalDAV, "comp-filter")
	if calendar == nil || !strings.EqualFold(calendar.attribute("name"), "VCALENDAR") {
		return nil, errValidFilter
	}
	f := &filter{root: calendar}
	if err := checkFilter(calendar, ""); err != nil {
		return nil, err
	}
	for _, inner := range calendar.inner {
		switch {
		case inner.is(nsCalDAV, "is-not-defined"):
			f.nothing = true
		case !inner.is(nsCalDAV, "comp-filter"):
			f.exact = f.exact || inner.is(nsCalDAV, "prop-filter")
		case !strings.EqualFold(inner.attribute("name"), "VTODO"):
			if inner.child(nsCalDAV, "is-not-defined") == nil && !strings.EqualFold(inner.attribute("name"), "VTIMEZONE") {
				f.nothing = true
			}
			f.exact = true
		case inner.child(nsCalDAV, "is-not-defined") != nil:
			f.nothing = true
		default:
			if err := f.readTodo(inner); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// readTodo reads what is asked of a VTODO.
func (f *filter) readTodo(n *node) (err error) {
	for _, inner := range n.inner {
		switch {
		case inner.is(nsCalDAV, "time-range"):
			if f.from, err = readTime(inner.attribute("start")); err != nil {
				return err
			}
			if f.to, err = readTime(inner.attribute("end")); err != nil {
				return err
			}
		case inner.is(nsCalDAV, "prop-filter") && strings.EqualFold(inner.attribute("name"), "COMPLETED") &&
			inner.child(nsCalDAV, "is-not-defined") != nil:
			open := false
			f.completed = &open
		case inner.is(nsCalDAV, "prop-filter"), inner.is(nsCalDAV, "comp-filter"):
			f.exact = true
		}
	}
	return nil
}

// checkFilter refuses what is not computed: times of anything but the task itself.
func checkFilter(n *node, component string) error {
	for _, inner := range n.inner {
		if inner.is(nsCalDAV, "time-range") && (!n.is(nsCalDAV, "comp-filter") || component != "VCALENDAR") {
			return errFilter
		}
		if inner.is(nsCalDAV, "text-match") {
			switch inner.attribute("collation") {
			case "", "default", "i;ascii-casemap", "i;octet":
			default:
				return problem{status: errFilter.status, precondition: nameOf("supported-collation")}
			}
		}
		within := component
		if n.is(nsCalDAV, "comp-filter") {
			within = strings.ToUpper(n.attribute("name"))
		}
		if err := checkFilter(inner, within); err != nil {
			return err
		}
	}
	return nil
}

// readTime reads a time of a time-range, which is in UTC; zero for none.
func readTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return at, errValidFilter
	}
	return at, nil
}

// matches looks at the text of an object.
func (f *filter) matches(text string) bool {
	whole := readComponent(text)
	for _, calendar := range whole.inner {
		if calendar.name == "VCALENDAR" && componentMatches(f.root, calendar) {
			return true
		}
	}
	return false
}

// componentMatches reports whether a component is what a comp-filter asks for. Its time-range has
// been looked at by the store.
func componentMatches(n *node, c *component) bool {
	for _, inner := range n.inner {
		name := strings.ToUpper(inner.attribute("name"))
		not := inner.child(nsCalDAV, "is-not-defined") != nil
		switch {
		case inner.is(nsCalDAV, "comp-filter"):
			any := false
			for _, child := range c.inner {
				any = any || child.name == name && (not || componentMatches(inner, child))
			}
			if any == not {
				return false
			}
		case inner.is(nsCalDAV, "prop-filter"):
			any := false
			for _, line := range c.lines {
				any = any || line.name == name && (not || lineMatches(inner, line))
			}
			if any == not {
				return false
			}
		}
	}
	return true
}

// lineMatches reports whether a property is what a prop-filter asks for.
func lineMatches(n *node, l line) bool {
	for _, inner := range n.inner {
		switch {
		case inner.is(nsCalDAV, "text-match"):
			if !textMatches(inner, l.value) {
				return false
			}
		case inner.is(nsCalDAV, "param-filter"):
			value, has := l.parameter(strings.ToUpper(inner.attribute("name")))
			if not := inner.child(nsCalDAV, "is-not-defined") != nil; has == not {
				return false
			}
			if match := inner.child(nsCalDAV, "text-match"); match != nil && !textMatches(match, value) {
				return false
			}
		}
	}
	return true
}

// textMatches reports whether a value contains the text of a text-match.
func textMatches(n *node, value string) bool {
	wanted := n.text
	if n.attribute("collation") != "i;octet" {
		value, wanted = strings.ToLower(value), strings.ToLower(wanted)
	}
	return strings.Contains(value, wanted) != (n.attribute("negate-condition") == "yes")
}
