package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"taskapi/app/store"
	"testing"
	"time"
)

// keyed sends a request with an Idempotency-Key.
func (s *server) keyed(method, path, token, key, body string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Idempotency-Key", key)
	return s.do(request)
}

func total(s *server, p person) int64 {
	return s.call("GET", "/tasks/", p.access, "").id("pagination.total")
}

// A request that is sent again does nothing, and gets its first answer byte for byte.
func TestARetryDoesNothingTwice(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	first := s.keyed("POST", "/tasks/", ann.access, `"k-1"`, `{"title":"Milk"}`)
	if first.status != 201 || first.header.Get("Idempotency-Replayed") != "" || first.header.Get("Change") == "" {
		t.Fatalf("%d %s %v", first.status, first.text, first.header)
	}
	task := fmt.Sprint("/tasks/", first.id("task.id"))
	expect(t, "changing it", s.call("PATCH", task, ann.access, `{"title":"Oat milk"}`), 200, "")
	for _, again := range []answer{
		s.keyed("POST", "/tasks/", ann.access, "k-1", `{"title":"Milk"}`),
		s.keyed("POST", "/tasks", ann.access, ` "k-1" `, `{"title":"Milk"}`),
	} {
		if again.status != 201 || again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%d %s %v", again.status, again.text, again.header)
		}
		for _, name := range []string{"ETag", "Location", "Change", "Content-Type"} {
			if again.header.Get(name) != first.header.Get(name) {
				t.Errorf("%s: %q, at first %q", name, again.header.Get(name), first.header.Get(name))
			}
		}
	}
	for what, other := range map[string]answer{
		"another body":   s.keyed("POST", "/tasks/", ann.access, "k-1", `{"title":"Mill"}`),
		"another method": s.keyed("DELETE", task, ann.access, "k-1", ""),
		"another path":   s.keyed("PATCH", task, ann.access, "k-1", `{"title":"Milk"}`),
		"another query":  s.keyed("DELETE", task+"?permanent=true", ann.access, "k-1", ""),
	} {
		expect(t, what, other, 422, "idempotency_key_reused")
	}
	expect(t, "another account", s.keyed("POST", "/tasks/", bob.access, "k-1", `{"title":"Milk"}`), 201, "")
	if n := total(s, ann); n != 1 {
		t.Errorf("%d tasks", n)
	}
}

// What is refused is looked at afresh with the same key.
func TestARefusalIsNotKept(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	expect(t, "no title", s.keyed("POST", "/tasks/", ann.access, "k", `{"title":""}`), 422, "validation_failed")
	expect(t, "mended", s.keyed("POST", "/tasks/", ann.access, "k", `{"title":"t"}`), 201, "")
	task := s.task1(ann)
	expect(t, "changed meanwhile", s.conditional("PATCH", task, ann.access, `{"title":"n"}`, `"x-1"`, "k2"), 412, "changed_meanwhile")
	expect(t, "without the condition", s.keyed("PATCH", task, ann.access, "k2", `{"title":"n"}`), 200, "")
	for _, key := range []string{"", `"`, `"a`, "a b", strings.Repeat("k", 129), "é", "a\tb"} {
		if a := s.keyed("POST", "/tasks/", ann.access, key, `{"title":"t"}`); a.status != 400 || a.str("code") != "bad_idempotency_key" {
			t.Errorf("%q: %d %s", key, a.status, a.text)
		}
	}
	expect(t, "the longest", s.keyed("POST", "/tasks/", ann.access, strings.Repeat("k", 128), `{"title":"t"}`), 201, "")
}

// conditional sends a change with an If-Match and a key.
func (s *server) conditional(method, path, token, body, match, key string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("If-Match", match)
	request.Header.Set("Idempotency-Key", key)
	return s.do(request)
}

// Of requests at once with one key, one does the work.
func TestManyRetriesAtOnce(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	var all sync.WaitGroup
	var mu sync.Mutex
	replayed, texts := 0, map[string]int{}
	for range 64 {
		all.Go(func() {
			a := s.keyed("POST", "/tasks/", ann.access, "one", `{"title":"t"}`)
			mu.Lock()
			defer mu.Unlock()
			texts[fmt.Sprint(a.status, a.text)]++
			if a.header.Get("Idempotency-Replayed") != "" {
				replayed++
			}
		})
	}
	all.Wait()
	if len(texts) != 1 || replayed != 63 || total(s, ann) != 1 {
		t.Errorf("%d replayed, %v", replayed, texts)
	}
}

// Whoever lost access to a list gets no old answer about it, but is told again what they
// removed.
func TestNothingIsReplayedToAStranger(t *testing.T) {
	g := startTrio(t)
	made := g.keyed("POST", "/tasks/", g.editor.access, "make", fmt.Sprintf(`{"title":"t","list_id":%d}`, g.list))
	expect(t, "made", made, 201, "")
	gone := g.keyed("DELETE", fmt.Sprint("/tasks/", g.task), g.editor.access, "gone", "")
	expect(t, "deleted", gone, 200, "")
	leave := g.keyed("DELETE", fmt.Sprint(g.listPath, "/members/", g.editor.id), g.editor.access, "leave", "")
	expect(t, "left", leave, 200, "")
	expect(t, "after leaving", g.keyed("POST", "/tasks/", g.editor.access, "make", fmt.Sprintf(`{"title":"t","list_id":%d}`, g.list)), 404, "task_not_found")
	for key, path := range map[string]string{"gone": fmt.Sprint("/tasks/", g.task), "leave": fmt.Sprint(g.listPath, "/members/", g.editor.id)} {
		if a := g.keyed("DELETE", path, g.editor.access, key, ""); a.status != 200 || a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s: %d %s", key, a.status, a.text)
		}
	}
}

// forgets makes the owner of a list no member any more, whatever has become of it.
func (s *server) forgets(list string, people map[string]person) {
	s.t.Helper()
	owner, editor := people["owner"], people["editor"]
	path := "/lists/" + list
	if s.call("GET", path, owner.access, "").status == 404 {
		expect(s.t, "the list again", s.call("POST", path+"/restore", owner.access, ""), 200, "")
	}
	expect(s.t, "handing over", s.call("PATCH", fmt.Sprint(path, "/members/", editor.id), owner.access, `{"role":"owner"}`), 200, "")
	expect(s.t, "leaving", s.call("DELETE", fmt.Sprint(path, "/members/", owner.id), owner.access, ""), 200, "")
}

// Of every write in a list, whoever is no member any more gets no answer again that shows
// something of it, whether the request changed anything or not; but is told again how a
// request went that shows nothing.
func TestNoWriteIsReplayedToAStranger(t *testing.T) {
	rows := append(matrix(),
		matrixRow{"POST", "/tasks/", `{"title":"t","list_id":LIST,"uid":"0197a0c0-0000-7000-8000-000000000001"}`, everybody{}},
		matrixRow{"PATCH", "/tasks/SHARED", `{}`, everybody{}}, matrixRow{"PATCH", "/tasks/SHARED", `{"reminders":[{"at":"2030-01-02T03:04:05Z"}]}`, everybody{}},
		matrixRow{"PATCH", "/lists/LIST", `{}`, everybody{}}, matrixRow{"PATCH", "/lists/LIST/members/EDITOR", `{"role":"editor"}`, everybody{}},
		matrixRow{"POST", "/tasks/TASK/move", `{"list_id":LIST}`, everybody{}},
		matrixRow{"POST", "/batch", `{"requests":[{"method":"POST","path":"/tasks/","body":{"title":"t"}},{"method":"PATCH","path":"/lists/LIST","body":{"archived":true}}]}`, everybody{}},
		matrixRow{"POST", "/batch", `{"atomic":false,"requests":[{"method":"DELETE","path":"/tasks/999"},{"method":"PATCH","path":"/tasks/SHARED","body":{}}]}`, everybody{}})
	for _, row := range rows {
		if row.method == "GET" || !needsList(row.path+row.body) || strings.Contains(row.body, "OFFER") {
			continue
		}
		s := start(t)
		people := s.everybody(row.path + row.body)
		fill := s.placeholders(row.path+row.body, people)
		owner := people["owner"].access
		if strings.Contains(row.body, `"uid"`) {
			expect(t, "one of the uid", s.call(row.method, row.path, owner, fill.Replace(row.body)), 201, "")
		}
		ask := func() answer {
			return s.keyed(row.method, fill.Replace(row.path), owner, "key", fill.Replace(row.body))
		}
		first := ask()
		if first.status >= 300 {
			t.Fatalf("%s %s: %d %s", row.method, row.path, first.status, first.text)
		}
		if strings.Contains(row.path, "members/EDITOR") && strings.Contains(row.body, "viewer") {
			expect(t, "an editor again", s.call(row.method, fill.Replace(row.path), owner, `{"role":"editor"}`), 200, "")
		}
		s.forgets(fill.Replace("LIST"), people)
		again := ask()
		// A webhook and a feed have the id of their list, and nothing else of it.
		if shows := !strings.HasPrefix(row.path, "/labels") && row.path != "/webhooks/" && row.path != "/feeds/" && row.method != "DELETE"; shows {
			code := map[bool]string{true: "list_not_found", false: "task_not_found"}[strings.HasPrefix(row.path, "/lists")]
			expect(t, row.method+" "+row.path+" "+row.body, again, 404, code)
		} else if again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s %s: %d %s", row.method, row.path, again.status, again.text)
		}
	}
}

// Nor is an undo: of a task, or of a list.
func TestNoUndoIsReplayedToAStranger(t *testing.T) {
	g := startTrio(t)
	undo := func(p person, change, key string) answer {
		return g.keyed("POST", "/undo", p.access, key, fmt.Sprintf(`{"change":%s}`, change))
	}
	task := g.call("PATCH", g.taskPath, g.editor.access, `{"title":"n"}`).header.Get("Change")
	list := g.call("PATCH", g.listPath, g.owner.access, `{"name":"n"}`).header.Get("Change")
	expect(t, "a task", undo(g.editor, task, "task"), 200, "")
	expect(t, "a list", undo(g.owner, list, "list"), 200, "")
	expect(t, "handing over", g.call("PATCH", fmt.Sprint(g.listPath, "/members/", g.viewer.id), g.owner.access, `{"role":"owner"}`), 200, "")
	for _, p := range []person{g.editor, g.owner} {
		expect(t, "leaving", g.call("DELETE", fmt.Sprint(g.listPath, "/members/", p.id), p.access, ""), 200, "")
	}
	expect(t, "a task", undo(g.editor, task, "task"), 404, "task_not_found")
	expect(t, "a list", undo(g.owner, list, "list"), 404, "task_not_found")
}

// What was accepted is not told again to whoever has left since.
func TestNoInvitationIsAcceptedAgainByAReplay(t *testing.T) {
	g := startTrio(t)
	guest := g.signUp("guest")
	body := fmt.Sprintf(`{"token":%q}`, g.invite(g.list, g.owner, "viewer"))
	expect(t, "accepting", g.keyed("POST", "/invitations/accept", guest.access, "key", body), 200, "")
	expect(t, "leaving", g.call("DELETE", fmt.Sprint(g.listPath, "/members/", guest.id), guest.access, ""), 200, "")
	expect(t, "again", g.keyed("POST", "/invitations/accept", guest.access, "key", body), 404, "list_not_found")
}

// takesNoKey reports whether a write below other addresses than /auth and /users takes no key: a
// ticket is new each time, what is sent to a receiver takes its time, and a message of an
// assistant has the key of a call inside.
func takesNoKey(path string) bool {
	return path == "/events/tickets" || path == "/mcp" || strings.HasSuffix(path, "/test") || strings.HasSuffix(path, "/redeliver")
}

// An If-Match that is empty matches nothing, in a batch as well.
func TestABatchWithAnEmptyIfMatch(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	task := s.task(ann, "t")
	a := s.call("POST", "/batch", ann.access, fmt.Sprintf(`{"requests":[{"method":"PATCH","path":"/tasks/%d","body":{"title":"x"},"if_match":""}]}`, task))
	if a.status != 409 || a.at("response.status") != float64(412) {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// Every write that takes a key gives its first answer again.
func TestEveryWriteTakesAKey(t *testing.T) {
	for _, row := range matrix() {
		if row.method == "GET" || strings.HasPrefix(row.path, "/auth") || strings.HasPrefix(row.path, "/users") || takesNoKey(row.path) || row.want.owner >= 400 {
			continue
		}
		s := start(t)
		people := s.everybody(row.path + row.body)
		fill := s.placeholders(row.path+row.body, people)
		first := s.keyed(row.method, fill.Replace(row.path), people["owner"].access, "key", fill.Replace(row.body))
		again := s.keyed(row.method, fill.Replace(row.path), people["owner"].access, "key", fill.Replace(row.body))
		if first.status >= 300 || again.status != first.status || again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s %s: %d %s, then %d %s", row.method, row.path, first.status, first.text, again.status, again.text)
		}
		other := s.keyed(row.method, fill.Replace(row.path)+"?_=1", people["owner"].access, "key", fill.Replace(row.body))
		expect(t, row.method+" "+row.path, other, 422, "idempotency_key_reused")
	}
}

// An answer is kept for a day, and then dropped.
func TestAnswersAreDropped(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.clock.freeze()
	first := s.keyed("POST", "/tasks/", ann.access, "k", `{"title":"t"}`)
	s.clock.advance(23 * time.Hour)
	_, err := s.db.Housekeep(t.Context(), store.Keep{Events: time.Hour, Changes: 90 * 24 * time.Hour, Session: 7 * 24 * time.Hour})
	must(t, err)
	ann = s.login("ann")
	if a := s.keyed("POST", "/tasks/", ann.access, "k", `{"title":"t"}`); a.text != first.text {
		t.Errorf("after 23 h: %s", a.text)
	}
	s.clock.advance(2 * time.Hour)
	_, err = s.db.Housekeep(t.Context(), store.Keep{Events: time.Hour, Changes: 90 * 24 * time.Hour, Session: 7 * 24 * time.Hour})
	must(t, err)
	ann = s.login("ann")
	if a := s.keyed("POST", "/tasks/", ann.access, "k", `{"title":"t"}`); a.status != 201 || a.text == first.text {
		t.Errorf("after 25 h: %d %s", a.status, a.text)
	}
}

// batchOf makes the body of a batch.
func batchOf(atomic bool, requests ...map[string]any) string {
	text, err := json.Marshal(map[string]any{"atomic": atomic, "requests": requests})
	if err != nil {
		panic(err)
	}
	return string(text)
}

func asked(method, path string, body any) map[string]any {
	one := map[string]any{"method": method, "path": path}
	if body != nil {
		one["body"] = body
	}
	return one
}

// A batch makes what needs what it has made before, and all of it is one group in the log.
func TestABatchIsOneChange(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	list, task := "0197a0c0-0000-7000-8000-000000000001", "0197a0c0-0000-7000-8000-000000000002"
	body := batchOf(true, asked("POST", "/lists/", map[string]any{"uid": list, "name": "Trip"}),
		asked("POST", "/tasks/", map[string]any{"uid": task, "title": "Tickets", "list_id": list}),
		asked("PUT", "/tasks/"+task, map[string]any{"title": "Two tickets"}),
		asked("PATCH", "/tasks/"+task, map[string]any{"completed": true}),
		asked("DELETE", "/tasks/"+task, nil))
	a := s.keyed("POST", "/batch", ann.access, "b", body)
	responses, _ := a.at("responses").([]any)
	if a.status != 200 || len(responses) != 5 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	for i, want := range []float64{201, 201, 200, 200, 200} {
		if one := responses[i].(map[string]any); one["status"] != want || one["change"] == nil || i == 0 && fmt.Sprint(one["change"]) != a.header.Get("Change") {
			t.Errorf("request %d: %v", i+1, one)
		}
	}
	if again := s.keyed("POST", "/batch", ann.access, "b", body); again.text != a.text {
		t.Errorf("again: %s", again.text)
	}
	if n := s.call("GET", "/lists/", ann.access, "").id("pagination.total"); n != 2 {
		t.Errorf("%d lists", n)
	}
	if n := s.call("GET", "/tasks/?trash=true", ann.access, "").id("pagination.total"); n != 1 {
		t.Errorf("%d in the trash", n)
	}
}

// A batch of which one request fails does nothing, or all the others.
func TestABatchThatFails(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, bad := range []map[string]any{
		asked("PATCH", "/tasks/999", map[string]any{"title": "t"}), asked("POST", "/tasks/", map[string]any{"title": ""}), asked("DELETE", "/tasks/999", nil),
		asked("POST", "/batch", nil), asked("POST", "/auth/logout-all", nil), asked("DELETE", "/trash", nil),
		asked("POST", "/tasks/?x=1", map[string]any{"title": "t"}), asked("PUT", "/lists/1/members/1", nil), asked("POST", "/tasks/", 5),
	} {
		good := asked("POST", "/tasks/", map[string]any{"title": "t"})
		for at, requests := range [][]map[string]any{{bad, good, good}, {good, bad, good}, {good, good, bad}} {
			before := total(s, ann)
			a := s.call("POST", "/batch", ann.access, batchOf(true, requests...))
			if a.status != 409 || a.str("code") != "batch_failed" || a.id("failed") != int64(at) || total(s, ann) != before {
				t.Errorf("%v at %d: %d %s, %d tasks of %d", bad, at, a.status, a.text, total(s, ann), before)
			}
			a = s.call("POST", "/batch", ann.access, batchOf(false, requests...))
			if responses, _ := a.at("responses").([]any); a.status != 200 || len(responses) != 3 || total(s, ann) != before+2 {
				t.Errorf("%v at %d, one by one: %d %s", bad, at, a.status, a.text)
			}
		}
	}
	many := make([]map[string]any, 101)
	for i := range many {
		many[i] = asked("POST", "/tasks/", map[string]any{"title": "t"})
	}
	for what, body := range map[string]string{"none": batchOf(true), "too many": batchOf(true, many...), "no array": `{"requests":5}`, "another field": `{"requests":[],"request":[]}`,
		"a read": batchOf(true, asked("GET", "/tasks/", nil)), "no method": batchOf(true, asked("", "/tasks/", nil)), "small letters": batchOf(true, asked("post", "/tasks/", nil)),
		"another server": batchOf(true, asked("POST", "http://a.example/tasks/", nil)), "no path": batchOf(true, asked("POST", "", nil)), "two slashes": batchOf(true, asked("POST", "//tasks/", nil))} {
		expect(t, what, s.call("POST", "/batch", ann.access, body), 422, "validation_failed")
	}
	expect(t, "no JSON", s.call("POST", "/batch", ann.access, `{"requests":`), 400, "invalid_json")
	expect(t, "the most", s.call("POST", "/batch", ann.access, batchOf(true, many[:100]...)), 200, "")
}
