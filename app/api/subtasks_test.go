package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// chain makes tasks, each below the one before, and returns their ids.
func (s *server) chain(p person, names ...string) (ids []int64) {
	s.t.Helper()
	parent := "null"
	for _, name := range names {
		id := s.made(p, `{"title":%q,"parent_id":%s}`, name, parent).id("task.id")
		ids, parent = append(ids, id), fmt.Sprint(id)
	}
	return ids
}

// done tells of each task whether it is completed, as a text of x and -.
func (s *server) done(p person, ids ...int64) (text string) {
	s.t.Helper()
	for _, id := range ids {
		text += map[any]string{true: "x", false: "-"}[s.got(p, id).at("completed")]
	}
	return text
}

// below are the titles of the tasks below one, in their order.
func (s *server) below(p person, id int64) string {
	s.t.Helper()
	a := s.call("GET", fmt.Sprintf("/tasks/?scope=all&sort=position&per_page=100&parent_id=%d", id), p.access, "")
	if a.status != 200 {
		s.t.Fatalf("below %d: %d %s", id, a.status, a.text)
	}
	return strings.Join(titles(a), " ")
}

// A parent is completed with all below it, opens nothing below it again, and is opened by
// what is below it.
func TestSubtasksAreCompletedAndReopened(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	ids := s.chain(ann, "a", "b", "c", "d")
	beside := s.made(ann, `{"title":"e","parent_id":%d}`, ids[1]).id("task.id")
	ids = append(ids, beside)
	for _, step := range []struct {
		of   int
		body string
		want string
	}{
		{1, `{"completed":true}`, "-xxxx"}, {0, `{"completed":true}`, "xxxxx"}, {0, `{"completed":false}`, "-xxxx"}, {0, `{"completed":true}`, "xxxxx"},
		{3, `{"completed":false}`, "----x"}, {3, `{"completed":false}`, "----x"}, {2, `{"completed":true}`, "--xxx"}, {0, `{"completed":true,"title":"A"}`, "xxxxx"}, {4, `{"completed":false}`, "--xx-"},
	} {
		a := s.changed(ann, ids[step.of], "%s", step.body)
		if got := s.done(ann, ids...); got != step.want || a.id("task.version") != s.got(ann, ids[step.of]).id("version") {
			t.Errorf("%d %s: %s, want %s", step.of, step.body, got, step.want)
		}
	}
}

// A fifth level, a cycle, a parent elsewhere and one that is not there are refused, on each
// way that leads there.
func TestParentsThatAreRefused(t *testing.T) {
	s := start(t)
	ann, eve := s.signUp("ann"), s.signUp("eve")
	ids := s.chain(ann, "a", "b", "c", "d")
	pair := s.chain(ann, "p", "q")
	other := s.call("POST", "/lists/", ann.access, `{"name":"other"}`).id("list.id")
	elsewhere := s.made(ann, `{"title":"x","list_id":%d}`, other).id("task.id")
	hers := s.made(eve, `{"title":"hers"}`).id("task.id")
	inbox := s.got(ann, ids[0]).id("list_id")
	for _, c := range []struct {
		what         string
		task, parent int64
		more, code   string
	}{
		{"depth 5", pair[1], ids[3], "", "bad_parent"}, {"depth 5 with what is below", pair[0], ids[2], "", "bad_parent"}, {"itself", ids[0], ids[0], "", "bad_parent"},
		{"its child", ids[0], ids[1], "", "bad_parent"}, {"its grandchild", ids[0], ids[3], "", "bad_parent"}, {"a parent of another list", pair[0], elsewhere, fmt.Sprintf(`,"list_id":%d`, inbox), "bad_parent"},
		{"nobody", pair[0], 999999, "", "task_not_found"}, {"a stranger's", pair[0], hers, "", "task_not_found"},
	} {
		body := fmt.Sprintf(`{"parent_id":%d%s}`, c.parent, c.more)
		for _, call := range [][2]string{{"PATCH", ""}, {"PUT", ""}, {"POST", "/move"}} {
			a := s.call(call[0], fmt.Sprintf("/tasks/%d%s", c.task, call[1]), ann.access, body)
			if want := map[string]int{"bad_parent": 422, "task_not_found": 404}[c.code]; a.status != want || a.str("code") != c.code {
				t.Errorf("%s by %s: %d %s", c.what, call[0], a.status, a.text)
			}
		}
	}
	if a := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"e","parent_id":%d}`, ids[3])); a.status != 422 || a.str("code") != "bad_parent" {
		t.Errorf("made at depth 5: %d %s", a.status, a.text)
	}
	if a := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"e","parent_id":%d,"list_id":%d}`, ids[0], other)); a.status != 422 || a.str("code") != "bad_parent" {
		t.Errorf("made below a task of another list: %d %s", a.status, a.text)
	}
	s.changed(ann, pair[0], `{"parent_id":%d}`, ids[1])
	if got := s.below(ann, ids[1]); got != "p c" {
		t.Errorf("four levels: %s", got)
	}
}

// Two moves at once, each of which is right, never make a cycle together.
func TestTwoMovesAtOnceMakeNoCycle(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for range 10 {
		a, b := s.task(ann, "a"), s.task(ann, "b")
		pair := [2]int64{a, b}
		got := atOnce(2, func(i int) answer {
			return s.call("POST", fmt.Sprintf("/tasks/%d/move", pair[i]), ann.access, fmt.Sprintf(`{"parent_id":%d}`, pair[1-i]))
		})
		if got[200] != 1 || got[422] != 1 {
			t.Errorf("%v", got)
		}
		if above := []any{s.got(ann, a).at("parent_id"), s.got(ann, b).at("parent_id")}; slices.Contains(above, nil) == (above[0] == above[1]) {
			t.Errorf("the parents are %v", above)
		}
	}
}

// The 501st child is refused, made or moved, also by two at once.
func TestTheChildThatIsOneTooMany(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	parent, moved := s.task(ann, "parent"), s.task(ann, "moved")
	for range todo.MaxChildren - 1 {
		_, err := s.db.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: ann.id, Title: "child", Parent: todo.ByID(parent), CreatedAt: s.clock.Now()})
		must(t, err)
	}
	body := fmt.Sprintf(`{"title":"t","parent_id":%d}`, parent)
	if got := atOnce(2, func(int) answer { return s.call("POST", "/tasks/", ann.access, body) }); got[201] != 1 || got[422] != 1 {
		t.Errorf("the last two at once: %v", got)
	}
	for _, call := range [][2]string{{"POST", "/tasks/"}, {"PATCH", fmt.Sprint("/tasks/", moved)}, {"POST", fmt.Sprintf("/tasks/%d/move", moved)}} {
		if a := s.call(call[0], call[1], ann.access, body); a.status != 422 || a.str("code") != "too_many_children" {
			t.Errorf("%s %s: %d %s", call[0], call[1], a.status, a.text)
		}
	}
	if a := s.call("GET", fmt.Sprint("/tasks/?per_page=1&parent_id=", parent), ann.access, ""); a.id("pagination.total") != todo.MaxChildren {
		t.Errorf("%s", a.text)
	}
}

// What is below a task goes with it: to another list, to the trash and back.
func TestWhatIsBelowGoesAlong(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	ids := s.chain(ann, "a", "b", "c")
	list := s.call("POST", "/lists/", ann.access, `{"name":"other"}`).id("list.id")
	inbox := s.got(ann, ids[0]).id("list_id")
	lists := func(want ...int64) {
		t.Helper()
		for i, id := range ids {
			if got := s.got(ann, id).id("list_id"); got != want[i] {
				t.Errorf("%d is in the list %d, want %d", i, got, want[i])
			}
		}
	}
	s.changed(ann, ids[0], `{"list_id":%d}`, list)
	lists(list, list, list)
	if a := s.changed(ann, ids[1], `{"list_id":%d}`, inbox); a.at("task.parent_id") != nil {
		t.Errorf("a parent in another list: %s", a.text)
	}
	lists(list, inbox, inbox)
	if a := s.call("POST", fmt.Sprintf("/tasks/%d/move", ids[1]), ann.access, fmt.Sprintf(`{"parent_id":%d}`, ids[0])); a.status != 200 || a.id("task.parent_id") != ids[0] {
		t.Errorf("%d %s", a.status, a.text)
	}
	lists(list, list, list)
	s.call("DELETE", fmt.Sprint("/tasks/", ids[1]), ann.access, "")
	for i, want := range []int{200, 404, 404} {
		if a := s.call("GET", fmt.Sprint("/tasks/", ids[i]), ann.access, ""); a.status != want {
			t.Errorf("%d after the removal: %d", i, a.status)
		}
	}
	if a := s.call("POST", fmt.Sprintf("/tasks/%d/restore", ids[1]), ann.access, ""); a.status != 200 || a.id("task.parent_id") != ids[0] || s.got(ann, ids[2]).id("parent_id") != ids[1] {
		t.Errorf("%d %s", a.status, a.text)
	}
	s.call("DELETE", fmt.Sprint("/tasks/", ids[1]), ann.access, "")
	s.call("DELETE", fmt.Sprint("/tasks/", ids[0]), ann.access, "")
	if a := s.call("POST", fmt.Sprintf("/tasks/%d/restore", ids[1]), ann.access, ""); a.status != 200 || a.at("task.parent_id") != nil || s.below(ann, ids[1]) != "c" {
		t.Errorf("without its parent: %d %s", a.status, a.text)
	}
}

// What comes back from the trash keeps to the limits too, if its parent has moved down or
// has been filled meanwhile.
func TestWhatIsRestoredKeepsToTheLimits(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	ids, above := s.chain(ann, "a", "b", "c"), s.chain(ann, "x", "y")
	s.call("DELETE", fmt.Sprint("/tasks/", ids[1]), ann.access, "")
	s.changed(ann, ids[0], `{"parent_id":%d}`, above[1])
	a := s.call("POST", fmt.Sprintf("/tasks/%d/restore", ids[1]), ann.access, "")
	if a.status != 200 || a.at("task.parent_id") != nil || s.below(ann, ids[1]) != "c" {
		t.Errorf("below a parent that is deeper now: %d %s", a.status, a.text)
	}
	parent := s.task(ann, "parent")
	child := s.made(ann, `{"title":"child","parent_id":%d}`, parent).id("task.id")
	s.call("DELETE", fmt.Sprint("/tasks/", child), ann.access, "")
	for range todo.MaxChildren {
		_, err := s.db.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: ann.id, Title: "other", Parent: todo.ByID(parent), CreatedAt: s.clock.Now()})
		must(t, err)
	}
	if a := s.call("POST", fmt.Sprintf("/tasks/%d/restore", child), ann.access, ""); a.status != 200 || a.at("task.parent_id") != nil {
		t.Errorf("below a parent that is full: %d %s", a.status, a.text)
	}
}
