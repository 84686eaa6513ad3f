package todo

import (
	"context"
	"errors"
	"testing"
	"time"

	"taskapi/app"
)

// A change is named by a number of the log, and nothing else.
func TestWhichChangeIsUndone(t *testing.T) {
	tasks := Tasks{Now: time.Now}
	for name, field := range map[string]app.Field[int64]{
		"absent": {}, "null": {State: app.Null}, "a text": {State: app.Mistyped}, "zero": app.Given[int64](0), "negative": app.Given[int64](-5),
	} {
		_, err := tasks.Undo(context.Background(), app.Caller{UserID: 1}, field)
		var wrong *app.Error
		if !errors.As(err, &wrong) || wrong.Kind != app.KindInvalid || wrong.Fields["change"] == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDatesAgree(t *testing.T) {
	due := func(text, zone string) Due {
		d, err := ReadDue(text, zone)
		if text != "" && err != nil {
			t.Fatal(err)
		}
		return d
	}
	daily := Repetition{Rule: "FREQ=DAILY"}
	for _, c := range []struct {
		name string
		task Task
		want bool
	}{
		{"nothing", Task{}, true},
		{"a day", Task{Dates: Dates{Due: due("2026-01-02", "")}}, true},
		{"a moment", Task{Dates: Dates{Due: due("2026-01-02T09:00", "UTC"), Start: due("2026-01-01T09:00", "UTC")}}, true},
		{"the start alone", Task{Dates: Dates{Start: due("2026-01-02", "")}}, true},
		{"the start after the end", Task{Dates: Dates{Due: due("2026-01-02", ""), Start: due("2026-01-03", "")}}, false},
		{"a day and a time", Task{Dates: Dates{Due: due("2026-01-02", ""), Start: due("2026-01-01T09:00", "")}}, false},
		{"a day in a zone", Task{Dates: Dates{Due: due("2026-01-02", "UTC")}}, false},
		{"repeats", Task{Repetition: daily, Dates: Dates{Due: due("2026-01-02", "")}}, true},
		{"repeats without a due", Task{Repetition: daily}, false},
		{"a copy without a due", Task{RecurrenceOf: 1, Was: daily}, false},
	} {
		if got := c.task.DatesAgree(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
