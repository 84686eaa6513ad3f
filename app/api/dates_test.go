package api_test

import (
	"fmt"
	"testing"
)

// What the planning fields of a task look like, and that nothing else changes them.
func TestPlanningATask(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann").access
	want := func(a answer, status int, fields ...string) {
		t.Helper()
		if a.status != status {
			t.Fatalf("%d %s", a.status, a.text)
		}
		task, nested := a.json["task"].(map[string]any)
		if !nested {
			task = a.json
		}
		for i, name := range []string{"priority", "due", "due_zone", "due_at", "start"} {
			if got := fmt.Sprint(task[name]); got != fields[i] {
				t.Errorf("%s is %s, want %s", name, got, fields[i])
			}
		}
	}
	none := []string{"none", "<nil>", "<nil>", "<nil>", "<nil>"}
	want(s.call("POST", "/tasks/", ann, `{"title":"plain"}`), 201, none...)
	want(s.call("POST", "/tasks/", ann, `{"title":"a day","due":"2026-11-30","start":"2026-11-01","priority":"high"}`), 201, "high", "2026-11-30", "<nil>", "<nil>", "2026-11-01")
	want(s.call("POST", "/tasks/", ann, `{"title":"a moment","due":"2026-11-30T09:00","due_zone":"Europe/Berlin"}`), 201, "none", "2026-11-30T09:00", "Europe/Berlin", "2026-11-30T08:00:00Z", "<nil>")
	moved := []string{"none", "2026-07-30T09:00", "Europe/Berlin", "2026-07-30T07:00:00Z", "<nil>"}
	want(s.call("PATCH", "/tasks/3", ann, `{"due":"2026-07-30T09:00"}`), 200, moved...)
	want(s.call("PUT", "/tasks/3", ann, `{"title":"renamed","completed":true}`), 200, moved...)
	want(s.call("GET", "/tasks/3", ann, ""), 200, moved...)
	moved[0] = "low"
	want(s.call("PATCH", "/tasks/3", ann, `{"priority":"low","due_at":"2020-01-01T00:00:00Z"}`), 200, moved...)
	want(s.call("PATCH", "/tasks/3", ann, `{"priority":null,"due":null}`), 200, none...)
	// The gap and the hour that comes twice.
	want(s.call("PATCH", "/tasks/3", ann, `{"due":"2026-03-29T02:30","due_zone":"Europe/Berlin"}`), 200, "none", "2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00Z", "<nil>")
	want(s.call("PATCH", "/tasks/3", ann, `{"due":"2026-10-25T02:30"}`), 200, "none", "2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", "<nil>")
	for body, code := range map[string]string{
		`{"title":"t","due":7}`:                                               "validation_failed",
		`{"title":"t","due":"tomorrow"}`:                                      "validation_failed",
		`{"title":"t","due":"2026-11-30T09:00+01:00"}`:                        "validation_failed",
		`{"title":"t","priority":3}`:                                          "validation_failed",
		`{"title":"t","priority":"urgent"}`:                                   "validation_failed",
		`{"title":"t","due":"2026-11-30T09:00","due_zone":"Europe/Atlantis"}`: "unknown_zone",
		`{"title":"t","due":"2026-11-30","start":"2026-12-01"}`:               "validation_failed",
	} {
		if a := s.call("POST", "/tasks/", ann, body); a.status != 422 || a.json["code"] != code {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	if a := s.call("PATCH", "/tasks/2", ann, `{"due":"2026-10-30"}`); a.status != 422 {
		t.Errorf("a due before the start: %d %s", a.status, a.text)
	}
	want(s.call("GET", "/tasks/2", ann, ""), 200, "high", "2026-11-30", "<nil>", "<nil>", "2026-11-01")
	// A stranger learns nothing from a change that contradicts itself.
	if a := s.call("PATCH", "/tasks/2", s.signUp("eve").access, `{"due":"2026-10-30"}`); a.status != 404 {
		t.Errorf("a stranger: %d %s", a.status, a.text)
	}
}

// Clients of the tutorial may have sent members of these names for years.
func TestPlanningFieldsAsInTheTutorial(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Tutorial = true })
	ann := s.signUp("ann").access
	status, _, text := ask(t, s, "POST", "/tasks/", ann, `{"title":"t","priority":3,"due":"tomorrow","due_zone":[],"start":{}}`)
	if status != 201 {
		t.Errorf("%d %s", status, text)
	}
}
