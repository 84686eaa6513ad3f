package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// uid returns a UUID of version 7 that ends in a number.
func uid(n int) string { return fmt.Sprintf("0197f3c1-7a10-7c3e-9b1d-%012d", n) }

func TestATaskIsMadeOnceByItsUID(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	body := fmt.Sprintf(`{"title":"one","uid":%q}`, uid(1))
	first := s.call("POST", "/tasks/", ann.access, body)
	if first.status != 201 || first.str("task.uid") != uid(1) || first.header.Get("Location") != fmt.Sprint("/tasks/", first.id("task.id")) {
		t.Fatalf("%d %s", first.status, first.text)
	}
	// The task as it is, whatever else the request says.
	for _, again := range []string{body, fmt.Sprintf(`{"title":"two","uid":%q}`, strings.ToUpper(uid(1)))} {
		a := s.call("POST", "/tasks/", ann.access, again)
		if a.status != 200 || a.str("message") != "Task already exists." || a.str("task.title") != "one" || a.id("task.version") != first.id("task.version") || a.header.Get("ETag") != first.header.Get("ETag") {
			t.Errorf("%s: %d %s", again, a.status, a.text)
		}
	}
	if a := s.when(ann, "POST", "/tasks/", body, "If-None-Match", "*"); a.status != 412 || a.str("current.title") != "one" || a.header.Get("ETag") != first.header.Get("ETag") {
		t.Errorf("only if there is none: %d %s", a.status, a.text)
	}
	expect(t, "only if there is none", s.when(ann, "POST", "/tasks/", fmt.Sprintf(`{"title":"x","uid":%q}`, uid(2)), "If-None-Match", "*"), 201, "")
	list := fmt.Sprintf(`{"name":"l","uid":%q}`, uid(1))
	expect(t, "a list, only if there is none", s.when(ann, "POST", "/lists/", list, "If-None-Match", "*"), 201, "")
	if a := s.when(ann, "POST", "/lists/", list, "If-None-Match", "*"); a.status != 412 || a.str("current.name") != "l" {
		t.Errorf("a list, only if there is none: %d %s", a.status, a.text)
	}
	for _, wrong := range []string{`""`, `"x"`, `7`, `true`, `"` + uid(1) + `0"`, `"{` + uid(1) + `}"`, `"0197f3c17a107c3e9b1d000000000001"`} {
		if a := s.call("POST", "/tasks/", ann.access, `{"title":"x","uid":`+wrong+`}`); a.status != 422 || a.str("errors.uid") == "" {
			t.Errorf("%s: %d %s", wrong, a.status, a.text)
		}
	}
	// A uid is for creation alone.
	if a := s.call("PATCH", fmt.Sprint("/tasks/", first.id("task.id")), ann.access, fmt.Sprintf(`{"uid":%q}`, uid(9))); a.status != 200 || a.str("task.uid") != uid(1) {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestRequestsForOneUIDAtOnceMakeOneThing(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for i := range 5 {
		for _, c := range [][2]string{{"/tasks/", "title"}, {"/lists/", "name"}} {
			got := atOnce(16, func(n int) answer {
				return s.call("POST", c[0], ann.access, fmt.Sprintf(`{%q:"by %d","uid":%q}`, c[1], n, uid(i)))
			})
			if got[201] != 1 || got[200] != 15 {
				t.Errorf("%s: %v", c[0], got)
			}
		}
	}
	if a := s.call("GET", "/tasks/", ann.access, ""); a.id("pagination.total") != 5 {
		t.Errorf("%s", a.text)
	}
}

// An offline client must not bring back what was deleted elsewhere.
func TestAUIDInTheTrash(t *testing.T) {
	g := startTrio(t)
	for _, c := range []struct{ path, name, kind string }{{"/tasks/", `"title":"x"`, "task"}, {"/lists/", `"name":"x"`, "list"}} {
		body := fmt.Sprintf(`{%s,"uid":%q}`, c.name, uid(1))
		made := g.call("POST", c.path, g.owner.access, body)
		path := c.path + fmt.Sprint(made.id(c.kind+".id"))
		expect(t, "deleting", g.call("DELETE", path, g.owner.access, ""), 200, "")
		for _, with := range []string{uid(1), strings.ToUpper(uid(1))} {
			a := g.call("POST", c.path, g.owner.access, fmt.Sprintf(`{%s,"uid":%q}`, c.name, with))
			if a.status != 409 || a.str("code") != "in_trash" || a.id("id") != made.id(c.kind+".id") {
				t.Errorf("%s: %d %s", c.kind, a.status, a.text)
			}
		}
		expect(t, "by its uid", g.call("POST", c.path+uid(1)+"/restore", g.owner.access, ""), 200, "")
		if a := g.call("POST", c.path, g.owner.access, body); a.status != 200 || a.id(c.kind+".id") != made.id(c.kind+".id") {
			t.Errorf("%s: %d %s", c.kind, a.status, a.text)
		}
		// So it is with one that the server derived.
		derived := g.call("POST", c.path, g.owner.access, `{`+c.name+`}`)
		path = c.path + fmt.Sprint(derived.id(c.kind+".id"))
		expect(t, "deleting", g.call("DELETE", path, g.owner.access, ""), 200, "")
		a := g.call("POST", c.path, g.owner.access, fmt.Sprintf(`{%s,"uid":%q}`, c.name, derived.str(c.kind+".uid")))
		if a.status != 409 || a.str("code") != "in_trash" || a.id("id") != derived.id(c.kind+".id") {
			t.Errorf("%s: %d %s", c.kind, a.status, a.text)
		}
	}
	expect(t, "for good", g.call("DELETE", "/tasks/"+uid(1)+"?permanent=true", g.owner.access, ""), 200, "")
	expect(t, "again after that", g.call("POST", "/tasks/", g.owner.access, fmt.Sprintf(`{"title":"x","uid":%q}`, uid(1))), 201, "")
	// In a list that is in the trash, a task is there with it.
	g.newTask(g.owner, fmt.Sprintf(`"list_id":%d,"uid":%q`, g.list, uid(3)))
	expect(t, "a list", g.call("DELETE", g.listPath, g.owner.access, ""), 200, "")
	expect(t, "a task in it", g.call("POST", "/tasks/", g.owner.access, fmt.Sprintf(`{"title":"x","uid":%q}`, uid(3))), 409, "in_trash")
}

func TestOneUIDOfDifferentPeople(t *testing.T) {
	g := startTrio(t)
	body := func(list int64) string { return fmt.Sprintf(`{"title":"x","uid":%q,"list_id":%d}`, uid(1), list) }
	shared := g.call("POST", "/tasks/", g.owner.access, body(g.list))
	// Who sees the task gets it; in a list of one's own the uid is another.
	if a := g.call("POST", "/tasks/", g.editor.access, body(g.list)); a.status != 200 || a.id("task.id") != shared.id("task.id") {
		t.Errorf("a member: %d %s", a.status, a.text)
	}
	expect(t, "a viewer", g.call("POST", "/tasks/", g.viewer.access, body(g.list)), 403, "read_only_list")
	eve := g.signUp("eve")
	hers := g.call("POST", "/tasks/", eve.access, fmt.Sprintf(`{"title":"hers","uid":%q}`, uid(1)))
	his := g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"his","uid":%q}`, uid(1)))
	expect(t, "a stranger's own", hers, 201, "")
	expect(t, "a member's own", his, 201, "")
	// One's own come first, then the lowest id.
	for p, want := range map[person]int64{g.owner: shared.id("task.id"), g.viewer: shared.id("task.id"), eve: hers.id("task.id"), g.editor: his.id("task.id")} {
		if a := g.call("GET", "/tasks/"+uid(1), p.access, ""); a.id("id") != want {
			t.Errorf("%s: %d %s", p.email, a.status, a.text)
		}
	}
	// A uid of the same owner that one may not see is in use, alive or in the trash.
	private := g.newTask(g.owner, fmt.Sprintf(`"uid":%q`, uid(2)))
	for _, where := range []string{"alive", "in the trash"} {
		for _, with := range []string{uid(2), g.derived(t, private)} {
			a := g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"x","uid":%q,"list_id":%d}`, with, g.list))
			if a.status != 409 || a.str("code") != "uid_taken" || a.at("id") != nil {
				t.Errorf("%s, %s: %d %s", with, where, a.status, a.text)
			}
		}
		expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", private.id("task.id")), g.owner.access, ""), map[bool]int{true: 200, false: 404}[where == "alive"], map[bool]string{false: "task_not_found"}[where == "alive"])
	}
}

// derived makes another task beside one, for the uid that the server derives, and does with
// it what is done to the first.
func (g trio) derived(t *testing.T, beside answer) string {
	t.Helper()
	a := g.newTask(g.owner, `"description":"derived"`)
	if g.call("GET", fmt.Sprint("/tasks/", beside.id("task.id")), g.owner.access, "").status == 404 {
		expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", a.id("task.id")), g.owner.access, ""), 200, "")
	}
	return a.str("task.uid")
}

func TestAUIDThatTheServerDerivedIsSentBack(t *testing.T) {
	g := startTrio(t)
	for _, c := range []struct{ path, name, kind string }{{"/tasks/", `"title":"x"`, "task"}, {"/lists/", `"name":"x"`, "list"}} {
		made := g.call("POST", c.path, g.owner.access, `{`+c.name+`}`)
		body := fmt.Sprintf(`{%s,"uid":%q}`, c.name, made.str(c.kind+".uid"))
		if a := g.call("POST", c.path, g.owner.access, body); a.status != 200 || a.id(c.kind+".id") != made.id(c.kind+".id") || !strings.HasSuffix(a.str("message"), " already exists.") {
			t.Errorf("%s: %d %s", c.kind, a.status, a.text)
		}
		expect(t, "by a stranger", g.call("POST", c.path, g.editor.access, body), 409, "uid_taken")
		if a := g.call("GET", c.path+made.str(c.kind+".uid"), g.owner.access, ""); a.id("id") != made.id(c.kind+".id") {
			t.Errorf("%s: %d %s", c.kind, a.status, a.text)
		}
		other := map[string]string{"task": "/lists/", "list": "/tasks/"}[c.kind]
		if a := g.call("GET", other+made.str(c.kind+".uid"), g.owner.access, ""); a.status != 404 {
			t.Errorf("as the other kind: %d %s", a.status, a.text)
		}
	}
	shared := g.call("GET", g.taskPath, g.editor.access, "").str("uid")
	if a := g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"x","uid":%q,"list_id":%d}`, shared, g.list)); a.status != 200 || a.id("task.id") != g.task {
		t.Errorf("by a member: %d %s", a.status, a.text)
	}
}

// An offline client replays what it queued, with no table of temporary ids.
func TestWhatAnOfflineClientQueued(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	list, other, one, two, three := uid(1), uid(2), uid(3), uid(4), strings.ToUpper("0197f3c1-7a10-7c3e-9b1d-abcdefabcdef")
	queue := []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/lists/", `{"name":"l","uid":"` + list + `"}`, 201}, {"POST", "/lists/", `{"name":"m","uid":"` + other + `"}`, 201},
		{"POST", "/tasks/", `{"title":"1","uid":"` + one + `","list_id":"` + list + `"}`, 201}, {"POST", "/tasks/", `{"title":"2","uid":"` + two + `","parent_id":"` + one + `"}`, 201},
		{"POST", "/tasks/", `{"title":"3","uid":"` + three + `","list_id":"` + list + `"}`, 201}, {"PATCH", "/tasks/" + one, `{"title":"1!"}`, 200},
		{"PUT", "/tasks/" + three, `{"parent_id":"` + one + `"}`, 200}, {"POST", "/tasks/" + three + "/move", `{"after_id":"` + two + `"}`, 200},
		{"POST", "/tasks/" + three + "/move", `{"before_id":"` + two + `","parent_id":"` + one + `","list_id":"` + list + `"}`, 200}, {"GET", "/tasks/" + two, "", 200},
		{"GET", "/tasks/?list_id=" + list, "", 200}, {"GET", "/tasks/?parent_id=" + one, "", 200}, {"PATCH", "/tasks/" + one, `{"list_id":"` + other + `"}`, 200},
		{"POST", "/lists/" + other + "/move", `{"before_id":"` + list + `"}`, 200}, {"PATCH", "/lists/" + list, `{"name":"l!"}`, 200}, {"GET", "/lists/" + list, "", 200},
		{"GET", "/lists/" + list + "/members", "", 200}, {"POST", "/lists/" + list + "/invitations", `{"role":"viewer"}`, 201}, {"GET", "/lists/" + list + "/invitations", "", 200},
		{"DELETE", "/tasks/" + two, "", 200}, {"POST", "/tasks/" + two + "/restore", "", 200}, {"DELETE", "/tasks/" + two + "?permanent=true", "", 200},
		{"GET", "/tasks/" + two, "", 404}, {"DELETE", "/lists/" + other, "", 200}, {"GET", "/tasks/" + one, "", 404}, {"POST", "/lists/" + other + "/restore", "", 200},
		{"DELETE", "/lists/" + strings.ToUpper(list), "", 200}, {"GET", "/tasks/?list_id=" + list, "", 404}, {"GET", "/tasks/?trash=true&list_id=" + other, "", 200},
	}
	for _, c := range queue {
		if a := s.call(c.method, c.path, ann.access, c.body); a.status != c.status {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, a.status, a.text)
		}
	}
	a := s.call("GET", "/tasks/"+three, ann.access, "")
	if a.str("title") != "3" || a.id("parent_id") != s.call("GET", "/tasks/"+one, ann.access, "").id("id") || a.id("list_id") != s.call("GET", "/lists/"+other, ann.access, "").id("id") {
		t.Errorf("%d %s", a.status, a.text)
	}
	for _, body := range []string{`{"list_id":"` + uid(9) + `"}`, `{"parent_id":"` + uid(9) + `"}`} {
		if a := s.call("PATCH", "/tasks/"+three, ann.access, body); a.status != 404 {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	for _, body := range []string{`{"list_id":0}`, `{"list_id":true}`, `{"parent_id":-1}`, `{"parent_id":""}`, `{"list_id":1.5}`} {
		expect(t, body, s.call("PATCH", "/tasks/"+three, ann.access, body), 422, "validation_failed")
	}
}

// Where two owners have one uid, a task that changes its owner still goes and comes.
func TestAUIDOfBothOwners(t *testing.T) {
	g := startTrio(t)
	target := g.shareWith(g.editor, g.owner)
	body := func(n int, list int64) string { return fmt.Sprintf(`"uid":%q,"list_id":%d`, uid(n), list) }
	for n := range 4 {
		g.newTask(g.editor, fmt.Sprintf(`"uid":%q`, uid(n)))
	}
	moved, patched := g.newTask(g.owner, body(0, g.list)).id("task.id"), g.newTask(g.owner, body(1, g.list)).id("task.id")
	given, trashed := g.newTask(g.owner, body(2, g.list)).id("task.id"), g.newTask(g.owner, body(3, g.list)).id("task.id")
	into := fmt.Sprintf(`{"list_id":%d}`, target)
	if a := g.call("POST", fmt.Sprintf("/tasks/%d/move", moved), g.owner.access, into); a.status != 200 || a.id("task.list_id") != target {
		t.Errorf("moved: %d %s", a.status, a.text)
	}
	if a := g.call("PATCH", fmt.Sprint("/tasks/", patched), g.owner.access, into); a.status != 200 || a.id("task.list_id") != target {
		t.Errorf("changed: %d %s", a.status, a.text)
	}
	expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", trashed), g.owner.access, ""), 200, "")
	expect(t, "handing over", g.call("PATCH", g.member(g.editor), g.owner.access, `{"role":"owner"}`), 200, "")
	for _, id := range []int64{moved, patched, given} {
		if a := g.call("GET", fmt.Sprint("/tasks/", id), g.editor.access, ""); a.status != 200 || a.id("user_id") != g.editor.id {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if a := g.call("POST", fmt.Sprintf("/tasks/%d/restore", trashed), g.owner.access, ""); a.status != 200 || a.id("task.id") != trashed {
		t.Errorf("restored: %d %s", a.status, a.text)
	}
	if a := g.call("GET", "/tasks/"+uid(2), g.editor.access, ""); a.id("id") == given {
		t.Errorf("the new owner's own is not first: %s", a.text)
	}
}

// So it is with lists, when one is handed over whose uid the new owner has used.
func TestAListUIDOfBothOwners(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	body := fmt.Sprintf(`{"name":"l","uid":%q}`, uid(1))
	list := s.call("POST", "/lists/", ann.access, body).id("list.id")
	own := s.call("POST", "/lists/", bob.access, body).id("list.id")
	for _, trashed := range []bool{false, true} {
		if trashed { // the list keeps its uid, and what comes back gets another
			list = s.call("POST", "/lists/", ann.access, body).id("list.id")
			expect(t, "deleting", s.call("DELETE", fmt.Sprint("/lists/", own), bob.access, ""), 200, "")
		}
		s.join(list, ann, bob, "editor")
		path := fmt.Sprint("/lists/", list)
		expect(t, "handing over", s.call("PATCH", fmt.Sprintf("%s/members/%d", path, bob.id), ann.access, `{"role":"owner"}`), 200, "")
		expect(t, "it is bob's", s.call("GET", path, bob.access, ""), 200, "")
		expect(t, "it goes", s.call("DELETE", path, bob.access, ""), 200, "")
		expect(t, "it comes back", s.call("POST", path+"/restore", bob.access, ""), 200, "")
	}
	expect(t, "bob's own comes back", s.call("POST", fmt.Sprintf("/lists/%d/restore", own), bob.access, ""), 200, "")
	if lists := rows(s.call("GET", "/lists/", bob.access, ""), "lists"); len(lists) != 4 {
		t.Errorf("%d lists", len(lists))
	}
}
