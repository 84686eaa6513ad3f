package operate

import (
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// The same moment as databases, languages and people's tools write it.
func TestMomentsOfImports(t *testing.T) {
	moment := time.Date(2024, 3, 31, 0, 30, 0, 0, time.UTC)
	for _, text := range []string{
		"2024-03-31 00:30:00", "2024-03-31 00:30", "2024-03-31T00:30:00", "2024-03-31T00:30", "2024-03-31 00:30:00.000000",
		"2024-03-31T00:30:00Z", "2024-03-31 00:30:00Z", "2024-03-31 00:30Z", "2024-03-31 00:30:00 UTC", "2024-03-31 00:30:00.000 UTC",
		"2024-03-31 02:30:00+02:00", "2024-03-31T02:30:00+02:00", "2024-03-31 02:30:00+02", "2024-03-31 02:30:00.000000+02",
		"2024-03-31 02:30:00+0200", "2024-03-31 02:30:00 +02:00", "2024-03-31 02:30:00 +0200", "2024-03-31T02:30+02:00",
		"2024-03-30 19:30:00-05", "2024-03-31 06:00:00+05:30",
		"Sun, 31 Mar 2024 00:30:00 GMT", "Sun, 31 Mar 2024 02:30:00 +0200", " 2024-03-31 00:30:00 ",
	} {
		p := app.Problems{}
		at := importTime(p, "date_created", ImportRow{Values: map[string]string{"date_created": text}})
		if err := p.Err(); err != nil || !at.Equal(moment) {
			t.Errorf("%q is %s (%v)", text, at, err)
		}
	}
	for _, text := range []string{"2024-03-31 02:30:00 CET", "31/03/2024", "2024-13-01 00:00:00", "2024-03-31 25:00:00", "1711845000", "0500-01-01", "soon"} {
		p := app.Problems{}
		if at := importTime(p, "date_created", ImportRow{Values: map[string]string{"date_created": text}}); p.Err() == nil {
			t.Errorf("%q is %s", text, at)
		}
	}
}

// The priority and the dates in a file meet the rules of the API.
func TestSchedulesOfImports(t *testing.T) {
	for _, c := range []struct {
		values map[string]string
		wrong  bool
	}{
		{map[string]string{}, false},
		{map[string]string{"priority": "low", "due": "2026-11-30", "start": "2026-11-29"}, false},
		{map[string]string{"due": "2026-11-30T09:00", "due_zone": "Asia/Kathmandu"}, false},
		{map[string]string{"priority": "urgent"}, true},
		{map[string]string{"due": "30.11.2026"}, true},
		{map[string]string{"due": "2026-11-30", "due_zone": "Asia/Kathmandu"}, true},
		{map[string]string{"due": "2026-11-30T09:00", "due_zone": "Asia/Atlantis"}, true},
		{map[string]string{"due": "2026-11-30", "start": "2026-12-01"}, true},
	} {
		p := app.Problems{}
		var task todo.Task
		importSchedule(p, ImportRow{Values: c.values}, &task)
		if wrong := p.Err() != nil; wrong != c.wrong {
			t.Errorf("%v: %v", c.values, p)
		}
	}
}
