package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"taskapi/app/todo"
)

const mergePatch = "application/merge-patch+json"

// patch sends a change as a media type.
func (s *server) patch(p person, kind, path, body string) answer {
	s.t.Helper()
	return s.with("PATCH", path, body, "Content-Type", kind, "Authorization", "Bearer "+p.access)
}

// full makes a task of which every field is set.
func (g trio) full() string {
	a := g.newTask(g.owner, fmt.Sprintf(`"description":"d","priority":"high","due":"2030-01-02T09:00","due_zone":"Europe/Berlin","start":"2030-01-01T09:00","recurrence":"FREQ=DAILY",
		"recurrence_from":"completion","labels":["a","b"],"reminders":[{"before":"PT30M"}],"assignee_id":%d,"parent_id":%d`, g.editor.id, g.task))
	return fmt.Sprint("/tasks/", a.id("task.id"))
}

// others are the fields of a task but some, and but what each change changes.
func others(task map[string]any, changed ...string) map[string]any {
	task = maps.Clone(task)
	for _, name := range append(changed, "version", "date_updated") {
		delete(task, name)
	}
	return task
}

// A partial update erases nothing that it does not name.
func TestAChangeErasesNoFieldThatItDoesNotName(t *testing.T) {
	g := startTrio(t)
	path := g.full()
	for body, changed := range map[string][]string{
		`{}`: {}, `{"title":"n"}`: {"title"}, `{"description":"n"}`: {"description"}, `{"priority":"low"}`: {"priority"}, `{"labels":["n"]}`: {"labels"}, `{"labels_add":["m"]}`: {"labels"},
		`{"due":"2031-01-02T09:00"}`: {"due", "due_at"}, `{"due_zone":"Europe/Paris"}`: {"due_zone", "due_at"}, `{"start":"2029-01-01T09:00"}`: {"start"},
		`{"recurrence":"FREQ=WEEKLY"}`: {"recurrence"}, `{"recurrence_from":"due"}`: {"recurrence_from"}, `{"reminders":[{"before":"PT5M"}]}`: {"reminders"},
		fmt.Sprintf(`{"assignee_id":%d}`, g.viewer.id): {"assignee_id"}, `{"parent_id":null}`: {"parent_id"}, `{"unknown":1}`: {},
	} {
		for _, as := range [][2]string{{"PATCH", "application/json"}, {"PUT", "application/json"}, {"PATCH", mergePatch}} {
			before := g.call("GET", path, g.owner.access, "").json
			a := g.with(as[0], path, body, "Content-Type", as[1], "Authorization", "Bearer "+g.owner.access)
			after := g.call("GET", path, g.owner.access, "").json
			if a.status != 200 || !reflect.DeepEqual(others(before, changed...), others(after, changed...)) {
				t.Errorf("%v %s: %d %s\nbefore %v", as, body, a.status, a.text, before)
			}
		}
	}
}

// What one client sets, another does not reset: two who change different fields at once both
// do.
func TestOneClientKeepsWhatAnotherSets(t *testing.T) {
	g := startTrio(t)
	path := g.full()
	bodies := []string{`{"title":"n%d"}`, `{"description":"n%d"}`, `{"labels":["n%d"]}`, `{"start":"2028-01-0%dT09:00"}`, `{"recurrence":"FREQ=DAILY;INTERVAL=%d"}`}
	for i := 1; i < 6; i++ {
		got := atOnce(len(bodies), func(n int) answer {
			return g.call("PATCH", path, []person{g.owner, g.editor}[n%2].access, fmt.Sprintf(bodies[n], i))
		})
		a := g.call("GET", path, g.owner.access, "")
		if got[200] != len(bodies) || a.str("title") != fmt.Sprint("n", i) || a.str("description") != fmt.Sprint("n", i) || !strings.Contains(a.text, fmt.Sprintf(`"labels":["n%d"]`, i)) ||
			a.str("start") != fmt.Sprintf("2028-01-0%dT09:00", i) || !strings.HasPrefix(a.str("recurrence"), "FREQ=DAILY") || a.str("recurrence_from") != "completion" {
			t.Errorf("%v %s", got, a.text)
		}
	}
	// A start moves with its due when the task repeats.
	expect(t, "dates", g.call("PATCH", path, g.owner.access, `{"recurrence":"FREQ=DAILY","recurrence_from":"due","due":"2030-01-12T09:00","start":"2030-01-10T09:00"}`), 200, "")
	if a := g.call("PATCH", path, g.editor.access, `{"completed":true}`); a.str("task.due") != "2030-01-13T09:00" || a.str("task.start") != "2030-01-11T09:00" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// Null leaves what the tutorial has as it is, and clears what is new; in a merge patch it
// removes, or is refused.
func TestNullOfEachField(t *testing.T) {
	g := startTrio(t)
	const same, refused = "same", "refused"
	for field, want := range map[string]struct{ plain, merged any }{
		"title": {same, refused}, "description": {same, ""}, "completed": {same, refused}, "user_id": {same, same}, "list_id": {same, refused}, "priority": {"none", refused},
		"parent_id": {nil, nil}, "labels": {[]any{}, []any{}}, "labels_add": {same, same}, "labels_remove": {same, same}, "due_zone": {nil, nil}, "start": {nil, nil},
		"recurrence": {nil, nil}, "recurrence_from": {"due", "due"}, "reminders": {[]any{}, []any{}}, "assignee_id": {nil, nil}, "uid": {same, same},
	} {
		for kind, want := range map[string]any{"application/json": want.plain, mergePatch: want.merged} {
			path := g.full()
			before := g.call("GET", path, g.owner.access, "").json
			a := g.patch(g.owner, kind, path, `{"`+field+`":null}`)
			after := g.call("GET", path, g.owner.access, "").json
			switch want {
			case refused:
				if a.status != 422 || a.str("errors."+field) == "" || !reflect.DeepEqual(before, after) {
					t.Errorf("%s, %s: %d %s", field, kind, a.status, a.text)
				}
				continue
			case same:
				want = before[field]
			}
			more := map[string][]string{"due_zone": {"due_at"}, "recurrence": {"recurrence_from"}}[field]
			if a.status != 200 || !reflect.DeepEqual(after[field], want) || !reflect.DeepEqual(others(before, append(more, field)...), others(after, append(more, field)...)) {
				t.Errorf("%s, %s: %d %s", field, kind, a.status, a.text)
			}
		}
	}
	// What is relative to a due goes with it.
	for _, kind := range []string{"application/json", mergePatch} {
		path := g.full()
		a := g.patch(g.owner, kind, path, `{"due":null,"reminders":null}`)
		if a.status != 200 || a.at("task.due") != nil || a.at("task.due_zone") != nil || a.at("task.due_at") != nil || a.at("task.recurrence") != nil || a.at("task.recurrence_from") != nil {
			t.Errorf("%s: %d %s", kind, a.status, a.text)
		}
	}
}

// The examples of RFC 7396 (appendix A), with fields of a task for its a, b and e.
func TestExamplesOfMergePatch(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, c := range []struct {
		before, patch string
		status        int
		title, about  string
		labels        string
	}{
		{`{}`, `{"title":"c"}`, 200, "c", "", "[]"}, {`{}`, `{"description":"c"}`, 200, "t", "c", "[]"},
		{`{"description":"b"}`, `{"description":null}`, 200, "t", "", "[]"}, {`{"description":"b","labels":["c"]}`, `{"description":null}`, 200, "t", "", `["c"]`},
		{`{"labels":["b"]}`, `{"labels":"c"}`, 422, "t", "", `["b"]`}, {`{"description":"c"}`, `{"description":["b"]}`, 422, "t", "c", "[]"},
		{`{"labels":["b","x"]}`, `{"labels":["c"]}`, 200, "t", "", `["c"]`}, {`{}`, `{"labels":[1]}`, 422, "t", "", "[]"}, {`{"labels":["b"]}`, `{"labels":[]}`, 200, "t", "", "[]"},
		{`{"labels":["b"]}`, `["c"]`, 400, "t", "", `["b"]`}, {`{"description":"b"}`, `null`, 400, "t", "b", "[]"}, {`{"description":"b"}`, `"bar"`, 400, "t", "b", "[]"},
		{`{"description":"b"}`, `{"unknown":{"bb":{"ccc":null}}}`, 200, "t", "b", "[]"}, {`{}`, `{"unknown":null}`, 200, "t", "", "[]"}, {`{"description":"b"}`, `{"description":{"b":"c"}}`, 422, "t", "b", "[]"},
	} {
		made := s.call("POST", "/tasks/", ann.access, `{"title":"t",`+strings.TrimPrefix(strings.Replace(c.before, "{}", `{"uid":null}`, 1), "{"))
		path := fmt.Sprint("/tasks/", made.id("task.id"))
		for _, kind := range []string{mergePatch, mergePatch + "; charset=utf-8", "Application/Merge-Patch+JSON"} {
			a := s.patch(ann, kind, path, c.patch)
			after := s.call("GET", path, ann.access, "")
			labels, err := json.Marshal(after.at("labels"))
			must(t, err)
			if a.status != c.status || after.str("title") != c.title || after.str("description") != c.about || string(labels) != c.labels {
				t.Errorf("%s, %s: %d %s, then %s", c.before, c.patch, a.status, a.text, after.text)
			}
		}
	}
}

func TestMergePatchesOfAList(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	path := fmt.Sprint("/lists/", s.newList(ann, "l"))
	expect(t, "a color", s.patch(ann, mergePatch, path, `{"color":"#112233"}`), 200, "")
	for _, field := range []string{"name", "archived"} {
		if a := s.patch(ann, mergePatch, path, `{"`+field+`":null}`); a.status != 422 || a.str("errors."+field) == "" {
			t.Errorf("%s: %d %s", field, a.status, a.text)
		}
		if a := s.patch(ann, "application/json", path, `{"`+field+`":null}`); a.status != 200 || a.str("list.name") != "l" || a.at("list.archived") != false || a.str("list.color") != "#112233" {
			t.Errorf("%s in plain JSON: %d %s", field, a.status, a.text)
		}
	}
	if a := s.patch(ann, mergePatch, path, `{"color":null}`); a.status != 200 || a.at("list.color") != nil || a.str("list.name") != "l" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

func TestLabelsOfTenPeopleAtOnce(t *testing.T) {
	g := startTrio(t)
	people := []person{g.owner, g.editor}
	for i := range 8 {
		p := g.signUp(fmt.Sprint("p", i))
		g.join(g.list, g.owner, p, "editor")
		people = append(people, p)
	}
	for _, method := range []string{"PATCH", "PUT"} {
		got := atOnce(10, func(i int) answer {
			return g.call(method, g.taskPath, people[i].access, fmt.Sprintf(`{"labels_add":["by %s %d"],"labels_remove":["home"]}`, method, i))
		})
		if got[200] != 10 {
			t.Errorf("%v", got)
		}
	}
	var labels []string
	for _, label := range g.call("GET", g.taskPath, g.owner.access, "").json["labels"].([]any) {
		labels = append(labels, fmt.Sprint(label))
	}
	if len(labels) != todo.MaxLabels || slices.Contains(labels, "home") {
		t.Errorf("%v", labels)
	}
	if a := g.call("PATCH", g.taskPath, g.owner.access, `{"labels_add":["one more"]}`); a.status != 422 || a.str("errors.labels_add") == "" {
		t.Errorf("one more: %d %s", a.status, a.text)
	}
	expect(t, "one in the place of another", g.call("PATCH", g.taskPath, g.owner.access, `{"labels_add":["one more"],"labels_remove":["BY PATCH 0"]}`), 200, "")
	expect(t, "what is there", g.call("PATCH", g.taskPath, g.owner.access, `{"labels_add":["ONE MORE"]}`), 200, "")
	expect(t, "one less", g.call("PATCH", g.taskPath, g.owner.access, `{"labels_remove":["one more","never there"]}`), 200, "")
	if got := atOnce(2, func(i int) answer {
		return g.call("PATCH", g.taskPath, people[i].access, fmt.Sprintf(`{"labels_add":["last %d"]}`, i))
	}); got[200] != 1 || got[422] != 1 {
		t.Errorf("two for one place: %v", got)
	}
	for _, body := range []string{`{"labels":["a"],"labels_add":["b"]}`, `{"labels":[],"labels_remove":["b"]}`, `{"labels_add":"b"}`, `{"labels_add":[7]}`, `{"labels_add":["a,b"]}`, `{"labels":["` + strings.Repeat("x", 51) + `"]}`} {
		expect(t, body, g.call("PATCH", g.taskPath, g.owner.access, body), 422, "validation_failed")
		expect(t, body, g.call("PUT", g.taskPath, g.owner.access, body), 422, "validation_failed")
	}
}

func TestALabelIsRenamedWhereOneMayChange(t *testing.T) {
	g := startTrio(t)
	own := g.newTask(g.viewer, `"labels":["Home","house"]`)
	if a := g.call("PATCH", "/labels/h%C3%B3me", g.viewer.access, `{"name":"house"}`); a.status != 200 || a.id("changed") != 1 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if a := g.call("GET", fmt.Sprint("/tasks/", own.id("task.id")), g.viewer.access, ""); !strings.Contains(a.text, `"labels":["house"]`) {
		t.Errorf("%s", a.text)
	}
	if a := g.call("GET", "/labels/", g.viewer.access, ""); !slices.Equal(texts(a, "labels", "name"), []string{"home", "house"}) {
		t.Errorf("%s", a.text)
	}
	expect(t, "again", g.call("PATCH", "/labels/home", g.viewer.access, `{"name":"house"}`), 404, "label_not_found")
	for _, body := range []string{`{}`, `{"name":null}`, `{"name":7}`, `{"name":""}`, `{"name":"a,b"}`, `{"name":"` + strings.Repeat("x", 51) + `"}`} {
		expect(t, body, g.call("PATCH", "/labels/home", g.owner.access, body), 422, "validation_failed")
	}
	if a := g.call("DELETE", "/labels/HOME", g.editor.access, ""); a.status != 200 || a.id("changed") != 1 {
		t.Errorf("%d %s", a.status, a.text)
	}
	expect(t, "again", g.call("DELETE", "/labels/home", g.editor.access, ""), 404, "label_not_found")
	slash := fmt.Sprint("/tasks/", g.newTask(g.owner, `"labels":["a/b c"]`).id("task.id"))
	expect(t, "with a slash", g.call("PATCH", "/labels/a%2Fb%20c", g.owner.access, `{"name":"d"}`), 200, "")
	if a := g.call("GET", slash, g.owner.access, ""); !strings.Contains(a.text, `"labels":["d"]`) {
		t.Errorf("%s", a.text)
	}
}

func TestTwoEditorsOfWhatBothKnow(t *testing.T) {
	g := startTrio(t)
	for i := range 10 {
		etag := g.call("GET", g.taskPath, g.owner.access, "").header.Get("ETag")
		texts := make([]string, 2)
		got := atOnce(2, func(n int) answer {
			a := g.when([]person{g.owner, g.editor}[n], "PATCH", g.taskPath, fmt.Sprintf(`{"title":"%d by %d"}`, i, n), "If-Match", etag)
			texts[n] = a.str("current.title") + a.str("task.title")
			return a
		})
		if got[200] != 1 || got[412] != 1 || texts[0] != texts[1] || texts[0] != g.call("GET", g.taskPath, g.owner.access, "").str("title") {
			t.Errorf("%v %v", got, texts)
		}
	}
	stale := g.call("GET", g.taskPath, g.owner.access, "").header.Get("ETag")
	expect(t, "changing", g.call("PATCH", g.taskPath, g.owner.access, `{"title":"now"}`), 200, "")
	for _, c := range [][3]string{{"PUT", "", `{"title":"x"}`}, {"PATCH", "", `{"completed":true}`}, {"DELETE", "", ""}, {"DELETE", "?permanent=true", ""}, {"POST", "/move", `{}`}} {
		a := g.when(g.editor, c[0], g.taskPath+c[1], c[2], "If-Match", stale)
		if a.status != 412 || a.str("code") != "changed_meanwhile" || a.str("current.title") != "now" {
			t.Errorf("%v: %d %s", c, a.status, a.text)
		}
	}
	expect(t, "a viewer", g.when(g.viewer, "DELETE", g.taskPath, "", "If-Match", stale), 403, "read_only_list")
	expect(t, "a wrong place", g.when(g.owner, "POST", g.taskPath+"/move", `{"before_id":999}`, "If-Match", stale), 422, "not_a_sibling")
	fresh := g.call("GET", g.taskPath, g.editor.access, "").header.Get("ETag")
	expect(t, "moving", g.when(g.editor, "POST", g.taskPath+"/move", `{}`, "If-Match", fresh), 200, "")
}

// What is in the trash is restored as it is known, or not at all.
func TestARestoreOfWhatIsKnown(t *testing.T) {
	g := startTrio(t)
	for _, condition := range []string{"*", "as in the trash"} {
		expect(t, "deleting", g.call("DELETE", g.taskPath, g.owner.access, ""), 200, "")
		if condition != "*" {
			condition = fmt.Sprintf(`"%s-%d"`, g.db.Lineage(), rows(g.call("GET", "/tasks/?trash=true", g.owner.access, ""), "tasks")[0].id("version"))
		}
		expect(t, "another version", g.when(g.owner, "POST", g.taskPath+"/restore", "", "If-Match", `"other-1"`), 412, "changed_meanwhile")
		expect(t, "still in the trash", g.call("GET", g.taskPath, g.owner.access, ""), 404, "task_not_found")
		expect(t, condition, g.when(g.owner, "POST", g.taskPath+"/restore", "", "If-Match", condition), 200, "")
	}
}

// One's own reminders are an own part of the tag: nobody else's change with them.
func TestRemindersAreAnOwnPartOfTheTag(t *testing.T) {
	g := startTrio(t)
	tag := func(p person) string { return g.call("GET", g.taskPath, p.access, "").header.Get("ETag") }
	plain := tag(g.owner)
	set := g.call("PATCH", g.taskPath, g.viewer.access, `{"reminders":[{"at":"2030-01-02T03:04:05Z"}]}`)
	own := set.header.Get("ETag")
	if set.status != 200 || own != tag(g.viewer) || !strings.HasPrefix(own, strings.TrimSuffix(plain, `"`)+".") || tag(g.owner) != plain || tag(g.editor) != plain {
		t.Errorf("%s, the viewer's %s, before %s", set.text, own, plain)
	}
	expect(t, "known to its owner", g.when(g.owner, "GET", g.taskPath, "", "If-None-Match", plain), 304, "")
	expect(t, "known to the viewer before", g.when(g.viewer, "GET", g.taskPath, "", "If-None-Match", plain), 200, "")
	expect(t, "other reminders", g.when(g.viewer, "PATCH", g.taskPath, `{"reminders":[{"at":"2031-01-02T03:04:05Z"}]}`, "If-Match", plain), 412, "changed_meanwhile")
	expect(t, "other reminders", g.when(g.viewer, "PATCH", g.taskPath, `{"reminders":[{"at":"2031-01-02T03:04:05Z"}]}`, "If-Match", own), 200, "")
	expect(t, "a change of the owner's", g.when(g.owner, "PATCH", g.taskPath, `{"title":"n"}`, "If-Match", plain), 200, "")
	if a := g.call("GET", g.taskPath, g.owner.access, ""); strings.Contains(a.text, "2031-01-02") {
		t.Errorf("the viewer's reminders are shown to the owner: %s", a.text)
	}
	expect(t, "none any more", g.call("PATCH", g.taskPath, g.viewer.access, `{"reminders":null}`), 200, "")
	if tag(g.viewer) != tag(g.owner) {
		t.Errorf("%s and %s", tag(g.viewer), tag(g.owner))
	}
}
