package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNoSnapshot: no upgrade of the database has left anything to go back to.
var ErrNoSnapshot = errors.New("there is no snapshot of an older version")

// RestoreOptions says what to put where.
type RestoreOptions struct {
	From   string
	Path   string // the database to replace; nobody may have it open
	Schema string // text of schema.sql
	Now    time.Time
	// AsItIs keeps an older schema, for the older version of the program.
	AsItIs   bool
	Progress Progress
}

// Restored says what was done.
type Restored struct {
	Manifest
	Proven bool   // there was a manifest, and the file agreed with it
	Aside  string // where the old database is kept; empty if there was none
	// Removed is what copies that were cut off had left.
	Removed []Leftover
	// Dropped are databases that earlier restores had kept aside, and that made
	// room for this one: the newest KeptAside stay.
	Dropped []Leftover
}

// Restore puts a backup in the place of the database, in this order, so that
// whenever the power goes the old database is there or the new one:
//
//  1. The backup is proved.
//  2. It is copied beside the database, under another name, the copy's hash is
//     compared, and the copy is brought forward to the present schema and
//     proved again.
//  3. The old database takes its log in, and gets a second name (or, where the
//     disk knows no second names, a copy). One that is too damaged for that
//     is kept with its log beside it.
//  4. The copy takes the database's name, in one step.
//
// Returns what Prove returns, ErrNotAsMade, or what the system said.
func Restore(ctx context.Context, o RestoreOptions) (r Restored, err error) {
	if r.Manifest, r.Proven, err = ProveBackup(ctx, o.From); err != nil {
		return r, err
	}
	if r.Removed, err = RemoveLeftovers(filepath.Dir(o.Path), o.Now); err != nil {
		return r, err
	}
	temporary, err := temporaryName(o.Path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, removeDatabase(temporary)) }()
	sum, err := copyFile(ctx, o.From, temporary, o.Progress)
	if err != nil {
		return r, err
	}
	if sum != r.SHA256 {
		return r, fmt.Errorf("%w: it changed while it was read", ErrNotAsMade)
	}
	if o.Progress != nil {
		o.Progress(0, 0) // it is being brought forward and proved
	}
	if !o.AsItIs {
		if err := bringForward(ctx, temporary, o); err != nil {
			return r, err
		}
		if _, err := Prove(ctx, temporary); err != nil {
			return r, err
		}
	}
	if r.Aside, err = setAside(ctx, o.Path, o.Now); err != nil {
		return r, err
	}
	// A log that could not be taken in would be played into the new one.
	if err := removeAll(o.Path+"-wal", o.Path+"-shm"); err != nil {
		return r, err
	}
	if err := os.Rename(temporary, o.Path); err != nil {
		return r, err
	}
	if err := removeAll(o.Path + TimelineEnd); err != nil {
		return r, err
	}
	if r.Dropped, err = dropAside(o.Path); err != nil {
		return r, err
	}
	return r, SyncDir(filepath.Dir(o.Path))
}

// bringForward gives a copy the present schema, and leaves one plain file.
func bringForward(ctx context.Context, path string, o RestoreOptions) error {
	db, err := Open(ctx, Options{Path: path, Schema: o.Schema, noSnapshot: true})
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	return plain(ctx, path)
}

// setAside gives the database a second name and returns it; "" without one. A
// log that has lost its database is kept alone.
func setAside(ctx context.Context, path string, now time.Time) (aside string, err error) {
	aside = path + AsideMark + now.UTC().Format(nameTime)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		info, err := os.Stat(path + "-wal")
		if err != nil || info.Size() == 0 {
			return "", nil
		}
		return aside + "-wal", os.Rename(path+"-wal", aside+"-wal")
	}
	if err := takeLogIn(ctx, path, aside); err != nil {
		return "", err
	}
	if err := os.Link(path, aside); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return "", err
		}
		if _, err := copyFile(ctx, path, aside, nil); err != nil {
			return "", err
		}
	}
	return aside, SyncDir(filepath.Dir(path))
}

// KeptAside is how many replaced databases stay.
const KeptAside = 3

// AsideMark separates the name of a database from the time of its replacement.
const AsideMark = ".replaced-"

// Aside lists the databases that restores have kept beside the present one, the
// newest first, each with the size of its log, which may have lost its database.
func Aside(path string) ([]Leftover, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, entry := range entries {
		name := strings.TrimSuffix(entry.Name(), "-wal")
		if info, err := entry.Info(); err == nil && strings.HasPrefix(name, filepath.Base(path)+AsideMark) {
			sizes[name] += info.Size()
		}
	}
	var all []Leftover
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(sizes))) {
		all = append(all, Leftover{filepath.Join(filepath.Dir(path), name), sizes[name]})
	}
	return all, nil
}

// dropAside removes all but the newest of those.
func dropAside(path string) ([]Leftover, error) {
	all, err := Aside(path)
	if err != nil || len(all) <= KeptAside {
		return nil, err
	}
	for _, old := range all[KeptAside:] {
		if err := removeAll(old.Path, old.Path+"-wal"); err != nil {
			return nil, err
		}
	}
	return all[KeptAside:], nil
}

// takeLogIn moves the log of a database into it. If that can't be done, the
// database being damaged or the log another file's, a copy of the log is kept
// beside aside.
func takeLogIn(ctx context.Context, path, aside string) error {
	kept := aside + "-wal"
	// First, since SQLite may remove the log of what it can't read.
	if _, err := copyFile(ctx, path+"-wal", kept, nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if errors.Is(checkLog(ctx, path), ErrOtherTimeline) || plain(ctx, path) != nil {
		return nil
	}
	return removeAll(kept)
}

// removeAll removes files that may be there.
func removeAll(names ...string) error {
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// copyFile copies a file and puts it on the disk; it returns its hash.
func copyFile(ctx context.Context, from, to string, progress Progress) (sum string, err error) {
	source, err := os.Open(from)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	info, err := source.Stat()
	if err != nil {
		return "", err
	}
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	for done := int64(0); ; {
		n, err := io.CopyN(target, source, 1<<20)
		done += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return "", err
		}
		if progress != nil {
			progress(done, info.Size())
		}
	}
	if err := target.Sync(); err != nil {
		return "", err
	}
	_, sum, err = hashFile(ctx, to)
	return sum, err
}

// Before a schema is brought forward, a proved copy of the database is kept
// beside it as NAME.schema-N, N being the schema it has. keptSnapshots of them
// stay, the newest.
const keptSnapshots = 2

func snapshotName(path string, schema int) string { return fmt.Sprintf("%s.schema-%d", path, schema) }

// snapshot keeps the database as it is before its schema is brought forward.
func snapshot(ctx context.Context, path string, schema int, now time.Time) error {
	_, err := Backup(ctx, BackupOptions{From: path, To: snapshotName(path, schema), Now: now, replace: true})
	if err != nil {
		return fmt.Errorf("a copy to go back to could not be made before the upgrade: %w", err)
	}
	all, err := snapshots(path)
	if err != nil {
		return err
	}
	for _, old := range all[min(keptSnapshots, len(all)):] {
		name := snapshotName(path, old)
		if err := errors.Join(os.Remove(name), os.Remove(manifestName(name))); err != nil {
			return err
		}
	}
	return nil
}

// snapshotIfOlder makes a snapshot if the schema is going to be brought forward.
func snapshotIfOlder(ctx context.Context, conn *sql.Conn, o Options) error {
	// With the turn to write: another process may be making this very file.
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	version, err := schemaVersion(ctx, conn)
	if _, endErr := conn.ExecContext(ctx, "ROLLBACK"); err != nil || endErr != nil {
		return errors.Join(err, endErr)
	}
	if version < 1 || version > len(steps()) {
		return nil
	}
	return snapshot(ctx, o.Path, version, o.Now())
}

// snapshots lists the schemas of which there are snapshots, the newest first.
func snapshots(path string) ([]int, error) {
	prefix := path + ".schema-"
	// The folder's name may hold what Glob takes for a pattern.
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	var found []int
	for _, entry := range entries {
		number, ours := strings.CutPrefix(filepath.Join(filepath.Dir(path), entry.Name()), filepath.Clean(prefix))
		if schema, err := strconv.Atoi(number); ours && err == nil {
			found = append(found, schema)
		}
	}
	slices.Sort(found)
	slices.Reverse(found)
	return found, nil
}

// Rollback puts the newest snapshot of an older schema than the database has
// in its place, as Restore does, but without bringing it forward: it is for
// the older version of the program. Returns ErrNoSnapshot and what Restore
// returns.
func Rollback(ctx context.Context, path string, now time.Time) (Restored, error) {
	from, err := Snapshot(ctx, path)
	if err != nil {
		return Restored{}, err
	}
	return Restore(ctx, RestoreOptions{From: from, Path: path, Now: now, AsItIs: true})
}

// Snapshot returns the file that Rollback would put back, or ErrNoSnapshot.
func Snapshot(ctx context.Context, path string) (file string, err error) {
	all, err := snapshots(path)
	if err != nil {
		return "", err
	}
	present := len(steps()) + 1
	if m, err := Prove(ctx, path); err == nil {
		present = m.Schema
	}
	for _, schema := range all {
		if schema < present {
			return snapshotName(path, schema), nil
		}
	}
	return "", ErrNoSnapshot
}
