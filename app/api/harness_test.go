package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/password"
	"taskapi/app/storetest"
	"taskapi/app/todo"
	"taskapi/app/token"
	"taskapi/app/webhook"
	"taskapi/web"
)

const (
	testSecret   = "a secret of the tests, 32 bytes at least"
	testPassword = "correct horse battery"
)

// clock is a clock that a test moves. It runs on with real time, so that what
// Fiber and the tokens do in between stays consistent.
type clock struct {
	mu     sync.Mutex
	skew   time.Duration
	frozen time.Time // unless zero, real time stands still here
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.frozen.IsZero() {
		return c.frozen.Add(c.skew)
	}
	return time.Now().Add(c.skew)
}

func (c *clock) freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = time.Now().Truncate(time.Second)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew += d
}

// server is a whole taskapi on a real socket with a real database.
type server struct {
	t     testing.TB
	url   string
	clock *clock
	db    *storetest.DB
	users *account.Users
	links *account.Links
	mails chan outbox.NewMail
	log   *lockedBuffer
	// config is what the server was made of.
	config api.Config
	api    *api.Server
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// parts is what a test may change before the server starts.
type parts struct {
	api      api.Config
	sessions *account.Sessions
	users    *account.Users
	recovery account.Recovery
	proofs   *account.Proofs
	postage  *outbox.Postage
	hooks    *webhook.Dispatcher
}

func start(t testing.TB, change ...func(*parts)) *server {
	t.Helper()
	s := startOn(t, storetest.OpenWith, change...)
	s.byTurns(change)
	return s
}

// startOn is start on a database that open opens.
func startOn(t testing.TB, open func(testing.TB, storetest.Options) *storetest.DB, change ...func(*parts)) *server {
	t.Helper()
	s := &server{t: t, clock: &clock{}, mails: make(chan outbox.NewMail, 1000), log: &lockedBuffer{}}
	s.begin(open, change)
	return s
}

// begin starts the server on a database that open opens.
func (s *server) begin(open func(testing.TB, storetest.Options) *storetest.DB, change []func(*parts)) {
	t := s.t
	t.Helper()
	s.db = open(t, storetest.Options{Now: s.clock.Now})
	s.db.OnMail(func(m outbox.NewMail) {
		if processes() == 1 || m.Template != "" { // else it is of another process
			s.mails <- m
		}
	})
	hasher, err := password.New(password.Options{Params: password.Params{Memory: 64, Iterations: 1, Parallelism: 1}})
	must(t, err)
	access, err := token.NewAccess([]byte(testSecret), 15*time.Minute, s.clock.Now, rand.Reader)
	must(t, err)
	refreshes, err := token.NewRefresh([]byte(testSecret), rand.Reader)
	must(t, err)
	codes, err := token.NewCodes([]byte(testSecret), rand.Reader)
	must(t, err)
	log := slog.New(slog.NewTextHandler(s.log, nil))
	audit := &account.Audit{Store: s.db, Log: log}
	s.links = &account.Links{Codes: codes, PublicURL: "https://tasks.example.com"}
	postage := &outbox.Postage{}
	proofs := &account.Proofs{Store: s.db, Passwords: hasher, Audit: audit, Now: s.clock.Now}
	s.users = &account.Users{
		Proofs: proofs, Postage: postage,
		Store: s.db, Passwords: hasher, Policy: account.PasswordPolicy{Min: 8, Max: 128},
		RegistrationOpen: true, Links: s.links, Audit: audit, Now: s.clock.Now,
	}
	hub := todo.NewHub(s.db.MembersOf, s.db.NewestChange, s.clock.Now)
	s.db.OnChange(hub.Changed)
	run(t, hub.Run)
	began := s.clock.Now()
	p := parts{
		users: s.users, proofs: proofs, postage: postage,
		sessions: &account.Sessions{
			Elapsed: func() time.Duration { return s.clock.Now().Sub(began) },
			Store:   s.db, Passwords: hasher, Access: access, Refreshes: refreshes,
			RefreshTTL: 7 * 24 * time.Hour, Rotation: true, Postage: postage, Audit: audit, Now: s.clock.Now, Log: log,
		},
		recovery: account.Recovery{Store: s.db, Links: s.links, Passwords: hasher, Policy: s.users.Policy, Postage: postage, Audit: audit, Now: s.clock.Now, Log: log},
		api: api.Config{
			Version: "test", Lineage: s.db.Lineage(), State: s.db, Web: web.Files(), Tasks: &todo.Tasks{Store: s.db, Now: s.clock.Now, KeepTrash: true, Lineage: s.db.Lineage()}, Lists: &todo.Lists{Store: s.db, Now: s.clock.Now, KeepTrash: true}, Seed: s.db.Seed(), TrashTime: 30 * 24 * time.Hour,
			Invitations: &todo.Invitations{Store: s.db, Codes: codes, PublicURL: "https://tasks.example.com", Stamp: func(string, int64) time.Duration { return 0 }, Mails: true, Now: s.clock.Now}, Answers: s.db, Sync: &todo.Sync{Store: s.db, Hub: hub, Now: s.clock.Now, Lineage: s.db.Lineage()}, Tickets: &account.Tickets{Store: s.db, Now: s.clock.Now, Random: rand.Reader}, Access: access, Audit: audit, Log: log, Now: s.clock.Now,
			Feeds:     &todo.Feeds{Store: s.db, PublicURL: "https://tasks.example.com", Lineage: s.db.Lineage(), Seed: s.db.Seed(), Now: s.clock.Now, Random: rand.Reader},
			Push:      &outbox.Subscriptions{Store: s.db, Key: "BKey", Allowed: func(addr netip.Addr) bool { return !addr.IsLoopback() && !addr.IsPrivate() }, Now: s.clock.Now},
			APITokens: &account.APITokens{Store: s.db, Proofs: proofs, Postage: postage, Now: s.clock.Now, Random: rand.Reader},
		},
	}
	p.api.MCP = echo
	p.hooks, p.api.Webhooks = newHooks(s, hub, log)
	for _, f := range change {
		f(&p)
	}
	p.api.Users, p.api.Sessions, p.api.Recovery = p.users, p.sessions, account.NewRecovery(p.recovery)
	s.config = p.api
	server, err := api.New(p.api)
	must(t, err)
	p.hooks.Body = server.WebhookBody
	run(t, p.hooks.Run)
	s.api = server
	s.url = serve(t, server)
	run(t, p.api.Recovery.Run)
}

// newHooks returns what tells webhooks, those on this machine as well.
func newHooks(s *server, hub *todo.Hub, log *slog.Logger) (*webhook.Dispatcher, *outbox.Webhooks) {
	d := webhook.NewDispatcher()
	s.db.OnWebhook(d.Changed)
	d.Store, d.Lineage, d.Now, d.Log, d.Chance = s.db, s.db.Lineage(), s.clock.Now, log, func() float64 { return 0.5 }
	d.Notices = func(_ int64, mails ...outbox.NewMail) []outbox.NewMail { return mails }
	d.Sender = webhook.NewSender("test", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil, s.clock.Now, log)
	d.Follow = func(userID int64) (<-chan struct{}, func()) {
		follower := hub.Follow(userID)
		return follower.C, follower.Close
	}
	return d, &outbox.Webhooks{Store: s.db, Sender: d.Sender, Lineage: d.Lineage, Now: s.clock.Now, Random: rand.Reader}
}

// run runs what works beside the server until the end of the test.
func run(t testing.TB, work func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { work(ctx); close(done) }()
	t.Cleanup(func() { stop(); <-done })
}

func serve(t testing.TB, srv *api.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(listener) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
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

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

// at returns the value at a path such as "task.id" of the answer.
func (a answer) at(path string) any {
	var value any = a.json
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

func (a answer) str(path string) string { text, _ := a.at(path).(string); return text }

func (a answer) id(path string) int64 { n, _ := a.at(path).(float64); return int64(n) }

// call sends a JSON body, or none when it is empty, and reads the answer. It
// checks what every answer must be.
func (s *server) call(method, path, token, body string) answer {
	s.t.Helper()
	return s.do(s.request(method, path, token, body))
}

// request is what call sends.
func (s *server) request(method, path, token, body string) *http.Request {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return request
}

func (s *server) do(request *http.Request) answer {
	s.t.Helper()
	var sent []byte
	if request.GetBody != nil {
		body, err := request.GetBody()
		must(s.t, err)
		sent, err = io.ReadAll(body)
		must(s.t, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Errorf("%s %s: no answer: %v", request.Method, request.URL.Path, err)
		return answer{}
	}
	text, err := readAnswer(response)
	if err := response.Body.Close(); err != nil {
		s.t.Error(err)
	}
	if err != nil {
		s.t.Errorf("%s %s: cut off: %v", request.Method, request.URL.Path, err)
	}
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	s.checkShape(request, &a)
	d, err := loadDocument()
	must(s.t, err)
	d.check(s.t, request, sent, a)
	return a
}

// readAnswer reads a body to its end or, of a stream, which has none, its first event.
func readAnswer(response *http.Response) ([]byte, error) {
	if response.Header.Get("Content-Type") != "text/event-stream" || response.Request.Method == http.MethodHead {
		return io.ReadAll(response.Body)
	}
	var text []byte
	for lines := bufio.NewReader(response.Body); ; {
		line, err := lines.ReadString('\n')
		text = append(text, line...)
		if err != nil || strings.HasPrefix(line, "data: ") {
			return text, err
		}
	}
}

func (s *server) checkShape(request *http.Request, a *answer) {
	s.t.Helper()
	where := request.Method + " " + request.URL.Path
	if a.status >= 500 {
		s.t.Errorf("%s: %d %s", where, a.status, a.text)
	}
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Access-Control-Allow-Origin": "*"} {
		if got := a.header.Get(name); got != want {
			s.t.Errorf("%s: %d has %s %q", where, a.status, name, got)
		}
	}
	if a.header.Get("X-Request-Id") == "" {
		s.t.Errorf("%s: %d has no X-Request-Id", where, a.status)
	}
	if a.status == http.StatusNoContent || a.status == http.StatusNotModified || request.Method == http.MethodHead {
		if a.text != "" {
			s.t.Errorf("%s: %d has a body", where, a.status)
		}
		return
	}
	if a.header.Get("Content-Type") == "text/event-stream" || a.header.Get("Content-Type") == "text/calendar; charset=utf-8" && strings.HasSuffix(request.URL.Path, ".ics") || request.URL.Path == "/mcp" && a.status == http.StatusAccepted && a.text == "" {
		return
	}
	if got := a.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		s.t.Errorf("%s: %d is %q: %s", where, a.status, got, a.text)
	}
	if err := json.Unmarshal([]byte(a.text), &a.json); err != nil {
		s.t.Errorf("%s: %d is no JSON object: %v: %s", where, a.status, err, a.text)
	}
	if a.status >= 400 {
		_, one := a.json["error"].(string)
		_, many := a.json["errors"].(map[string]any)
		if code := a.str("code"); code == "" || one == many {
			s.t.Errorf("%s: %d has another shape: %s", where, a.status, a.text)
		}
	}
}

// person is somebody with an account who has signed in.
type person struct {
	id      int64
	email   string
	access  string
	refresh string
}

func (s *server) register(name string) int64 {
	s.t.Helper()
	a := s.call("POST", "/auth/register", "", fmt.Sprintf(
		`{"username":%q,"email":"%s@example.com","password":%q,"confirm_password":%q}`, name, name, testPassword, testPassword))
	if a.status != http.StatusCreated {
		s.t.Fatalf("register %s: %d %s", name, a.status, a.text)
	}
	return a.id("user.id")
}

func (s *server) login(name string) person {
	s.t.Helper()
	a := s.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"%s@example.com","password":%q}`, name, testPassword))
	if a.status != http.StatusOK {
		s.t.Fatalf("login %s: %d %s", name, a.status, a.text)
	}
	p := person{email: name + "@example.com", access: a.str("access_token"), refresh: a.str("refresh_token")}
	user, err := s.db.UserByEmail(context.Background(), p.email)
	must(s.t, err)
	p.id = user.ID
	return p
}

func (s *server) signUp(name string) person {
	s.t.Helper()
	s.register(name)
	return s.login(name)
}

func (s *server) admin() person {
	s.t.Helper()
	id := s.register("admin")
	_, err := s.db.SetRole(context.Background(), id, app.RoleAdmin, account.Record{})
	must(s.t, err)
	return s.login("admin")
}

func (s *server) task(p person, title string) int64 {
	s.t.Helper()
	a := s.call("POST", "/tasks/", p.access, fmt.Sprintf(`{"title":%q}`, title))
	if a.status != http.StatusCreated {
		s.t.Fatalf("create: %d %s", a.status, a.text)
	}
	return a.id("task.id")
}

// mail returns the next mail of a template that is queued, and drops those
// before it.
func (s *server) mail(template outbox.MailTemplate) outbox.NewMail {
	s.t.Helper()
	for {
		select {
		case m := <-s.mails:
			if m.Template == template {
				return m
			}
		case <-time.After(time.Minute):
			s.t.Fatalf("no mail %s was queued", template)
		}
	}
}

// code returns what stands in the link of a mail.
func (s *server) code(m outbox.NewMail) string {
	s.t.Helper()
	_, code, found := strings.Cut(s.links.Fill(outbox.Mail{Template: m.Template, Data: m.Data})["Link"], "#")
	if !found {
		s.t.Fatalf("no link in %+v", m)
	}
	return code
}

// forgot asks for a new password and returns the code that was mailed.
func (s *server) forgot(p person) string {
	s.t.Helper()
	if a := s.call("POST", "/auth/password/forgot", "", fmt.Sprintf(`{"email":%q}`, p.email)); a.status != http.StatusAccepted {
		s.t.Fatalf("forgot: %d %s", a.status, a.text)
	}
	return s.code(s.mail(outbox.MailReset))
}

// reset sets a new password by a code.
func (s *server) reset(code, password string) answer {
	s.t.Helper()
	return s.call("POST", "/auth/password/reset", "", fmt.Sprintf(`{"token":%q,"password":%q,"confirm_password":%q}`, code, password, password))
}

// apiToken makes a personal API token for a person and returns it.
func (s *server) apiToken(p person, scopes ...app.Scope) (raw string, id int64) {
	s.t.Helper()
	list, err := json.Marshal(scopes)
	must(s.t, err)
	a := s.call("POST", "/auth/tokens", p.access, fmt.Sprintf(`{"name":"script","scopes":%s}`, list))
	if a.status != http.StatusCreated {
		s.t.Fatalf("API token: %d %s", a.status, a.text)
	}
	return a.str("token"), a.id("api_token.id")
}

// decodeSegment reads one part of a JWT without checking it.
func decodeSegment(segment string) (map[string]any, error) {
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(raw, &out)
}

// life is a part of a test after which all that was started in it ends.
type life struct {
	testing.TB
	ends []func()
}

// Cleanup calls f when the life ends.
func (l *life) Cleanup(f func()) { l.ends = append(l.ends, f) }

func (l *life) end() {
	for _, f := range slices.Backward(l.ends) {
		f()
	}
}
