package api_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
)

// owners fails the test unless a list has exactly one owner, to whom all its tasks belong,
// and returns it.
func (s *server) owners(list int64, reader person) int64 {
	s.t.Helper()
	a := s.call("GET", fmt.Sprintf("/lists/%d/members?per_page=100", list), reader.access, "")
	var owners []int64
	for _, member := range rows(a, "members") {
		if member.str("role") == "owner" {
			owners = append(owners, member.id("user_id"))
		}
	}
	owner := s.call("GET", fmt.Sprint("/lists/", list), reader.access, "").id("owner_id")
	if len(owners) != 1 || owners[0] != owner {
		s.t.Errorf("list %d is owned by %d and %v", list, owner, owners)
	}
	for _, task := range rows(s.call("GET", fmt.Sprintf("/tasks/?per_page=100&list_id=%d", list), reader.access, ""), "tasks") {
		if task.id("user_id") != owner {
			s.t.Errorf("a task of list %d, which is %d's, is %d's", list, owner, task.id("user_id"))
		}
	}
	return owner
}

func TestAHandOver(t *testing.T) {
	g := startTrio(t)
	token := g.invite(g.list, g.owner, "viewer")
	trashed := g.newTask(g.editor, fmt.Sprintf(`"list_id":%d`, g.list)).id("task.id")
	expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", trashed), g.editor.access, ""), 200, "")
	expect(t, "assigned", g.call("PATCH", g.taskPath, g.owner.access, fmt.Sprintf(`{"assignee_id":%d}`, g.viewer.id)), 200, "")
	for _, body := range []string{`{}`, `{"role":null}`, `{"role":7}`, `{"role":"king"}`, `{"role":"none"}`, `{"role":"Owner"}`} {
		expect(t, body, g.call("PATCH", g.member(g.viewer), g.owner.access, body), 422, "validation_failed")
	}
	for _, path := range []string{"/members/999", "/members/0", "/members/x"} {
		expect(t, path, g.call("PATCH", g.listPath+path, g.owner.access, `{"role":"owner"}`), 404, "member_not_found")
		expect(t, path, g.call("DELETE", g.listPath+path, g.owner.access, ""), 404, "member_not_found")
	}
	expect(t, "by an editor", g.call("PATCH", g.member(g.editor), g.editor.access, `{"role":"owner"}`), 403, "not_list_owner")
	a := g.call("PATCH", g.member(g.viewer), g.owner.access, `{"role":"owner"}`)
	if a.status != 200 || a.str("member.role") != "owner" || g.owners(g.list, g.editor) != g.viewer.id {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := g.call("GET", g.listPath, g.owner.access, ""); a.str("role") != "editor" {
		t.Errorf("who was the owner: %s", a.text)
	}
	if a := g.call("GET", g.taskPath, g.owner.access, ""); a.id("user_id") != g.viewer.id || a.id("created_by") != g.owner.id || a.id("assignee_id") != g.viewer.id {
		t.Errorf("a task: %s", a.text)
	}
	expect(t, "an invitation of who was the owner", g.accept(g.signUp("guest"), token), 404, "invitation_not_found")
	expect(t, "who was the owner", g.call("DELETE", g.listPath, g.owner.access, ""), 403, "not_list_owner")
	if got := texts(g.call("GET", "/tasks/?trash=true", g.viewer.access, ""), "tasks", "id"); !slices.Equal(got, []string{fmt.Sprint(trashed)}) {
		t.Errorf("the trash of the new owner: %v", got)
	}
	if n := g.call("DELETE", "/trash", g.owner.access, "").id("deleted"); n != 0 {
		t.Errorf("who was the owner emptied %d", n)
	}
	if mine := rows(g.call("GET", "/tasks/", g.viewer.access, ""), "tasks"); len(mine) != 1 {
		t.Errorf("the new owner has %d tasks", len(mine))
	}
}

// Whoever hands over or removes whom at once, there is always exactly one owner.
func TestHandOversAtOnceLeaveOneOwner(t *testing.T) {
	g := startTrio(t)
	people := map[int64]person{g.owner.id: g.owner, g.editor.id: g.editor, g.viewer.id: g.viewer}
	for range 10 {
		owner := people[g.owners(g.list, g.editor)]
		got := atOnce(4, func(i int) answer {
			to := []person{g.owner, g.editor, g.viewer, owner}[i]
			return g.call("PATCH", g.member(to), owner.access, `{"role":"owner"}`)
		})
		if got[200] < 1 || got[200]+got[403] != 4 {
			t.Errorf("%v", got)
		}
	}
	for range 10 {
		owner := people[g.owners(g.list, g.editor)]
		heir := g.viewer
		if owner == heir {
			heir = g.owner
		}
		got := atOnce(2, func(i int) answer {
			if i == 0 {
				return g.call("PATCH", g.member(heir), owner.access, `{"role":"owner"}`)
			}
			return g.call("DELETE", g.member(heir), owner.access, "")
		})
		if got[200] != 1 || got[403]+got[404] != 1 {
			t.Errorf("%v", got)
		}
		if now := people[g.owners(g.list, g.editor)]; now != heir && now != owner {
			t.Errorf("it is %s's", now.email)
		} else if now == owner {
			g.join(g.list, owner, heir, "editor")
		}
	}
	owner := people[g.owners(g.list, g.editor)]
	got := atOnce(2, func(i int) answer {
		if i == 0 {
			return g.call("DELETE", "/users/me", owner.access, "")
		}
		return g.call("PATCH", g.member(g.editor), owner.access, `{"role":"owner"}`)
	})
	if g.owners(g.list, g.editor); got[200] < 1 {
		t.Errorf("%v", got)
	}
}

func TestRolesAreChangedAndKept(t *testing.T) {
	g := startTrio(t)
	task := fmt.Sprintf(`{"title":"x","list_id":%d}`, g.list)
	expect(t, "lowering", g.call("PATCH", g.member(g.editor), g.owner.access, `{"role":"viewer"}`), 200, "")
	expect(t, "lowered", g.call("POST", "/tasks/", g.editor.access, task), 403, "read_only_list")
	expect(t, "raising", g.call("PATCH", g.member(g.viewer), g.owner.access, `{"role":"editor"}`), 200, "")
	expect(t, "raised", g.call("POST", "/tasks/", g.viewer.access, task), 201, "")
	for p, want := range map[person]string{g.editor: "viewer", g.viewer: "editor", g.owner: "owner"} {
		if got := g.call("GET", g.listPath, p.access, "").str("role"); got != want {
			t.Errorf("%s is %s", p.email, got)
		}
	}
}

// legacy is what somebody leaves: three shared lists, one of their own, and a place in
// another's list.
type legacy struct {
	*server
	ann, late, early, viewer person
	lists                    map[string]int64
	tasks                    map[string]string
}

func startLegacy(t *testing.T) legacy {
	t.Helper()
	s := start(t)
	l := legacy{server: s, ann: s.signUp("ann"), late: s.signUp("late"), early: s.signUp("early"), viewer: s.signUp("viewer"), lists: map[string]int64{}, tasks: map[string]string{}}
	for name, members := range map[string][]string{"two editors": {"v", "e", "l"}, "an editor": {"v", "l"}, "viewers": {"v", "w"}, "alone": {}} {
		list := s.newList(l.ann, name)
		l.lists[name] = list
		for _, m := range members {
			p := map[string]person{"v": l.viewer, "e": l.early, "l": l.late, "w": l.late}[m]
			s.join(list, l.ann, p, map[bool]string{true: "editor", false: "viewer"}[m == "e" || m == "l"])
			s.clock.advance(1e9)
		}
		l.tasks[name] = fmt.Sprint("/tasks/", s.newTask(l.ann, fmt.Sprintf(`"list_id":%d,"assignee_id":%d`, list, l.ann.id)).id("task.id"))
	}
	l.lists["another's"] = s.newList(l.late, "another's")
	s.join(l.lists["another's"], l.late, l.ann, "editor")
	l.tasks["another's"] = fmt.Sprint("/tasks/", s.newTask(l.ann, fmt.Sprintf(`"list_id":%d`, l.lists["another's"])).id("task.id"))
	l.tasks["inbox"] = s.task1(l.ann)
	return l
}

// heirs are who gets the lists.
func (l legacy) heirs() map[string]person {
	return map[string]person{"two editors": l.early, "an editor": l.late, "viewers": l.viewer}
}

// A shared list passes to its longest-standing editor, else viewer.
func TestAnAccountThatGoesPassesItsSharedLists(t *testing.T) {
	l := startLegacy(t)
	trashed := fmt.Sprint("/tasks/", l.newTask(l.ann, fmt.Sprintf(`"list_id":%d`, l.lists["an editor"])).id("task.id"))
	expect(t, "deleting a task", l.call("DELETE", trashed, l.ann.access, ""), 200, "")
	expect(t, "how", l.call("DELETE", "/users/me?shared=keep", l.ann.access, ""), 400, "invalid_parameter")
	expect(t, "deleting", l.call("DELETE", "/users/me", l.ann.access, ""), 200, "")
	to := map[string]bool{}
	for range 3 {
		to[l.mail(outbox.MailListOwner).Data["List"]] = true
	}
	for name, heir := range l.heirs() {
		if owner := l.owners(l.lists[name], heir); owner != heir.id || !to[name] {
			t.Errorf("%s: %d, mails %v", name, owner, to)
		}
		if a := l.call("GET", l.tasks[name], heir.access, ""); a.id("user_id") != heir.id || a.at("assignee_id") != nil {
			t.Errorf("%s: %s", name, a.text)
		}
	}
	if a := l.call("GET", fmt.Sprint("/lists/", l.lists["two editors"]), l.late.access, ""); a.str("role") != "editor" || a.id("members") != 3 {
		t.Errorf("who stays: %s", a.text)
	}
	expect(t, "in another's list", l.call("GET", l.tasks["another's"], l.late.access, ""), 200, "")
	expect(t, "from the trash of a list", l.call("POST", trashed+"/restore", l.late.access, ""), 200, "")
	l.gone("alone", "inbox")
}

// Of who made a task nothing is left when their account goes, not even an id.
func TestNobodyMadeWhatAnAccountMadeThatHasGone(t *testing.T) {
	l := startLegacy(t)
	expect(t, "deleting", l.call("DELETE", "/users/me", l.ann.access, ""), 200, "")
	for name, reader := range map[string]person{"another's": l.late, "two editors": l.early} {
		if a := l.call("GET", l.tasks[name], reader.access, ""); a.status != 200 || a.at("created_by") != nil {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
}

// gone fails the test unless no admin finds tasks any more.
func (l legacy) gone(names ...string) {
	l.t.Helper()
	admin := l.admin()
	for _, name := range names {
		expect(l.t, name, l.call("GET", l.tasks[name], admin.access, ""), 404, "task_not_found")
	}
}

func TestAnAccountThatGoesMayTakeItsSharedListsAlong(t *testing.T) {
	l := startLegacy(t)
	expect(t, "deleting", l.call("DELETE", fmt.Sprint("/users/", l.ann.id, "?shared=delete"), l.ann.access, ""), 200, "")
	for name, heir := range l.heirs() {
		expect(t, name, l.call("GET", fmt.Sprint("/lists/", l.lists[name]), heir.access, ""), 404, "list_not_found")
		expect(t, name, l.call("GET", l.tasks[name], heir.access, ""), 404, "task_not_found")
	}
	expect(t, "in another's list", l.call("GET", l.tasks["another's"], l.late.access, ""), 200, "")
	for _, p := range []person{l.late, l.early, l.viewer} {
		for _, list := range rows(l.call("GET", "/lists/", p.access, ""), "lists") {
			if list.id("owner_id") != p.id {
				t.Errorf("%s: %v", p.email, list.json)
			}
		}
	}
	l.gone(slices.Collect(maps.Keys(l.heirs()))...)
}

func TestAMemberWhoLeavesHoldsNothing(t *testing.T) {
	g := startTrio(t)
	expect(t, "assigning", g.call("PATCH", g.taskPath, g.editor.access, fmt.Sprintf(`{"assignee_id":%d,"due":"2030-01-02"}`, g.editor.id)), 200, "")
	expect(t, "reminding", g.call("PATCH", g.taskPath, g.editor.access, `{"reminders":[{"before":"PT30M"}]}`), 200, "")
	expect(t, "a stranger", g.call("PATCH", g.taskPath, g.owner.access, fmt.Sprintf(`{"assignee_id":%d}`, g.signUp("eve").id)), 422, "not_a_member")
	expect(t, "leaving", g.call("DELETE", g.member(g.editor), g.editor.access, ""), 200, "")
	expect(t, "leaving again", g.call("DELETE", g.member(g.editor), g.editor.access, ""), 404, "list_not_found")
	if a := g.call("GET", g.taskPath, g.owner.access, ""); a.at("assignee_id") != nil {
		t.Errorf("assigned: %s", a.text)
	}
	g.join(g.list, g.owner, g.editor, "editor")
	if a := g.call("GET", g.taskPath, g.editor.access, ""); len(rows(a, "reminders")) != 0 {
		t.Errorf("the reminders came back with the member: %s", a.text)
	}
}

// An editor may send back all that they read, in another's list.
func TestAnEditorSendsBackWhatTheyRead(t *testing.T) {
	g := startTrio(t)
	read := g.call("GET", g.taskPath, g.editor.access, "")
	for _, method := range []string{"PUT", "PATCH"} {
		a := g.call(method, g.taskPath, g.editor.access, strings.TrimSpace(read.text))
		if a.status != 200 || a.id("task.list_id") != g.list || a.id("task.user_id") != g.owner.id || a.id("task.version") != read.id("version") {
			t.Errorf("%s: %d %s", method, a.status, a.text)
		}
	}
	own := fmt.Sprintf(`{"user_id":%d}`, g.editor.id)
	expect(t, "one's own id", g.call("PATCH", g.taskPath, g.editor.access, own), 403, "forbidden")
	expect(t, "one's own id, when creating", g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"x","list_id":%d,"user_id":%d}`, g.list, g.editor.id)), 201, "")
	child := g.newTask(g.owner, fmt.Sprintf(`"parent_id":%d`, g.task)).id("task.id")
	if a := g.call("PATCH", g.taskPath, g.admin().access, own); a.status != 200 || a.id("task.user_id") != g.editor.id || a.id("task.list_id") != g.inbox(g.editor) {
		t.Errorf("an admin: %d %s", a.status, a.text)
	}
	if a := g.call("GET", fmt.Sprint("/tasks/", child), g.editor.access, ""); a.id("list_id") != g.inbox(g.editor) || a.id("parent_id") != g.task {
		t.Errorf("the subtask: %d %s", a.status, a.text)
	}
}

func TestATaskMovesToAnotherListWithAllOfIt(t *testing.T) {
	g := startTrio(t)
	target := g.shareWith(g.editor, g.owner)
	paths := g.tree(g.owner, g.list)
	for _, path := range paths {
		expect(t, "assigning", g.call("PATCH", path, g.owner.access, fmt.Sprintf(`{"assignee_id":%d}`, g.viewer.id)), 200, "")
		expect(t, "reminding", g.call("PATCH", path, g.viewer.access, `{"reminders":[{"before":"PT5M"}]}`), 200, "")
	}
	into := fmt.Sprintf(`{"list_id":%d}`, target)
	expect(t, "below one of another list", g.call("PATCH", paths[0], g.owner.access, fmt.Sprintf(`{"list_id":%d,"parent_id":%d}`, target, g.task)), 422, "bad_parent")
	expect(t, "into a list that one may only read", g.call("POST", paths[0]+"/move", g.owner.access, fmt.Sprintf(`{"list_id":%d}`, g.readable())), 403, "read_only_list")
	expect(t, "into a list of others", g.call("PATCH", paths[0], g.viewer.access, into), 403, "read_only_list")
	expect(t, "moving", g.call("PATCH", paths[0], g.owner.access, into), 200, "")
	for i, path := range paths {
		a := g.call("GET", path, g.editor.access, "")
		if a.id("list_id") != target || a.id("user_id") != g.editor.id || a.at("assignee_id") != nil || (a.at("parent_id") == nil) != (i == 0) {
			t.Errorf("%d %s", a.status, a.text)
		}
		if got := rows(g.call("GET", fmt.Sprintf("/tasks/?list_id=%d&label=l%d", target, i), g.editor.access, ""), "tasks"); len(got) != 1 {
			t.Errorf("label %d: %d", i, len(got))
		}
		expect(t, "a member of the old list", g.call("GET", path, g.viewer.access, ""), 404, "task_not_found")
		if a := g.call("GET", path, g.owner.access, ""); len(rows(a, "reminders")) != 1 {
			t.Errorf("the reminders of a member of both: %s", a.text)
		}
	}
	for list, want := range map[int64]int{g.list: 0, target: 3} {
		if got := rows(g.call("GET", fmt.Sprintf("/tasks/?q=described&list_id=%d", list), g.owner.access, ""), "tasks"); len(got) != want {
			t.Errorf("words in list %d: %d", list, len(got))
		}
	}
	g.join(target, g.editor, g.viewer, "viewer")
	if a := g.call("GET", paths[2], g.viewer.access, ""); len(rows(a, "reminders")) != 0 {
		t.Errorf("reminders of who was no member there: %s", a.text)
	}
}

// readable makes a list that its owner lets the owner of the trio read.
func (g trio) readable() int64 {
	list := g.newList(g.viewer, "readable")
	g.join(list, g.viewer, g.owner, "viewer")
	return list
}

// What a store is told of somebody who has gone changes nothing.
func TestALinkOfAnAccountThatHasGone(t *testing.T) {
	g := startTrio(t)
	token := g.invite(g.list, g.owner, "viewer")
	guest := g.signUp("guest")
	must(t, g.db.DeleteUser(context.Background(), app.Operator(), guest.id, false, account.Record{}))
	if a := g.accept(guest, token); a.status != 401 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if n := g.call("GET", g.listPath, g.owner.access, "").id("members"); n != 3 {
		t.Errorf("%d members", n)
	}
}
