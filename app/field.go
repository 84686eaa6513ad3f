package app

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// FieldState says how a request named a field.
type FieldState int

const (
	// Absent: the request does not name the field.
	Absent FieldState = iota
	// Null: the field is there and null.
	Null
	// Mistyped: the field is there with a value of another JSON type.
	Mistyped
	// Present: the field is there with a value of its type.
	Present
)

// Field is one value of a request as the client sent it. The zero value is an
// absent field, so that a partial update touches nothing it does not name.
type Field[T any] struct {
	State FieldState
	Value T
}

// Given returns a present field.
func Given[T any](value T) Field[T] { return Field[T]{State: Present, Value: value} }

// TextRule is the rule of a field that holds text.
type TextRule struct {
	Name      string
	Min, Max  int  // in characters, after trimming
	Required  bool // must be there on creation
	Trim      bool // a person typed a name: outer white space means nothing
	Multiline bool // newline and tab are allowed
}

// Problems collects what is wrong with a request, one message for each field,
// so that a client learns of all its mistakes at once.
type Problems map[string]string

// Add notes what is wrong with a field. The first message stays.
func (p Problems) Add(name, message string) {
	if _, taken := p[name]; !taken {
		p[name] = message
	}
}

// Mistake is the error of one field that is wrong.
func Mistake(name, message string) error { return Problems{name: message}.Err() }

// Err returns the problems as a KindInvalid error, nil if there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return &Error{Kind: KindInvalid, Code: CodeValidation, Fields: p}
}

// Merge notes what is wrong according to a KindInvalid error; other errors, and nil,
// have nothing to note.
func (p Problems) Merge(err error) {
	var invalid *Error
	if errors.As(err, &invalid) {
		for name, message := range invalid.Fields {
			p.Add(name, message)
		}
	}
}

// Required is the message for a field that must be there.
func Required(name string) string { return "The field " + name + " is required." }

// Text checks a field against its rule and returns the value to store, nil
// when there is none. Present but blank text is never a value for a field
// with a minimum: a change cannot blank what a creation must give.
func (p Problems) Text(rule TextRule, field Field[string]) *string {
	switch field.State {
	case Absent, Null:
		if rule.Required {
			p.Add(rule.Name, Required(rule.Name))
		}
		return nil
	case Mistyped:
		p.Add(rule.Name, "The field "+rule.Name+" must be a string.")
		return nil
	}
	value := field.Value
	if rule.Trim {
		value = strings.TrimSpace(value)
	}
	length := utf8.RuneCountInString(value)
	switch {
	case rule.Min > 0 && Blank(value):
		p.Add(rule.Name, Required(rule.Name))
	case length < rule.Min:
		p.Add(rule.Name, fmt.Sprintf("The field %s must be at least %d characters.", rule.Name, rule.Min))
	case length > rule.Max:
		p.Add(rule.Name, fmt.Sprintf("The field %s must be at most %d characters.", rule.Name, rule.Max))
	case hasControl(value, rule.Multiline), !rule.Multiline && deceives(value):
		p.Add(rule.Name, "The field "+rule.Name+" contains invalid characters.")
	default:
		return &value
	}
	return nil
}

// Boolean returns the value of a field that holds true or false, nil when
// there is none.
func (p Problems) Boolean(name string, field Field[bool]) *bool {
	if field.State == Mistyped {
		p.Add(name, "The field "+name+" must be a boolean.")
	}
	if field.State != Present {
		return nil
	}
	return &field.Value
}

// Integer returns the value of a field that holds an integer, nil when there
// is none.
func (p Problems) Integer(name string, field Field[int64]) *int64 {
	if field.State == Mistyped {
		p.Add(name, "The field "+name+" must be an integer.")
	}
	if field.State != Present {
		return nil
	}
	return &field.Value
}

// Blank reports whether nothing of the text can be seen: white space, and
// format characters such as a lone zero-width space.
func Blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r)
	})
}

// hasControl reports whether the text holds a control character (Unicode Cc)
// other than, where lines are allowed, newline and tab; or bytes that are not
// UTF-8.
func hasControl(s string, multiline bool) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		if multiline && (r == '\n' || r == '\t') {
			return false
		}
		return unicode.IsControl(r)
	})
}

// deceives reports whether a line holds what makes it look like another one, or
// hides a part of it, wherever it is shown: characters that embed, override or
// isolate a direction (UAX #9, section 2; the marks that only lean to one side
// are typed by people and stay), that separate lines or annotate, and tags
// other than those of a flag (UTS #51, section 5.1).
func deceives(s string) bool {
	const flag, tag, lastTag = '\U0001f3f4', '\U000e0000', '\U000e007f'
	inFlag := false
	for _, r := range s {
		switch {
		case '\u202a' <= r && r <= '\u202e', '\u2066' <= r && r <= '\u2069', r == '\u2028', r == '\u2029', '\ufff9' <= r && r <= '\ufffb':
			return true
		case tag <= r && r <= lastTag:
			if !inFlag {
				return true
			}
		default:
			inFlag = r == flag
		}
	}
	return false
}
