package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// labels are those of a task, with a slash between them.
func (s *server) labels(p person, id int64) string {
	s.t.Helper()
	var all []string
	for _, label := range s.got(p, id).at("labels").([]any) {
		all = append(all, label.(string))
	}
	return strings.Join(all, "/")
}

// known are the labels that somebody sees, each with its open and all its tasks.
func (s *server) known(p person) string {
	s.t.Helper()
	var all []string
	for _, one := range s.call("GET", "/labels/", p.access, "").json["labels"].([]any) {
		label := one.(map[string]any)
		all = append(all, fmt.Sprintf("%s %v/%v", label["name"], label["open"], label["total"]))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Two spellings of a label are one, the first of them stays, and so does the order.
func TestSpellingsOfALabelAreOne(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id := s.made(ann, `{"title":"t","labels":[" Café ","zoo","CAFE","cafe\u0301","Zoo","b"]}`).id("task.id")
	for _, c := range []struct{ body, want string }{
		{`{}`, "Café/zoo/b"}, {`{"labels_add":["CAFÉ","c"]}`, "Café/zoo/b/c"}, {`{"labels_remove":["ZÖO","cafe"]}`, "b/c"}, {`{"labels_add":["Cafe"],"labels_remove":["B","nobody"]}`, "c/Cafe"},
		{`{"labels":["x","y"]}`, "x/y"}, {`{"labels":null}`, ""}, {`{"labels_add":["ﬁne"]}`, "ﬁne"}, {`{"labels_add":["FINE"]}`, "ﬁne"}, {`{"labels":[]}`, ""},
	} {
		if s.changed(ann, id, "%s", c.body); s.labels(ann, id) != c.want {
			t.Errorf("%s: %s, want %s", c.body, s.labels(ann, id), c.want)
		}
	}
	s.changed(ann, id, `{"labels":["Größe","München"]}`)
	for _, name := range []string{"grösse", "GROSSE", "munchen", "MÜNCHEN&label=größe"} {
		if got := s.found(ann, "label="+name); got != "t" {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := s.found(ann, "label=groß"); got != "" {
		t.Errorf("the beginning of a label: %s", got)
	}
}

func TestLabelsThatAreRefused(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id := s.made(ann, `{"title":"t","labels":["kept"]}`).id("task.id")
	many := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"l%d"`, i))
		}
		return strings.Join(all, ",")
	}
	for body, field := range map[string]string{
		`"labels":["a,b"]`: "labels", `"labels":[""]`: "labels", `"labels":["  "]`: "labels", `"labels":["a\nb"]`: "labels", `"labels":["a\u001fb"]`: "labels", `"labels":["\u0301"]`: "labels",
		`"labels":"a"`: "labels", `"labels":[1]`: "labels", `"labels":{"a":"b"}`: "labels", `"labels":["` + strings.Repeat("é", 51) + `"]`: "labels", `"labels":[` + many(21) + `]`: "labels",
		`"labels_add":[` + many(20) + `]`: "labels_add", `"labels":["a"],"labels_add":["b"]`: "labels", `"labels_remove":[","]`: "labels_remove", `"labels":["\u202eevil"]`: "labels",
	} {
		a := s.call("PATCH", fmt.Sprint("/tasks/", id), ann.access, "{"+body+"}")
		if a.status != 422 || a.str("errors."+field) == "" || s.labels(ann, id) != "kept" {
			t.Errorf("%.60s: %d %s", body, a.status, a.text)
		}
	}
	s.changed(ann, id, `{"labels":["%s",%s]}`, strings.Repeat("é", 50), many(19))
}

// A label gets another name, merges into one that is there, and changes its spelling.
func TestLabelsAreRenamed(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	ids := []int64{}
	for _, labels := range []string{`"home","x"`, `"house"`, `"Home","house"`, `"other"`} {
		ids = append(ids, s.made(ann, `{"title":"t","labels":[%s]}`, labels).id("task.id"))
	}
	s.changed(ann, ids[1], `{"completed":true}`)
	all := func() string {
		return s.labels(ann, ids[0]) + " " + s.labels(ann, ids[1]) + " " + s.labels(ann, ids[2]) + " " + s.labels(ann, ids[3])
	}
	for _, c := range []struct {
		path, body string
		changed    int64
		want       string
	}{
		{"hóme", `{"name":"HOME"}`, 2, "HOME/x house HOME/house other"}, {"home", `{"name":"HOME"}`, 0, "HOME/x house HOME/house other"},
		{"home", `{"name":"House"}`, 2, "House/x house House other"}, {"HOUSE", `{"name":"a/b"}`, 3, "a/b/x a/b a/b other"}, {"a%2Fb", `{"name":"x"}`, 3, "x x x other"},
	} {
		a := s.call("PATCH", "/labels/"+c.path, ann.access, c.body)
		if a.status != 200 || a.id("changed") != c.changed || all() != c.want {
			t.Errorf("%s to %s: %d %s, then %s, want %s", c.path, c.body, a.status, a.text, all(), c.want)
		}
	}
	if got := s.known(ann); got != "other 1/1, x 2/3" {
		t.Errorf("known are %s", got)
	}
	if a := s.call("DELETE", "/labels/X", ann.access, ""); a.id("changed") != 3 || all() != "   other" {
		t.Errorf("%s, then %s", a.text, all())
	}
	for path, body := range map[string]string{"x": `{"name":"y"}`, "oth": `{"name":"y"}`} {
		if a := s.call("PATCH", "/labels/"+path, ann.access, body); a.status != 404 || a.str("code") != "label_not_found" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	for _, body := range []string{`{"name":""}`, `{"name":"a,b"}`, `{}`, `{"name":null}`, `{"name":5}`, `{"name":"` + strings.Repeat("x", 51) + `"}`} {
		if a := s.call("PATCH", "/labels/other", ann.access, body); a.status != 422 || a.str("errors.name") == "" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
}

// Tasks edited while a label is renamed keep the edit, and none keeps the old name.
func TestALabelIsRenamedWhileItsTasksAreEdited(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	var ids []int64
	for range 20 {
		ids = append(ids, s.made(ann, `{"title":"t","labels":["old","kept"]}`).id("task.id"))
	}
	got := atOnce(len(ids)+1, func(i int) answer {
		if i == len(ids) {
			return s.call("PATCH", "/labels/old", ann.access, `{"name":"new"}`)
		}
		return s.call("PATCH", fmt.Sprint("/tasks/", ids[i]), ann.access, fmt.Sprintf(`{"title":"edited %d","labels_add":["mine"]}`, i))
	})
	if got[200] != len(ids)+1 {
		t.Errorf("%v", got)
	}
	for i, id := range ids {
		if s.labels(ann, id) != "new/kept/mine" || s.got(ann, id).str("title") != fmt.Sprintf("edited %d", i) {
			t.Errorf("%s", s.got(ann, id).text)
		}
	}
	if got := s.known(ann); got != "kept 20/20, mine 20/20, new 20/20" {
		t.Errorf("known are %s", got)
	}
}

// Ten people who add a label each at once have added ten.
func TestLabelsAddedAtOnceAllStay(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id := s.task(ann, "t")
	atOnce(10, func(i int) answer {
		return s.call("PATCH", fmt.Sprint("/tasks/", id), ann.access, fmt.Sprintf(`{"labels_add":["l%d"]}`, i))
	})
	if got := s.labels(ann, id); strings.Count(got, "/") != 9 {
		t.Errorf("%s", got)
	}
}

// A label is renamed where one may write, and elsewhere stays; a stranger's is not there.
func TestLabelsOfOthersStay(t *testing.T) {
	s := start(t)
	people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former")}
	list := s.share(people)
	id := s.made(people["owner"], `{"title":"t","labels":["home"],"list_id":%d}`, list).id("task.id")
	private := s.made(people["owner"], `{"title":"t","labels":["home"]}`).id("task.id")
	for _, name := range []string{"viewer", "former"} {
		if a := s.call("PATCH", "/labels/home", people[name].access, `{"name":"mine"}`); a.status != 404 {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
	}
	for name, want := range map[string]string{"owner": "home 2/2", "viewer": "home 1/1", "editor": "home 1/1", "former": ""} {
		if got := s.known(people[name]); got != want {
			t.Errorf("%s knows %s", name, got)
		}
	}
	own := s.made(people["viewer"], `{"title":"t","labels":["home"]}`).id("task.id")
	if a := s.call("PATCH", "/labels/home", people["viewer"].access, `{"name":"mine"}`); a.id("changed") != 1 || s.labels(people["viewer"], own) != "mine" || s.labels(people["owner"], id) != "home" {
		t.Errorf("a viewer with a task of their own: %s", a.text)
	}
	if a := s.call("PATCH", "/labels/home", people["editor"].access, `{"name":"ours"}`); a.id("changed") != 1 || s.labels(people["owner"], id) != "ours" || s.labels(people["owner"], private) != "home" {
		t.Errorf("an editor: %s", a.text)
	}
}
