package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app/todo"
)

// set stops the clock at a moment.
func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen, c.skew = at, 0
}

// at stops the clock at a moment of RFC 3339 and signs ann in again.
func (s *server) at(moment string) person {
	s.t.Helper()
	at, err := time.Parse(time.RFC3339, moment)
	must(s.t, err)
	s.clock.set(at)
	return s.login("ann")
}

// made creates a task.
func (s *server) made(p person, format string, values ...any) answer {
	s.t.Helper()
	a := s.call("POST", "/tasks/", p.access, fmt.Sprintf(format, values...))
	if a.status != 201 {
		s.t.Fatalf("create: %d %s", a.status, a.text)
	}
	return a
}

// changed changes a task.
func (s *server) changed(p person, id int64, format string, values ...any) answer {
	s.t.Helper()
	if strings.Contains(format, `"completed":true`) {
		s.clock.advance(11 * time.Second) // so that it is not taken for the same completion again
	}
	a := s.call("PATCH", fmt.Sprint("/tasks/", id), p.access, fmt.Sprintf(format, values...))
	if a.status != 200 {
		s.t.Fatalf("change of %d: %d %s", id, a.status, a.text)
	}
	return a
}

// got reads a task.
func (s *server) got(p person, id int64) answer {
	s.t.Helper()
	a := s.call("GET", fmt.Sprint("/tasks/", id), p.access, "")
	if a.status != 200 {
		s.t.Fatalf("task %d: %d %s", id, a.status, a.text)
	}
	return a
}

func (s *server) inZone(p person, zone string) {
	s.t.Helper()
	if a := s.call("PATCH", fmt.Sprint("/users/", p.id), p.access, fmt.Sprintf(`{"time_zone":%q}`, zone)); a.status != 200 {
		s.t.Fatalf("zone %s: %d %s", zone, a.status, a.text)
	}
}

// titles are those of the tasks of a page.
func titles(a answer) []string {
	out := []string{}
	tasks, _ := a.json["tasks"].([]any)
	for _, task := range tasks {
		title, _ := task.(map[string]any)["title"].(string)
		out = append(out, title)
	}
	return out
}

// found is the titles that a query finds, sorted, with a space between them. It checks that
// the total is their number.
func (s *server) found(p person, query string) string {
	s.t.Helper()
	a := s.call("GET", "/tasks/?per_page=100&"+query, p.access, "")
	if a.status != 200 {
		s.t.Fatalf("%s: %d %s", query, a.status, a.text)
	}
	all := titles(a)
	if a.id("pagination.total") != int64(len(all)) {
		s.t.Errorf("%s: the total is %d of %v", query, a.id("pagination.total"), all)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A day is text: it reads back the same in every zone, and is never a moment.
func TestADayStaysADayInEveryZone(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	id := s.made(ann, `{"title":"rent","due":"2027-11-30","start":"2027-11-29"}`).id("task.id")
	for _, zone := range []string{"Etc/GMT+12", "Pacific/Kiritimati", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca", "America/New_York"} {
		s.inZone(ann, zone)
		tag := s.got(ann, id).header.Get("ETag")
		a := s.changed(ann, id, `{"description":%q}`, zone)
		if a.header.Get("ETag") == tag {
			t.Errorf("%s: the same ETag after a change", zone)
		}
		for name, value := range map[string]any{"due": "2027-11-30", "start": "2027-11-29", "due_at": nil, "due_zone": nil} {
			if got := s.got(ann, id).at(name); got != value {
				t.Errorf("in %s %s is %v", zone, name, got)
			}
			if got := s.call("GET", "/tasks/?sort=due&time_zone="+url.QueryEscape(zone), ann.access, "").json["tasks"].([]any)[0].(map[string]any)[name]; got != value {
				t.Errorf("listed in %s %s is %v", zone, name, got)
			}
		}
	}
}

// Where it is still yesterday and where it is tomorrow already, today is that of the person.
func TestTodayIsThatOfThePerson(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-06-15T11:30:00Z")
	for day := 13; day <= 17; day++ {
		s.made(ann, `{"title":"%d","due":"2027-06-%d"}`, day, day)
	}
	s.made(ann, `{"title":"moment","due":"2027-06-15T12:00","due_zone":"UTC"}`)
	s.made(ann, `{"title":"passed","due":"2027-06-15T11:30","due_zone":"UTC"}`)
	s.made(ann, `{"title":"never"}`)
	s.made(ann, `{"title":"done","due":"2027-06-13","completed":true}`)
	for zone, want := range map[string]map[string]string{
		"Etc/GMT+12":         {"today": "13 14 moment passed", "overdue": "13 passed", "upcoming": "15 16 17"},
		"UTC":                {"today": "13 14 15 moment passed", "overdue": "13 14 passed", "upcoming": "16 17"},
		"Pacific/Kiritimati": {"today": "13 14 15 16 moment passed", "overdue": "13 14 15 passed", "upcoming": "17"},
	} {
		want["undated"] = "never"
		if zone == "Etc/GMT+12" { // 15 June 12:00 UTC is midnight there: the day after
			want["today"], want["upcoming"] = "13 14 passed", "15 16 17 moment"
		}
		s.inZone(ann, zone)
		counts := s.call("GET", "/tasks/counts", ann.access, "")
		for view, titles := range want {
			if got := s.found(ann, "view="+view); got != titles {
				t.Errorf("%s in %s: %s, want %s", view, zone, got, titles)
			}
			if n := counts.id(view); n != int64(len(strings.Fields(titles))) {
				t.Errorf("%s in %s: %d are counted, want %s", view, zone, n, titles)
			}
			s.inZone(ann, "America/New_York")
			if got := s.found(ann, "view="+view+"&time_zone="+url.QueryEscape(zone)); got != titles {
				t.Errorf("%s with the zone %s: %s, want %s", view, zone, got, titles)
			}
			s.inZone(ann, zone)
		}
	}
}

// The last second of a day and the first of the next, on days of 23, 23½, 24, 24½ and 25 hours.
func TestViewsAtTheEdgesOfADay(t *testing.T) {
	for zone, days := range map[string][]string{
		"Europe/Berlin": {"2027-03-28", "2027-10-31", "2027-07-01"}, "America/New_York": {"2027-03-14", "2027-11-07"},
		"Australia/Lord_Howe": {"2027-04-04", "2027-10-03"}, "Pacific/Kiritimati": {"2027-05-05"}, "Etc/GMT+12": {"2027-05-05"}, "Asia/Kathmandu": {"2027-05-05"},
	} {
		for _, day := range days {
			t.Run(zone+" "+day, func(t *testing.T) { testEdgesOfADay(t, zone, day) })
		}
	}
}

func testEdgesOfADay(t *testing.T, zone, day string) {
	s := start(t)
	s.signUp("ann")
	date, err := time.Parse("2006-01-02", day)
	must(t, err)
	location, err := time.LoadLocation(zone)
	must(t, err)
	wall := func(days int, text string) string { return date.AddDate(0, 0, days).Format("2006-01-02") + text }
	midnight := todo.Moment(date.AddDate(0, 0, 1), location)
	ann := s.at(midnight.Add(-time.Second).Format(time.RFC3339))
	s.inZone(ann, zone)
	for title, due := range map[string]string{"before": wall(-1, ""), "day": wall(0, ""), "after": wall(1, ""), "late": wall(0, "T23:59"), "midnight": wall(1, "T00:00"), "first": wall(1, "T00:01")} {
		s.made(ann, `{"title":%q,"due":%q}`, title, due)
	}
	s.made(ann, `{"title":"moment","due":%q,"due_zone":%q}`, wall(1, "T00:00"), zone)
	s.made(ann, `{"title":"utc","due":%q,"due_zone":"UTC"}`, midnight.Format("2006-01-02T15:04"))
	for i, want := range []map[string]string{
		{"today": "before day late", "overdue": "before late", "upcoming": "after first midnight moment utc"},
		{"today": "after before day first late midnight moment utc", "overdue": "before day late midnight moment utc", "upcoming": ""},
	} {
		for view, titles := range want {
			if got := s.found(ann, "view="+view); got != titles {
				t.Errorf("%s, second %d: %s, want %s", view, i, got, titles)
			}
		}
		s.clock.advance(time.Second)
	}
	if got := s.found(ann, "due_before="+wall(1, "")); got != "before day late" {
		t.Errorf("before the day after: %s", got)
	}
	if got := s.found(ann, "due_after="+wall(0, "")); got != "after first midnight moment utc" {
		t.Errorf("after the day: %s", got)
	}
	at := url.QueryEscape(midnight.Format(time.RFC3339))
	if got := s.found(ann, "due_before="+at); got != "before day late" {
		t.Errorf("before midnight: %s", got)
	}
}

// A filter that is ignored shows people the wrong tasks.
func TestParametersThatAreRefused(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for query, code := range map[string]string{
		"complete=true": "unknown_parameter", "foo=1": "unknown_parameter", "completed=true&completed=false": "invalid_parameter",
		"completed=yes": "invalid_parameter", "completed=": "invalid_parameter", "view=tomorrow": "invalid_parameter", "view=today&completed=true": "invalid_parameter",
		"sort=size": "invalid_parameter", "sort=": "invalid_parameter", "sort=--due": "invalid_parameter", "scope=mine": "invalid_parameter",
		"priority=urgent": "invalid_parameter", "priority=high&priority=3": "invalid_parameter", "label=": "invalid_parameter", "label=" + strings.Repeat("x", 51): "invalid_parameter",
		"assignee_id=x": "invalid_parameter", "assignee_id=0": "invalid_parameter", "parent_id=-1": "invalid_parameter", "list_id=0": "invalid_parameter", "list_id=01": "invalid_parameter",
		"due_before=tomorrow": "invalid_parameter", "due_after=2027-02-30": "invalid_parameter", "due_before=2027-01-01T00:00": "invalid_parameter",
		"updated_after=2027-01-01": "invalid_parameter", "completed_after=now": "invalid_parameter", "completed_before=1": "invalid_parameter",
		"time_zone=Mars/Olympus&view=today": "invalid_parameter", "time_zone=Local": "invalid_parameter", "trash=maybe": "invalid_parameter", "trash=true&q=x": "invalid_parameter",
		"user_id=1&view=today": "invalid_parameter", "user_id=1&scope=all": "invalid_parameter", "user_id=1&list_id=1": "invalid_parameter",
		"sort=due&after=1": "invalid_parameter", "sort=due&after=%20": "invalid_parameter", "sort=due&page=1&after=0": "invalid_pagination", "view=today&per_page=101": "invalid_pagination",
		"q=": "invalid_parameter", "list_id=" + strings.Repeat("1&list_id=", 50) + "1": "invalid_parameter",
	} {
		if a := s.call("GET", "/tasks/?"+query, ann.access, ""); a.status != 400 || a.str("code") != code {
			t.Errorf("%.60s: %d %s", query, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/?complete=true", ann.access, ""); !strings.Contains(a.str("error"), `"completed"`) {
		t.Errorf("no hint: %s", a.text)
	}
	for query, code := range map[string]string{"list_id=999": "list_not_found", "parent_id=999": "task_not_found"} {
		if a := s.call("GET", "/tasks/?"+query, ann.access, ""); a.status != 404 || a.str("code") != code {
			t.Errorf("%s: %d %s", query, a.status, a.text)
		}
	}
}

// What clients add against caches changes nothing.
func TestUnderscoreParametersChangeNothing(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for i := range 5 {
		s.made(ann, `{"title":"%d","due":"2027-01-0%d"}`, i, i+1)
	}
	for _, query := range []string{"", "view=upcoming&", "sort=-due&", "q=1&"} {
		plain, busted := s.call("GET", "/tasks/?"+query, ann.access, ""), s.call("GET", "/tasks/?"+query+"_=1700000000", ann.access, "")
		if plain.status != 200 || fmt.Sprint(titles(plain)) != fmt.Sprint(titles(busted)) {
			t.Errorf("%q: %s, then %s", query, plain.text, busted.text)
		}
	}
	a := s.call("GET", "/tasks/?sort=due&after=0&per_page=2&_=1", ann.access, "")
	if next := s.call("GET", "/tasks/?sort=due&per_page=2&_=2&after="+a.str("pagination.next_after"), ann.access, ""); next.status != 200 || fmt.Sprint(titles(next)) != "[2 3]" {
		t.Errorf("%d %s", next.status, next.text)
	}
}

// Clients of the tutorial may have sent members and parameters of these names for years.
func TestFindingAsInTheTutorial(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tutorial = true })
	ann := s.signUp("ann").access
	odd := `"recurrence":5,"recurrence_from":[],"labels":"x","reminders":1,"list_id":{},"parent_id":"none at all\n","assignee_id":"bob","priority":9,"due":"soon","due_zone":1,"start":2,"uid":3`
	status, _, text := ask(t, s, "POST", "/tasks/", ann, `{"title":"one",`+odd+`}`)
	if status != 201 || !strings.Contains(text, `"labels":[]`) || !strings.Contains(text, `"due":null`) {
		t.Errorf("%d %s", status, text)
	}
	if status, _, text := ask(t, s, "PUT", "/tasks/1", ann, `{"title":"two","labels_add":7,`+odd+`}`); status != 200 || !strings.Contains(text, `"title":"two"`) {
		t.Errorf("%d %s", status, text)
	}
	_, _, want := ask(t, s, "GET", "/tasks/", ann, "")
	for _, query := range []string{"_=1", "foo=1", "complete=true", "completed=true", "view=nowhere", "q=", "sort=size", "list_id=999", "label=a&label=a", "time_zone=Mars", "trash=true"} {
		if status, _, text := ask(t, s, "GET", "/tasks/?"+query, ann, ""); status != 200 || text != want {
			t.Errorf("%s: %d %s, want %s", query, status, text, want)
		}
	}
}

// Each sort in both directions walks the whole, however many there are on a page.
func TestWalksByCursorInEverySort(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	for i, body := range []string{`"due":"2027-01-02","priority":"high"`, `"priority":"low"`, `"due":"2027-01-01","completed":true`, `"completed":true`, `"due":"2027-01-01T09:00"`, `"due":"2027-01-02","priority":"high"`, ``} {
		s.made(ann, `{"title":"%c%d"%s}`, "cabCABc"[i], i, strings.TrimSuffix(","+body, ","))
	}
	for _, sort := range []string{"id", "due", "priority", "position", "title", "created", "completed", "updated"} {
		for _, down := range []string{"", "-"} {
			whole := s.call("GET", "/tasks/?per_page=100&sort="+down+sort, ann.access, "")
			for _, per := range []int{1, 2, 3, 7} {
				var walked []string
				path := fmt.Sprintf("/tasks/?sort=%s%s&after=0&per_page=%d", down, sort, per)
				for steps := 0; path != "" && steps < 9; steps++ {
					a := s.call("GET", path, ann.access, "")
					if a.status != 200 || a.id("pagination.total") != 7 {
						t.Fatalf("%s: %d %s", path, a.status, a.text)
					}
					walked = append(walked, titles(a)...)
					path = nextPage(a)
				}
				if fmt.Sprint(walked) != fmt.Sprint(titles(whole)) || len(walked) != 7 {
					t.Errorf("%s%s by %d: %v, want %v", down, sort, per, walked, titles(whole))
				}
			}
		}
	}
}

// nextPage is the address that a Link header names as the next.
func nextPage(a answer) string {
	for link := range strings.SplitSeq(a.header.Get("Link"), ", ") {
		if address, found := strings.CutSuffix(link, `>; rel="next"`); found {
			return strings.TrimPrefix(address, "<")
		}
	}
	return ""
}

// A cursor continues the search that it came from, on the database that it came from.
func TestCursorsOfOtherSearches(t *testing.T) {
	cursor := func(s *server) (person, string) {
		ann := s.signUp("ann")
		for i := range 4 {
			s.made(ann, `{"title":"%d","due":"2027-01-0%d"}`, i, i+1)
		}
		return ann, s.call("GET", "/tasks/?sort=due&completed=false&after=0&per_page=2", ann.access, "").str("pagination.next_after")
	}
	s, other := start(t), start(t)
	ann, mine := cursor(s)
	_, theirs := cursor(other)
	for _, c := range []struct{ query, after, code string }{
		{"sort=due&completed=false", mine, ""}, {"completed=false&sort=due", mine, ""}, {"sort=due&completed=false&_=7", mine, ""},
		{"sort=due&completed=true", mine, "cursor_mismatch"}, {"sort=due", mine, "cursor_mismatch"}, {"sort=-due&completed=false", mine, "cursor_mismatch"},
		{"sort=title&completed=false", mine, "cursor_mismatch"}, {"sort=due&completed=false&label=x", mine, "cursor_mismatch"}, {"sort=due&completed=false&time_zone=UTC", mine, "cursor_mismatch"},
		{"sort=due&completed=false", theirs, "cursor_expired"}, {"sort=due&completed=false", mine[1:], "invalid_parameter"}, {"sort=due&completed=false", "e30", "invalid_parameter"},
	} {
		a := s.call("GET", "/tasks/?per_page=2&"+c.query+"&after="+c.after, ann.access, "")
		if c.code == "" && (a.status != 200 || fmt.Sprint(titles(a)) != "[2 3]") || c.code != "" && (a.status != 400 || a.str("code") != c.code) {
			t.Errorf("%s after %s: %d %s, want %s", c.query, c.after, a.status, a.text, c.code)
		}
	}
	// It carries no rights.
	bob := s.signUp("bob")
	if a := s.call("GET", "/tasks/?per_page=2&sort=due&completed=false&after="+mine, bob.access, ""); a.status != 200 || len(titles(a)) != 0 || a.id("pagination.total") != 0 {
		t.Errorf("a stranger: %d %s", a.status, a.text)
	}
}
