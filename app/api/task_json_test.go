package api

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app/todo"
)

// What is written by hand is what encoding/json writes.
func FuzzTextOfATask(f *testing.F) {
	for _, text := range []string{"", "plain", `a "b" \ c`, "línea\n\t\x00\x1f\x7f", "\u2028<&>é😀", "\xff\xfe", strings.Repeat("ä", 500)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want strings.Builder
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(text); err != nil {
			t.Fatal(err)
		}
		if got := string(appendText([]byte("before"), text)) + "\n"; got != "before"+want.String() {
			t.Errorf("%s, want %s", got, want.String())
		}
		task := todo.Task{ID: 1, Title: text, Description: text, Labels: []string{text, text}, UID: text}
		var back struct {
			Title, UID string
			Labels     []string
		}
		var asStored string // what is not UTF-8 becomes U+FFFD
		if err := errors.Join(json.Unmarshal((&Server{}).taskOf(nil, &task), &back), json.Unmarshal([]byte(want.String()), &asStored)); err != nil {
			t.Fatal(err)
		}
		if back.Title != asStored || !slices.Equal(back.Labels, []string{asStored, asStored}) || text != "" && back.UID != asStored {
			t.Errorf("%q became %+v", text, back)
		}
	})
}

// A task with nothing in it and one with everything have the same fields.
func TestTasksHaveAllFieldsAlways(t *testing.T) {
	due, err := todo.ReadDue("2026-12-24T18:00:00", "Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 24, 17, 0, 0, 123e6, time.UTC)
	full := todo.Task{
		ID: 5, UserID: 1, ListID: 2, Title: "t", Description: "d", CreatedAt: at, CompletedAt: at, UpdatedAt: at, Version: 9, CreatedBy: 3,
		Priority: 2, Position: -4, UID: "own", ParentID: 6, AssigneeID: 7, Dates: todo.Dates{Due: due, Start: due}, DueAt: at.Truncate(time.Second), RecurrenceOf: 8,
		Repetition: todo.Repetition{Rule: "FREQ=DAILY", FromCompletion: true}, Labels: []string{"a", "b"},
		Reminders: []todo.Reminder{{Before: time.Hour}, {At: at}},
	}
	const want = `{"id":5,"title":"t","description":"d","completed":true,"date_created":"2026-12-24T17:00:00.123Z","date_completed":"2026-12-24T17:00:00.123Z","user_id":1,"uid":"own","list_id":2,"parent_id":6,"position":-4,"priority":"medium","labels":["a","b"],"due":"2026-12-24T18:00","due_zone":"Europe/Madrid","due_at":"2026-12-24T17:00:00Z","start":"2026-12-24T18:00","recurrence":"FREQ=DAILY","recurrence_from":"completion","recurrence_of":8,"reminders":[{"before":"PT1H"},{"at":"2026-12-24T17:00:00Z"}],"assignee_id":7,"created_by":3,"date_updated":"2026-12-24T17:00:00.123Z","version":9}`
	s := &Server{}
	if got := string(s.taskOf(nil, &full)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	var all, none map[string]any
	for text, into := range map[string]*map[string]any{want: &all, string(s.taskOf(nil, &todo.Task{})): &none} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(text, err)
		}
	}
	if a, b := slices.Sorted(maps.Keys(all)), slices.Sorted(maps.Keys(none)); !slices.Equal(a, b) {
		t.Errorf("%v, want %v", b, a)
	}
}
