package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

const (
	// version is that of the protocol which the bridge speaks to the server: the one without
	// sessions. What the client speaks is its own business.
	version = "2026-07-28"
	// maxAnswer is how large an answer of the server may be, in bytes.
	maxAnswer = 8 << 20
)

// Bridge connects one client on two streams with the tools of a server. It holds no state: the
// server may be restarted, and a client of an older protocol can be asked questions all the same.
type Bridge struct {
	// URL is the address of the server, such as https://tasks.example.com.
	URL   string
	Token string
	// Client makes the requests. It must not follow redirects, which would carry the token
	// elsewhere.
	Client  *http.Client
	Version string

	last atomic.Int64 // id of a request
}

// ErrRefused says that the server does not take the token.
var ErrRefused = errors.New("the server refuses the token")

// Run serves a client until it closes its stream or the context ends. It returns an error at
// once if there is no server, or if that refuses the token.
func (b *Bridge) Run(ctx context.Context, in io.ReadCloser, out io.WriteCloser) error {
	var about mcp.DiscoverResult
	if err := b.ask(ctx, "server/discover", nil, nil, nil, &about); err != nil {
		return err
	}
	var all mcp.ListToolsResult
	if err := b.ask(ctx, "tools/list", nil, nil, nil, &all); err != nil {
		return err
	}
	server := mcp.NewServer(&mcp.Implementation{Name: name, Title: "taskapi", Version: b.Version}, &mcp.ServerOptions{
		Instructions: about.Instructions, Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
	})
	for _, tool := range all.Tools {
		server.AddTool(tool, b.forward)
	}
	err := server.Run(ctx, &mcp.IOTransport{Reader: in, Writer: out})
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// forward hands a call on. Its arguments are checked there.
func (b *Bridge) forward(ctx context.Context, call *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	params := map[string]any{"name": call.Params.Name, "arguments": call.Params.Arguments}
	if call.Params.Arguments == nil {
		params["arguments"] = struct{}{}
	}
	if call.Params.InputResponses != nil {
		params["inputResponses"] = call.Params.InputResponses
	}
	if call.Params.RequestState != "" {
		params["requestState"] = call.Params.RequestState
	}
	result := &mcp.CallToolResult{}
	err := b.ask(ctx, "tools/call", params, call.ClientCapabilities(), call.ClientInfo(), result)
	var rejected *jsonrpc.Error
	switch {
	case err == nil:
		return result, nil
	case errors.As(err, &rejected):
		return nil, rejected
	}
	// The assistant has to know that nobody knows.
	lost := &refusal{
		Message: "There was no answer from the taskapi server, so it may have been done or not. Repeat the call if it had a request_id; else look first.",
		Code:    "no_answer", Detail: err.Error(),
	}
	result.SetError(lost)
	return result, nil
}

// answer is a response of JSON-RPC, or an error of taskapi's own.
type answer struct {
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
	Code   string          `json:"code"`
}

// ask sends a request on behalf of a client, and reads its result. It returns a *jsonrpc.Error
// if the server rejects it, and ErrRefused.
func (b *Bridge) ask(ctx context.Context, method string, params map[string]any, can *mcp.ClientCapabilities, client *mcp.Implementation, result any) error {
	if can == nil {
		can = &mcp.ClientCapabilities{}
	}
	if client == nil {
		client = &mcp.Implementation{Name: name + "-bridge", Version: b.Version}
	}
	body := map[string]any{"_meta": map[string]any{
		mcp.MetaKeyProtocolVersion: version, mcp.MetaKeyClientCapabilities: can, mcp.MetaKeyClientInfo: client,
	}}
	for key, value := range params {
		body[key] = value
	}
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": b.last.Add(1), "method": method, "params": body})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(b.URL, "/")+"/mcp", bytes.NewReader(text))
	if err != nil {
		return err
	}
	for key, value := range map[string]string{
		"Authorization": "Bearer " + b.Token, "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
		"User-Agent": name + "-bridge/" + b.Version, "MCP-Protocol-Version": version, "Mcp-Method": method,
	} {
		request.Header.Set(key, value)
	}
	if tool, ok := params["name"].(string); ok {
		request.Header.Set("Mcp-Name", tool)
	}
	return b.send(request, result)
}

func (b *Bridge) send(request *http.Request, result any) error {
	response, err := b.Client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("the answer, %d, is not one of a taskapi", response.StatusCode)
	}
	rejected := &jsonrpc.Error{}
	var said string
	switch {
	case a.Result != nil:
		return json.Unmarshal(a.Result, result)
	case json.Unmarshal(a.Error, &said) == nil && (response.StatusCode == http.StatusUnauthorized || response.StatusCode == http.StatusForbidden):
		return fmt.Errorf("%w: %s", ErrRefused, said)
	case json.Unmarshal(a.Error, &said) == nil:
		return fmt.Errorf("the server answers %d: %s", response.StatusCode, said)
	case json.Unmarshal(a.Error, rejected) == nil:
		return rejected
	}
	return fmt.Errorf("the server answers %d", response.StatusCode)
}
