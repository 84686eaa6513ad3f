package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// ask sends what the contract does not have, too: odd conditions.
func ask(t *testing.T, s *server, method, path, token, body string, header ...string) (int, string, string) {
	t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Add(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	text := readBody(t, response)
	return response.StatusCode, response.Header.Get("ETag"), text
}

// A change with a condition is done to the version that the client knows, or not at
// all; without one it is done.
func TestChangesOfWhatIsKnown(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann").access
	made := s.call("POST", "/tasks/", ann, `{"title":"one"}`)
	first := made.header.Get("ETag")
	if made.status != 201 || first != fmt.Sprintf(`"%s-%d"`, s.db.Lineage(), made.id("task.version")) {
		t.Fatalf("%d %s %s", made.status, first, made.text)
	}
	read := s.call("GET", "/tasks/1", ann, "")
	if read.header.Get("ETag") != first {
		t.Errorf("read as %s", read.header.Get("ETag"))
	}
	for known, want := range map[string]int{first: 304, "W/" + first: 304, `"x", ` + first: 304, "*": 304, `"other"`: 200} {
		if status, _, _ := ask(t, s, "GET", "/tasks/1", ann, "", "If-None-Match", known); status != want {
			t.Errorf("If-None-Match: %s: %d", known, status)
		}
	}
	status, second, text := ask(t, s, "PATCH", "/tasks/1", ann, `{"title":"two"}`, "If-Match", first)
	if status != 200 || second == first || second == "" {
		t.Fatalf("%d %s %s", status, second, text)
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		for _, stale := range []string{first, `"other"`, "W/" + second, strings.Trim(second, `"`), "", `"-2"`, `"0000-2"`} {
			body := `{"title":"three"}`
			if method == "DELETE" {
				body = ""
			}
			status, etag, text := ask(t, s, method, "/tasks/1", ann, body, "If-Match", stale)
			if status != 412 || etag != second || !strings.Contains(text, `"code":"changed_meanwhile"`) || !strings.Contains(text, `"current":{"id":1,"title":"two"`) {
				t.Errorf("%s with %q: %d %s %s", method, stale, status, etag, text)
			}
		}
	}
	// As the contract has it.
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		if a := s.with(method, "/tasks/1", `{"title":"three"}`, "Content-Type", "application/json", "Authorization", "Bearer "+ann, "If-Match", first); a.status != 412 || a.str("current.title") != "two" {
			t.Errorf("%s: %d %s", method, a.status, a.text)
		}
	}
	for _, path := range []string{"/tasks/1", "/openapi.json", "/openapi.yaml"} {
		if a := s.with("GET", path, "", "Authorization", "Bearer "+ann, "If-None-Match", "*"); a.status != 304 || a.header.Get("ETag") == "" {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	// What is wrong by itself, or not one's own, is told first (RFC 9110 section 13.2.1).
	eve := s.signUp("eve").access
	for _, c := range []struct {
		token, path, body string
		want              int
	}{{ann, "/tasks/1", `{"title":7}`, 422}, {eve, "/tasks/1", `{"title":"hers"}`, 404}, {ann, "/tasks/99", `{"title":"t"}`, 404}, {"", "/tasks/1", `{"title":"t"}`, 401}} {
		if status, _, text := ask(t, s, "PATCH", c.path, c.token, c.body, "If-Match", first); status != c.want {
			t.Errorf("%+v: %d %s", c, status, text)
		}
	}
	if status, _, _ := ask(t, s, "PATCH", "/tasks/1", ann, `{"completed":true}`, "If-Match", `"x"`, "If-Match", "*"); status != 200 {
		t.Errorf("any version: %d", status)
	}
	_, last, _ := ask(t, s, "GET", "/tasks/1", ann, "")
	if status, _, _ := ask(t, s, "DELETE", "/tasks/1", ann, "", "If-Match", `"x", `+last); status != 200 {
		t.Errorf("deleted: %d", status)
	}
}

// Of two that change what both know, one does.
func TestOneOfManyChangesWhatAllKnow(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann").access
	etag := s.call("POST", "/tasks/", ann, `{"title":"one"}`).header.Get("ETag")
	var group sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[int]int{}
	for i := range 16 {
		group.Go(func() {
			status, _, _ := ask(t, s, "PATCH", "/tasks/1", ann, fmt.Sprintf(`{"title":"by %d"}`, i), "If-Match", etag)
			mu.Lock()
			defer mu.Unlock()
			outcomes[status]++
		})
	}
	group.Wait()
	if outcomes[200] != 1 || outcomes[412] != 15 {
		t.Error(outcomes)
	}
}

func readBody(t *testing.T, response *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(response.Body)
	must(t, err)
	must(t, response.Body.Close())
	return string(text)
}
