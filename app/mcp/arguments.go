package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"

	"taskapi/app"
	"taskapi/app/todo"
)

// given is an argument that may be absent, which leaves things as they are, or null, which
// clears.
type given[T any] struct{ app.Field[T] }

// UnmarshalJSON tells null from a value; what is absent never comes here.
func (g *given[T]) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		g.State = app.Null
		return nil
	}
	g.State = app.Present
	return json.Unmarshal(data, &g.Value)
}

// taskID names a task by its id or its uid.
type taskID struct{ todo.Ref }

// UnmarshalJSON reads a number or a text. What names nothing becomes the id of no task.
func (r *taskID) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		text = string(data) // a number
	}
	ref, ok := todo.ReadRef(text)
	if !ok {
		ref = todo.ByID(-1)
	}
	r.Ref = ref
	return nil
}

// listName names a list by its name, its uid or its id.
type listName struct {
	text string
	// number says that it was given as a number, which is no name.
	number bool
}

// UnmarshalJSON reads a number or a text.
func (l *listName) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &l.text); err == nil {
		return nil
	}
	l.text, l.number = string(data), true
	return nil
}

// none reports whether no list is named.
func (l listName) none() bool { return l == listName{} }

// The texts that are one of a few.
type (
	priorityName string
	viewName     string
	sortName     string
	fromName     string
)

// aReminder is when to remind: at a moment, or so long before the task is due.
type aReminder struct {
	At     string `json:"at,omitempty" jsonschema:"a moment such as 2026-11-30T07:30:00Z"`
	Before string `json:"before,omitempty" jsonschema:"how long before the due, such as PT30M, PT2H or P1D"`
}

// texts returns reminders in the form of todo.TaskInput.
func texts(all []aReminder) []map[string]string {
	out := []map[string]string{}
	for _, r := range all {
		out = append(out, map[string]string{"at": r.At, "before": r.Before})
	}
	return out
}

func oneOf(values ...any) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Enum: values} }

func orNull(kind string) *jsonschema.Schema { return &jsonschema.Schema{Types: []string{kind, "null"}} }

// schemaOf returns the schema of arguments or of an answer, of which an object has no other
// fields than those named.
func schemaOf[T any]() (*jsonschema.Schema, error) {
	priority := oneOf("none", "low", "medium", "high")
	texts := orNull("array")
	texts.Items = &jsonschema.Schema{Type: "string"}
	reminder, err := jsonschema.For[aReminder](nil)
	if err != nil {
		return nil, err
	}
	reminders := orNull("array")
	reminders.Items = reminder
	schema, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		reflect.TypeFor[taskID]():              {Types: []string{"integer", "string"}},
		reflect.TypeFor[given[taskID]]():       {Types: []string{"integer", "string", "null"}},
		reflect.TypeFor[listName]():            {Types: []string{"string", "integer"}},
		reflect.TypeFor[given[string]]():       orNull("string"),
		reflect.TypeFor[given[bool]]():         {Type: "boolean"},
		reflect.TypeFor[given[int64]]():        orNull("integer"),
		reflect.TypeFor[given[[]string]]():     texts,
		reflect.TypeFor[given[[]aReminder]]():  reminders,
		reflect.TypeFor[priorityName]():        priority,
		reflect.TypeFor[given[priorityName]](): priority,
		reflect.TypeFor[viewName]():            oneOf("today", "overdue", "upcoming", "undated"),
		reflect.TypeFor[fromName]():            oneOf("due", "completion"),
		reflect.TypeFor[given[fromName]]():     oneOf("due", "completion"),
		reflect.TypeFor[sortName]():            oneOf(sorts()...),
	}})
	if err != nil {
		return nil, err
	}
	plain(schema)
	return schema, nil
}

func sorts() (all []any) {
	for _, key := range []string{"due", "priority", "position", "title", "created", "completed", "updated"} {
		all = append(all, key, "-"+key)
	}
	return all
}

// plain makes a schema one that every client can read: without the null that Go's nil slices and
// pointers would be, which are left out of answers, and with a choice of types spelt out, which
// some map to schemas with one type each.
func plain(schema *jsonschema.Schema) {
	if len(schema.Types) == 2 && schema.Types[0] == "null" {
		schema.Type, schema.Types = schema.Types[1], nil
	}
	for _, kind := range schema.Types {
		one := &jsonschema.Schema{Type: kind}
		if kind == "array" {
			one.Items, schema.Items = schema.Items, nil
		}
		schema.AnyOf = append(schema.AnyOf, one)
	}
	schema.Types = nil
	for _, property := range schema.Properties {
		plain(property)
	}
	if schema.Items != nil {
		plain(schema.Items)
	}
}

// limit bounds a number, or the length of an array, from 1 on.
func limit(schema *jsonschema.Schema, name string, most int) error {
	property := schema.Properties[name]
	switch {
	case property != nil && property.Type == "array":
		property.MinItems, property.MaxItems = jsonschema.Ptr(1), &most
	case property != nil && property.Type == "integer":
		property.Minimum, property.Maximum = jsonschema.Ptr(1.0), jsonschema.Ptr(float64(most))
	default:
		return errors.New("there is no array or number " + name)
	}
	return nil
}
