package mcp

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The use cases speak of the fields and parameters of the API, and the library of schemas and
// Go. Assistants know the arguments of their tools only.

// arguments are the names of arguments by those of the API.
func arguments() map[string]string {
	return map[string]string{"q": "query", "before_id": "before", "after_id": "after", "parent_id": "parent", "list_id": "list", "per_page": "limit"}
}

// argument returns the name of the argument that a field of the API is.
func argument(field string) string {
	if name, other := arguments()[field]; other {
		return name
	}
	return field
}

// worded returns a message with the names of arguments.
func worded(message string) string {
	pairs := []string{
		"The parameter q ", "The argument query ", "The parameter ", "The argument ", "Begin again with after=0", "Begin again without after",
		"An Idempotency-Key", "A request_id", "This Idempotency-Key", "This request_id", "another request", "another call", "one request may", "one call may",
	}
	for _, name := range slices.Sorted(maps.Keys(arguments())) {
		if strings.Contains(name, "_") {
			pairs = append(pairs, name, arguments()[name])
		}
	}
	return strings.NewReplacer(pairs...).Replace(message)
}

// wrongArguments returns the result of a call whose arguments the library has refused, which it
// says in words of its own; any other result is returned as it is.
func wrongArguments(result *mcp.CallToolResult) *mcp.CallToolResult {
	if !result.IsError || len(result.Content) != 1 || result.StructuredContent != nil {
		return result
	}
	text, ok := result.Content[0].(*mcp.TextContent)
	if !ok || strings.HasPrefix(text.Text, "{") { // a refusal
		return result
	}
	plain := &mcp.CallToolResult{}
	plain.SetError(&refusal{Message: mistakeOf(text.Text), Code: "wrong_arguments"})
	return plain
}

var (
	schemaPath = regexp.MustCompile(`validating (\S+): `)
	wantedType = regexp.MustCompile(`want "(\w+)"`)
	listed     = regexp.MustCompile(`\[(.*)\]`)
	tooLarge   = regexp.MustCompile(`overflows into Go struct field \w+\.(\S+) of`)
	bounded    = regexp.MustCompile(`(less|greater) than (\d+)`)
)

// mistakeOf says what the library says of arguments.
func mistakeOf(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	name := "The arguments"
	if paths := schemaPath.FindAllStringSubmatch(first, -1); len(paths) > 0 {
		var parts []string
		for _, part := range strings.Split(paths[len(paths)-1][1], "/") {
			if part != "" && part != "root" && part != "properties" && part != "items" && part != `"arguments"` {
				parts = append(parts, part)
			}
		}
		if len(parts) > 0 {
			name = "The argument " + strings.Join(parts, ".")
		}
	}
	what := first
	if at := schemaPath.FindAllStringIndex(first, -1); len(at) > 0 {
		what = first[at[len(at)-1][1]:]
	}
	if field := tooLarge.FindStringSubmatch(first); field != nil {
		return "The argument " + field[1] + " is too large."
	}
	kind, _, _ := strings.Cut(what, ":")
	inner := ""
	if in := listed.FindStringSubmatch(what); in != nil {
		inner = strings.ReplaceAll(in[1], `"`, "")
	}
	edge := bounded.FindStringSubmatch(what)
	switch {
	case strings.HasPrefix(kind, "unexpected additional properties"):
		return name + " can't have " + inner + ", which is unknown; the tool's schema names what there is."
	case kind == "required":
		return name + " must have " + inner + "."
	case kind == "enum":
		return name + " must be one of " + strings.ReplaceAll(inner, " ", ", ") + "."
	case kind == "type" || kind == "anyOf":
		var kinds []string
		for _, want := range wantedType.FindAllStringSubmatch(what+rest, -1) {
			kinds = append(kinds, want[1])
		}
		return name + " must be of the type " + strings.Join(kinds, " or ") + "."
	case edge != nil && strings.HasSuffix(kind, "Items"):
		return name + " must have at " + map[string]string{"less": "least ", "greater": "most "}[edge[1]] + edge[2] + "."
	case edge != nil:
		return name + " must be at " + map[string]string{"less": "least ", "greater": "most "}[edge[1]] + edge[2] + "."
	case kind == "unmarshaling arguments":
		return "The arguments must be an object."
	}
	return name + " is not of the form that the tool takes."
}
