package api_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// indexed runs a check before and after the worker has collected the words.
func (s *server) indexed(check func(when string)) {
	s.t.Helper()
	check("before the words are collected")
	for more := true; more; {
		var err error
		more, err = s.db.IndexWords(context.Background())
		must(s.t, err)
	}
	check("after the words are collected")
}

func (s *server) searched(p person, q string) string {
	s.t.Helper()
	return s.found(p, "q="+url.QueryEscape(q))
}

// Words are found by their beginning, without regard to case and accents, in title,
// description and labels.
func TestWordsAreFoundByTheirBeginning(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for _, body := range []string{
		`{"title":"Café","description":"near the STRASSE"}`, `{"title":"Decaf"}`, `{"title":"Ananas","labels":["Größe XL"]}`, `{"title":"100%","description":"a_b \"quoted\" c*d"}`,
		`{"title":"🎉Party🎉"}`, `{"title":"東京タワーへ行く"}`, `{"title":"हिन्दी"}`, `{"title":"PlanB","description":"Plan B"}`, `{"title":"Ångström"}`, `{"title":"ﬁnal"}`,
	} {
		s.made(ann, "%s", body)
	}
	s.indexed(func(when string) {
		for q, want := range map[string]string{
			"caf": "Café", "CAFÉ": "Café", "cafe\u0301": "Café", "cafes": "", "straße": "Café", "near café": "Café", "café near": "Café", "ar": "",
			"große": "Ananas", "xl anan": "Ananas", "grosse": "Ananas", "groesse": "", "100%": "100%", "%": "-", "_": "-", `"`: "-", "*": "-", "%%%": "-", "caf*": "Café", "c%": "Café 100%",
			`"quoted"`: "100%", "a_b": "100%", "🎉": "-", "🎉 par": "🎉Party🎉", "東京": "東京タワーへ行く", "東京タワーへ行く": "東京タワーへ行く", "タワー": "", "हिन्दी": "हिन्दी",
			"plan b": "PlanB", "angstrom": "Ångström", "final": "ﬁnal", "' OR 1=1 --": "", "near ananas": "",
		} {
			if want == "-" { // no word at all
				if a := s.call("GET", "/tasks/?q="+url.QueryEscape(q), ann.access, ""); a.status != 400 || a.str("code") != "invalid_parameter" {
					t.Errorf("%s: %q: %d %s", when, q, a.status, a.text)
				}
				continue
			}
			got := strings.Fields(s.searched(ann, q))
			if len(got) != len(strings.Fields(want)) || strings.Join(got, " ") != want && q != "c%" {
				t.Errorf("%s: %q finds %v, want %q", when, q, got, want)
			}
		}
	})
}

// Eight words and 200 characters are taken, nine and 201 are not.
func TestSearchesAreBounded(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.made(ann, `{"title":"all","description":"one two three four five six seven eight nine %s"}`, strings.Repeat("é", 40))
	long := "one " + strings.Repeat("é", 196)
	s.indexed(func(when string) {
		for q, want := range map[string]string{"one two three four five six seven eight": "all", "one one one one one one one one one": "all", long: "all", "nine eight ten": ""} {
			if got := s.searched(ann, q); got != want {
				t.Errorf("%s: %q finds %q", when, q, got)
			}
		}
		for _, q := range []string{"one two three four five six seven eight nine", long + "é", " ", "\x00"} {
			if a := s.call("GET", "/tasks/?q="+url.QueryEscape(q), ann.access, ""); a.status != 400 || a.str("code") != "invalid_parameter" {
				t.Errorf("%s: %q: %d %s", when, q, a.status, a.text)
			}
		}
	})
}

// A task is found by its title however much there is in its description.
func TestTheTitleIsFoundBesideALongDescription(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	var words []string
	for i := range 1200 {
		words = append(words, fmt.Sprintf("a%d", i))
	}
	s.made(ann, `{"title":"Zebra","labels":["zoo"],"description":%q}`, strings.Join(words, " "))
	s.indexed(func(when string) {
		for _, q := range []string{"zebra", "zoo", "a1"} {
			if got := s.searched(ann, q); got != "Zebra" {
				t.Errorf("%s: %s finds %q", when, q, got)
			}
		}
	})
}

// What was just written is found at once, what was just removed is gone at once, whether
// its words are collected or not.
func TestSearchesKnowWhatWasJustWritten(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.indexed(func(string) {
		id := s.made(ann, `{"title":"Milk","labels":["dairy"],"description":"two bottles"}`).id("task.id")
		path := fmt.Sprint("/tasks/", id)
		expect := func(what, q string, want bool) {
			t.Helper()
			if got := s.searched(ann, q); got != "" != want {
				t.Errorf("%s: %q finds %q", what, q, got)
			}
		}
		expect("made", "milk", true)
		s.indexed(func(string) { expect("made", "milk dairy bott", true) })
		for _, step := range []struct{ body, gone, there string }{
			{`{"title":"Oats"}`, "milk", "oats"}, {`{"description":""}`, "bottles", "oats dairy"}, {`{"labels":["Grain"]}`, "dairy", "grain oats"}, {`{"labels_remove":["grain"]}`, "grain", "oats"}, {`{"title":"milk"}`, "oats", "milk"},
		} {
			s.changed(ann, id, "%s", step.body)
			s.indexed(func(when string) { expect(step.body+when, step.gone, false); expect(step.body+when, step.there, true) })
		}
		s.call("DELETE", path, ann.access, "")
		s.indexed(func(when string) { expect("deleted "+when, "milk", false) })
		s.call("POST", path+"/restore", ann.access, "")
		s.indexed(func(when string) { expect("restored "+when, "milk", true) })
		s.call("DELETE", path+"?permanent=true", ann.access, "")
		s.indexed(func(when string) { expect("removed "+when, "milk", false) })
	})
}

// A renamed label is found by its new name only.
func TestSearchesKnowRenamedLabels(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.made(ann, `{"title":"one","labels":["Küche"]}`)
	s.indexed(func(string) {})
	if a := s.call("PATCH", "/labels/kuche", ann.access, `{"name":"Garten"}`); a.id("changed") != 1 {
		t.Fatalf("%d %s", a.status, a.text)
	}
	s.indexed(func(when string) {
		if old, renamed := s.searched(ann, "küche"), s.searched(ann, "garten"); old != "" || renamed != "one" {
			t.Errorf("%s: %q and %q", when, old, renamed)
		}
	})
}

// A stranger finds nothing, and whoever has left a list, or from whom a task has moved away,
// nothing any more, at once.
func TestSearchesFindNothingOutOfSight(t *testing.T) {
	s := start(t)
	people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former"), "stranger": s.signUp("stranger")}
	shared := s.share(people)
	owner := people["owner"]
	parent := s.made(owner, `{"title":"secret","list_id":%d}`, shared).id("task.id")
	s.made(owner, `{"title":"hidden","parent_id":%d}`, parent)
	private := s.call("POST", "/lists/", owner.access, `{"name":"private"}`).id("list.id")
	sees := func(when, want string, names ...string) {
		t.Helper()
		for _, name := range names {
			for _, q := range []string{"secret", "hidden"} {
				if got := s.found(people[name], "scope=all&q="+q) != ""; got != strings.Contains(want, q) {
					t.Errorf("%s: %s finds %s: %t", when, name, q, got)
				}
			}
		}
	}
	s.indexed(func(when string) {
		sees(when, "secret hidden", "owner", "viewer", "editor")
		sees(when, "", "former", "stranger")
	})
	s.call("DELETE", fmt.Sprintf("/lists/%d/members/%d", shared, people["viewer"].id), people["viewer"].access, "")
	s.indexed(func(when string) { sees("left "+when, "", "viewer") })
	s.changed(owner, parent, `{"list_id":%d}`, private)
	s.indexed(func(when string) {
		sees("moved away "+when, "", "viewer", "editor", "former", "stranger")
		sees("moved away "+when, "secret hidden", "owner")
	})
	s.changed(owner, parent, `{"list_id":%d}`, shared)
	s.indexed(func(when string) { sees("moved back "+when, "secret hidden", "owner", "editor") })
	if a := s.call("GET", fmt.Sprintf("/tasks/?list_id=%d&q=secret", private), people["editor"].access, ""); a.status != 404 {
		t.Errorf("another's list: %d %s", a.status, a.text)
	}
}
