package todo

import (
	"errors"
	"slices"
	"testing"
	"time"

	"taskapi/app"
)

// said makes the fields of a request; "-" is absent, "null" is null.
func said(due, zone, start string) DatesInput {
	field := func(text string) app.Field[string] {
		switch text {
		case "-":
			return app.Field[string]{}
		case "null":
			return app.Field[string]{State: app.Null}
		}
		return app.Given(text)
	}
	return DatesInput{Due: field(due), Zone: field(zone), Start: field(start)}
}

// wrongFields are the fields that an error names, and its code.
func wrongFields(err error) (names []string, code string) {
	var invalid *app.Error
	if !errors.As(err, &invalid) {
		return nil, ""
	}
	for name := range invalid.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, invalid.Code
}

func TestNewDates(t *testing.T) {
	for _, c := range []struct {
		due, zone, start string
		wrong            []string
		code             string
	}{
		{"2026-11-30", "-", "-", nil, ""},
		{"2026-11-30", "null", "2026-11-30", nil, ""},
		{"2026-11-30T09:00", "-", "2026-11-30T09:00", nil, ""},
		{"2026-11-30T09:00:07", "Europe/Berlin", "2026-11-29T10:00", nil, ""},
		{"-", "-", "2026-11-29T10:00", nil, ""},
		{"null", "null", "null", nil, ""},
		{"2026-11-30", "Europe/Berlin", "-", []string{"due_zone"}, app.CodeValidation},
		{"-", "Europe/Berlin", "-", []string{"due_zone"}, app.CodeValidation},
		{"-", "Europe/Berlin", "2026-11-29T10:00", []string{"due_zone"}, app.CodeValidation},
		{"2026-11-30T09:00", "Europe/Atlantis", "-", []string{"due_zone"}, "unknown_zone"},
		{"2026-11-30T09:00", "", "-", []string{"due_zone"}, "unknown_zone"},
		{"2026-11-30T09:00", "Local", "-", []string{"due_zone"}, "unknown_zone"},
		{"tomorrow", "Europe/Atlantis", "-", []string{"due", "due_zone"}, app.CodeValidation},
		{"tomorrow", "Europe/Berlin", "-", []string{"due"}, app.CodeValidation},
		{"", "-", "-", []string{"due"}, app.CodeValidation},
		{"2026-11-30T09:00Z", "-", "-", []string{"due"}, app.CodeValidation},
		{"1969-12-31", "-", "2200-01-01", []string{"due", "start"}, app.CodeValidation},
		{"2026-11-30", "-", "2026-12-01", []string{"start"}, app.CodeValidation},
		{"2026-11-30", "-", "2026-11-30T09:00", []string{"start"}, app.CodeValidation},
		{"2026-11-30T09:00", "-", "2026-11-30", []string{"start"}, app.CodeValidation},
	} {
		p := app.Problems{}
		in := said(c.due, c.zone, c.start)
		dates := NewDates(p, in)
		err := in.explain(p)
		if wrong, code := wrongFields(err); !slices.Equal(wrong, c.wrong) || code != c.code {
			t.Errorf("%+v: wrong are %v (%s)", c, wrong, code)
		}
		if err == nil && c.due != "-" && c.due != "null" && dates.Due.String() != c.due {
			t.Errorf("%+v: the due is %s", c, dates.Due)
		}
	}
}

// What a change does not name stays, but for a zone that has lost its meaning.
func TestChangesOfDates(t *testing.T) {
	for _, c := range []struct {
		before, change, want [3]string // due, zone, start
		wrong                string
	}{
		{[3]string{"2026-11-30T09:00", "Europe/Berlin", "-"}, [3]string{"2026-12-01T10:00", "-", "-"}, [3]string{"2026-12-01T10:00", "Europe/Berlin", ""}, ""},
		{[3]string{"2026-11-30T09:00", "Europe/Berlin", "-"}, [3]string{"2026-12-01", "-", "-"}, [3]string{"2026-12-01", "", ""}, ""},
		{[3]string{"2026-11-30T09:00", "Europe/Berlin", "-"}, [3]string{"null", "-", "-"}, [3]string{"", "", ""}, ""},
		{[3]string{"2026-11-30T09:00", "Europe/Berlin", "-"}, [3]string{"-", "null", "-"}, [3]string{"2026-11-30T09:00", "", ""}, ""},
		{[3]string{"2026-11-30T09:00", "-", "-"}, [3]string{"-", "Asia/Kathmandu", "-"}, [3]string{"2026-11-30T09:00", "Asia/Kathmandu", ""}, ""},
		{[3]string{"2026-11-30", "-", "-"}, [3]string{"-", "Asia/Kathmandu", "-"}, [3]string{}, "due_zone"},
		{[3]string{"2026-11-30", "-", "2026-11-20"}, [3]string{"-", "-", "null"}, [3]string{"2026-11-30", "", ""}, ""},
		{[3]string{"2026-11-30", "-", "2026-11-20"}, [3]string{"null", "-", "-"}, [3]string{"", "", "2026-11-20"}, ""},
		{[3]string{"2026-11-30", "-", "2026-11-20"}, [3]string{"2026-11-19", "-", "-"}, [3]string{}, "start"},
		{[3]string{"2026-11-30", "-", "2026-11-20"}, [3]string{"2026-11-30T09:00", "-", "-"}, [3]string{}, "start"},
		{[3]string{"2026-11-30", "-", "2026-11-20"}, [3]string{"2026-11-30T09:00", "Europe/Berlin", "2026-11-20T09:00"}, [3]string{"2026-11-30T09:00", "Europe/Berlin", "2026-11-20T09:00"}, ""},
	} {
		p := app.Problems{}
		before := NewDates(p, said(c.before[0], c.before[1], c.before[2]))
		if err := p.Err(); err != nil {
			t.Fatal(err)
		}
		change := said(c.change[0], c.change[1], c.change[2]).read(p)
		after, err := change.Apply(before)
		if len(p) > 0 || err != nil || c.wrong != "" {
			if wrong, _ := wrongFields(err); len(p) > 0 || !slices.Equal(wrong, []string{c.wrong}) {
				t.Errorf("%v, then %v: %v %v", c.before, c.change, p, err)
			}
			continue
		}
		got := [3]string{"", after.Due.Zone, ""}
		if !after.Due.IsZero() {
			got[0] = after.Due.String()
		}
		if !after.Start.IsZero() {
			got[2] = after.Start.String()
		}
		if got != c.want {
			t.Errorf("%v, then %v: %v, want %v", c.before, c.change, got, c.want)
		}
	}
	none := Dates{Due: Due{Wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}}
	if same, err := (*DatesChange)(nil).Apply(none); err != nil || same != none {
		t.Error(same, err)
	}
}
