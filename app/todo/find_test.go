package todo

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"taskapi/app"
)

// reading reads parameters as they stand in an address.
func reading(t testing.TB, query string) (Find, error) {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	tasks := &Tasks{Lineage: "this"}
	return tasks.readFind(Parameters(values), Now{time.Date(2027, 6, 15, 11, 30, 0, 5e8, time.UTC), zone(t, "Pacific/Kiritimati")}, 7)
}

func TestParametersBecomeConditions(t *testing.T) {
	f, err := reading(t, "list_id=3&list_id=abc&completed=false&priority=high&priority=none&label= Café &label=x&assignee_id=me&parent_id=none&q=Two+words&sort=-title&per_page=7&page=2&updated_after=2027-01-01T00:00:00%2B01:00")
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(f.Lists) != "[{3 } {0 abc}]" || *f.Completed || fmt.Sprint(f.Priorities) != "[high none]" || fmt.Sprint(f.Labels) != "[cafe x]" || *f.Assignee != 7 || !f.Parent.None() ||
		fmt.Sprint(f.Words) != "[two words]" || f.Sort != SortTitle || !f.Down || f.Page.Page != 2 || f.Page.PerPage != 7 || f.Scope != ScopeOwn || f.UpdatedAfter.Hour() != 23 || f.UserID != 7 {
		t.Errorf("%+v", f)
	}
	f, err = reading(t, "assignee_id=none&parent_id=5&sort=id&after=9")
	if err != nil || *f.Assignee != 0 || f.Parent.ID != 5 || !f.Page.ByCursor || f.After.ID != 9 || f.Completed != nil {
		t.Errorf("%+v, %v", f, err)
	}
}

// Boundaries of days and views are those of the reader's clock, which shows 01:30 of the 16th.
func TestBoundariesGoByTheReadersClock(t *testing.T) {
	for query, want := range map[string]string{
		"due_before=2027-06-16": "before 2027-06-16T00:00:00Z 2027-06-15T10:00:00Z", "due_after=2027-06-16": "from 2027-06-17T00:00:00Z 2027-06-16T10:00:00Z",
		"due_before=2027-06-15T10:00:00Z": "before 2027-06-16T00:00:00Z 2027-06-15T10:00:00Z", "due_after=2027-06-15T10:00:00Z": "from 2027-06-16T00:00:00.001Z 2027-06-15T10:00:00.001Z",
		"view=today": "before 2027-06-17T00:00:00Z 2027-06-16T10:00:00Z", "view=upcoming": "from 2027-06-17T00:00:00Z 2027-06-16T10:00:00Z", "view=overdue": "before 2027-06-16T01:30:00.001Z 2027-06-15T11:30:00.001Z",
		"view=undated": "undated",
	} {
		f, err := reading(t, query)
		var got []string
		for name, all := range map[string][]Boundary{"before": f.Before, "from": f.NotBefore} {
			for _, b := range all {
				got = append(got, name+" "+b.Wall.Format(time.RFC3339Nano)+" "+b.Moment.Format(time.RFC3339Nano))
			}
		}
		if f.Undated {
			got = append(got, "undated")
		}
		view := strings.HasPrefix(query, "view=")
		if err != nil || strings.Join(got, ", ") != want || view != (f.Scope == ScopeAll) || view != (f.Completed != nil) || f.Due == f.Undated {
			t.Errorf("%s: %v, %+v, %v", query, got, f, err)
		}
	}
	if f, err := reading(t, "view=today&scope=own"); err != nil || f.Scope != ScopeOwn {
		t.Errorf("%+v, %v", f, err)
	}
}

// A cursor reads back what was put into it, for its own search only.
func TestCursorsReadBack(t *testing.T) {
	tasks, other := &Tasks{Lineage: "this"}, &Tasks{Lineage: "other"}
	q := Parameters{"sort": {"title"}, "label": {"a", "b"}}
	for _, at := range []Cursor{{ID: 1}, {Missing: true, ID: 2}, {Number: -1 << 62, ID: 3}, {Text: "ü\x00\"", ID: 4}, {Done: true, Number: 1<<63 - 1, ID: 1<<63 - 1}} {
		text := tasks.CursorText(q, at)
		if got, err := tasks.readCursor(q, text); err != nil || *got != at {
			t.Errorf("%+v is %s, and that %+v, %v", at, text, got, err)
		}
		for _, same := range []Parameters{{"sort": {"title"}, "label": {"a", "b"}, "per_page": {"3"}, "_": {"1"}, "after": {text}}} {
			if _, err := tasks.readCursor(same, text); err != nil {
				t.Errorf("%v: %v", same, err)
			}
		}
		for _, others := range []Parameters{{}, {"sort": {"title"}}, {"sort": {"title"}, "label": {"a b"}}, {"sort": {"title"}, "label": {"ab"}}, {"sort": {"title"}, "label": {"b", "a"}, "q": {"x"}}} {
			if _, err := tasks.readCursor(others, text); !errors.Is(err, ErrCursorMismatch) {
				t.Errorf("%v: %v", others, err)
			}
		}
		if _, err := other.readCursor(q, text); !errors.Is(err, ErrCursorExpired) {
			t.Error(err)
		}
	}
}

// Whatever stands in a query is read or refused, as malformed.
func FuzzFind(f *testing.F) {
	f.Add("view=today&sort=-due&after=0&q=x", "list_id=1&list_id=2")
	f.Add("due_before=2027-01-01&due_after=9999-12-31T23:59:59-23:59", "time_zone=UTC&after=eyJ2IjoxfQ")
	f.Add("due_after=9999-12-31&completed_after=0001-01-01T00:00:00%2B23:59", "sort=title&after=bnVsbA&page=1")
	f.Fuzz(func(t *testing.T, one, two string) {
		values, err := url.ParseQuery(one + "&" + two)
		if err != nil {
			return
		}
		tasks := &Tasks{Lineage: "this"}
		q := Parameters(values)
		found, err := tasks.readFind(q, Now{time.Date(2027, 6, 15, 11, 30, 0, 0, time.UTC), time.UTC}, 7)
		var wrong *app.Error
		if err != nil {
			if !errors.As(err, &wrong) || wrong.Kind != app.KindMalformed {
				t.Errorf("%q: %v", one+"&"+two, err)
			}
			return
		}
		if found.Page.Check() != nil || len(found.Words) > maxQueryWords || len(found.Lists) > maxNamed || found.After != nil && !found.Page.ByCursor || found.Scope == "" || found.Sort == "" {
			t.Errorf("%q: %+v", one+"&"+two, found)
		}
	})
}
