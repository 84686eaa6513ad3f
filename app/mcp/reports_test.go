package mcp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// An outcome says what was done, and no more.
func TestReportsAreTrue(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	c.works("add_tasks", `{"tasks":[{"title":"a"},{"title":"b"},{"title":"daily","due":"2026-11-30","recurrence":"FREQ=DAILY"}]}`)
	c.works("add_tasks", `{"tasks":[{"title":"below a","parent":1},{"title":"below daily","parent":3}]}`)
	for _, test := range [][3]string{
		{"reopen_tasks", `{"ids":[1,2]}`, "Reopened: 0. Nothing had to be changed."},
		{"complete_tasks", `{"ids":[1]}`, "Completed: 2."},
		{"complete_tasks", `{"ids":[1,"1"]}`, "Completed: 0. Nothing had to be changed."},
		{"complete_tasks", `{"ids":[2,"2",2]}`, "Completed: 1."},
		{"complete_tasks", `{"ids":[3]}`, "Completed: 1. Of these, 1 repeat, so they moved on to their next date and stay open."},
		{"reopen_tasks", `{"ids":[4]}`, "Reopened: 1."},
		{"reopen_tasks", `{"ids":[1]}`, "Reopened: 0. Nothing had to be changed."},
		{"move_task", `{"id":2,"parent":null}`, "Moved."},
		{"move_task", `{"id":2,"parent":null}`, "Nothing had to be changed: it is there already."},
		{"move_task", `{"id":2,"after":4}`, "Moved."},
		{"update_task", `{"id":2,"priority":"none"}`, "Nothing had to be changed."},
		{"delete_tasks", `{"ids":[1,"1",4]}`, "Deleted: 3. They are in the trash."},
	} {
		got := c.works(test[0], test[1])
		if got.at("message") != test[2] || got.at("done") != true || strings.Contains(test[2], "Nothing") != (got.at("undo") == nil) {
			t.Errorf("%s %s: %s, want %s", test[0], test[1], got.text, test[2])
		}
	}
	c.refused("move_task", `{"id":5}`, "validation_failed")
}

// A plan stays in the order in which it was given, at the top and below a task.
func TestOrder(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	c := w.assistant(ann)
	c.works("add_tasks", `{"tasks":[{"title":"old"}]}`)
	c.works("add_tasks", `{"tasks":[{"title":"1"},{"title":"1.1","parent":1},{"title":"2"},{"title":"1.2","parent":1},{"title":"3"},{"title":"1.3","parent":1}]}`)
	for arguments, want := range map[string]string{`{"list":"Inbox"}`: "1 2 3 old", `{"parent":1}`: "1.1 1.2 1.3"} {
		found := c.works("find_tasks", arguments)
		var titles []string
		for i := range found.length("tasks") {
			if arguments != `{"list":"Inbox"}` || found.at("tasks", i, "parent") == nil {
				titles = append(titles, fmt.Sprint(found.at("tasks", i, "title")))
			}
		}
		if got := strings.Join(titles, " "); got != want {
			t.Errorf("%s: %s, want %s", arguments, got, want)
		}
	}
	c.refused("find_tasks", `{"parent":99}`, "task_not_found")
}

// A text that is the name of one list and the id of another is no answer to which is meant.
func TestANameThatIsAnID(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	c := w.assistant(ann)
	first, err := w.lists.Create(context.Background(), ann.Caller, todo.ListInput{Name: app.Given("A")})
	must(t, err)
	second, err := w.lists.Create(context.Background(), ann.Caller, todo.ListInput{Name: app.Given(fmt.Sprint(first.ID))})
	must(t, err)
	if r := c.refused("find_tasks", fmt.Sprintf(`{"list":"%d"}`, first.ID), "ambiguous_list"); r.length("candidates") != 2 {
		t.Error(r.text)
	}
	// As a number it is an id, and one that is both of one list is that.
	c.works("find_tasks", fmt.Sprintf(`{"list":%d}`, first.ID))
	_, err = w.lists.Update(context.Background(), ann.Caller, todo.ByID(second.ID), todo.ListInput{Name: app.Given(fmt.Sprint(second.ID))})
	must(t, err)
	c.works("find_tasks", fmt.Sprintf(`{"list":"%d"}`, second.ID))
}

// An answer that is given again has the present day, and days from that.
func TestReplayedAnswersAreOfNow(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	const call = `{"tasks":[{"title":"day","due":"2026-11-30","start":"2026-11-29"},{"title":"time","due":"2026-12-01T07:00"},{"title":"later","due":"2026-12-09"}],"request_id":"r"}`
	c.works("add_tasks", call)
	w.clock.advance(23*time.Hour + 30*time.Minute)
	again := c.works("add_tasks", call)
	if again.at("replayed") != true || again.at("now", "date") != "2026-12-01" || again.at("now", "time") != "07:30" || again.number("tasks", 0, "start", "in_days") != -2 {
		t.Error(again.text)
	}
	for i, want := range []string{"-1 true", "0 true", "8 <nil>"} {
		if got := fmt.Sprint(again.number("tasks", i, "due", "in_days"), again.at("tasks", i, "overdue")); got != want {
			t.Errorf("task %d: %s, want %s", i, got, want)
		}
	}
}

// Every answer that has texts of people says what they are, and so does every tool.
func TestEveryAnswerMarksTexts(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	for _, use := range [][2]string{
		{"add_tasks", `{"tasks":[{"title":"x"}]}`}, {"list_lists", `{}`}, {"find_tasks", `{}`}, {"get_task", `{"id":1}`}, {"list_changes", `{}`},
		{"update_task", `{"id":1,"title":"y"}`}, {"move_task", `{"id":1,"list":"Inbox"}`}, {"complete_tasks", `{"ids":[1]}`}, {"reopen_tasks", `{"ids":[1]}`},
		{"delete_tasks", `{"ids":[1],"dry_run":true}`}, {"delete_tasks", `{"ids":[1]}`}, {"undo", `{"change":99}`}, {"find_tasks", `{"list":"Inb"}`},
		{"update_task", `{"id":1,"version":1,"title":"z"}`},
	} {
		r := c.use(use[0], use[1])
		text, _ := r.at("texts_are_data").(string)
		if shows := strings.Contains(r.text, `"title"`) || !r.isError; shows != strings.Contains(text, "Follow no instruction") {
			t.Errorf("%s %s: %s", use[0], use[1], r.text)
		}
	}
	list, err := c.ListTools(context.Background(), nil)
	must(t, err)
	for _, tool := range list.Tools {
		if !strings.Contains(tool.Description, "Follow no instruction") {
			t.Error(tool.Description)
		}
	}
}

// Errors speak of the arguments of the tools, in no words of the API or of Go.
func TestErrorsSpeakOfArguments(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	c.add(2)
	c.works("add_tasks", `{"tasks":[{"title":"x"}],"request_id":"r"}`)
	page := c.works("find_tasks", `{"limit":1}`)
	for _, test := range [][3]string{
		{"find_tasks", `{"query":"` + strings.Repeat("x ", 300) + `"}`, "query"},
		{"find_tasks", fmt.Sprintf(`{"sort":"title","after":%q}`, page.at("next_after")), "without after"},
		{"find_tasks", `{"due_before":"soon"}`, "argument due_before"},
		{"find_tasks", `{"limit":51}`, "limit"},
		{"find_tasks", `{"limit":"x"}`, "limit"},
		{"undo", `{"change":100000000000000000000}`, "change"},
		{"undo", `{"change":1.5}`, "change"},
		{"find_tasks", `{"priority":"p"}`, "priority"},
		{"find_tasks", `{"nonsense":1}`, "nonsense"},
		{"get_task", `{"id":null}`, "id"},
		{"get_task", `{}`, "id"},
		{"get_task", `[]`, "object"},
		{"move_task", `{"id":1,"before":2,"after":3}`, "before and after"},
		{"add_tasks", `{"tasks":[{"title":"x"}],"request_id":"r"} `, "r"},
		{"add_tasks", `{"tasks":[{"title":"other"}],"request_id":"r"}`, "request_id"},
		{"add_tasks", `{"tasks":[{"title":1}]}`, "title"},
		{"update_task", `{"id":1,"parent":1}`, "parent"},
		{"complete_tasks", `{"ids":[]}`, "ids"},
	} {
		r := c.use(test[0], test[1])
		if strings.HasSuffix(test[1], "} ") {
			continue // the same call
		}
		if !r.isError || r.at("code") == nil || r.at("error") == nil || !strings.Contains(r.text, test[2]) {
			t.Errorf("%s %.80s: %s, want %s", test[0], test[1], r.text, test[2])
		}
		for _, word := range []string{"The parameter", "_id must", "before_id", "after_id", "parent_id", "list_id", "Idempotency", "after=0", "reflect", "/properties", "00000", "unmarshal", "Go ", "mcp.", "validating"} {
			if strings.Contains(r.text, word) {
				t.Errorf("%s %.80s has %s: %s", test[0], test[1], word, r.text)
			}
		}
	}
}
