package store

import (
	"cmp"
	"errors"
	"slices"

	"taskapi/app/todo"
)

// fates returns what the undo has made of each task of the group. The copies that a repeating
// task leaves of its occurrences come and go with it, and count as nothing of their own.
func (u *undoing) fates() (all []todo.UndoneTask, err error) {
	seen := map[int64]bool{}
	for _, key := range u.order {
		if seen[key.id] {
			continue
		}
		seen[key.id] = true
		f, was := u.fateOf(todo.KindTask, key.id), u.before[key.id]
		switch {
		case f == fatePassing, f == fateMade && was.RecurrenceOf != 0:
			continue
		case f == fateMade, f == fateRestored:
			all = append(all, todo.UndoneTask{Task: was, Was: was.Version, Gone: true})
			continue
		}
		task, err := u.task(key.id, u.by.UserID, everything(u.by))
		if errors.Is(err, todo.ErrTaskNotFound) { // it has left for a list that the caller is not in
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, todo.UndoneTask{Task: task, Was: was.Version, Back: f == fateDeleted})
	}
	slices.SortFunc(all, func(a, b todo.UndoneTask) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// sizeOf measures a task that comes back with all below it that comes back.
func (u *undoing) sizeOf(id int64) tree {
	size := tree{levels: 1, tasks: 1}
	for other, r := range u.rows {
		if r.task.ParentID == id {
			below := u.sizeOf(other)
			size.levels, size.tasks = max(size.levels, 1+below.levels), size.tasks+below.tasks
		}
	}
	return size
}
