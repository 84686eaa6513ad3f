package mcp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"taskapi/app"
	"taskapi/app/todo"
)

func reading() []string { return []string{"find_tasks", "get_task", "list_changes", "list_lists"} }

func writing() []string {
	return []string{"add_tasks", "complete_tasks", "delete_tasks", "move_task", "reopen_tasks", "undo", "update_task"}
}

// A token sees the tools that its scopes are good for, and no others exist for it.
func TestScopes(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	reader, writer := w.token(ann, "r", app.ScopeTasksRead), w.token(ann, "w", app.ScopeTasksRead, app.ScopeTasksWrite)
	both := slices.Sorted(slices.Values(append(reading(), writing()...)))
	for _, d := range doors() {
		for token, want := range map[string][]string{reader: reading(), writer: both} {
			c := w.over(d, token, nil)
			list, err := c.ListTools(context.Background(), nil)
			must(t, err)
			var names []string
			for _, tool := range list.Tools {
				names = append(names, tool.Name)
			}
			if slices.Sort(names); !slices.Equal(names, want) {
				t.Errorf("%s: %v, want %v", d.name, names, want)
			}
		}
		c := w.over(d, reader, nil)
		if _, err := c.CallTool(context.Background(), &sdk.CallToolParams{Name: "add_tasks", Arguments: json.RawMessage(`{"tasks":[{"title":"x"}]}`)}); err == nil {
			t.Errorf("%s: a token that may read has written", d.name)
		}
	}
	if n := w.over(doors()[0], reader, nil).open(); n != 0 {
		t.Errorf("%d tasks", n)
	}
	for token, want := range map[string]int{"": 401, "nonsense": 401, w.token(ann, "none", app.ScopeTasksWrite): 403, w.token(ann, "other", app.ScopeAccount): 403, reader: 200} {
		if status, text := w.post(token, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, nil); status != want {
			t.Errorf("%q: %d %s, want %d", token, status, text, want)
		}
	}
}

// post sends a message without a client.
func (w *world) post(token, message string, header map[string]string) (int, string) {
	w.t.Helper()
	request, err := http.NewRequest("POST", w.url+"/mcp", strings.NewReader(message))
	must(w.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	return w.do(request)
}

// Every tool has what clients show of it, and schemas that say which fields there are.
func TestDescriptions(t *testing.T) {
	w := start(t)
	list, err := w.assistant(w.signUp("ann")).ListTools(context.Background(), nil)
	must(t, err)
	for _, tool := range list.Tools {
		hints := tool.Annotations
		if tool.Title == "" || tool.Description == "" || hints == nil || hints.DestructiveHint == nil || hints.OpenWorldHint == nil || *hints.OpenWorldHint {
			t.Errorf("%s: %+v", tool.Name, hints)
			continue
		}
		if hints.ReadOnlyHint != slices.Contains(reading(), tool.Name) || *hints.DestructiveHint != (slices.Contains(writing(), tool.Name) && tool.Name != "add_tasks") {
			t.Errorf("%s: %+v", tool.Name, hints)
		}
		for _, schema := range []any{tool.InputSchema, tool.OutputSchema} {
			text, err := json.Marshal(schema)
			must(t, err)
			object, _ := schema.(map[string]any)
			if object["type"] != "object" || object["additionalProperties"] != false || strings.Contains(string(text), `"type":[`) {
				t.Errorf("%s: %s", tool.Name, text)
			}
		}
	}
}

func TestTheLifeOfATask(t *testing.T) {
	for _, d := range doors() {
		t.Run(d.name, func(t *testing.T) {
			w := start(t)
			ann := w.signUp("ann")
			c := w.over(d, w.token(ann, "claude", app.ScopeTasksRead, app.ScopeTasksWrite), nil)
			since := c.works("list_changes", `{}`)
			made := c.works("add_tasks", `{"tasks":[{"title":"Rent","due":"2026-12-01T09:00","due_zone":"Europe/Berlin","priority":"high","labels":["home"],
				"description":"to the landlord","recurrence":"FREQ=MONTHLY","reminders":[{"before":"PT1H"}]},{"title":"Milk"}],"request_id":"r1"}`)
			rent, milk := made.number("tasks", 0, "id"), made.number("tasks", 1, "id")
			for path, want := range map[string]any{"title": "Rent", "priority": "high", "description": "to the landlord", "recurrence": "FREQ=MONTHLY", "completed": false} {
				if got := made.at("tasks", 0, path); got != want {
					t.Errorf("%s is %v, want %v", path, got, want)
				}
			}
			found := c.works("find_tasks", `{"label":"home","priority":"high","due_before":"2026-12-02","query":"landl"}`)
			if found.number("total") != 1 || found.number("tasks", 0, "id") != rent {
				t.Error(found.text)
			}
			under := c.works("add_tasks", fmt.Sprintf(`{"tasks":[{"title":"Part","parent":%d}]}`, milk))
			if whole := c.works("get_task", fmt.Sprintf(`{"id":%d}`, milk)); whole.number("subtasks", 0, "id") != under.number("tasks", 0, "id") {
				t.Error(whole.text)
			}
			// What is not named stays, and null clears.
			changed := c.works("update_task", fmt.Sprintf(`{"id":%d,"title":"Rent 2","labels_add":["money"],"recurrence":null}`, rent))
			if got := fmt.Sprint(changed.at("changed_fields")); got != "[title labels recurrence]" || changed.at("tasks", 0, "description") != "to the landlord" || changed.at("tasks", 0, "recurrence") != nil {
				t.Error(changed.text)
			}
			stale := made.number("tasks", 0, "version")
			clash := c.refused("update_task", fmt.Sprintf(`{"id":%d,"version":%d,"title":"x"}`, rent, stale), "changed_meanwhile")
			if clash.at("current", "title") != "Rent 2" {
				t.Error(clash.text)
			}
			if same := c.works("update_task", fmt.Sprintf(`{"id":%d,"version":%d,"title":"Rent 2"}`, rent, changed.number("tasks", 0, "version"))); same.at("changed_fields") != nil {
				t.Error(same.text)
			}
			c.works("undo", fmt.Sprintf(`{"change":%d}`, changed.number("change")))
			if back := c.works("get_task", fmt.Sprintf(`{"id":%d}`, rent)); back.at("task", "title") != "Rent" || back.at("task", "recurrence") != "FREQ=MONTHLY" {
				t.Error(back.text)
			}
			// A task that repeats moves on.
			if done := c.works("complete_tasks", fmt.Sprintf(`{"ids":[%d,%d]}`, rent, milk)); done.at("tasks", 0, "completed") != false || done.at("tasks", 0, "due", "date") != "2027-01-01T09:00" || done.at("tasks", 1, "completed") != true {
				t.Error(done.text)
			}
			if open := c.works("reopen_tasks", fmt.Sprintf(`{"ids":[%d]}`, milk)); open.at("tasks", 0, "completed") != false {
				t.Error(open.text)
			}
			if moved := c.works("move_task", fmt.Sprintf(`{"id":%d,"before":%d}`, milk, rent)); moved.number("tasks", 0, "id") != milk {
				t.Error(moved.text)
			}
			gone := c.works("delete_tasks", fmt.Sprintf(`{"ids":[%d]}`, milk))
			if gone.number("affected") != 2 || gone.number("change") == 0 {
				t.Error(gone.text)
			}
			c.refused("get_task", fmt.Sprintf(`{"id":%d}`, milk), "task_not_found")
			news := c.works("list_changes", fmt.Sprintf(`{"since":%q}`, since.at("cursor")))
			if news.at("deleted", 0) == nil || news.length("tasks") == 0 {
				t.Error(news.text)
			}
			c.works("undo", fmt.Sprintf(`{"change":%d}`, gone.number("change")))
			c.works("get_task", fmt.Sprintf(`{"id":%d}`, milk))
		})
	}
}

// What is wrong is said, and nothing is done.
func TestMistakes(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	c.add(1)
	for arguments, want := range map[string]string{
		`{"tasks":[]}`:                                                              "must have at least 1",
		`{"tasks":[{"title":"x","nonsense":1}]}`:                                    "nonsense",
		`{"tasks":[{"title":"x"}],"user_id":7}`:                                     "user_id",
		`{"tasks":[{"title":"x","due":"sunday"}]}`:                                  "The field due must be a date",
		`{"tasks":[{"title":"a"},{"title":" "}]}`:                                   `"task_number":2`,
		`{"tasks":[{"title":"x","priority":"p"}]}`:                                  "priority",
		`{"tasks":[{"title":"x","parent":99}]}`:                                     "task_not_found",
		`{"tasks":[{"title":"x","list":"none"}]}`:                                   "list_not_found",
		`{"tasks":[{"title":"x"}],"request_id":"a b"}`:                              "request_id",
		`{"tasks":[{"title":"x","due":"2026-12-01T09:00+01:00"}]}`:                  "offset",
		`{"tasks":[` + strings.Repeat(`{"title":"x"},`, 20) + `{"title":"x"}]}`:     "must have at most 20",
		`{"tasks":[{"title":"` + strings.Repeat("x", 101) + `"}]}`:                  "at most 100 characters",
		`{"tasks":[{"title":"x","labels":["a,b"]}]}`:                                "without a comma",
		`{"tasks":[{"title":"x","due":"2026-12-01","recurrence":"FREQ=SECONDLY"}]}`: "recurrence",
	} {
		if r := c.use("add_tasks", arguments); !r.isError || !strings.Contains(r.text, want) {
			t.Errorf("%s: %t %s, want %s", arguments, r.isError, r.text, want)
		}
	}
	for tool, arguments := range map[string]string{
		"update_task": `{"id":1,"uid":"x"}`, "delete_tasks": `{"ids":[1],"permanent":true}`, "find_tasks": `{"limit":51}`, "list_changes": `{"limit":101}`,
		"get_task": `{}`, "move_task": `{"id":1,"list_id":1}`, "undo": `{"change":"x"}`,
	} {
		if r := c.use(tool, arguments); !r.isError {
			t.Errorf("%s %s: %s", tool, arguments, r.text)
		}
	}
	c.refused("complete_tasks", `{"ids":[1,99]}`, "task_not_found")
	c.refused("undo", `{"change":99999}`, "change_not_found")
	c.refused("list_changes", `{"since":"zzz-5"}`, "sync_expired")
	c.refused("find_tasks", `{"view":"today","completed":true}`, "invalid_parameter")
	if n := c.open(); n != 1 {
		t.Errorf("%d open tasks, want the one", n)
	}
}

// A task of which only its app knows all dates is completed there alone, also with others at once.
func TestOnlyItsAppCompletesASeries(t *testing.T) {
	w := start(t)
	ann := w.signUp("ann")
	c := w.over(doors()[0], w.token(ann, "t", app.ScopeTasksRead, app.ScopeTasksWrite), nil)
	calendars := &todo.Calendars{Store: w.db, Lists: w.lists, Now: w.clock.Now, Lineage: w.db.Lineage()}
	all, err := calendars.Collections(t.Context(), ann.Caller)
	must(t, err)
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VTODO\r\nUID:hourly\r\nSUMMARY:x\r\nDUE:20261205T090000Z\r\nRRULE:FREQ=HOURLY\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
	_, _, err = calendars.Put(t.Context(), ann.Caller, all[0].UID, "hourly.ics", []byte(text), todo.CalendarCondition{})
	must(t, err)
	other := c.works("add_tasks", `{"tasks":[{"title":"plain"}]}`).number("tasks", 0, "id")
	c.refused("complete_tasks", fmt.Sprintf(`{"ids":[%d,"hourly"]}`, other), "repeats_in_app")
	if n := c.open(); n != 2 {
		t.Errorf("%d open tasks, want both", n)
	}
}

// Pages of what was found go on where the one before ended.
func TestPages(t *testing.T) {
	w := start(t)
	c := w.assistant(w.signUp("ann"))
	for range 3 {
		c.add(20)
	}
	for _, sort := range []string{"", `"sort":"-priority",`, `"sort":"title",`, `"list":"Inbox",`} {
		seen, after := map[int64]bool{}, ""
		for range 10 {
			page := c.works("find_tasks", fmt.Sprintf(`{%s"limit":25,"after":%q}`, sort, after))
			for i := range page.length("tasks") {
				seen[page.number("tasks", i, "id")] = true
			}
			after, _ = page.at("next_after").(string)
			if after == "" {
				break
			}
		}
		if len(seen) != 60 {
			t.Errorf("%s: %d of 60", sort, len(seen))
		}
	}
	page := c.works("find_tasks", `{"limit":1}`)
	c.refused("find_tasks", fmt.Sprintf(`{"limit":1,"sort":"title","after":%q}`, page.at("next_after")), "cursor_mismatch")
	long := strings.Repeat("ä", 500)
	c.works("update_task", fmt.Sprintf(`{"id":1,"description":%q}`, long))
	if cut := c.works("find_tasks", `{"query":"t1","limit":1}`); cut.at("tasks", 0, "description") != long[:400] || cut.at("tasks", 0, "description_cut") != true {
		t.Error(cut.text)
	}
	if whole := c.works("get_task", `{"id":1}`); whole.at("task", "description") != long {
		t.Error(whole.text)
	}
}

// A name of a list that stands for several is never guessed at.
func TestListsByName(t *testing.T) {
	w := start(t)
	ann, bob := w.signUp("ann"), w.signUp("bob")
	c := w.assistant(ann)
	ids := map[string]int64{}
	for _, name := range []string{"Work", "Café", "2026", "Home", "Home", "case", "CASE"} {
		list, err := w.lists.Create(context.Background(), ann.Caller, todo.ListInput{Name: app.Given(name)})
		must(t, err)
		ids[name] = list.ID
	}
	theirs, err := w.lists.Create(context.Background(), bob.Caller, todo.ListInput{Name: app.Given("Bob's")})
	must(t, err)
	for argument, want := range map[string]int64{
		`"Work"`: ids["Work"], `"work"`: ids["Work"], `"cafe"`: ids["Café"], `" Work "`: ids["Work"], `"2026"`: ids["2026"], `"CASE"`: ids["CASE"], `"case"`: ids["case"],
		fmt.Sprint(ids["Home"]): ids["Home"], fmt.Sprintf(`"%d"`, ids["Home"]): ids["Home"],
	} {
		if made := c.works("add_tasks", fmt.Sprintf(`{"tasks":[{"title":"x","list":%s}]}`, argument)); made.number("tasks", 0, "list", "id") != want {
			t.Errorf("%s: %s, want %d", argument, made.text, want)
		}
	}
	for _, arguments := range []string{`{"list":"Home"}`, `{"list":"home"}`, `{"list":"Case"}`} {
		if r := c.refused("find_tasks", arguments, "ambiguous_list"); r.length("candidates") != 2 {
			t.Error(r.text)
		}
	}
	if near := c.refused("find_tasks", `{"list":"wor"}`, "list_not_found"); near.at("candidates", 0, "title") != "Work" {
		t.Error(near.text)
	}
	for _, argument := range []string{`"Bob's"`, fmt.Sprint(theirs.ID), `0`, `-1`, `1.5`, `"` + strings.Repeat("x", 5000) + `"`} {
		if r := c.use("find_tasks", `{"list":`+argument+`}`); !r.isError {
			t.Errorf("%.50s: %s", argument, r.text)
		}
	}
}

// Nobody's tools reach what is others', an admin's neither.
func TestOthersAreOutOfReach(t *testing.T) {
	w := start(t)
	ann, bob := w.signUp("ann"), w.signUp("bob")
	made := w.assistant(ann).add(1)
	id := made.number("tasks", 0, "id")
	must(t, w.makeAdmin(bob))
	token := w.token(bob, "admin", app.ScopeTasksRead, app.ScopeTasksWrite, app.ScopeAdmin)
	for _, d := range doors() {
		c := w.over(d, token, nil)
		for tool, arguments := range map[string]string{
			"get_task": `{"id":%d}`, "update_task": `{"id":%d,"title":"x"}`, "complete_tasks": `{"ids":[%d]}`, "reopen_tasks": `{"ids":[%d]}`,
			"delete_tasks": `{"ids":[%d]}`, "move_task": `{"id":%d,"list":"Inbox"}`, "add_tasks": `{"tasks":[{"title":"x","parent":%d}]}`,
		} {
			c.refused(tool, fmt.Sprintf(arguments, id), "task_not_found")
		}
		c.refused("undo", fmt.Sprintf(`{"change":%d}`, made.number("change")), "change_not_found")
		if n := c.open(); n != 0 {
			t.Errorf("%d tasks of somebody else", n)
		}
	}
}

func (w *world) makeAdmin(p person) error {
	_, err := w.db.SetRole(context.Background(), p.UserID, app.RoleAdmin, noRecord())
	return err
}
