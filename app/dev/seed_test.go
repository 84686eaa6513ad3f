package dev_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/dev"
	"taskapi/app/operate"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

var now = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

const hash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"

// seeded returns a database with what a seed makes, and fails if a row breaks a rule.
func seeded(t *testing.T, s dev.Seed) *storetest.DB {
	t.Helper()
	db := storetest.Open(t, func() time.Time { return now })
	i := operate.Import{
		Store: db, Now: func() time.Time { return now }, Progress: func(operate.ImportReport) {},
		Note: func(where, what string) { t.Errorf("%s: %s", where, what) },
	}
	report, err := i.Run(context.Background(), s.Source())
	if err != nil || report.Users != int64(s.Users) || report.Tasks != int64(s.Tasks) {
		t.Fatalf("%+v %v", report, err)
	}
	return db
}

// text is all that somebody sees.
func text(t *testing.T, db *storetest.DB, user int64) string {
	t.Helper()
	page, err := db.Sync(context.Background(), todo.SyncQuery{UserID: user, Limit: 1000, Copies: true})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range page.Lists {
		all = append(all, fmt.Sprint(l.ID, l.UID, l.Name, l.Color, len(l.With)))
	}
	for _, task := range page.Tasks {
		all = append(all, fmt.Sprintf("%+v", task))
	}
	return strings.Join(all, "\n")
}

func TestASeedMakesWhatItSays(t *testing.T) {
	for _, language := range dev.Languages() {
		for _, size := range [][2]int{{1, 0}, {1, 30}, {2, 7}, {5, 200}, {60, 2000}} {
			s := dev.Seed{Number: 7, Users: size[0], Tasks: size[1], Language: language, Now: now, Hash: hash}
			db := seeded(t, s)
			var emails []string
			for _, p := range s.People() {
				user, err := db.User(context.Background(), p.ID)
				if err != nil || user.Email != p.Email || user.Username != p.Username || slices.Contains(emails, p.Email) || !app.ValidEmail(p.Email) {
					t.Errorf("%+v is %+v %v", p, user, err)
				}
				emails = append(emails, p.Email)
			}
		}
	}
}

// By default there is something of everything that a front end shows.
func TestASeedHasSomethingOfEverything(t *testing.T) {
	s := dev.Seed{Number: 1, Users: 5, Tasks: 200, Language: "en", Now: now, Hash: hash}
	db := seeded(t, s)
	page, err := db.Sync(context.Background(), todo.SyncQuery{UserID: 1, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, l := range page.Lists {
		if len(l.With) > 1 {
			found["shared list"]++
		}
	}
	today := now.Truncate(24 * time.Hour)
	for _, task := range page.Tasks {
		for what, is := range map[string]bool{
			"done": !task.CompletedAt.IsZero(), "open": task.CompletedAt.IsZero(), "overdue": task.CompletedAt.IsZero() && !task.Dates.Due.IsZero() && task.Dates.Due.Wall.Before(today),
			"ahead": task.Dates.Due.Wall.After(today.AddDate(0, 0, 1)), "at a time": task.Dates.Due.Timed, "undated": task.Dates.Due.IsZero(),
			"repeating": task.Repetition.Rule != "", "labelled": len(task.Labels) > 0, "of priority": task.Priority != todo.PriorityNone, "below another": task.ParentID != 0, "described": task.Description != "",
			"assigned": task.AssigneeID != 0, "reminding": len(task.Reminders) > 0,
		} {
			if is {
				found[what]++
			}
		}
	}
	for _, what := range []string{"shared list", "done", "open", "overdue", "ahead", "at a time", "undated", "repeating", "labelled", "of priority", "below another", "described", "assigned", "reminding"} {
		if found[what] == 0 {
			t.Errorf("nothing is %s: %v", what, found)
		}
	}
}

func TestTheSameSeedIsTheSame(t *testing.T) {
	s := dev.Seed{Number: 7, Users: 5, Tasks: 200, Language: "es", Now: now, Hash: hash}
	one := text(t, seeded(t, s), 2)
	if again := text(t, seeded(t, s), 2); again != one {
		t.Errorf("got\n%s\nwant\n%s", again, one)
	}
	s.Number++
	if other := text(t, seeded(t, s), 2); other == one {
		t.Error("another seed makes the same")
	}
	more := s
	more.Tasks *= 3
	if !slices.Equal(more.People(), s.People()) {
		t.Error("more tasks make other people")
	}
}
