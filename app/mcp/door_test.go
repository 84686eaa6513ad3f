package mcp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/mcp"
	"taskapi/app/todo"
)

// new2026 is what a message of the newest protocol says of itself.
const new2026 = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

func TestMessages(t *testing.T) {
	w := start(t)
	token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead, app.ScopeTasksWrite)
	for _, test := range []struct {
		message string
		header  map[string]string
		status  int
		want    string
	}{
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, nil, 200, `"result"`},
		{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ``},
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, nil, 200, `"protocolVersion":"2024-11-05"`},
		{`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2031-01-01","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, nil, 200, `"protocolVersion":"2025-11-25"`},
		{`{"jsonrpc":"2.0","id":1,"method":"nonsense"}`, nil, 200, `"code":-32601`},
		{`{"jsonrpc":"2.0","id":"x","method":"nonsense"}`, nil, 200, `"id":"x"`},
		{`{"jsonrpc":"2.0","id":12345678901234567890,"method":"nonsense"}`, nil, 200, `"id":12345678901234567890`},
		{`{"jsonrpc":"2.0","method":"nonsense"}`, nil, 400, `bad_mcp_request`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nonsense","arguments":{}}}`, nil, 200, `"error"`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_tasks"}}`, nil, 200, `"total":0`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_tasks","arguments":[]}}`, nil, 200, `isError`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + new2026 + `}}`, map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}, 200, `"cacheScope":"private"`},
		{`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + new2026 + `}}`, map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call"}, 400, `-32020`},
		// What others stream ends at once: the tools never change.
		{`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + new2026 + `}}`, map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}, 200, "acknowledged"},
		{`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]`, nil, 400, "The body is an array"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}`, nil, 400, "twice"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping","params":` + strings.Repeat(`{"a":`, 30) + `1` + strings.Repeat(`}`, 31), nil, 400, "nests deeper"},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", nil, 400, "UTF-8"},
		{``, nil, 400, "empty"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Content-Type": "text/plain"}, 400, "invalid_json"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Accept": "application/json"}, 400, "Accept must contain"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"MCP-Protocol-Version": "1999-01-01"}, 400, "Unsupported protocol version"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "https://evil.example"}, 403, "origin_not_allowed"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "null"}, 403, "origin_not_allowed"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "http://localhost.evil.example"}, 403, "origin_not_allowed"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": w.url}, 200, "result"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "http://localhost:6274"}, 200, "result"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "https://Page.example"}, 200, "result"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Origin": "https://page.example.evil.example"}, 403, "origin_not_allowed"},
		// There are no sessions to guess the ids of.
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, map[string]string{"Mcp-Session-Id": "anything"}, 200, "result"},
	} {
		status, text := w.post(token, test.message, test.header)
		if status != test.status || !strings.Contains(text, test.want) {
			t.Errorf("%.150s %v: %d %.300s, want %d %s", test.message, test.header, status, text, test.status, test.want)
		}
	}
	for _, method := range []string{"GET", "DELETE", "PUT"} {
		request, err := http.NewRequest(method, w.url+"/mcp", nil)
		must(t, err)
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("Accept", "text/event-stream")
		if status, text := w.do(request); status != 405 {
			t.Errorf("%s: %d %s", method, status, text)
		}
	}
}

// A writing call is in the log with the token that made it, and nothing of what it wrote.
func TestTheLogNamesTheToken(t *testing.T) {
	w := start(t)
	token := w.token(w.signUp("ann"), "my laptop's claude", app.ScopeTasksRead, app.ScopeTasksWrite)
	c := w.over(doors()[0], token, nil)
	c.works("add_tasks", `{"tasks":[{"title":"a secret plan"}]}`)
	log := w.log.String()
	if !strings.Contains(log, `msg="an assistant wrote" tool=add_tasks user_id=1 token_id=2 token="my laptop's claude" tasks=1`) || strings.Contains(log, "secret plan") || strings.Contains(log, token) {
		t.Error(log)
	}
}

// broken is a store that fails as no store should.
type broken struct{ todo.TaskStore }

func (broken) Task(context.Context, app.Caller, todo.Ref) (todo.Task, error) { panic("broken") }

// A fault in a tool ends neither the server nor more than its own call, and its cause is in the log only.
func TestFaults(t *testing.T) {
	w := start(t, func(c *mcp.Config) {
		tasks := *c.Tasks
		tasks.Store = broken{tasks.Store}
		c.Tasks = &tasks
	})
	token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead)
	status, text := w.post(token, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_task","arguments":{"id":1}}}`, nil)
	if status != 200 || !strings.Contains(text, "-32603") || strings.Contains(text, "broken") {
		t.Errorf("%d %s", status, text)
	}
	if !strings.Contains(w.log.String(), "panic=broken") {
		t.Error(w.log.String())
	}
	if n := w.over(doors()[0], token, nil).open(); n != 0 {
		t.Error(n)
	}
}

// slow is a store that waits for its turn until the request gives up.
type slow struct{ todo.TaskStore }

func (slow) Task(ctx context.Context, _ app.Caller, _ todo.Ref) (todo.Task, error) {
	<-ctx.Done()
	return todo.Task{}, app.ErrBusy.With(ctx.Err())
}

// A call ends with the time of its request.
func TestDeadline(t *testing.T) {
	w := start(t, func(c *mcp.Config) {
		tasks := *c.Tasks
		tasks.Store = slow{tasks.Store}
		c.Tasks = &tasks
	})
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	ann := w.signUp("ann")
	caller := app.Caller{UserID: ann.UserID, Scopes: []app.Scope{app.ScopeTasksRead}}
	header := http.Header{"Accept": {"application/json, text/event-stream"}, "Content-Type": {"application/json"}}
	status, _, body := w.door.Answer(ctx, caller, header.Get, []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_task","arguments":{"id":1}}}`))
	if status != 0 && !strings.Contains(string(body), "server_busy") {
		t.Errorf("%d %s", status, body)
	}
}

// The bridge says at once what is wrong with it.
func TestTheBridgeFailsAtOnce(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	for _, test := range []struct{ url, token, want string }{
		{w.url, "nonsense", "the server refuses the token: "},
		{w.url, w.token(ann, "x", app.ScopeAccount), "lacks the scope tasks:read"},
		{w.url + "/nonsense", w.token(ann, "y", app.ScopeTasksRead), "404"},
		{"http://127.0.0.1:1", "x", "refused"},
	} {
		b := &mcp.Bridge{URL: test.url, Token: test.token, Client: &http.Client{}, Version: "test"}
		if err := b.Run(context.Background(), nil, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.url, err, test.want)
		}
	}
}
