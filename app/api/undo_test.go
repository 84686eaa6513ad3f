package api_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/store"
)

// undo undoes what an answer says that it has changed.
func (s *server) undo(p person, a answer) answer {
	s.t.Helper()
	return s.call("POST", "/undo", p.access, fmt.Sprintf(`{"change":%s}`, a.header.Get("Change")))
}

// shown is all that somebody sees of tasks and lists, but for what each write changes.
func (s *server) shown(p person) map[string]map[string]any {
	s.t.Helper()
	all := map[string]map[string]any{}
	for name, path := range map[string]string{"tasks": "/tasks/?scope=all&per_page=100", "lists": "/lists/?archived=all&per_page=100"} {
		a := s.call("GET", path, p.access, "")
		expect(s.t, path, a, 200, "")
		for _, row := range rows(a, name) {
			delete(row.json, "version")
			delete(row.json, "date_updated")
			all[fmt.Sprint(name, " ", row.id("id"))] = row.json
		}
	}
	return all
}

// undoKind is one kind of write. In its path and body, LIST is shared and OTHER is not; TASK has
// a subtask, REPEATS and DONE are tasks beside it, GONE is in the trash and so is the list CLOSED.
type undoKind struct{ name, method, path, body string }

func undoKinds() []undoKind {
	return []undoKind{
		{"title", "PATCH", "/tasks/TASK", `{"title":"other"}`},
		{"description", "PATCH", "/tasks/TASK", `{"description":"other"}`},
		{"priority", "PATCH", "/tasks/TASK", `{"priority":"high"}`},
		{"due", "PATCH", "/tasks/TASK", `{"due":"2026-03-04","start":"2026-03-01"}`},
		{"no due", "PATCH", "/tasks/TASK", `{"due":null,"start":null}`},
		{"zone", "PATCH", "/tasks/TASK", `{"due_zone":"UTC"}`},
		{"start", "PATCH", "/tasks/TASK", `{"start":null}`},
		{"labels", "PATCH", "/tasks/TASK", `{"labels":["x"]}`},
		{"a label more", "PATCH", "/tasks/TASK", `{"labels_add":["x"]}`},
		{"recurrence", "PATCH", "/tasks/TASK", `{"recurrence":"FREQ=WEEKLY","recurrence_from":"completion"}`},
		{"no recurrence", "PATCH", "/tasks/REPEATS", `{"recurrence":null}`},
		{"assignee", "PATCH", "/tasks/TASK", `{"assignee_id":null}`},
		{"parent", "PATCH", "/tasks/TASK", `{"parent_id":DONE}`},
		{"reminders", "PATCH", "/tasks/TASK", `{"reminders":[{"before":"PT5M"}]}`},
		{"a date for as long as a reminder needs it", "POST", "/batch", `{"requests":[
			{"method":"PATCH","path":"/tasks/DONE","body":{"due":"2026-03-04T10:00","reminders":[{"at":"2026-03-05T10:00:00Z"},{"before":"PT0S"}]}},
			{"method":"PATCH","path":"/tasks/DONE","body":{"due":null,"reminders":[{"at":"2026-03-05T10:00:00Z"}]}}]}`},
		{"all at once", "PUT", "/tasks/TASK", `{"title":"x","description":"y","completed":true,"priority":"low","due":null,"start":null,"labels":[],"assignee_id":null,"reminders":[],"list_id":OTHER}`},
		{"position", "POST", "/tasks/DONE/move", `{"after_id":TASK}`},
		{"first", "POST", "/tasks/TASK/move", ``},
		{"completion", "PATCH", "/tasks/TASK", `{"completed":true}`},
		{"completion of a repeating task", "PATCH", "/tasks/REPEATS", `{"completed":true}`},
		{"reopening", "PATCH", "/tasks/DONE", `{"completed":false}`},
		{"reopening of an occurrence", "PATCH", "/tasks/COPY", `{"completed":false}`},
		{"reopening of an older occurrence", "PATCH", "/tasks/OLDER", `{"completed":false}`},
		{"another list", "PATCH", "/tasks/TASK", `{"list_id":OTHER}`},
		{"moved to another list", "POST", "/tasks/TASK/move", `{"list_id":OTHER}`},
		{"creation", "POST", "/tasks/", `{"title":"new","list_id":LIST,"labels":["home"],"due":"2026-01-01","reminders":[{"before":"PT5M"}]}`},
		{"creation of a subtask", "POST", "/tasks/", `{"title":"new","parent_id":TASK}`},
		{"creation of a completed one that repeats", "POST", "/tasks/", `{"title":"new","due":"2026-01-01","recurrence":"FREQ=DAILY","completed":true}`},
		{"deletion", "DELETE", "/tasks/TASK", ``},
		{"restoring", "POST", "/tasks/GONE/restore", ``},
		{"label renamed", "PATCH", "/labels/home", `{"name":"house"}`},
		{"label removed", "DELETE", "/labels/home", ``},
		{"list created", "POST", "/lists/", `{"name":"new","color":"#123456"}`},
		{"list renamed", "PATCH", "/lists/LIST", `{"name":"other"}`},
		{"Inbox renamed", "PATCH", "/lists/INBOX", `{"name":"other"}`},
		{"list colored", "PATCH", "/lists/LIST", `{"color":"#123456"}`},
		{"list archived", "PATCH", "/lists/LIST", `{"archived":true}`},
		{"list with all of it", "PATCH", "/lists/LIST", `{"name":"other","color":"#123456","archived":true}`},
		{"list deleted", "DELETE", "/lists/LIST", ``},
		{"list restored", "POST", "/lists/CLOSED/restore", ``},
		{"batch", "POST", "/batch", `{"requests":[
			{"method":"POST","path":"/lists/","body":{"uid":"0197a0c0-0000-7000-8000-00000000000a","name":"Trip"}},
			{"method":"POST","path":"/tasks/","body":{"title":"Tickets","list_id":"0197a0c0-0000-7000-8000-00000000000a"}},
			{"method":"PATCH","path":"/lists/0197a0c0-0000-7000-8000-00000000000a","body":{"name":"Travel","archived":true}},
			{"method":"POST","path":"/tasks/TASK/move","body":{"list_id":"0197a0c0-0000-7000-8000-00000000000a"}},
			{"method":"PATCH","path":"/tasks/TASK","body":{"title":"x","completed":true}},
			{"method":"PATCH","path":"/tasks/TASK","body":{"title":"y"}},
			{"method":"DELETE","path":"/tasks/DONE"},
			{"method":"POST","path":"/tasks/GONE/restore"},
			{"method":"PATCH","path":"/tasks/REPEATS","body":{"completed":true}},
			{"method":"DELETE","path":"/tasks/REPEATS"}]}`},
	}
}

// startUndo makes what the kinds are about.
func startUndo(t *testing.T) (trio, *strings.Replacer) {
	t.Helper()
	g := startTrio(t)
	ids := []string{}
	keep := func(name string, id int64) int64 {
		ids = append(ids, name, fmt.Sprint(id))
		return id
	}
	list := fmt.Sprintf(`"list_id":%d`, keep("LIST", g.list))
	keep("OTHER", g.newList(g.owner, "other"))
	keep("INBOX", g.inbox(g.owner))
	task := keep("TASK", g.newTask(g.owner, list+fmt.Sprintf(`,"description":"text","labels":["home","work"],"due":"2026-01-02T09:00","due_zone":"Europe/Berlin","start":"2026-01-01T08:00","priority":"low","assignee_id":%d,"reminders":[{"before":"PT1H"},{"at":"2026-01-01T00:00:00Z"}]`, g.editor.id)).id("task.id"))
	g.newTask(g.owner, fmt.Sprintf(`"parent_id":%d,"labels":["home"]`, task))
	expect(t, "a reminder of another one", g.call("PATCH", fmt.Sprint("/tasks/", task), g.viewer.access, `{"reminders":[{"before":"PT2H"}]}`), 200, "")
	repeats := keep("REPEATS", g.newTask(g.owner, list+`,"due":"2026-01-31","recurrence":"FREQ=MONTHLY"`).id("task.id"))
	g.newTask(g.owner, fmt.Sprintf(`"parent_id":%d,"completed":true`, repeats))
	for _, name := range []string{"OLDER", "COPY"} {
		a := g.call("PATCH", fmt.Sprint("/tasks/", repeats), g.owner.access, `{"completed":true}`)
		expect(t, "an occurrence", a, 200, "")
		keep(name, a.id("completed_copy.id"))
		g.clock.advance(time.Minute)
	}
	keep("DONE", g.newTask(g.owner, list+`,"completed":true`).id("task.id"))
	gone := keep("GONE", g.newTask(g.owner, list+`,"labels":["gone"]`).id("task.id"))
	g.newTask(g.owner, fmt.Sprintf(`"parent_id":%d`, gone))
	expect(t, "deleting", g.call("DELETE", fmt.Sprint("/tasks/", gone), g.owner.access, ""), 200, "")
	closed := keep("CLOSED", g.newList(g.owner, "closed"))
	g.newTask(g.owner, fmt.Sprintf(`"list_id":%d`, closed))
	expect(t, "deleting", g.call("DELETE", fmt.Sprint("/lists/", closed), g.owner.access, ""), 200, "")
	return g, strings.NewReplacer(ids...)
}

// Each kind of write is undone exactly, done again, and undone again, and so for whoever else
// sees it.
func TestUndoOfEachKind(t *testing.T) {
	for _, kind := range undoKinds() {
		t.Run(kind.name, func(t *testing.T) {
			g, fill := startUndo(t)
			all := func() map[string]map[string]map[string]any {
				return map[string]map[string]map[string]any{"owner": g.shown(g.owner), "editor": g.shown(g.editor), "viewer": g.shown(g.viewer)}
			}
			before := all()
			a := g.call(kind.method, fill.Replace(kind.path), g.owner.access, fill.Replace(kind.body))
			if a.status >= 300 {
				t.Fatalf("%d %s", a.status, a.text)
			}
			states := []map[string]map[string]map[string]any{before, all()}
			if reflect.DeepEqual(states[0], states[1]) {
				t.Fatal("it changed nothing")
			}
			for i := range 4 {
				a = g.undo(g.owner, a)
				if a.status != 200 || a.str("message") != "Undone." || a.header.Get("Change") != fmt.Sprint(a.json["changes"].([]any)[0]) {
					t.Fatalf("undo %d: %d %s %v", i+1, a.status, a.text, a.header)
				}
				now, want := all(), states[i%2]
				for who := range now {
					for _, key := range slices.Sorted(maps.Keys(now[who])) {
						if !reflect.DeepEqual(now[who][key], want[who][key]) {
							t.Errorf("undo %d: %s sees %s as\n%v, before\n%v", i+1, who, key, now[who][key], want[who][key])
						}
					}
					if len(now[who]) != len(want[who]) {
						t.Errorf("undo %d: %s sees %v, before %v", i+1, who, slices.Sorted(maps.Keys(now[who])), slices.Sorted(maps.Keys(want[who])))
					}
				}
			}
		})
	}
}

// What somebody else did to another field stays, and what they did to the same field is in the
// way: then nothing is done.
func TestUndoAfterSomebodyElsesChange(t *testing.T) {
	for _, c := range []struct{ name, mine, other, same, now string }{
		{"title", `{"title":"mine"}`, `{"description":"theirs"}`, `{"title":"theirs"}`, "title"},
		{"description", `{"description":"mine"}`, `{"title":"theirs"}`, `{"description":"theirs"}`, "description"},
		{"priority", `{"priority":"high"}`, `{"labels":["x"]}`, `{"priority":"medium"}`, "priority"},
		{"due", `{"due":"2026-03-04T10:00"}`, `{"priority":"high"}`, `{"due":"2026-03-05T10:00"}`, "due"},
		{"labels", `{"labels":["mine"]}`, `{"completed":true}`, `{"labels_add":["theirs"]}`, "labels"},
		{"completed", `{"completed":true}`, `{"title":"theirs"}`, `{"completed":false}`, "completed"},
		{"recurrence", `{"recurrence":"FREQ=DAILY"}`, `{"assignee_id":null}`, `{"recurrence":"FREQ=WEEKLY"}`, "recurrence"},
		{"assignee", `{"assignee_id":null}`, `{"due":null,"start":null}`, `{"assignee_id":VIEWER}`, "assignee_id"},
		{"parent", `{"parent_id":DONE}`, `{"title":"theirs"}`, `{"parent_id":REPEATS}`, "parent_id"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, fill := startUndo(t)
			path := fill.Replace("/tasks/TASK")
			fields := strings.NewReplacer("VIEWER", fmt.Sprint(g.viewer.id))
			before := g.call("GET", path, g.owner.access, "")
			mine := g.call("PATCH", path, g.owner.access, fill.Replace(c.mine))
			expect(t, "mine", mine, 200, "")
			expect(t, "another field", g.call("PATCH", path, g.editor.access, c.other), 200, "")
			theirs := g.call("GET", path, g.owner.access, "")
			a := g.undo(g.owner, mine)
			expect(t, "undo", a, 200, "")
			for name, value := range a.at("task").(map[string]any) {
				want := theirs.at(name)
				if name == c.now || reflect.DeepEqual(want, mine.at("task."+name)) && !reflect.DeepEqual(before.at(name), want) {
					want = before.at(name)
				}
				if name != "version" && name != "date_updated" && !reflect.DeepEqual(value, want) {
					t.Errorf("%s is %v, want %v", name, value, want)
				}
			}
			expect(t, "redo", g.undo(g.owner, a), 200, "")
			expect(t, "the same field", g.call("PATCH", path, g.editor.access, fill.Replace(fields.Replace(c.same))), 200, "")
			now := g.call("GET", path, g.owner.access, "")
			a = g.undo(g.owner, mine)
			expect(t, "undo after that", a, 409, "undo_conflict")
			if !reflect.DeepEqual(a.at("current"), any(now.json)) {
				t.Errorf("current is\n%v, want\n%v", a.at("current"), now.json)
			}
			if after := g.call("GET", path, g.owner.access, ""); after.text != now.text {
				t.Errorf("it is\n%s, was\n%s", after.text, now.text)
			}
		})
	}
}

// What is gone, elsewhere, or gone on with by somebody else since can't be undone.
func TestUndoOfWhatIsElsewhere(t *testing.T) {
	for _, c := range []struct{ name, method, path, body, thenMethod, thenPath, thenBody string }{
		{"deleted since", "PATCH", "/tasks/TASK", `{"title":"mine"}`, "DELETE", "/tasks/TASK", ""},
		{"removed since", "PATCH", "/tasks/TASK", `{"title":"mine"}`, "DELETE", "/tasks/TASK?permanent=true", ""},
		{"moved since", "PATCH", "/tasks/TASK", `{"title":"mine"}`, "PATCH", "/tasks/TASK", `{"list_id":THEIRS}`},
		{"restored since", "DELETE", "/tasks/TASK", "", "POST", "/tasks/TASK/restore", ""},
		{"deleted again since", "POST", "/tasks/GONE/restore", "", "DELETE", "/tasks/GONE", ""},
		{"changed since it was made", "POST", "/tasks/", `{"title":"new","list_id":LIST,"uid":"0197a0c0-0000-7000-8000-00000000000c"}`, "PATCH", "/tasks/0197a0c0-0000-7000-8000-00000000000c", `{"title":"theirs"}`},
		{"a subtask since it was made", "POST", "/tasks/", `{"title":"new","list_id":LIST,"uid":"0197a0c0-0000-7000-8000-00000000000c"}`, "POST", "/tasks/", `{"title":"theirs","parent_id":"0197a0c0-0000-7000-8000-00000000000c"}`},
		{"a subtask since it was restored", "POST", "/tasks/GONE/restore", "", "POST", "/tasks/", `{"title":"theirs","parent_id":GONE}`},
		{"the parent is gone", "PATCH", "/tasks/CHILD", `{"parent_id":null}`, "DELETE", "/tasks/TASK", ""},
		{"the parent is elsewhere", "PATCH", "/tasks/CHILD", `{"parent_id":null}`, "PATCH", "/tasks/TASK", `{"list_id":THEIRS}`},
		{"the parent of what was deleted is gone", "DELETE", "/tasks/CHILD", "", "DELETE", "/tasks/TASK", ""},
		{"it would be below itself", "PATCH", "/tasks/CHILD", `{"parent_id":null}`, "PATCH", "/tasks/TASK", `{"parent_id":CHILD}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, fill := startUndo(t)
			theirs := g.newList(g.editor, "theirs")
			g.join(theirs, g.editor, g.owner, "editor")
			child := rows(g.call("GET", fill.Replace("/tasks/?parent_id=TASK&scope=all"), g.owner.access, ""), "tasks")[0].id("id")
			ids := strings.NewReplacer("THEIRS", fmt.Sprint(theirs), "CHILD", fmt.Sprint(child))
			replace := func(text string) string { return fill.Replace(ids.Replace(text)) }
			mine := g.call(c.method, replace(c.path), g.owner.access, replace(c.body))
			if mine.status >= 300 {
				t.Fatalf("%d %s", mine.status, mine.text)
			}
			if a := g.call(c.thenMethod, replace(c.thenPath), g.editor.access, replace(c.thenBody)); a.status >= 300 {
				t.Fatalf("%d %s", a.status, a.text)
			}
			before := g.shown(g.owner)
			a := g.undo(g.owner, mine)
			expect(t, "undo", a, 409, "undo_conflict")
			if _, there := a.json["current"]; !there {
				t.Errorf("without current: %s", a.text)
			}
			if after := g.shown(g.owner); !reflect.DeepEqual(after, before) {
				t.Errorf("it is\n%v, was\n%v", after, before)
			}
		})
	}
}

// A list is undone as long as nobody has gone on with it.
func TestUndoOfListsAfterSomebodyElse(t *testing.T) {
	g, fill := startUndo(t)
	made := g.call("POST", "/lists/", g.owner.access, `{"name":"new"}`)
	list := made.id("list.id")
	g.newTask(g.owner, fmt.Sprintf(`"list_id":%d`, list))
	expect(t, "with a task in it", g.undo(g.owner, made), 409, "undo_conflict")
	made = g.call("POST", "/lists/", g.owner.access, `{"name":"new"}`)
	g.join(made.id("list.id"), g.owner, g.editor, "viewer")
	expect(t, "with a member", g.undo(g.owner, made), 409, "undo_conflict")
	renamed := g.call("PATCH", g.listPath, g.owner.access, `{"name":"mine"}`)
	again := g.call("PATCH", g.listPath, g.owner.access, `{"name":"again"}`)
	if a := g.undo(g.owner, renamed); a.status != 409 || a.str("current.name") != "again" {
		t.Errorf("%d %s", a.status, a.text)
	}
	// One after the other, the last first.
	expect(t, "the last", g.undo(g.owner, again), 200, "")
	if a := g.undo(g.owner, renamed); a.status != 200 || a.str("list.name") != "shared" {
		t.Errorf("%d %s", a.status, a.text)
	}
	renamed = g.call("PATCH", g.listPath, g.owner.access, `{"name":"mine"}`)
	expect(t, "handed over", g.call("PATCH", g.member(g.editor), g.owner.access, `{"role":"owner"}`), 200, "")
	expect(t, "by an editor", g.undo(g.owner, renamed), 403, "not_list_owner")
	back := g.call("POST", fill.Replace("/lists/CLOSED/restore"), g.owner.access, "")
	expect(t, "emptied", g.call("DELETE", fill.Replace("/lists/CLOSED"), g.owner.access, ""), 200, "")
	expect(t, "deleted again", g.undo(g.owner, back), 409, "undo_conflict")
}

// A task that lost its uid to one of the owner of another list gets it again.
func TestUndoOfAMoveReclaimsTheUID(t *testing.T) {
	g := startTrio(t)
	theirs := g.newList(g.editor, "theirs")
	g.join(theirs, g.editor, g.owner, "editor")
	const uid = `"uid":"0197a0c0-0000-7000-8000-00000000000d"`
	g.newTask(g.editor, uid)
	task := fmt.Sprint("/tasks/", g.newTask(g.owner, uid).id("task.id"))
	before := g.shown(g.owner)
	moved := g.call("PATCH", task, g.owner.access, fmt.Sprintf(`{"list_id":%d}`, theirs))
	if moved.str("task.uid") == "0197a0c0-0000-7000-8000-00000000000d" {
		t.Fatalf("it kept the uid: %s", moved.text)
	}
	expect(t, "undo", g.undo(g.owner, moved), 200, "")
	if now := g.shown(g.owner); !reflect.DeepEqual(now, before) {
		t.Errorf("it is\n%v, was\n%v", now, before)
	}
}

// Several undos go back step by step, over the same field as well.
func TestUndoStepByStep(t *testing.T) {
	g, fill := startUndo(t)
	path := fill.Replace("/tasks/TASK")
	states := []map[string]map[string]any{g.shown(g.owner)}
	var writes []answer
	for _, one := range [][3]string{
		{"PATCH", path, `{"title":"b"}`}, {"PATCH", path, `{"title":"c"}`}, {"POST", path + "/move", fill.Replace(`{"list_id":OTHER}`)}, {"PATCH", path, `{"title":"d"}`},
		{"DELETE", path, ""}, {"POST", path + "/restore", ""}, {"PATCH", path, `{"completed":true}`}, {"DELETE", path, ""},
	} {
		writes = append(writes, g.call(one[0], one[1], g.owner.access, one[2]))
		states = append(states, g.shown(g.owner))
	}
	for i := len(writes) - 1; i >= 0; i-- {
		expect(t, fmt.Sprint("undo ", i), g.undo(g.owner, writes[i]), 200, "")
		if now := g.shown(g.owner); !reflect.DeepEqual(now, states[i]) {
			t.Fatalf("after undo %d it is\n%v, was\n%v", i, now, states[i])
		}
	}
	expect(t, "what is undone", g.undo(g.owner, writes[0]), 409, "undo_conflict")
}

// Who may not write any more does not undo, and nobody undoes what somebody else did.
func TestWhoUndoes(t *testing.T) {
	g, fill := startUndo(t)
	path := fill.Replace("/tasks/TASK")
	mine := g.call("PATCH", path, g.editor.access, `{"title":"mine"}`)
	for name, p := range map[string]person{"owner": g.owner, "viewer": g.viewer} {
		expect(t, name, g.undo(p, mine), 404, "change_not_found")
	}
	expect(t, "no such change", g.call("POST", "/undo", g.editor.access, `{"change":999999}`), 404, "change_not_found")
	for _, body := range []string{`{}`, `{"change":null}`, `{"change":"8"}`, `{"change":0}`, `{"change":-1}`, `{"change":1.5}`} {
		expect(t, body, g.call("POST", "/undo", g.editor.access, body), 422, "validation_failed")
	}
	expect(t, "no JSON", g.call("POST", "/undo", g.editor.access, `{"change":`), 400, "invalid_json")
	expect(t, "no token", g.call("POST", "/undo", "", `{"change":1}`), 401, "token_missing")
	reader, _ := g.apiToken(g.editor, app.ScopeTasksRead)
	expect(t, "a token that reads", g.call("POST", "/undo", reader, `{"change":1}`), 403, "insufficient_scope")
	writer, _ := g.apiToken(g.editor, app.ScopeTasksWrite)
	expect(t, "a token that writes", g.undo(person{access: writer}, mine), 200, "")
	for _, write := range [][3]string{{"PATCH", path, `{"title":"mine"}`}, {"DELETE", path, ""}, {"POST", "/tasks/", fill.Replace(`{"title":"n","list_id":LIST}`)}} {
		mine := g.call(write[0], write[1], g.editor.access, write[2])
		expect(t, "a viewer now", g.call("PATCH", g.member(g.editor), g.owner.access, `{"role":"viewer"}`), 200, "")
		expect(t, "by a viewer", g.undo(g.editor, mine), 403, "read_only_list")
		expect(t, "removed", g.call("DELETE", g.member(g.editor), g.owner.access, ""), 200, "")
		expect(t, "by a former member", g.undo(g.editor, mine), 404, "task_not_found")
		g.join(g.list, g.owner, g.editor, "editor")
		expect(t, "by an editor again", g.undo(g.editor, mine), 200, "")
	}
	g.viewerUndoesReminders(path)
}

// viewerUndoesReminders: who may only read has reminders of their own.
func (g trio) viewerUndoesReminders(path string) {
	g.t.Helper()
	before := g.call("GET", path, g.viewer.access, "").at("reminders")
	set := g.call("PATCH", path, g.viewer.access, `{"reminders":[{"at":"2026-05-05T05:05:00Z"}]}`)
	expect(g.t, "reminders", set, 200, "")
	if a := g.undo(g.viewer, set); a.status != 200 || !reflect.DeepEqual(a.at("task.reminders"), before) {
		g.t.Errorf("%d %s, want %v", a.status, a.text, before)
	}
}

// What is about members, what was removed for good, and what the server does is not undone.
func TestWhatIsNotUndoable(t *testing.T) {
	g, fill := startUndo(t)
	for _, write := range [][3]string{
		{"DELETE", fill.Replace("/tasks/TASK?permanent=true"), ""},
		{"PATCH", g.member(g.editor), `{"role":"viewer"}`},
		{"DELETE", g.member(g.viewer), ""},
		{"POST", fill.Replace("/lists/LIST/move"), ""},
		{"PATCH", g.member(g.editor), `{"role":"owner"}`},
	} {
		a := g.call(write[0], write[1], g.owner.access, write[2])
		expect(t, write[0]+" "+write[1], a, 200, "")
		expect(t, "undo of "+write[0]+" "+write[1], g.undo(g.owner, a), 409, "not_undoable")
	}
	guest := g.signUp("guest")
	list := g.newList(g.owner, "another")
	joined := g.accept(guest, g.invite(list, g.owner, "viewer"))
	expect(t, "joining", g.undo(guest, joined), 409, "not_undoable")
}

// The values from before are kept for 30 days, and a deletion can be undone while it is in the
// trash.
func TestUndoExpires(t *testing.T) {
	g, fill := startUndo(t)
	g.clock.freeze()
	changed := g.call("PATCH", fill.Replace("/tasks/TASK"), g.owner.access, `{"title":"mine"}`)
	deleted := g.call("DELETE", fill.Replace("/tasks/DONE"), g.owner.access, "")
	removed := g.call("DELETE", fill.Replace("/tasks/REPEATS"), g.owner.access, "")
	expect(t, "for good", g.call("DELETE", fill.Replace("/tasks/REPEATS?permanent=true"), g.owner.access, ""), 200, "")
	expect(t, "of what is out of the trash", g.undo(g.owner, removed), 409, "undo_expired")
	list := g.call("DELETE", fill.Replace("/lists/OTHER"), g.owner.access, "")
	expect(t, "emptying", g.call("DELETE", "/trash", g.owner.access, ""), 200, "")
	expect(t, "a list out of the trash", g.undo(g.owner, list), 409, "undo_expired")
	expect(t, "a task out of the trash", g.undo(g.owner, deleted), 409, "undo_expired")
	g.clock.advance(30*24*time.Hour - time.Second)
	g.owner = g.login("owner")
	undone := g.undo(g.owner, changed)
	expect(t, "after almost 30 days", undone, 200, "")
	g.clock.advance(time.Second)
	expect(t, "after 30 days", g.undo(g.owner, changed), 409, "undo_expired")
	expect(t, "the undo is younger", g.undo(g.owner, undone), 200, "")
	g.clock.advance(100 * 24 * time.Hour)
	for {
		more, err := g.db.IndexWords(t.Context())
		must(t, err)
		if !more {
			break
		}
	}
	_, err := g.db.Housekeep(t.Context(), store.Keep{Events: time.Hour, Trash: time.Hour, Changes: 90 * 24 * time.Hour, Session: 365 * 24 * time.Hour})
	must(t, err)
	g.owner = g.login("owner")
	for name, a := range map[string]answer{"a line that is gone": changed, "another one": undone} {
		expect(t, name, g.undo(g.owner, a), 409, "undo_expired")
	}
}

// Without a trash, an undo of a creation removes the task, and undoing that brings it back.
func TestUndoWithoutATrash(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tasks.KeepTrash, p.api.Lists.KeepTrash = false, false })
	ann := s.signUp("ann")
	made := s.newTask(ann, `"labels":["l"],"due":"2026-01-01","reminders":[{"before":"PT1H"}]`)
	with := s.shown(ann)
	gone := s.undo(ann, made)
	expect(t, "undo", gone, 200, "")
	if n := s.call("GET", "/tasks/?trash=true", ann.access, "").id("pagination.total"); n != 0 || total(s, ann) != 0 {
		t.Errorf("%d in the trash, %d tasks", n, total(s, ann))
	}
	expect(t, "redo", s.undo(ann, gone), 200, "")
	if now := s.shown(ann); !reflect.DeepEqual(now, with) {
		t.Errorf("it is\n%v, was\n%v", now, with)
	}
	deleted := s.call("DELETE", fmt.Sprint("/tasks/", made.id("task.id")), ann.access, "")
	expect(t, "a deletion", s.undo(ann, deleted), 409, "not_undoable")
	list := s.call("POST", "/lists/", ann.access, `{"name":"l"}`)
	gone = s.undo(ann, list)
	expect(t, "a list", gone, 200, "")
	expect(t, "a list for good", s.undo(ann, gone), 409, "not_undoable")
}

// An undo with a key is done once.
func TestUndoWithAKey(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	made := s.newTask(ann, `"labels":["l"]`)
	body := fmt.Sprintf(`{"change":%s}`, made.header.Get("Change"))
	first := s.keyed("POST", "/undo", ann.access, "u", body)
	again := s.keyed("POST", "/undo", ann.access, "u", body)
	if first.status != 200 || again.text != first.text || again.header.Get("Idempotency-Replayed") != "true" || again.header.Get("Change") != first.header.Get("Change") {
		t.Errorf("%d %s, then %d %s", first.status, first.text, again.status, again.text)
	}
	expect(t, "another key", s.keyed("POST", "/undo", ann.access, "v", body), 409, "undo_conflict")
	expect(t, "in a batch", s.call("POST", "/batch", ann.access, batchOf(true, asked("POST", "/undo", nil))), 409, "batch_failed")
}

// There is no room for what comes back.
func TestUndoNeedsRoom(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tasks.Most = 2 })
	ann := s.signUp("ann")
	first := s.newTask(ann, `"labels":["l"]`)
	deleted := s.call("DELETE", fmt.Sprint("/tasks/", first.id("task.id")), ann.access, "")
	s.newTask(ann, `"labels":["l"]`)
	s.newTask(ann, `"labels":["l"]`)
	expect(t, "no room", s.undo(ann, deleted), 409, "too_many_tasks")
}
