package store

import (
	"context"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/todo"
)

var _ todo.FeedStore = (*DB)(nil)

const (
	feedColumns = `id, user_id, coalesce(list_id, 0), form, created_at`
	// openFeed finds a feed by its hash, with the name of its list and the number of the newest
	// change in its scopes; nothing of a user who is gone or in the list no more. What the log
	// has of a quiet scope may be pruned, but not what it was pruned up to.
	openFeed = `SELECT coalesce((SELECT name FROM lists WHERE id = f.list_id), ''),
			(SELECT coalesce(max(seq), 0) FROM (SELECT (SELECT max(seq) FROM changes WHERE scope = -f.user_id) AS seq UNION ALL SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'log_from' UNION ALL
				SELECT (SELECT max(seq) FROM changes WHERE scope = m.list_id) FROM members m WHERE m.user_id = f.user_id AND (f.list_id IS NULL OR m.list_id = f.list_id)) AS scopes),
			f.id, f.user_id, coalesce(f.list_id, 0), f.form, f.created_at
		FROM feeds f JOIN users u ON u.id = f.user_id AND u.deleted_at IS NULL
		WHERE f.hash = ?1 AND (f.list_id IS NULL OR EXISTS (SELECT 1 FROM members WHERE user_id = f.user_id AND list_id = f.list_id))`
	// feedLists are the lists of a feed, in the order of its user.
	feedLists = `SELECT m.list_id FROM members m JOIN lists l ON l.id = m.list_id
		WHERE m.user_id = ?1 AND (m.list_id = ?2 OR ?2 = 0 AND m.archived = 0) ORDER BY l.inbox DESC, m.position, l.id` + sorts
)

// What a feed has of a list (?1), as much as there is room for (?2): open tasks that are due, the
// other open ones, and those that were done since a time (-?4); without a date only if the
// feed wants them (?3).
const (
	feedDue   = `SELECT id FROM tasks WHERE list_id = ?1 AND due_wall IS NOT NULL AND completed_at IS NULL ORDER BY due_wall LIMIT ?2`
	feedOther = `SELECT id FROM tasks WHERE list_id = ?1 AND done = 0 AND due IS NULL AND (?3 OR start IS NOT NULL) ORDER BY rank LIMIT ?2`
	feedDone  = `SELECT id FROM tasks WHERE list_id = ?1 AND done = 1 AND rank <= ?4 AND recurrence_of IS NULL AND (?3 OR start IS NOT NULL OR due IS NOT NULL) ORDER BY rank LIMIT ?2`
)

func scanFeed(row Row, before ...any) (f todo.Feed, err error) {
	var created int64
	err = row.Scan(append(before, &f.ID, &f.UserID, &f.ListID, &f.Form, &created)...)
	f.CreatedAt = fromMillis(created)
	return f, err
}

// CreateFeed adds a feed. It ends with the theft of the session that made it, also by way of an API
// token.
func (db *DB) CreateFeed(ctx context.Context, by app.Caller, n todo.NewFeed) (made todo.Feed, err error) {
	err = db.write(ctx, db.as(by, func(tx *tx) error {
		made = todo.Feed{}
		if err := tx.memberOf(by.UserID, n.ListID); err != nil {
			return err
		}
		err := tx.each(`INSERT INTO feeds (user_id, list_id, hash, form, created_at, session_id)
			SELECT ?1, ?2, ?3, ?4, ?5, coalesce(nullif(?6, ''), (SELECT session_id FROM api_tokens WHERE id = ?7), '')
			WHERE (SELECT count(*) FROM feeds WHERE user_id = ?1) < ?8 RETURNING `+feedColumns,
			[]any{by.UserID, nullID(n.ListID), n.Hash, string(n.Form), millis(n.CreatedAt), by.SessionID, by.TokenID, todo.MaxFeeds}, func(row Row) (err error) {
				made, err = scanFeed(row)
				return err
			})
		if err == nil && made.ID == 0 {
			err = todo.ErrTooManyFeeds
		}
		return errors.Join(err, tx.recordFeed(by, account.EventFeedCreated, made, n.CreatedAt))
	}))
	return made, err
}

// recordFeed adds a line to the audit record.
func (t *tx) recordFeed(by app.Caller, name account.EventName, f todo.Feed, at time.Time) error {
	return t.record(by.UserID, account.RecordOf(account.EventOf(by, name, by.UserID, at, string(f.Form))))
}

// Feeds returns a page of a user's feeds, by id.
func (db *DB) Feeds(ctx context.Context, userID int64, page app.PageRequest) (app.Page[todo.Feed], error) {
	return pageOf(ctx, db, page,
		`SELECT (SELECT count(*) FROM feeds WHERE user_id = ?1), `+feedColumns+` FROM feeds WHERE user_id = ?1 ORDER BY id LIMIT ?2 OFFSET ?3`,
		`SELECT count(*) FROM feeds WHERE user_id = ?1`, []any{userID},
		func(row Row, total *int64) (todo.Feed, error) { return scanFeed(row, total) })
}

// RevokeFeed ends a feed of the caller's, or returns todo.ErrFeedNotFound.
func (db *DB) RevokeFeed(ctx context.Context, by app.Caller, id int64) error {
	return db.write(ctx, db.as(by, func(tx *tx) error {
		var gone todo.Feed
		err := tx.each(`DELETE FROM feeds WHERE id = ? AND user_id = ? RETURNING `+feedColumns, []any{id, by.UserID}, func(row Row) (err error) {
			gone, err = scanFeed(row)
			return err
		})
		if err == nil && gone.ID == 0 {
			err = todo.ErrFeedNotFound
		}
		return errors.Join(err, tx.recordFeed(by, account.EventFeedRevoked, gone, db.now()))
	}))
}

// OpenFeed returns the feed with a hash, or todo.ErrFeedNotFound.
func (db *DB) OpenFeed(ctx context.Context, hash string) (s todo.FeedState, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return s, err
	}
	err = reader.each(openFeed, []any{hash}, func(row Row) (err error) {
		s.Feed, err = scanFeed(row, &s.Title, &s.Seq)
		return err
	})
	if err == nil && s.ID == 0 {
		err = todo.ErrFeedNotFound
	}
	return s, translate(err)
}

// feedPart are some tasks of a list.
type feedPart struct {
	list int64
	ids  []int64
}

// FeedTasks gives the tasks of a feed.
func (db *DB) FeedTasks(ctx context.Context, f todo.Feed, since time.Time, each func(todo.FeedTask) bool) error {
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	parts, err := reader.feedParts(f, since)
	if err != nil {
		return translate(err)
	}
	for _, part := range parts {
		for len(part.ids) > 0 {
			n := min(textChunk, len(part.ids))
			more, err := db.feedChunk(ctx, f, part.list, part.ids[:n], each)
			if err != nil || !more {
				return err
			}
			part.ids = part.ids[n:]
		}
	}
	return nil
}

// feedParts returns which tasks are in a feed, as many as it may have.
func (t *tx) feedParts(f todo.Feed, since time.Time) (parts []feedPart, err error) {
	lists, err := t.ids(feedLists, f.UserID, f.ListID)
	if err == nil && len(lists) == 0 && f.ListID != 0 {
		err = todo.ErrFeedNotFound
	}
	if err != nil {
		return nil, err
	}
	room, undated := todo.MaxFeedComponents, f.Form != todo.FeedEvent
	for _, turn := range []struct {
		query string
		more  []any
	}{{feedDue, nil}, {feedOther, []any{undated}}, {feedDone, []any{undated, -millis(since)}}} {
		for _, list := range lists {
			if room == 0 {
				return parts, nil
			}
			ids, err := t.ids(turn.query, append([]any{list, room}, turn.more...)...)
			if err != nil {
				return nil, err
			}
			room -= len(ids)
			parts = append(parts, feedPart{list, ids})
		}
	}
	return parts, nil
}

// feedChunk reads some tasks of a list, and gives them one after another. What is gone meanwhile, or
// in a list that the user has left, is left out.
func (db *DB) feedChunk(ctx context.Context, f todo.Feed, list int64, ids []int64, each func(todo.FeedTask) bool) (more bool, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return false, err
	}
	if err := reader.memberOf(f.UserID, list); err != nil {
		if errors.Is(err, todo.ErrListNotFound) {
			return true, nil
		}
		return false, translate(err)
	}
	tasks, err := reader.calendarTasks(db.seed, f.UserID, list, ids, false)
	if err != nil {
		return false, translate(err)
	}
	byID := map[int64]todo.CalendarTask{}
	for _, task := range tasks {
		byID[task.Task.ID] = task
	}
	for _, id := range ids { // in their order
		task, found := byID[id]
		if !found {
			continue
		}
		one := todo.FeedTask{CalendarTask: task}
		if task.Task.Repetition.Rule != "" || task.Task.Completed() {
			kept, err := reader.keptText(task.Task.ID)
			if err != nil {
				return false, translate(err)
			}
			one.Exceptions = todo.Exceptions(kept, task.Task.Dates.Due)
			one.Cancelled = task.Task.Completed() && todo.Cancelled(kept)
		}
		if !each(one) {
			return false, nil
		}
	}
	return true, nil
}
