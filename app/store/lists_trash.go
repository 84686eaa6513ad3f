package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// treeChunk is how many tasks are moved in one turn.
const treeChunk = 500

// trashedList is what a row of the trash holds of a list.
type trashedList struct {
	Name    string `json:"name"`
	Color   string `json:"color,omitempty"`
	Created int64  `json:"created_at"`
	// Members are user, role, position, archived and when they joined.
	Members [][5]int64 `json:"members"`
}

// DeleteList moves a list to the trash, its tasks first, many of them in several turns: a
// request that is cut in between is repeated, and goes on. Returns todo.ErrListNotFound,
// todo.ErrNotListOwner, todo.ErrInboxFixed, and todo.ErrListChanged with the list.
func (db *DB) DeleteList(ctx context.Context, by app.Caller, ref todo.Ref, gone todo.Removal) (todo.List, error) {
	var list todo.List
	for first := true; ; first = false {
		left := false
		err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
			if list, err = tx.ownList(db.seed, by, ref); err != nil {
				return err
			}
			if !gone.Match.Holds(list.Stamp()) {
				return todo.ErrListChanged
			}
			a := act{by, gone.At}
			tasks, err := tx.tasks(`SELECT `+taskColumns+` FROM tasks WHERE list_id = ?1 LIMIT ?3`, list.ID, by.UserID, treeChunk+1)
			if err != nil {
				return err
			}
			if left = len(tasks) > treeChunk; left {
				tasks = tasks[:treeChunk]
			}
			tx.inTurns = (left || !first) && db.outerOf(ctx) == nil
			if err := tx.clearList(a, tasks, gone.Permanent); err != nil || left {
				return err
			}
			return tx.dropList(a, list, gone.Permanent)
		}))
		if err != nil || !left {
			return list, err
		}
	}
}

// clearList deletes tasks of a list that goes, each after all that is below it: the
// database would else delete that along with it, and nothing would be left of it.
func (t *tx) clearList(a act, tasks []todo.Task, permanent bool) error {
	gone := map[int64]bool{}
	for _, root := range tasks {
		if gone[root.ID] {
			continue
		}
		all, err := t.descendants(root.ID)
		if err != nil {
			return err
		}
		for _, task := range slices.Backward(append([]todo.Task{root}, all...)) {
			if gone[task.ID] = true; permanent {
				err = t.removeTask(a, task, permanently())
			} else {
				err = t.trashTask(a, task, true)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// dropList removes a list that has no tasks any more.
func (t *tx) dropList(a act, list todo.List, permanent bool) error {
	data := trashedList{Name: list.Name, Color: list.Color, Created: millis(list.CreatedAt)}
	err := t.each(`SELECT user_id, role, position, archived, joined_at FROM members WHERE list_id = ? ORDER BY user_id`, []any{list.ID}, func(row Row) error {
		var m [5]int64
		err := row.Scan(&m[0], &m[1], &m[2], &m[3], &m[4])
		data.Members = append(data.Members, m)
		return err
	})
	if err != nil {
		return err
	}
	var undo map[string]any
	if permanent {
		undo = permanently()
	}
	for _, m := range data.Members { // each learns that the list is gone
		if _, err := t.log(a, logged{scope: -m[0], kind: todo.KindList, op: todo.OpDeleted, entity: list.ID, uid: list.UID, undo: undo}); err != nil {
			return err
		}
	}
	if !permanent {
		raw, err := json.Marshal(data)
		if err != nil {
			return err
		}
		err = t.exec(`INSERT INTO trash (id, user_id, list_id, grp, at, actor, uid, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			-list.ID, list.OwnerID, list.ID, t.group, millis(a.at), nullID(a.by.UserID), nullText(list.UID), string(raw))
		if err != nil {
			return err
		}
	}
	return t.exec(`DELETE FROM lists WHERE id = ?`, list.ID)
}

// RestoreList brings a list back, and then its tasks, many of them in several turns: a
// request that is cut in between is repeated, and goes on. Returns todo.ErrListNotFound,
// todo.ErrNotInTrash, todo.ErrTooManyLists and todo.ErrTooManyTasks.
func (db *DB) RestoreList(ctx context.Context, by app.Caller, ref todo.Ref, at time.Time, most int64) (todo.List, error) {
	var list todo.List
	reader, err := db.read(ctx)
	if err != nil {
		return list, err
	}
	id, err := reader.trashedListID(db.seed, by, ref)
	if err != nil {
		return list, translate(err)
	}
	tasks, err := reader.trashedWith(id)
	if err != nil {
		return list, translate(err)
	}
	for first := true; first || len(tasks) > 0; first = false {
		chunk := tasks[:min(treeChunk, len(tasks))]
		err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
			a := act{by, at}
			back, err := tx.restoreListRow(a, id, most)
			if err != nil {
				return err
			}
			n, err := tx.restoreTasks(a, id, by.UserID, chunk)
			if err != nil {
				return err
			}
			if !back && first && n == 0 {
				return todo.ErrNotInTrash
			}
			list, err = tx.list(db.seed, by.UserID, todo.ByID(id))
			return err
		}))
		if err != nil {
			return list, err
		}
		tasks = tasks[len(chunk):]
	}
	return list, nil
}

// trashedWith returns the ids of the tasks that went with a list, each after what it is below.
func (t *tx) trashedWith(list int64) ([]int64, error) {
	parents := map[int64]int64{}
	var ids []int64
	err := t.each(`SELECT id, coalesce(json_extract(data, '$.parent_id'), 0) FROM trash WHERE list_id = ? AND id > 0 AND json_extract(data, '$.with_list')`, []any{list}, func(row Row) error {
		var id, parent int64
		err := row.Scan(&id, &parent)
		parents[id] = parent
		ids = append(ids, id)
		return err
	})
	depth := func(id int64) (depth int) {
		for at := parents[id]; at != 0 && depth <= len(parents); at = parents[at] {
			depth++
		}
		return depth
	}
	depths := make(map[int64]int, len(ids))
	for _, id := range ids {
		depths[id] = depth(id)
	}
	slices.SortFunc(ids, func(a, b int64) int { return cmp.Or(cmp.Compare(depths[a], depths[b]), cmp.Compare(a, b)) })
	return ids, err
}

// trashedListID returns the id of a list that the caller owned or owns.
func (t *tx) trashedListID(seed todo.Seed, by app.Caller, ref todo.Ref) (int64, error) {
	id, err := t.idOf(seed, todo.KindList, ref, `SELECT (SELECT -id FROM trash WHERE uid = ? AND user_id = ? AND id < 0)`, by.UserID)
	if err != nil || id != 0 {
		return id, err
	}
	return t.listID(seed, by.UserID, ref)
}

// restoreListRow brings the list itself back; false if it lives.
func (t *tx) restoreListRow(a act, id, most int64) (back bool, err error) {
	var raw, uid string
	err = t.each(`SELECT data, coalesce(uid, '') FROM trash WHERE id = ? AND user_id = ?`, []any{-id, a.by.UserID}, func(row Row) error { return row.Scan(&raw, &uid) })
	if err != nil {
		return false, err
	}
	if raw == "" {
		list, err := t.list(todo.Seed{}, a.by.UserID, todo.ByID(id))
		if err == nil && list.Role != todo.RoleOwner {
			err = todo.ErrNotInTrash
		}
		return false, err
	}
	var data trashedList
	if err := json.Unmarshal([]byte(raw), &data); err != nil {
		return false, err
	}
	if err := t.roomForList(a.by.UserID, true); err != nil {
		return false, err
	}
	if most > 0 {
		total, err := t.totalOf("tasks", a.by.UserID)
		if err != nil {
			return false, err
		}
		var coming int64
		if err := t.one(`SELECT count(*) FROM trash WHERE list_id = ? AND id > 0 AND json_extract(data, '$.with_list')`, []any{id}, &coming); err != nil {
			return false, err
		}
		if total+coming > most {
			return false, todo.ErrTooManyTasks
		}
	}
	if err := t.exec(`DELETE FROM trash WHERE id = ?`, -id); err != nil {
		return false, err
	}
	var taken bool
	if err := t.one(`SELECT EXISTS (SELECT 1 FROM lists WHERE uid = ? AND owner_id = ?)`, []any{uid, a.by.UserID}, &taken); err != nil {
		return false, err
	}
	if taken {
		uid = ""
	}
	version, err := t.log(a, logged{scope: id, kind: todo.KindList, op: todo.OpRestored, entity: id, uid: uid})
	if err != nil {
		return false, err
	}
	err = t.exec(`INSERT INTO lists (id, owner_id, uid, name, color, created_at, updated_at, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		id, a.by.UserID, nullText(uid), data.Name, nullText(data.Color), data.Created, millis(a.at), version)
	if err != nil {
		return false, err
	}
	return true, t.restoreMembers(a, id, version, data.Members)
}

// restoreMembers brings back who was in a list and still is a user.
func (t *tx) restoreMembers(a act, id, version int64, members [][5]int64) error {
	for _, m := range members {
		n, err := t.change(`INSERT INTO members (user_id, list_id, role, position, archived, joined_at, version)
			SELECT id, ?2, CASE WHEN id = ?8 THEN 3 WHEN ?3 > 2 THEN 2 ELSE ?3 END, ?4, ?5, ?6, ?7 FROM users WHERE id = ?1 AND deleted_at IS NULL`, m[0], id, m[1], m[2], m[3], m[4], version, a.by.UserID)
		if err != nil {
			return err
		}
		if n > 0 {
			if _, err := t.log(a, logged{scope: -m[0], kind: todo.KindMember, op: todo.OpJoined, entity: id}); err != nil {
				return err
			}
		}
	}
	return nil
}

// restoreTasks brings back tasks that went with their list and are in the trash still, and
// returns how many.
func (t *tx) restoreTasks(a act, list, owner int64, ids []int64) (n int, err error) {
	for _, id := range ids {
		var r trashRow
		err := t.each(`SELECT `+trashColumns+` FROM trash WHERE id = ? AND list_id = ?`, []any{id, list}, func(row Row) (err error) {
			r, err = scanTrash(row)
			return err
		})
		if err != nil {
			return n, err
		}
		if r.task.ID == 0 {
			continue
		}
		if r.task.ParentID != 0 {
			parent, err := t.task(r.task.ParentID, 0, true)
			if err != nil && !errors.Is(err, todo.ErrTaskNotFound) {
				return n, err
			}
			if err != nil || parent.ListID != list { // it is gone, or came back elsewhere
				r.task.ParentID = 0
			}
		}
		if _, err := t.restoreOne(a, r, home{list: list, owner: owner}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
