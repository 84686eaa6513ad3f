package ical

import (
	"strings"
	"unicode/utf8"
)

// Param is a parameter of a property. Its name is in upper case, and its value has no quotes.
type Param struct{ Name, Value string }

// Property is one content line.
type Property struct {
	// Name is in upper case.
	Name   string
	Params []Param
	// Value is as it is written, with what is escaped in it.
	Value string
	raw   string
}

// Param returns the first value of a parameter; empty without one.
func (p *Property) Param(name string) string {
	for _, one := range p.Params {
		if one.Name == name {
			return one.Value
		}
	}
	return ""
}

// Text returns the value of a property of type TEXT (RFC 5545 section 3.3.11).
func (p *Property) Text() string { return unescape(p.Value) }

// List returns the values of a property that has several of type TEXT, between commas.
func (p *Property) List() []string {
	var all []string
	from := 0
	for i := 0; i < len(p.Value); i++ {
		switch p.Value[i] {
		case '\\':
			i++
		case ',':
			all = append(all, unescape(p.Value[from:i]))
			from = i + 1
		}
	}
	return append(all, unescape(p.Value[from:]))
}

// New returns a property whose value is written as it is, folded where that is long.
func New(name, value string, params ...Param) *Property {
	var line strings.Builder
	line.WriteString(name)
	for _, p := range params {
		line.WriteString(";" + p.Name + "=")
		if strings.ContainsAny(p.Value, ":;,") {
			line.WriteString(`"` + p.Value + `"`)
		} else {
			line.WriteString(p.Value)
		}
	}
	line.WriteString(":" + value)
	return &Property{Name: name, Params: params, Value: value, raw: fold(line.String())}
}

// NewText returns a property of type TEXT.
func NewText(name, text string, params ...Param) *Property { return New(name, Escape(text), params...) }

// NewList returns a property that has several values of type TEXT.
func NewList(name string, texts []string) *Property {
	escaped := make([]string, len(texts))
	for i, text := range texts {
		escaped[i] = Escape(text)
	}
	return New(name, strings.Join(escaped, ","))
}

// Escape writes a text as a value of type TEXT.
func Escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`).Replace(text)
}

func unescape(value string) string {
	if !strings.Contains(value, `\`) {
		return value
	}
	var text strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '\\' || i+1 == len(value) {
			text.WriteByte(value[i])
			continue
		}
		i++
		if value[i] == 'n' || value[i] == 'N' {
			text.WriteByte('\n')
		} else {
			text.WriteByte(value[i])
		}
	}
	return text.String()
}

// foldAt is how many bytes a line has at most, without its end.
const foldAt = 75

// fold breaks a line between characters (RFC 5545 section 3.1).
func fold(line string) string {
	var out strings.Builder
	width := 0
	for _, r := range line {
		size := utf8.RuneLen(r)
		if size < 0 {
			size = len(string(utf8.RuneError))
		}
		if width+size > foldAt {
			out.WriteString("\r\n ")
			width = 1
		}
		out.WriteRune(r)
		width += size
	}
	out.WriteString("\r\n")
	return out.String()
}

// parseProperty reads an unfolded line.
func parseProperty(line string) (p *Property, ok bool) {
	at := strings.IndexAny(line, ";:")
	if at < 1 || !isName(line[:at]) {
		return nil, false
	}
	p = &Property{Name: strings.ToUpper(line[:at])}
	rest := line[at:]
	for strings.HasPrefix(rest, ";") {
		name, values, found := strings.Cut(rest[1:], "=")
		if !found || !isName(name) {
			return nil, false
		}
		name = strings.ToUpper(name)
		if rest, ok = p.readValues(name, values); !ok {
			return nil, false
		}
	}
	value, found := strings.CutPrefix(rest, ":")
	p.Value = value
	return p, found
}

// readValues reads the values of a parameter, and returns what follows them.
func (p *Property) readValues(name, rest string) (string, bool) {
	for {
		value, quoted := "", strings.HasPrefix(rest, `"`)
		if quoted {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return "", false
			}
			value, rest = rest[1:1+end], rest[end+2:]
		} else {
			end := strings.IndexAny(rest, `;:,"`)
			if end < 0 {
				return "", false
			}
			value, rest = rest[:end], rest[end:]
		}
		p.Params = append(p.Params, Param{name, value})
		switch {
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		case strings.HasPrefix(rest, ";"), strings.HasPrefix(rest, ":"):
			return rest, true
		default:
			return "", false
		}
	}
}

func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}
