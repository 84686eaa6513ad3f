package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app/todo"
)

// tree makes a task with a subtask and one below that, and returns their paths.
func (s *server) tree(p person, list int64) (paths [3]string) {
	s.t.Helper()
	parent := "null"
	for i := range paths {
		a := s.newTask(p, fmt.Sprintf(`"list_id":%d,"parent_id":%s,"labels":["l%d"],"due":"2026-11-30","reminders":[{"before":"PT30M"}],"description":"described"`, list, parent, i))
		parent = fmt.Sprint(a.id("task.id"))
		paths[i] = "/tasks/" + parent
	}
	return paths
}

// state is a task but for what each change changes.
func state(a answer) string {
	delete(a.json, "version")
	delete(a.json, "date_updated")
	return fmt.Sprint(a.json)
}

func TestATaskGoesToTheTrashAndBackWithAllBelowIt(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	list := s.newList(ann, "l")
	paths := s.tree(ann, list)
	expect(t, "moving", s.call("POST", paths[0]+"/move", ann.access, fmt.Sprintf(`{"after_id":%d}`, s.newTask(ann, fmt.Sprintf(`"list_id":%d`, list)).id("task.id"))), 200, "")
	expect(t, "completing", s.call("PATCH", paths[2], ann.access, `{"completed":true}`), 200, "")
	var before [3]string
	for i, path := range paths {
		before[i] = state(s.call("GET", path, ann.access, ""))
	}
	expect(t, "deleting", s.call("DELETE", paths[0], ann.access, ""), 200, "")
	for _, path := range paths {
		for _, c := range [][2]string{{"GET", ""}, {"PATCH", `{"title":"x"}`}, {"DELETE", ""}, {"POST", "/move"}} {
			at, body, _ := strings.Cut(c[1], "/")
			if body != "" {
				at, body = "", "/"+body
			}
			expect(t, c[0]+path+body, s.call(c[0], path+body, ann.access, at), 404, "task_not_found")
		}
	}
	if a := s.call("GET", "/tasks/?q=described&scope=all", ann.access, ""); len(rows(a, "tasks")) != 0 {
		t.Errorf("they are found: %s", a.text)
	}
	if a := s.call("GET", "/labels/", ann.access, ""); len(rows(a, "labels")) != 0 {
		t.Errorf("their labels are there: %s", a.text)
	}
	restored := s.call("POST", paths[0]+"/restore", ann.access, "")
	if read := s.call("GET", paths[0], ann.access, ""); restored.status != 200 || restored.header.Get("ETag") != read.header.Get("ETag") || len(rows(answer{json: restored.json["task"].(map[string]any)}, "reminders")) != 1 {
		t.Errorf("%d %s %s", restored.status, restored.text, read.header.Get("ETag"))
	}
	for i, path := range paths {
		if after := state(s.call("GET", path, ann.access, "")); after != before[i] {
			t.Errorf("before %s\n after %s", before[i], after)
		}
	}
	if a := s.call("GET", "/tasks/?q=described&scope=all", ann.access, ""); len(rows(a, "tasks")) != 3 {
		t.Errorf("they are not found: %s", a.text)
	}
}

func TestOnlyWhatWasDeletedTogetherComesBackTogether(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	paths := s.tree(ann, s.inbox(ann))
	expect(t, "the lowest", s.call("DELETE", paths[2], ann.access, ""), 200, "")
	expect(t, "the rest", s.call("DELETE", paths[0], ann.access, ""), 200, "")
	expect(t, "restoring", s.call("POST", paths[0]+"/restore", ann.access, ""), 200, "")
	expect(t, "deleted together", s.call("GET", paths[1], ann.access, ""), 200, "")
	expect(t, "deleted before", s.call("GET", paths[2], ann.access, ""), 404, "task_not_found")
	if a := s.call("POST", paths[2]+"/restore", ann.access, ""); fmt.Sprint("/tasks/", a.id("task.parent_id")) != paths[1] {
		t.Errorf("it is not below its parent: %s", a.text)
	}
	// A part of what was deleted comes back by itself, and to the top if its parent is gone.
	expect(t, "all", s.call("DELETE", paths[0], ann.access, ""), 200, "")
	if a := s.call("POST", paths[1]+"/restore", ann.access, ""); a.status != 200 || a.at("task.parent_id") != nil {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := s.call("GET", paths[2], ann.access, ""); fmt.Sprint("/tasks/", a.id("parent_id")) != paths[1] {
		t.Errorf("%d %s", a.status, a.text)
	}
	expect(t, "the root", s.call("POST", paths[0]+"/restore", ann.access, ""), 200, "")
}

func TestATaskComesBackIntoTheInboxWhenItsListIsGone(t *testing.T) {
	g := startTrio(t)
	paths := g.tree(g.owner, g.list)
	assigned := g.newTask(g.owner, fmt.Sprintf(`"list_id":%d,"assignee_id":%d`, g.list, g.editor.id)).id("task.id")
	expect(t, "a task", g.call("DELETE", paths[0], g.editor.access, ""), 200, "")
	expect(t, "another", g.call("DELETE", fmt.Sprint("/tasks/", assigned), g.editor.access, ""), 200, "")
	expect(t, "the list", g.call("DELETE", g.listPath, g.owner.access, ""), 200, "")
	expect(t, "by an editor", g.call("POST", paths[0]+"/restore", g.editor.access, ""), 404, "task_not_found")
	inbox := g.inbox(g.owner)
	for _, path := range []string{paths[0], fmt.Sprint("/tasks/", assigned), g.taskPath} {
		a := g.call("POST", path+"/restore", g.owner.access, "")
		if a.status != 200 || a.id("task.list_id") != inbox || a.id("task.user_id") != g.owner.id || a.at("task.assignee_id") != nil || a.at("task.parent_id") != nil {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
	if a := g.call("GET", paths[2], g.owner.access, ""); a.id("list_id") != inbox || fmt.Sprint("/tasks/", a.id("parent_id")) != paths[1] {
		t.Errorf("the subtree: %d %s", a.status, a.text)
	}
	if a := g.call("GET", "/tasks/?label=l2", g.owner.access, ""); len(rows(a, "tasks")) != 1 {
		t.Errorf("by its label: %s", a.text)
	}
	// The list comes back without what has left it.
	expect(t, "the list again", g.call("POST", g.listPath+"/restore", g.owner.access, ""), 200, "")
	expect(t, "the editor", g.call("GET", paths[0], g.editor.access, ""), 404, "task_not_found")
}

func TestRestoreOfWhatIsNotInTheTrash(t *testing.T) {
	g := startTrio(t)
	restore := g.taskPath + "/restore"
	expect(t, "what lives", g.call("POST", restore, g.owner.access, ""), 409, "not_in_trash")
	expect(t, "a stranger's", g.call("POST", restore, g.signUp("eve").access, ""), 404, "task_not_found")
	for _, path := range []string{"/tasks/999/restore", "/tasks/0/restore", "/tasks/none/restore"} {
		expect(t, path, g.call("POST", path, g.owner.access, ""), 404, "task_not_found")
	}
	for range 5 {
		expect(t, "deleting", g.call("DELETE", g.taskPath, g.owner.access, ""), 200, "")
		got := atOnce(2, func(i int) answer { return g.call("POST", restore, []person{g.owner, g.editor}[i].access, "") })
		if got[200] != 1 || got[409] != 1 {
			t.Errorf("twice at once: %v", got)
		}
	}
}

func TestRestoreAtTheLimitOfAnAccount(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tasks.Most, p.api.Lists.MostTasks = 3, 3 })
	ann, bob := s.signUp("ann"), s.signUp("bob")
	paths := s.tree(ann, s.inbox(ann))
	expect(t, "one more", s.call("POST", "/tasks/", ann.access, `{"title":"x"}`), 409, "too_many_tasks")
	expect(t, "deleting", s.call("DELETE", paths[0], ann.access, ""), 200, "")
	only := s.task1(ann)
	expect(t, "restoring three", s.call("POST", paths[0]+"/restore", ann.access, ""), 409, "too_many_tasks")
	expect(t, "still in the trash", s.call("GET", paths[0], ann.access, ""), 404, "task_not_found")
	expect(t, "deleting for good", s.call("DELETE", only+"?permanent=true", ann.access, ""), 200, "")
	expect(t, "with room", s.call("POST", paths[0]+"/restore", ann.access, ""), 200, "")
	// So it is with lists.
	list := s.newList(bob, "l")
	s.tree(bob, list)
	expect(t, "a list", s.call("DELETE", fmt.Sprint("/lists/", list), bob.access, ""), 200, "")
	one := s.task1(bob)
	expect(t, "restoring it", s.call("POST", fmt.Sprintf("/lists/%d/restore", list), bob.access, ""), 409, "too_many_tasks")
	gift := s.newList(bob, "gift")
	s.join(gift, bob, ann, "editor")
	expect(t, "into a gift", s.call("POST", one+"/move", bob.access, fmt.Sprintf(`{"list_id":%d}`, gift)), 200, "")
	give := fmt.Sprintf("/lists/%d/members/%d", gift, ann.id)
	expect(t, "a gift", s.call("PATCH", give, bob.access, `{"role":"owner"}`), 409, "too_many_tasks")
	expect(t, "a task in the full one's list", s.call("POST", one+"/move", bob.access, fmt.Sprintf(`{"list_id":%d}`, s.shareWith(ann, bob))), 409, "too_many_tasks")
}

// shareWith makes a list of a person's with an editor.
func (s *server) shareWith(owner, editor person) int64 {
	s.t.Helper()
	list := s.newList(owner, "shared")
	s.join(list, owner, editor, "editor")
	return list
}

func TestATaskComesBackWithAllLabelsThatItMayHave(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	labels := make([]string, todo.MaxLabels)
	for i := range labels {
		labels[i] = fmt.Sprintf("%q", fmt.Sprint("label ", i))
	}
	path := fmt.Sprint("/tasks/", s.newTask(ann, `"labels":[`+strings.Join(labels, ",")+`]`).id("task.id"))
	expect(t, "deleting", s.call("DELETE", path, ann.access, ""), 200, "")
	if a := s.call("POST", path+"/restore", ann.access, ""); !strings.Contains(a.text, `"labels":[`+strings.Join(labels, ",")+`]`) {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestDeletionForGood(t *testing.T) {
	g := startTrio(t)
	paths := g.tree(g.owner, g.list)
	expect(t, "perhaps", g.call("DELETE", paths[0]+"?permanent=perhaps", g.owner.access, ""), 400, "invalid_parameter")
	expect(t, "what lives", g.call("DELETE", paths[0]+"?permanent=true", g.editor.access, ""), 200, "")
	expect(t, "into the trash", g.call("DELETE", g.taskPath+"?permanent=false", g.owner.access, ""), 200, "")
	expect(t, "by a viewer", g.call("DELETE", g.taskPath+"?permanent=true", g.viewer.access, ""), 403, "read_only_list")
	expect(t, "by a stranger", g.call("DELETE", g.taskPath+"?permanent=true", g.signUp("eve").access, ""), 404, "task_not_found")
	got := atOnce(2, func(int) answer { return g.call("DELETE", g.taskPath+"?permanent=true", g.owner.access, "") })
	if got[200] != 1 || got[404] != 1 {
		t.Errorf("what is in the trash, twice at once: %v", got)
	}
	for _, path := range append(paths[:], g.taskPath) {
		expect(t, path, g.call("DELETE", path+"?permanent=true", g.owner.access, ""), 404, "task_not_found")
		expect(t, path, g.call("POST", path+"/restore", g.owner.access, ""), 404, "task_not_found")
	}
	if a := g.call("GET", "/tasks/counts", g.owner.access, ""); a.id("trash") != 0 {
		t.Errorf("%s", a.text)
	}
	off := start(t, func(p *parts) { p.api.Tasks.KeepTrash, p.api.Lists.KeepTrash = false, false })
	ann := off.signUp("ann")
	path, list := off.task1(ann), fmt.Sprint("/lists/", off.newList(ann, "l"))
	expect(t, "without a trash", off.call("DELETE", path, ann.access, ""), 200, "")
	expect(t, "without a trash", off.call("POST", path+"/restore", ann.access, ""), 404, "task_not_found")
	expect(t, "without a trash", off.call("DELETE", list, ann.access, ""), 200, "")
	expect(t, "without a trash", off.call("POST", list+"/restore", ann.access, ""), 404, "list_not_found")
}

func TestTheTrashShowsWhoDeletedWhatAndUntilWhen(t *testing.T) {
	g := startTrio(t)
	other := g.task1(g.owner)
	expect(t, "own", g.call("DELETE", other, g.owner.access, ""), 200, "")
	expect(t, "shared", g.call("DELETE", g.taskPath, g.editor.access, ""), 200, "")
	a := g.call("GET", "/tasks/?trash=true", g.owner.access, "")
	all := rows(a, "tasks")
	if len(all) != 2 || all[0].id("id") != g.task || all[0].id("deleted_by") != g.editor.id || all[1].id("deleted_by") != g.owner.id || a.id("pagination.total") != 2 {
		t.Fatalf("%s", a.text)
	}
	deleted, err := time.Parse(time.RFC3339, all[0].str("date_deleted"))
	must(t, err)
	if expires, err := time.Parse(time.RFC3339, all[0].str("expires_at")); err != nil || expires.Sub(deleted) != 30*24*time.Hour {
		t.Errorf("%s", a.text)
	}
	of := fmt.Sprintf("&list_id=%d", g.list)
	for _, p := range []person{g.owner, g.editor} {
		if got := texts(g.call("GET", "/tasks/?trash=true"+of, p.access, ""), "tasks", "id"); !slices.Equal(got, []string{fmt.Sprint(g.task)}) {
			t.Errorf("%s: %v", p.email, got)
		}
	}
	if a := g.call("GET", "/tasks/?trash=true", g.editor.access, ""); len(rows(a, "tasks")) != 0 {
		t.Errorf("what is others': %s", a.text)
	}
	next := g.call("GET", "/tasks/?trash=true&after=0&per_page=1", g.owner.access, "")
	if rest := g.call("GET", "/tasks/?trash=true&per_page=1&after="+next.str("pagination.next_after"), g.owner.access, ""); next.at("pagination.has_next") != true || len(rows(rest, "tasks")) != 1 || rest.at("pagination.has_next") != false {
		t.Errorf("%s, then %s", next.text, rest.text)
	}
	for _, query := range []string{"trash=maybe", "trash=true&q=x", "trash=true&completed=true", "trash=true&list_id=true&sort=due"} {
		expect(t, query, g.call("GET", "/tasks/?"+query, g.owner.access, ""), 400, "invalid_parameter")
	}
}

func TestTheTrashIsEmptied(t *testing.T) {
	g := startTrio(t)
	g.tree(g.owner, g.list)
	own, his := g.task1(g.owner), g.task1(g.editor)
	other := g.newList(g.owner, "other")
	g.tree(g.owner, other)
	for path, p := range map[string]person{own: g.owner, his: g.editor, g.taskPath: g.owner, fmt.Sprint("/lists/", other): g.owner} {
		expect(t, path, g.call("DELETE", path, p.access, ""), 200, "")
	}
	if a := g.call("DELETE", "/trash", g.editor.access, ""); a.status != 200 || a.id("deleted") != 1 {
		t.Errorf("only their own: %d %s", a.status, a.text)
	}
	if a := g.call("DELETE", "/trash", g.owner.access, ""); a.status != 200 || a.id("deleted") != 5 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := g.call("DELETE", "/trash", g.owner.access, ""); a.status != 200 || a.id("deleted") != 0 {
		t.Errorf("again: %d %s", a.status, a.text)
	}
	expect(t, "a task", g.call("POST", own+"/restore", g.owner.access, ""), 404, "task_not_found")
	expect(t, "a list", g.call("POST", fmt.Sprintf("/lists/%d/restore", other), g.owner.access, ""), 404, "list_not_found")
	if a := g.call("GET", "/tasks/counts", g.owner.access, ""); a.id("trash") != 0 {
		t.Errorf("%s", a.text)
	}
}

func TestAListComesBackWithItsTasksAndMembers(t *testing.T) {
	g := startTrio(t)
	paths := g.tree(g.owner, g.list)
	expect(t, "color", g.call("PATCH", g.listPath, g.owner.access, `{"color":"#112233"}`), 200, "")
	expect(t, "archived", g.call("PATCH", g.listPath, g.viewer.access, `{"archived":true}`), 200, "")
	expect(t, "assigned", g.call("PATCH", g.taskPath, g.owner.access, fmt.Sprintf(`{"assignee_id":%d}`, g.editor.id)), 200, "")
	expect(t, "reminded", g.call("PATCH", g.taskPath, g.viewer.access, `{"reminders":[{"at":"2027-01-02T03:04:05Z"}]}`), 200, "")
	look := func() (all string) {
		for _, p := range []person{g.owner, g.editor, g.viewer} {
			for _, path := range []string{g.listPath, g.taskPath, paths[0], paths[2]} {
				all += state(g.call("GET", path, p.access, "")) + "\n"
			}
		}
		return all + fmt.Sprint(rows(g.call("GET", g.listPath+"/members", g.owner.access, ""), "members"))
	}
	before, token := look(), g.invite(g.list, g.owner, "viewer")
	expect(t, "deleting", g.call("DELETE", g.listPath, g.owner.access, ""), 200, "")
	for _, p := range []person{g.owner, g.editor, g.viewer} {
		expect(t, p.email, g.call("GET", g.listPath, p.access, ""), 404, "list_not_found")
		expect(t, p.email, g.call("GET", paths[1], p.access, ""), 404, "task_not_found")
	}
	expect(t, "by an editor", g.call("POST", g.listPath+"/restore", g.editor.access, ""), 404, "list_not_found")
	got := atOnce(2, func(int) answer { return g.call("POST", g.listPath+"/restore", g.owner.access, "") })
	if got[200] != 1 || got[409] != 1 {
		t.Errorf("twice at once: %v", got)
	}
	if after := look(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	expect(t, "again", g.call("POST", g.listPath+"/restore", g.owner.access, ""), 409, "not_in_trash")
	expect(t, "an old link", g.accept(g.signUp("guest"), token), 404, "invitation_not_found")
	if a := g.call("GET", "/tasks/counts", g.owner.access, ""); a.id("trash") != 0 {
		t.Errorf("%s", a.text)
	}
}

func TestAListComesBackWithoutAMemberWhoHasGone(t *testing.T) {
	g := startTrio(t)
	expect(t, "assigned", g.call("PATCH", g.taskPath, g.owner.access, fmt.Sprintf(`{"assignee_id":%d}`, g.editor.id)), 200, "")
	expect(t, "the list", g.call("DELETE", g.listPath, g.owner.access, ""), 200, "")
	expect(t, "the account", g.call("DELETE", "/users/me", g.editor.access, ""), 200, "")
	if a := g.call("POST", g.listPath+"/restore", g.owner.access, ""); a.status != 200 || a.id("list.members") != 2 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := g.call("GET", g.taskPath, g.viewer.access, ""); a.status != 200 || a.at("assignee_id") != nil {
		t.Errorf("%d %s", a.status, a.text)
	}
}
