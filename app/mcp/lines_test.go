package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/mcp"
)

const initialize = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{%s},"clientInfo":{"name":"x","version":"1"}}}` + "\n" +
	`{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"

// kept is a writer that others may close.
type kept struct{ bytes.Buffer }

func (*kept) Close() error { return nil }

// pipe runs a bridge on a text, and returns what it has answered, by id.
func (w *world) pipe(token, text string) map[string]json.RawMessage {
	w.t.Helper()
	out := &kept{}
	b := &mcp.Bridge{URL: w.url, Token: token, Client: &http.Client{}, Version: "test"}
	if err := b.Run(context.Background(), io.NopCloser(strings.NewReader(text)), out); err != nil {
		w.t.Errorf("%.200s: %v", text, err)
	}
	answers := map[string]json.RawMessage{}
	lines := bufio.NewScanner(&out.Buffer)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var message struct{ ID, Result, Error json.RawMessage }
		must(w.t, json.Unmarshal(lines.Bytes(), &message))
		if message.Result == nil {
			message.Result = message.Error
		}
		answers[string(message.ID)+map[bool]string{true: fmt.Sprint(" ", len(answers))}[string(message.ID) == "null"]] = message.Result
	}
	return answers
}

// What was asked for before the end of the input is done and answered, the last line without a
// newline as well.
func TestTheEndOfTheInput(t *testing.T) {
	w := start(t)
	token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead, app.ScopeTasksWrite)
	for range 5 {
		if got := w.pipe(token, strings.TrimSuffix(fmt.Sprintf(initialize, ""), "\n")); len(got) != 1 || !strings.Contains(string(got["0"]), "taskapi") {
			t.Fatalf("%s", got)
		}
	}
	text := fmt.Sprintf(initialize, "")
	for i := range 10 {
		text += fmt.Sprintf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":\"add_tasks\",\"arguments\":{\"tasks\":[{\"title\":\"x\"}]}}}\r\n\n", i+1)
	}
	got := w.pipe(token, strings.TrimRight(text, "\r\n"))
	if len(got) != 11 {
		t.Errorf("%d answers: %s", len(got), got)
	}
	for id, result := range got {
		if id != "0" && !strings.Contains(string(result), "Added: 1.") {
			t.Errorf("%s: %s", id, result)
		}
	}
	// A question that nobody answers any more is a no.
	text = fmt.Sprintf(initialize, `"elicitation":{}`) + `{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"delete_tasks","arguments":{"ids":[1,2,3,4,5,6]}}}`
	if got := w.pipe(token, text); len(got) != 3 || got[`"q"`] == nil { // and the question
		t.Errorf("%s", got)
	}
	if n := w.over(doors()[0], token, nil).open(); n != 10 {
		t.Errorf("%d tasks", n)
	}
}

// What is no message is said to be none, and the next one is answered.
func TestLinesThatAreNoMessages(t *testing.T) {
	w := start(t)
	token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead)
	for line, code := range map[string]string{
		`{"jsonrpc": nope`: "-32700",
		"\ufeff" + `{"jsonrpc":"2.0","id":7,"method":"ping"}`: "-32700",
		`{"jsonrpc":"2.0","id":7,"method":"ping"} {"a":1}`:    "-32700",
		"\xff\xfe":                      "-32700",
		strings.Repeat(`{"a":`, 20_000): "-32700",
		strings.Repeat("[", 20_000) + strings.Repeat("]", 2e4): "-32700",
		strings.Repeat(" ", 17<<20) + "{}":                     "-32700",
		`[{"jsonrpc":"2.0","id":7,"method":"ping"}]`:           "-32600",
		`7`:                                      "-32600",
		`{"id":7,"method":"ping"}`:               "-32600",
		`{"jsonrpc":"2.0","id":{},"method":"x"}`: "-32600",
		`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`:                  "-32600",
		`{"jsonrpc":"2.0","id":12345678901234567890,"method":"ping"}`: "-32600",
	} {
		got := w.pipe(token, fmt.Sprintf(initialize, "")+line+"\n"+`{"jsonrpc":"2.0","id":9,"method":"ping"}`)
		if got["9"] == nil || got["7"] != nil || len(got) != 3 {
			t.Errorf("%.60q: %.300s", line, got)
		}
		for id, result := range got {
			if strings.HasPrefix(id, "null") && !strings.Contains(string(result), code) {
				t.Errorf("%.60q: %s, want %s", line, result, code)
			}
		}
	}
	// A blank line is nothing.
	if got := w.pipe(token, "\n\r\n"+fmt.Sprintf(initialize, "")+"\n \n"); len(got) != 1 {
		t.Errorf("%s", got)
	}
}

// turning is a way to a server that turns away what it is told to.
type turning struct {
	turn func(*http.Request) (*http.Response, error)
	// status and text are an answer that does not come from there; 0 for none.
	status int
	text   string
}

func (d *turning) RoundTrip(request *http.Request) (*http.Response, error) {
	if d.status != 0 {
		r := httptest.NewRecorder()
		r.Header().Set("Retry-After", "7")
		r.WriteHeader(d.status)
		_, err := r.WriteString(d.text)
		return r.Result(), err
	}
	if d.turn != nil {
		return d.turn(request)
	}
	return http.DefaultTransport.RoundTrip(request)
}

// A clear refusal is no doubt, and only an answer that was lost is one.
func TestWhatWasRefusedWasNotDone(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	way := &turning{}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(context.Background(),
		w.bridge(&mcp.Bridge{URL: w.url, Token: w.token(ann, "claude", app.ScopeTasksRead, app.ScopeTasksWrite), Client: &http.Client{Transport: way}, Version: "test"}), nil)
	must(t, err)
	t.Cleanup(func() { _ = session.Close() })
	c := &client{t: t, ClientSession: session}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, gone.Close())
	away := func(request *http.Request) (*http.Response, error) {
		request = request.Clone(request.Context())
		request.URL.Host = gone.Addr().String()
		return http.DefaultTransport.RoundTrip(request)
	}
	lost := func(request *http.Request) (*http.Response, error) {
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		return nil, errors.Join(errors.New("connection reset by peer"), response.Body.Close())
	}
	for name, test := range map[string]struct {
		way  turning
		code string
		done bool // or not
	}{
		"revoked":    {turning{nil, 401, `{"error":"The token is invalid.","code":"token_invalid"}`}, "token_invalid", false},
		"no JSON":    {turning{nil, 400, `{"error":"The body is no JSON.","code":"invalid_json"}`}, "invalid_json", false},
		"too large":  {turning{nil, 413, `{"error":"The body is too large.","code":"body_too_large"}`}, "body_too_large", false},
		"too many":   {turning{nil, 429, `{"error":"Too many.","code":"too_many_requests"}`}, "too_many_requests", false},
		"a redirect": {turning{nil, 301, `<html>`}, "not_taskapi", false},
		"a proxy":    {turning{nil, 404, `<html>`}, "not_taskapi", false},
		"away":       {turning{turn: away}, "server_unreachable", false},
		"busy":       {turning{nil, 503, `{"error":"Busy.","code":"server_busy"}`}, "no_answer", true},
		"a gateway":  {turning{nil, 502, `<html>`}, "no_answer", true},
		"lost":       {turning{turn: lost}, "no_answer", true},
	} {
		*way = test.way
		r := c.refused("add_tasks", `{"tasks":[{"title":"x"}]}`, test.code)
		if strings.Contains(r.text, "done or not") != test.done || strings.Contains(r.text, "Nothing was done") == test.done {
			t.Errorf("%s: %s", name, r.text)
		}
		if name == "too many" && r.number("retry_after") != 7 {
			t.Error(r.text)
		}
	}
	*way = turning{}
	if n := c.open(); n != 1 { // of the answer that was lost
		t.Errorf("%d tasks", n)
	}
}
