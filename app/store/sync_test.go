package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// replica is a copy that a device keeps by what Sync gives it.
type replica struct {
	user  int64
	after *todo.SyncCursor
	lists map[int64]todo.SyncList
	tasks map[int64]todo.Task
}

// pull asks for one page of what is new, and reports whether there is more.
func (r *replica) pull(t rapid.TB, db *storetest.DB, limit int64) bool {
	t.Helper()
	page, err := db.Sync(context.Background(), todo.SyncQuery{UserID: r.user, After: r.after, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	if r.after == nil {
		r.lists, r.tasks = map[int64]todo.SyncList{}, map[int64]todo.Task{}
	}
	for _, list := range page.Lists {
		r.lists[list.ID] = list
	}
	for _, task := range page.Tasks {
		if old, there := r.tasks[task.ID]; !there || task.Version >= old.Version {
			r.tasks[task.ID] = task
		}
	}
	for _, gone := range page.Deleted {
		if gone.Kind == todo.KindTask {
			delete(r.tasks, gone.ID)
			continue
		}
		delete(r.lists, gone.ID)
		maps.DeleteFunc(r.tasks, func(_ int64, task todo.Task) bool { return task.ListID == gone.ID })
	}
	if r.after != nil && page.After == *r.after && page.More {
		t.Fatalf("it stands still at %+v", page.After)
	}
	r.after = &page.After
	return page.More
}

// lines are what a replica holds.
func (r *replica) lines() []string {
	var all []string
	for _, list := range r.lists {
		all = append(all, lineOfList(list.List, list.With))
	}
	for _, task := range r.tasks {
		all = append(all, lineOfTask(task))
	}
	slices.Sort(all)
	return all
}

func lineOfList(list todo.List, with []todo.Member) string {
	members := fmt.Sprint("list ", list.ID, " ", list.Name, " ", list.Role, " ", list.OwnerID, " ", list.Version, ":")
	for _, m := range with {
		members += fmt.Sprint(" ", m.UserID, m.Role)
	}
	return members
}

// lineOfTask leaves out the owner: it follows that of the list.
func lineOfTask(task todo.Task) string {
	return fmt.Sprint("task ", task.ID, " ", task.ListID, " ", task.ParentID, " ", task.Title, " ", task.Completed(), " ", task.Version)
}

// seen is what somebody sees on the server.
func seen(t rapid.TB, db *storetest.DB, userID int64) []string {
	t.Helper()
	ctx := context.Background()
	var all []string
	lists, err := db.Lists(ctx, userID, nil, app.PageRequest{Page: 1, PerPage: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists.Items {
		members, err := db.Members(ctx, userID, todo.ByID(list.ID), app.PageRequest{Page: 1, PerPage: 100})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, lineOfList(list, members.Items))
	}
	found, err := db.FindTasks(ctx, todo.Find{UserID: userID, Scope: todo.ScopeAll, Sort: todo.SortID, Page: app.PageRequest{Page: 1, PerPage: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range found.Items {
		if task.RecurrenceOf == 0 { // copies are not asked for
			all = append(all, lineOfTask(task))
		}
	}
	slices.Sort(all)
	return all
}

// Whatever three people do, and whenever their devices ask, in pages of any size: a copy that has
// all pages is what its person sees.
func TestEveryCopyBecomesWhatItsPersonSees(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(t, r, 3)
		h.family()
		var devices []*replica
		for _, who := range h.people {
			devices = append(devices, &replica{user: who.UserID}, &replica{user: who.UserID})
		}
		acts := []func(){
			h.createTask, h.createTask, h.changeTask, h.changeTask, h.moveTask, h.place, h.deleteTask, h.restoreTask,
			h.createList, h.invite, h.invite, h.changeMember, h.removeMember, h.deleteList, h.restoreList,
		}
		limit := func() int64 { return rapid.Int64Range(1, 7).Draw(r, "limit") }
		for range rapid.IntRange(1, 60).Draw(r, "acts") {
			h.now = h.now.Add(time.Second)
			acts[rapid.IntRange(0, len(acts)-1).Draw(r, "act")]()
			if rapid.Bool().Draw(r, "ask") {
				devices[rapid.IntRange(0, len(devices)-1).Draw(r, "device")].pull(r, h.db, limit())
			}
		}
		for i, device := range devices {
			for device.pull(r, h.db, limit()) {
			}
			if got, want := device.lines(), seen(r, h.db, device.user); !slices.Equal(got, want) {
				r.Fatalf("device %d has\n  %s\nwant\n  %s", i, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		}
	})
}

// A copy that begins while others write lacks nothing and doubles nothing.
func TestACopyOfWhatMovesMeanwhile(t *testing.T) {
	db, ann, _, _ := pair(t, 300)
	r := &replica{user: ann.UserID}
	n := int64(0)
	for r.pull(t, db, 7) {
		n++
		ref := todo.ByID(n*13%300 + 1)
		title, done := fmt.Sprint("changed ", n), n%3 == 0
		_, err := db.UpdateTask(t.Context(), ann, ref, todo.TaskChange{Title: &title, Completed: &done, Now: testNow})
		if err == nil && n%5 == 0 {
			_, err = db.DeleteTask(t.Context(), ann, ref, todo.Removal{At: testNow})
		}
		if err == nil && n < 100 {
			_, err = db.CreateTask(t.Context(), ann, todo.NewTask{UserID: ann.UserID, Title: "new", CreatedAt: testNow})
		}
		if err != nil && !errors.Is(err, todo.ErrTaskNotFound) {
			t.Fatal(err)
		}
		if n > 1000 {
			t.Fatal("it never ends")
		}
	}
	if got, want := r.lines(), seen(t, db, ann.UserID); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// A cursor from the future, or from before the log begins, is refused; one that nothing concerned
// stays the same.
func TestCursorsOfTheLog(t *testing.T) {
	db, ann, ben, _ := pair(t, 3)
	ask := func(after todo.SyncCursor) (todo.SyncPage, error) {
		return db.Sync(t.Context(), todo.SyncQuery{UserID: ann.UserID, After: &after, Limit: 10})
	}
	r := &replica{user: ann.UserID}
	for r.pull(t, db, 100) {
	}
	for range 3 {
		if _, err := db.CreateTask(t.Context(), ben, todo.NewTask{UserID: ben.UserID, Title: "his", CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
		if page, err := ask(*r.after); err != nil || page.After != *r.after || !page.Nothing() {
			t.Errorf("%+v %v", page, err)
		}
	}
	if _, err := ask(todo.SyncCursor{Seq: 1 << 40}); !errors.Is(err, todo.ErrSyncExpired) {
		t.Errorf("from the future: %v", err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return tx.Exec(`INSERT INTO meta (name, value) VALUES ('log_from', '4')`) }); err != nil {
		t.Fatal(err)
	}
	for seq, want := range map[int64]error{3: todo.ErrSyncExpired, 4: nil} {
		if _, err := ask(todo.SyncCursor{Seq: seq}); !errors.Is(err, want) {
			t.Errorf("%d: %v", seq, err)
		}
	}
}

// A copy whose log is pruned while it is walked begins anew, instead of lacking what was deleted
// meanwhile.
func TestPruningDuringAWalk(t *testing.T) {
	db, ann, _, _ := pair(t, 300)
	r := &replica{user: ann.UserID}
	for range 5 {
		r.pull(t, db, 20)
	}
	if _, err := db.DeleteTask(t.Context(), ann, todo.ByID(1), todo.Removal{At: testNow}); err != nil {
		t.Fatal(err)
	}
	rename(t, db, ann, 2, "the newest line is kept")
	for more := true; more; {
		var err error
		if more, err = db.IndexWords(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.PruneChanges(t.Context(), store.Keep{Changes: -time.Hour}); err != nil {
		t.Fatal(err)
	}
	_, err := db.Sync(t.Context(), todo.SyncQuery{UserID: ann.UserID, After: r.after, Limit: 20})
	if !errors.Is(err, todo.ErrSyncExpired) {
		t.Fatalf("it goes on: %v", err)
	}
	r.after = nil
	for r.pull(t, db, 20) {
	}
	if got, want := r.lines(), seen(t, db, ann.UserID); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}
