package caldav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// The namespaces that are known here.
const (
	nsDAV    = "DAV:"
	nsCalDAV = "urn:ietf:params:xml:ns:caldav"
	nsServer = "http://calendarserver.org/ns/"
	nsApple  = "http://apple.com/ns/ical/"
)

// Limits of the XML of a request. A calendar-multiget may name every object of a large collection.
const (
	maxDepth    = 24
	maxElements = 150_000
)

// node is an element of a request.
type node struct {
	xml.Name
	attributes []xml.Attr
	text       string
	inner      []*node
}

var errXML = errors.New("malformed XML")

// readXML reads the body of a request, nil for none. There are no entities but those of XML itself,
// and no document type that could define some.
func readXML(body io.Reader) (*node, error) {
	if body == nil {
		return nil, nil
	}
	text, err := io.ReadAll(body)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return nil, err
	}
	decoder := xml.NewDecoder(bytes.NewReader(text))
	root := &node{}
	open := []*node{root}
	for count := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(errXML, err)
		}
		now := open[len(open)-1]
		switch token := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(open) > maxDepth {
				return nil, errXML
			}
			child := &node{Name: token.Name, attributes: token.Attr}
			now.inner = append(now.inner, child)
			open = append(open, child)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(now.inner) == 0 { // what is between elements means nothing here
				now.text += string(token)
			}
		case xml.Directive:
			return nil, errXML
		}
	}
	if len(root.inner) != 1 {
		return nil, errXML
	}
	return root.inner[0], nil
}

// is reports whether the element has a name.
func (n *node) is(space, local string) bool {
	return n != nil && n.Space == space && n.Local == local
}

// child returns the first element of a name below n, nil without one.
func (n *node) child(space, local string) *node {
	if n == nil {
		return nil
	}
	for _, inner := range n.inner {
		if inner.is(space, local) {
			return inner
		}
	}
	return nil
}

// value returns the text of the first element of a name below n, without the spaces around it.
func (n *node) value(space, local string) string {
	if child := n.child(space, local); child != nil {
		return strings.TrimSpace(child.text)
	}
	return ""
}

// attribute returns the value of an attribute, empty without one.
func (n *node) attribute(name string) string {
	for _, a := range n.attributes {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// escape writes text into XML. A carriage return would be read as a new line, so it is written as a
// reference; what XML can't hold becomes U+FFFD.
func escape(out *strings.Builder, text string) {
	last := 0
	for i, r := range text {
		var with string
		switch {
		case r == '&':
			with = "&amp;"
		case r == '<':
			with = "&lt;"
		case r == '>':
			with = "&gt;"
		case r == '"':
			with = "&quot;"
		case r == '\r':
			with = "&#13;"
		case r < ' ' && r != '\n' && r != '\t', r == 0xFFFE, r == 0xFFFF, r == 0xFFFD && text[i] != 0xEF:
			with = "\uFFFD"
		default:
			continue
		}
		out.WriteString(text[last:i])
		out.WriteString(with)
		last = i + 1
		if r == 0xFFFE || r == 0xFFFF {
			last = i + 3
		}
	}
	out.WriteString(text[last:])
}

func escaped(text string) string {
	var out strings.Builder
	escape(&out, text)
	return out.String()
}

// prefixOf is how a known namespace is written in answers.
func prefixOf(space string) string {
	switch space {
	case nsDAV:
		return "d:"
	case nsCalDAV:
		return "c:"
	case nsServer:
		return "cs:"
	case nsApple:
		return "ic:"
	}
	return ""
}

// element writes an element with what is inside of it, which is XML already.
func element(out *strings.Builder, name xml.Name, inside string) {
	prefix := prefixOf(name.Space)
	out.WriteByte('<')
	switch {
	case prefix != "":
		out.WriteString(prefix)
		out.WriteString(name.Local)
	case name.Space == "":
		out.WriteString(name.Local)
	default:
		prefix = "x:"
		out.WriteString("x:" + name.Local + ` xmlns:x="`)
		escape(out, name.Space)
		out.WriteByte('"')
	}
	if inside == "" {
		out.WriteString("/>")
		return
	}
	out.WriteByte('>')
	out.WriteString(inside)
	out.WriteString("</" + prefix + name.Local + ">")
}

// href writes a href element.
func hrefElement(href string) string { return "<d:href>" + escaped(href) + "</d:href>" }
