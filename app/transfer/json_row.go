package transfer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"taskapi/app/operate"
)

// readObject turns one object of a list of the file into a row. Texts must be texts: a
// number as a title is rather a column in the wrong place.
func readObject(list string, raw json.RawMessage) operate.ImportRow {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var members map[string]any
	if err := decoder.Decode(&members); err != nil || members == nil {
		return operate.ImportRow{Problem: "It is not an object."}
	}
	row := rowOf(list, members)
	// encoding/json puts U+FFFD where there is no character.
	if !utf8.Valid(raw) || bytes.Contains(raw, []byte(`\u`)) && replaced(row, raw) {
		row.Problem = "It holds what is not Unicode text."
	}
	return row
}

func rowOf(list string, members map[string]any) operate.ImportRow {
	row := operate.ImportRow{Values: make(map[string]string, len(members))}
	for name, member := range members {
		switch value := member.(type) {
		case nil:
		case string:
			row.Values[name] = value
		case json.Number:
			row.Values[name] = value.String()
		case bool:
			row.Values[name] = fmt.Sprint(value)
		default:
			if !several(&row, list, name, value) {
				row.Values[name] = "{…}" // a list or an object, which no column takes
			}
		}
		if _, text := member.(string); !text && member != nil && isText(list, name) {
			row.Problem = "The field " + name + " must be a string."
		}
	}
	return row
}

// several reads a column that holds several texts or rows; false for another one.
func several(row *operate.ImportRow, list, name string, value any) bool {
	column := list + "." + name
	if !slices.Contains([]string{"tasks.labels", "tasks.reminders", "lists.members"}, column) {
		return false
	}
	all, ok := value.([]any)
	for _, one := range all {
		switch element := one.(type) {
		case string:
			ok = ok && name == "labels"
			if row.Texts == nil {
				row.Texts = map[string][]string{}
			}
			row.Texts[name] = append(row.Texts[name], element)
		case map[string]any:
			ok = ok && name != "labels"
			if row.Rows == nil {
				row.Rows = map[string][]operate.ImportRow{}
			}
			row.Rows[name] = append(row.Rows[name], rowOf(column, element))
		default:
			ok = false
		}
	}
	if !ok && name == "labels" {
		row.Problem = "The field labels must be an array of strings."
	} else if !ok {
		row.Problem = "The field " + name + " must be an array of objects."
	}
	return true
}

// replaced reports whether a text has a U+FFFD that does not stand there.
func replaced(row operate.ImportRow, raw []byte) bool {
	if bytes.ContainsRune(raw, utf8.RuneError) || bytes.Contains(bytes.ToLower(raw), []byte(`\ufffd`)) {
		return false
	}
	strange := func(text string) bool { return strings.ContainsRune(text, utf8.RuneError) }
	for _, value := range row.Values {
		if strange(value) {
			return true
		}
	}
	return slices.ContainsFunc(row.Texts["labels"], strange)
}

// isText reports whether a column of a list of the file holds a text.
func isText(list, column string) bool {
	texts := map[string][]string{
		"users": {"username", "email", "password", "date_created", "time_zone"},
		"lists": {"name", "color", "uid", "date_created"},
		"tasks": {
			"title", "description", "date_created", "date_completed", "date_updated", "list", "uid", "priority", "due", "due_zone", "start",
			"recurrence", "recurrence_from", "recurrence_start",
		},
		"lists.members":   {"role", "date_joined"},
		"tasks.reminders": {"at", "before"},
	}
	return slices.Contains(texts[list], column)
}
