package store

import (
	"context"
	"database/sql"
	"errors"

	"taskapi/app/todo"
)

var _ todo.SyncStore = (*DB)(nil)

const (
	// myScopes are the parts of the log that concern a user (?1).
	myScopes = `SELECT list_id AS scope FROM members WHERE user_id = ?1 UNION ALL SELECT -?1`
	// newLines are the first lines (at most ?3) after a number (?2) in all scopes of a user. Each
	// scope gives no more than that many, by its index.
	newLines = `SELECT c.seq, c.grp, c.kind, c.op, c.entity, coalesce(c.uid, ''), c.scope FROM (` + myScopes + `) own
		JOIN changes c ON c.seq IN (SELECT seq FROM changes WHERE scope = own.scope AND seq > ?2 ORDER BY seq LIMIT ?3)
		ORDER BY c.seq LIMIT ?3` + sorts
	// walkedTasks are the tasks of a list (?1) in its order after a place (?3 done, ?4 rank, ?5 id),
	// at most ?6, for a reader (?2). Of what is done, that up to the rank ?7 counts, and of copies none
	// unless ?8 says so.
	walkedTasks = `SELECT done, rank, ` + taskColumns + ` FROM tasks WHERE list_id = ?1 AND (done, rank, id) > (?3, ?4, ?5)
		AND (done, rank) <= (1, ?7) AND (?8 OR recurrence_of IS NULL) ORDER BY done, rank, id LIMIT ?6`
	nearTasks = `SELECT ` + taskColumns + ` FROM tasks WHERE id IN (SELECT value FROM json_each(?1)) AND ` + visible
)

// syncQuiet is how many changes of others may go by before a cursor moves on though nothing
// concerned its reader: until then it stays the same, and so does its entity tag.
const syncQuiet = 1000

// walkStart is before all places in a list.
const walkStart = -1 << 62

// syncing is one page in the making.
type syncing struct {
	*tx
	seed  todo.Seed
	query todo.SyncQuery
	page  todo.SyncPage
	// left is how many lines may still be read.
	left                 int64
	tasks, lists         map[int64]bool
	goneTasks, goneLists map[int64]bool
	// near are the tasks that the lines of this page are about, as far as they are visible.
	near map[int64]todo.Task
	// ends says that the page ends with the line that was given last.
	ends bool
}

// Sync returns a page of what is new for a reader, of one moment.
func (db *DB) Sync(ctx context.Context, query todo.SyncQuery) (todo.SyncPage, error) {
	s := &syncing{seed: db.seed, query: query, left: query.Limit,
		tasks: map[int64]bool{}, lists: map[int64]bool{}, goneTasks: map[int64]bool{}, goneLists: map[int64]bool{}}
	err := db.snapshot(ctx, func(tx *tx) error {
		s.tx = tx
		return s.run()
	})
	return s.page, translate(err)
}

func (s *syncing) run() error {
	var newest, from int64
	err := s.one(`SELECT coalesce((SELECT max(seq) FROM changes), 1), coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'log_from'), 0)`, nil, &newest, &from)
	if err != nil {
		return err
	}
	if s.query.After == nil {
		s.page.Full = true
		s.page.After = todo.SyncCursor{Seq: newest, Walk: todo.WalkAll, Rank: walkStart, ID: walkStart}
		if err := s.begin(); err != nil {
			return err
		}
	} else {
		s.page.After = *s.query.After
		if s.page.Full = s.page.After.Walk == todo.WalkAll; s.page.After.Seq > newest || s.page.After.Seq < from {
			return todo.ErrSyncExpired
		}
	}
	for s.left > 0 && s.page.After.Walk != todo.WalkNone {
		if err := s.walk(); err != nil {
			return err
		}
	}
	if s.page.Full {
		// What has changed since the walk began comes with the next page.
		s.page.More = s.page.After.Walk != todo.WalkNone || s.page.After.Seq < newest
		return nil
	}
	return s.news(newest)
}

// begin gives all lists, and the user.
func (s *syncing) begin() error {
	var ids []int64
	err := s.each(`SELECT list_id FROM members WHERE user_id = ? ORDER BY list_id`, []any{s.query.UserID}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.giveList(id, ""); err != nil {
			return err
		}
	}
	return s.giveUser()
}

// walk gives the next tasks of a list that is given as a whole, and goes on to the next list, or to
// what is new, behind its last.
func (s *syncing) walk() error {
	at := &s.page.After
	var mine bool
	if err := s.one(`SELECT EXISTS (SELECT 1 FROM members WHERE user_id = ? AND list_id = ?)`, []any{s.query.UserID, at.List}, &mine); err != nil {
		return err
	}
	n := int64(0)
	if mine {
		var err error
		if n, err = s.walkList(at); err != nil {
			return err
		}
	}
	if full := mine && n == s.left; full {
		s.left = 0
		return nil
	}
	s.left -= n
	next := int64(0)
	if at.Walk == todo.WalkAll {
		if err := s.one(`SELECT coalesce((SELECT min(list_id) FROM members WHERE user_id = ? AND list_id > ?), 0)`, []any{s.query.UserID, at.List}, &next); err != nil {
			return err
		}
	}
	if next == 0 {
		*at = todo.SyncCursor{Seq: at.Seq}
		return nil
	}
	at.List, at.Done, at.Rank, at.ID = next, false, walkStart, walkStart
	return nil
}

func (s *syncing) walkList(at *todo.SyncCursor) (n int64, err error) {
	last := int64(-walkStart)
	if !s.query.CompletedSince.IsZero() {
		last = -millis(s.query.CompletedSince)
	}
	args := []any{at.List, s.query.UserID, at.Done, at.Rank, at.ID, s.left, last, s.query.Copies}
	err = s.each(walkedTasks, args, func(row Row) error {
		var r taskRow
		if err := row.Scan(append([]any{&at.Done, &at.Rank}, r.fields()...)...); err != nil {
			return err
		}
		task, err := r.read()
		at.ID = task.ID
		n++
		if !s.tasks[task.ID] {
			s.tasks[task.ID] = true
			s.page.Tasks = append(s.page.Tasks, task)
		}
		return err
	})
	return n, err
}

// giveList gives a list once in a page, or says that it is gone.
func (s *syncing) giveList(id int64, uid string) error {
	if s.lists[id] || s.goneLists[id] {
		return nil
	}
	list, err := s.list(s.seed, s.query.UserID, todo.ByID(id))
	if errors.Is(err, todo.ErrListNotFound) {
		s.goneLists[id] = true
		s.page.Deleted = append(s.page.Deleted, todo.Gone{Kind: todo.KindList, ID: id, UID: uid})
		return nil
	}
	if err != nil {
		return err
	}
	given := todo.SyncList{List: list}
	err = s.each(`SELECT u.id, u.username, '', m.role, m.joined_at FROM members m JOIN users u ON u.id = m.user_id
		WHERE m.list_id = ? ORDER BY m.role DESC, m.joined_at, u.id`+sorts, []any{id}, func(row Row) error {
		m, err := scanMember(row)
		given.With = append(given.With, m)
		return err
	})
	s.lists[id] = true
	s.page.Lists = append(s.page.Lists, given)
	return err
}

func (s *syncing) giveUser() error {
	if s.page.User != nil {
		return nil
	}
	user := todo.SyncUser{ID: s.query.UserID}
	err := s.one(`SELECT username, time_zone FROM users WHERE id = ?`, []any{user.ID}, &user.Username, &user.TimeZone)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	s.page.User = &user
	return err
}

// noteUser tells a user's own copies that their name or zone is another one, and those of everybody
// they share a list with of a name.
func (t *tx) noteUser(a act, id int64, renamed bool) error {
	_, err := t.log(a, logged{scope: -id, kind: todo.KindUser, op: todo.OpUpdated, entity: id})
	if err != nil || !renamed {
		return err
	}
	var lists []int64
	err = t.each(`SELECT list_id FROM members own WHERE user_id = ?1 AND EXISTS (SELECT 1 FROM members WHERE list_id = own.list_id AND user_id <> ?1)`, []any{id}, func(row Row) error {
		var list int64
		err := row.Scan(&list)
		lists = append(lists, list)
		return err
	})
	for _, list := range lists {
		if err == nil {
			_, err = t.log(a, logged{scope: list, kind: todo.KindMember, op: todo.OpUpdated, entity: id})
		}
	}
	return err
}

// MembersOf returns the ids of those who are in a list, in no order.
func (db *DB) MembersOf(ctx context.Context, list int64) (users []int64, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	err = reader.each(`SELECT user_id FROM members WHERE list_id = ?`, []any{list}, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		users = append(users, id)
		return err
	})
	return users, translate(err)
}

// NewestChange returns the number of the newest line of the log, 1 in an empty one.
func (db *DB) NewestChange(ctx context.Context) (seq int64, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return 0, err
	}
	err = reader.one(`SELECT coalesce(max(seq), 1) FROM changes`, nil, &seq)
	return seq, translate(err)
}
