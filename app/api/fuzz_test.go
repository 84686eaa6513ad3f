package api_test

import (
	"encoding/json"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"taskapi/app/api"
)

// FuzzBody: whatever a stranger sends, the parser neither panics nor accepts
// what encoding/json would not, and counts the same members.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"title":"x","completed":true,"user_id":5,"a":[{"b":null}]}`, `null`, `{"a":1,"a":2}`, `{"\ud800":1}`, `{"a":1}x`, `[[[[`, "{\"\xff\":0}", `{"a":1e999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		names := []string{"title", "a", ""}
		members, err := api.Parse(data, names...)
		if err != nil {
			return
		}
		var same map[string]json.RawMessage
		if err := json.Unmarshal(data, &same); err != nil {
			t.Errorf("accepted, but encoding/json says %v", err)
		}
		want := 0
		for _, name := range names {
			if _, there := same[name]; there {
				want++
			}
		}
		if members != want {
			t.Errorf("%d members, encoding/json has %d", members, want)
		}
	})
}

// FuzzID: an id is what a positive number prints as, and nothing else.
func FuzzID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "+1", "01", "9223372036854775807", "9223372036854775808", "1e3", "１", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := api.Positive(text)
		if ok && (id < 1 || strconv.FormatInt(id, 10) != text) {
			t.Errorf("%q was read as %d", text, id)
		}
	})
}

// FuzzRequest: whatever stands in a request's path, query and headers, the
// answer is JSON of the one shape and no server error. It is sent by hand, as
// net/http would refuse to.
func FuzzRequest(f *testing.F) {
	s := start(f)
	p := s.signUp("ann")
	s.task(p, "one")
	for _, seed := range [][3]string{
		{"GET", "/tasks/?page=1&per_page=10", "Bearer " + p.access},
		{"PUT", "/tasks/1", "Bearer " + p.access}, {"DELETE", "/users/99999999999999999999", "bearer " + p.access},
		{"OPTIONS", "/users/1?%zz", "Basic YTpi"}, {"HEAD", "//tasks/%2e%2e/", "Bearer"}, {"PATCH", "/tasks/%00", "Bearer a.b.c"},
		{"BREW", "http://elsewhere/tasks/?page=%ff&page=2", ""}, {"GET", "*", "Bearer " + p.access[:40]},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, target, authorization string) {
		for _, text := range []string{method, target, authorization} {
			if strings.ContainsAny(text, "\r\n") || len(text) > 2000 {
				return // it would be another request
			}
		}
		answer := s.exchange(t, method+" "+target+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: "+authorization+"\r\n\r\n")
		head, body, _ := strings.Cut(answer, "\r\n\r\n")
		status, ok := strings.CutPrefix(head, "HTTP/1.1 ")
		if !ok || status[0] == '5' {
			t.Fatalf("answered %q", answer)
		}
		if body != "" && !json.Valid([]byte(body)) {
			t.Errorf("no JSON: %q", answer)
		}
		if status[0] == '4' && method != "HEAD" && (!strings.Contains(body, `"code":"`) || !strings.Contains(head, "X-Request-Id: ")) {
			t.Errorf("of another shape: %q", answer)
		}
	})
}

// exchange sends bytes over a connection of its own and returns the whole answer.
func (s *server) exchange(t *testing.T, bytes string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	must(t, err)
	defer func() { _ = conn.Close() }()
	must(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	_, err = io.WriteString(conn, bytes)
	must(t, err)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("no answer to %q: %v (so far %q)", bytes, err, answer)
	}
	return string(answer)
}
