package store

import (
	"context"
	"database/sql"
	"strings"

	"taskapi/app/outbox"
	"taskapi/app/todo"
)

var _ outbox.WebhookLog = (*DB)(nil)

// WebhookUsers returns who has active webhooks.
func (db *DB) WebhookUsers(ctx context.Context) (users []int64, err error) {
	tx, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	err = tx.each(`SELECT user_id FROM webhooks WHERE user_id > 0 AND state = 'active' GROUP BY user_id`, nil, func(row Row) error {
		var id int64
		err := row.Scan(&id)
		users = append(users, id)
		return err
	})
	return users, translate(err)
}

// ActiveWebhooks returns the active webhooks of a user; none of one who was deleted.
func (db *DB) ActiveWebhooks(ctx context.Context, userID int64) (all []outbox.Webhook, err error) {
	tx, err := db.read(ctx)
	if err != nil {
		return nil, err
	}
	err = tx.each(`SELECT `+webhookColumns+` FROM webhooks WHERE user_id = ?1 AND state = 'active'
		AND EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NULL)`, []any{userID}, func(row Row) error {
		w, err := scanWebhook(row)
		all = append(all, w)
		return err
	})
	return all, translate(err)
}

const (
	// happenedColumns are those of a line of the log (c) for a reader (?1), as scanHappened reads
	// them: with the list of a task that is due; the names of what changed in a list; whether
	// what was made is a copy of an occurrence that was completed; whether a list came to the
	// reader from the trash; and whether a task that left a list came into one that the reader
	// sees.
	happenedColumns = `c.seq, c.kind, c.op, c.entity, c.fields, coalesce(c.uid, ''), c.scope, coalesce(c.actor, 0), c.at,
		CASE WHEN c.kind IN (1, 4) AND c.scope < 0 THEN coalesce((SELECT list_id FROM tasks WHERE id = c.entity), 0) ELSE 0 END,
		CASE WHEN c.kind = 2 AND c.undo IS NOT NULL THEN (SELECT group_concat(key) FROM json_each(c.undo)) END,
		CASE WHEN c.kind = 1 AND c.op = 1 THEN EXISTS (SELECT 1 FROM tasks WHERE id = c.entity AND recurrence_of IS NOT NULL) ELSE false END,
		CASE WHEN c.kind = 3 AND c.op = 9 AND c.scope < 0 THEN EXISTS (SELECT 1 FROM changes r
			WHERE r.seq BETWEEN c.grp AND c.seq AND r.kind = 2 AND r.op = 8 AND r.entity = c.entity) ELSE false END,
		CASE WHEN c.kind = 1 AND c.op = 6 THEN EXISTS (SELECT 1 FROM changes n JOIN members m ON m.user_id = ?1 AND m.list_id = n.scope
			WHERE n.seq = c.seq + 1 AND n.kind = 1 AND n.entity = c.entity) ELSE false END,
		c.scope > 0 AND EXISTS (SELECT 1 FROM trash WHERE id = -c.scope AND user_id = ?1)`
	// happened are the first lines (at most ?3) after a number (?2) up to another one (?4) in all
	// scopes of a user, in those of a list only from when the user came into it, other than with the
	// list itself from the trash; and in a list of the user's own that is in the trash, up to its
	// deletion.
	happened = `SELECT ` + happenedColumns + ` FROM (
			SELECT list_id AS scope, coalesce((SELECT max(j.seq) FROM changes j WHERE j.scope = -?1 AND j.seq > ?2 AND j.kind = 3 AND j.op = 9 AND j.entity = list_id
				AND NOT EXISTS (SELECT 1 FROM changes r WHERE r.seq BETWEEN j.grp AND j.seq AND r.kind = 2 AND r.op = 8 AND r.entity = list_id)), ?2) AS since, ?4 AS upto
			FROM members WHERE user_id = ?1 UNION ALL SELECT -?1, ?2, ?4 UNION ALL SELECT -id, ?2, CASE WHEN grp - 1 < ?4 THEN grp - 1 ELSE ?4 END FROM trash WHERE user_id = ?1 AND id < 0) own
		JOIN changes c ON c.seq IN (SELECT seq FROM changes WHERE scope = own.scope AND seq > own.since AND seq <= own.upto ORDER BY seq LIMIT ?3)
		ORDER BY c.seq LIMIT ?3` + sorts
	happenedOnce = `SELECT ` + happenedColumns + ` FROM changes c WHERE c.seq = ?2
		AND (c.scope = -?1 OR EXISTS (SELECT 1 FROM members WHERE user_id = ?1 AND list_id = c.scope) OR c.scope > 0 AND EXISTS (SELECT 1 FROM trash WHERE id = -c.scope AND user_id = ?1))`
)

// WebhookEvents returns what happened, that a user may see, after a change.
func (db *DB) WebhookEvents(ctx context.Context, userID, after int64, limit int) (page outbox.WebhookPage, err error) {
	tx, err := db.read(ctx)
	if err != nil {
		return page, err
	}
	var from int64
	err = tx.one(`SELECT coalesce((SELECT max(seq) FROM changes), 1), coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'log_from'), 0)`, nil, &page.Newest, &from)
	if err != nil {
		return page, translate(err)
	}
	page.UpTo, page.Pruned = page.Newest, after < from
	if after >= page.Newest {
		page.UpTo = after
		return page, nil
	}
	lines, last := 0, int64(0)
	err = tx.each(happened, []any{userID, after, limit, page.Newest}, func(row Row) error {
		e, told, err := scanHappened(row, userID)
		if lines, last = lines+1, e.Seq; told {
			page.Events = append(page.Events, e)
		}
		return err
	})
	if page.More = lines == limit; page.More {
		page.UpTo = last
	}
	return page, translate(err)
}

// scanHappened reads a line of the log as an event for a reader; false for one that is none.
func scanHappened(row Row, reader int64) (e outbox.WebhookEvent, told bool, err error) {
	var kind todo.Kind
	var op todo.Op
	var entity, scope, at, list int64
	var fields todo.FieldSet
	var names sql.NullString
	var copied, restored bool
	err = row.Scan(&e.Seq, &kind, &op, &entity, &fields, &e.UID, &scope, &e.ActorID, &at, &list, &names, &copied, &restored, &e.Told, &e.Trashed)
	if err != nil {
		return e, false, err
	}
	e.At = fromMillis(at)
	switch kind {
	case todo.KindTask:
		e.Kind, e.TaskID, e.ListID, e.Changed = taskEvent(op), entity, max(scope, list), fields.Names()
		if op == todo.OpUpdated && fields == 0 {
			e.Kind = 0 // it has another owner, with its list
		}
		if copied {
			e.Kind, e.Changed = outbox.EventTaskCompleted, todo.FieldCompleted.Names()
		}
	case todo.KindReminder:
		if op == todo.OpDue {
			e.Kind, e.TaskID, e.ListID = outbox.EventReminderDue, entity, list
		}
	case todo.KindList:
		e.Kind, e.ListID = listEvent(op), entity
		if names.Valid {
			e.Changed = strings.Split(names.String, ",")
		}
	case todo.KindMember:
		// What one did oneself is a line of one's own.
		if scope > 0 && entity == reader && op != todo.OpUpdated {
			return e, false, nil
		}
		e.Kind, e.ListID, e.MemberID = memberEvent(op, scope), scope, entity
		if scope < 0 {
			e.ListID, e.MemberID = entity, reader
		}
		switch {
		case op == todo.OpUpdated:
			e.Changed = []string{"members"}
		case restored:
			e.Kind, e.MemberID = outbox.EventListCreated, 0
		}
	}
	return e, e.Kind != 0, nil
}

func taskEvent(op todo.Op) outbox.EventSet {
	switch op {
	case todo.OpCreated:
		return outbox.EventTaskCreated
	case todo.OpUpdated:
		return outbox.EventTaskUpdated
	case todo.OpCompleted:
		return outbox.EventTaskCompleted
	case todo.OpReopened:
		return outbox.EventTaskReopened
	case todo.OpIn, todo.OpOut:
		return outbox.EventTaskMoved
	case todo.OpDeleted:
		return outbox.EventTaskDeleted
	case todo.OpRestored:
		return outbox.EventTaskRestored
	case todo.OpDue:
		return outbox.EventReminderDue
	}
	return 0
}

func listEvent(op todo.Op) outbox.EventSet {
	switch op {
	case todo.OpCreated: // one that is restored comes back to each member
		return outbox.EventListCreated
	case todo.OpUpdated, todo.OpHandedOver:
		return outbox.EventListUpdated
	case todo.OpDeleted:
		return outbox.EventListDeleted
	}
	return 0
}

// memberEvent leaves out a member's own order and archive.
func memberEvent(op todo.Op, scope int64) outbox.EventSet {
	switch {
	case op == todo.OpJoined:
		return outbox.EventListShared
	case op == todo.OpLeft:
		return outbox.EventListLeft
	case op == todo.OpUpdated && scope > 0:
		return outbox.EventListUpdated
	}
	return 0
}

// Happened returns an event of a webhook, or outbox.ErrDeliveryNotFound.
func (db *DB) Happened(ctx context.Context, w outbox.Webhook, seq int64) (e outbox.WebhookEvent, err error) {
	tx, err := db.read(ctx)
	if err != nil {
		return e, err
	}
	told := false
	err = tx.each(happenedOnce, []any{w.UserID, seq}, func(row Row) (err error) {
		e, told, err = scanHappened(row, w.UserID)
		return err
	})
	if err == nil && (!told || w.ListID != 0 && w.ListID != e.ListID) {
		err = outbox.ErrDeliveryNotFound
	}
	return e, translate(err)
}
