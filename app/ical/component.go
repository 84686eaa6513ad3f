package ical

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Component is what stands between BEGIN and END.
type Component struct {
	// Name is in upper case.
	Name       string
	begin, end string
	items      []item
	// tail is what follows the end of the outermost one: blank lines.
	tail string
}

// item is a property, a component or, without either, a blank line.
type item struct {
	property  *Property
	component *Component
	blank     string
}

// ErrSyntax says that a text is no iCalendar.
var ErrSyntax = errors.New("no iCalendar")

// maxNested is how deep components are in one another.
const maxNested = 8

// Parse reads the one VCALENDAR that a text is. Returns ErrSyntax.
func Parse(text []byte) (*Component, error) {
	r := reader{rest: text}
	raw, line, ok := r.next()
	if !ok || !strings.EqualFold(line, "BEGIN:VCALENDAR") {
		return nil, fmt.Errorf("%w: it does not begin with BEGIN:VCALENDAR", ErrSyntax)
	}
	c, err := r.component("VCALENDAR", raw, 1)
	if err != nil {
		return nil, err
	}
	if c.tail = string(r.rest); strings.Trim(c.tail, "\r\n") != "" {
		return nil, fmt.Errorf("%w: something follows END:VCALENDAR", ErrSyntax)
	}
	return c, nil
}

// ParseComponents reads components that follow one another, such as alarms, as they are kept.
// Returns ErrSyntax.
func ParseComponents(text []byte) (all []*Component, err error) {
	r := reader{rest: text}
	for {
		raw, line, ok := r.next()
		if !ok {
			return all, nil
		}
		p, ok := parseProperty(line)
		if !ok || p.Name != "BEGIN" {
			return nil, fmt.Errorf("%w: %q", ErrSyntax, line)
		}
		c, err := r.component(strings.ToUpper(p.Value), raw, 1)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
}

// reader takes a text apart, content line by content line.
type reader struct{ rest []byte }

// next returns a content line as it is and unfolded.
func (r *reader) next() (raw, line string, ok bool) {
	if len(r.rest) == 0 {
		return "", "", false
	}
	var unfolded []byte
	end := 0
	for {
		more := bytes.IndexByte(r.rest[end:], '\n') + 1
		if more == 0 {
			more = len(r.rest) - end
		}
		part := bytes.TrimRight(r.rest[end:end+more], "\r\n")
		if end > 0 {
			part = part[1:]
		}
		unfolded = append(unfolded, part...)
		end += more
		if end == len(r.rest) || r.rest[end] != ' ' && r.rest[end] != '\t' || r.rest[end-1] != '\n' {
			break
		}
	}
	raw, r.rest = string(r.rest[:end]), r.rest[end:]
	return raw, string(unfolded), true
}

// component reads what follows a BEGIN, up to its END.
func (r *reader) component(name, begin string, depth int) (*Component, error) {
	if depth > maxNested {
		return nil, fmt.Errorf("%w: components are nested too deep", ErrSyntax)
	}
	c := &Component{Name: name, begin: begin}
	for {
		raw, line, ok := r.next()
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: END:%s is missing", ErrSyntax, name)
		case line == "":
			c.items = append(c.items, item{blank: raw})
			continue
		case !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return nil, fmt.Errorf("%w: a line holds characters that are not allowed", ErrSyntax)
		}
		p, ok := parseProperty(line)
		if !ok {
			return nil, fmt.Errorf("%w: %.40q is no content line", ErrSyntax, line)
		}
		p.raw = raw
		switch p.Name {
		case "BEGIN":
			inner, err := r.component(strings.ToUpper(p.Value), raw, depth+1)
			if err != nil {
				return nil, err
			}
			c.items = append(c.items, item{component: inner})
		case "END":
			if !strings.EqualFold(p.Value, name) {
				return nil, fmt.Errorf("%w: %s ends as %.40q", ErrSyntax, name, p.Value)
			}
			c.end = raw
			return c, nil
		default:
			c.items = append(c.items, item{property: p})
		}
	}
}

// NewComponent returns an empty component.
func NewComponent(name string) *Component {
	return &Component{Name: name, begin: "BEGIN:" + name + "\r\n", end: "END:" + name + "\r\n"}
}

// Bytes returns the text of the component.
func (c *Component) Bytes() []byte { return c.appendTo(nil) }

func (c *Component) appendTo(text []byte) []byte {
	text = append(text, c.begin...)
	for _, it := range c.items {
		switch {
		case it.property != nil:
			text = append(text, it.property.raw...)
		case it.component != nil:
			text = it.component.appendTo(text)
		default:
			text = append(text, it.blank...)
		}
	}
	text = append(text, c.end...)
	return append(text, c.tail...)
}

// Lines returns how many content lines the component has.
func (c *Component) Lines() int {
	n := 2
	for _, it := range c.items {
		if it.component != nil {
			n += it.component.Lines()
		} else {
			n++
		}
	}
	return n
}

// Components returns the components of a name, of all names for "".
func (c *Component) Components(name string) (all []*Component) {
	for _, it := range c.items {
		if it.component != nil && (name == "" || it.component.Name == name) {
			all = append(all, it.component)
		}
	}
	return all
}

// Properties returns the properties of a name, of all names for "".
func (c *Component) Properties(name string) (all []*Property) {
	for _, it := range c.items {
		if it.property != nil && (name == "" || it.property.Name == name) {
			all = append(all, it.property)
		}
	}
	return all
}

// Property returns the first property of a name; nil without one.
func (c *Component) Property(name string) *Property {
	for _, it := range c.items {
		if it.property != nil && it.property.Name == name {
			return it.property
		}
	}
	return nil
}

// Set puts a property in the place of the first of its name, and removes the others. A new one
// comes behind the properties.
func (c *Component) Set(p *Property) { c.Replace(p, func(*Property) bool { return true }) }

// Replace is Set for those of the name that are meant.
func (c *Component) Replace(p *Property, meant func(*Property) bool) {
	at := slices.IndexFunc(c.items, func(it item) bool { return it.property != nil && it.property.Name == p.Name && meant(it.property) })
	if at < 0 {
		c.Add(p)
		return
	}
	c.items[at].property = p
	c.RemoveIf(p.Name, func(other *Property) bool { return other != p && meant(other) })
}

// Add puts a property behind the others.
func (c *Component) Add(p *Property) {
	at := 0
	for i, it := range c.items {
		if it.property != nil {
			at = i + 1
		}
	}
	c.items = slices.Insert(c.items, at, item{property: p})
}

// Remove removes the properties of a name.
func (c *Component) Remove(name string) { c.RemoveIf(name, func(*Property) bool { return true }) }

// RemoveIf removes those properties of a name that are meant.
func (c *Component) RemoveIf(name string, meant func(*Property) bool) {
	c.items = slices.DeleteFunc(c.items, func(it item) bool {
		return it.property != nil && it.property.Name == name && meant(it.property)
	})
}

// Append puts a component behind all that there is.
func (c *Component) Append(inner *Component) { c.items = append(c.items, item{component: inner}) }

// Prepend puts a component before the other components, behind the properties.
func (c *Component) Prepend(inner *Component) {
	at := slices.IndexFunc(c.items, func(it item) bool { return it.component != nil })
	if at < 0 {
		at = len(c.items)
	}
	c.items = slices.Insert(c.items, at, item{component: inner})
}

// Take removes the components of a name, and returns them.
func (c *Component) Take(name string) []*Component {
	taken := c.Components(name)
	if len(taken) > 0 {
		c.items = slices.DeleteFunc(c.items, func(it item) bool { return it.component != nil && it.component.Name == name })
	}
	return taken
}
