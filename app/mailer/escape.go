package mailer

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A value may stand in the HTML of a mail at two places: in the text between tags, where it
// is shown as it is, and in href="…", where it leads to the web and nowhere else. Anywhere
// else, such as in a style or in an attribute without quotes, it is an error at the start.

// place is where in the HTML something stands.
type place struct {
	// tag is the tag so far, from its < on, with a NUL for each value. Empty outside of one.
	tag   string
	quote byte // that begins the value of an attribute, else 0
	style bool // in a style sheet
}

// between reports whether the place is in the text between tags.
func (p *place) between() bool { return p.tag == "" && !p.style }

// href begins an attribute that values may stand in.
const href = ` href="`

// elements are all that mails are made of. Without scripts, comments and forms, a tag is what
// stands between < and >, outside of quotes.
func elements() []string {
	return strings.Fields("!doctype html head meta title style body div h1 p a b br")
}

// pass moves the place behind a text of the template.
func (p *place) pass(text string) error {
	for i := range len(text) {
		b := text[i]
		switch {
		case p.tag == "":
			if b == '<' {
				p.tag = "<"
			}
			continue
		case p.quote != 0:
			if b == p.quote {
				p.quote = 0
			}
		case b == '"' || b == '\'':
			p.quote = b
		case b == '>':
			if err := p.end(); err != nil {
				return err
			}
			continue
		}
		p.tag += text[i : i+1]
	}
	return nil
}

// end leaves a tag.
func (p *place) end() error {
	name, _, _ := strings.Cut(strings.ToLower(p.tag[1:]), " ")
	p.tag = ""
	element, closing := strings.CutPrefix(strings.TrimSpace(name), "/")
	if !slices.Contains(elements(), element) {
		return fmt.Errorf("<%s> is not for mails", element)
	}
	if element == "style" {
		p.style = !closing
	}
	return nil
}

// escape returns what makes a value safe at the place, which it moves behind it.
func (p *place) escape(escaper *strings.Replacer) (func(string) (string, error), error) {
	if p.between() {
		return func(text string) (string, error) { return escaper.Replace(text), nil }, nil
	}
	i := strings.LastIndex(p.tag, href)
	inHref := p.quote == '"' && i >= 0 && !strings.Contains(p.tag[i+len(href):], `"`)
	switch {
	case inHref && p.tag[i+len(href):] == "":
		p.tag += "\x00"
		return func(link string) (string, error) {
			if link != "" && !toTheWeb(link) {
				return "", fmt.Errorf("%q is not a link to the web", link)
			}
			return escaper.Replace(percent(link, "!#$&*+,/:;=?@[]%")), nil
		}, nil
	case inHref && p.tag[i+len(href)] == 0:
		return func(text string) (string, error) { return percent(text, ""), nil }, nil
	}
	return nil, errors.New(`a value can stand between tags, or in href="…" as a link and what follows it`)
}

func toTheWeb(link string) bool {
	scheme, _, found := strings.Cut(link, "://")
	return found && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// htmlEscaper makes text of what could be markup, in the text between tags and in quotes.
// What UTF-7 begins with and what HTML has no way to write are among it.
func htmlEscaper() *strings.Replacer {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "+", "&#43;", "\x00", "\uFFFD")
}

// percent encodes all bytes that are not letters, digits or some others (RFC 3986, section
// 2.1). If % is among those, one that begins such a code is kept.
func percent(text, others string) string {
	var out strings.Builder
	for i := range len(text) {
		b := text[i]
		switch {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', strings.IndexByte("-._~", b) >= 0,
			strings.IndexByte(others, b) >= 0 && (b != '%' || isCode(text[i:])):
			out.WriteByte(b)
		default:
			fmt.Fprintf(&out, "%%%02x", b)
		}
	}
	return out.String()
}

// isCode reports whether a text begins with a % and two hexadecimal digits.
func isCode(text string) bool {
	const digits = "0123456789abcdefABCDEF"
	return len(text) > 2 && strings.IndexByte(digits, text[1]) >= 0 && strings.IndexByte(digits, text[2]) >= 0
}
