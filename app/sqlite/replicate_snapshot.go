package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"time"

	"taskapi/app/replica"
)

const (
	// snapshotPart is how large a part of a snapshot is: half a minute on a slow line.
	snapshotPart = 4 << 20
	// leastRoom is what must be free beside a copy of the database.
	leastRoom = 256 << 20
	// snapshotRetry is the wait after a snapshot failed.
	snapshotRetry = time.Minute
)

// errNoRoom: a copy would fill the disk.
var errNoRoom = errors.New("the disk has no room for a copy of the database")

// replicaManifest describes a snapshot in a replica.
type replicaManifest struct {
	Manifest
	Parts int `json:"parts"`
}

// keepSnapshots makes a snapshot when the generation has none, and whenever the last is old; then
// it removes what is not needed any more. It ends with its context.
func (r *Replication) keepSnapshots(ctx context.Context) {
	for tidy, retry := false, firstRetry; ; {
		r.mu.Lock()
		wait := r.o.snapshotEvery - r.db.now().Sub(r.snapshotAt)
		r.mu.Unlock()
		if due := wait <= 0; due || !tidy {
			var err error
			if wait = snapshotRetry; due {
				err = r.snapshot(ctx)
			}
			if err == nil {
				err = r.prune(ctx)
				if tidy = err == nil; tidy {
					retry = firstRetry
				} else {
					wait, retry = retry, min(2*retry, snapshotRetry)
				}
			}
			if ctx.Err() != nil {
				return
			}
			r.copied(err)
			wait = min(r.o.snapshotEvery, wait)
		}
		if sleep(ctx, min(wait, lookAtClock)) != nil {
			return
		}
	}
}

// copied notes whether a snapshot could be made and sent, and what it replaces removed, and says so
// once.
func (r *Replication) copied(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failures, r.unverified = r.failures+1, true
		if r.uncopied == nil {
			r.o.Log.Warn("no snapshot can be sent to the replica, or an old one not removed; it is tried again", "place", r.o.Place.String(), "error", err)
		}
	}
	r.uncopied = err
}

// snapshot copies the database as it is, proves the copy, and sends it in parts, the manifest last.
func (r *Replication) snapshot(ctx context.Context) (err error) {
	if err := r.checkRoom(); err != nil {
		return err
	}
	copied, err := temporaryName(r.db.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeDatabase(copied)) }()
	dir, m, err := r.copyRaw(ctx, copied)
	if err != nil {
		return describe(err)
	}
	if m.Parts, err = r.sendParts(ctx, copied, dir); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := r.persist(ctx, replica.ManifestName(dir), append(text, '\n')); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() == nil {
		r.snapshotAt, r.bare = m.MadeAt, time.Time{}
		r.o.Log.Info("snapshot sent", "place", r.o.Place.String(), "bytes", m.Bytes, "parts", m.Parts, "tasks", m.Rows["tasks"])
	}
	return ctx.Err()
}

func (r *Replication) checkRoom() error {
	if r.o.Room == nil {
		return nil
	}
	info, err := os.Stat(r.db.path)
	if err != nil {
		return err
	}
	free, err := r.o.Room()
	if err == nil && free < info.Size()+leastRoom {
		err = fmt.Errorf("%w: %d MiB are free, the database has %d", errNoRoom, free>>20, info.Size()>>20)
	}
	return err
}

// copyRaw copies all pages as they are, with the timeline and the lineage, since the log is played
// into them, and proves the copy. It returns the name of the snapshot.
func (r *Replication) copyRaw(ctx context.Context, to string) (dir string, m replicaManifest, err error) {
	pool, err := openPool(dsn(r.db.path, Full, true), 1)
	if err != nil {
		return "", m, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return "", m, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return "", m, err
	}
	defer func() {
		_, endErr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, endErr)
	}()
	// The log does not begin anew between the state that is read and the look at where that ends.
	r.mu.Lock()
	var some bool
	err = conn.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM meta)").Scan(&some)
	var frames int64
	if err == nil {
		frames, _, err = r.view.checkpoint(ctx, "NOOP")
	}
	log, needs, at := r.log, r.head.offset(frames), r.moment()
	r.mu.Unlock()
	if err != nil {
		return "", m, err
	}
	counts, err := rowCounts(ctx, conn)
	if err != nil {
		return "", m, err
	}
	if err := conn.Raw(func(driver any) error { return copyPages(ctx, driver, to, nil) }); err != nil {
		return "", m, err
	}
	if m.Manifest, err = Prove(ctx, to); err == nil && !maps.Equal(m.Rows, counts) {
		err = fmt.Errorf("%w: the copy has other numbers of rows than the original", ErrDamaged)
	}
	m.MadeAt, m.Version, m.Scheduled = at, r.o.Version, true
	return replica.SnapshotDir(log, needs, at), m, err
}

// sendParts compresses a file and sends it, and returns how many parts there are.
func (r *Replication) sendParts(ctx context.Context, path, dir string) (parts int, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	for page := make([]byte, 1<<20); ; {
		var packed bytes.Buffer
		zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
		if err != nil {
			return 0, err
		}
		var readErr error
		for packed.Len() < snapshotPart && readErr == nil {
			var n int
			if n, readErr = file.Read(page); n > 0 {
				if _, err := zip.Write(page[:n]); err != nil {
					return 0, err
				}
			}
		}
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return 0, readErr
		}
		if err := zip.Close(); err != nil {
			return 0, err
		}
		if err := r.persist(ctx, replica.PartName(dir, parts), packed.Bytes()); err != nil {
			return 0, err
		}
		if parts++; readErr != nil {
			return parts, nil
		}
	}
}

// persist puts an object, again and again until the place takes it or the context ends: what
// else was sent of a snapshot need not be sent again.
func (r *Replication) persist(ctx context.Context, name string, data []byte) error {
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := r.o.Place.Put(ctx, name, data)
		if err == nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		r.copied(err)
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// prune removes what no state is made of that is to be kept.
func (r *Replication) prune(ctx context.Context) error {
	objects, err := r.o.Place.List(ctx, replica.Root)
	if err != nil {
		return err
	}
	for _, name := range replica.Read(objects).Outdated(r.db.now(), replicaKeep) {
		if err := r.o.Place.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
