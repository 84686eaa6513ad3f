package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"taskapi/app/todo"
)

// oldChanges selects the oldest lines of the log that are old (?1, a time), at most ?2, but
// neither the newest of all nor those whose words are not collected yet.
const oldChanges = `SELECT seq FROM (SELECT seq, at FROM changes WHERE seq > coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = ?3), 0)
	AND seq < (SELECT max(seq) FROM changes) AND seq <= coalesce((SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'words_to'), 0)
	ORDER BY seq LIMIT ?2) AS oldest WHERE at <= ?1`

// pruneChanges removes old lines of the log, a chunk at a time, and returns how many. Of
// younger ones it removes the values from before, when those are old.
func (db *DB) pruneChanges(ctx context.Context, keep Keep) (removed int64, err error) {
	const chunk = 1000
	for _, one := range []struct {
		mark, query string
		before      time.Time
	}{
		{"undo_from", `UPDATE changes SET undo = NULL WHERE seq IN (` + oldChanges + `)`, db.now().Add(-todo.KeepUndo)},
		{"", `DELETE FROM changes WHERE seq IN (` + oldChanges + `)`, db.now().Add(-keep.Changes)},
	} {
		for n := int64(chunk); n == chunk; {
			reader, err := db.read(ctx)
			if err != nil {
				return removed, err
			}
			var last sql.NullInt64
			if err := reader.one(`SELECT (SELECT max(seq) FROM (`+oldChanges+`) AS old)`, []any{millis(one.before), chunk, one.mark}, &last); err != nil {
				return removed, translate(err)
			}
			if !last.Valid {
				break
			}
			err = db.write(ctx, func(tx *tx) (err error) {
				n, err = tx.change(one.query, millis(one.before), chunk, one.mark)
				mark := "log_from"
				if one.mark != "" {
					mark = one.mark
				}
				if err == nil && one.mark == "" {
					err = tx.exec(`DELETE FROM task_names WHERE gone <= ?`, last.Int64)
				}
				return errors.Join(err, tx.exec(`INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, mark, fmt.Sprint(last.Int64)))
			})
			if err != nil {
				return removed, err
			}
			if one.mark == "" {
				removed += n
			}
		}
	}
	return removed, nil
}

const (
	// maxUndoBytes is how much of the values from before is kept for what one account did; the
	// oldest go first.
	maxUndoBytes = 16 << 20
	// goneValues are lines (at most ?1) with values of what is nowhere any more: its last copy
	// must not be in the log. Those of a task that went straight past the trash are there to
	// undo that.
	goneValues = `SELECT seq FROM changes c WHERE undo IS NOT NULL AND undo <> '{}' AND (
		scope > 0 AND NOT EXISTS (SELECT 1 FROM lists WHERE id = c.scope) AND NOT EXISTS (SELECT 1 FROM trash WHERE id = -c.scope)
		OR kind = 1 AND NOT EXISTS (SELECT 1 FROM tasks WHERE id = c.entity) AND NOT EXISTS (SELECT 1 FROM trash WHERE id = c.entity) AND undo NOT LIKE '%"removed"%') LIMIT ?1`
)

// pruneUndo removes values from before that nobody may need any more: those of what is gone for
// good, and the oldest of an account that has too many.
func (db *DB) pruneUndo(ctx context.Context, most int64) error {
	const chunk = 1000
	if err := db.clearUndo(ctx, goneValues, chunk); err != nil {
		return err
	}
	reader, err := db.read(ctx)
	if err != nil {
		return err
	}
	var actors []int64
	err = reader.each(`SELECT actor FROM changes WHERE undo IS NOT NULL AND actor IS NOT NULL GROUP BY actor HAVING sum(length(undo)) > ?`+sorts, []any{most}, func(row Row) error {
		var actor int64
		err := row.Scan(&actor)
		actors = append(actors, actor)
		return err
	})
	for _, actor := range actors {
		var kept, last int64
		err = errors.Join(err, reader.each(`SELECT seq, length(undo) FROM changes WHERE undo IS NOT NULL AND actor = ? ORDER BY seq DESC`, []any{actor}, func(row Row) error {
			var seq, size int64
			err := row.Scan(&seq, &size)
			if kept += size; kept > most && last == 0 {
				last = seq
			}
			return err
		}))
		if err == nil {
			err = db.clearUndo(ctx, `SELECT seq FROM changes WHERE undo IS NOT NULL AND actor = ?2 AND seq <= ?3 ORDER BY seq LIMIT ?1`, chunk, actor, last)
		}
	}
	return translate(err)
}

// clearUndo removes the values from before of the lines that a query finds, a chunk in each turn.
// The writer gets their numbers, so that the search does not hold it up.
func (db *DB) clearUndo(ctx context.Context, query string, chunk int64, args ...any) error {
	for n := chunk; n == chunk; {
		reader, err := db.read(ctx)
		if err != nil {
			return err
		}
		var lines []int64
		err = reader.each(query, append([]any{chunk}, args...), func(row Row) error {
			var seq int64
			err := row.Scan(&seq)
			lines = append(lines, seq)
			return err
		})
		if n = int64(len(lines)); err != nil || n == 0 {
			return translate(err)
		}
		err = db.write(ctx, func(tx *tx) error {
			return tx.exec(`UPDATE changes SET undo = NULL WHERE seq IN (SELECT value FROM json_each(?))`, jsonOf(lines))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
