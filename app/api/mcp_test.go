package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"taskapi/app"
)

// echo stands for app/mcp, which has tests of its own through this server: it answers as the
// method of a message says.
func echo(_ context.Context, caller app.Caller, header func(string) string, message []byte) (status int, contentType string, body []byte) {
	text := string(message)
	switch {
	case caller.UserID == 0 || header("Content-Type") == "":
		return 500, "text/plain", nil
	case strings.Contains(text, "late"):
		return 0, "", nil
	case strings.Contains(text, "notification"):
		return 202, "", nil
	case strings.Contains(text, "refuse"):
		return 400, "text/plain; charset=utf-8", []byte("no such thing\n")
	case strings.Contains(text, "reject"):
		return 404, "application/json", []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}`)
	case strings.Contains(text, "stream"):
		return 200, "text/event-stream", []byte("data: {}\n\n")
	}
	return 200, "application/json", []byte(`{"jsonrpc":"2.0","id":1,"result":{}}`)
}

func TestMessagesOfAssistants(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	other, _ := s.apiToken(ann, app.ScopeAccount)
	reader, _ := s.apiToken(ann, app.ScopeTasksRead)
	ask := func(token, method, origin string) answer {
		request, err := http.NewRequest("POST", s.url+"/mcp", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"`+method+`"}`))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		if origin != "" {
			request.Header.Set("Origin", origin)
		}
		return s.do(request)
	}
	for _, test := range []struct {
		token, method, origin string
		status                int
		code                  string
	}{
		{reader, "ping", "", 200, ""}, {ann.access, "ping", "", 200, ""}, {other, "ping", "", 403, "insufficient_scope"}, {"x.y.z", "ping", "", 401, "token_invalid"},
		{reader, "notification", "", 202, ""}, {reader, "refuse", "", 400, "bad_mcp_request"}, {reader, "stream", "", 200, ""},
		{reader, "ping", s.url, 200, ""}, {reader, "ping", "http://localhost:9", 200, ""}, {reader, "ping", "https://evil.example", 403, "origin_not_allowed"},
		{reader, "ping", "null", 403, "origin_not_allowed"}, {reader, "ping", "file:///x", 403, "origin_not_allowed"}, {reader, "ping", "http://127.0.0.1.evil.example", 403, "origin_not_allowed"},
	} {
		if a := ask(test.token, test.method, test.origin); a.status != test.status || a.str("code") != test.code {
			t.Errorf("%s from %q: %d %s, want %d %s", test.method, test.origin, a.status, a.text, test.status, test.code)
		}
	}
	if a := s.call("POST", "/mcp", reader, `[{}]`); a.status != 400 || a.str("code") != "invalid_json" {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", "/mcp", reader, ""); a.status != 405 || a.header.Get("Allow") != "OPTIONS, POST" {
		t.Errorf("%d %v", a.status, a.header["Allow"])
	}
	for method, status := range map[string]int{"late": 503, "reject": 404} { // outside of what every answer must be
		request, err := http.NewRequest("POST", s.url+"/mcp", strings.NewReader(`{"method":"`+method+`"}`))
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+reader)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		if must(t, response.Body.Close()); response.StatusCode != status {
			t.Errorf("%s: %d", method, response.StatusCode)
		}
	}
	without := start(t, func(p *parts) { p.api.MCP = nil })
	if a := without.call("POST", "/mcp", without.signUp("ann").access, `{}`); a.status != 404 {
		t.Errorf("%d %s", a.status, a.text)
	}
}
