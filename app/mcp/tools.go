package mcp

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
)

// call is one use of a tool.
type call struct {
	app.Caller
	tool    string
	request *mcp.CallToolRequest
}

// hints are what clients may show of a tool before they let it be used.
type hints struct{ reads, destroys, repeatable bool }

// annotations returns hints as the protocol has them. Nothing here reaches beyond the server.
func (h hints) annotations() *mcp.ToolAnnotations {
	closed := false
	return &mcp.ToolAnnotations{ReadOnlyHint: h.reads, DestructiveHint: &h.destroys, IdempotentHint: h.repeatable || h.reads, OpenWorldHint: &closed}
}

// bound is an array or a number among the arguments of a tool, with how long or large it may be.
type bound struct {
	name string
	most int
}

// described is a tool without what it does.
type described struct {
	name, title, text string
	hints
	bounds []bound
}

// errAsks is the error of a tool that answers with a question to the person instead. Nobody
// sees it.
var errAsks = errors.New("the tool asks")

// add adds a tool. What it does returns an error of package app, a refusal, or errAsks with a
// question.
func add[In, Out any](s *Server, to *mcp.Server, d described, do func(ctx context.Context, c *call, in In) (Out, *mcp.CallToolResult, error)) {
	input, output, err := schemas[In, Out](d.bounds)
	if err != nil {
		panic(fmt.Sprintf("the schemas of %s: %v", d.name, err)) // of types here
	}
	tool := &mcp.Tool{Name: d.name, Title: d.title, Description: d.text + " " + areData, Annotations: d.annotations(), InputSchema: input, OutputSchema: output}
	mcp.AddTool(to, tool, func(ctx context.Context, request *mcp.CallToolRequest, in In) (*mcp.CallToolResult, Out, error) {
		by, _ := ctx.Value(byKey{}).(by)
		out, result, err := do(ctx, &call{by.caller, d.name, request}, in)
		if errors.Is(err, errAsks) {
			return result, out, nil
		}
		return nil, out, s.refuse(ctx, d.name, err)
	})
}

func schemas[In, Out any](bounds []bound) (input, output *jsonschema.Schema, err error) {
	if input, err = schemaOf[In](); err != nil {
		return nil, nil, err
	}
	for _, b := range bounds {
		if err := limit(input, b.name, b.most); err != nil {
			return nil, nil, err
		}
	}
	output, err = schemaOf[Out]()
	return input, output, err
}

// answering makes a tool of what asks nothing.
func answering[In, Out any](do func(ctx context.Context, c *call, in In) (Out, error)) func(context.Context, *call, In) (Out, *mcp.CallToolResult, error) {
	return func(ctx context.Context, c *call, in In) (Out, *mcp.CallToolResult, error) {
		out, err := do(ctx, c, in)
		return out, nil, err
	}
}
