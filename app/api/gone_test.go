package api_test

import (
	"fmt"
	"testing"
)

// An edit between two completions shows that the second one is meant.
func TestAnEditedOccurrenceIsCompletedAgainAtOnce(t *testing.T) {
	for _, edit := range []string{`{"due":"2027-01-20"}`, `{"title":"edited"}`, ""} {
		s := start(t)
		s.clock.freeze()
		ann := s.signUp("ann")
		made := s.call("POST", "/tasks/", ann.access, `{"title":"weekly","due":"2026-12-02","recurrence":"FREQ=WEEKLY"}`)
		task := fmt.Sprint("/tasks/", made.id("task.id"))
		first := s.call("PATCH", task, ann.access, `{"completed":true}`)
		if edit != "" {
			expect(t, edit, s.call("PATCH", task, ann.access, edit), 200, "")
		}
		again := s.call("PATCH", task, ann.access, `{"completed":true}`)
		moved := again.id("completed_copy.id") != first.id("completed_copy.id")
		if again.status != 200 || moved != (edit != "") {
			t.Errorf("after %s: %s", edit, again.text)
		}
	}
}

// Nobody in the trash is somebody who has gone, and nobody comes back with a task.
func TestTheTrashForgetsWhoHasGone(t *testing.T) {
	g := startTrio(t)
	made := g.call("POST", "/tasks/", g.editor.access, fmt.Sprintf(`{"title":"t","list_id":%d,"assignee_id":%d}`, g.list, g.editor.id))
	task := fmt.Sprint("/tasks/", made.id("task.id"))
	expect(t, "deleting", g.call("DELETE", task, g.editor.access, ""), 200, "")
	before := rows(g.call("GET", "/tasks/?trash=true", g.owner.access, ""), "tasks")
	if len(before) != 1 || before[0].id("created_by") != g.editor.id || before[0].id("deleted_by") != g.editor.id {
		t.Fatalf("%v", before)
	}
	expect(t, "going", g.call("DELETE", "/users/me", g.editor.access, ""), 200, "")
	for _, one := range rows(g.call("GET", "/tasks/?trash=true", g.owner.access, ""), "tasks") {
		if one.at("created_by") != nil || one.at("assignee_id") != nil || one.at("deleted_by") != nil {
			t.Errorf("in the trash: %v", one)
		}
	}
	back := g.call("POST", task+"/restore", g.owner.access, "")
	if back.status != 200 || back.at("task.created_by") != nil || back.at("task.assignee_id") != nil {
		t.Errorf("%d %s", back.status, back.text)
	}
}
