package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// trio is an owner, an editor and a viewer of one list with a task in it.
type trio struct {
	*server
	owner, editor, viewer person
	list, task            int64
	listPath, taskPath    string
}

func startTrio(t *testing.T, change ...func(*parts)) trio {
	t.Helper()
	s := start(t, change...)
	g := trio{server: s, owner: s.signUp("owner"), editor: s.signUp("editor"), viewer: s.signUp("viewer")}
	g.list = s.newList(g.owner, "shared")
	g.listPath = fmt.Sprint("/lists/", g.list)
	s.join(g.list, g.owner, g.editor, "editor")
	s.join(g.list, g.owner, g.viewer, "viewer")
	g.task = s.newTask(g.owner, fmt.Sprintf(`"list_id":%d,"labels":["home"]`, g.list)).id("task.id")
	g.taskPath = fmt.Sprint("/tasks/", g.task)
	return g
}

func (g trio) member(p person) string { return fmt.Sprintf("%s/members/%d", g.listPath, p.id) }

// accept takes an invitation.
func (s *server) accept(p person, token string) answer {
	s.t.Helper()
	return s.call("POST", "/invitations/accept", p.access, fmt.Sprintf(`{"token":%q}`, token))
}

// A removed member neither reads nor holds anything from the commit on that removed them.
func TestAFormerMemberFindsNothing(t *testing.T) {
	g := startTrio(t)
	uid := "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f"
	g.newTask(g.owner, fmt.Sprintf(`"list_id":%d,"uid":%q,"assignee_id":%d,"due":"2026-01-02"`, g.list, uid, g.editor.id))
	listUID := g.call("GET", g.listPath, g.owner.access, "").str("uid")
	expect(t, "a word", g.call("PATCH", g.taskPath, g.owner.access, `{"title":"garden"}`), 200, "")
	searches := []string{"scope=all", "q=garden&scope=all", "q=gard&scope=all", "view=overdue", "view=undated", "assignee_id=me&scope=all", "label=home&scope=all"}
	for _, query := range searches {
		if a := g.call("GET", "/tasks/?"+query, g.editor.access, ""); len(rows(a, "tasks")) == 0 {
			t.Fatalf("the member does not see %s: %s", query, a.text)
		}
	}
	expect(t, "deleting", g.call("DELETE", g.member(g.editor), g.owner.access, ""), 200, "")
	for _, query := range searches {
		if a := g.call("GET", "/tasks/?"+query, g.editor.access, ""); a.status != 200 || len(rows(a, "tasks")) != 0 {
			t.Errorf("%s: %s", query, a.text)
		}
	}
	for _, path := range []string{g.taskPath, "/tasks/" + uid} {
		for _, c := range [][2]string{{"GET", ""}, {"PATCH", `{"title":"x"}`}, {"PUT", `{"title":7}`}, {"PATCH", `{"reminders":[]}`}, {"DELETE", ""}} {
			expect(t, c[0]+path, g.call(c[0], path, g.editor.access, c[1]), 404, "task_not_found")
		}
		expect(t, "move "+path, g.call("POST", path+"/move", g.editor.access, `{}`), 404, "task_not_found")
		expect(t, "restore "+path, g.call("POST", path+"/restore", g.editor.access, ""), 404, "task_not_found")
	}
	for _, path := range []string{g.listPath, "/lists/" + listUID, g.listPath + "/members", "/tasks/?list_id=" + listUID, fmt.Sprintf("/tasks/?trash=true&list_id=%d", g.list)} {
		expect(t, path, g.call("GET", path, g.editor.access, ""), 404, "list_not_found")
	}
	expect(t, "a task there", g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"x","list_id":%q}`, listUID)), 404, "list_not_found")
	expect(t, "a task below", g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"x","parent_id":%q}`, uid)), 404, "task_not_found")
	if a := g.call("GET", "/labels/", g.editor.access, ""); len(rows(a, "labels")) != 0 {
		t.Errorf("labels: %s", a.text)
	}
	if a := g.call("GET", "/tasks/counts", g.editor.access, ""); a.id("assigned")+a.id("undated")+a.id("overdue") != 0 || a.at("lists."+fmt.Sprint(g.list)) != nil {
		t.Errorf("counts: %s", a.text)
	}
	if a := g.call("GET", "/tasks/"+uid, g.owner.access, ""); a.at("assignee_id") != nil {
		t.Errorf("it is assigned still: %s", a.text)
	}
}

func TestAMemberIsRemovedWhileTheyWrite(t *testing.T) {
	g := startTrio(t)
	for i := range 20 {
		title := fmt.Sprint("by the editor ", i)
		var wrote, removed answer
		atOnce(2, func(who int) answer {
			if who == 0 {
				wrote = g.call("PATCH", g.taskPath, g.editor.access, fmt.Sprintf(`{"title":%q,"labels":["%d"]}`, title, i))
				return wrote
			}
			removed = g.call("DELETE", g.member(g.editor), g.owner.access, "")
			return removed
		})
		task := g.call("GET", g.taskPath, g.owner.access, "")
		done := task.str("title") == title && strings.Contains(task.text, fmt.Sprintf(`"labels":["%d"]`, i))
		if removed.status != 200 || wrote.status == 200 != done || wrote.status != 200 && wrote.status != 404 {
			t.Errorf("%d %d: %s", wrote.status, removed.status, task.text)
		}
		expect(t, "afterwards", g.call("PATCH", g.taskPath, g.editor.access, `{"title":"x"}`), 404, "task_not_found")
		g.join(g.list, g.owner, g.editor, "editor")
	}
}

func TestTwoAcceptancesOfOneLink(t *testing.T) {
	g := startTrio(t)
	for i := range 5 {
		guests := []person{g.signUp(fmt.Sprint("a", i)), g.signUp(fmt.Sprint("b", i))}
		before := g.call("GET", g.listPath, g.owner.access, "").id("members")
		token := g.invite(g.list, g.owner, "viewer")
		got := atOnce(2, func(i int) answer { return g.accept(guests[i], token) })
		if got[200] != 1 || got[404] != 1 || g.call("GET", g.listPath, g.owner.access, "").id("members") != before+1 {
			t.Errorf("two people: %v", got)
		}
		same, token := g.signUp(fmt.Sprint("c", i)), g.invite(g.list, g.owner, "viewer")
		got = atOnce(2, func(int) answer { return g.accept(same, token) })
		if got[200] < 1 || got[200]+got[404] != 2 || g.call("GET", g.listPath, g.owner.access, "").id("members") != before+2 {
			t.Errorf("one person: %v", got)
		}
	}
}

func TestAsManyMembersAsAListMayHave(t *testing.T) {
	g := startTrio(t)
	var last, next person
	for i := 3; i < todo.MaxMembers-1; i++ {
		last = g.signUp(fmt.Sprint("m", i))
		g.join(g.list, g.owner, last, "viewer")
	}
	one, two := g.invite(g.list, g.owner, "viewer"), g.invite(g.list, g.owner, "viewer")
	guests := []person{g.signUp("x"), g.signUp("y")}
	got := atOnce(2, func(i int) answer { return g.accept(guests[i], []string{one, two}[i]) })
	if got[200] != 1 || got[409] != 1 {
		t.Errorf("two for one place: %v", got)
	}
	for i, p := range guests {
		if a := g.call("GET", g.listPath, p.access, ""); a.status == 404 {
			next = p
			expect(t, "one more", g.accept(p, []string{one, two}[i]), 409, "list_full")
		}
	}
	expect(t, "inviting", g.call("POST", g.listPath+"/invitations", g.owner.access, `{"role":"viewer"}`), 409, "list_full")
	expect(t, "who is in it already", g.accept(last, map[bool]string{true: one, false: two}[next == guests[0]]), 200, "")
	if a := g.call("GET", g.listPath+"/members?per_page=100", g.owner.access, ""); len(rows(a, "members")) != todo.MaxMembers || rows(a, "members")[0].str("role") != "owner" {
		t.Errorf("%s", a.text)
	}
}

func TestAsManyInvitationsAsAListMayHave(t *testing.T) {
	g := startTrio(t)
	invite := func() answer { return g.call("POST", g.listPath+"/invitations", g.owner.access, `{"role":"viewer"}`) }
	var last answer
	for range todo.MaxInvitations - 1 {
		last = invite()
	}
	if got := atOnce(2, func(int) answer { return invite() }); got[201] != 1 || got[409] != 1 {
		t.Errorf("two for one place: %v", got)
	}
	expect(t, "one more", invite(), 409, "too_many_invitations")
	page := g.call("GET", g.listPath+"/invitations?per_page=15&page=2", g.owner.access, "")
	if len(rows(page, "invitations")) != 5 || page.id("pagination.total") != todo.MaxInvitations || strings.Contains(page.text, "url") {
		t.Errorf("%s", page.text)
	}
	revoke := fmt.Sprintf("%s/invitations/%d", g.listPath, last.id("invitation.id"))
	expect(t, "revoking", g.call("DELETE", revoke, g.owner.access, ""), 200, "")
	expect(t, "revoking again", g.call("DELETE", revoke, g.owner.access, ""), 404, "invitation_not_found")
	expect(t, "in its place", invite(), 201, "")
	g.clock.advance(todo.InvitationTTL)
	g.owner = g.login("owner")
	expect(t, "when they have expired", invite(), 201, "")
}

func TestAsManyListsAsOneMayJoin(t *testing.T) {
	s := start(t)
	ctx, guest, now := context.Background(), s.signUp("guest"), time.Now()
	join := func(owner person, i int) error {
		list, err := s.db.CreateList(ctx, asCaller(t, owner), todo.NewList{Name: "n", CreatedAt: now})
		must(t, err)
		hash := fmt.Sprintf("%043d", i)
		_, err = s.db.Invite(ctx, asCaller(t, owner), todo.ByID(list.ID), todo.NewInvitation{Role: todo.RoleViewer, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, todo.Letter{})
		must(t, err)
		_, err = s.db.AcceptInvitation(ctx, asCaller(t, guest), hash, now)
		return err
	}
	owners := []person{s.signUp("ann"), s.signUp("bob")}
	for i := range todo.MaxJoinedLists {
		must(t, join(owners[i%2], i))
	}
	list := s.newList(owners[0], "one more")
	token := s.invite(list, owners[0], "viewer")
	expect(t, "one more", s.accept(guest, token), 409, "too_many_lists")
	s.newList(guest, "their own is another matter")
	expect(t, "one less", s.call("DELETE", fmt.Sprintf("/lists/%s/members/%d", texts(s.call("GET", "/lists/", guest.access, ""), "lists", "id")[1], guest.id), guest.access, ""), 200, "")
	expect(t, "in its place", s.accept(guest, token), 200, "")
}

// Used, expired, revoked, unknown: nobody can tell them apart.
func TestInvitationsThatAreNoGood(t *testing.T) {
	g := startTrio(t)
	g.signUp("guest")
	used, revoked, expired, lost := g.invite(g.list, g.owner, "viewer"), g.invite(g.list, g.owner, "viewer"), g.invite(g.list, g.owner, "viewer"), ""
	expect(t, "using", g.accept(g.signUp("other"), used), 200, "")
	other := g.newList(g.owner, "lost")
	lost = g.invite(other, g.owner, "viewer")
	expect(t, "losing", g.call("DELETE", fmt.Sprint("/lists/", other), g.owner.access, ""), 200, "")
	ids := texts(g.call("GET", g.listPath+"/invitations", g.owner.access, ""), "invitations", "id")
	expect(t, "revoking", g.call("DELETE", g.listPath+"/invitations/"+ids[0], g.owner.access, ""), 200, "")
	g.clock.advance(todo.InvitationTTL - time.Minute)
	guest := g.login("guest")
	look := g.call("GET", "/invitations/"+expired, guest.access, "")
	if look.status != 200 || look.str("list.name") != "shared" || look.str("invited_by") != "owner" || look.str("role") != "viewer" || strings.Contains(look.text, "@") {
		t.Errorf("a minute before: %s", look.text)
	}
	g.clock.advance(time.Minute)
	said := map[string]bool{}
	for name, token := range map[string]string{"used": used, "revoked": revoked, "expired": expired, "lost": lost, "unknown": strings.Repeat("A", len(used)), "no code": "x", "cut": used[:20]} {
		looked, accepted := g.call("GET", "/invitations/"+token, guest.access, ""), g.accept(guest, token)
		expect(t, name, looked, 404, "invitation_not_found")
		expect(t, name, accepted, 404, "invitation_not_found")
		said[looked.text], said[accepted.text] = true, true
	}
	if len(said) != 1 {
		t.Errorf("they differ: %v", said)
	}
	for _, body := range []string{`{}`, `{"token":null}`, `{"token":7}`, `{"token":""}`} {
		expect(t, body, g.call("POST", "/invitations/accept", guest.access, body), 422, "validation_failed")
	}
}

func TestInvitationsByMail(t *testing.T) {
	stopped := false
	g := startTrio(t, func(p *parts) {
		p.api.Invitations.Stamp = func(string, int64) time.Duration { return map[bool]time.Duration{true: time.Minute}[stopped] }
	})
	expect(t, "a name like a link", g.call("PATCH", g.listPath, g.owner.access, `{"name":"see evil.example.com now"}`), 200, "")
	made := g.call("POST", g.listPath+"/invitations", g.owner.access, `{"role":"editor","email":"guest@example.com"}`)
	mail := g.mail(outbox.MailInvitation)
	_, token, _ := strings.Cut(made.str("invitation.url"), "#")
	if made.status != 201 || made.str("invitation.email") != "guest@example.com" || mail.To != "guest@example.com" || strings.Contains(mail.Data["List"], "evil.example.com") || g.code(mail) != token {
		t.Errorf("%s: %+v", made.text, mail)
	}
	if made.str("invitation.url") != "https://tasks.example.com/invitation#"+token {
		t.Errorf("%s", made.text)
	}
	// Whoever holds the link may use it, whatever their address.
	expect(t, "by another address", g.accept(g.signUp("somebody"), token), 200, "")
	for _, body := range []string{`{}`, `{"role":"owner"}`, `{"role":"none"}`, `{"role":7}`, `{"role":null}`, `{"role":"viewer","email":"x"}`, `{"role":"viewer","email":7}`} {
		expect(t, body, g.call("POST", g.listPath+"/invitations", g.owner.access, body), 422, "validation_failed")
	}
	stopped = true
	again := `{"role":"editor","email":"guest@example.com"}`
	if a := g.call("POST", g.listPath+"/invitations", g.owner.access, again); a.status != 429 || a.header.Get("Retry-After") != "60" {
		t.Errorf("%d %s", a.status, a.text)
	}
	expect(t, "a stranger", g.call("POST", g.listPath+"/invitations", g.signUp("eve").access, again), 404, "list_not_found")
	expect(t, "a member", g.call("POST", g.listPath+"/invitations", g.editor.access, again), 403, "not_list_owner")
	none := startTrio(t, func(p *parts) { p.api.Invitations.Mails = false })
	if a := none.call("POST", none.listPath+"/invitations", none.owner.access, again); a.status != 201 || a.str("invitation.url") == "" {
		t.Errorf("without a server for mails, the link is there all the same: %d %s", a.status, a.text)
	}
}

func TestAnAcceptanceGivesTheHigherOfBothRoles(t *testing.T) {
	g := startTrio(t)
	for _, c := range []struct {
		p          person
		role, want string
	}{{g.viewer, "editor", "editor"}, {g.editor, "viewer", "editor"}, {g.owner, "viewer", "owner"}, {g.viewer, "viewer", "editor"}} {
		if a := g.accept(c.p, g.invite(g.list, g.owner, c.role)); a.status != 200 || a.str("list.role") != c.want || a.id("list.members") != 3 {
			t.Errorf("%s as %s: %d %s", c.p.email, c.role, a.status, a.text)
		}
	}
}

func TestOwnersCannotLeaveTheirList(t *testing.T) {
	g := startTrio(t)
	expect(t, "leaving", g.call("DELETE", g.member(g.owner), g.owner.access, ""), 409, "owner_cannot_leave")
	for _, role := range []string{"viewer", "editor"} {
		expect(t, "as "+role, g.call("PATCH", g.member(g.owner), g.owner.access, fmt.Sprintf(`{"role":%q}`, role)), 409, "owner_cannot_leave")
	}
	expect(t, "owner as before", g.call("PATCH", g.member(g.owner), g.owner.access, `{"role":"owner"}`), 200, "")
	expect(t, "an editor who removes the owner", g.call("DELETE", g.member(g.owner), g.editor.access, ""), 403, "not_list_owner")
	expect(t, "leaving after a hand-over", g.call("PATCH", g.member(g.viewer), g.owner.access, `{"role":"owner"}`), 200, "")
	expect(t, "leaving after a hand-over", g.call("DELETE", g.member(g.owner), g.owner.access, ""), 200, "")
}

func TestAViewersWritesAreRefused(t *testing.T) {
	g := startTrio(t)
	own := g.task1(g.viewer)
	trashed := g.newTask(g.owner, fmt.Sprintf(`"list_id":%d`, g.list)).id("task.id")
	expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", trashed), g.owner.access, ""), 200, "")
	into := fmt.Sprintf(`{"list_id":%d}`, g.list)
	for _, c := range [][4]string{
		{"POST", "/tasks/", fmt.Sprintf(`{"title":"x","list_id":%d}`, g.list), "read_only_list"}, {"POST", "/tasks/", fmt.Sprintf(`{"title":"x","parent_id":%d}`, g.task), "read_only_list"},
		{"PATCH", g.taskPath, `{"title":"x"}`, "read_only_list"}, {"PUT", g.taskPath, `{"completed":true}`, "read_only_list"}, {"PATCH", g.taskPath, `{"labels_add":["x"]}`, "read_only_list"},
		{"PATCH", g.taskPath, `{"reminders":[],"title":"x"}`, "read_only_list"}, {"PATCH", g.taskPath, fmt.Sprintf(`{"assignee_id":%d}`, g.viewer.id), "read_only_list"},
		{"DELETE", g.taskPath, "", "read_only_list"}, {"DELETE", g.taskPath + "?permanent=true", "", "read_only_list"}, {"POST", g.taskPath + "/move", `{}`, "read_only_list"},
		{"PATCH", own, into, "read_only_list"}, {"POST", own + "/move", into, "read_only_list"}, {"PATCH", own, fmt.Sprintf(`{"parent_id":%d}`, g.task), "read_only_list"},
		{"POST", fmt.Sprintf("/tasks/%d/restore", trashed), "", "read_only_list"}, {"DELETE", fmt.Sprintf("/tasks/%d?permanent=true", trashed), "", "read_only_list"},
		{"GET", fmt.Sprintf("/tasks/?trash=true&list_id=%d", g.list), "", "read_only_list"}, {"PATCH", g.listPath, `{"name":"x"}`, "not_list_owner"}, {"PUT", g.listPath, `{"color":"#123456"}`, "not_list_owner"},
		{"DELETE", g.listPath, "", "not_list_owner"}, {"PATCH", g.member(g.viewer), `{"role":"editor"}`, "not_list_owner"}, {"DELETE", g.member(g.editor), "", "not_list_owner"},
		{"GET", g.listPath + "/invitations", "", "not_list_owner"}, {"POST", g.listPath + "/invitations", `{"role":"viewer"}`, "not_list_owner"}, {"DELETE", g.listPath + "/invitations/1", "", "not_list_owner"},
	} {
		expect(t, c[0]+c[1]+c[2], g.call(c[0], c[1], g.viewer.access, c[2]), 403, c[3])
	}
	if a := g.call("PATCH", g.taskPath, g.viewer.access, `{"reminders":[{"at":"2026-11-30T07:30:00Z"}]}`); a.status != 200 {
		t.Errorf("own reminders: %d %s", a.status, a.text)
	}
	if a := g.call("GET", g.listPath+"/members", g.viewer.access, ""); a.status != 200 || strings.Contains(a.text, "@") {
		t.Errorf("members: %d %s", a.status, a.text)
	}
	expect(t, "labels of others", g.call("DELETE", "/labels/home", g.viewer.access, ""), 404, "label_not_found")
	expect(t, "emptying", g.call("DELETE", "/trash", g.viewer.access, ""), 200, "")
	expect(t, "what was not emptied", g.call("POST", fmt.Sprintf("/tasks/%d/restore", trashed), g.editor.access, ""), 200, "")
}

// task1 is the path of a new task in a person's Inbox.
func (s *server) task1(p person) string { return fmt.Sprint("/tasks/", s.task(p, "own")) }

// A stranger learns nothing, also from a request that is wrong.
func TestAStrangerLearnsNothing(t *testing.T) {
	g := startTrio(t)
	eve, nothing := g.signUp("eve"), "/lists/999"
	for _, c := range [][3]string{
		{"PATCH", "", `{"name":7}`}, {"PUT", "", `{"color":"red"}`}, {"DELETE", "", ""}, {"POST", "/move", `{"before_id":true}`}, {"POST", "/restore", ""}, {"GET", "/members", ""},
		{"PATCH", fmt.Sprint("/members/", eve.id), `{"role":"king"}`}, {"DELETE", fmt.Sprint("/members/", eve.id), ""}, {"GET", "/invitations", ""}, {"POST", "/invitations", `{"role":"king"}`},
		{"POST", "/invitations", `{}`}, {"DELETE", "/invitations/1", ""}, {"DELETE", "/members/0", ""}, {"DELETE", "/invitations/x", ""},
	} {
		here, there := g.call(c[0], g.listPath+c[1], eve.access, c[2]), g.call(c[0], nothing+c[1], eve.access, c[2])
		if here.status != there.status || here.text != there.text {
			t.Errorf("%v: %s, but %s", c, here.text, there.text)
		}
		if !slices.Contains([]string{"/members/0", "/invitations/x"}, c[1]) {
			expect(t, c[0]+c[1]+c[2], here, 404, "list_not_found")
		}
	}
	for _, c := range [][3]string{{"PATCH", "", `{"title":7}`}, {"PUT", "", `{"due":"x"}`}, {"POST", "/move", `{"list_id":true}`}, {"DELETE", "", ""}} {
		expect(t, c[0]+c[1]+c[2], g.call(c[0], g.taskPath+c[1], eve.access, c[2]), 404, "task_not_found")
	}
	raw, _ := g.apiToken(g.owner, app.ScopeTasksRead)
	expect(t, "its owner's token", g.call("GET", g.listPath, raw, ""), 200, "")
}
