package mcp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
	"taskapi/app/mcp"
	"taskapi/app/password"
	"taskapi/app/storetest"
	"taskapi/app/todo"
	"taskapi/app/token"
)

const testPassword = "correct horse battery"

// clock is a clock that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buf.String() }

// world is a server on a real socket with a real database, and what its people do.
type world struct {
	t      testing.TB
	url    string
	db     *storetest.DB
	clock  *clock
	log    *lockedBuffer
	tasks  *todo.Tasks
	lists  *todo.Lists
	tokens *account.APITokens
	users  *account.Users
	// door is what is behind /mcp.
	door *mcp.Server
}

// Monday, 30 November 2026, 08:00 UTC.
func began() time.Time { return time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC) }

func start(t testing.TB, change ...func(*mcp.Config)) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: began()}, log: &lockedBuffer{}}
	w.db = storetest.Open(t, w.clock.Now)
	log := slog.New(slog.NewTextHandler(w.log, nil))
	hasher, err := password.New(password.Options{Params: password.Params{Memory: 64, Iterations: 1, Parallelism: 1}})
	must(t, err)
	access, err := token.NewAccess([]byte("a secret of the tests, 32 bytes at least"), 15*time.Minute, w.clock.Now, rand.Reader)
	must(t, err)
	codes, err := token.NewCodes([]byte("a secret of the tests, 32 bytes at least"), rand.Reader)
	must(t, err)
	audit := &account.Audit{Store: w.db, Log: log}
	proofs := &account.Proofs{Store: w.db, Passwords: hasher, Audit: audit, Now: w.clock.Now}
	w.users = &account.Users{
		Proofs: proofs, Store: w.db, Passwords: hasher, Policy: account.PasswordPolicy{Min: 8, Max: 128}, RegistrationOpen: true,
		Links: &account.Links{Codes: codes, PublicURL: "https://tasks.example.com"}, Audit: audit, Now: w.clock.Now,
	}
	w.tokens = &account.APITokens{Store: w.db, Proofs: proofs, Now: w.clock.Now, Random: rand.Reader}
	w.tasks = &todo.Tasks{Store: w.db, Now: w.clock.Now, KeepTrash: true, Lineage: w.db.Lineage()}
	w.lists = &todo.Lists{Store: w.db, Now: w.clock.Now, KeepTrash: true}
	config := mcp.Config{
		Version: "test", Tasks: w.tasks, Lists: w.lists, Sync: &todo.Sync{Store: w.db, Now: w.clock.Now, Lineage: w.db.Lineage()},
		Answers: w.db, Now: w.clock.Now, Log: log,
	}
	for _, f := range change {
		f(&config)
	}
	w.door = mcp.New(config)
	server, err := api.New(api.Config{
		Version: "test", Tasks: w.tasks, Lists: w.lists, Users: w.users, APITokens: w.tokens, Access: access, Audit: audit,
		Answers: w.db, Lineage: w.db.Lineage(), Seed: w.db.Seed(), Log: log, Now: w.clock.Now, MCP: w.door.Answer, CORSOrigins: []string{"https://page.example"},
		Sessions: &account.Sessions{Store: w.db, Now: w.clock.Now, Access: access},
	})
	must(t, err)
	w.url = serve(t, server)
	return w
}

func serve(t testing.TB, server *api.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return "http://" + listener.Addr().String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is somebody with an account.
type person struct{ app.Caller }

// signUp makes an account.
func (w *world) signUp(name string) person {
	w.t.Helper()
	user, err := w.users.Register(context.Background(), app.Caller{}, account.UserInput{
		Username: app.Given(name), Email: app.Given(name + "@example.com"), Password: app.Given(testPassword), ConfirmPassword: app.Given(testPassword),
	})
	must(w.t, err)
	p := person{app.Caller{UserID: user.ID, Role: user.Role}}
	caller, err := w.tokens.Caller(context.Background(), w.token(p, "of the test", app.ScopeTasksRead, app.ScopeTasksWrite))
	must(w.t, err)
	return person{caller}
}

// token makes an API token for a person.
func (w *world) token(p person, name string, scopes ...app.Scope) string {
	w.t.Helper()
	raw, hash, err := token.NewPersonal(rand.Reader)
	must(w.t, err)
	_, err = w.db.CreateAPIToken(context.Background(), app.Operator(), account.NewAPIToken{
		UserID: p.UserID, Name: name, Hash: hash, Scopes: scopes, CreatedAt: w.clock.Now(),
	}, account.Record{})
	must(w.t, err)
	return raw
}

// client is an assistant.
type client struct {
	t testing.TB
	*sdk.ClientSession
	asked []string // what its person was asked
}

// withToken adds a token to requests.
type withToken struct{ token string }

func (a withToken) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+a.token)
	return http.DefaultTransport.RoundTrip(request)
}

// door is a way to the tools.
type door struct {
	name string
	// version is that of the protocol, which older clients have another of.
	version string
	// stdio goes over the bridge.
	stdio bool
}

func doors() []door {
	return []door{{"HTTP", "2026-07-28", false}, {"HTTP, an older client", "2025-06-18", false}, {"stdio", "2026-07-28", true}, {"stdio, an older client", "2025-06-18", true}}
}

// answers is what a person answers when their client asks; nil for a client that can't.
type answers func(*sdk.ElicitParams) *sdk.ElicitResult

func agrees(*sdk.ElicitParams) *sdk.ElicitResult {
	return &sdk.ElicitResult{Action: "accept", Content: map[string]any{"agree": true}}
}

// over connects an assistant.
func (w *world) over(d door, token string, answer answers) *client {
	w.t.Helper()
	c := &client{t: w.t}
	options := &sdk.ClientOptions{}
	if answer != nil {
		options.ElicitationHandler = func(_ context.Context, r *sdk.ElicitRequest) (*sdk.ElicitResult, error) {
			c.asked = append(c.asked, r.Params.Message)
			return answer(r.Params), nil
		}
	}
	var transport sdk.Transport = &sdk.StreamableClientTransport{Endpoint: w.url + "/mcp", HTTPClient: &http.Client{Transport: withToken{token}}}
	if d.stdio {
		transport = w.bridge(&mcp.Bridge{URL: w.url, Token: token, Client: &http.Client{}, Version: "test"})
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, options).Connect(context.Background(), transport, &sdk.ClientSessionOptions{ProtocolVersion: d.version})
	must(w.t, err)
	w.t.Cleanup(func() { _ = session.Close() })
	c.ClientSession = session
	return c
}

// bridge runs a bridge until the end of the test, and returns the client's end of it.
func (w *world) bridge(b *mcp.Bridge) sdk.Transport {
	in, toBridge := io.Pipe()
	fromBridge, out := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx, in, out) }()
	w.t.Cleanup(func() {
		stop()
		_ = in.Close()
		if err := <-done; err != nil {
			w.t.Errorf("bridge: %v", err)
		}
	})
	return &sdk.IOTransport{Reader: fromBridge, Writer: toBridge}
}

// assistant connects one over HTTP that may read and write, and can't ask its person.
func (w *world) assistant(p person) *client {
	w.t.Helper()
	return w.over(doors()[0], w.token(p, "claude", app.ScopeTasksRead, app.ScopeTasksWrite), nil)
}

// result is what a tool has answered.
type result struct {
	t       testing.TB
	isError bool
	text    string
	json    map[string]any
}

// use uses a tool, given its arguments as JSON.
func (c *client) use(tool, arguments string) result {
	c.t.Helper()
	got, err := c.CallTool(context.Background(), &sdk.CallToolParams{Name: tool, Arguments: json.RawMessage(arguments)})
	if err != nil {
		c.t.Fatalf("%s %s: %v", tool, arguments, err)
	}
	r := result{t: c.t, isError: got.IsError, json: map[string]any{}}
	if len(got.Content) == 1 {
		if text, ok := got.Content[0].(*sdk.TextContent); ok {
			r.text = text.Text
		}
	}
	if got.StructuredContent != nil {
		raw, err := json.Marshal(got.StructuredContent)
		must(c.t, err)
		must(c.t, json.Unmarshal(raw, &r.json))
	} else {
		_ = json.Unmarshal([]byte(r.text), &r.json) // an error of the schema is a sentence
	}
	return r
}

// works uses a tool that must succeed.
func (c *client) works(tool, arguments string) result {
	c.t.Helper()
	r := c.use(tool, arguments)
	if r.isError {
		c.t.Fatalf("%s %s: %s", tool, arguments, r.text)
	}
	return r
}

// refused uses a tool that must fail with a code.
func (c *client) refused(tool, arguments, code string) result {
	c.t.Helper()
	r := c.use(tool, arguments)
	if !r.isError || r.json["code"] != code {
		c.t.Errorf("%s %s: %t %s, want the error %s", tool, arguments, r.isError, r.text, code)
	}
	return r
}

// at returns the value at a path such as tasks.0.id.
func (r result) at(path ...any) any {
	var value any = r.json
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			array, _ := value.([]any)
			if step >= len(array) {
				return nil
			}
			value = array[step]
		}
	}
	return value
}

func (r result) number(path ...any) int64 { n, _ := r.at(path...).(float64); return int64(n) }

func (r result) length(path ...any) int { array, _ := r.at(path...).([]any); return len(array) }

// ids returns the ids of the tasks in an answer, as JSON.
func (r result) ids() string {
	var ids []int64
	for i := range r.length("tasks") {
		ids = append(ids, r.number("tasks", i, "id"))
	}
	text, _ := json.Marshal(ids)
	return string(text)
}

// add adds tasks with titles such as t1.
func (c *client) add(n int) result {
	c.t.Helper()
	var tasks []map[string]any
	for i := range n {
		tasks = append(tasks, map[string]any{"title": fmt.Sprintf("t%d", i+1)})
	}
	text, err := json.Marshal(map[string]any{"tasks": tasks})
	must(c.t, err)
	return c.works("add_tasks", string(text))
}

// open returns how many open tasks there are.
func (c *client) open() int64 { c.t.Helper(); return c.works("find_tasks", `{}`).number("total") }

// setZone moves a person.
func (w *world) setZone(p person, zone string) error {
	caller := p.Caller
	caller.Scopes = []app.Scope{app.ScopeAccount}
	_, _, err := w.users.Update(context.Background(), caller, p.UserID, account.UserInput{TimeZone: app.Given(zone)})
	return err
}
