// Package client writes the client of the API for front ends: one file without dependencies, from
// the OpenAPI document and a runtime that is the same for all documents (runtime.tmpl).
//
// Both of its forms are one text. What only TypeScript has stands between « and », which the
// module of JavaScript is without.
package client

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed runtime.tmpl
var runtime string

// Client is a client in its two forms.
type Client struct {
	TypeScript, JavaScript []byte
}

// Generate returns the client of an OpenAPI document, given as YAML. It is told whether the document
// is that of a developer's server.
func Generate(document string, developing bool) (Client, error) {
	var tree yaml.Node
	if err := yaml.Unmarshal([]byte(document), &tree); err != nil {
		return Client{}, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	d := contract{}
	if len(tree.Content) > 0 {
		d.node = node{tree.Content[0]}
	}
	if len(d.get("paths").pairs()) == 0 {
		return Client{}, errors.New("reading the OpenAPI document: it has no paths")
	}
	calls := d.operations()
	text := strings.NewReplacer(
		"{{version}}", mark.Replace(d.get("info", "version").text()),
		"{{base}}", mark.Replace(d.base()),
		"{{developing}}", fmt.Sprint(developing),
		"{{types}}", d.schemas()+declared(calls),
		"{{operations}}", methods(calls),
	).Replace(runtime)
	return Client{TypeScript: []byte(typed(text)), JavaScript: []byte(untyped(text))}, nil
}

var (
	// typeBlock is what TypeScript alone has, on lines of its own.
	typeBlock = regexp.MustCompile(`(?m)^«[^»]*»\n`)
	// typePart is the same within a line.
	typePart = regexp.MustCompile(`«[^»]*»`)

	// mark keeps texts of the document from ending a comment or what TypeScript alone has.
	mark = strings.NewReplacer("*/", "* /", "«", `"`, "»", `"`)
)

func typed(text string) string { return strings.NewReplacer("«", "", "»", "").Replace(text) }

func untyped(text string) string {
	return typePart.ReplaceAllString(typeBlock.ReplaceAllString(text, ""), "")
}

// node is a part of the document, or none.
type node struct{ *yaml.Node }

// resolved follows an alias of YAML.
func (n node) resolved() node {
	if n.Node != nil && n.Kind == yaml.AliasNode {
		return node{n.Alias}
	}
	return n
}

// get returns what lies below, by names.
func (n node) get(names ...string) node {
	for _, name := range names {
		found := node{}
		for _, p := range n.pairs() {
			if p.name == name {
				found = p.node
			}
		}
		n = found
	}
	return n
}

func (n node) text() string {
	if n.Node == nil {
		return ""
	}
	return n.Value
}

// items are the members of a sequence.
func (n node) items() (all []node) {
	if n.Node != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			all = append(all, node{item}.resolved())
		}
	}
	return all
}

// pair is a member of a mapping.
type pair struct {
	name string
	node
}

// pairs are the members of a mapping, in the order of the document.
func (n node) pairs() (all []pair) {
	if n.Node != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			all = append(all, pair{n.Content[i].Value, node{n.Content[i+1]}.resolved()})
		}
	}
	return all
}

// contract is the whole document.
type contract struct{ node }

// base is the path that all addresses lie below.
func (d contract) base() string {
	for _, server := range d.get("servers").items() {
		return strings.TrimSuffix(server.get("url").text(), "/")
	}
	return ""
}

// follow returns what a $ref stands for.
func (d contract) follow(n node) node {
	if to := n.get("$ref").text(); to != "" {
		return d.get(strings.Split(strings.TrimPrefix(to, "#/"), "/")...)
	}
	return n
}

// comment is a doc comment, empty without a text.
func comment(indent string, paragraphs ...string) string {
	var lines []string
	for _, paragraph := range paragraphs {
		if paragraph == "" {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, wrapped(mark.Replace(paragraph))...)
	}
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return indent + "/** " + lines[0] + " */\n"
	}
	var out strings.Builder
	out.WriteString(indent + "/**\n")
	for _, line := range lines {
		out.WriteString(strings.TrimRight(indent+" * "+line, " ") + "\n")
	}
	return out.String() + indent + " */\n"
}

// wrapped breaks a paragraph into lines.
func wrapped(text string) (lines []string) {
	const width = 100
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+len(word) >= width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
