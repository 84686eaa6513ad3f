package mcp

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
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

// ErrStreams says that the client can't be read from, or written to.
var ErrStreams = errors.New("the streams of the assistant")

// Run serves a client until it closes its stream, and all that it has asked for is answered, or
// until the context ends. It returns an error at
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
		SetCacheable: private,
	})
	for _, tool := range all.Tools {
		server.AddTool(tool, b.forward)
	}
	err := server.Run(ctx, lines{in, out})
	if ctx.Err() != nil || err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrStreams, err)
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
	result.SetError(failure(err))
	return result, nil
}

// failure is what an assistant is told of a call without a result. It has to know whether
// anything may have been done.
func failure(err error) *refusal {
	var no *declined
	switch {
	case errors.As(err, &no) && no.status == http.StatusUnauthorized:
		return &refusal{
			Message: "Nothing was done: the server does not take the token any more. It was revoked or has expired. The person has to make another one, and to restart the assistant.",
			Code:    cmp.Or(no.code, "token_invalid"), Detail: no.said,
		}
	case errors.As(err, &no):
		return &refusal{Message: "Nothing was done: the server refuses the call.", Code: cmp.Or(no.code, "refused"), Detail: no.Error(), RetryAfter: no.wait}
	case errors.Is(err, errNotSent):
		return &refusal{Message: "Nothing was done: the taskapi server can't be reached. The person may have to start it, or to look at its address.", Code: "server_unreachable", Detail: err.Error()}
	}
	return &refusal{
		Message: "There was no answer from the taskapi server, so it may have been done or not. Repeat the call if it had a request_id; else look first.",
		Code:    "no_answer", Detail: err.Error(),
	}
}

// errNotSent says that a request has not reached the server.
var errNotSent = errors.New("the server can't be reached")

// declined is an answer after which nothing was done.
type declined struct {
	status     int
	code, said string
	wait       int // seconds, 0 for none
}

// Error says what the server said.
func (d *declined) Error() string {
	switch {
	case d.said == "":
		return fmt.Sprintf("the server answers %d", d.status)
	case d.Unwrap() != nil:
		return fmt.Sprintf("%v: %s", ErrRefused, d.said)
	}
	return fmt.Sprintf("the server answers %d: %s", d.status, d.said)
}

// Unwrap returns ErrRefused for an answer that is about the token.
func (d *declined) Unwrap() error {
	if d.said != "" && (d.status == http.StatusUnauthorized || d.status == http.StatusForbidden) {
		return ErrRefused
	}
	return nil
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
	var sent atomic.Bool
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }}))
	response, err := b.Client.Do(request)
	switch {
	case err != nil && !sent.Load():
		return fmt.Errorf("%w: %w", errNotSent, err)
	case err != nil:
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return err
	}
	return read(response, text, result)
}

// read reads an answer. After one of 3xx and 4xx nothing was done; of one of 5xx nobody knows.
func read(response *http.Response, text []byte, result any) error {
	status := response.StatusCode
	clear := 300 <= status && status < 500 && status != http.StatusRequestTimeout
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		if clear {
			return &declined{status: status, code: "not_taskapi", said: "this is not the answer of a taskapi"}
		}
		return fmt.Errorf("the answer, %d, is not one of a taskapi", status)
	}
	rejected := &jsonrpc.Error{}
	var said string
	switch {
	case a.Result != nil:
		return json.Unmarshal(a.Result, result)
	case json.Unmarshal(a.Error, &said) != nil && json.Unmarshal(a.Error, rejected) == nil:
		return rejected
	case clear:
		wait, _ := strconv.Atoi(response.Header.Get("Retry-After"))
		return &declined{status, a.Code, said, wait}
	}
	return fmt.Errorf("the server answers %d: %s", status, said)
}
