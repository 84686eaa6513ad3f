package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// feed makes a calendar feed.
func (s *server) feed(p person, body string) answer {
	s.t.Helper()
	a := s.call("POST", "/feeds/", p.access, body)
	expect(s.t, "a feed", a, 201, "")
	return a
}

// secretOf returns what is secret in the address of a feed that was just made.
func secretOf(a answer) string {
	secret := strings.TrimPrefix(a.str("feed.url"), "https://tasks.example.com/feeds/")
	return strings.TrimSuffix(secret, ".ics")
}

func addressOf(a answer) string { return "/feeds/" + secretOf(a) + ".ics" }

// read reads a feed as a calendar program does.
func (s *server) read(address, etag string) answer {
	s.t.Helper()
	return s.with("GET", address, "", "If-None-Match", etag)
}

func TestAFeedIsReadByItsAddressAlone(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.call("POST", "/tasks/", ann.access, `{"title":"Call; Bo","due":"2026-11-30T09:00","due_zone":"Europe/Berlin","reminders":[{"before":"PT1H"}]}`)
	made := s.feed(ann, `{"as":"both"}`)
	if len(secretOf(made)) != 43 || made.at("feed.list_id") != nil || made.str("feed.as") != "both" {
		t.Error(made.text)
	}
	for range 2 { // a reading changes nothing
		a := s.read(addressOf(made), "")
		expect(t, "reading", a, 200, "")
		for name, want := range map[string]string{
			"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=900", "X-Robots-Tag": "noindex",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %q", name, got)
			}
		}
		for _, line := range []string{`SUMMARY:Call\; Bo`, "DUE;TZID=Europe/Berlin:20261130T090000", "DTSTART;TZID=Europe/Berlin:20261130T090000", "BEGIN:VTIMEZONE", "BEGIN:VTODO", "BEGIN:VEVENT"} {
			if !strings.Contains(a.text, line+"\r\n") {
				t.Errorf("no %s in\n%s", line, a.text)
			}
		}
		if strings.Contains(a.text, "VALARM") {
			t.Errorf("an alarm of its maker's:\n%s", a.text)
		}
	}
	page := s.call("GET", "/feeds/", ann.access, "")
	if strings.Contains(page.text, "url") || strings.Contains(page.text, secretOf(made)) || page.at("pagination.total") != 1.0 {
		t.Errorf("the list shows %s", page.text)
	}
	audit := s.call("GET", "/users/me/audit", ann.access, "").text
	if !strings.Contains(audit, `"feed_created"`) || strings.Contains(audit, secretOf(made)) {
		t.Error(audit)
	}
}

// The entity tag stays as long as the feed does, and no longer: whatever changes in what it
// shows, it is another one.
func TestTheTagOfAFeed(t *testing.T) {
	s := start(t)
	ann, ben := s.signUp("ann"), s.signUp("ben")
	list := s.call("POST", "/lists/", ann.access, `{"name":"shared"}`).id("list.id")
	s.join(list, ann, ben, "editor")
	task := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"a","list_id":%d}`, list)).id("task.id")
	address := addressOf(s.feed(ben, `{"as":"todo"}`))
	narrow := addressOf(s.feed(ben, fmt.Sprintf(`{"as":"todo","list_id":%d}`, list)))
	tags := map[string]string{}
	// both expects one feed or both to be another one, or the same.
	both := func(what string, wide, one bool) {
		t.Helper()
		for at, changes := range map[string]bool{address: wide, narrow: one} {
			before := tags[at]
			a := s.read(at, `W/"other", `+before)
			if changes != (a.status == 200) || !changes && a.status != 304 {
				t.Errorf("%s: %d", what, a.status)
			}
			if tags[at] = a.header.Get("ETag"); changes == (tags[at] == before) {
				t.Errorf("%s: the tag was %s and is %s", what, before, tags[at])
			}
			if a.header.Get("Cache-Control") != "private, max-age=900" || a.header.Get("X-Robots-Tag") != "noindex" {
				t.Errorf("%s: %v", what, a.header)
			}
		}
	}
	both("the first time", true, true)
	both("nothing", false, false)
	s.task(ann, "elsewhere")
	both("a task that it does not have", false, false)
	s.task(ben, "mine")
	both("another list", true, false)
	s.call("PATCH", fmt.Sprint("/tasks/", task), ann.access, `{"title":"b"}`)
	both("a title", true, true)
	s.call("PATCH", fmt.Sprint("/lists/", list), ann.access, `{"name":"renamed"}`)
	both("a name", true, true)
	s.call("PATCH", fmt.Sprint("/lists/", list), ben.access, `{"archived":true}`)
	if a := s.read(address, tags[address]); a.status != 200 || strings.Contains(a.text, "SUMMARY:b") || !strings.Contains(a.text, "SUMMARY:mine") {
		t.Errorf("archived: %d %s", a.status, a.text)
	}
	s.call("PATCH", fmt.Sprint("/lists/", list), ben.access, `{"archived":false}`)
	s.call("PATCH", fmt.Sprint("/tasks/", task), ann.access, `{"completed":true}`)
	both("done", true, true)
	s.clock.advance(24 * time.Hour)
	both("a day later", true, true)
	s.clock.advance(30 * 24 * time.Hour)
	if a := s.read(narrow, tags[narrow]); a.status != 200 || strings.Contains(a.text, "VTODO") {
		t.Errorf("31 days later: %d %s", a.status, a.text)
	}
}

// Whatever ends what a feed opens ends the feed, at once.
func TestAFeedEndsWithAccess(t *testing.T) {
	for name, end := range map[string]func(g trio, feed answer) answer{
		"revoked": func(g trio, feed answer) answer {
			return g.call("DELETE", fmt.Sprint("/feeds/", feed.id("feed.id")), g.viewer.access, "")
		},
		"left": func(g trio, _ answer) answer {
			return g.call("DELETE", fmt.Sprint(g.listPath, "/members/", g.viewer.id), g.viewer.access, "")
		},
		"removed": func(g trio, _ answer) answer {
			return g.call("DELETE", fmt.Sprint(g.listPath, "/members/", g.viewer.id), g.owner.access, "")
		},
		"list deleted": func(g trio, _ answer) answer { return g.call("DELETE", g.listPath, g.owner.access, "") },
		"account deleted": func(g trio, _ answer) answer {
			return g.call("DELETE", "/users/me", g.viewer.access, fmt.Sprintf(`{"current_password":%q}`, testPassword))
		},
		"signed out everywhere": func(g trio, _ answer) answer { return g.call("POST", "/auth/logout-all", g.viewer.access, "") },
	} {
		g := startTrio(t)
		feed := g.feed(g.viewer, fmt.Sprintf(`{"as":"todo","list_id":%d}`, g.list))
		a := g.read(addressOf(feed), "")
		expect(t, "before", a, 200, "")
		expect(t, name, end(g, feed), 200, "")
		for _, etag := range []string{"", "*", a.header.Get("ETag")} {
			gone := g.read(addressOf(feed), etag)
			if expect(t, name, gone, 404, "feed_not_found"); gone.header.Get("X-Robots-Tag") != "noindex" || gone.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", name, gone.header)
			}
		}
	}
}

// What comes back gives its feeds back.
func TestAFeedComesBackWithItsList(t *testing.T) {
	g := startTrio(t)
	address := addressOf(g.feed(g.viewer, fmt.Sprintf(`{"as":"todo","list_id":%d}`, g.list)))
	expect(t, "deleting", g.call("DELETE", g.listPath, g.owner.access, ""), 200, "")
	expect(t, "in the trash", g.read(address, ""), 404, "feed_not_found")
	expect(t, "restoring", g.call("POST", g.listPath+"/restore", g.owner.access, ""), 200, "")
	if a := g.read(address, ""); a.status != 200 || !strings.Contains(a.text, "VTODO") {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// A feed opens what it names, and what is like its address opens nothing.
func TestAFeedOpensWhatItNames(t *testing.T) {
	g := startTrio(t)
	g.server.task(g.viewer, "inbox of the viewer")
	g.server.task(g.owner, "inbox of the owner")
	other := g.call("POST", "/lists/", g.viewer.access, `{"name":"other"}`)
	g.call("POST", "/tasks/", g.viewer.access, fmt.Sprintf(`{"title":"in the other","list_id":%d}`, other.id("list.id")))
	g.call("POST", "/tasks/", g.owner.access, fmt.Sprintf(`{"title":"in the shared","list_id":%d}`, g.list))
	for body, want := range map[string][3]bool{
		`{"as":"todo"}`:                                                  {true, true, true},
		`{"as":"todo","list_id":null}`:                                   {true, true, true},
		fmt.Sprintf(`{"as":"todo","list_id":%d}`, g.list):                {false, false, true},
		fmt.Sprintf(`{"as":"todo","list_id":%q}`, other.str("list.uid")): {false, true, false},
	} {
		made := g.feed(g.viewer, body)
		a := g.read(addressOf(made), "")
		got := [3]bool{strings.Contains(a.text, "inbox of the viewer"), strings.Contains(a.text, "in the other"), strings.Contains(a.text, "in the shared")}
		if got != want || strings.Contains(a.text, "inbox of the owner") {
			t.Errorf("%s: %v\n%s", body, got, a.text)
		}
		secret := secretOf(made)
		for _, address := range []string{
			secret[:42], secret + "A", strings.ToUpper(secret), strings.ToLower(secret), secret[1:] + "A", "%0A" + secret, strings.Repeat("A", 43), "1", secret + "%00",
		} {
			expect(t, address, g.read("/feeds/"+address+".ics", ""), 404, "feed_not_found")
		}
		if a := g.with("GET", "/tasks/", "", "Authorization", "Bearer "+secret); a.status != 401 {
			t.Errorf("the secret signs in: %d", a.status)
		}
	}
}

func TestWhatAFeedMayBe(t *testing.T) {
	g := startTrio(t)
	post := func(body string) answer { return g.call("POST", "/feeds/", g.viewer.access, body) }
	for body, field := range map[string]string{
		`{}`: "as", `{"as":null}`: "as", `{"as":"journal"}`: "as", `{"as":1}`: "as", `{"as":"todo","list_id":true}`: "list_id", `{"as":"todo","list_id":[]}`: "list_id",
	} {
		if a := post(body); a.status != 422 || a.str("errors."+field) == "" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	expect(t, "no JSON", post(`{`), 400, "invalid_json")
	expect(t, "no list", post(`{"as":"todo","list_id":4711}`), 404, "list_not_found")
	inbox := g.call("GET", "/lists/", g.owner.access, "").at("lists").([]any)[0].(map[string]any)["id"]
	expect(t, "another's list", post(fmt.Sprintf(`{"as":"todo","list_id":%v}`, inbox)), 404, "list_not_found")
	expect(t, "a wrong page", g.call("GET", "/feeds/?page=0", g.viewer.access, ""), 400, "invalid_pagination")
	expect(t, "a parameter", g.call("DELETE", "/feeds/1?x=1", g.viewer.access, ""), 400, "unknown_parameter")
	expect(t, "a parameter", g.read("/feeds/x.ics?x=1", ""), 400, "unknown_parameter")
	expect(t, "none", g.call("DELETE", "/feeds/4711", g.viewer.access, ""), 404, "feed_not_found")
	expect(t, "no id", g.call("DELETE", "/feeds/x", g.viewer.access, ""), 404, "feed_not_found")
	var last answer
	for range 20 {
		last = g.feed(g.viewer, `{"as":"event"}`)
	}
	expect(t, "one more", post(`{"as":"event"}`), 409, "too_many_feeds")
	reader, _ := g.apiToken(g.viewer, app.ScopeTasksRead, app.ScopeTasksWrite)
	for _, c := range [][2]string{{"GET", "/feeds/"}, {"POST", "/feeds/"}, {"DELETE", fmt.Sprint("/feeds/", last.id("feed.id"))}} {
		expect(t, "without the scope", g.call(c[0], c[1], reader, ""), 403, "insufficient_scope")
		expect(t, "without a token", g.call(c[0], c[1], "", ""), 401, "token_missing")
	}
	expect(t, "revoking", g.call("DELETE", fmt.Sprint("/feeds/", last.id("feed.id")), g.viewer.access, ""), 200, "")
	expect(t, "one instead", post(`{"as":"event"}`), 201, "")
	if a := g.call("POST", addressOf(last), "", ""); a.status != 405 || a.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("POST: %d %s", a.status, a.header.Get("Allow"))
	}
}

// Each feed may be read 60 times an hour, and asked as often as one likes whether it is new.
func TestTheLimitOfAFeed(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	now := func() time.Time { mu.Lock(); defer mu.Unlock(); return noon }
	s := start(t, func(p *parts) { p.api.Limiter = &app.Limiter{Now: now, Max: 1000} })
	ann := s.signUp("ann")
	made := s.feed(ann, `{"as":"todo"}`)
	address, other := addressOf(made), addressOf(s.feed(ann, `{"as":"todo"}`))
	var etag string
	for i := range 60 {
		a := s.read(address, "")
		if etag = a.header.Get("ETag"); a.status != 200 {
			t.Fatalf("%d: %d %s", i, a.status, a.text)
		}
		expect(t, "nothing new", s.read(address, etag), 304, "")
	}
	for range 3 {
		if a := s.read(address, ""); a.status != 429 || a.header.Get("Retry-After") != "60" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %v", a.status, a.header)
		}
	}
	expect(t, "nothing new", s.read(address, etag), 304, "")
	expect(t, "another feed", s.read(other, ""), 200, "")
	if n := strings.Count(s.call("GET", "/users/me/audit", ann.access, "").text, `"rate_limited"`); n != 1 {
		t.Errorf("%d lines in the audit record", n)
	}
	mu.Lock()
	noon = noon.Add(time.Minute)
	mu.Unlock()
	expect(t, "a minute later", s.read(address, ""), 200, "")
	expect(t, "and once more", s.read(address, ""), 429, "too_many_requests")
}

// brokenFeeds fails after some readings, and panics after one more.
type brokenFeeds struct {
	todo.FeedStore
	fine int
}

func (b *brokenFeeds) FeedTasks(ctx context.Context, feed todo.Feed, since time.Time, each func(todo.FeedTask) bool) error {
	switch b.fine--; {
	case b.fine >= 0:
		return b.FeedStore.FeedTasks(ctx, feed, since, each)
	case b.fine == -1:
		return errors.New("broken")
	}
	panic("broken")
}

// What is secret in an address is in no log, no label of the metrics and no file, whatever
// becomes of the request.
func TestTheSecretOfAFeedStaysOne(t *testing.T) {
	var mu sync.Mutex
	var labels []string
	log, store := &lockedBuffer{}, &brokenFeeds{fine: 2}
	s := start(t, func(p *parts) {
		p.api.Log = slog.New(slog.NewTextHandler(io.Writer(log), &slog.HandlerOptions{Level: slog.LevelDebug}))
		p.api.Audit.Log = p.api.Log
		p.api.Base = "/todo"
		store.FeedStore, p.api.Feeds.Store = p.api.Feeds.Store, store
		p.api.OnAnswer = func(method, route string, status int, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			labels = append(labels, fmt.Sprint(method, " ", route, " ", status))
		}
	})
	ann := s.signUp("ann")
	made := s.keyed("POST", "/feeds/", ann.access, "key", `{"as":"todo"}`)
	expect(t, "a feed", made, 201, "")
	secret := secretOf(made)
	address := "/feeds/" + secret + ".ics"
	etag := s.read(address, "").header.Get("ETag")
	expect(t, "nothing new", s.read(address, etag), 304, "")
	if a := s.load("GET", "/todo"+address); a.status != 200 {
		t.Errorf("below the base: %d %s", a.status, a.text)
	}
	for _, odd := range []string{"/", "/more", "?page=1", "%2F", "/../" + secret + ".ics"} {
		s.load("GET", address+odd)
	}
	for _, method := range []string{"PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PROPFIND", "BREW"} {
		s.load(method, address)
	}
	s.load("DELETE", "/feeds/"+secret)
	s.load("GET", "/Feeds/"+secret+".ics")
	s.load("GET", "//feeds/"+secret+".ics")
	s.load("GET", "/tasks/", "Referer", s.url+address)
	s.load("GET", address, "X-Filler", strings.Repeat("x", 20<<10))
	s.load("GET", address, "Host", "elsewhere.example")
	for range 2 { // which fails inside, in two ways
		if a := s.load("GET", address); a.status != 500 {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if all := strings.Join(labels, "\n"); strings.Contains(all, secret) || !strings.Contains(all, "GET /feeds/:secret.ics 200") || !strings.Contains(all, "GET /feeds/:secret.ics 500") {
		t.Errorf("labels:\n%s", all)
	}
	if all := log.String() + s.log.String(); strings.Contains(all, secret) || !strings.Contains(all, "/feeds/:secret.ics") || !strings.Contains(all, "request failed") {
		t.Errorf("log:\n%s", all)
	}
	for where, text := range s.db.Contents(t) {
		if strings.Contains(text, secret) {
			t.Errorf("%s has the secret", where)
		}
	}
}

// A large feed is compressed for those who take that, and its memory is accounted for.
func TestALargeFeed(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for range 30 {
		s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"t","description":%q}`, strings.Repeat("0123456789 ", 800)))
	}
	address := addressOf(s.feed(ann, `{"as":"todo"}`))
	plain := s.with("GET", address, "", "Accept-Encoding", "identity")
	if n := strings.Count(plain.text, "BEGIN:VTODO"); n != 30 || len(plain.text) < 200_000 {
		t.Errorf("%d in %d bytes", n, len(plain.text))
	}
	request, err := http.NewRequest("GET", s.url+address, nil)
	must(t, err)
	request.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	packed, err := io.ReadAll(response.Body)
	must(t, err)
	must(t, response.Body.Close())
	if response.Header.Get("Content-Encoding") != "gzip" || len(packed) > len(plain.text)/10 {
		t.Errorf("%s, %d bytes", response.Header.Get("Content-Encoding"), len(packed))
	}
}
