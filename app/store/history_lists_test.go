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
	"taskapi/app/todo"
)

func (h *history) createList() {
	who := h.person()
	list, err := h.db.CreateList(context.Background(), who, todo.NewList{Name: fmt.Sprint("list ", len(h.lists)), CreatedAt: h.now})
	if h.expect("create list", err, nil) {
		h.lists[list.ID] = &modelList{owner: who.UserID, roles: map[int64]todo.Role{who.UserID: todo.RoleOwner}}
	}
}

// ownRefusal is the error of who does to a list what only its owner may.
func (h *history) ownRefusal(who, list int64) error {
	err := refusal(h.role(who, list), todo.RoleOwner, todo.ErrListNotFound, todo.ErrNotListOwner)
	if err == nil && h.lists[list].inbox {
		return todo.ErrInboxFixed
	}
	return err
}

func (h *history) invite() {
	who, guest := h.person(), h.person()
	list, _ := pick(h, "list", h.lists)
	role := rapid.SampledFrom([]todo.Role{todo.RoleViewer, todo.RoleEditor}).Draw(h.T, "role")
	h.codes++
	hash := linkHash(fmt.Sprint("code ", h.codes))
	_, err := h.db.Invite(context.Background(), who, todo.ByID(list), todo.NewInvitation{Role: role, Hash: hash, CreatedAt: h.now, ExpiresAt: h.now.Add(time.Hour)}, todo.Letter{})
	if !h.expect("invite", err, h.ownRefusal(who.UserID, list)) {
		return
	}
	_, err = h.db.AcceptInvitation(context.Background(), guest, hash, h.now)
	has := h.lists[list].roles[guest.UserID]
	if h.expect("accept", err, nil) {
		h.lists[list].roles[guest.UserID] = max(role, has)
	}
	_, err = h.db.AcceptInvitation(context.Background(), guest, hash, h.now)
	if has >= role { // nobody has gained by it
		h.expect("accept again", err, nil)
	} else {
		h.expect("accept again", err, todo.ErrInvitationNotFound)
	}
}

func (h *history) changeMember() {
	who, member := h.person(), h.person()
	list, _ := pick(h, "list", h.lists)
	l := h.lists[list]
	role := rapid.SampledFrom([]todo.Role{todo.RoleViewer, todo.RoleEditor, todo.RoleOwner}).Draw(h.T, "role")
	want := h.ownRefusal(who.UserID, list)
	switch has := l.roles[member.UserID]; {
	case want != nil || has == role && role != todo.RoleNone:
	case has == todo.RoleNone:
		want = todo.ErrMemberNotFound
	case has == todo.RoleOwner:
		want = todo.ErrOwnerCannotLeave
	}
	_, err := h.db.ChangeMember(context.Background(), who, todo.ByID(list), member.UserID, role, h.now, 0)
	if !h.expect("change member", err, want) || l.roles[member.UserID] == role {
		return
	}
	if role == todo.RoleOwner {
		l.roles[l.owner], l.owner = todo.RoleEditor, member.UserID
		for _, task := range h.trash {
			if task.list == list {
				task.owner = member.UserID
			}
		}
	}
	l.roles[member.UserID] = role
}

func (h *history) removeMember() {
	who, member := h.person(), h.person()
	list, _ := pick(h, "list", h.lists)
	l := h.lists[list]
	var want error
	switch {
	case l.roles[who.UserID] == todo.RoleNone:
		want = todo.ErrListNotFound
	case who.UserID != member.UserID && l.owner != who.UserID:
		want = todo.ErrNotListOwner
	case l.inbox:
		want = todo.ErrInboxFixed
	case l.owner == member.UserID:
		want = todo.ErrOwnerCannotLeave
	case l.roles[member.UserID] == todo.RoleNone:
		want = todo.ErrMemberNotFound
	}
	if h.expect("remove member", h.db.RemoveMember(context.Background(), who, todo.ByID(list), member.UserID, h.now), want) {
		delete(l.roles, member.UserID)
	}
}

func (h *history) deleteList() {
	who := h.person()
	list, _ := pick(h, "list", h.lists)
	_, err := h.db.DeleteList(context.Background(), who, todo.ByID(list), todo.Removal{At: h.now})
	if !h.expect("delete list", err, h.ownRefusal(who.UserID, list)) {
		return
	}
	h.codes++
	for id, task := range maps.Clone(h.tasks) {
		if task.list == list {
			h.toTrash(id, true)
		}
	}
	h.gone[list] = h.lists[list]
	delete(h.lists, list)
}

func (h *history) restoreList() {
	who := h.person()
	list, some := pick(h, "gone", h.gone)
	if !some {
		return
	}
	l := h.gone[list]
	var want error
	if l.owner != who.UserID {
		want = todo.ErrListNotFound
	}
	_, err := h.db.RestoreList(context.Background(), who, todo.ByID(list), h.now, 0)
	if !h.expect("restore list", err, want) {
		return
	}
	h.lists[list], l.open = l, nil
	delete(h.gone, list)
	var back []int64
	for id, task := range h.trash {
		if task.list == list && task.withList {
			back = append(back, id)
		}
	}
	for _, id := range back {
		h.tasks[id] = h.trash[id]
		delete(h.trash, id)
	}
	for _, id := range back {
		if h.tasks[h.tasks[id].parent] == nil {
			h.tasks[id].parent = 0
		}
	}
	h.reread(list)
}

// family begins with a list of each, which the others edit, and a task with a subtask in it.
func (h *history) family() {
	for i, who := range h.people {
		list, err := h.db.CreateList(context.Background(), who, todo.NewList{Name: fmt.Sprint("family ", i), CreatedAt: h.now})
		h.expect("create list", err, nil)
		l := &modelList{owner: who.UserID, roles: map[int64]todo.Role{}}
		err = h.db.Write(context.Background(), func(tx *store.Tx) error {
			for _, other := range h.people {
				if l.roles[other.UserID] = todo.RoleEditor; other.UserID == who.UserID {
					l.roles[other.UserID] = todo.RoleOwner
				} else if err := tx.JoinList(other, h.now, list.ID, other.UserID, todo.RoleEditor); err != nil {
					return err
				}
			}
			return nil
		})
		h.expect("share", err, nil)
		h.lists[list.ID] = l
		for below := int64(0); ; {
			n := todo.NewTask{Title: "t", List: todo.ByID(list.ID), CreatedAt: h.now}
			if below != 0 {
				n.List, n.Parent = todo.Ref{}, todo.ByID(below)
			}
			task, err := h.db.CreateTask(context.Background(), who, n)
			h.expect("create", err, nil)
			h.tasks[task.ID] = &modelTask{list: list.ID, parent: below, title: "t"}
			if below != 0 {
				break
			}
			l.open, below = []int64{task.ID}, task.ID
		}
	}
}

// check holds what each sees against the model.
func (h *history) check() {
	h.Helper()
	ctx := context.Background()
	for _, who := range h.people {
		var want []string
		for id, task := range h.tasks {
			if h.role(who.UserID, task.list) > todo.RoleNone {
				want = append(want, fmt.Sprint(id, " ", task.list, " ", task.parent, " ", task.title, " ", task.done, " ", h.lists[task.list].owner))
			}
		}
		find := todo.Find{UserID: who.UserID, Scope: todo.ScopeAll, Sort: todo.SortID, Page: app.PageRequest{Page: 1, PerPage: 100}}
		found, err := h.db.FindTasks(ctx, find)
		if err != nil {
			h.Fatal(err)
		}
		var got []string
		for _, task := range found.Items {
			got = append(got, fmt.Sprint(task.ID, " ", task.ListID, " ", task.ParentID, " ", task.Title, " ", task.Completed(), " ", task.UserID))
		}
		slices.Sort(want)
		if slices.Sort(got); !slices.Equal(got, want) {
			h.Fatalf("%d sees\n  %s\nwant\n  %s", who.UserID, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
		for id := range h.trash {
			if _, err := h.db.Task(ctx, who, todo.ByID(id)); !errors.Is(err, todo.ErrTaskNotFound) {
				h.Fatalf("task %d is in the trash, but: %v", id, err)
			}
		}
	}
	for list, l := range h.lists {
		if got := h.order(list); !slices.Equal(got, l.open) {
			h.Fatalf("list %d has the order %v, want %v", list, got, l.open)
		}
	}
	if err := h.db.Consistent(); err != nil {
		h.Fatal(err)
	}
}

// Three people share lists, move tasks between them, delete and restore, leave and hand over,
// in any order: each sees what the model says, and nothing else.
func TestHistoriesOfSharedLists(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := newHistory(t, r, 3)
		h.family()
		acts := []func(){
			h.createTask, h.createTask, h.createTask, h.changeTask, h.changeTask, h.moveTask, h.place, h.place, h.deleteTask, h.restoreTask,
			h.createList, h.invite, h.invite, h.changeMember, h.removeMember, h.deleteList, h.restoreList,
		}
		for range rapid.IntRange(1, 60).Draw(r, "acts") {
			h.now = h.now.Add(time.Second)
			acts[rapid.IntRange(0, len(acts)-1).Draw(r, "act")]()
			h.check()
		}
	})
}
