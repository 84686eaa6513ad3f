package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"

	"taskapi/app/replica"
)

// turnOver moves a long log into the database and begins it anew, in the writer's turn: what is
// left to read is read then, so that nothing is lost, whoever else writes. If others read
// the log, it is tried again later.
func (r *Replication) turnOver(ctx context.Context) error {
	r.mu.Lock()
	long := r.view.held && r.end >= r.o.full
	r.mu.Unlock()
	if !long {
		return nil
	}
	return r.db.InTurn(ctx, func() error { return r.beginAnew(ctx) })
}

// beginAnew is turnOver in the turn.
func (r *Replication) beginAnew(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	frames, _, err := r.view.checkpoint(ctx, "NOOP")
	if err != nil || !r.view.held || r.head.offset(frames)-r.pos > nearEnd {
		return err // the next segment first
	}
	if err := r.readTo(frames); err != nil {
		return err
	}
	if err := r.view.release(); err != nil {
		return err
	}
	seen, moved, err := r.view.checkpoint(ctx, "PASSIVE")
	if err != nil {
		return r.again(ctx, err)
	}
	// Another process may have written since. Its frames are still there: only a change that
	// finds all of the log moved begins it anew, and then this finds other salts.
	if err := r.readTo(seen); err != nil {
		return err
	}
	if moved != seen {
		return r.again(ctx, nil) // others read the log
	}
	if err := r.touch(); err != nil {
		return r.again(ctx, err)
	}
	before := r.head
	if err := r.take(ctx); err != nil {
		return errors.Join(err, errBroken)
	}
	switch {
	case r.head.salt == before.salt:
		return nil // others read it
	case r.head.begun != before.begun+1:
		return errBroken
	}
	r.log = replica.Log{Generation: r.log.Generation, Index: r.log.Index + 1, Salt: r.head.salt, Previous: r.pos}
	r.pos, r.end, r.sum, r.marks = 0, 0, logSum{}, nil
	return nil
}

// readTo reads what is left of so many frames.
func (r *Replication) readTo(frames int64) error {
	end := r.head.offset(frames)
	if end <= r.pos {
		return nil
	}
	r.end, r.marks = end, append(r.marks, mark{end, r.moment()})
	if r.since.IsZero() {
		r.since = r.db.now()
	}
	for r.pos < end {
		if err := r.collect(mostObject); err != nil {
			return errors.Join(err, errBroken)
		}
	}
	return nil
}

// again holds the log that has not begun anew.
func (r *Replication) again(ctx context.Context, err error) error {
	salt := r.head.salt
	if takeErr := r.take(ctx); takeErr != nil || r.head.salt != salt {
		return errors.Join(err, takeErr, errBroken)
	}
	return err
}

// touch writes a page with what is in it, so that the log has a frame that is not in the
// database. The caller has the writer's turn.
func (r *Replication) touch() error {
	e := r.db.engine
	if err := e.Begin(); err != nil {
		return err
	}
	var version int
	err := e.conn.QueryRowContext(context.Background(), "PRAGMA user_version").Scan(&version)
	if err == nil {
		_, err = e.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA user_version = %d", version))
	}
	if err != nil {
		e.Rollback()
		return translate(err)
	}
	return e.Commit("")
}

// autocheckpoint says after how many pages of the log the writer moves it into the database itself;
// 0 for never. The caller has the writer's turn.
func (r *Replication) autocheckpoint(pages int) error {
	_, err := r.db.engine.conn.ExecContext(context.Background(), fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", pages))
	return err
}

// seize holds the log for a new generation, unless it is held already.
func (r *Replication) seize(ctx context.Context) error {
	return r.db.InTurn(ctx, func() (err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.view.held {
			// What is in the log is in the snapshot: it begins anew, unless somebody reads it.
			if _, _, err = r.view.checkpoint(ctx, "PASSIVE"); err == nil {
				err = r.autocheckpoint(0)
			}
			if err == nil {
				err = r.touch()
			}
			if err == nil {
				err = r.take(ctx)
			}
		}
		if err != nil {
			return errors.Join(err, r.autocheckpoint(1000))
		}
		// All of the log is read anew.
		r.marks, r.end = nil, 0
		return nil
	})
}

// finish sends the rest, moves the log into the database and notes where that stopped, if
// certainly nothing was written after it.
func (r *Replication) finish(ctx context.Context) error {
	r.mu.Lock()
	alive := r.view.held && r.log.Generation != ""
	r.mu.Unlock()
	if !alive {
		return nil
	}
	if err := r.ship(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	frames := int64(0)
	if r.pos > 0 {
		frames = (r.pos - logHeaderBytes) / r.head.frame()
	}
	if err := r.view.release(); err != nil {
		return err
	}
	seen, moved, err := r.view.checkpoint(ctx, "PASSIVE")
	if err != nil || seen != frames || moved != frames {
		return err // the next start begins a generation, or finds the log
	}
	info, err := os.Stat(r.db.path)
	if err != nil {
		return err
	}
	if again, moved, err := r.view.checkpoint(ctx, "PASSIVE"); err != nil || again != seen || moved != seen {
		return err
	}
	return writeReplicaEnd(r.db.path, replicaEnd{
		Generation: r.log.Generation, Index: r.log.Index, End: r.pos, Sum: r.sum.number(), Bytes: info.Size(), Modified: info.ModTime(),
	})
}
