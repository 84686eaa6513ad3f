package sqlite

import (
	"context"
	"errors"
	"time"

	"taskapi/app/replica"
)

const (
	// mostSegment is the most that one segment holds of the log, mostObject when an object is full.
	mostSegment = 4 << 20
	mostObject  = 4 << 20
	// bundled is how many objects are put together into one.
	bundled = 32
	// smallObject is the largest that is put together with others.
	smallObject = 256 << 10
	// nearEnd is how much of the log may be left to read when it is to begin anew: that is read in
	// the writer's turn.
	nearEnd = 1 << 20
)

// errBehind: too much waits for the place.
var errBehind = errors.New("too much of the log waits for the place: the log is let go, and a new snapshot will be made")

// errEmptied: the place has lost what was sent, so that nothing could be restored from it.
var errEmptied = errors.New("the place has lost the copy that the log belongs to: a new snapshot will be made")

// object is something that is on its way to the place.
type object struct {
	name  string
	data  []byte
	log   replica.Log
	start int64
	last  replica.Segment // without its bytes
	bytes int64           // of the log
}

// guard looks at the log while the place may not answer, and lets it go when too much waits.
func (r *Replication) guard(ctx context.Context) {
	ticker := time.NewTicker(r.o.look / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if behind, err := r.observe(ctx); err == nil && behind > r.o.most {
			r.letGo(errBehind)
		}
	}
}

// observe notes how long the log is, and returns how much of it waits.
func (r *Replication) observe(ctx context.Context) (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.view.held {
		return 0, nil
	}
	frames, _, err := r.view.checkpoint(ctx, "NOOP")
	if err != nil {
		return 0, err
	}
	end, now := r.head.offset(frames), r.moment()
	if end > r.end {
		if r.since.IsZero() {
			r.since = now
		}
		if n := len(r.marks); n == 0 || now.Sub(r.marks[n-1].at) >= momentEvery {
			r.marks = append(r.marks, mark{end, now})
		} else {
			r.marks[n-1].end = end // and a little earlier than it was
			r.marks[n-1].at = now
		}
		r.end = end
	}
	return r.waitingBytes + end - r.pos, nil
}

// moment is now as names can say it, and not before it.
func (r *Replication) moment() time.Time {
	return r.db.now().UTC().Truncate(time.Millisecond).Add(time.Millisecond)
}

// letGo ends the generation and gives the log back to SQLite, which begins it anew with the next
// change.
func (r *Replication) letGo(cause error) {
	r.mu.Lock()
	if !r.view.held {
		r.mu.Unlock()
		return
	}
	err := r.view.release()
	if r.lost != nil {
		r.lost(cause)
	}
	r.o.Log.Warn("the generation of the replica ends", "place", r.o.Place.String(), "generation", r.log.Generation, "reason", cause)
	r.log, r.waiting, r.small, r.marks, r.waitingBytes, r.pos, r.end = replica.Log{}, nil, nil, nil, 0, 0, 0
	r.mu.Unlock()
	checkpointErr := r.db.InTurn(context.Background(), func() error { return r.autocheckpoint(1000) })
	if err := errors.Join(err, checkpointErr); err != nil {
		r.o.Log.Error("the log of the database can't be let go", "error", err)
	}
}

// follow sends the log as it grows.
func (r *Replication) follow(ctx context.Context) error {
	wait, sent, verified := firstRetry, time.Time{}, r.db.now()
	for {
		err := r.ship(ctx)
		if err == nil && r.verifyDue(verified) {
			if err = r.verify(ctx); err == nil {
				verified = r.db.now()
			}
		}
		if err == nil {
			r.arrived()
			wait, sent = firstRetry, r.db.now()
			err = r.turnOver(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errBroken), errors.Is(err, errEmptied):
			return err
		case err != nil:
			r.fail(err)
			if err := sleep(ctx, wait); err != nil {
				return err
			}
			wait = min(2*wait, lastRetry)
			continue
		}
		if err := r.await(ctx, sent); err != nil {
			return err
		}
	}
}

// verifyDue reports whether the place is to be verified: now and then, and once after it has failed, for
// the log or for a snapshot, since it may have come back as another disk.
func (r *Replication) verifyDue(last time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := r.unverified || r.db.now().Sub(last) >= r.o.verifyEvery
	r.unverified = false
	return due
}

// verify returns errEmptied unless the place still has what the generation begins with: a folder can
// be emptied, and come back as another disk, without an error.
func (r *Replication) verify(ctx context.Context) error {
	r.mu.Lock()
	generation, whole := r.log.Generation, !r.snapshotAt.IsZero()
	r.mu.Unlock()
	if !whole {
		return nil // the first snapshot is on its way
	}
	objects, err := r.o.Place.List(ctx, replica.Begun(generation))
	if err == nil && len(objects) == 0 {
		err = errEmptied
	}
	return err
}

// await waits until the log has grown, and the pace allows the next segment.
func (r *Replication) await(ctx context.Context, sent time.Time) error {
	timer := time.NewTimer(r.o.look)
	defer timer.Stop()
	select {
	case <-r.poked:
		if _, err := r.observe(ctx); err != nil {
			return err
		}
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if left := r.o.pace - r.db.now().Sub(sent); left > 0 {
		return sleep(ctx, min(left, r.o.pace))
	}
	return nil
}

// ship reads what the log has gained and sends it. What comes while it does so is left for the next
// time: there is more to do than to send, however much is written.
func (r *Replication) ship(ctx context.Context) error {
	if _, err := r.observe(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	goal := r.end
	r.mu.Unlock()
	for collected := false; ; {
		r.mu.Lock()
		if len(r.waiting) == 0 && (!collected || r.pos < goal) {
			if err := r.collect(mostObject); err != nil {
				r.mu.Unlock()
				return err
			}
			collected = true
		}
		if len(r.waiting) == 0 {
			if len(r.marks) == 0 {
				r.since = time.Time{}
			}
			r.mu.Unlock()
			return nil
		}
		next := r.waiting[0]
		r.mu.Unlock()
		if err := r.o.Place.Put(ctx, next.name, next.data); err != nil {
			return err
		}
		r.mu.Lock()
		if ctx.Err() == nil {
			r.waiting, r.waitingBytes = r.waiting[1:], r.waitingBytes-next.bytes
			if len(r.marks) > 0 {
				r.since = r.marks[0].at
			}
		}
		r.mu.Unlock()
		r.bundle(ctx, next)
	}
}

// collect reads what lies before the marks, a segment for each, into an object.
func (r *Replication) collect(most int64) error {
	if !r.view.held {
		return errBroken
	}
	if h, err := r.view.header(); err != nil || h.salt != r.head.salt {
		return errors.Join(err, errBroken)
	}
	made := object{log: r.log, start: r.pos}
	for len(r.marks) > 0 && made.bytes < most {
		m := r.marks[0]
		end := min(m.end, r.head.offset(max(1, (r.pos+mostSegment-logHeaderBytes)/r.head.frame())))
		if end > r.pos {
			data, sum, err := r.view.read(r.head, r.pos, end, r.sum)
			if err != nil {
				return err
			}
			s := replica.Segment{Log: r.log, Start: r.pos, End: end, Sum: sum.number(), At: m.at, Bytes: data}
			packed, err := replica.Encode(s)
			if err != nil {
				return err
			}
			made.data, made.bytes = append(made.data, packed...), made.bytes+int64(len(data))
			s.Bytes, made.last = nil, s
			r.pos, r.sum = end, sum
		}
		if r.pos >= m.end {
			r.marks = r.marks[1:]
		}
	}
	if made.bytes > 0 {
		made.name = replica.PieceName(made.log, made.start, made.last)
		r.waiting, r.waitingBytes = append(r.waiting, made), r.waitingBytes+made.bytes
	}
	return nil
}

// bundle puts small objects of one log together into one, so that there are not hundreds of
// thousands of them. It is no failure if that fails: the small ones are there.
func (r *Replication) bundle(ctx context.Context, next object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	small := r.small
	fits := len(next.data) <= smallObject
	follows := len(small) == 0 || small[0].log == next.log && small[len(small)-1].last.End == next.start
	if fits && follows && len(small) < bundled {
		r.small = append(small, next)
		if len(r.small) < bundled {
			return
		}
		small, r.small = r.small, nil
	} else {
		if r.small = nil; fits {
			r.small = []object{next}
		}
	}
	if len(small) < 2 {
		return
	}
	r.mu.Unlock()
	defer r.mu.Lock()
	var data []byte
	for _, one := range small {
		data = append(data, one.data...)
	}
	if err := r.o.Place.Put(ctx, replica.PieceName(small[0].log, small[0].start, small[len(small)-1].last), data); err != nil {
		return
	}
	for _, one := range small {
		if r.o.Place.Delete(ctx, one.name) != nil {
			return
		}
	}
}
