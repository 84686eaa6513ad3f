package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
)

// event is what a stream has told.
type event struct {
	id, name, data string
}

func (e event) titles(t *testing.T) []string {
	t.Helper()
	var page struct {
		Tasks []struct {
			Title string `json:"title"`
		} `json:"tasks"`
	}
	must(t, json.Unmarshal([]byte(e.data), &page))
	var all []string
	for _, task := range page.Tasks {
		all = append(all, task.Title)
	}
	return all
}

// listening is an open stream.
type listening struct {
	t      *testing.T
	body   io.Closer
	events chan event // closed at the end of the stream
	last   string     // the id of the last event that was received
}

// listen opens a stream and waits for its first event, which it leaves out if that is "ready".
func (s *server) listen(token, query string) *listening {
	s.t.Helper()
	t := s.t.(*testing.T)
	request, err := http.NewRequest("GET", s.url+"/events?"+query, nil)
	must(t, err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{DisableCompression: true}
	response, err := transport.RoundTrip(request) //nolint:bodyclose // closed with the stream
	must(t, err)
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("stream: %d %s", response.StatusCode, text)
	}
	l := &listening{t: t, body: response.Body, events: make(chan event, 1000)}
	t.Cleanup(l.close)
	go l.read(bufio.NewReader(response.Body))
	return l
}

func (l *listening) close() { _ = l.body.Close() }

func (l *listening) read(lines *bufio.Reader) {
	defer close(l.events)
	var e event
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if e.name != "" {
				l.events <- e
			}
			e = event{}
		}
	}
}

// next returns the next event; ok is false at the end of the stream.
func (l *listening) next() (e event, ok bool) {
	l.t.Helper()
	select {
	case e, ok = <-l.events:
		if ok {
			l.last = e.id
		}
		return e, ok
	case <-time.After(time.Minute):
		l.t.Fatal("the stream is silent")
		return e, false
	}
}

// want returns the next event, which must have a name.
func (l *listening) want(name string) event {
	l.t.Helper()
	e, ok := l.next()
	if !ok || e.name != name {
		l.t.Fatalf("%v %+v, want %s", ok, e, name)
	}
	return e
}

// wantEnd waits for the end of the stream, whatever comes before.
func (l *listening) wantEnd() {
	l.t.Helper()
	for {
		if _, ok := l.next(); !ok {
			return
		}
	}
}

// What one person changes, the others who see it are told, once and with a cursor that is that of
// GET /sync.
func TestStreamTellsWhatOthersChange(t *testing.T) {
	g := startTrio(t)
	l := g.listen(g.viewer.access, "")
	l.want("ready")
	g.newTask(g.owner, `"labels":["hers"]`) // in a list that the viewer does not see
	g.call("PATCH", g.taskPath, g.editor.access, `{"title":"milk"}`)
	e := l.want("changes")
	if fmt.Sprint(e.titles(t)) != "[milk]" {
		t.Errorf("%+v", e)
	}
	if quiet := g.page(g.viewer, "since="+e.id); quiet.str("cursor") != e.id || names(quiet) != "[]" {
		t.Errorf("the stream is at %s, and then %s", e.id, quiet.text)
	}
	g.call("DELETE", g.taskPath, g.editor.access, "")
	if e := l.want("changes"); !strings.Contains(e.data, fmt.Sprintf(`"deleted":[{"kind":"task","id":%d,`, g.task)) {
		t.Errorf("%+v", e)
	}
	g.call("PATCH", g.listPath, g.owner.access, `{"name":"new"}`)
	if e := l.want("changes"); !strings.Contains(e.data, `"name":"new"`) {
		t.Errorf("%+v", e)
	}
}

// Somebody who is removed from a list is told so, and nothing of it any more; somebody who
// joins gets all of it.
func TestStreamFollowsMembership(t *testing.T) {
	g := startTrio(t)
	l, other := g.listen(g.viewer.access, ""), g.signUp("other")
	mine := g.listen(other.access, "")
	l.want("ready")
	mine.want("ready")
	g.call("DELETE", g.member(g.viewer), g.owner.access, "")
	if e := l.want("changes"); !strings.Contains(e.data, fmt.Sprintf(`"deleted":[{"kind":"list","id":%d,`, g.list)) {
		t.Errorf("%+v", e)
	}
	g.call("PATCH", g.taskPath, g.editor.access, `{"title":"milk"}`)
	g.server.task(g.viewer, "own")
	if e := l.want("changes"); fmt.Sprint(e.titles(t)) != "[own]" {
		t.Errorf("%+v", e)
	}
	g.join(g.list, g.owner, other, "viewer")
	if e := mine.want("changes"); fmt.Sprint(e.titles(t)) != "[milk]" || !strings.Contains(e.data, `"name":"shared"`) {
		t.Errorf("%+v", e)
	}
	g.call("PATCH", g.taskPath, g.editor.access, `{"title":"bread"}`)
	if e := mine.want("changes"); fmt.Sprint(e.titles(t)) != "[bread]" {
		t.Errorf("%+v", e)
	}
}

// A stream that is cut again and again goes on with the id of its last event, and misses nothing.
func TestStreamThatIsCutMissesNothing(t *testing.T) {
	const cuts, perCut = 200, 3
	s := start(t)
	ann := s.signUp("ann")
	first := s.listen(ann.access, "")
	at := first.want("ready").id
	first.close()
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := range cuts * perCut {
			s.task(ann, fmt.Sprint("task ", i))
		}
		s.task(ann, "last")
	})
	seen := map[string]bool{}
	for range cuts {
		l := s.listen(ann.access, "since="+at)
		for range rand.IntN(perCut) {
			e, _ := l.next()
			for _, title := range e.titles(t) {
				seen[title] = true
			}
			at = e.id
			if seen["last"] {
				break
			}
		}
		l.close()
	}
	l := s.listen(ann.access, "since="+at)
	for !seen["last"] {
		e, ok := l.next()
		if !ok {
			t.Fatal("the stream ended")
		}
		for _, title := range e.titles(t) {
			seen[title] = true
		}
	}
	writing.Wait()
	if len(seen) != cuts*perCut+1 {
		t.Errorf("%d of %d tasks were told", len(seen), cuts*perCut+1)
	}
}

// The header of a browser that comes back counts before the address, which is still the first one.
func TestStreamPrefersTheLastEventID(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	l := s.listen(ann.access, "")
	old := l.want("ready").id
	s.task(ann, "told")
	at := l.want("changes").id
	request, err := http.NewRequest("GET", s.url+"/events?since="+old, nil)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+ann.access)
	request.Header.Set("Last-Event-ID", at)
	if a := s.do(request); !strings.Contains(a.text, "event: ready") || !strings.Contains(a.text, "id: "+at+"\n") {
		t.Errorf("%s", a.text)
	}
}

// A request with many changes is one message, and not part of two, unless it is too large for one.
func TestStreamKeepsRequestsTogether(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	l := s.listen(ann.access, "")
	at := l.want("ready").id
	l.close()
	batch := func(name string, n int) {
		var requests []string
		for i := range n {
			requests = append(requests, fmt.Sprintf(`{"method":"POST","path":"/tasks/","body":{"title":"%s %d"}}`, name, i))
		}
		expect(t, "batch", s.call("POST", "/batch", ann.access, `{"requests":[`+strings.Join(requests, ",")+`]}`), 200, "")
	}
	batch("a", 60)
	batch("b", 60)
	parent := s.task(ann, "parent")
	for i := range 150 {
		expect(t, "child", s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"child %d","parent_id":%d}`, i, parent)), 201, "")
	}
	middle := s.page(ann, "").str("cursor")
	expect(t, "delete", s.call("DELETE", fmt.Sprint("/tasks/", parent), ann.access, ""), 200, "")
	l = s.listen(ann.access, "since="+at)
	if first, second := l.want("changes").titles(t), l.want("changes").titles(t); len(first) != 60 || len(second) < 60 || second[0] != "b 0" {
		t.Errorf("%d and %d", len(first), len(second))
	}
	l = s.listen(ann.access, "since="+middle)
	if first, second := l.want("changes"), l.want("changes"); strings.Count(first.data, `"kind"`) != 100 || strings.Count(second.data, `"kind"`) != 51 {
		t.Errorf("%s\n%s", first.data, second.data)
	}
}

// A stream ends with what it was opened with.
func TestStreamEndsWithItsSession(t *testing.T) {
	g := startTrio(t)
	admin := g.admin()
	for _, row := range []struct {
		name string
		end  func(person)
	}{
		{"signed-out", func(p person) {
			g.call("POST", "/auth/logout", "", fmt.Sprintf(`{"refresh_token":%q}`, p.refresh))
		}},
		{"all-signed-out", func(p person) { g.call("POST", "/auth/logout-all", p.access, "") }},
		{"new-password", func(p person) { g.reset(g.forgot(p), "another good password") }},
		{"deleted", func(p person) {
			g.call("DELETE", fmt.Sprint("/users/", p.id), admin.access, fmt.Sprintf(`{"current_password":%q}`, testPassword))
		}},
		{"other-role", func(p person) {
			_, err := g.db.SetRole(context.Background(), p.id, app.RoleAdmin, account.Record{})
			must(t, err)
		}},
		{"expired", func(person) { g.clock.advance(8 * 24 * time.Hour) }},
	} {
		p := g.signUp(row.name)
		l := g.listen(p.access, "")
		l.want("ready")
		row.end(p)
		l.wantEnd()
	}
}

// The same holds for API tokens, of which one without the scope opens none.
func TestStreamWithAnAPIToken(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	raw, id := s.apiToken(ann, app.ScopeTasksRead)
	l := s.listen(raw, "")
	l.want("ready")
	ticketed := s.listen("", "ticket="+s.call("POST", "/events/tickets", raw, "").str("ticket"))
	ticketed.want("ready")
	s.task(ann, "milk")
	l.want("changes")
	ticketed.want("changes")
	s.call("DELETE", fmt.Sprint("/auth/tokens/", id), ann.access, "")
	l.wantEnd()
	ticketed.wantEnd()
	other, _ := s.apiToken(ann, app.ScopeAccount)
	expect(t, "without the scope", s.call("GET", "/events", other, ""), 403, "insufficient_scope")
	expect(t, "without the scope", s.call("POST", "/events/tickets", other, ""), 403, "insufficient_scope")
}

// A ticket is good once, for half a minute, and while its session lives.
func TestTickets(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	ticket := func() string { return s.call("POST", "/events/tickets", ann.access, "").str("ticket") }
	used := ticket()
	s.listen("", "ticket="+used).want("ready")
	late := ticket()
	s.clock.advance(account.TicketTTL)
	var first string
	for i := range 11 {
		if one := ticket(); i == 0 {
			first = one
		}
	}
	signedOut := ticket()
	s.call("POST", "/auth/logout-all", ann.access, "")
	for name, ticket := range map[string]string{"used": used, "late": late, "the oldest of too many": first, "made up": "AAAAAAAAAAAAAAAAAAAAAA"} {
		if a := s.call("GET", "/events?ticket="+ticket, "", ""); a.status != 401 || a.str("code") != "ticket_invalid" {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	expect(t, "signed out", s.call("GET", "/events?ticket="+signedOut, "", ""), 401, "token_invalid")
	expect(t, "none", s.call("GET", "/events", "", ""), 401, "token_missing")
}

// A cursor that is of no use any more, or never was, is told from one that can't be read.
func TestStreamWithAnOldCursor(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	at := s.page(ann, "").str("cursor")
	lineage, _, _ := strings.Cut(at, "-")
	for name, since := range map[string]string{"another database's": "0a0a0a-1", "of the future": lineage + "-99999"} {
		l := s.listen(ann.access, "since="+since)
		if e := l.want("resync"); e.id != "" || e.data != `{"reason":"expired"}` {
			t.Errorf("%s: %+v", name, e)
		}
		l.wantEnd()
	}
	expect(t, "malformed", s.call("GET", "/events?since=x", ann.access, ""), 400, "invalid_parameter")
	expect(t, "unknown", s.call("GET", "/events?cursor="+at, ann.access, ""), 400, "unknown_parameter")
	if a := s.call("HEAD", "/events", ann.access, ""); a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v", a.status, a.header)
	}
}

// An account, and the server, have so many streams. One that its client has left does not count.
func TestStreamsAreLimited(t *testing.T) {
	s := start(t, func(p *parts) { p.api.MaxStreams = 12 })
	ann, bob := s.signUp("ann"), s.signUp("bob")
	var open []*listening
	for range 10 {
		l := s.listen(ann.access, "")
		l.want("ready")
		open = append(open, l)
	}
	a := s.call("GET", "/events", ann.access, "")
	expect(t, "the eleventh of one", a, 429, "too_many_streams")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	for range 2 {
		s.listen(bob.access, "").want("ready")
	}
	expect(t, "the thirteenth of all", s.call("GET", "/events", bob.access, ""), 429, "too_many_streams")
	open[0].close()
	for a := s.call("GET", "/events", ann.access, ""); a.status != 200; a = s.call("GET", "/events", ann.access, "") {
		expect(t, "the first after one has left", a, 429, "too_many_streams")
	}
}

// smallListener accepts connections on which little is on its way.
type smallListener struct{ net.Listener }

func (l smallListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return conn, conn.(*net.TCPConn).SetWriteBuffer(8 << 10)
}

// second serves the same database on another listener.
func (s *server) second(wrap func(net.Listener) net.Listener) *server {
	s.t.Helper()
	other, err := api.New(s.config)
	must(s.t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(s.t, err)
	served := make(chan error, 1)
	go func() { served <- other.Serve(wrap(listener)) }()
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := other.Shutdown(ctx); err != nil {
			s.t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			s.t.Errorf("serve: %v", err)
		}
	})
	return &server{t: s.t, url: "http://" + listener.Addr().String(), api: other}
}

// A client that reads nothing delays nobody, and costs no more than what is on its way: what it
// has missed it is told together.
func TestStreamThatNobodyReads(t *testing.T) {
	const tasks = 60
	s := start(t)
	ann := s.signUp("ann")
	at := s.page(ann, "").str("cursor")
	other := s.second(func(inner net.Listener) net.Listener { return smallListener{inner} })
	conn, err := net.Dial("tcp", strings.TrimPrefix(other.url, "http://"))
	must(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET /events?since=%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", at, ann.access)
	must(t, err)
	l := other.listen(ann.access, "since="+at)
	l.want("ready")
	long := strings.Repeat("x", 9000)
	seen := 0
	for i := range tasks {
		expect(t, "create", s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"t%d","description":%q}`, i, long)), 201, "")
		for seen <= i {
			seen += len(l.want("changes").titles(t))
		}
	}
	var all bytes.Buffer
	buffer := make([]byte, 64<<10)
	for !bytes.Contains(all.Bytes(), fmt.Appendf(nil, `"title":"t%d"`, tasks-1)) {
		must(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
		n, err := conn.Read(buffer)
		all.Write(buffer[:n])
		if err != nil {
			t.Fatalf("the slow one was cut: %v", err)
		}
	}
	for i := range tasks {
		if !bytes.Contains(all.Bytes(), fmt.Appendf(nil, `"title":"t%d"`, i)) {
			t.Fatalf("t%d was not told", i)
		}
	}
}

// A stop ends all streams, also those that nobody reads, and waits for none of their clients.
func TestStopEndsStreams(t *testing.T) {
	s := start(t)
	second := s.second(func(inner net.Listener) net.Listener { return inner })
	var open []*listening
	for i := range 20 {
		p := s.signUp(fmt.Sprint("p", i))
		for range 5 {
			l := second.listen(p.access, "")
			l.want("ready")
			open = append(open, l)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	must(t, second.api.Shutdown(ctx))
	for _, l := range open {
		l.wantEnd()
	}
	if n := second.api.Streams(); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

// A stream tells what its client keeps, each beside others of the same account.
func TestStreamTellsOfCopiesWhoAsks(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	with, without := s.listen(ann.access, "completed=all&include=copies"), s.listen(ann.access, "")
	with.want("ready")
	without.want("ready")
	daily := s.call("POST", "/tasks/", ann.access, `{"title":"daily","due":"2031-01-01","recurrence":"FREQ=DAILY"}`)
	with.want("changes")
	without.want("changes")
	s.call("PATCH", fmt.Sprint("/tasks/", daily.id("task.id")), ann.access, `{"completed":true}`)
	if got := fmt.Sprint(with.want("changes").titles(t)); got != "[daily daily]" {
		t.Error(got)
	}
	if got := fmt.Sprint(without.want("changes").titles(t)); got != "[daily]" {
		t.Error(got)
	}
	for _, wrong := range []string{"completed=some", "include=trash", "since=x"} {
		expect(t, wrong, s.call("GET", "/events?"+wrong, ann.access, ""), 400, "invalid_parameter")
	}
}
