package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"taskapi/app/replica"
)

// generation goes on with the last generation, or begins one, and follows the log until it breaks.
func (r *Replication) generation(ctx context.Context) error {
	ctx, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	r.mu.Lock()
	r.lost = lost
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.lost = nil
	}()
	objects, err := r.o.Place.List(ctx, replica.Root)
	if err != nil {
		return err
	}
	there := replica.Read(objects)
	if err := r.checkOwner(ctx, there); err != nil {
		return err
	}
	if !r.goOn(there) {
		if err := r.begin(ctx); err != nil {
			return err
		}
	}
	var copying sync.WaitGroup
	copying.Go(func() { r.keepSnapshots(ctx) })
	err = r.follow(ctx)
	cause := context.Cause(ctx)
	lost(nil)
	copying.Wait()
	if errors.Is(err, context.Canceled) && cause != nil {
		err = cause
	}
	if errors.Is(err, errBroken) || errors.Is(err, errBehind) || errors.Is(err, errEmptied) {
		r.letGo(err)
	}
	return err
}

// errOthers: another database is replicated to the place. To send this one there as well would make
// it the newest state, which a restore takes.
var errOthers = errors.New("the place holds the replica of another database: restore that one first (taskapi db restore --from), or name another place")

// origin is what the object says that a generation begins with.
type origin struct {
	Begun   time.Time `json:"begun"`
	Version string    `json:"version"`
	// Database is the seed of the database's uids, which a restored copy has as well.
	Database string `json:"database"`
}

// checkOwner returns errOthers if the newest generation in the place is of another database.
func (r *Replication) checkOwner(ctx context.Context, there replica.Content) error {
	newest, found := there.Newest()
	if !found {
		return nil
	}
	text, err := r.o.Place.Get(ctx, replica.Begun(newest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was not finished, or is not whole: then nothing is restored from it
	}
	var begun origin
	if err == nil {
		err = json.Unmarshal(text, &begun)
	}
	if err == nil && begun.Database != "" && begun.Database != r.database() {
		err = errOthers
	}
	return err
}

// database is what tells the database from others in the place.
func (r *Replication) database() string { return fmt.Sprintf("%x", r.db.Seed()) }

// goOn takes the newest generation up again, if it is certain that nothing is missing between
// its end and the log: either the log is the same, up to the checksum where the replica ends;
// or the server was stopped in order, and nobody has written the file since.
func (r *Replication) goOn(there replica.Content) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tail, found := there.Tail()
	if !found || !r.view.held {
		return false
	}
	frames, _, err := r.view.checkpoint(context.Background(), "NOOP")
	if err != nil {
		return false
	}
	switch sum, err := r.view.sumAt(r.head, tail.End); {
	case tail.Salt == r.head.salt && tail.End <= r.head.offset(frames) && err == nil && sum.number() == tail.Sum:
		r.log, r.pos, r.sum = tail.Log, tail.End, sum
	case r.stored.matches(tail, r.db.place.database) && r.head.begun == 0:
		r.log = replica.Log{Generation: tail.Generation, Index: tail.Index + 1, Salt: r.head.salt, Previous: tail.End}
		r.pos, r.sum = 0, logSum{}
	default:
		return false
	}
	r.snapshotAt, r.waiting, r.small, r.waitingBytes = tail.Snapshot, nil, nil, 0
	if r.stored = (replicaEnd{}); r.snapshotAt.IsZero() {
		r.bare = r.db.now()
	}
	r.o.Log.Info("the replica goes on", "place", r.o.Place.String(), "generation", r.log.Generation)
	return true
}

// begin begins a generation with the log as it is.
func (r *Replication) begin(ctx context.Context) error {
	now := r.db.now()
	name := replica.NewGeneration(now, r.o.Random())
	text, err := json.Marshal(origin{now.UTC(), r.o.Version, r.database()})
	if err != nil {
		return err
	}
	// This also tells whether the place answers, before the log is held for it.
	if err := r.o.Place.Put(ctx, replica.Begun(name), text); err != nil {
		return err
	}
	if err := r.seize(ctx); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = replica.Log{Generation: name, Salt: r.head.salt}
	r.pos, r.sum, r.snapshotAt = 0, logSum{}, time.Time{}
	if r.bare = r.since; r.bare.IsZero() {
		r.bare = now
	}
	r.waiting, r.small, r.waitingBytes = nil, nil, 0
	r.o.Log.Info("the replica begins a generation", "place", r.o.Place.String(), "generation", name)
	return nil
}

// replicaEnd is where a replication stopped, in the file beside the database.
type replicaEnd struct {
	Generation string    `json:"generation"`
	Index      uint32    `json:"index"`
	End        int64     `json:"end"`
	Sum        uint64    `json:"sum"`
	Bytes      int64     `json:"bytes"`
	Modified   time.Time `json:"modified"`
}

// matches reports whether a replica ends there, and the database is as it was.
func (e replicaEnd) matches(tail replica.Tail, database os.FileInfo) bool {
	return e.Generation != "" && e.Generation == tail.Generation && e.Index == tail.Index && e.End == tail.End && e.Sum == tail.Sum &&
		e.Bytes == database.Size() && e.Modified.Equal(database.ModTime())
}

// readReplicaEnd returns what the last run has noted; what can't be read says nothing.
func readReplicaEnd(path string) (e replicaEnd) {
	text, err := os.ReadFile(path + ReplicaEnd)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		return replicaEnd{}
	}
	return e
}

func writeReplicaEnd(path string, e replicaEnd) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	name := path + ReplicaEnd
	if err := os.WriteFile(name+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("note where the replica ends: %w", err)
	}
	return errors.Join(syncFile(name+".new"), os.Rename(name+".new", name))
}
