package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// history is three people who share lists, beside a model of what each should see.
type history struct {
	*rapid.T
	db     *storetest.DB
	people []app.Caller
	lists  map[int64]*modelList
	tasks  map[int64]*modelTask
	trash  map[int64]*modelTask
	gone   map[int64]*modelList
	codes  int
	now    time.Time
}

// modelList is a list as it should be.
type modelList struct {
	owner int64
	inbox bool
	roles map[int64]todo.Role
	// open are the open tasks at the top, in their order.
	open []int64
}

// modelTask is a task as it should be.
type modelTask struct {
	list, parent int64
	title        string
	done         bool
	group        int  // of its deletion
	withList     bool // deleted together with it
	owner        int64
}

func newHistory(t *testing.T, r *rapid.T, n int) *history {
	// Closed after each history: thousands would need more files than a process may open.
	h := &history{T: r, db: openUntil(t, r.Cleanup), lists: map[int64]*modelList{}, tasks: map[int64]*modelTask{}, trash: map[int64]*modelTask{}, gone: map[int64]*modelList{}, now: testNow}
	for i := range n {
		user := addUser(t, h.db, fmt.Sprintf("%d@example.com", i), app.RoleUser)
		session := addSession(t, h.db, fmt.Sprintf("session-of-person-%04d", i), user)
		h.people = append(h.people, app.Caller{UserID: user.ID, Role: app.RoleUser, SessionID: session.ID})
		page, err := h.db.Lists(context.Background(), user.ID, nil, app.PageRequest{Page: 1, PerPage: 10})
		if err != nil || len(page.Items) != 1 {
			t.Fatalf("%d lists, %v", len(page.Items), err)
		}
		h.lists[page.Items[0].ID] = &modelList{owner: user.ID, inbox: true, roles: map[int64]todo.Role{user.ID: todo.RoleOwner}}
	}
	return h
}

// role is what somebody may do in a list.
func (h *history) role(who, list int64) todo.Role {
	if l := h.lists[list]; l != nil {
		return l.roles[who]
	}
	return todo.RoleNone
}

// pick draws a key; false if there is none.
func pick[T any](h *history, what string, from map[int64]T) (int64, bool) {
	if len(from) == 0 {
		return 0, false
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(from))).Draw(h.T, what), true
}

func (h *history) person() app.Caller { return rapid.SampledFrom(h.people).Draw(h.T, "who") }

// expect holds the error of an act against the one that it should have.
func (h *history) expect(what string, err, want error) bool {
	h.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		h.Fatalf("%s: %v, want %v", what, err, want)
	}
	return err == nil
}

// refusal is the error of who has a role where another is needed.
func refusal(role, least todo.Role, unseen, lacks error) error {
	switch {
	case role == todo.RoleNone:
		return unseen
	case role < least:
		return lacks
	}
	return nil
}

// below returns a task and all that is below it.
func (h *history) below(id int64) []int64 {
	all := []int64{id}
	for i := 0; i < len(all); i++ {
		for _, other := range slices.Sorted(maps.Keys(h.tasks)) {
			if h.tasks[other].parent == all[i] {
				all = append(all, other)
			}
		}
	}
	return all
}

func (h *history) createTask() {
	who := h.person()
	n := todo.NewTask{UserID: who.UserID, Title: fmt.Sprint("task ", len(h.tasks)), CreatedAt: h.now}
	list, _ := pick(h, "list", h.lists)
	n.List = todo.ByID(list)
	parent, below := pick(h, "parent", h.tasks)
	want := refusal(h.role(who.UserID, list), todo.RoleEditor, todo.ErrListNotFound, todo.ErrReadOnlyList)
	if below = below && rapid.Bool().Draw(h.T, "below") && h.tasks[parent].parent == 0; below {
		list = h.tasks[parent].list
		n.List, n.Parent = todo.Ref{}, todo.ByID(parent)
		want = refusal(h.role(who.UserID, list), todo.RoleEditor, todo.ErrTaskNotFound, todo.ErrReadOnlyList)
	} else {
		parent = 0
	}
	task, err := h.db.CreateTask(context.Background(), who, n)
	if h.expect("create", err, want) {
		h.tasks[task.ID] = &modelTask{list: list, parent: parent, title: task.Title}
		if parent == 0 {
			h.lists[list].open = append([]int64{task.ID}, h.lists[list].open...)
		}
	}
}

func (h *history) changeTask() {
	who := h.person()
	id, some := pick(h, "task", h.tasks)
	if !some {
		return
	}
	task := h.tasks[id]
	title, done := fmt.Sprint("title ", rapid.IntRange(0, 99).Draw(h.T, "title")), rapid.Bool().Draw(h.T, "done")
	_, err := h.db.UpdateTask(context.Background(), who, todo.ByID(id), todo.TaskChange{Title: &title, Completed: &done, Now: h.now})
	if !h.expect("change", err, refusal(h.role(who.UserID, task.list), todo.RoleEditor, todo.ErrTaskNotFound, todo.ErrReadOnlyList)) {
		return
	}
	task.title = title
	switch {
	case done == task.done:
	case done:
		for _, below := range h.below(id) {
			h.tasks[below].done = true
		}
	default:
		for at := id; at != 0; at = h.tasks[at].parent {
			h.tasks[at].done = false
		}
	}
	h.reread(task.list)
}

// reread takes the order of a list from the database, where the model does not tell it: of
// tasks that have come back.
func (h *history) reread(list int64) {
	l := h.lists[list]
	got := h.order(list)
	var kept []int64
	for _, id := range l.open {
		if slices.Contains(got, id) {
			kept = append(kept, id)
		}
	}
	// What stayed has stayed in its order.
	i := 0
	for _, id := range got {
		if i < len(kept) && id == kept[i] {
			i++
		}
	}
	if i != len(kept) {
		h.Fatalf("the order was %v, and is %v", l.open, got)
	}
	l.open = got
}

// order is that of the open tasks at the top of a list.
func (h *history) order(list int64) []int64 {
	open := false
	find := todo.Find{UserID: h.lists[list].owner, Scope: todo.ScopeAll, Lists: []todo.Ref{todo.ByID(list)}, Completed: &open, Parent: &todo.Ref{}, Sort: todo.SortPosition, Page: app.PageRequest{Page: 1, PerPage: 100}}
	found, err := h.db.FindTasks(context.Background(), find)
	if err != nil {
		h.Fatal(err)
	}
	var ids []int64
	for _, task := range found.Items {
		ids = append(ids, task.ID)
	}
	return ids
}

func (h *history) moveTask() {
	who := h.person()
	id, some := pick(h, "task", h.tasks)
	if !some {
		return
	}
	task := h.tasks[id]
	to, _ := pick(h, "to", h.lists)
	ref := todo.ByID(to)
	want := refusal(h.role(who.UserID, task.list), todo.RoleEditor, todo.ErrTaskNotFound, todo.ErrReadOnlyList)
	if want == nil {
		want = refusal(h.role(who.UserID, to), todo.RoleEditor, todo.ErrListNotFound, todo.ErrReadOnlyList)
	}
	_, err := h.db.UpdateTask(context.Background(), who, todo.ByID(id), todo.TaskChange{List: &ref, Now: h.now})
	if !h.expect("move", err, want) || to == task.list {
		return
	}
	from := task.list
	task.parent = 0
	for _, below := range h.below(id) {
		h.tasks[below].list = to
	}
	h.reread(from)
	h.reread(to)
}

// place moves a task among its siblings.
func (h *history) place() {
	who := h.person()
	list, _ := pick(h, "list", h.lists)
	l := h.lists[list]
	if len(l.open) < 2 || l.roles[who.UserID] < todo.RoleEditor {
		return
	}
	id := rapid.SampledFrom(l.open).Draw(h.T, "task")
	rest := slices.DeleteFunc(slices.Clone(l.open), func(other int64) bool { return other == id })
	beside := rapid.IntRange(0, len(rest)-1).Draw(h.T, "beside")
	place, at := todo.Place{Before: todo.ByID(rest[beside])}, beside
	if rapid.Bool().Draw(h.T, "after") {
		place, at = todo.Place{After: todo.ByID(rest[beside])}, beside+1
	}
	_, err := h.db.MoveTask(context.Background(), who, todo.ByID(id), todo.Move{Place: place, Now: h.now})
	if h.expect("place", err, nil) {
		l.open = slices.Insert(rest, at, id)
	}
}

func (h *history) deleteTask() {
	who := h.person()
	id, some := pick(h, "task", h.tasks)
	if !some {
		return
	}
	task := h.tasks[id]
	_, err := h.db.DeleteTask(context.Background(), who, todo.ByID(id), todo.Removal{At: h.now})
	if !h.expect("delete", err, refusal(h.role(who.UserID, task.list), todo.RoleEditor, todo.ErrTaskNotFound, todo.ErrReadOnlyList)) {
		return
	}
	h.codes++
	for _, below := range h.below(id) {
		h.toTrash(below, false)
	}
	h.reread(task.list)
}

func (h *history) toTrash(id int64, withList bool) {
	task := h.tasks[id]
	task.group, task.withList, task.owner = h.codes, withList, h.lists[task.list].owner
	h.trash[id] = task
	delete(h.tasks, id)
}

func (h *history) restoreTask() {
	who := h.person()
	id, some := pick(h, "trashed", h.trash)
	if !some {
		return
	}
	root := h.trash[id]
	role := h.role(who.UserID, root.list)
	if root.owner == who.UserID {
		role = todo.RoleOwner
	}
	_, err := h.db.RestoreTask(context.Background(), who, todo.ByID(id), nil, h.now, 0)
	if !h.expect("restore", err, refusal(role, todo.RoleEditor, todo.ErrTaskNotFound, todo.ErrReadOnlyList)) {
		return
	}
	list := root.list
	if h.lists[list] == nil {
		for other, l := range h.lists {
			if l.inbox && l.owner == root.owner {
				list = other
			}
		}
	}
	if parent := h.tasks[root.parent]; parent == nil || parent.list != list {
		root.parent = 0
	}
	back := []int64{id}
	for i := 0; i < len(back); i++ {
		for other, task := range h.trash {
			if task.parent == back[i] && task.group == root.group {
				back = append(back, other)
			}
		}
	}
	for _, one := range back {
		h.tasks[one] = h.trash[one]
		h.tasks[one].list = list
		delete(h.trash, one)
	}
	h.reread(list)
}
