package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// page asks for what is new since a cursor.
func (s *server) page(p person, query string) answer {
	s.t.Helper()
	return s.call("GET", "/sync?"+query, p.access, "")
}

// names are the titles of the tasks of a page.
func names(a answer) string {
	var all []string
	tasks, _ := a.at("tasks").([]any)
	for _, task := range tasks {
		all = append(all, fmt.Sprint(task.(map[string]any)["title"]))
	}
	return fmt.Sprint(all)
}

// A copy begins with everything, and goes on with what is new.
func TestSyncOverHTTP(t *testing.T) {
	g := startTrio(t)
	g.newTask(g.owner, `"labels":["hers"]`)
	first := g.page(g.editor, "")
	if first.status != 200 || first.at("full") != true || names(first) != "[t]" || first.at("user") == nil || first.at("more") != false {
		t.Fatalf("%d %s", first.status, first.text)
	}
	since := "since=" + first.str("cursor")
	quiet := g.page(g.editor, since)
	if quiet.str("cursor") != first.str("cursor") || names(quiet) != "[]" {
		t.Errorf("%s", quiet.text)
	}
	if a := g.when(g.editor, "GET", "/sync?"+since, "", "If-None-Match", quiet.header.Get("ETag")); a.status != http.StatusNotModified || a.text != "" {
		t.Errorf("%d %s", a.status, a.text)
	}
	g.call("PATCH", fmt.Sprint("/tasks/", g.task), g.owner.access, `{"title":"milk"}`)
	if a := g.when(g.editor, "GET", "/sync?"+since, "", "If-None-Match", quiet.header.Get("ETag")); a.status != 200 || names(a) != "[milk]" {
		t.Errorf("%d %s", a.status, a.text)
	}
	g.call("PATCH", fmt.Sprint("/users/", g.editor.id), g.editor.access, `{"time_zone":"Europe/Madrid"}`)
	g.call("DELETE", fmt.Sprint("/tasks/", g.task), g.owner.access, "")
	a := g.page(g.editor, since)
	if a.str("user.time_zone") != "Europe/Madrid" || names(a) != "[]" || fmt.Sprint(a.at("deleted")) == "[]" {
		t.Errorf("%s", a.text)
	}
	g.call("DELETE", fmt.Sprint(g.listPath, "/members/", g.editor.id), g.owner.access, "")
	a = g.page(g.editor, "since="+a.str("cursor"))
	gone, _ := a.at("deleted").([]any)
	if len(gone) != 1 || gone[0].(map[string]any)["kind"] != "list" || gone[0].(map[string]any)["id"] != float64(g.list) {
		t.Errorf("%s", a.text)
	}
}

// Whose a task is, and what a member is called, is news to everybody who sees it.
func TestSyncTellsOfNamesAndOwners(t *testing.T) {
	g := startTrio(t)
	since := "since=" + g.page(g.viewer, "").str("cursor")
	before := g.call("GET", g.taskPath, g.viewer.access, "")
	g.call("PATCH", "/users/me", g.editor.access, `{"username":"renamed"}`)
	if a := g.page(g.viewer, since); !strings.Contains(a.text, `"username":"renamed"`) {
		t.Errorf("a name: %s", a.text)
	}
	expect(t, "hand over", g.call("PATCH", g.member(g.editor), g.owner.access, `{"role":"owner"}`), 200, "")
	after := g.when(g.viewer, "GET", g.taskPath, "", "If-None-Match", before.header.Get("ETag"))
	if after.status != 200 || after.id("task.user_id")+after.id("user_id") != g.editor.id {
		t.Errorf("%d %s", after.status, after.text)
	}
	a := g.page(g.viewer, since)
	tasks, _ := a.at("tasks").([]any)
	if len(tasks) != 1 || tasks[0].(map[string]any)["user_id"] != float64(g.editor.id) {
		t.Errorf("an owner: %s", a.text)
	}
}

// What is wrong with the parameters of a page is said.
func TestSyncRefusals(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	cursor := s.page(ann, "").str("cursor")
	for query, want := range map[string]string{
		"since=":                       "400 invalid_parameter",
		"since=x":                      "400 invalid_parameter",
		"since=" + cursor + "x":        "400 invalid_parameter",
		"since=" + cursor + "a1_0_x_1": "400 invalid_parameter",
		"since=" + cursor + "a1_0":     "400 invalid_parameter",
		"since=zzzzzz-1":               "410 sync_expired",
		"since=" + cursor + "999999":   "410 sync_expired",
		"limit=0":                      "400 invalid_parameter",
		"limit=1001":                   "400 invalid_parameter",
		"completed=some":               "400 invalid_parameter",
		"include=trash":                "400 invalid_parameter",
		"page=1":                       "400 unknown_parameter",
	} {
		if a := s.page(ann, query); fmt.Sprint(a.status, " ", a.str("code")) != want {
			t.Errorf("%s: %d %s, want %s", query, a.status, a.text, want)
		}
	}
}

// What was completed long ago, and copies, come when they are asked for.
func TestSyncOfWhatIsDone(t *testing.T) {
	s := start(t)
	s.clock.freeze()
	ann := s.signUp("ann")
	s.call("POST", "/tasks/", ann.access, `{"title":"old","completed":true}`)
	s.clock.advance(91 * 24 * 3600e9)
	ann = s.login("ann")
	s.call("POST", "/tasks/", ann.access, `{"title":"new","completed":true}`)
	repeating := s.call("POST", "/tasks/", ann.access, `{"title":"daily","due":"2026-01-01","recurrence":"FREQ=DAILY"}`)
	s.call("PATCH", fmt.Sprint("/tasks/", repeating.id("task.id")), ann.access, `{"completed":true}`)
	for query, want := range map[string]string{"": "[daily new]", "completed=all": "[daily new old]", "include=copies": "[daily new daily]"} {
		if a := s.page(ann, query); names(a) != want {
			t.Errorf("%s: %s, want %s", query, names(a), want)
		}
	}
}

// A copy is told of every list that has another place, also where there is no room left
// between two.
func TestSyncTellsOfTheOrderOfLists(t *testing.T) {
	g := startTrio(t)
	ids := make([]int64, 4)
	for i := range ids {
		ids[i] = int64(g.call("POST", "/lists/", g.owner.access, fmt.Sprintf(`{"name":"list %d"}`, i)).at("list.id").(float64))
	}
	cursor, copied := "", map[float64]float64{}
	catchUp := func() {
		t.Helper()
		page := g.page(g.owner, cursor)
		cursor = "since=" + page.str("cursor")
		for _, list := range page.at("lists").([]any) {
			list := list.(map[string]any)
			copied[list["id"].(float64)] = list["position"].(float64)
		}
	}
	catchUp()
	for n := range 24 { // more than there is room for between two
		a := g.call("POST", fmt.Sprintf("/lists/%d/move", ids[1+n%3]), g.owner.access, fmt.Sprintf(`{"after_id":%d}`, ids[0]))
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.text)
		}
		catchUp()
		last := -1.0
		for i, list := range g.call("GET", "/lists/?per_page=100", g.owner.access, "").at("lists").([]any) {
			id := list.(map[string]any)["id"].(float64)
			if i > 0 && copied[id] <= last || copied[id] != list.(map[string]any)["position"] {
				t.Fatalf("after %d moves the copy has list %v at %v, the server at %v, behind %v", n+1, id, copied[id], list.(map[string]any)["position"], last)
			}
			last = copied[id]
		}
	}
}
