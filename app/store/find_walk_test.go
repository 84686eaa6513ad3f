package store_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// walked walks a search by cursor or by page, and checks that each page tells of the total.
func walked(t testing.TB, db *storetest.DB, f todo.Find, per int64, byCursor bool) (ids []int64, total int64) {
	t.Helper()
	f.Page = app.PageRequest{Page: 1, PerPage: per}
	if byCursor {
		f.Page = app.PageRequest{PerPage: per, ByCursor: true}
	}
	for steps := 0; steps < 1000; steps++ {
		found, err := db.FindTasks(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range found.Items {
			ids = append(ids, task.ID)
		}
		total = found.Total
		switch {
		case byCursor && found.More:
			last := found.Last
			f.After = &last
		case !byCursor && f.Page.Page < found.Pages():
			f.Page.Page++
		default:
			return ids, total
		}
	}
	t.Fatal("a walk without an end")
	return nil, 0
}

// Every filter, sort and direction, by page and by cursor, finds what a filter of the plain
// list finds, and the total is the number of tasks walked.
func TestEverySearchEqualsAFilterOfThePlainList(t *testing.T) {
	db := openTest(t)
	rapid.Check(t, func(r *rapid.T) {
		w := newFindWorld(t, r, db)
		for range rapid.IntRange(1, 16).Draw(r, "tasks") {
			w.create()
		}
		for range 8 {
			if len(w.tasks) > 0 && rapid.Bool().Draw(r, "change first") {
				w.mutate()
			}
			for range 3 {
				f := w.search()
				want := w.plain(f)
				per, byCursor := rapid.Int64Range(1, 6).Draw(r, "per page"), rapid.Bool().Draw(r, "by cursor")
				got, total := walked(t, w.db, f, per, byCursor)
				if !slices.Equal(got, want) || total != int64(len(want)) {
					r.Fatalf("%+v by %d (cursor %t): %v, %d in all, want %v", f, per, byCursor, got, total, want)
				}
			}
		}
		w.checkFound(r)
		w.checkCounts(r)
	})
}

// checkFound checks that a search reads tasks as they are read one by one.
func (w *findWorld) checkFound(r *rapid.T) {
	found, err := w.db.FindTasks(context.Background(), todo.Find{UserID: w.ann.UserID, Scope: todo.ScopeOwn, Sort: todo.SortID, Page: app.PageRequest{Page: 1, PerPage: 100}})
	w.must(err)
	for _, task := range found.Items {
		if one, err := w.db.Task(context.Background(), w.ann, todo.ByID(task.ID)); err != nil || !reflect.DeepEqual(one, task) {
			r.Fatalf("found %+v, but it is %+v, %v", task, one, err)
		}
	}
}

// checkCounts checks that each view has as many tasks as a filter of the plain list finds.
func (w *findWorld) checkCounts(r *rapid.T) {
	location, err := todo.Location(draw(w, "reader", findZones...))
	w.must(err)
	now := todo.Now{At: w.now, Reader: location}
	got, err := w.db.Counts(context.Background(), w.ann.UserID, now)
	w.must(err)
	open := false
	tomorrow, passed := []todo.Boundary{now.Tomorrow()}, []todo.Boundary{now.Passed()}
	for name, view := range map[string]struct {
		n int64
		f todo.Find
	}{
		"today":    {got.Today, todo.Find{Due: true, Before: tomorrow}},
		"overdue":  {got.Overdue, todo.Find{Due: true, Before: passed}},
		"upcoming": {got.Upcoming, todo.Find{Due: true, NotBefore: tomorrow}},
		"undated":  {got.Undated, todo.Find{Undated: true}},
		"assigned": {got.Assigned, todo.Find{Scope: todo.ScopeAssigned}},
	} {
		f := view.f
		if f.UserID, f.Completed = w.ann.UserID, &open; f.Scope == "" {
			f.Scope = todo.ScopeAll
		}
		if want := len(w.plain(f)); view.n != int64(want) {
			r.Fatalf("%s: %d, want %d", name, view.n, want)
		}
	}
	for i, id := range w.lists[:4] {
		var want todo.ListCount
		for _, task := range w.tasks {
			switch {
			case task.ListID != id:
			case task.Completed():
				want.Completed++
			default:
				want.Open++
			}
		}
		if got.Lists[id] != want {
			r.Fatalf("list %d: %+v, want %+v", i, got.Lists[id], want)
		}
	}
}

// While others write, a walk by cursor misses none that stays in place and sees none twice.
func TestWalksWhileOthersWrite(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	var staying, moving []int64
	for i := range 60 {
		due, err := todo.ParseDue(fmt.Sprintf("2027-03-%02d", 1+i%20), "")
		if err != nil {
			t.Fatal(err)
		}
		n := todo.NewTask{UserID: ann.ID, Title: fmt.Sprint("task ", i%7), CreatedAt: testNow.Add(time.Duration(i%9) * time.Second), Priority: todo.Priority(i % 4), Dates: todo.Dates{Due: due}}
		task, err := db.CreateTask(ctx, app.Operator(), n)
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			moving = append(moving, task.ID)
		} else {
			staying = append(staying, task.ID)
		}
	}
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for i := range 3 {
		writers.Go(func() { disturb(t, db, ann.ID, moving[i*6:i*6+6], stop) })
	}
	for _, sort := range []todo.SortKey{todo.SortID, todo.SortDue, todo.SortPriority, todo.SortPosition, todo.SortTitle, todo.SortCreated, todo.SortCompleted, todo.SortUpdated} {
		for _, down := range []bool{false, true} {
			ids, _ := walked(t, db, todo.Find{UserID: ann.ID, Scope: todo.ScopeOwn, Sort: sort, Down: down}, 7, true)
			var stayed []int64
			for _, id := range ids {
				if slices.Contains(staying, id) {
					stayed = append(stayed, id)
				}
			}
			if slices.Sort(stayed); !slices.Equal(stayed, staying) {
				t.Errorf("%s, down %t: %v, want %v", sort, down, stayed, staying)
			}
		}
	}
	close(stop)
	writers.Wait()
}

// disturb completes, renames, moves, makes and deletes tasks until it is stopped.
func disturb(t *testing.T, db *storetest.DB, userID int64, ids []int64, stop chan struct{}) {
	ctx := context.Background()
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		done, title, now := i%2 == 0, fmt.Sprint("other ", i%5), testNow.Add(time.Duration(i)*time.Second)
		id := todo.ByID(ids[i%len(ids)])
		_, err := db.UpdateTask(ctx, app.Operator(), id, todo.TaskChange{Title: &title, Completed: &done, Now: now})
		if err == nil {
			_, err = db.MoveTask(ctx, app.Operator(), id, todo.Move{Now: now})
		}
		if err == nil {
			var task todo.Task
			task, err = db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: userID, Title: "brief", CreatedAt: now})
			if err == nil {
				_, err = db.DeleteTask(ctx, app.Operator(), todo.ByID(task.ID), todo.Removal{At: now})
			}
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}
