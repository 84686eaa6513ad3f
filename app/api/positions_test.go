package api_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
)

// order is the titles of the open tasks of a list at the top, in their order.
func (s *server) order(p person, list int64) []string {
	s.t.Helper()
	var all []string
	for path := fmt.Sprintf("/tasks/?list_id=%d&sort=position&completed=false&parent_id=none&per_page=100&after=0", list); path != ""; {
		a := s.call("GET", path, p.access, "")
		if a.status != 200 {
			s.t.Fatalf("order: %d %s", a.status, a.text)
		}
		all = append(all, titles(a)...)
		path = nextPage(a)
	}
	return all
}

// move moves a task and checks that it is answered where it is.
func (s *server) move(p person, id int64, format string, values ...any) answer {
	s.t.Helper()
	a := s.call("POST", fmt.Sprintf("/tasks/%d/move", id), p.access, fmt.Sprintf(format, values...))
	if a.status != 200 || a.id("task.position") != s.got(p, id).id("position") || a.header.Get("ETag") != s.got(p, id).header.Get("ETag") {
		s.t.Fatalf("move %d: %d %s", id, a.status, a.text)
	}
	return a
}

// New tasks come first, moved ones where they were put, completed ones last and the newest
// of them first.
func TestTasksAreInTheOrderThatPeopleGiveThem(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	ids := map[string]int64{}
	var list int64
	for i, name := range strings.Fields("a b c d e") {
		a := s.made(ann, `{"title":%q}`, name)
		if ids[name], list = a.id("task.id"), a.id("task.list_id"); a.id("task.position") != -1024*a.id("task.id") {
			t.Errorf("%d is at %d", i, a.id("task.position"))
		}
	}
	for _, c := range []struct{ move, before, after, want string }{
		{"a", "c", "", "e d a c b"}, {"e", "", "b", "d a c b e"}, {"b", "", "", "b d a c e"}, {"b", "", "", "b d a c e"}, {"e", "b", "", "e b d a c"}, {"a", "", "a", ""}, {"c", "d", "b", ""}, {"c", "", "e", "e c b d a"}, {"c", "", "e", "e c b d a"},
	} {
		body := map[bool]string{true: fmt.Sprintf(`{"before_id":%d}`, ids[c.before]), false: fmt.Sprintf(`{"after_id":%d}`, ids[c.after])}[c.after == ""]
		if c.before+c.after == "" {
			body = ""
		} else if c.before != "" && c.after != "" {
			body = fmt.Sprintf(`{"before_id":%d,"after_id":%d}`, ids[c.before], ids[c.after])
		}
		a := s.call("POST", fmt.Sprintf("/tasks/%d/move", ids[c.move]), ann.access, body)
		if c.want == "" {
			if a.status != 422 || a.str("code") != "not_a_sibling" && a.str("code") != "validation_failed" {
				t.Errorf("%+v: %d %s", c, a.status, a.text)
			}
		} else if got := strings.Join(s.order(ann, list), " "); a.status != 200 || got != c.want {
			t.Errorf("%+v: %d %s", c, a.status, got)
		}
	}
	s.changed(ann, ids["d"], `{"completed":true}`)
	s.clock.advance(1e9)
	s.changed(ann, ids["e"], `{"completed":true}`)
	all := s.call("GET", fmt.Sprintf("/tasks/?list_id=%d&sort=position", list), ann.access, "")
	if got := strings.Join(titles(all), " "); got != "c b a e d" {
		t.Errorf("with completed ones: %s", got)
	}
	s.changed(ann, ids["d"], `{"completed":false}`)
	if got := strings.Join(s.order(ann, list), " "); got != "c b d a" {
		t.Errorf("an opened one is where it was: %s", got)
	}
}

// Siblings are those below the same parent in the same list that somebody may see.
func TestPlacesThatAreNotThere(t *testing.T) {
	s := start(t)
	ann, eve := s.signUp("ann"), s.signUp("eve")
	one, parent := s.task(ann, "one"), s.task(ann, "parent")
	child := s.made(ann, `{"title":"child","parent_id":%d}`, parent).id("task.id")
	list := s.call("POST", "/lists/", ann.access, `{"name":"other"}`).id("list.id")
	other, hers := s.made(ann, `{"title":"other","list_id":%d}`, list).id("task.id"), s.task(eve, "hers")
	for _, beside := range []int64{one, child, other, hers, 999999} {
		for _, name := range []string{"before_id", "after_id"} {
			if a := s.call("POST", fmt.Sprintf("/tasks/%d/move", one), ann.access, fmt.Sprintf(`{%q:%d}`, name, beside)); a.status != 422 || a.str("code") != "not_a_sibling" {
				t.Errorf("%s %d: %d %s", name, beside, a.status, a.text)
			}
		}
	}
	if a := s.move(ann, one, `{"parent_id":%d,"after_id":%d}`, parent, child); a.id("task.parent_id") != parent || s.below(ann, parent) != "child one" {
		t.Errorf("%s: %s", a.text, s.below(ann, parent))
	}
	uid := s.got(ann, one).str("uid")
	if s.move(ann, child, `{"before_id":%q}`, uid); s.below(ann, parent) != "child one" {
		t.Errorf("by uid: %s", s.below(ann, parent))
	}
}

// A gap that is used up makes room, and the order stays.
func TestMovesIntoOneGap(t *testing.T) {
	for _, name := range []string{"before_id", "after_id"} {
		s := start(t)
		ann := s.signUp("ann")
		var want []string
		var ids []int64
		for i := range 40 {
			title := fmt.Sprintf("t%02d", i)
			ids = append(ids, s.task(ann, title))
			want = append([]string{title}, want...)
		}
		list := s.got(ann, ids[0]).id("list_id")
		beside := "t20"
		for i := range 30 { // a gap of 1024 is used up by the 11th
			title := fmt.Sprintf("t%02d", []int{i, i + 10}[i/20])
			if title == beside {
				continue
			}
			at := slices.Index(want, title)
			want = slices.Delete(want, at, at+1)
			at = slices.Index(want, beside) + map[string]int{"before_id": 0, "after_id": 1}[name]
			want = slices.Insert(want, at, title)
			s.move(ann, ids[slices.IndexFunc(ids, func(id int64) bool { return s.got(ann, id).str("title") == title })], `{%q:%d}`, name, ids[20])
			if got := s.order(ann, list); !slices.Equal(got, want) {
				t.Fatalf("%s, move %d: %v, want %v", name, i+1, got, want)
			}
		}
	}
}

// A thousand random moves by three people leave the order of a plain list. Each waits for the
// other before the next, so that the list knows what comes first.
func TestRandomMovesAgainstAPlainList(t *testing.T) {
	s := start(t)
	people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former")}
	second := s.signUp("second")
	list := s.share(people)
	s.join(list, people["owner"], second, "editor")
	movers := []person{people["owner"], people["editor"], second}
	var want []int64
	titles := map[int64]string{}
	for i := range 12 {
		id := s.made(movers[i%3], `{"title":"%d","list_id":%d}`, i, list).id("task.id")
		want, titles[id] = append([]int64{id}, want...), fmt.Sprint(i)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		task, beside := want[random.IntN(len(want))], want[min(random.IntN(len(want)), 1+random.IntN(4))]
		if task == beside {
			continue
		}
		at := slices.Index(want, task)
		want = slices.Delete(want, at, at+1)
		at = slices.Index(want, beside)
		name := "before_id"
		if random.IntN(2) == 1 {
			name, at = "after_id", at+1
		}
		want = slices.Insert(want, at, task)
		if a := s.call("POST", fmt.Sprintf("/tasks/%d/move", task), movers[i%3].access, fmt.Sprintf(`{%q:%d}`, name, beside)); a.status != 200 {
			t.Fatalf("move %d: %d %s", i, a.status, a.text)
		}
		if i%50 == 0 || i == 999 {
			var names []string
			for _, id := range want {
				names = append(names, titles[id])
			}
			if got := s.order(movers[random.IntN(3)], list); !slices.Equal(got, names) {
				t.Fatalf("after %d moves: %v, want %v", i+1, got, names)
			}
		}
	}
}

// Three people who move at once lose nothing, and no two tasks are at one place.
func TestMovesAtOnceLoseNothing(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	var ids []int64
	for i := range 6 {
		ids = append(ids, s.task(ann, fmt.Sprint(i)))
	}
	var all sync.WaitGroup
	for w := range 3 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(3, uint64(w)))
			for range 40 {
				task, beside := ids[random.IntN(6)], ids[random.IntN(6)]
				if task != beside {
					s.call("POST", fmt.Sprintf("/tasks/%d/move", task), ann.access, fmt.Sprintf(`{"before_id":%d}`, beside))
				}
			}
		})
	}
	all.Wait()
	got := s.order(ann, s.got(ann, ids[0]).id("list_id"))
	if slices.Sort(got); fmt.Sprint(got) != "[0 1 2 3 4 5]" {
		t.Errorf("%v", got)
	}
	places := map[int64]bool{}
	for _, id := range ids {
		places[s.got(ann, id).id("position")] = true
	}
	if len(places) != 6 {
		t.Errorf("places %v", places)
	}
}
