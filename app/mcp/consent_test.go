package mcp_test

import (
	"fmt"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
)

// bigTree adds a task with six subtasks, of which one has two of its own, and returns its id.
func (c *client) bigTree() int64 {
	c.t.Helper()
	top := c.works("add_tasks", `{"tasks":[{"title":"top"}]}`).number("tasks", 0, "id")
	var tasks []string
	for i := range 6 {
		tasks = append(tasks, fmt.Sprintf(`{"title":"below %d","parent":%d}`, i, top))
	}
	child := c.works("add_tasks", `{"tasks":[`+strings.Join(tasks, ",")+`]}`).number("tasks", 0, "id")
	c.works("add_tasks", fmt.Sprintf(`{"tasks":[{"title":"deep a","parent":%d},{"title":"deep b","parent":%d}]}`, child, child))
	return top
}

// What goes along with a task is counted and shown, and the consent is for just that: of any
// task that is another by now, the person has not been told.
func TestConsentCoversSubtasks(t *testing.T) {
	for tool, arguments := range map[string]string{"delete_tasks": `{"ids":[%d]%s}`, "complete_tasks": `{"ids":[%d]%s}`, "update_task": `{"id":%d,"completed":true%s}`} {
		w := start(t)
		c := w.assistant(w.signUp("ann"))
		top := c.bigTree()
		use := func(more string) result { return c.works(tool, fmt.Sprintf(arguments, top, more)) }
		if got := use(`,"confirm":true`); got.at("done") != false || got.number("affected") != 9 || got.length("tasks") != 9 || !strings.Contains(got.text, "deep b") || c.open() != 9 {
			t.Errorf("%s: %s", tool, got.text)
		}
		for _, change := range [][2]string{
			{"update_task", `{"id":5,"title":"my thesis"}`}, {"delete_tasks", `{"ids":[6]}`}, {"add_tasks", `{"tasks":[{"title":"new","parent":5}]}`},
		} {
			c.works(change[0], change[1])
			if got := use(`,"confirm":true`); got.at("done") != false {
				t.Errorf("%s after %s: %s", tool, change[0], got.text)
			}
		}
		got := use(`,"confirm":true`)
		if got.at("done") != true || got.number("affected") != 9 || c.open() != 0 || tool != "update_task" && !strings.Contains(got.text, "ed: 9.") {
			t.Errorf("%s: %s", tool, got.text)
		}
	}
}

// The question has the subtasks, each below its task.
func TestQuestionsNameSubtasks(t *testing.T) {
	for _, d := range doors() {
		if strings.HasPrefix(d.name, "HTTP, an older") {
			continue // which can't be asked
		}
		w := start(t)
		c := w.over(d, w.token(w.signUp("ann"), "claude", app.ScopeTasksRead, app.ScopeTasksWrite), agrees)
		top := c.bigTree()
		c.works("update_task", fmt.Sprintf(`{"id":%d,"completed":true}`, top))
		c.works("reopen_tasks", fmt.Sprintf(`{"ids":[%d]}`, top))
		c.works("delete_tasks", fmt.Sprintf(`{"ids":[%d]}`, top))
		if len(c.asked) != 2 || !strings.Contains(c.asked[0], "complete 9 tasks:\n- top\n  - below 0\n    - deep a\n    - deep b\n  - below 1\n") || !strings.Contains(c.asked[1], "delete 9 tasks:\n- top\n  - below 0\n") {
			t.Errorf("%s: asked %q", d.name, c.asked)
		}
	}
}

// Who was asked and did not agree, or did not answer, has been shown nothing: another client
// of the same token can't confirm for them.
func TestADeclinedQuestionConfirmsNothing(t *testing.T) {
	w := start(t)
	token := w.token(w.signUp("ann"), "claude", app.ScopeTasksRead, app.ScopeTasksWrite)
	open := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_tasks","arguments":{"ids":[1,2,3,4,5,6]},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}`
	header := map[string]string{"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "delete_tasks"}
	mute := w.over(doors()[0], token, nil)
	mute.add(6)
	if status, text := w.post(token, open, header); status != 200 || !strings.Contains(text, "delete 6 tasks") {
		t.Fatal(status, text)
	}
	confirm := func() result { return mute.works("delete_tasks", `{"ids":[1,2,3,4,5,6],"confirm":true}`) }
	if got := confirm(); got.at("done") != false { // and now it is shown
		t.Fatal(got.text)
	}
	no := w.over(doors()[0], token, func(*sdk.ElicitParams) *sdk.ElicitResult { return &sdk.ElicitResult{Action: "decline"} })
	if got := no.works("delete_tasks", `{"ids":[1,2,3,4,5,6]}`); got.at("done") != false {
		t.Fatal(got.text)
	}
	if got := confirm(); got.at("done") != false {
		t.Fatal(got.text)
	}
	if got := confirm(); got.at("done") != true {
		t.Error(got.text)
	}
}
