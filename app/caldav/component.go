package caldav

import (
	"encoding/xml"
	"strings"
)

// component is a component of iCalendar as filters look at it. Its text is our own use case's, so
// that it is well-formed.
type component struct {
	name  string
	lines []line
	inner []*component
}

// line is a property: its name, its parameters as they stand, and its value without escapes.
type line struct{ name, parameters, value string }

// readComponent returns what is in a text, below a component without a name.
func readComponent(text string) *component {
	text = strings.NewReplacer("\r\n ", "", "\r\n\t", "", "\n ", "", "\n\t", "").Replace(text)
	root := &component{}
	open := []*component{root}
	for raw := range strings.Lines(text) {
		l := readLine(strings.TrimRight(raw, "\r\n"))
		now := open[len(open)-1]
		switch {
		case l.name == "BEGIN":
			child := &component{name: strings.ToUpper(l.value)}
			now.inner = append(now.inner, child)
			open = append(open, child)
		case l.name == "END" && len(open) > 1:
			open = open[:len(open)-1]
		case l.name != "":
			now.lines = append(now.lines, l)
		}
	}
	return root
}

// readLine takes a line apart.
func readLine(raw string) line {
	quoted := false
	for i, char := range []byte(raw) {
		switch {
		case char == '"':
			quoted = !quoted
		case char == ':' && !quoted:
			name, parameters, _ := strings.Cut(raw[:i], ";")
			value := strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";").Replace(raw[i+1:])
			return line{strings.ToUpper(name), parameters, value}
		}
	}
	return line{}
}

// parameter returns a parameter's value, without its quotes.
func (l line) parameter(name string) (value string, ok bool) {
	quoted := false
	for part := range strings.FieldsFuncSeq(l.parameters, func(r rune) bool {
		quoted = quoted != (r == '"')
		return r == ';' && !quoted
	}) {
		key, value, found := strings.Cut(part, "=")
		if found && strings.EqualFold(key, name) {
			return strings.ReplaceAll(value, `"`, ""), true
		}
	}
	return "", false
}

// nameOf is the XML name of something of CalDAV's.
func nameOf(local string) xml.Name { return xml.Name{Space: nsCalDAV, Local: local} }
