package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/todo"
)

var _ todo.ListStore = (*DB)(nil)

// sorts marks a query that may sort what is one account's: there is never more of it than
// one person can have.
const sorts = ` /* sorts what is one account's */`

const (
	listColumns = `l.id, coalesce(l.uid, ''), l.owner_id, l.name, coalesce(l.color, ''), l.inbox, m.role, m.position, m.archived,
		(SELECT count(*) FROM members WHERE list_id = l.id), (SELECT count(*) FROM tasks WHERE list_id = l.id AND done = 0),
		l.created_at, l.updated_at, l.version, m.version`
	oneList   = `SELECT ` + listColumns + ` FROM members m JOIN lists l ON l.id = m.list_id WHERE m.user_id = ?1 AND m.list_id = ?2`
	listByUID = `SELECT coalesce((SELECT id FROM lists WHERE uid = ?1 AND owner_id = ?2),
		(SELECT min(l.id) FROM lists l JOIN members m ON m.list_id = l.id AND m.user_id = ?2 WHERE l.uid = ?1))`
)

func scanList(row Row, before ...any) (l todo.List, err error) {
	var created, updated int64
	err = row.Scan(append(before, &l.ID, &l.UID, &l.OwnerID, &l.Name, &l.Color, &l.Inbox, &l.Role, &l.Position, &l.Archived,
		&l.Members, &l.Open, &created, &updated, &l.Version, &l.OwnVersion)...)
	l.CreatedAt, l.UpdatedAt = fromMillis(created), fromMillis(updated)
	return l, err
}

// listID returns the id of a list that is named; 0 if nothing of the name is in reach.
func (t *tx) listID(seed todo.Seed, userID int64, ref todo.Ref) (int64, error) {
	return t.idOf(seed, todo.KindList, ref, listByUID, userID)
}

// list returns a list as a member sees it, or todo.ErrListNotFound.
func (t *tx) list(seed todo.Seed, userID int64, ref todo.Ref) (l todo.List, err error) {
	id, err := t.listID(seed, userID, ref)
	if err != nil {
		return l, err
	}
	found := false
	err = t.each(oneList, []any{userID, id}, func(row Row) error {
		found = true
		l, err = scanList(row)
		return err
	})
	if err == nil && !found {
		err = todo.ErrListNotFound
	}
	return l, err
}

// listFor returns the list as the home of a task of a member who has at least a role there.
// Returns todo.ErrListNotFound and todo.ErrReadOnlyList.
func (t *tx) listFor(seed todo.Seed, by app.Caller, ref todo.Ref, least todo.Role) (h home, err error) {
	id, err := t.listID(seed, by.UserID, ref)
	if err != nil {
		return h, err
	}
	var role todo.Role
	err = t.one(`SELECT m.role, l.id, l.owner_id, `+totalOfOwner+` FROM members m JOIN lists l ON l.id = m.list_id WHERE m.user_id = ? AND m.list_id = ?`,
		[]any{by.UserID, id}, &role, &h.list, &h.owner, &h.total)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return h, todo.ErrListNotFound
	case err == nil && role < least:
		return h, todo.ErrReadOnlyList
	}
	return h, err
}

// ownList returns a list that the caller owns. Returns todo.ErrListNotFound,
// todo.ErrNotListOwner and, for the Inbox, todo.ErrInboxFixed.
func (t *tx) ownList(seed todo.Seed, by app.Caller, ref todo.Ref) (todo.List, error) {
	l, err := t.list(seed, by.UserID, ref)
	switch {
	case err != nil:
		return l, err
	case l.Role != todo.RoleOwner:
		return l, todo.ErrNotListOwner
	case l.Inbox:
		return l, todo.ErrInboxFixed
	}
	return l, nil
}

// CreateList adds a list at the end of the caller's own. Returns todo.ErrTooManyLists, and
// for a uid todo.ErrExists with the list, todo.ErrInTrash and todo.ErrUIDTaken.
func (db *DB) CreateList(ctx context.Context, by app.Caller, n todo.NewList) (todo.List, error) {
	var list todo.List
	err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
		if n.UID != "" {
			list, err = tx.listUIDFree(db.seed, by, n.UID)
			if n.Anew && errors.Is(err, todo.ErrInTrash) && db.seed.ID(todo.KindList, n.UID) == 0 {
				err = nil
			}
			if err != nil {
				return err
			}
		}
		if err := tx.roomForList(by.UserID, true); err != nil {
			return err
		}
		id, err := tx.addList(act{by, n.CreatedAt}, 0, by.UserID, n, false)
		if err != nil {
			return err
		}
		list, err = tx.list(db.seed, by.UserID, todo.ByID(id))
		return err
	}))
	return list, err
}

// listUIDFree returns what CreateList returns for a uid.
func (t *tx) listUIDFree(seed todo.Seed, by app.Caller, uid string) (todo.List, error) {
	id, trashed := seed.ID(todo.KindList, uid), int64(0)
	if id != 0 {
		if err := t.one(`SELECT coalesce((SELECT -id FROM trash WHERE id = ? AND user_id = ?), 0)`, []any{-id, by.UserID}, &trashed); err != nil {
			return todo.List{}, err
		}
	} else if err := t.one(`SELECT coalesce((SELECT id FROM lists WHERE uid = ?1 AND owner_id = ?2), 0), coalesce((SELECT -id FROM trash WHERE uid = ?1 AND user_id = ?2 AND id < 0), 0)`,
		[]any{uid, by.UserID}, &id, &trashed); err != nil {
		return todo.List{}, err
	}
	switch {
	case trashed != 0:
		return todo.List{}, todo.ErrInTrash.About(trashed)
	case id == 0:
		return todo.List{}, nil
	}
	list, err := t.list(seed, by.UserID, todo.ByID(id))
	switch {
	case errors.Is(err, todo.ErrListNotFound):
		return list, todo.ErrUIDTaken
	case err != nil:
		return list, err
	}
	return list, todo.ErrExists
}

// roomForList returns todo.ErrTooManyLists if a user has as many lists as they may own, or
// share.
func (t *tx) roomForList(userID int64, own bool) error {
	var n int64
	query, most := `SELECT count(*) FROM lists WHERE owner_id = ?`, int64(todo.MaxOwnLists)
	if !own {
		query, most = `SELECT count(*) FROM members WHERE user_id = ? AND role < 3`, int64(todo.MaxJoinedLists)
	}
	if err := t.one(query, []any{userID}, &n); err != nil {
		return err
	}
	if n >= most {
		return todo.ErrTooManyLists
	}
	return nil
}

// listStep lies between the positions of two lists.
const listStep = 65536

// lastPosition is the end of the lists of a user (?1).
const lastPosition = `(SELECT coalesce(max(position), 0) + 65536 FROM members WHERE user_id = ?1)`

// addList adds a list with its owner as a member, under a new id if id is 0, and returns
// its id.
func (t *tx) addList(a act, id, owner int64, n todo.NewList, inbox bool) (int64, error) {
	at := millis(n.CreatedAt)
	err := t.one(`INSERT INTO lists (id, owner_id, uid, name, color, inbox, created_at, updated_at, version)
		VALUES (nullif(?7, 0 /* next of lists */), ?1, ?2, ?3, ?4, ?5, ?6, ?6, `+nextSeq+`) RETURNING id`,
		[]any{owner, nullText(n.UID), n.Name, nullText(n.Color), inbox, at, id}, &id)
	if err != nil {
		return 0, err
	}
	version, err := t.log(a, logged{scope: id, kind: todo.KindList, op: todo.OpCreated, entity: id, uid: n.UID})
	if err != nil {
		return 0, err
	}
	return id, t.exec(`INSERT INTO members (user_id, list_id, role, position, joined_at, version) VALUES (?1, ?2, 3, coalesce(?6, CASE WHEN ?3 THEN 0 ELSE `+lastPosition+` END), ?4, ?5)`,
		owner, id, inbox, at, version, n.Order)
}

// addInbox gives a new user the list that everybody has.
func (t *tx) addInbox(a act, userID int64) error {
	_, err := t.addList(a, 0, userID, todo.NewList{Name: todo.InboxName, CreatedAt: a.at}, true)
	return err
}

// List returns a list as a member sees it.
func (db *DB) List(ctx context.Context, userID int64, ref todo.Ref) (todo.List, error) {
	tx, err := db.read(ctx)
	if err != nil {
		return todo.List{}, err
	}
	list, err := tx.list(db.seed, userID, ref)
	return list, translate(err)
}

// Lists returns a page of a user's lists.
func (db *DB) Lists(ctx context.Context, userID int64, archived *bool, page app.PageRequest) (app.Page[todo.List], error) {
	const which = ` FROM members m JOIN lists l ON l.id = m.list_id WHERE m.user_id = ?1 AND (CAST(?2 AS BIGINT) IS NULL OR m.archived = ?2)`
	const counted = `SELECT count(*)` + which
	return pageOf(ctx, db, page, `SELECT (`+counted+`), `+listColumns+which+` ORDER BY l.inbox DESC, m.position, l.id LIMIT ?3 OFFSET ?4`+sorts, counted,
		[]any{userID, archived}, func(row Row, total *int64) (todo.List, error) { return scanList(row, total) })
}

// UpdateList changes what the change names.
func (db *DB) UpdateList(ctx context.Context, by app.Caller, ref todo.Ref, c todo.ListChange) (todo.List, error) {
	var list todo.List
	err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
		if list, err = tx.list(db.seed, by.UserID, ref); err != nil {
			return err
		}
		switch {
		case c.Shared(list) && list.Role != todo.RoleOwner:
			return todo.ErrNotListOwner
		case list.Inbox && c.Archived != nil && *c.Archived:
			return todo.ErrInboxFixed
		case !c.Match.Holds(list.Stamp()):
			return todo.ErrListChanged
		}
		if err := tx.changeList(act{by, c.Now}, list, c); err != nil {
			return err
		}
		list, err = tx.list(db.seed, by.UserID, todo.ByID(list.ID))
		return err
	}))
	return list, err
}

func (t *tx) changeList(a act, list todo.List, c todo.ListChange) error {
	undo := map[string]any{}
	if c.Name != nil && *c.Name != list.Name {
		undo["name"] = list.Name
	}
	if c.Color != nil && *c.Color != list.Color {
		undo["color"] = list.Color
	}
	if len(undo) > 0 {
		version, err := t.log(a, logged{scope: list.ID, kind: todo.KindList, op: todo.OpUpdated, entity: list.ID, uid: list.UID, undo: undo})
		if err != nil {
			return err
		}
		err = t.exec(`UPDATE lists SET name = coalesce(?2, name), color = CASE WHEN CAST(?3 AS TEXT) IS NULL THEN color ELSE nullif(?3, '') END, updated_at = ?4, version = ?5 WHERE id = ?1`,
			list.ID, c.Name, c.Color, millis(a.at), version)
		if err != nil {
			return err
		}
	}
	if c.Order != nil && *c.Order != list.Position {
		version, err := t.log(a, logged{scope: -a.by.UserID, kind: todo.KindMember, op: todo.OpUpdated, entity: list.ID, fields: todo.FieldPosition})
		if err != nil {
			return err
		}
		if err := t.exec(`UPDATE members SET position = ?3, version = ?4 WHERE user_id = ?1 AND list_id = ?2`, a.by.UserID, list.ID, *c.Order, version); err != nil {
			return err
		}
	}
	if c.Archived == nil || *c.Archived == list.Archived {
		return nil
	}
	version, err := t.log(a, logged{scope: -a.by.UserID, kind: todo.KindMember, op: todo.OpUpdated, entity: list.ID, undo: map[string]any{"archived": list.Archived}})
	if err != nil {
		return err
	}
	return t.exec(`UPDATE members SET archived = ?3, version = ?4 WHERE user_id = ?1 AND list_id = ?2`, a.by.UserID, list.ID, *c.Archived, version)
}

// MoveList puts a list elsewhere in the caller's order.
func (db *DB) MoveList(ctx context.Context, by app.Caller, ref todo.Ref, place todo.Place, match *todo.Match, at time.Time) (todo.List, error) {
	var list todo.List
	err := db.write(ctx, db.as(by, func(tx *tx) (err error) {
		if list, err = tx.list(db.seed, by.UserID, ref); err != nil {
			return err
		}
		if list.Inbox {
			return todo.ErrInboxFixed
		}
		if !match.Holds(list.Stamp()) {
			return todo.ErrListChanged
		}
		if err := tx.reorder(db.seed, act{by, at}, list.ID, place); err != nil {
			return err
		}
		list, err = tx.list(db.seed, by.UserID, todo.ByID(list.ID))
		return err
	}))
	return list, err
}

// reorder puts a list between two others in the caller's own order. Where there is no room
// between them, all are numbered anew: a copy is told of each one that has another position.
func (t *tx) reorder(seed todo.Seed, a act, id int64, place todo.Place) error {
	type spot struct{ id, position int64 }
	var all []spot
	err := t.each(`SELECT m.list_id, m.position FROM members m JOIN lists l ON l.id = m.list_id WHERE m.user_id = ? AND l.inbox = 0 ORDER BY m.position, m.list_id`+sorts,
		[]any{a.by.UserID}, func(row Row) error {
			var s spot
			err := row.Scan(&s.id, &s.position)
			if s.id != id {
				all = append(all, s)
			}
			return err
		})
	if err != nil {
		return err
	}
	beside, offset := place.Before, 0
	if !place.After.None() {
		beside, offset = place.After, 1
	}
	at := 0
	if !beside.None() {
		other, err := t.listID(seed, a.by.UserID, beside)
		if err != nil {
			return err
		}
		for at < len(all) && all[at].id != other {
			at++
		}
		if at == len(all) {
			return todo.ErrNotSibling
		}
		at += offset
	}
	put := func(id, position int64) error {
		version, err := t.log(a, logged{scope: -a.by.UserID, kind: todo.KindMember, op: todo.OpUpdated, entity: id, fields: todo.FieldPosition})
		if err != nil {
			return err
		}
		return t.exec(`UPDATE members SET position = ?3, version = ?4 WHERE user_id = ?1 AND list_id = ?2`, a.by.UserID, id, position, version)
	}
	switch {
	case len(all) == 0:
		return put(id, listStep)
	case at == 0:
		return put(id, all[0].position-listStep)
	case at == len(all):
		return put(id, all[at-1].position+listStep)
	case all[at].position-all[at-1].position > 1:
		return put(id, all[at-1].position+(all[at].position-all[at-1].position)/2)
	}
	for i, s := range slices.Insert(all, at, spot{id, math.MinInt64}) {
		if want := int64(i+1) * listStep; s.position != want {
			if err := put(s.id, want); err != nil {
				return err
			}
		}
	}
	return nil
}
