package mailer

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"text/template/parse"
)

// Templates are parsed by the parser of text/template and filled in here. Its own way of
// doing so can call any method by its name, so with it the linker keeps every method of every
// type, which is a tenth of the binary. The language is the part of Go's that mails need:
//
//	{{.}} {{.Name}} {{$.Name}}                a text of the data
//	{{if .Name}} {{else}} {{end}}             whether a text or a list is not empty
//	{{range .Name}} {{end}}                   each entry of a list
//	{{define "part"}} {{end}}                 a part that all templates can use
//	{{template "part" .Name}}                 that part; . and $ in it are .Name
//	{{template "part" (print "text" .Name)}}  the same with texts put together
//
// Anything else is an error at the start, and so is a value at a place in the HTML where
// escape.go can't make it safe. A name that the data lacks is an error when a mail is made.

// fields are the data of a mail, or of one entry of a list: texts, and lists as []fields.
type fields map[string]any

// scope is what $ and . mean where a step stands.
type scope struct{ root, dot any }

// step writes what one node of a template makes.
type step func(out *strings.Builder, s scope) error

// maxDepth limits parts within parts, so that none is within itself.
const maxDepth = 8

// templates are ready to be filled in, by the names of their files and parts.
type templates map[string][]step

// parseTemplates reads all files that match a pattern, as HTML or as plain text.
func parseTemplates(files fs.FS, pattern string, html bool) (templates, error) {
	names, err := fs.Glob(files, pattern)
	if err != nil {
		return nil, err
	}
	c := compiler{trees: map[string]*parse.Tree{}}
	if html {
		c.escaper = htmlEscaper()
	}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		trees, err := parse.Parse(path.Base(name), string(text), "", "", map[string]any{"print": true})
		if err != nil {
			return nil, err
		}
		for part, tree := range trees {
			if c.trees[part] != nil {
				return nil, fmt.Errorf("template: %s: %q is defined twice", tree.ParseName, part)
			}
			c.trees[part] = tree
		}
	}
	all := templates{}
	for name, tree := range c.trees {
		if all[name], err = c.list(tree, tree.Root, 0); err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
	}
	return all, nil
}

// execute fills a template in.
func (t templates) execute(name string, data fields) (string, error) {
	steps, ok := t[name]
	if !ok {
		return "", fmt.Errorf("template: %q is not defined", name)
	}
	var out strings.Builder
	if err := run(steps, &out, scope{data, data}); err != nil {
		return "", fmt.Errorf("template: %s: %w", name, err)
	}
	return out.String(), nil
}

func run(steps []step, out *strings.Builder, s scope) error {
	for _, step := range steps {
		if err := step(out, s); err != nil {
			return err
		}
	}
	return nil
}

// compiler makes steps of the nodes of parsed templates.
type compiler struct {
	trees   map[string]*parse.Tree
	escaper *strings.Replacer // nil in plain text
}

// list compiles what stands in a template or between two of its marks. In HTML that begins
// and ends outside of tags, so that a value's place is known without what is around it.
func (c compiler) list(tree *parse.Tree, list *parse.ListNode, depth int) (steps []step, err error) {
	if list == nil {
		return nil, nil
	}
	var at place
	for _, node := range list.Nodes {
		var s step
		switch n := node.(type) {
		case *parse.TextNode:
			s, err = c.text(n, &at)
		case *parse.ActionNode:
			s, err = c.insert(n, &at)
		default:
			if !at.between() {
				return nil, located(tree, node, errors.New("only a value can stand within a tag"))
			}
			s, err = c.block(tree, node, depth)
		}
		if err != nil {
			return nil, located(tree, node, err)
		}
		steps = append(steps, s)
	}
	if !at.between() {
		return nil, located(tree, list, errors.New("a tag or a style sheet is left open"))
	}
	return steps, nil
}

// located says where in a template something is wrong.
func located(tree *parse.Tree, node parse.Node, err error) error {
	where, _ := tree.ErrorContext(node)
	return fmt.Errorf("%s: %w", where, err)
}

func (c compiler) text(n *parse.TextNode, at *place) (step, error) {
	text := string(n.Text)
	if c.escaper != nil {
		if err := at.pass(text); err != nil {
			return nil, err
		}
	}
	return func(out *strings.Builder, _ scope) error {
		out.WriteString(text)
		return nil
	}, nil
}

func (c compiler) insert(n *parse.ActionNode, at *place) (step, error) {
	find, err := valueOf(n.Pipe)
	if err != nil {
		return nil, err
	}
	safe := func(text string) (string, error) { return text, nil }
	if c.escaper != nil {
		if safe, err = at.escape(c.escaper); err != nil {
			return nil, err
		}
	}
	return func(out *strings.Builder, s scope) error {
		found, err := find(s)
		if err != nil {
			return err
		}
		text, ok := found.(string)
		if !ok {
			return fmt.Errorf("%s is not a text", n.Pipe)
		}
		text, err = safe(text)
		out.WriteString(text)
		return err
	}, nil
}

// block compiles what may write something, many times, or something from elsewhere.
func (c compiler) block(tree *parse.Tree, node parse.Node, depth int) (step, error) {
	switch n := node.(type) {
	case *parse.IfNode:
		return c.choice(tree, n, depth)
	case *parse.RangeNode:
		return c.loop(tree, n, depth)
	case *parse.TemplateNode:
		return c.part(n, depth)
	}
	return nil, fmt.Errorf("%s is not for mails", node)
}

func (c compiler) choice(tree *parse.Tree, n *parse.IfNode, depth int) (step, error) {
	find, err := valueOf(n.Pipe)
	if err != nil {
		return nil, err
	}
	yes, err := c.list(tree, n.List, depth)
	if err != nil {
		return nil, err
	}
	no, err := c.list(tree, n.ElseList, depth)
	if err != nil {
		return nil, err
	}
	return func(out *strings.Builder, s scope) error {
		found, err := find(s)
		if err != nil {
			return err
		}
		switch found := found.(type) {
		case string:
			if found != "" {
				return run(yes, out, s)
			}
		case []fields:
			if len(found) > 0 {
				return run(yes, out, s)
			}
		default:
			return fmt.Errorf("%s is neither a text nor a list", n.Pipe)
		}
		return run(no, out, s)
	}, nil
}

func (c compiler) loop(tree *parse.Tree, n *parse.RangeNode, depth int) (step, error) {
	if n.ElseList != nil {
		return nil, errors.New("{{range}} has no {{else}} in mails")
	}
	find, err := valueOf(n.Pipe)
	if err != nil {
		return nil, err
	}
	body, err := c.list(tree, n.List, depth)
	if err != nil {
		return nil, err
	}
	return func(out *strings.Builder, s scope) error {
		found, err := find(s)
		if err != nil {
			return err
		}
		list, ok := found.([]fields)
		if !ok {
			return fmt.Errorf("%s is not a list", n.Pipe)
		}
		for _, entry := range list {
			if err := run(body, out, scope{s.root, entry}); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (c compiler) part(n *parse.TemplateNode, depth int) (step, error) {
	tree := c.trees[n.Name]
	if tree == nil {
		return nil, fmt.Errorf("%q is not defined", n.Name)
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("%q lies too deep, perhaps within itself", n.Name)
	}
	find := func(scope) (any, error) { return nil, nil }
	if n.Pipe != nil {
		var err error
		if find, err = valueOf(n.Pipe); err != nil {
			return nil, err
		}
	}
	steps, err := c.list(tree, tree.Root, depth+1)
	if err != nil {
		return nil, err
	}
	return func(out *strings.Builder, s scope) error {
		found, err := find(s)
		if err != nil {
			return err
		}
		return run(steps, out, scope{found, found})
	}, nil
}
