package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"taskapi/app/api"
	"taskapi/app/dev"
	"taskapi/app/storetest"
)

// developers is the document of a developer's server, once there was one.
var developers *document

// developing is a developer's server, and its document.
type developing struct {
	*server
	doc *document

	mu     sync.Mutex
	waited []time.Duration
}

// startDev starts a developer's server, whose waits take no time.
func startDev(t *testing.T) *developing {
	t.Helper()
	d := &developing{}
	kept := map[string]string{}
	dir := t.TempDir()
	d.server = start(t, func(p *parts) {
		db := p.users.Store.(*storetest.DB).SQLite(t, "a developer's server goes back to a file")
		mails := &dev.Mailbox{}
		p.api.Dev = &api.Dev{
			Faults: dev.NewFaults(1), Clock: dev.NewClock(p.api.Now, time.Time{}), Mails: mails, People: []api.DevPerson{{ID: 1, Username: "ann", Email: "ann@example.com", Password: testPassword, Role: "user"}},
			Wait: func(wait time.Duration) {
				d.mu.Lock()
				defer d.mu.Unlock()
				d.waited = append(d.waited, wait)
			},
			Snapshot: func(ctx context.Context, name string) error {
				kept[name] = filepath.Join(dir, "kept-"+name)
				return db.Keep(ctx, kept[name])
			},
			Reset: func(ctx context.Context, name string) error {
				if kept[name] == "" {
					return api.ErrNoSnapshot
				}
				defer p.api.Sync.Hub.Anew()
				return db.Rewind(ctx, kept[name])
			},
			Snapshots: func() []string { return []string{"default"} },
			DeleteSnapshots: func(name string) error {
				if name != "" && kept[name] == "" {
					return api.ErrNoSnapshot
				}
				delete(kept, name)
				return nil
			},
		}
		must(t, p.api.Dev.Snapshot(context.Background(), ""))
	})
	text := d.send("GET", "/openapi.yaml", "", "").text
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData([]byte(text))
	must(t, err)
	must(t, doc.Validate(loader.Context))
	router, err := gorillamux.NewRouter(doc)
	must(t, err)
	used := map[string]bool{}
	if developers != nil {
		used = developers.used // by the tests before
	}
	d.doc = &document{doc: doc, router: router, used: used}
	developers = d.doc
	return d
}

// ask makes a request and holds the exchange against the document.
func (d *developing) ask(request *http.Request, body string) answer {
	d.t.Helper()
	response, err := http.DefaultClient.Do(request)
	must(d.t, err)
	text, err := io.ReadAll(response.Body)
	must(d.t, err)
	must(d.t, response.Body.Close())
	a := answer{status: response.StatusCode, header: response.Header, text: string(text)}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		must(d.t, json.Unmarshal(text, &a.json))
	}
	if d.doc != nil {
		d.doc.check(d.t, request, []byte(body), a)
	}
	return a
}

func (d *developing) send(method, path, token, body string) answer {
	d.t.Helper()
	return d.ask(d.request(method, path, token, body), body)
}

// want sends a request and checks the status.
func (d *developing) want(status int, method, path, token, body string) answer {
	d.t.Helper()
	a := d.send(method, path, token, body)
	if a.status != status {
		d.t.Errorf("%s %s %s: %d %s, want %d", method, path, body, a.status, a.text, status)
	}
	return a
}

// in signs Ann up and in.
func (d *developing) in() string {
	d.t.Helper()
	d.want(201, "POST", "/auth/register", "", fmt.Sprintf(`{"username":"ann","email":"ann@example.com","password":%[1]q,"confirm_password":%[1]q}`, testPassword))
	return d.want(200, "POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, testPassword)).str("access_token")
}

// dropped reports whether the connection ended without an answer.
func (d *developing) dropped(request *http.Request) bool {
	d.t.Helper()
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err == nil {
		d.t.Errorf("%s %s answers %d", request.Method, request.URL, response.StatusCode)
		must(d.t, response.Body.Close())
	}
	return err != nil
}

func (d *developing) count(token string) int {
	d.t.Helper()
	items, _ := d.want(200, "GET", "/tasks/", token, "").at("tasks").([]any)
	return len(items)
}

// Only a developer's server has its routes, takes its headers, and lets other origins read with
// credentials.
func TestAServerForPeopleHasNothingForDevelopers(t *testing.T) {
	s := start(t)
	for _, route := range s.api.Routes() {
		if strings.HasPrefix(route[1], "/dev") {
			t.Errorf("%s %s is there", route[0], route[1])
		}
	}
	d := startDev(t)
	for _, route := range d.api.Routes() {
		if strings.HasPrefix(route[1], "/dev") {
			if a := s.call(route[0], strings.NewReplacer(":id", "1", ":name", "x").Replace(route[1]), "", ""); a.status != 404 {
				t.Errorf("%s %s: %d", route[0], route[1], a.status)
			}
		}
	}
	request, err := http.NewRequest("GET", s.url+"/?_status=503&_drop=before&_delay=1s", nil)
	must(t, err)
	request.Header.Set("X-Dev-Status", "503")
	request.Header.Set("X-Dev-Drop", "before")
	request.Header.Set("Origin", "http://localhost:5173")
	if a := s.do(request); a.status != 200 || a.header.Get("Access-Control-Allow-Credentials") != "" || a.header.Get("X-Dev-Fault") != "" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := s.call("GET", "/openapi.json", "", ""); strings.Contains(a.text, "/dev/") || strings.Contains(a.text, "X-Dev") {
		t.Error("the document tells of what is for developers")
	}
}

func TestTheDeveloperRoutesAreDocumented(t *testing.T) {
	d := startDev(t)
	for _, route := range d.api.Routes() {
		item := d.doc.doc.Paths.Value(documentedPath(route[1]))
		if item == nil || item.GetOperation(route[0]) == nil {
			t.Errorf("%s %s is not documented", route[0], route[1])
		}
	}
	for path := range d.doc.doc.Paths.Map() {
		if strings.HasPrefix(path, "/dev") && !slices.ContainsFunc(d.api.Routes(), func(r [2]string) bool { return documentedPath(r[1]) == path }) {
			t.Errorf("%s is documented and not there", path)
		}
	}
	var tree map[string]any
	must(t, json.Unmarshal([]byte(d.want(200, "GET", "/openapi.json", "", "").text), &tree))
}

func TestCORSOfADeveloper(t *testing.T) {
	d := startDev(t)
	for origin, want := range map[string]bool{
		"http://localhost:5173": true, "https://localhost": true, "http://127.0.0.1:3000": true, "http://[::1]:3000": true, "http://app.localhost:8080": true,
		"https://evil.example": false, "http://localhost.evil.example": false, "http://127.0.0.1.evil.example": false, "null": false, "http://localhost:5173/x": false, "file://localhost": false, "http://192.168.0.2:3000": false,
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			request := d.request(method, "/tasks/", "", "")
			request.Header.Set("Origin", origin)
			request.Header.Set("Access-Control-Request-Method", "POST")
			request.Header.Set("X-Dev-Drop", "before")
			if method == "GET" {
				request.Header.Del("X-Dev-Drop")
			}
			a := d.ask(request, "")
			allowed := a.header.Get("Access-Control-Allow-Origin") == origin && a.header.Get("Access-Control-Allow-Credentials") == "true"
			if allowed != want || !want && a.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s %s: %v", method, origin, a.header)
			}
			if method == "OPTIONS" && (a.status != 204 || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "X-Dev-Delay, X-Dev-Status, X-Dev-Drop")) {
				t.Errorf("the preflight: %d %v", a.status, a.header)
			}
		}
	}
}

// A page of elsewhere, which is open in the same browser, makes no trouble.
func TestPagesOfElsewhereCantUseTheDeveloperRoutes(t *testing.T) {
	d := startDev(t)
	for origin, want := range map[string]int{"": 200, "http://localhost:5173": 200, d.url: 200, "https://evil.example": 403, "null": 403} {
		request := d.request("POST", "/dev/reset", "", "")
		request.Header.Set("Origin", origin)
		if a := d.ask(request, ""); a.status != want {
			t.Errorf("%q: %d %s", origin, a.status, a.text)
		}
	}
}

// A page on another port of the machine stays signed in by the cookie; one elsewhere does not.
func TestTheCookieOfADeveloper(t *testing.T) {
	d := startDev(t)
	d.in()
	cookie := d.want(200, "POST", "/auth/login", "", `{"email":"ann@example.com","password":"`+testPassword+`","cookie":true}`).header.Get("Set-Cookie")
	refresh := func(origin, site string) answer {
		request := d.request("POST", "/auth/refresh", "", `{}`)
		request.Header.Set("Cookie", strings.Split(cookie, ";")[0])
		request.Header.Set("Origin", origin)
		request.Header.Set("Sec-Fetch-Site", site)
		a := d.ask(request, `{}`)
		if next := a.header.Get("Set-Cookie"); next != "" {
			cookie = next
		}
		return a
	}
	for _, c := range []struct {
		origin, site string
		want         int
	}{{"https://evil.example", "cross-site", 400}, {"http://localhost.evil.example", "same-site", 400}, {"http://localhost:5173", "same-site", 200}, {"http://localhost:5173", "cross-site", 400}} {
		if a := refresh(c.origin, c.site); a.status != c.want {
			t.Errorf("%s %s: %d %s", c.origin, c.site, a.status, a.text)
		}
	}
}

func TestARequestAsksForTrouble(t *testing.T) {
	d := startDev(t)
	ann := d.in()
	for _, status := range []int{400, 401, 403, 404, 405, 409, 410, 412, 413, 418, 422, 429, 500, 501, 502, 503, 504} {
		request := d.request("GET", fmt.Sprintf("/tasks/?_status=%d", status), ann, "")
		doc := d.doc
		d.doc = nil
		a := d.ask(request, "")
		d.doc = doc
		_, one := a.json["error"].(string)
		_, many := a.json["errors"].(map[string]any)
		if a.status != status || a.str("code") == "" || one == many || a.header.Get("X-Dev-Fault") != "status" {
			t.Errorf("%d: %d %s %v", status, a.status, a.text, a.header)
		}
		if wants := status == 429 || status == 503; wants != (a.header.Get("Retry-After") != "") {
			t.Errorf("%d: Retry-After is %q", status, a.header.Get("Retry-After"))
		}
	}
	request := d.request("POST", "/tasks/", ann, `{"title":"slow"}`)
	request.Header.Set("X-Dev-Delay", "300..900ms")
	if a := d.ask(request, `{"title":"slow"}`); a.status != 201 || a.header.Get("X-Dev-Fault") != "delay" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if len(d.waited) != 1 || d.waited[0] < 300*time.Millisecond || d.waited[0] > 900*time.Millisecond {
		t.Errorf("waited %v", d.waited)
	}
	for i, when := range []string{"before", "after"} {
		request := d.request("POST", "/tasks/", ann, `{"title":"lost"}`)
		request.Header.Set("X-Dev-Drop", when)
		if !d.dropped(request) || d.count(ann) != 1+i {
			t.Errorf("dropped %s the change: there are %d tasks", when, d.count(ann))
		}
	}
	for _, query := range []string{"_delay=1", "_delay=2h", "_status=200", "_status=x", "_drop=maybe"} {
		if a := d.want(400, "GET", "/tasks/?"+query, ann, ""); a.str("code") != "invalid_parameter" {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	// Streams and large answers end as well.
	if !d.dropped(d.request("GET", "/events?_drop=after", ann, "")) {
		t.Error("a stream goes on")
	}
}

func TestFaultsOfRoutes(t *testing.T) {
	d := startDev(t)
	ann := d.in()
	d.want(201, "POST", "/dev/faults", "", `{"route":"POST /tasks/","status":503,"times":2}`)
	second := d.want(201, "POST", "/dev/faults", "", `{"delay":"1s"}`).id("fault.id")
	for range 2 {
		if a := d.raw("POST", "/tasks", `{"title":"x"}`); a.status != 503 || a.header.Get("X-Dev-Fault") != "delay, status" {
			t.Errorf("%d %v", a.status, a.header)
		}
	}
	d.want(201, "POST", "/tasks", ann, `{"title":"x"}`)
	if a := d.want(200, "GET", "/dev/faults", "", ""); !strings.Contains(a.text, `{"id":1,"route":"POST /tasks/","rate":1,"times":2,"status":503,"met":2},{"id":2,"route":"","rate":1,"delay":"1000ms","met":3}`) || len(d.waited) != 3 {
		t.Errorf("%s, waited %v", a.text, d.waited)
	}
	d.want(204, "DELETE", fmt.Sprint("/dev/faults/", second), "", "")
	d.want(404, "DELETE", fmt.Sprint("/dev/faults/", second), "", "")
	d.want(404, "DELETE", "/dev/faults/x", "", "")
	for _, body := range []string{
		`{}`, `{"route":"POST /tasks"}`, `{"route":"POST /task","status":503}`, `{"route":"PUT /tasks","status":503}`, `{"route":5,"status":503}`, `{"route":"/dev/clock","status":503}`,
		`{"status":200}`, `{"status":"x"}`, `{"delay":"1"}`, `{"drop":"now"}`, `{"kind":"flood"}`, `{"status":503,"rate":2}`, `{"status":503,"times":0}`,
		`{"status":503,"rat":0.5}`, `{"status":503.5}`, `{"status":503,"times":1.5}`,
	} {
		d.want(422, "POST", "/dev/faults", "", body)
	}
	d.want(400, "POST", "/dev/faults", "", `[]`)
	for _, route := range []string{"/users/me", "HEAD /tasks/7", "/feeds/{secret}.ics", "PROPFIND /dav/", "/dav/*", "/mcp"} {
		d.want(201, "POST", "/dev/faults", "", `{"status":503,"route":"`+route+`"}`)
	}
	for range 101 {
		d.send("POST", "/dev/faults", "", `{"route":"/lists/*","status":503}`)
	}
	d.want(422, "POST", "/dev/faults", "", `{"status":503}`)
	d.want(204, "DELETE", "/dev/faults", "", "")
	for path, body := range map[string]string{"/dev/clock": `{"advanced":"P1D"}`, "/dev/reset": `{"name":"x"}`, "/dev/snapshot": `{"snapshot":"x"}`} {
		d.want(422, "POST", path, "", body)
	}
	// What a kind does not concern does not use it up.
	d.want(201, "POST", "/dev/faults", "", `{"kind":"expired_token","times":1}`)
	d.want(200, "GET", "/healthz", "", "")
	if a := d.want(401, "GET", "/lists/", ann, ""); a.header.Get("X-Dev-Fault") != "expired_token" {
		t.Errorf("%v", a.header)
	}
	d.want(200, "GET", "/lists/", ann, "")
	d.want(200, "GET", "/dev/users", "", "")
}

func TestKindsOfTrouble(t *testing.T) {
	d := startDev(t)
	ann := d.in()
	for kind, want := range map[string][3]string{ // GET, POST, refresh
		"expired_token": {"401 token_expired", "401 token_expired", "401 refresh_token_invalid"},
		"ended_session": {"401 token_invalid", "401 token_invalid", "401 refresh_token_invalid"},
		"full_disk":     {"200 ", "503 disk_full", "503 disk_full"},
		"read_only":     {"200 ", "500 internal_error", "500 internal_error"},
	} {
		d.want(201, "POST", "/dev/faults", "", `{"kind":"`+kind+`"}`)
		doc := d.doc
		d.doc = nil
		for i, a := range []answer{
			d.send("GET", "/tasks/", ann, ""), d.send("POST", "/tasks/", ann, `{"title":"x"}`), d.send("POST", "/auth/refresh", "", `{"refresh_token":"x"}`),
		} {
			if got := fmt.Sprint(a.status, " ", a.str("code")); got != want[i] {
				t.Errorf("%s, request %d: %s, want %s", kind, i, got, want[i])
			}
		}
		d.doc = doc
		d.want(204, "DELETE", "/dev/faults", "", "")
	}
	if d.count(ann) != 0 {
		t.Error("something was done all the same")
	}
}

func TestTheClockOfADeveloper(t *testing.T) {
	d := startDev(t)
	at := func(a answer) time.Time {
		now, err := time.Parse(time.RFC3339, a.str("now"))
		must(t, err)
		return now
	}
	before := at(d.want(200, "GET", "/dev/clock", "", ""))
	after := at(d.want(200, "POST", "/dev/clock", "", `{"advance":"P2D"}`))
	if passed := after.Sub(before); passed < 48*time.Hour || passed > 49*time.Hour {
		t.Errorf("%s passed", passed)
	}
	if a := d.want(200, "POST", "/dev/clock", "", `{"now":"2030-01-01T00:00:00Z","rate":0}`); a.str("now") != "2030-01-01T00:00:00.000Z" || a.at("rate") != 0.0 {
		t.Error(a.text)
	}
	for _, body := range []string{`{"now":"tomorrow"}`, `{"now":5}`, `{"now":"9999-01-01T00:00:00Z"}`, `{"advance":"1h"}`, `{"advance":1}`, `{"rate":-1}`, `{"rate":"fast"}`, `{"rate":1e300}`, `{"reset":1}`} {
		d.want(422, "POST", "/dev/clock", "", body)
	}
	d.want(400, "POST", "/dev/clock", "", `[]`)
	if a := d.want(200, "POST", "/dev/clock", "", `{"reset":true}`); a.str("now")[:13] != a.str("real")[:13] || a.at("rate") != 1.0 {
		t.Error(a.text)
	}
}

func TestTheMailOfADeveloper(t *testing.T) {
	d := startDev(t)
	mails := d.config.Dev.Mails
	mails.Add(dev.Mail{To: "ann@example.com", Subject: "Hello <b>", Template: "welcome", Text: "See https://tasks.example.com/#verify=a&b. Or\n<script>alert(1)</script>", Sent: time.Now()})
	mails.Add(dev.Mail{To: "ben@example.com", Subject: "Second", Text: "No link.", Sent: time.Now()})
	a := d.want(200, "GET", "/dev/mail?to=ann@example.com", "", "")
	all, _ := a.at("mails").([]any)
	if len(all) != 1 || !strings.Contains(a.text, `"links":["https://tasks.example.com/#verify=a&b"]`) {
		t.Errorf("%s", a.text)
	}
	request := d.request("GET", "/dev/mail", "", "")
	request.Header.Set("Accept", "text/html,*/*")
	page := d.ask(request, "")
	for _, want := range []string{`<a href="https://tasks.example.com/#verify=a&amp;b">`, "Hello &lt;b&gt;", "&lt;script&gt;", "to ben@example.com"} {
		if !strings.Contains(page.text, want) {
			t.Errorf("no %s in %s", want, page.text)
		}
	}
	if strings.Index(page.text, "Second") > strings.Index(page.text, "Hello") || !strings.Contains(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%v %s", page.header, page.text)
	}
	d.want(400, "GET", "/dev/mail?from=x", "", "")
	d.want(204, "DELETE", "/dev/mail", "", "")
	if a := d.want(200, "GET", "/dev/mail", "", ""); !strings.Contains(a.text, `"mails":[]`) {
		t.Error(a.text)
	}
}

// A reset ends what began after the seed; a snapshot brings back what it was made with.
func TestResetAndSnapshot(t *testing.T) {
	d := startDev(t)
	ann := d.in()
	d.want(201, "POST", "/tasks/", ann, `{"title":"kept"}`)
	if a := d.want(201, "POST", "/dev/snapshot", "", ""); a.str("name") != "default" {
		t.Error(a.text)
	}
	d.want(201, "POST", "/dev/snapshot", "", `{"name":"one"}`)
	d.want(200, "GET", "/dev/snapshot", "", "")
	d.want(201, "POST", "/tasks/", ann, `{"title":"gone"}`)
	if n := d.count(ann); n != 2 {
		t.Errorf("%d tasks", n)
	}
	d.want(200, "POST", "/dev/reset", "", `{"snapshot":"one"}`)
	if n := d.count(ann); n != 1 {
		t.Errorf("%d tasks after the snapshot", n)
	}
	d.want(200, "POST", "/dev/reset", "", "")
	d.want(401, "GET", "/tasks/", ann, "")
	d.want(401, "POST", "/auth/login", "", `{"email":"ann@example.com","password":"`+testPassword+`"}`)
	d.want(200, "POST", "/dev/reset", "", `{"snapshot":"default"}`)
	if n := d.count(ann); n != 1 {
		t.Errorf("%d tasks after the other snapshot", n)
	}
	// A stream is told that what it knows counts no more.
	response, err := http.DefaultClient.Do(d.request("GET", "/events", ann, ""))
	must(t, err)
	lines := bufio.NewReader(response.Body)
	for want := "event: ready\n"; want != ""; {
		line, err := lines.ReadString('\n')
		must(t, err)
		if line != want {
			continue
		}
		want = map[string]string{"event: ready\n": "event: resync\n"}[line]
		if want != "" {
			d.want(200, "POST", "/dev/reset", "", `{"snapshot":"one"}`)
		}
	}
	must(t, response.Body.Close())
	d.want(404, "POST", "/dev/reset", "", `{"snapshot":"none"}`)
	d.want(400, "POST", "/dev/reset", "", `{`)
	d.want(400, "POST", "/dev/snapshot", "", `{`)
	d.want(204, "DELETE", "/dev/snapshot/one", "", "")
	d.want(404, "DELETE", "/dev/snapshot/one", "", "")
	d.want(404, "POST", "/dev/reset", "", `{"snapshot":"one"}`)
	d.want(204, "DELETE", "/dev/snapshot", "", "")
	for _, name := range []string{`"../x"`, `""`, `5`, `"` + strings.Repeat("a", 41) + `"`} {
		d.want(422, "POST", "/dev/snapshot", "", `{"name":`+name+`}`)
		d.want(422, "POST", "/dev/reset", "", `{"snapshot":`+name+`}`)
	}
}
