package mailer

import (
	"fmt"
	"strings"
	"text/template/parse"
)

// value finds what one pipeline of a template means.
type value func(s scope) (any, error)

// valueOf compiles a pipeline.
func valueOf(pipe *parse.PipeNode) (value, error) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 {
		return nil, fmt.Errorf("{{%s}} is not for mails", pipe)
	}
	args := pipe.Cmds[0].Args
	if name, ok := args[0].(*parse.IdentifierNode); ok && name.Ident == "print" {
		return joined(args[1:])
	}
	if len(args) != 1 {
		return nil, fmt.Errorf("{{%s}} is not for mails", pipe)
	}
	return operand(args[0])
}

func operand(node parse.Node) (value, error) {
	switch n := node.(type) {
	case *parse.StringNode:
		return func(scope) (any, error) { return n.Text, nil }, nil
	case *parse.DotNode:
		return func(s scope) (any, error) { return s.dot, nil }, nil
	case *parse.FieldNode:
		if len(n.Ident) == 1 {
			return func(s scope) (any, error) { return field(s.dot, n.Ident[0]) }, nil
		}
	case *parse.VariableNode: // $, as long as no other can be declared
		if len(n.Ident) == 2 {
			return func(s scope) (any, error) { return field(s.root, n.Ident[1]) }, nil
		}
	case *parse.PipeNode:
		return valueOf(n)
	}
	return nil, fmt.Errorf("%s is not for mails", node)
}

// field finds a name in the data.
func field(in any, name string) (any, error) {
	data, _ := in.(fields)
	found, ok := data[name]
	if !ok {
		return nil, fmt.Errorf("the data lacks %s", name)
	}
	return found, nil
}

// joined compiles a print of texts.
func joined(args []parse.Node) (value, error) {
	var parts []value
	for _, arg := range args {
		part, err := operand(arg)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	return func(s scope) (any, error) {
		var all strings.Builder
		for i, part := range parts {
			found, err := part(s)
			if err != nil {
				return nil, err
			}
			text, ok := found.(string)
			if !ok {
				return nil, fmt.Errorf("%s is not a text", args[i])
			}
			all.WriteString(text)
		}
		return all.String(), nil
	}, nil
}
