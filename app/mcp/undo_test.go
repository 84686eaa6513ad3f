package mcp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/mcp"
	"taskapi/app/todo"
)

// inPage does something as the person does it elsewhere, and returns the number of the change.
func (w *world) inPage(do func(ctx context.Context) error) (change int64) {
	w.t.Helper()
	must(w.t, do(app.NoteChange(context.Background(), &change)))
	return change
}

// What assistants undo is tasks only: a list that was made stays, and one that was deleted is
// the person's to bring back.
func TestUndoLeavesListsAlone(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	c := w.assistant(ann)
	var list todo.List
	changes := map[string]int64{
		"made": w.inPage(func(ctx context.Context) (err error) {
			list, err = w.lists.Create(ctx, ann.Caller, todo.ListInput{Name: app.Given("Work")})
			return err
		}),
		"renamed": w.inPage(func(ctx context.Context) error {
			_, err := w.lists.Update(ctx, ann.Caller, todo.ByID(list.ID), todo.ListInput{Name: app.Given("Job")})
			return err
		}),
	}
	for name, change := range changes {
		for _, more := range []string{"", `,"dry_run":true`, `,"confirm":true`} {
			if got := c.refused("undo", fmt.Sprintf(`{"change":%d%s}`, change, more), "not_undoable"); !strings.Contains(got.text, "list") {
				t.Errorf("%s%s: %s", name, more, got.text)
			}
		}
	}
	if now, err := w.lists.Get(context.Background(), ann.Caller, todo.ByID(list.ID)); err != nil || now.Name != "Job" {
		t.Errorf("the list is %+v, %v", now, err)
	}
}

// An undo of many tasks, and one of what the assistant has not done itself, needs consent, for
// which the tasks are shown.
func TestUndoNeedsConsent(t *testing.T) {
	for _, d := range doors() {
		w := start(t)
		ann := w.signUp("ann")
		token := w.token(ann, "claude", app.ScopeTasksRead, app.ScopeTasksWrite)
		c := w.over(d, token, nil)
		undo := func(change int64, more string) result {
			return c.works("undo", fmt.Sprintf(`{"change":%d%s}`, change, more))
		}

		// What the assistant did, to few tasks, is its own.
		few := c.add(5)
		if got := undo(few.number("change"), ""); got.at("done") != true || got.length("went") != 5 || got.number("affected") != 5 || c.open() != 0 {
			t.Errorf("%s: %s", d.name, got.text)
		} else if back := undo(got.number("change"), ""); back.at("done") != true || back.length("came_back") != 5 || back.at("tasks", 0, "title") != "t1" || c.open() != 5 {
			t.Errorf("%s: %s", d.name, back.text)
		}
		// Many tasks are the person's.
		many := c.add(6).number("change")
		if got := undo(many, `,"confirm":true`); got.at("done") != false || got.length("tasks") != 6 || !strings.Contains(got.text, "6 tasks go to the trash") || c.open() != 11 {
			t.Errorf("%s: %s", d.name, got.text)
		}
		if got := undo(many, `,"confirm":true`); got.at("done") != true || c.open() != 5 {
			t.Errorf("%s: %s", d.name, got.text)
		}
		// So is a change that was made elsewhere, however small.
		var task todo.Task
		w.inPage(func(ctx context.Context) (err error) {
			task, err = w.tasks.Create(ctx, ann.Caller, todo.TaskInput{Title: app.Given("draft")})
			return err
		})
		edit := w.inPage(func(ctx context.Context) error {
			_, err := w.tasks.Update(ctx, ann.Caller, todo.ByID(task.ID), todo.TaskInput{Title: app.Given("thesis")})
			return err
		})
		if got := undo(edit, ""); got.at("done") != false || got.at("tasks", 0, "id") != float64(task.ID) || !strings.Contains(got.text, "elsewhere") {
			t.Errorf("%s: %s", d.name, got.text)
		}
		if got := undo(edit, `,"confirm":true`); got.at("done") != true || got.at("tasks", 0, "title") != "draft" {
			t.Errorf("%s: %s", d.name, got.text)
		}
		// Another token has not done what this one has.
		own := c.works("update_task", fmt.Sprintf(`{"id":%d,"priority":"high"}`, task.ID)).number("change")
		other := w.over(d, w.token(ann, "other", app.ScopeTasksRead, app.ScopeTasksWrite), nil)
		if got := other.works("undo", fmt.Sprintf(`{"change":%d}`, own)); got.at("done") != false {
			t.Errorf("%s: %s", d.name, got.text)
		}
		// A dry run undoes nothing.
		if got := undo(own, `,"dry_run":true`); got.at("done") != false || c.works("get_task", fmt.Sprintf(`{"id":%d}`, task.ID)).at("task", "priority") != "high" {
			t.Errorf("%s: %s", d.name, got.text)
		}
	}
}

// The question about an undo names the tasks, and what becomes of them.
func TestUndoAsks(t *testing.T) {
	for _, d := range doors() {
		if strings.HasPrefix(d.name, "HTTP, an older") {
			continue // which can't be asked
		}
		w := start(t)
		token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead, app.ScopeTasksWrite)
		no := w.over(d, token, func(*sdk.ElicitParams) *sdk.ElicitResult { return &sdk.ElicitResult{Action: "decline"} })
		change := no.add(6).number("change")
		if got := no.works("undo", fmt.Sprintf(`{"change":%d}`, change)); got.at("done") != false || len(no.asked) != 1 || !strings.Contains(no.asked[0], "- t3 (goes)\n") {
			t.Errorf("%s: asked %q: %s", d.name, no.asked, got.text)
		}
		yes := w.over(d, token, agrees)
		if got := yes.works("undo", fmt.Sprintf(`{"change":%d}`, change)); got.at("done") != true || yes.open() != 0 {
			t.Errorf("%s: %s", d.name, got.text)
		}
	}
}

// Without a trash, an undo that deletes needs consent for one task.
func TestUndoWithoutTrash(t *testing.T) {
	w := start(t, func(c *mcp.Config) { c.Tasks.KeepTrash = false })
	c := w.assistant(w.signUp("ann"))
	change := c.add(1).number("change")
	if got := c.works("undo", fmt.Sprintf(`{"change":%d}`, change)); got.at("done") != false || !strings.Contains(got.text, "for good") || c.open() != 1 {
		t.Error(got.text)
	}
	if got := c.works("undo", fmt.Sprintf(`{"change":%d,"confirm":true}`, change)); got.at("done") != true || c.open() != 0 {
		t.Error(got.text)
	}
	// A deletion that can't be taken back offers no undo.
	ids := c.add(1).ids()
	c.works("delete_tasks", fmt.Sprintf(`{"ids":%s}`, ids))
	if got := c.works("delete_tasks", fmt.Sprintf(`{"ids":%s,"confirm":true}`, ids)); got.at("done") != true || got.at("undo") != nil || got.at("change") != nil {
		t.Error(got.text)
	}
}

// A completed occurrence of a repeating task goes back with one undo, without consent.
func TestUndoOfAnOccurrence(t *testing.T) {
	w := start(t, func(c *mcp.Config) { c.Tasks.KeepTrash = false })
	c := w.assistant(w.signUp("ann"))
	c.works("add_tasks", `{"tasks":[{"title":"daily","due":"2026-11-30","recurrence":"FREQ=DAILY"}]}`)
	done := c.works("complete_tasks", `{"ids":[1]}`)
	if got := c.works("undo", fmt.Sprintf(`{"change":%d}`, done.number("change"))); got.at("done") != true || got.at("tasks", 0, "due", "date") != "2026-11-30" || got.number("affected") != 1 {
		t.Error(got.text)
	}
}
