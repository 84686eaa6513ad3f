package api_test

import (
	"fmt"
	"strings"
	"taskapi/app/store"
	"testing"
	"time"
)

// Whoever asks again gets the same answer without a query, until somebody changes something.
func TestAnswersAreRecalledUntilSomethingChanges(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	id := s.task(ann, "one")
	paths := []string{fmt.Sprint("/tasks/", id), "/tasks/", "/tasks/?page=1&per_page=1", "/tasks/?scope=all&sort=title", "/tasks/?q=one"}
	texts := func() (all []string) {
		for _, path := range paths {
			first, again := s.call("GET", path, ann.access, ""), s.call("GET", path, ann.access, "")
			if first.status != 200 || first.text != again.text {
				t.Errorf("%s: %d %s, then %d %s", path, first.status, first.text, again.status, again.text)
			}
			for _, name := range []string{"Content-Type", "ETag", "Link"} {
				if first.header.Get(name) != again.header.Get(name) {
					t.Errorf("%s: %s %q, then %q", path, name, first.header.Get(name), again.header.Get(name))
				}
			}
			all = append(all, again.text)
		}
		return all
	}
	before := texts()
	for _, change := range []struct{ method, path, body string }{
		{"PATCH", fmt.Sprint("/tasks/", id), `{"title":"one more"}`},
		{"PATCH", fmt.Sprint("/tasks/", id), `{"labels":["x"]}`},
		{"PATCH", fmt.Sprint("/tasks/", id), `{"due":"2031-01-05","reminders":[{"before":"P1D"}]}`},
		{"POST", "/tasks/", `{"title":"one, too"}`},
	} {
		if a := s.call(change.method, change.path, ann.access, change.body); a.status >= 300 {
			t.Fatalf("%s: %d %s", change.body, a.status, a.text)
		}
		after := texts()
		for i, path := range paths {
			if i < 4 && change.method == "PATCH" && after[i] == before[i] && (i != 2 || id == 1) {
				t.Errorf("%s is as before %s", path, change.body)
			}
		}
		before = after
	}
	// What is another address, however it is read, has no answer of these.
	for _, path := range []string{"/tasks/%2F1", "/tasks/%2e", "/tasks/%31", "/tasks//1", "/tasks/./1", "/tasks/1%3Fpage=1", "/Tasks/1"} {
		fresh := start(t)
		eve := fresh.signUp("eve")
		fresh.task(eve, "one")
		never := fresh.call("GET", path, eve.access, "")
		for _, known := range []string{"/tasks/1", "/tasks/"} {
			fresh.call("GET", known, eve.access, "")
		}
		if a := fresh.call("GET", path, eve.access, ""); a.status != never.status {
			t.Errorf("%s: %d, and %d after others", path, never.status, a.status)
		}
	}
	// Each person's own, and only while they may.
	if a := s.call("GET", paths[0], bob.access, ""); a.status != 404 {
		t.Errorf("bob: %d %s", a.status, a.text)
	}
	if a := s.call("GET", "/tasks/", bob.access, ""); a.id("pagination.total") != 0 {
		t.Errorf("bob: %s", a.text)
	}
	etag := s.call("GET", paths[0], ann.access, "").header.Get("ETag")
	if a := s.when(ann, "GET", paths[0], "", "If-None-Match", etag); a.status != 304 || a.text != "" || a.header.Get("ETag") != etag {
		t.Errorf("%d %s", a.status, a.text)
	}
	expect(t, "logout", s.call("POST", "/auth/logout-all", ann.access, `{}`), 200, "")
	expect(t, "ended", s.call("GET", paths[0], ann.access, ""), 401, "token_invalid")
}

// What depends on the time is asked for each time.
func TestAnswersByTheClockAreNotRecalled(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	expect(t, "", s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"x","due":%q}`, s.clock.Now().UTC().Add(24*time.Hour).Format("2006-01-02"))), 201, "")
	for _, want := range []int64{0, 1} {
		if a := s.call("GET", "/tasks/?view=today", ann.access, ""); a.id("pagination.total") != want && !strings.Contains(a.text, fmt.Sprintf(`"total":%d`, want)) {
			t.Errorf("want %d: %s", want, a.text)
		}
		s.clock.advance(24 * time.Hour)
		ann = s.login("ann")
	}
}

// Another process, such as a command, changes the database, too.
func TestAnswersAreNotRecalledAfterAnotherProcessWrites(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	path := fmt.Sprint("/tasks/", s.task(ann, "one"))
	s.call("GET", path, ann.access, "")
	s.db.Exec(t, `UPDATE tasks SET title = 'two'`)
	s.clock.advance(store.SeenWithin)
	if a := s.call("GET", path, ann.access, ""); a.str("title") != "two" {
		t.Error(a.text)
	}
}
