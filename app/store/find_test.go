package store_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// Snapshots that all meet a new statement at once leave each other a connection for it.
func TestSnapshotsDoNotWaitForEachOther(t *testing.T) {
	const many = 32
	db := openTest(t)
	done := make(chan error)
	for i := range many {
		go func() {
			done <- db.Snapshot(context.Background(), func(tx *store.Tx) error {
				for j := range 20 {
					var n int
					if err := tx.One(fmt.Sprintf(`SELECT %d + 1000 * %d`, i, j), nil, &n); err != nil || n != i+1000*j {
						return fmt.Errorf("%d, %w", n, err)
					}
				}
				return nil
			})
		}()
	}
	for range many {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(time.Minute):
			t.Fatal("they wait for each other")
		}
	}
}

// findWorld is a database and the plain list of all tasks in it.
type findWorld struct {
	t     *testing.T
	r     *rapid.T
	db    *storetest.DB
	ann   app.Caller
	bob   app.Caller
	lists []int64 // Ann's Inbox and two more, of which one is archived; Bob's that Ann sees, and his own
	tasks []todo.Task
	now   time.Time
}

var findZones = []string{"UTC", "Europe/Berlin", "Etc/GMT+12", "Pacific/Kiritimati", "Australia/Lord_Howe"}

// newFindWorld makes two people in a database that may have others already.
func newFindWorld(t *testing.T, r *rapid.T, db *storetest.DB) *findWorld {
	t.Helper()
	ctx := context.Background()
	w := &findWorld{t: t, r: r, db: db, now: time.Date(2027, 3, 27, 22, 30, 0, 0, time.UTC)}
	others := db.Count(t, `SELECT count(*) FROM users`)
	sign := func(name string) (account.User, app.Caller) {
		user := addUser(t, db, fmt.Sprintf("%s%d@example.com", name, others), app.RoleUser)
		session := addSession(t, db, fmt.Sprintf("%s%020d", name[:2], others), user)
		return user, app.Caller{UserID: user.ID, Role: app.RoleUser, SessionID: session.ID}
	}
	ann, by := sign("ann")
	w.ann = by
	_, w.bob = sign("bob")
	for _, c := range []struct {
		by   app.Caller
		name string
	}{{w.ann, ""}, {w.ann, "more"}, {w.ann, "archived"}, {w.bob, "shared"}, {w.bob, "private"}} {
		var id int64
		if c.name == "" {
			id = db.Count(t, `SELECT id FROM lists WHERE owner_id = ?`, ann.ID)
		} else {
			list, err := w.db.CreateList(ctx, c.by, todo.NewList{Name: c.name, CreatedAt: testNow})
			w.must(err)
			id = list.ID
		}
		w.lists = append(w.lists, id)
	}
	yes := true
	_, err := w.db.UpdateList(ctx, w.ann, todo.ByID(w.lists[2]), todo.ListChange{Archived: &yes, Now: testNow})
	w.must(err)
	db.Exec(t, `INSERT INTO members (user_id, list_id, role, position, archived, joined_at, version) SELECT ?, list_id, 2, 0, 0, joined_at, version FROM members WHERE list_id = ?`, ann.ID, w.lists[3])
	return w
}

func (w *findWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func draw[T any](w *findWorld, name string, all ...T) T {
	return rapid.SampledFrom(all).Draw(w.r, name)
}

// due draws a date near now: none, a day, a local time, or a moment.
func (w *findWorld) due() todo.Due {
	hour := rapid.IntRange(-50, 50).Draw(w.r, "hour")
	at := w.now.Truncate(time.Hour).Add(time.Duration(hour) * time.Hour)
	zone, text := "", at.Format("2006-01-02T15:04")
	switch rapid.IntRange(0, 3).Draw(w.r, "kind of due") {
	case 0:
		return todo.Due{}
	case 1:
		text = at.Format("2006-01-02")
	case 2:
		zone = draw(w, "zone", findZones...)
	}
	due, err := todo.ParseDue(text, zone)
	w.must(err)
	return due
}

func (w *findWorld) create() {
	list := draw(w, "list", 0, 0, 1, 2, 3, 3, 4)
	by := w.ann
	if list == 4 {
		by = w.bob
	}
	n := todo.NewTask{
		UserID: by.UserID, List: todo.ByID(w.lists[list]), CreatedAt: w.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(w.r, "created")) * time.Second),
		Title: draw(w, "title", "Milk", "milk", "Café", "cafe two", "Äpfel", "zoo", "100% oats"), Description: draw(w, "text", "", "", "milk and oats", "two"),
		Priority: todo.Priority(rapid.IntRange(0, 3).Draw(w.r, "priority")), Dates: todo.Dates{Due: w.due()}, Labels: draw(w, "labels", nil, nil, []string{"Home"}, []string{"home", "Über"}, []string{"über"}),
	}
	if rapid.IntRange(0, 2).Draw(w.r, "done") == 0 {
		n.CompletedAt = w.now.Add(time.Duration(rapid.IntRange(0, 3).Draw(w.r, "completed")) * time.Second)
	}
	if list != 4 {
		n.AssigneeID = draw(w, "assignee", 0, 0, w.ann.UserID)
		for _, task := range w.tasks {
			if task.ListID == w.lists[list] && task.ParentID == 0 && rapid.IntRange(0, 9).Draw(w.r, "below") == 0 {
				n.Parent = todo.ByID(task.ID)
			}
		}
	}
	task, err := w.db.CreateTask(context.Background(), by, n)
	w.must(err)
	w.tasks = append(w.tasks, task)
}

// mutate changes, moves or deletes one task, and reads what it has become.
func (w *findWorld) mutate() {
	ctx, i := context.Background(), rapid.IntRange(0, len(w.tasks)-1).Draw(w.r, "task")
	id, by := w.tasks[i].ID, w.ann
	if w.tasks[i].ListID == w.lists[4] {
		by = w.bob
	}
	later := w.now.Add(time.Duration(rapid.IntRange(4, 9).Draw(w.r, "changed")) * time.Second)
	yes, no, title := true, false, draw(w, "new title", "oats", "Café noir", "zoo")
	var err error
	switch rapid.IntRange(0, 4).Draw(w.r, "change") {
	case 0:
		_, err = w.db.UpdateTask(ctx, by, todo.ByID(id), todo.TaskChange{Title: &title, Now: later})
	case 1:
		_, err = w.db.UpdateTask(ctx, by, todo.ByID(id), todo.TaskChange{Completed: draw(w, "completed", &yes, &no), Now: later})
	case 2:
		_, err = w.db.MoveTask(ctx, by, todo.ByID(id), todo.Move{Now: later})
	case 3:
		_, err = w.db.DeleteTask(ctx, by, todo.ByID(id), todo.Removal{At: later})
	case 4:
		for more := true; more && err == nil; {
			more, err = w.db.IndexWords(ctx)
		}
	}
	w.must(err)
	w.reread()
}

// reread reads all tasks one by one, as they are after a change of one with others below it.
func (w *findWorld) reread() {
	var all []todo.Task
	for _, task := range w.tasks {
		by := w.ann
		if task.ListID == w.lists[4] {
			by = w.bob
		}
		if now, err := w.db.Task(context.Background(), by, todo.ByID(task.ID)); err == nil {
			all = append(all, now)
		}
	}
	w.tasks = all
}

// search draws a search.
func (w *findWorld) search() todo.Find {
	f := todo.Find{UserID: w.ann.UserID, Scope: draw(w, "scope", todo.ScopeOwn, todo.ScopeAll, todo.ScopeAll, todo.ScopeAssigned), Down: rapid.Bool().Draw(w.r, "down"),
		Sort: draw(w, "sort", todo.SortID, todo.SortDue, todo.SortPriority, todo.SortPosition, todo.SortTitle, todo.SortCreated, todo.SortCompleted, todo.SortUpdated)}
	location, err := todo.Location(draw(w, "reader", findZones...))
	w.must(err)
	now := todo.Now{At: w.now.Add(time.Duration(rapid.IntRange(-40, 40).Draw(w.r, "now")) * time.Hour), Reader: location}
	boundary := draw(w, "boundary", now.Tomorrow(), now.Passed())
	some := func(name string) bool { return rapid.IntRange(0, 3).Draw(w.r, name) == 0 }
	if some("lists") {
		for _, i := range draw(w, "which", []int{0}, []int{3}, []int{2}, []int{0, 3}, []int{1, 2, 0}) {
			f.Lists = append(f.Lists, todo.ByID(w.lists[i]))
		}
	}
	if done := draw(w, "done", true, false); rapid.Bool().Draw(w.r, "by done") {
		f.Completed = &done
	}
	switch rapid.IntRange(0, 6).Draw(w.r, "dates") {
	case 0:
		f.Due, f.Before = true, []todo.Boundary{boundary}
	case 1:
		f.Due, f.NotBefore = true, []todo.Boundary{boundary}
	case 2:
		f.Undated = true
	case 3:
		f.Due, f.NotBefore, f.Before = true, []todo.Boundary{now.Passed()}, []todo.Boundary{now.Tomorrow()}
	}
	if some("priorities") {
		f.Priorities = draw(w, "which priorities", []todo.Priority{0}, []todo.Priority{3}, []todo.Priority{1, 2})
	}
	if some("labels") {
		f.Labels = draw(w, "which labels", []string{"home"}, []string{"uber"}, []string{"home", "uber"}, []string{"nobody"})
	}
	if some("words") {
		f.Words = draw(w, "which words", []string{"milk"}, []string{"caf"}, []string{"oa", "t"}, []string{"hom"}, []string{"100"}, []string{"apfe"}, []string{"x"})
	}
	if some("assignee") {
		f.Assignee = draw(w, "whose", new(int64), &w.ann.UserID)
	}
	f.Parent = draw(w, "parent", nil, nil, nil, &todo.Ref{})
	if at := w.now.Add(time.Duration(rapid.IntRange(0, 6).Draw(w.r, "at")) * time.Second); some("times") {
		*draw(w, "which time", &f.UpdatedAfter, &f.CompletedAfter, &f.CompletedBefore) = at
	}
	return f
}

// seen reports whether a search looks into the list of a task.
func (w *findWorld) seen(f todo.Find, task todo.Task) bool {
	i := slices.Index(w.lists, task.ListID)
	if len(f.Lists) > 0 {
		return slices.Contains(f.Lists, todo.ByID(task.ListID)) && (f.Scope != todo.ScopeAssigned || task.AssigneeID == f.UserID)
	}
	switch f.Scope {
	case todo.ScopeOwn:
		return i <= 2
	case todo.ScopeAll:
		return i == 0 || i == 1 || i == 3
	}
	return i <= 3 && task.AssigneeID == f.UserID
}

func before(task todo.Task, b todo.Boundary) bool {
	if moment, ok := task.Dates.Due.Moment(); ok {
		return moment.Before(b.Moment)
	}
	return task.Dates.Due.Order().Before(b.Wall)
}

// fits reports whether a task is one that a search asks for.
func (w *findWorld) fits(f todo.Find, task todo.Task) bool {
	dated := !task.Dates.Due.IsZero()
	has := func(key string) bool {
		return slices.ContainsFunc(task.Labels, func(l string) bool { return todo.LabelKey(l) == key })
	}
	for _, b := range f.Before {
		if !dated || !before(task, b) {
			return false
		}
	}
	for _, b := range f.NotBefore {
		if !dated || before(task, b) {
			return false
		}
	}
	for _, key := range f.Labels {
		if !has(key) {
			return false
		}
	}
	return w.seen(f, task) && (f.Completed == nil || *f.Completed == task.Completed()) && (!f.Undated || !dated) &&
		(len(f.Priorities) == 0 || slices.Contains(f.Priorities, task.Priority)) && (f.Assignee == nil || *f.Assignee == task.AssigneeID) && (f.Parent == nil || task.ParentID == 0) &&
		(f.UpdatedAfter.IsZero() || task.UpdatedAt.After(f.UpdatedAfter)) && (f.CompletedAfter.IsZero() || task.CompletedAt.After(f.CompletedAfter)) &&
		(f.CompletedBefore.IsZero() || task.Completed() && task.CompletedAt.Before(f.CompletedBefore)) && (len(f.Words) == 0 || wordsOf(task, f.Words))
}

// wordsOf reports whether each is the beginning of a word.
func wordsOf(task todo.Task, beginnings []string) bool {
	words := strings.Fields(todo.Fold(task.Title + " " + task.Description + " " + strings.Join(task.Labels, " ")))
	for _, beginning := range beginnings {
		if !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, beginning) }) {
			return false
		}
	}
	return true
}

// keyOf is what a task is sorted by, and whether it has it.
func keyOf(sort todo.SortKey, task todo.Task) (key int64, missing bool) {
	switch sort {
	case todo.SortDue:
		return task.Dates.Due.Order().UnixMilli(), task.Dates.Due.IsZero()
	case todo.SortPriority:
		return int64(task.Priority), task.Priority == 0
	case todo.SortPosition:
		if task.Completed() {
			return -task.CompletedAt.UnixMilli(), true
		}
		return task.Position, false
	case todo.SortCreated:
		return task.CreatedAt.UnixMilli(), false
	case todo.SortCompleted:
		return task.CompletedAt.UnixMilli(), !task.Completed()
	case todo.SortUpdated:
		return task.UpdatedAt.UnixMilli(), false
	}
	return task.ID, false
}

// plain filters and sorts the plain list.
func (w *findWorld) plain(f todo.Find) (ids []int64) {
	var all []todo.Task
	for _, task := range w.tasks {
		if w.fits(f, task) {
			all = append(all, task)
		}
	}
	slices.SortFunc(all, func(a, b todo.Task) int {
		x, xMissing := keyOf(f.Sort, a)
		y, yMissing := keyOf(f.Sort, b)
		order := cmp.Compare(x, y)
		if f.Sort == todo.SortTitle {
			order = strings.Compare(todo.Fold(a.Title), todo.Fold(b.Title))
		}
		if f.Down {
			order = -order
		}
		switch {
		case xMissing != yMissing:
			return map[bool]int{true: 1, false: -1}[xMissing]
		case xMissing && f.Sort != todo.SortPosition || order == 0:
			return cmp.Compare(a.ID, b.ID)
		}
		return order
	})
	for _, task := range all {
		ids = append(ids, task.ID)
	}
	return ids
}
