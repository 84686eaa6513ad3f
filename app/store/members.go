package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

// Members returns a page of those who are in a list, the owner first. Only the owner learns
// their addresses.
func (db *DB) Members(ctx context.Context, userID int64, ref todo.Ref, page app.PageRequest) (app.Page[todo.Member], error) {
	tx, err := db.read(ctx)
	if err != nil {
		return app.Page[todo.Member]{}, err
	}
	list, err := tx.list(db.seed, userID, ref)
	if err != nil {
		return app.Page[todo.Member]{}, translate(err)
	}
	const counted = `SELECT count(*) FROM members WHERE list_id = ?1 AND EXISTS (SELECT 1 FROM members WHERE user_id = ?2 AND list_id = ?1)`
	return pageOf(ctx, db, page, `SELECT (`+counted+`), u.id, u.username, CASE WHEN own.role = 3 THEN u.email ELSE '' END, m.role, m.joined_at
		FROM members own JOIN members m ON m.list_id = own.list_id JOIN users u ON u.id = m.user_id
		WHERE own.list_id = ?1 AND own.user_id = ?2 ORDER BY m.role DESC, m.joined_at, u.id LIMIT ?3 OFFSET ?4`+sorts, counted,
		[]any{list.ID, userID}, func(row Row, total *int64) (todo.Member, error) { return scanMember(row, total) })
}

func scanMember(row Row, before ...any) (m todo.Member, err error) {
	var joined int64
	err = row.Scan(append(before, &m.UserID, &m.Username, &m.Email, &m.Role, &joined)...)
	m.JoinedAt = fromMillis(joined)
	return m, err
}

func (t *tx) member(list, userID int64) (m todo.Member, err error) {
	found := false
	err = t.each(`SELECT u.id, u.username, u.email, m.role, m.joined_at FROM members m JOIN users u ON u.id = m.user_id WHERE m.user_id = ? AND m.list_id = ?`,
		[]any{userID, list}, func(row Row) error {
			found = true
			m, err = scanMember(row)
			m.ListID = list
			return err
		})
	if err == nil && !found {
		err = todo.ErrMemberNotFound
	}
	return m, err
}

// ChangeMember gives a member another role, or hands the list over. The list changes hands at
// once; its tasks follow, many of them in several turns: see FinishHandOvers.
func (db *DB) ChangeMember(ctx context.Context, by app.Caller, ref todo.Ref, userID int64, role todo.Role, at time.Time, most int64) (todo.Member, error) {
	var member todo.Member
	err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
		list, err := tx.ownList(db.seed, by, ref)
		if err != nil {
			return err
		}
		if member, err = tx.member(list.ID, userID); err != nil {
			return err
		}
		a := act{by, at}
		switch {
		case member.Role == role:
			return nil
		case member.Role == todo.RoleOwner:
			return todo.ErrOwnerCannotLeave
		case role == todo.RoleOwner:
			err = tx.handOver(a, list, userID, most)
		default:
			err = tx.setRole(a, list.ID, userID, role)
		}
		if err != nil {
			return err
		}
		member, err = tx.member(list.ID, userID)
		return err
	}))
	if err != nil || role != todo.RoleOwner {
		return member, err
	}
	return member, db.FinishHandOvers(ctx)
}

// handingOver begins the names in meta of the lists whose tasks have not all followed yet.
const handingOver = "handing over list "

// FinishHandOvers lets the tasks of lists that were handed over follow, a chunk in each turn.
// One that is cut goes on with the next, or with KeepRemoving.
func (db *DB) FinishHandOvers(ctx context.Context) error {
	for {
		reader, err := db.read(ctx)
		if err != nil {
			return err
		}
		var name string
		err = reader.each(`SELECT name FROM meta WHERE name > ?1 AND name < ?1 || 'a' LIMIT 1`, []any{handingOver}, func(row Row) error { return row.Scan(&name) })
		if err != nil || name == "" {
			return translate(err)
		}
		list, err := strconv.ParseInt(strings.TrimPrefix(name, handingOver), 10, 64)
		if err != nil {
			return err
		}
		err = db.write(ctx, func(tx *tx) error {
			n, err := tx.followList(act{at: db.now()}, list, treeChunk)
			if err != nil || n == treeChunk {
				return err
			}
			return tx.exec(`DELETE FROM meta WHERE name = ?`, name)
		})
		if err != nil {
			return err
		}
	}
}

// followList gives tasks of a list to who owns it, and returns how many.
func (t *tx) followList(a act, list, limit int64) (int64, error) {
	var owner int64
	err := t.one(`SELECT owner_id FROM lists WHERE id = ?`, []any{list}, &owner)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return t.giveTasks(a, list, owner, limit)
}

// setRole gives a member another role.
func (t *tx) setRole(a act, list, userID int64, role todo.Role) error {
	version, err := t.log(a, logged{scope: list, kind: todo.KindMember, op: todo.OpUpdated, entity: userID})
	if err != nil {
		return err
	}
	if err := t.exec(`UPDATE members SET role = ?3, version = ?4 WHERE user_id = ?1 AND list_id = ?2`, userID, list, int(role), version); err != nil {
		return err
	}
	return t.touchList(a, list, version)
}

// touchList says that something about a list has changed.
func (t *tx) touchList(a act, list, version int64) error {
	return t.exec(`UPDATE lists SET version = ?2, updated_at = ?3 WHERE id = ?1`, list, version, millis(a.at))
}

// handOver makes a member the owner of a list; who was it becomes an editor. Returns
// todo.ErrTooManyLists and todo.ErrTooManyTasks of the new owner.
func (t *tx) handOver(a act, list todo.List, heir, most int64) error {
	if err := t.roomForList(heir, true); err != nil {
		return err
	}
	has, err := t.totalOf("tasks", heir)
	if err != nil {
		return err
	}
	var coming int64
	if err := t.one(`SELECT count(*) FROM tasks WHERE list_id = ? AND user_id <> ?`, []any{list.ID, heir}, &coming); err != nil {
		return err
	}
	if most > 0 && has+coming > most {
		return todo.ErrTooManyTasks
	}
	return t.giveList(a, list.ID, list.OwnerID, heir)
}

// giveTasks gives tasks of a list to its owner to be, and returns how many. A uid that the
// heir has already is derived from now on.
func (t *tx) giveTasks(a act, list, heir, limit int64) (int64, error) {
	var ids []int64
	err := t.each(`SELECT id FROM tasks WHERE list_id = ? AND user_id <> ? LIMIT ?`, []any{list, heir, limit}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	newest, err := t.logAll(a, list, ids)
	if err != nil {
		return 0, err
	}
	return t.change(`UPDATE tasks SET uid = CASE WHEN uid IS NULL OR EXISTS (SELECT 1 FROM tasks other WHERE other.uid = tasks.uid AND other.user_id = ?2) THEN NULL ELSE uid END, user_id = ?2, version = ?3 + 1 + moved.key
		FROM json_each(?1) AS moved WHERE tasks.id = moved.value`, jsonOf(ids), heir, newest)
}

// giveList makes a member the owner of a list, whose tasks follow: see FinishHandOvers. Who was
// it becomes an editor.
func (t *tx) giveList(a act, list, from, heir int64) error {
	version, err := t.log(a, logged{scope: list, kind: todo.KindList, op: todo.OpHandedOver, entity: list, undo: map[string]any{"owner_id": from}})
	if err != nil {
		return err
	}
	// There is never more than one owner.
	err = errors.Join(
		t.exec(`UPDATE members SET role = 2, version = ?3 WHERE user_id = ?1 AND list_id = ?2`, from, list, version),
		t.exec(`UPDATE members SET role = 3, version = ?3 WHERE user_id = ?1 AND list_id = ?2`, heir, list, version),
		t.exec(`UPDATE lists SET uid = CASE WHEN uid IS NULL OR EXISTS (SELECT 1 FROM lists other WHERE other.uid = lists.uid AND other.owner_id = ?2) THEN NULL ELSE uid END,
			owner_id = ?2, version = ?3, updated_at = ?4 WHERE id = ?1`, list, heir, version, millis(a.at)),
		t.exec(`UPDATE trash SET user_id = ?2 WHERE list_id = ?1`, list, heir),
		t.exec(`UPDATE totals SET total = (SELECT count(*) FROM trash WHERE user_id = totals.owner) WHERE list = 'trash' AND owner IN (?, ?)`, from, heir),
		t.exec(`INSERT INTO totals (list, owner, total) SELECT 'trash', ?1, count(*) FROM trash WHERE user_id = ?1 HAVING count(*) > 0 ON CONFLICT DO NOTHING`, heir),
		t.exec(`DELETE FROM invitations WHERE list_id = ?`, list),
		t.exec(`INSERT INTO meta (name, value) VALUES (?, '') ON CONFLICT DO NOTHING`, fmt.Sprint(handingOver, list)))
	if err != nil {
		return err
	}
	_, err = t.followList(a, list, treeChunk)
	return err
}

// RemoveMember takes somebody out of a list.
func (db *DB) RemoveMember(ctx context.Context, by app.Caller, ref todo.Ref, userID int64, at time.Time) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		list, err := tx.list(db.seed, by.UserID, ref)
		switch {
		case err != nil:
			return err
		case userID != by.UserID && list.Role != todo.RoleOwner:
			return todo.ErrNotListOwner
		case list.Inbox:
			return todo.ErrInboxFixed
		case userID == list.OwnerID:
			return todo.ErrOwnerCannotLeave
		}
		if _, err := tx.member(list.ID, userID); err != nil {
			return err
		}
		return tx.leave(act{by, at}, list.ID, userID)
	}))
}

// leave ends a membership with what hangs on it: assignments, reminders and alarms.
func (t *tx) leave(a act, list, userID int64) error {
	// What has not followed a hand-over yet would go with who leaves.
	if _, err := t.followList(a, list, noLimit); err != nil {
		return err
	}
	version, err := t.log(a, logged{scope: list, kind: todo.KindMember, op: todo.OpLeft, entity: userID})
	if err != nil {
		return err
	}
	assigned, err := t.tasks(`SELECT `+taskColumns+` FROM tasks WHERE assignee_id = ?1 AND list_id = ?3`, userID, userID, list)
	if err != nil {
		return err
	}
	for _, task := range assigned {
		free := task
		free.AssigneeID = 0
		if _, err := t.save(a, task, free, todo.OpUpdated); err != nil {
			return err
		}
	}
	if _, err := t.log(a, logged{scope: -userID, kind: todo.KindMember, op: todo.OpLeft, entity: list}); err != nil {
		return err
	}
	return errors.Join(
		t.exec(`DELETE FROM reminders WHERE user_id = ?1 AND task_id IN (SELECT task_id FROM reminders JOIN tasks ON tasks.id = task_id WHERE reminders.user_id = ?1 AND tasks.list_id = ?2)`, userID, list),
		t.exec(`DELETE FROM task_alarms WHERE user_id = ?1 AND task_id IN (SELECT task_id FROM task_alarms JOIN tasks ON tasks.id = task_id WHERE task_alarms.user_id = ?1 AND tasks.list_id = ?2)`, userID, list),
		t.exec(`DELETE FROM members WHERE user_id = ? AND list_id = ?`, userID, list),
		t.touchList(a, list, version))
}

// roleIn returns what somebody may do in a list; 0 if they are no member.
func (t *tx) roleIn(list, userID int64) (role todo.Role, err error) {
	err = t.one(`SELECT coalesce((SELECT role FROM members WHERE user_id = ? AND list_id = ?), 0)`, []any{userID, list}, &role)
	return role, err
}

// joinList makes somebody a member of a list who is none. Returns todo.ErrListFull and
// todo.ErrTooManyLists.
func (t *tx) joinList(a act, list, userID int64, role todo.Role) error {
	var members int64
	if err := t.one(`SELECT count(*) FROM members WHERE list_id = ?`, []any{list}, &members); err != nil {
		return err
	}
	if members >= todo.MaxMembers {
		return todo.ErrListFull
	}
	if err := t.roomForList(userID, false); err != nil {
		return err
	}
	version, err := t.log(a, logged{scope: list, kind: todo.KindMember, op: todo.OpJoined, entity: userID})
	if err != nil {
		return err
	}
	if _, err := t.log(a, logged{scope: -userID, kind: todo.KindMember, op: todo.OpJoined, entity: list}); err != nil {
		return err
	}
	if err := t.exec(`INSERT INTO members (user_id, list_id, role, position, joined_at, version) VALUES (?1, ?2, ?3, `+lastPosition+`, ?4, ?5)`,
		userID, list, int(role), millis(a.at), version); err != nil {
		return err
	}
	return t.touchList(a, list, version)
}
