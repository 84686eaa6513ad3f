package api_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// expect fails the test unless an answer has a status and, if it is an error, a code.
func expect(t testing.TB, what string, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.str("code") != code {
		t.Errorf("%s: %d %s, want %d %s", what, a.status, a.text, status, code)
	}
}

// newList makes a list of a person's.
func (s *server) newList(p person, name string) int64 {
	s.t.Helper()
	a := s.call("POST", "/lists/", p.access, fmt.Sprintf(`{"name":%q}`, name))
	expect(s.t, "making a list", a, 201, "")
	return a.id("list.id")
}

// newTask makes a task with more fields than a title: the inside of a JSON object.
func (s *server) newTask(p person, fields string) answer {
	s.t.Helper()
	a := s.call("POST", "/tasks/", p.access, `{"title":"t",`+fields+`}`)
	expect(s.t, "making a task", a, 201, "")
	return a
}

// inbox returns the id of a person's Inbox.
func (s *server) inbox(p person) int64 {
	s.t.Helper()
	return rows(s.call("GET", "/lists/?archived=all", p.access, ""), "lists")[0].id("id")
}

// rows returns the objects in an array of an answer.
func rows(a answer, name string) (all []answer) {
	items, _ := a.json[name].([]any)
	for _, item := range items {
		object, _ := item.(map[string]any)
		all = append(all, answer{json: object})
	}
	return all
}

// texts returns one field of the objects in an array of an answer.
func texts(a answer, name, field string) (all []string) {
	for _, row := range rows(a, name) {
		all = append(all, fmt.Sprint(row.at(field)))
	}
	return all
}

func TestEveryAccountHasOneInbox(t *testing.T) {
	s := start(t)
	admin, ann := s.admin(), s.signUp("ann")
	s.call("POST", "/users/", admin.access, fmt.Sprintf(`{"username":"bob","email":"bob@example.com","password":%q,"confirm_password":%q}`, testPassword, testPassword))
	s.newList(ann, "first")
	for _, p := range []person{admin, ann, s.login("bob")} {
		lists := rows(s.call("GET", "/lists/?archived=all", p.access, ""), "lists")
		inboxes := 0
		for _, list := range lists {
			if list.at("inbox") == true {
				inboxes++
			}
		}
		if inboxes != 1 || lists[0].at("inbox") != true || lists[0].str("role") != "owner" || lists[0].str("name") != "Inbox" {
			t.Errorf("%s has %d", p.email, inboxes)
		}
	}
}

func TestTheInboxIsFixed(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	inbox := fmt.Sprint("/lists/", s.inbox(ann))
	for what, c := range map[string][3]string{
		"delete":    {"DELETE", "", ""},
		"archive":   {"PATCH", "", `{"archived":true}`},
		"put away":  {"PUT", "", `{"archived":true}`},
		"move":      {"POST", "/move", `{}`},
		"leave":     {"DELETE", fmt.Sprint("/members/", ann.id), ""},
		"share":     {"POST", "/invitations", `{"role":"viewer"}`},
		"hand over": {"PATCH", fmt.Sprint("/members/", bob.id), `{"role":"owner"}`},
	} {
		expect(t, what, s.call(c[0], inbox+c[1], ann.access, c[2]), 409, "inbox_fixed")
	}
	// What is sent back as it was read changes nothing, and a color hurts nobody.
	for _, body := range []string{`{"name":"Inbox","archived":false}`, `{"color":"#112233"}`, `{}`} {
		expect(t, body, s.call("PATCH", inbox, ann.access, body), 200, "")
	}
	if s.newTask(ann, `"list_id":null`).id("task.list_id") != s.inbox(ann) {
		t.Error("a task without a list is not in the Inbox")
	}
}

func TestFieldsOfAList(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	long := strings.Repeat("ä", 100)
	made := s.call("POST", "/lists/", ann.access, `{"name":"  `+long[:len(long)-8]+`  ","color":"#2E7D32"}`)
	if made.status != 201 || made.str("list.name") != long[:len(long)-8] || made.str("list.color") != "#2e7d32" || made.header.Get("Location") != fmt.Sprint("/lists/", made.id("list.id")) ||
		made.id("list.members") != 1 || made.id("list.owner_id") != ann.id || made.at("list.archived") != false {
		t.Errorf("%d %s", made.status, made.text)
	}
	path := fmt.Sprint("/lists/", made.id("list.id"))
	for body, field := range map[string]string{
		`{"name":""}`: "name", `{"name":" "}`: "name", `{"name":"` + long + `x"}`: "name", `{"name":"a\nb"}`: "name", `{"name":7}`: "name",
		`{"color":"red"}`: "color", `{"color":"#12345"}`: "color", `{"color":7}`: "color", `{"archived":"yes"}`: "archived",
	} {
		for _, method := range []string{"PUT", "PATCH"} {
			if a := s.call(method, path, ann.access, body); a.status != 422 || a.str("errors."+field) == "" {
				t.Errorf("%s %s: %d %s", method, body, a.status, a.text)
			}
		}
		if field != "archived" {
			if a := s.call("POST", "/lists/", ann.access, body); a.status != 422 || a.str("errors."+field) == "" {
				t.Errorf("POST %s: %d %s", body, a.status, a.text)
			}
		}
	}
	expect(t, "as long as may be", s.call("PATCH", path, ann.access, `{"name":"`+long+`"}`), 200, "")
	for _, body := range []string{`{}`, `{"name":null}`} {
		expect(t, body, s.call("POST", "/lists/", ann.access, body), 422, "validation_failed")
	}
	changed := s.call("PUT", path, ann.access, `{"name":"n"}`)
	if changed.str("list.name") != "n" || changed.str("list.color") != "#2e7d32" || changed.id("list.version") <= made.id("list.version") {
		t.Errorf("only the name: %s", changed.text)
	}
	if a := s.call("PATCH", path, ann.access, `{"color":null}`); a.at("list.color") != nil || a.str("list.name") != "n" {
		t.Errorf("no color: %s", a.text)
	}
	if a := s.call("PATCH", path, ann.access, `{"name":"n"}`); a.id("list.version") != s.call("GET", path, ann.access, "").id("version") {
		t.Errorf("the same again: %s", a.text)
	}
}

func TestListsAreInTheOrderOfTheirReader(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	id := map[string]int64{}
	for _, name := range []string{"a", "b", "c", "d"} {
		id[name] = s.newList(ann, name)
		s.join(id[name], ann, bob, "viewer")
	}
	foreign := s.newList(bob, "e")
	uid := s.call("GET", fmt.Sprint("/lists/", id["c"]), ann.access, "").str("uid")
	for _, c := range []struct {
		list, body, want string
		status           int
	}{
		{"c", "", "Inbox c a b d", 200},
		{"a", fmt.Sprintf(`{"after_id":%d}`, id["d"]), "Inbox c b d a", 200},
		{"d", fmt.Sprintf(`{"before_id":%q}`, uid), "Inbox d c b a", 200},
		{"b", fmt.Sprintf(`{"before_id":%d,"after_id":%d}`, id["a"], id["c"]), "Inbox d c b a", 422},
		{"b", fmt.Sprintf(`{"before_id":%d}`, foreign), "Inbox d c b a", 422},
		{"b", fmt.Sprintf(`{"before_id":%d}`, id["b"]), "Inbox d c b a", 422},
		{"b", fmt.Sprintf(`{"after_id":%d}`, s.inbox(ann)), "Inbox d c b a", 422},
		{"b", `{"after_id":true}`, "Inbox d c b a", 422},
	} {
		a := s.call("POST", fmt.Sprintf("/lists/%d/move", id[c.list]), ann.access, c.body)
		order := strings.Join(texts(s.call("GET", "/lists/", ann.access, ""), "lists", "name"), " ")
		if a.status != c.status || order != c.want {
			t.Errorf("%s %s: %d %s: %s", c.list, c.body, a.status, a.text, order)
		}
	}
	if order := strings.Join(texts(s.call("GET", "/lists/", bob.access, ""), "lists", "name"), " "); order != "Inbox a b c d e" {
		t.Errorf("bob's order: %s", order)
	}
	if a := s.call("GET", "/lists/?per_page=2&page=2", ann.access, ""); strings.Join(texts(a, "lists", "name"), " ") != "c b" || a.id("pagination.total") != 5 {
		t.Errorf("the second page: %s", a.text)
	}
}

func TestArchivingIsEachMembersOwn(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	list := s.newList(ann, "shared")
	s.join(list, ann, bob, "viewer")
	s.newTask(ann, fmt.Sprintf(`"list_id":%d`, list))
	expect(t, "archiving", s.call("PATCH", fmt.Sprint("/lists/", list), bob.access, `{"archived":true}`), 200, "")
	for _, c := range []struct {
		p          person
		path, want string
	}{
		{bob, "/lists/", "Inbox"}, {bob, "/lists/?archived=false", "Inbox"}, {bob, "/lists/?archived=true", "shared"}, {bob, "/lists/?archived=all", "Inbox shared"},
		{ann, "/lists/", "Inbox shared"}, {ann, "/lists/?archived=true", ""},
	} {
		if got := strings.Join(texts(s.call("GET", c.path, c.p.access, ""), "lists", "name"), " "); got != c.want {
			t.Errorf("%s %s: %s", c.p.email, c.path, got)
		}
	}
	expect(t, "maybe", s.call("GET", "/lists/?archived=maybe", ann.access, ""), 400, "invalid_parameter")
	for p, want := range map[person]int{ann: 1, bob: 0} {
		if got := len(rows(s.call("GET", "/tasks/?scope=all", p.access, ""), "tasks")); got != want {
			t.Errorf("%s sees %d tasks", p.email, got)
		}
	}
	if s.call("GET", fmt.Sprint("/lists/", list), ann.access, "").at("archived") != false {
		t.Error("it is archived for its owner, too")
	}
	expect(t, "taking it back", s.call("PATCH", fmt.Sprint("/lists/", list), bob.access, `{"archived":false}`), 200, "")
	if got := len(rows(s.call("GET", "/tasks/?scope=all", bob.access, ""), "tasks")); got != 1 {
		t.Errorf("%d tasks", got)
	}
}

// when asks with a condition.
func (s *server) when(p person, method, path, body, header, value string) answer {
	s.t.Helper()
	return s.with(method, path, body, "Authorization", "Bearer "+p.access, "Content-Type", "application/json", header, value)
}

func TestChangesOfAListThatIsKnown(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	list := s.newList(ann, "one")
	s.join(list, ann, bob, "editor")
	path := fmt.Sprint("/lists/", list)
	tag := func(p person) string { return s.call("GET", path, p.access, "").header.Get("ETag") }
	first, his := tag(ann), tag(bob)
	expect(t, "as it is known", s.when(ann, "GET", path, "", "If-None-Match", first), 304, "")
	s.newTask(ann, fmt.Sprintf(`"list_id":%d`, list))
	expect(t, "with a task more", s.when(ann, "GET", path, "", "If-None-Match", first), 200, "")
	// What is counted is no change of the list.
	expect(t, "a change", s.when(ann, "PATCH", path, `{"name":"two"}`, "If-Match", first), 200, "")
	for _, c := range [][2]string{{"PUT", `{"name":"three"}`}, {"PATCH", `{"color":null}`}, {"PATCH", `{"archived":true}`}, {"DELETE", ""}, {"POST", "move"}} {
		at, body := path, c[1]
		if c[1] == "move" {
			at, body = path+"/move", `{}`
		}
		for _, stale := range []string{first, `"other"`, "W/" + tag(ann), `"0000-1"`} {
			a := s.when(ann, c[0], at, body, "If-Match", stale)
			if a.status != 412 || a.str("code") != "changed_meanwhile" || a.str("current.name") != "two" || a.header.Get("ETag") != tag(ann) {
				t.Errorf("%v with %s: %d %s", c, stale, a.status, a.text)
			}
		}
	}
	now := tag(bob)
	expect(t, "bob's own part", s.when(bob, "PATCH", path, `{"archived":true}`, "If-Match", now), 200, "")
	if tag(bob) == now || tag(bob) == his {
		t.Error("bob's own part is not in his tag")
	}
	// What is not one's own, or wrong, is told first.
	expect(t, "a member", s.when(bob, "DELETE", path, "", "If-Match", first), 403, "not_list_owner")
	expect(t, "a stranger", s.when(s.signUp("eve"), "DELETE", path, "", "If-Match", first), 404, "list_not_found")
	expect(t, "a wrong field", s.when(ann, "PATCH", path, `{"name":7}`, "If-Match", first), 422, "validation_failed")
	expect(t, "any version", s.when(ann, "PATCH", path, `{"name":"four"}`, "If-Match", "*"), 200, "")
	expect(t, "the newest", s.when(ann, "DELETE", path, "", "If-Match", tag(ann)), 200, "")
}

// asCaller is a person for the store, where HTTP would be too slow.
func asCaller(t testing.TB, p person) app.Caller {
	return app.Caller{UserID: p.id, Role: app.RoleUser, SessionID: sessionOf(t, p)}
}

// fillLists gives a person lists until there are as many of their own, the Inbox included.
func (s *server) fillLists(p person, until int) (last int64) {
	s.t.Helper()
	ctx := context.Background()
	for range until - int(s.call("GET", "/lists/?archived=all", p.access, "").id("pagination.total")) {
		list, err := s.db.CreateList(ctx, asCaller(s.t, p), todo.NewList{Name: "n", CreatedAt: time.Now()})
		must(s.t, err)
		last = list.ID
	}
	return last
}

func TestAsManyListsAsAnAccountMayOwn(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	last := s.fillLists(ann, todo.MaxOwnLists-1)
	got := atOnce(2, func(int) answer { return s.call("POST", "/lists/", ann.access, `{"name":"n"}`) })
	if got[201] != 1 || got[409] != 1 {
		t.Errorf("two for one place: %v", got)
	}
	expect(t, "one more", s.call("POST", "/lists/", ann.access, `{"name":"n"}`), 409, "too_many_lists")
	// What is deleted makes room; while that is taken, it stays in the trash.
	expect(t, "deleting", s.call("DELETE", fmt.Sprint("/lists/", last), ann.access, ""), 200, "")
	s.newList(ann, "in its place")
	restore := fmt.Sprintf("/lists/%d/restore", last)
	expect(t, "restoring", s.call("POST", restore, ann.access, ""), 409, "too_many_lists")
	gift := s.newList(bob, "a gift")
	s.join(gift, bob, ann, "editor") // those of others are counted by themselves
	expect(t, "a gift", s.call("PATCH", fmt.Sprintf("/lists/%d/members/%d", gift, ann.id), bob.access, `{"role":"owner"}`), 409, "too_many_lists")
	if owner := s.call("GET", fmt.Sprint("/lists/", gift), ann.access, "").id("owner_id"); owner != bob.id {
		t.Errorf("the gift is owned by %d", owner)
	}
	expect(t, "making room", s.call("DELETE", fmt.Sprint("/lists/", last-1), ann.access, ""), 200, "")
	expect(t, "restoring with room", s.call("POST", restore, ann.access, ""), 200, "")
}

// documented calls each operation of the document whose path begins in one of some ways.
func documented(t *testing.T, call func(method, path string, withBody bool)) {
	t.Helper()
	d, err := loadDocument()
	must(t, err)
	for _, path := range slices.Sorted(maps.Keys(d.doc.Paths.Map())) {
		if !regexp.MustCompile(`^/(lists|invitations|tasks|trash|labels)`).MatchString(path) {
			continue
		}
		for method, operation := range d.doc.Paths.Value(path).Operations() {
			call(method, regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "1"), operation.RequestBody != nil)
		}
	}
}

// Whatever is asked of lists and tasks, it needs somebody, a scope, known parameters and JSON.
func TestWhatEveryOperationNeeds(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.task(ann, "t")
	raw := map[app.Scope]string{}
	for _, scope := range []app.Scope{app.ScopeAccount, app.ScopeTasksRead, app.ScopeTasksWrite} {
		raw[scope], _ = s.apiToken(ann, scope)
	}
	documented(t, func(method, path string, withBody bool) {
		where := method + " " + path
		expect(t, where, s.call(method, path, "", ""), 401, "token_missing")
		expect(t, where, s.call(method, path+"?nope=1", ann.access, ""), 400, "unknown_parameter")
		if withBody {
			expect(t, where, s.with(method, path, `{"a":`, "Content-Type", "application/json", "Authorization", "Bearer "+ann.access), 400, "invalid_json")
		}
		needs := app.ScopeTasksWrite
		sharing := strings.Contains(path, "invitations") || strings.Contains(path, "members/")
		switch {
		case sharing:
			needs = app.ScopeAccount
		case method == "GET":
			needs = app.ScopeTasksRead
		}
		for scope, token := range raw {
			a := s.call(method, path+"?nope=1", token, "")
			if want := map[bool]int{true: 400, false: 403}[scope == needs]; a.status != want {
				t.Errorf("%s with %s: %d %s", where, scope, a.status, a.text)
			}
		}
	})
}
