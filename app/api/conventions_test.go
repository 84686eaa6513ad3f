package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app/api"
)

func TestRoutesAndMethods(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.task(ann, "t")
	for _, c := range []struct {
		method, path string
		status       int
		code, allow  string
	}{
		{"GET", "/", 200, "", ""},
		{"GET", "/tasks", 200, "", ""}, {"GET", "/tasks/", 200, "", ""}, {"GET", "/tasks/1", 200, "", ""}, {"GET", "/tasks/1/", 200, "", ""},
		{"GET", "/users", 200, "", ""}, {"GET", "/users/1/", 200, "", ""},
		{"HEAD", "/tasks/1", 200, "", ""}, {"HEAD", "/tasks/9", 404, "", ""},
		{"GET", "/nothing", 404, "not_found", ""}, {"GET", "/TASKS/", 404, "not_found", ""}, {"GET", "/tasks/1/2", 404, "not_found", ""},
		{"DELETE", "/tasks/", 405, "method_not_allowed", "GET, HEAD, OPTIONS, POST"},
		{"POST", "/tasks/1", 405, "method_not_allowed", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"},
		{"GET", "/auth/login", 405, "method_not_allowed", "OPTIONS, POST"},
		{"BREW", "/tasks/", 405, "method_not_allowed", "GET, HEAD, OPTIONS, POST"}, {"BREW", "/nothing", 404, "not_found", ""},
		{"OPTIONS", "/tasks/", 204, "", "GET, HEAD, OPTIONS, POST"}, {"OPTIONS", "/nothing", 404, "not_found", ""},
		{"GET", "/tasks/0", 404, "task_not_found", ""}, {"GET", "/tasks/abc", 404, "task_not_found", ""}, {"GET", "/tasks/99999999999999999999", 404, "task_not_found", ""},
		{"GET", "/tasks/-1", 404, "task_not_found", ""}, {"GET", "/tasks/+1", 404, "task_not_found", ""}, {"GET", "/tasks/01", 404, "task_not_found", ""},
		{"GET", "/tasks/1.0", 404, "task_not_found", ""}, {"GET", "/tasks/9223372036854775807", 404, "task_not_found", ""},
		{"GET", "/users/0", 404, "user_not_found", ""}, {"GET", "/users/2", 403, "forbidden", ""},
	} {
		a := s.call(c.method, c.path, ann.access, "")
		if a.status != c.status || a.str("code") != c.code || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d %s Allow %q", c.method, c.path, a.status, a.text, a.header.Get("Allow"))
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: may be cached", c.method, c.path)
		}
	}
}

func TestPagination(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for i := range 25 {
		s.task(ann, fmt.Sprint("task ", i+1))
	}
	for query, want := range map[string]string{
		"":                      `1 10 25 3 true false 10 </tasks/?page=1&per_page=10>; rel="first", </tasks/?page=2&per_page=10>; rel="next", </tasks/?page=3&per_page=10>; rel="last"`,
		"?page=3":               `3 10 25 3 false true 5 </tasks/?page=1&per_page=10>; rel="first", </tasks/?page=2&per_page=10>; rel="prev", </tasks/?page=3&per_page=10>; rel="last"`,
		"?page=2&per_page=5":    `2 5 25 5 true true 5 </tasks/?page=1&per_page=5>; rel="first", </tasks/?page=1&per_page=5>; rel="prev", </tasks/?page=3&per_page=5>; rel="next", </tasks/?page=5&per_page=5>; rel="last"`,
		"?page=99&per_page=100": `99 100 25 1 false true 0 </tasks/?page=1&per_page=100>; rel="first", </tasks/?page=1&per_page=100>; rel="prev", </tasks/?page=1&per_page=100>; rel="last"`,
	} {
		a := s.call("GET", "/tasks/"+query, ann.access, "")
		tasks, _ := a.json["tasks"].([]any)
		got := fmt.Sprint(a.id("pagination.page"), a.id("pagination.per_page"), a.id("pagination.total"), a.id("pagination.pages"),
			" ", a.at("pagination.has_next"), " ", a.at("pagination.has_prev"), " ", len(tasks), " ", a.header.Get("Link"))
		if a.status != 200 || got != want || tasks == nil {
			t.Errorf("%s: %d\n got %s\nwant %s", query, a.status, got, want)
		}
	}
	for _, query := range []string{
		"page=0", "page=-1", "page=abc", "page=", "page=1.5", "page=%2B1", "page=1e3", "page=01", "per_page=0", "per_page=101", "per_page=x",
		"page=" + strings.Repeat("9", 25), "per_page=" + strings.Repeat("9", 25), "page=9223372036854775807&per_page=100", "page=%00",
		"after=-1", "after=", "after=x", "after=00", "after=0&page=1", "after=0&per_page=0", "after=0&per_page=101", "after=9223372036854775808",
	} {
		for _, path := range []string{"/tasks/?", "/users/?"} {
			a := s.call("GET", path+query, ann.access, "")
			if a.status != 400 || a.str("error") != "Invalid pagination parameters" || a.str("code") != "invalid_pagination" {
				t.Errorf("%s%s: %d %s", path, query, a.status, a.text)
			}
		}
	}
}

// A walk by cursor meets every task once, also those that are made meanwhile,
// and is not thrown off by those that go.
func TestWalkByCursor(t *testing.T) {
	s := start(t)
	ann, ben := s.signUp("ann"), s.signUp("ben")
	var ids []int64
	for i := range 9 {
		ids = append(ids, s.task(ann, fmt.Sprint("task ", i+1)))
		s.task(ben, "not ann's")
	}
	next := "/tasks/?after=0&per_page=4"
	var seen []int64
	for step := 0; next != ""; step++ {
		a := s.call("GET", next, ann.access, "")
		for _, task := range a.json["tasks"].([]any) {
			seen = append(seen, int64(task.(map[string]any)["id"].(float64)))
		}
		if step == 0 {
			s.call("DELETE", fmt.Sprint("/tasks/", ids[1]), ann.access, "")
			ids = append(ids, s.task(ann, "made meanwhile"))
		}
		if more := a.at("pagination.has_next") == true; more != (a.at("pagination.next_after") != nil) || a.at("pagination.page") != nil {
			t.Errorf("%s", a.text)
		}
		_, rest, _ := strings.Cut(a.header.Get("Link"), `rel="first", <`)
		next, _, _ = strings.Cut(rest, `>; rel="next"`)
		if a.status != 200 || a.id("pagination.total") != 9 || step > 5 {
			t.Fatalf("%d %s", a.status, a.text)
		}
	}
	if !slices.Equal(seen, ids) {
		t.Errorf("saw %v, want %v", seen, ids)
	}
	if a := s.call("GET", "/tasks/?after=9223372036854775807", ann.access, ""); a.status != 200 || a.at("pagination.has_next") != false {
		t.Errorf("%d %s", a.status, a.text)
	}
	for after, want := range map[int64]int{0: 1, ann.id - 1: 1, ann.id: 0} {
		a := s.call("GET", fmt.Sprint("/users/?after=", after), ann.access, "")
		if users, _ := a.json["users"].([]any); a.status != 200 || len(users) != want {
			t.Errorf("after %d: %d %s", after, a.status, a.text)
		}
	}
}

func (s *server) with(method, path, body string, header ...string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return s.do(request)
}

func TestCORS(t *testing.T) {
	s := start(t)
	a := s.with("OPTIONS", "/tasks/1", "", "Origin", "https://app.example.com", "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization")
	if a.status != 204 || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PATCH") ||
		a.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, MCP-Protocol-Version, Mcp-Method, Mcp-Name" ||
		a.header.Get("Access-Control-Max-Age") == "" || a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("preflight: %d %v", a.status, a.header)
	}
	if a = s.with("GET", "/tasks/", "", "Origin", "https://app.example.com"); a.status != 401 ||
		a.header.Get("Access-Control-Expose-Headers") != "Change, ETag, Idempotency-Replayed, Link, Location, Retry-After, X-Request-Id" {
		t.Errorf("an error: %d %v", a.status, a.header)
	}
}

// Apps have schemes of their own, and browsers write such origins in their own way.
func TestCORSOriginsInAnyCase(t *testing.T) {
	s := start(t, func(p *parts) { p.api.CORSOrigins = []string{"app://app.x", "https://app.example.com"} })
	for origin, want := range map[string]string{"app://App.X": "app://App.X", "https://app.example.com": "https://app.example.com", "https://app.example.com.evil": "", "null": ""} {
		if got := s.load("GET", "/healthz", "Origin", origin).header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: %q", origin, got)
		}
	}
}

// What a client has is not sent again, whichever public file it is.
func TestEveryPublicFileHasATag(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/client.ts", "/client.js", "/docs", "/guide", "/sw.js", "/manifest.webmanifest", "/verify-email"} {
		tag := s.load("GET", path).header.Get("ETag")
		for _, known := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			if a := s.load("GET", path, "If-None-Match", known); tag == "" || a.status != 304 || a.text != "" {
				t.Errorf("%s with %s: %d", path, known, a.status)
			}
		}
		if a := s.load("GET", path, "If-None-Match", `"other"`); a.status != 200 {
			t.Errorf("%s with another: %d", path, a.status)
		}
	}
}

// A preflight says which methods an address has, whichever it asks for, so that
// a browser tells of the method and not of CORS.
func TestPreflightsOfEveryAddress(t *testing.T) {
	s := start(t)
	server, err := api.New(api.Config{})
	must(t, err)
	methods := map[string]map[string]bool{"/docs": {"GET": true, "HEAD": true}, "/static/x/y": {"GET": true, "HEAD": true}}
	for _, route := range server.Routes() {
		path := strings.ReplaceAll(route[1], ":id", "1")
		if methods[path] == nil {
			methods[path] = map[string]bool{}
		}
		methods[path][route[0]] = true
		if route[0] == "GET" {
			methods[path]["HEAD"] = true
		}
	}
	for path, has := range methods {
		has["OPTIONS"] = true
		want := slices.Sorted(maps.Keys(has))
		for _, asked := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", "get", "GET, PUT"} {
			a := s.with("OPTIONS", path, "", "Origin", "https://app.example.com", "Access-Control-Request-Method", asked, "Access-Control-Request-Headers", "authorization, if-match, idempotency-key")
			if a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != strings.Join(want, ", ") || a.header.Get("Access-Control-Allow-Headers") != "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, MCP-Protocol-Version, Mcp-Method, Mcp-Name" {
				t.Errorf("%s for %s: %d %v, want %v", path, asked, a.status, a.header, want)
			}
		}
		if a := s.with("OPTIONS", path, ""); a.status != 204 || a.header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("OPTIONS %s: %d %v", path, a.status, a.header)
		}
	}
	for _, path := range []string{"/nothing", "/tasks//", "/tasks/1/2"} {
		if a := s.with("OPTIONS", path, "", "Access-Control-Request-Method", "GET"); a.status != 404 || a.header.Get("Access-Control-Allow-Methods") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
}

func TestAListOfOriginsIsEchoed(t *testing.T) {
	s := start(t, func(p *parts) { p.api.CORSOrigins = []string{"https://a.example.com", "https://b.example.com"} })
	for origin, want := range map[string]string{"https://b.example.com": "https://b.example.com", "https://evil.example.com": "", "": ""} {
		request, err := http.NewRequest("GET", s.url+"/", nil)
		must(t, err)
		request.Header.Set("Origin", origin)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, response.Body.Close())
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != want || !strings.HasPrefix(response.Header.Get("Vary"), "Origin") {
			t.Errorf("%q: %q, Vary %q", origin, got, response.Header.Get("Vary"))
		}
	}
}

func TestRequestIDs(t *testing.T) {
	s := start(t)
	if a := s.with("GET", "/", "", "X-Request-Id", "my-id-1"); a.header.Get("X-Request-Id") != "my-id-1" {
		t.Errorf("a harmless id was replaced by %q", a.header.Get("X-Request-Id"))
	}
	seen := map[string]bool{}
	for _, id := range []string{"<script>", strings.Repeat("a", 65), "a b", "", "a_b"} {
		got := s.with("GET", "/", "", "X-Request-Id", id).header.Get("X-Request-Id")
		if got == id || len(got) != 24 || seen[got] {
			t.Errorf("%q became %q", id, got)
		}
		seen[got] = true
	}
}

func TestCompression(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	get := func() (http.Header, []byte) {
		request, err := http.NewRequest("GET", s.url+"/tasks/", nil)
		must(t, err)
		request.Header.Set("Authorization", "Bearer "+ann.access)
		request.Header.Set("Accept-Encoding", "gzip")
		response, err := http.DefaultTransport.RoundTrip(request)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		return response.Header, body
	}
	if header, _ := get(); header.Get("Content-Encoding") != "" {
		t.Error("a small answer was packed")
	}
	for range 10 {
		s.task(ann, strings.Repeat("long ", 20))
	}
	header, packed := get()
	if header.Get("Content-Encoding") != "gzip" || !strings.Contains(header.Get("Vary"), "Accept-Encoding") {
		t.Fatalf("not packed: %v", header)
	}
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	must(t, err)
	if text, err := io.ReadAll(reader); err != nil || !strings.Contains(string(text), "long long") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestLimitsOfARequest(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	big := `{"title": "t", "description": "` + strings.Repeat("x", 3<<20) + `"}`
	if a := s.call("POST", "/tasks/", ann.access, big); a.status != 413 || a.str("code") != "body_too_large" {
		t.Errorf("with a length: %d %s", a.status, a.text)
	}
	for path, most := range map[string]int{"/tasks/": 1 << 20, "/auth/login": 16 << 10, "/users/": 16 << 10, "/users": 16 << 10} {
		for _, size := range []int{most, most + 1} {
			body := `{"x": "` + strings.Repeat("x", size-9) + `"}`
			if a := s.call("POST", path, ann.access, body); (a.status == 413) != (size > most) {
				t.Errorf("%d bytes to %s: %d", size, path, a.status)
			}
		}
		request, err := http.NewRequest("POST", s.url+path, io.MultiReader(strings.NewReader(big))) // no length: chunked
		must(t, err)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+ann.access)
		if a := s.do(request); a.status != 413 {
			t.Errorf("in chunks to %s: %d", path, a.status)
		}
	}
	if a := s.with("GET", "/", "", "X-Long", strings.Repeat("x", 20<<10)); a.status != 431 || a.str("code") != "headers_too_large" {
		t.Errorf("headers: %d %s", a.status, a.text)
	}
	if a := s.with("POST", "/auth/login", "x", "Content-Encoding", "gzip", "Content-Type", "application/json"); a.status != 415 || a.str("code") != "unsupported_encoding" {
		t.Errorf("encoded: %d %s", a.status, a.text)
	}
}

func TestBrokenRequestsGetAnAnswer(t *testing.T) {
	s := start(t)
	for _, raw := range []string{
		"GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"POST /tasks/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
		"POST /tasks/ HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
		"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
		"POST /auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;\n\r\nx\r\n0\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = io.WriteString(conn, raw)
		must(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%q: %v", raw, err)
			continue
		}
		text, err := io.ReadAll(response.Body)
		must(t, err)
		must(t, response.Body.Close())
		if response.StatusCode != 400 || !strings.Contains(string(text), `"code":"bad_request"`) || response.Header.Get("X-Request-Id") == "" {
			t.Errorf("%q: %d %s", raw, response.StatusCode, text)
		}
		must(t, conn.Close())
	}
}

// Versions of HTTP that nobody speaks are told so, and end the connection.
func TestVersionsOfHTTP(t *testing.T) {
	s := start(t)
	for version, want := range map[string]int{"HTTP/1.1": 200, "HTTP/1.0": 200, "HTTP/9.9": 505, "HTTP/1.2": 505, "HTTP/0.9": 505, "HTTP/2.0": 505} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		must(t, err)
		must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
		_, err = io.WriteString(conn, "GET / "+version+"\r\nHost: localhost\r\n\r\n")
		must(t, err)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", version, response.StatusCode, want)
		}
		must(t, response.Body.Close())
		must(t, conn.Close())
	}
}

func TestAboutNamesTheServer(t *testing.T) {
	if a := start(t).call("GET", "/", "", ""); a.str("name") != "taskapi" || a.str("version") != "test" {
		t.Errorf("%s", a.text)
	}
}
