package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// copies are the dues of the completed copies of a task, the oldest first.
func (s *server) copies(p person, id int64) (dues []string) {
	s.t.Helper()
	a := s.call("GET", "/tasks/?per_page=100&completed=true", p.access, "")
	for _, one := range a.json["tasks"].([]any) {
		if task := one.(map[string]any); task["recurrence_of"] == float64(id) {
			dues = append(dues, fmt.Sprint(task["due"]))
		}
	}
	return dues
}

// A task moves on to the first date after its due and after now, on the wall clock.
func TestARepeatingTaskMovesOn(t *testing.T) {
	for name, c := range map[string]struct{ now, zone, fields, due string }{
		"weekly, 16 days late":              {"2027-03-17T10:00:00Z", "UTC", `"due":"2027-03-01","recurrence":"FREQ=WEEKLY;BYDAY=MO"`, "2027-03-22"},
		"weekly, a day early":               {"2027-02-28T10:00:00Z", "UTC", `"due":"2027-03-01","recurrence":"FREQ=WEEKLY;BYDAY=MO"`, "2027-03-08"},
		"daily, of yesterday":               {"2027-03-02T10:00:00Z", "UTC", `"due":"2027-03-01","recurrence":"FREQ=DAILY"`, "2027-03-03"},
		"daily, of today":                   {"2027-03-01T10:00:00Z", "UTC", `"due":"2027-03-01","recurrence":"FREQ=DAILY"`, "2027-03-02"},
		"daily, where it is tomorrow":       {"2027-03-01T10:30:00Z", "Pacific/Kiritimati", `"due":"2027-03-01","recurrence":"FREQ=DAILY"`, "2027-03-03"},
		"daily, where it is yesterday":      {"2027-03-02T11:30:00Z", "Etc/GMT+12", `"due":"2027-03-01","recurrence":"FREQ=DAILY"`, "2027-03-02"},
		"a time that comes today":           {"2027-03-02T10:00:00Z", "UTC", `"due":"2027-03-01T18:00","recurrence":"FREQ=DAILY"`, "2027-03-02T18:00"},
		"a time that has passed today":      {"2027-03-02T18:00:00Z", "UTC", `"due":"2027-03-01T18:00","recurrence":"FREQ=DAILY"`, "2027-03-03T18:00"},
		"a time, by the zone of the task":   {"2027-03-02T16:30:00Z", "Asia/Kathmandu", `"due":"2027-03-01T18:00","due_zone":"Europe/Berlin","recurrence":"FREQ=DAILY"`, "2027-03-02T18:00"},
		"over the beginning of summer":      {"2027-03-27T10:00:00Z", "UTC", `"due":"2027-03-27T09:00","due_zone":"Europe/Berlin","recurrence":"FREQ=DAILY"`, "2027-03-28T09:00"},
		"into the hour that is skipped":     {"2027-03-27T10:00:00Z", "UTC", `"due":"2027-03-27T02:30","due_zone":"Europe/Berlin","recurrence":"FREQ=DAILY"`, "2027-03-28T02:30"},
		"monthly on the 31st":               {"2027-01-31T10:00:00Z", "UTC", `"due":"2027-01-31","recurrence":"FREQ=MONTHLY"`, "2027-02-28"},
		"yearly on 29 February":             {"2028-02-29T10:00:00Z", "UTC", `"due":"2028-02-29","recurrence":"FREQ=YEARLY"`, "2029-02-28"},
		"the last working day":              {"2027-10-29T10:00:00Z", "UTC", `"due":"2027-10-29","recurrence":"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"`, "2027-11-30"},
		"from completion, late":             {"2027-03-17T10:00:00Z", "UTC", `"due":"2027-03-01","recurrence":"FREQ=DAILY;INTERVAL=10","recurrence_from":"completion"`, "2027-03-27"},
		"from completion, early":            {"2027-02-25T10:00:00Z", "UTC", `"due":"2027-03-01T07:15","recurrence":"FREQ=WEEKLY","recurrence_from":"completion"`, "2027-03-04T07:15"},
		"from completion, at a month's end": {"2027-08-31T10:00:00Z", "UTC", `"due":"2027-08-15","recurrence":"FREQ=MONTHLY","recurrence_from":"completion"`, "2027-09-30"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.signUp("ann")
			ann := s.at(c.now)
			s.inZone(ann, c.zone)
			before := s.made(ann, `{"title":"t","labels":["x"],"priority":"high","description":"d",%s}`, c.fields)
			id := before.id("task.id")
			a := s.changed(ann, id, `{"completed":true}`)
			if a.str("task.due") != c.due || a.at("task.completed") != false || a.id("task.id") != id || a.at("task.uid") != before.at("task.uid") || a.at("task.position") != before.at("task.position") {
				t.Errorf("%s, want %s", a.text, c.due)
			}
			kept := a.json["completed_copy"].(map[string]any)
			for name, want := range map[string]any{
				"due": before.at("task.due"), "recurrence": nil, "recurrence_of": float64(id), "completed": true, "title": "t", "priority": "high", "description": "d", "parent_id": nil,
				"date_completed": s.clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "due_at": before.at("task.due_at"),
			} {
				if kept[name] != want {
					t.Errorf("%s of the copy is %v, want %v", name, kept[name], want)
				}
			}
		})
	}
}

// Monthly on the 31st keeps to the end of each month, and comes back to the 31st.
func TestMonthlyOnTheLastDayGoesOn(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-08-31T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-08-31","recurrence":"freq=monthly"}`).id("task.id")
	if rule := s.got(ann, id).str("recurrence"); rule != "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1" {
		t.Errorf("stored as %s", rule)
	}
	for _, want := range []string{"2027-09-30", "2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"} {
		if got := s.changed(ann, id, `{"completed":true}`).str("task.due"); got != want {
			t.Errorf("moved on to %s, want %s", got, want)
		}
	}
}

// whole is all that was read of a task, with changes.
func whole(t *testing.T, a answer, changes map[string]any) string {
	t.Helper()
	body := map[string]any{}
	for name, value := range a.json {
		body[name] = value
	}
	for name, value := range changes {
		body[name] = value
	}
	raw, err := json.Marshal(body)
	must(t, err)
	return string(raw)
}

// A client that sends back all that it read and sets completed moves the task on.
func TestAllThatWasReadSentBackMovesOn(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	for _, fields := range []string{
		`"due":"2027-03-31","recurrence":"FREQ=MONTHLY"`, `"due":"2027-03-01T09:00","due_zone":"Europe/Berlin","start":"2027-02-28T08:00","recurrence":"FREQ=WEEKLY;COUNT=4"`,
		`"due":"2027-03-01","recurrence":"FREQ=DAILY;UNTIL=20270331","recurrence_from":"completion","reminders":[{"before":"PT30M"},{"at":"2027-04-01T10:00:00Z"}]`,
	} {
		id := s.made(ann, `{"title":"t","labels":["x"],%s}`, fields).id("task.id")
		read := s.got(ann, id)
		for _, method := range []string{"PUT", "PATCH"} {
			if a := s.call(method, fmt.Sprint("/tasks/", id), ann.access, whole(t, read, nil)); a.status != 200 || a.id("task.version") != read.id("version") {
				t.Errorf("%s of what was read changes it: %d %s, was %s", method, a.status, a.text, read.text)
			}
		}
		a := s.call("PUT", fmt.Sprint("/tasks/", id), ann.access, whole(t, read, map[string]any{"completed": true}))
		if a.status != 200 || a.at("completed_copy.due") != read.at("due") || a.str("task.due") <= read.str("due") || len(s.copies(ann, id)) != 1 {
			t.Errorf("%s: %d %s", fields, a.status, a.text)
		}
	}
}

// Two people complete an occurrence at once. With If-Match, the second is refused.
func TestAnOccurrenceCompletedTwiceIsRefusedByIfMatch(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01","recurrence":"FREQ=DAILY;COUNT=9"}`).id("task.id")
	tag := s.got(ann, id).header.Get("ETag")
	got := atOnce(8, func(int) answer {
		return s.with("PATCH", fmt.Sprint("/tasks/", id), `{"completed":true}`, "Authorization", "Bearer "+ann.access, "Content-Type", "application/json", "If-Match", tag)
	})
	if a := s.got(ann, id); got[200] != 1 || got[412] != 7 || a.str("due") != "2027-03-02" || a.str("recurrence") != "FREQ=DAILY;COUNT=8" || len(s.copies(ann, id)) != 1 {
		t.Errorf("%v %s %v", got, a.text, s.copies(ann, id))
	}
}

// Two people send back what both have read: the occurrence that they saw is completed once.
func TestAnOccurrenceSentBackTwiceIsCompletedOnce(t *testing.T) {
	for _, day := range []string{"2027-02-20", "2027-03-01", "2027-03-04"} { // late, today, early
		s := start(t)
		s.signUp("ann")
		ann := s.at("2027-03-01T10:00:00Z")
		id := s.made(ann, `{"title":"t","due":%q,"recurrence":"FREQ=DAILY;COUNT=30"}`, day).id("task.id")
		body := whole(t, s.got(ann, id), map[string]any{"completed": true})
		var first answer
		var once sync.Mutex
		got := atOnce(4, func(int) answer {
			a := s.call("PUT", fmt.Sprint("/tasks/", id), ann.access, body)
			once.Lock()
			defer once.Unlock()
			if a.json["completed_copy"] != nil {
				first = a
			}
			return a
		})
		a := s.got(ann, id)
		if got[200] != 4 || len(s.copies(ann, id)) != 1 || a.str("due") != first.str("task.due") || a.str("recurrence") != first.str("task.recurrence") {
			t.Errorf("%s: %v, copies %v, %s", day, got, s.copies(ann, id), a.text)
		}
	}
}

// The newest copy, opened again, takes the task back and goes; an older one becomes a task.
func TestACompletedOccurrenceIsUndone(t *testing.T) {
	for _, from := range []string{"due", "completion"} {
		s := start(t)
		s.signUp("ann")
		ann := s.at("2027-03-01T10:00:00Z")
		id := s.made(ann, `{"title":"t","due":"2027-03-01T09:00","due_zone":"Europe/Berlin","start":"2027-02-27T09:00","recurrence":"FREQ=DAILY;COUNT=5","recurrence_from":%q}`, from).id("task.id")
		before := s.got(ann, id)
		older := s.changed(ann, id, `{"completed":true}`).id("completed_copy.id")
		a := s.changed(ann, older, `{"completed":false}`)
		if a.id("task.id") != id || len(s.copies(ann, id)) != 0 || s.call("GET", fmt.Sprint("/tasks/", older), ann.access, "").status != 404 {
			t.Errorf("from %s: undone: %s", from, a.text)
		}
		for _, name := range []string{"due", "due_at", "due_zone", "start", "completed", "title"} {
			if got := s.got(ann, id).at(name); got != before.at(name) {
				t.Errorf("from %s: %s is %v after it is undone, was %v", from, name, got, before.at(name))
			}
		}
		// Nothing of the rule has been used up: five occurrences in all.
		n := 0
		for ; s.got(ann, id).at("completed") == false && n < 10; n++ {
			older = max(older, s.changed(ann, id, `{"completed":true}`).id("completed_copy.id"))
		}
		if n != 5 {
			t.Errorf("from %s: %d occurrences after one was undone", from, n)
		}
	}
}

func TestAnOlderCopyOpenedAgainIsATaskOfItsOwn(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01","recurrence":"FREQ=DAILY"}`).id("task.id")
	older := s.changed(ann, id, `{"completed":true}`).id("completed_copy.id")
	newer := s.changed(ann, id, `{"completed":true}`).id("completed_copy.id")
	a := s.changed(ann, older, `{"completed":false}`)
	if a.id("task.id") != older || a.at("task.completed") != false || a.at("task.recurrence_of") != nil || a.str("task.due") != "2027-03-01" || s.got(ann, id).str("due") != "2027-03-03" {
		t.Errorf("%s", a.text)
	}
	if a := s.changed(ann, newer, `{"completed":false}`); a.id("task.id") != id || a.str("task.due") != "2027-03-02" {
		t.Errorf("the newest one: %s", a.text)
	}
}

// A rule that has run out completes the task for good, with COUNT and with UNTIL.
func TestRulesThatRunOut(t *testing.T) {
	for rule, want := range map[string]int{"FREQ=DAILY;COUNT=3": 3, "FREQ=DAILY;COUNT=1": 1, "FREQ=DAILY;UNTIL=20270304": 4, "FREQ=DAILY;UNTIL=20270303T090000Z": 3, "FREQ=DAILY;UNTIL=20270303T085959Z": 2} {
		for _, from := range []string{"due", "completion"} {
			s := start(t)
			s.signUp("ann")
			ann := s.at("2027-03-01T10:00:00Z")
			id := s.made(ann, `{"title":"t","due":"2027-03-01T10:00","due_zone":"Europe/Berlin","recurrence":%q,"recurrence_from":%q}`, rule, from).id("task.id")
			n := 0
			for ; s.got(ann, id).at("completed") == false && n < 9; n++ {
				s.clock.set(time.Date(2027, 3, 1+n, 10, 0, 0, 0, time.UTC))
				ann = s.login("ann")
				s.changed(ann, id, `{"completed":true}`)
			}
			if a := s.got(ann, id); n != want || a.at("date_completed") == nil || len(s.copies(ann, id)) != want-1 {
				t.Errorf("%s from %s: %d times, copies %v, %s", rule, from, n, s.copies(ann, id), a.text)
			}
		}
	}
}

// A date moved by hand moves one occurrence; the rule goes on as it was.
func TestADateMovedByHandKeepsTheRule(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01","recurrence":"FREQ=WEEKLY"}`).id("task.id")
	s.changed(ann, id, `{"due":"2027-03-03"}`)
	if a := s.changed(ann, id, `{"completed":true,"recurrence":"FREQ=WEEKLY"}`); a.str("task.due") != "2027-03-08" || a.str("completed_copy.due") != "2027-03-03" {
		t.Errorf("%s", a.text)
	}
	s.changed(ann, id, `{"due":"2027-03-10","recurrence":"FREQ=WEEKLY;INTERVAL=2"}`)
	if a := s.changed(ann, id, `{"completed":true}`); a.str("task.due") != "2027-03-24" {
		t.Errorf("another rule begins at the date of now: %s", a.text)
	}
	// The last occurrence may be put off beyond the end of its rule.
	last := s.made(ann, `{"title":"t","due":"2027-03-01","recurrence":"FREQ=DAILY;UNTIL=20270301"}`).id("task.id")
	s.changed(ann, last, `{"due":"2027-03-05"}`)
	if a := s.changed(ann, last, `{"completed":true}`); a.at("task.completed") != true {
		t.Errorf("%s", a.text)
	}
}

func TestRulesThatTheServerRefuses(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	dated := s.made(ann, `{"title":"t","due":"2027-03-01"}`).id("task.id")
	for rule, want := range map[string]string{
		"FREQ=DAILY;INTERVAL=0": "INTERVAL", "FREQ=DAILY;INTERVAL=-1": "INTERVAL", "FREQ=DAILY;INTERVAL=1000000000": "INTERVAL", "FREQ=WEEKLY;BYDAY=" + strings.Repeat("MO,", 9999) + "MO": "200 characters",
		"FREQ=DAILY;COUNT=2;UNTIL=20280101": "COUNT or UNTIL", "FREQ=SECONDLY": "FREQ", "FREQ=DAILY;BYHOUR=9": "time of day is that of due", "RRULE:FREQ=DAILY": "RRULE:FREQ",
		"FREQ=DAILY\nFREQ=DAILY": "", "": "FREQ=WEEKLY", "FREQ=DAILY;RDATE=20270101": "RDATE", "{\"FREQ\":\"DAILY\"}": "rule such as",
	} {
		raw, err := json.Marshal(rule)
		must(t, err)
		for _, call := range [][2]string{{"POST", "/tasks/"}, {"PATCH", fmt.Sprint("/tasks/", dated)}} {
			a := s.call(call[0], call[1], ann.access, fmt.Sprintf(`{"title":"t","due":"2027-03-01","recurrence":%s}`, raw))
			if a.status != 422 || a.str("code") != app.CodeValidation || !strings.Contains(a.str("errors.recurrence"), want) {
				t.Errorf("%s %.40q: %d %s", call[0], rule, a.status, a.text)
			}
		}
	}
	for body, code := range map[string]string{
		`"recurrence":"FREQ=DAILY"`:                                              todo.ErrRecurrenceNeedsDue.Code,
		`"due":null,"recurrence":"FREQ=DAILY"`:                                   todo.ErrRecurrenceNeedsDue.Code,
		`"due":"2027-03-01","recurrence":"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"`:   todo.ErrRecurrenceNever.Code,
		`"due":"2027-03-01","recurrence":"FREQ=DAILY;UNTIL=20270228"`:            todo.ErrRecurrenceNever.Code,
		`"due":"2027-03-01","recurrence":7`:                                      app.CodeValidation,
		`"due":"2027-03-01","recurrence":"FREQ=DAILY","recurrence_from":"start"`: app.CodeValidation,
		`"due":"2027-03-01","recurrence_from":"completion"`:                      app.CodeValidation,
	} {
		if a := s.call("POST", "/tasks/", ann.access, `{"title":"t",`+body+`}`); a.status != 422 || a.str("code") != code {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if a := s.call("GET", "/tasks/", ann.access, ""); a.id("pagination.total") != 1 {
		t.Errorf("what was refused is there: %s", a.text)
	}
}

// Clearing the date clears the rule; what is below a repeating task begins anew with it.
func TestWhatGoesWithARepeatingTask(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T10:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01","start":"2027-02-27","recurrence":"FREQ=DAILY"}`).id("task.id")
	child := s.made(ann, `{"title":"child","parent_id":%d,"completed":true}`, id).id("task.id")
	a := s.changed(ann, id, `{"completed":true}`)
	if a.str("task.start") != "2027-02-28" || s.got(ann, child).at("completed") != false || s.got(ann, child).id("parent_id") != id {
		t.Errorf("%s, and the child %s", a.text, s.got(ann, child).text)
	}
	if a := s.changed(ann, id, `{"due":null}`); a.at("task.recurrence") != nil || a.at("task.recurrence_from") != nil || a.str("task.start") != "2027-02-28" {
		t.Errorf("%s", a.text)
	}
	if a := s.changed(ann, id, `{"completed":true}`); a.at("task.completed") != true || a.at("completed_copy") != nil {
		t.Errorf("%s", a.text)
	}
	made := s.made(ann, `{"title":"made done","due":"2027-03-01","recurrence":"FREQ=DAILY","completed":true}`)
	if made.str("task.due") != "2027-03-02" || made.at("task.completed") != false || len(s.copies(ann, made.id("task.id"))) != 1 {
		t.Errorf("%s", made.text)
	}
}
