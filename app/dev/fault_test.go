package dev

import (
	"slices"
	"testing"
	"time"
)

func TestParseDelay(t *testing.T) {
	for text, want := range map[string]Delay{
		"300ms": {300 * time.Millisecond, 300 * time.Millisecond}, "2s": {2 * time.Second, 2 * time.Second}, "0ms": {},
		"300..900ms": {300 * time.Millisecond, 900 * time.Millisecond}, "300ms..2s": {300 * time.Millisecond, 2 * time.Second}, "60s": {time.Minute, time.Minute},
	} {
		if got, ok := ParseDelay(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
		if again, ok := ParseDelay(want.String()); want != (Delay{}) && (!ok || again != want) {
			t.Errorf("%s is written %s", text, want)
		}
	}
	for _, text := range []string{"", "300", "ms", "900..300ms", "61s", "1h", "-5ms", "300..", "..300ms", "1.5s", "300ms..400"} {
		if got, ok := ParseDelay(text); ok {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		route, method, path string
		want                bool
	}{
		{"", "GET", "/tasks/", true},
		{"*", "GET", "/tasks/", true},
		{"POST", "POST", "/tasks", true},
		{"POST", "GET", "/tasks", false},
		{"get /tasks", "HEAD", "/tasks/", true},
		{"/tasks", "PUT", "/tasks/", true},
		{"/tasks", "PUT", "/tasks/1", false},
		{"/tasks/{id}", "PUT", "/tasks/1", true},
		{"/tasks/:id", "PUT", "/tasks/1/", true},
		{"/tasks/{id}", "PUT", "/tasks", false},
		{"/tasks/*", "PUT", "/tasks/1/move", true},
		{"/tasks/*", "PUT", "/tasks", true},
		{"/tasks/*", "PUT", "/lists", false},
		{"POST /tasks/{id}/move", "POST", "/tasks/7/move", true},
		{"POST /tasks/{id}/move", "POST", "/tasks/7/restore", false},
		{"/", "GET", "/", true},
		{"/feeds/{secret}.ics", "GET", "/feeds/abc.ics", true},
	} {
		if got := Matches(c.route, c.method, c.path); got != c.want {
			t.Errorf("%q of %s %s: %v", c.route, c.method, c.path, got)
		}
	}
}

func TestMayMatch(t *testing.T) {
	for _, c := range []struct {
		route, method, pattern string
		want                   bool
	}{
		{"/tasks/7", "GET", "/tasks/:id", true},
		{"GET /users/me", "GET", "/users/:id", true},
		{"HEAD /tasks", "GET", "/tasks/", true},
		{"HEAD /tasks", "POST", "/tasks/", false},
		{"/feeds/{secret}.ics", "GET", "/feeds/:secret", true},
		{"/tasks/7/move", "GET", "/tasks/:id", false},
		{"/task", "GET", "/tasks/", false},
		{"PROPFIND /dav/calendars/1/", "", "/dav/*", true},
		{"/dav", "", "/dav/*", false},
	} {
		if got := MayMatch(c.route, c.method, c.pattern); got != c.want {
			t.Errorf("%q of %s %s: %v", c.route, c.method, c.pattern, got)
		}
	}
}

// Requests that a kind of trouble does not concern use none of it up.
func TestAKindIsMetWhereItCounts(t *testing.T) {
	f := NewFaults(1)
	f.Add(Fault{Rate: 1, Times: 1, Trouble: Trouble{Kind: ReadOnly}})
	for _, concerned := range []bool{false, false, true, true} {
		trouble, _ := f.Meet("GET", "/tasks", Trouble{}, func(k Kind) bool { return concerned && k == ReadOnly })
		met := f.List()[0].Met
		if want := int64(map[bool]int{true: 1}[concerned]); met != want || (trouble.Kind == ReadOnly) && !concerned {
			t.Errorf("concerned %v: met %d times, %q", concerned, met, trouble.Kind)
		}
	}
}

func anyKind(Kind) bool { return true }

// hits returns which of a hundred requests meet a status, and how long each waits.
func hits(f *Faults) (met []int, waits []time.Duration) {
	for i := range 100 {
		trouble, wait := f.Meet("GET", "/tasks", Trouble{}, anyKind)
		if trouble.Status == 503 {
			met = append(met, i)
		}
		waits = append(waits, wait)
	}
	return met, waits
}

func TestFaultsAreOfTheirSeed(t *testing.T) {
	order := func(f *Faults) {
		f.Add(Fault{Rate: 0.3, Trouble: Trouble{Status: 503}})
		f.Add(Fault{Rate: 1, Trouble: Trouble{Delay: Delay{0, time.Second}}})
	}
	one, other := NewFaults(1), NewFaults(2)
	order(one)
	order(other)
	met, waits := hits(one)
	if n := len(met); n < 15 || n > 45 {
		t.Errorf("%d of 100 at a rate of 0.3", n)
	}
	if again, _ := hits(other); slices.Equal(met, again) {
		t.Error("another seed, and the same faults")
	}
	one.Clear()
	order(one)
	again, sameWaits := hits(one)
	if !slices.Equal(met, again) || !slices.Equal(waits, sameWaits) {
		t.Errorf("the same seed, and other faults: %v, then %v", met, again)
	}
	if slices.Max(waits) == slices.Min(waits) {
		t.Error("every wait is the same")
	}
}

func TestFaults(t *testing.T) {
	f := NewFaults(1)
	f.Add(Fault{Route: "POST /tasks", Rate: 1, Times: 2, Trouble: Trouble{Status: 500}})
	second, _ := f.Add(Fault{Rate: 1, Trouble: Trouble{Drop: DropAfter, Delay: Delay{time.Second, time.Second}}})
	meet := func(method string, asked, want Trouble) {
		t.Helper()
		if got, _ := f.Meet(method, "/tasks", asked, anyKind); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	slow := Delay{time.Second, time.Second}
	meet("GET", Trouble{}, Trouble{Drop: DropAfter, Delay: slow})
	meet("POST", Trouble{}, Trouble{Status: 500, Delay: slow})
	meet("POST", Trouble{Status: 404}, Trouble{Status: 404, Delay: slow})
	meet("POST", Trouble{}, Trouble{Drop: DropAfter, Delay: slow})
	if all := f.List(); len(all) != 2 || all[0].Met != 2 || all[1].Met != 4 {
		t.Errorf("%+v", all)
	}
	if !f.Remove(second.ID) || f.Remove(second.ID) {
		t.Error("removed never, or twice")
	}
	meet("GET", Trouble{}, Trouble{})
	f.Clear()
	for range MaxFaults {
		f.Add(Fault{Rate: 1})
	}
	if _, ok := f.Add(Fault{}); ok {
		t.Error("there is no end of faults")
	}
}
