package client

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// schemas declares the types of the document.
func (d contract) schemas() string {
	var out strings.Builder
	for _, s := range d.get("components", "schemas").pairs() {
		out.WriteString(comment("", s.get("description").text()))
		if s.get("type").text() == "object" && s.get("properties").Node != nil {
			out.WriteString("export interface " + s.name + " " + object(s.node, "") + "\n\n")
		} else {
			out.WriteString("export type " + s.name + " = " + typeOf(s.node, "") + ";\n\n")
		}
	}
	return out.String()
}

// typeOf is the type of what fits a schema. What it can't say, such as how long a text may be, it
// leaves out.
func typeOf(schema node, indent string) string {
	if to := schema.get("$ref").text(); to != "" {
		return to[strings.LastIndex(to, "/")+1:]
	}
	if one := schema.get("const"); one.Node != nil {
		return literal(one)
	}
	if all := schema.get("enum").items(); len(all) > 0 {
		return union(all, literal)
	}
	for _, either := range []string{"oneOf", "anyOf"} {
		if all := schema.get(either).items(); len(all) > 0 {
			return union(all, func(one node) string { return typeOf(one, indent) })
		}
	}
	if all := schema.get("allOf").items(); len(all) > 0 {
		parts := make([]string, len(all))
		for i, one := range all {
			parts[i] = grouped(typeOf(one, indent))
		}
		return strings.Join(parts, " & ")
	}
	if all := schema.get("type").items(); len(all) > 0 {
		return union(all, func(kind node) string { return simple(schema, kind.text(), indent) })
	}
	return simple(schema, schema.get("type").text(), indent)
}

// simple is the type of a schema of one kind.
func simple(schema node, kind, indent string) string {
	switch kind {
	case "string", "boolean", "null":
		return kind
	case "integer", "number":
		return "number"
	case "array":
		return grouped(typeOf(schema.get("items"), indent)) + "[]"
	case "object":
		return object(schema, indent)
	}
	return "unknown"
}

// object is the type of an object, in the order of its properties.
func object(schema node, indent string) string {
	properties := schema.get("properties").pairs()
	if others := schema.get("additionalProperties"); len(properties) == 0 && others.text() != "false" {
		return "Record<string, " + typeOf(others, indent) + ">"
	}
	var required []string
	for _, name := range schema.get("required").items() {
		required = append(required, name.text())
	}
	var out strings.Builder
	out.WriteString("{\n")
	for _, p := range properties {
		out.WriteString(comment(indent+"  ", p.get("description").text()))
		optional := "?"
		if slices.Contains(required, p.name) {
			optional = ""
		}
		out.WriteString(indent + "  " + key(p.name) + optional + ": " + typeOf(p.node, indent+"  ") + ";\n")
	}
	return out.String() + indent + "}"
}

func key(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return quoted(name)
}

// literal is the type of one value.
func literal(value node) string {
	if value.Tag == "!!str" {
		return quoted(value.Value)
	}
	return value.Value
}

// quoted is a text as TypeScript and JavaScript write it.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil { // which no text brings about
		return `""`
	}
	return mark.Replace(string(out))
}

// union is one of several types, each named once.
func union(all []node, typeOf func(node) string) string {
	var types []string
	for _, one := range all {
		if t := typeOf(one); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return strings.Join(types, " | ")
}

// grouped is a type that can stand in another one.
func grouped(t string) string {
	if !strings.HasPrefix(t, "{") && strings.ContainsAny(t, "|&") {
		return "(" + t + ")"
	}
	return t
}
