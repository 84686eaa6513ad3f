package store

import (
	"context"
	"errors"
	"time"

	"taskapi/app/account"
)

// keepSent is how long a mail that was sent stays visible in the outbox.
const keepSent = 30 * 24 * time.Hour

// expired lists the rows to remove: those for which a condition on ?1, a time,
// holds.
func expired(now time.Time, keep Keep) []struct {
	table, key, what string
	before           time.Time
} {
	return []struct {
		table, key, what string
		before           time.Time
	}{
		{"sessions", "id", `expires_at <= ?1`, now},
		{"links", "hash", `expires_at <= ?1`, now},
		{"invitations", "id", `expires_at <= ?1`, now},
		{"trash", "id", `at <= ?1`, now.Add(-keep.Trash)},
		{"api_tokens", "id", `expires_at <= ?1`, now},
		{"mails", "id", `status = 'sent' AND sent_at <= ?1`, now.Add(-keepSent)},
		{"events", "id", `at <= ?1`, now.Add(-keep.Events)},
	}
}

// Keep says for how long things are kept.
type Keep struct {
	// Events is the age at which lines of the audit record go.
	Events time.Duration
	// Trash is the age at which deleted tasks and lists go for good, Changes that of lines
	// in the log of changes.
	Trash, Changes time.Duration
	// Session is the longest that a session lasts; 0 is not looked at.
	Session time.Duration
	// ClockFree says that the system knows of nothing that keeps its clock right.
	ClockFree bool
}

// Housekeep removes expired sessions, links and API tokens, mails that were sent
// long ago, and old lines of the audit record, a chunk at a time. It returns the
// number of rows removed. It writes nothing if there is nothing to remove, and
// removes nothing while the clock is doubtful. Sessions and links that a wrong clock
// made to last for years are shortened to what they may last from now.
func (db *DB) Housekeep(ctx context.Context, keep Keep) (int64, error) {
	var removed int64
	if doubtful, err := db.doubtfulClock(ctx); err != nil || doubtful {
		return 0, err
	}
	if behind, err := db.behind(ctx, keep.ClockFree); err != nil {
		return 0, err
	} else if !behind {
		if err := db.shorten(ctx, keep); err != nil {
			return 0, err
		}
	}
	for _, e := range expired(db.now(), keep) {
		reader, err := db.read(ctx)
		if err != nil {
			return removed, err
		}
		var some bool
		if err := reader.one(`SELECT EXISTS (SELECT 1 FROM `+e.table+` WHERE `+e.what+`)`, []any{millis(e.before)}, &some); err != nil {
			return removed, translate(err)
		}
		if !some {
			continue
		}
		n, err := db.inChunks(ctx, `DELETE FROM `+e.table+` WHERE `+e.key+` IN (SELECT `+e.key+` FROM `+e.table+` WHERE `+e.what+` LIMIT ?2)`, millis(e.before))
		removed += n
		if err != nil {
			return removed, err
		}
	}
	n, err := db.pruneChanges(ctx, keep)
	told, tellErr := db.pruneDeliveries(ctx)
	return removed + n + told, errors.Join(err, tellErr, db.pruneUndo(ctx, maxUndoBytes), db.pruneAnswers(ctx))
}

// shorten lets nothing last longer from now on than it may from its beginning.
func (db *DB) shorten(ctx context.Context, keep Keep) error {
	now := db.now()
	for _, one := range []struct {
		table, key, which string
		longest           time.Duration
	}{
		{"sessions", "id", "true", keep.Session},
		{"links", "hash", "purpose = 'reset'", account.ResetTTL},
		{"links", "hash", "purpose <> 'reset'", account.VerifyTTL},
	} {
		if one.longest == 0 {
			continue
		}
		latest := millis(now.Add(one.longest))
		reader, err := db.read(ctx)
		if err != nil {
			return err
		}
		var some bool
		err = reader.one(`SELECT EXISTS (SELECT 1 FROM `+one.table+` WHERE expires_at > ? AND `+one.which+`)`, []any{latest}, &some)
		if err == nil && some {
			_, err = db.inChunks(ctx, `UPDATE `+one.table+` SET expires_at = ?1 WHERE `+one.key+` IN
				(SELECT `+one.key+` FROM `+one.table+` WHERE expires_at > ?1 AND `+one.which+` LIMIT ?2)`, latest)
		}
		if err != nil {
			return translate(err)
		}
	}
	return nil
}
