package store

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// While it is copied, a row is a line in the text format of PostgreSQL's COPY, exactly as a server
// writes it: https://www.postgresql.org/docs/15/sql-copy.html. Equal rows are equal lines, so the
// lines of two engines can be compared.

// AppendLine appends a row to lines; its values are nil, int64, string and []byte.
func AppendLine(lines []byte, values []any) ([]byte, error) {
	for i, value := range values {
		if i > 0 {
			lines = append(lines, '\t')
		}
		switch value := value.(type) {
		case nil:
			lines = append(lines, `\N`...)
		case int64:
			lines = strconv.AppendInt(lines, value, 10)
		case string:
			lines = appendEscaped(lines, value)
		case []byte:
			lines = append(lines, `\\x`...)
			lines = hex.AppendEncode(lines, value)
		default:
			return nil, fmt.Errorf("%T has no place in the schema", value)
		}
	}
	return append(lines, '\n'), nil
}

const (
	plainBytes   = "\b\f\n\r\t\v\\"
	escapedBytes = `bfnrtv\`
)

func appendEscaped(line []byte, text string) []byte {
	from := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c > '\r' && c != '\\' {
			continue
		}
		if at := bytes.IndexByte([]byte(plainBytes), c); at >= 0 {
			line = append(append(line, text[from:i]...), '\\', escapedBytes[at])
			from = i + 1
		}
	}
	return append(line, text[from:]...)
}

var errLine = errors.New("the line is not one of the table")

// ReadLine reads a row, without the end of its line, into values, of which there are as many as
// columns.
func (t Table) ReadLine(line []byte, values []any) error {
	for i, column := range t.Columns {
		field, rest, more := bytes.Cut(line, []byte{'\t'})
		if more != (i < len(t.Columns)-1) {
			return errLine
		}
		value, err := readField(field, column.Kind)
		if err != nil {
			return fmt.Errorf("column %s: %w", column.Name, err)
		}
		values[i], line = value, rest
	}
	return nil
}

func readField(field []byte, kind string) (any, error) {
	if string(field) == `\N` {
		return nil, nil
	}
	switch kind {
	case "INTEGER":
		return strconv.ParseInt(string(field), 10, 64)
	case "TEXT":
		return unescaped(field)
	}
	digits, found := bytes.CutPrefix(field, []byte(`\\x`))
	if !found {
		return nil, errLine
	}
	return hex.AppendDecode([]byte{}, digits)
}

func unescaped(field []byte) (string, error) {
	at := bytes.IndexByte(field, '\\')
	if at < 0 {
		return string(field), nil
	}
	text := make([]byte, 0, len(field))
	for ; at >= 0; at = bytes.IndexByte(field, '\\') {
		if at+1 == len(field) {
			return "", errLine
		}
		escape := bytes.IndexByte([]byte(escapedBytes), field[at+1])
		if escape < 0 {
			return "", errLine
		}
		text = append(append(text, field[:at]...), plainBytes[escape])
		field = field[at+2:]
	}
	return string(append(text, field...)), nil
}
