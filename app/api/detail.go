package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// wrongType says why a request counts as none with JSON before it is read.
func wrongType(contentType string) string {
	const want = "it must be application/json or another application/*+json."
	if contentType == "" {
		return "There is no Content-Type; " + want
	}
	return fmt.Sprintf(`The Content-Type is "%s"; %s`, excerpt(contentType), want)
}

// wrongText says what keeps a text from being one JSON object, given the error
// of reading it.
func wrongText(data []byte, err error) string {
	var syntax *jsontext.SyntacticError
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return "The body is empty."
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return "The text begins with a byte order mark; leave it out."
	case !utf8.Valid(data):
		return "The text is not UTF-8 " + position(data, invalidAt(data)) + "."
	case errors.Is(err, errTooDeep):
		return fmt.Sprintf("The text nests deeper than %d levels.", maxDepth)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "The text ends too early: something is still open."
	case errors.As(err, &syntax):
		return wrongSyntax(data, syntax)
	}
	return wrongValue(data)
}

func wrongSyntax(data []byte, err *jsontext.SyntacticError) string {
	at := min(max(int(err.ByteOffset), 0), len(data))
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Sprintf(`The name "%s" appears twice in one object.`, excerpt(err.JSONPointer.LastToken()))
	case bytes.HasPrefix(bytes.ToLower(data[at:]), []byte(`\ud`)):
		return "The text has half of a surrogate pair " + position(data, at) + "."
	}
	return "The text is not JSON " + position(data, at) + "."
}

// wrongValue says what a text of good JSON is in the place of one object.
func wrongValue(data []byte) string {
	value := "a number"
	switch jsontext.Value(data).Kind() {
	case '{':
		return "There is more text after the object."
	case '[':
		value = "an array"
	case '"':
		value = "a string"
	case 't', 'f':
		value = "a boolean"
	case 'n':
		value = "null"
	}
	return "The body is " + value + "; it must be an object."
}

// invalidAt is where a text stops being UTF-8.
func invalidAt(data []byte) int {
	at := 0
	for at < len(data) {
		char, size := utf8.DecodeRune(data[at:])
		if char == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return at
}

// position is where in a text a byte is, as editors count.
func position(data []byte, at int) string {
	before := data[:at]
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Sprintf("at line %d, column %d", bytes.Count(before, []byte("\n"))+1, column)
}
