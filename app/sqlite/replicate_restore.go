package sqlite

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"taskapi/app/replica"
)

// Fetched is a database that was made from a replica.
type Fetched struct {
	Manifest
	Path string
	// At is the moment of its last change, as far as the replica tells.
	At time.Time
}

// damageError is within the error of what came damaged from a place.
type damageError struct {
	object string // its name, or what the names of its parts begin with
	err    error
}

func (d *damageError) Error() string { return d.object + ": " + d.err.Error() }
func (d *damageError) Unwrap() error { return d.err }

// Fetch makes the state of a moment, or the last one, from a replica: a file beside the database at
// path, of another name, which the caller removes with Discard. It is proved, and counts as a copy,
// so that Restore takes it as any backup. What is damaged is done without if an earlier snapshot
// leads to the same state. A server may write to the place meanwhile. Returns what Plan and Prove
// return, with replica.ErrDamaged if something is; a replica.GapError then names the last state that
// is whole.
func Fetch(ctx context.Context, place replica.Place, at time.Time, path string, progress Progress) (f Fetched, err error) {
	objects, err := replica.Look(ctx, place)
	if err != nil {
		return f, err
	}
	recipe, err := replica.Read(objects).Plan(at)
	if err != nil {
		return f, err
	}
	wanted := recipe.At
	for {
		var damaged *damageError
		if f, err = fetch(ctx, place, recipe, path, progress); !errors.As(err, &damaged) {
			return f, err
		}
		objects = slices.DeleteFunc(objects, func(o replica.Object) bool { return strings.HasPrefix(o.Name, damaged.object) })
		next, none := replica.Read(objects).Plan(at)
		if none == nil && next.At.Before(wanted) {
			none = &replica.GapError{Until: next.At, Where: damaged.object}
		}
		if none != nil {
			return f, fmt.Errorf("%w (%w)", none, err)
		}
		recipe = next
	}
}

// fetch makes what a recipe says.
func fetch(ctx context.Context, place replica.Place, recipe replica.Recipe, path string, progress Progress) (f Fetched, err error) {
	if f.Path, err = temporaryName(path); err != nil {
		return f, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Discard())
		}
	}()
	total := int64(len(recipe.Logs))
	if err := fetchSnapshot(ctx, place, recipe.Snapshot, f.Path); err != nil {
		return f, err
	}
	f.At = recipe.Snapshot.At
	for i, pieces := range recipe.Logs {
		if progress != nil {
			progress(int64(i), total)
		}
		last, err := playLog(ctx, place, pieces, recipe.Limit, f.Path)
		if err != nil {
			return f, err
		}
		if last.After(f.At) {
			f.At = last
		}
	}
	if progress != nil {
		progress(0, 0) // it is being proved
	}
	if err := errors.Join(leaveTimeline(ctx, f.Path), plain(ctx, f.Path)); err != nil {
		return f, describe(err)
	}
	f.Manifest, err = Prove(ctx, f.Path)
	f.MadeAt = f.At
	return f, err
}

// Discard removes the file.
func (f Fetched) Discard() error { return removeDatabase(f.Path) }

// fetchSnapshot writes a snapshot into a file and compares its hash.
func fetchSnapshot(ctx context.Context, place replica.Place, s replica.Snapshot, to string) (err error) {
	dir := replica.SnapshotDir(s.Log, s.Needs, s.At)
	text, err := place.Get(ctx, replica.ManifestName(dir))
	if err != nil {
		return err
	}
	var m replicaManifest
	if err := json.Unmarshal(text, &m); err != nil {
		return &damageError{dir, fmt.Errorf("its manifest: %w: %w", replica.ErrDamaged, err)}
	}
	file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for number := range m.Parts {
		if err = fetchPart(ctx, place, dir, number, file); err != nil {
			break
		}
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	switch size, sum, err := hashFile(ctx, to); {
	case err != nil:
		return err
	case size != m.Bytes || sum != m.SHA256:
		return &damageError{dir, replica.ErrDamaged}
	}
	return nil
}

func fetchPart(ctx context.Context, place replica.Place, dir string, number int, to io.Writer) error {
	packed, err := place.Get(ctx, replica.PartName(dir, number))
	if err != nil {
		return err
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		_, err = io.Copy(to, zip)
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &damageError{dir, fmt.Errorf("part %d: %w: %w", number, replica.ErrDamaged, err)}
	}
	return err
}

// playLog writes a log beside a database and has SQLite move it in: what is there of a last
// transaction that is not whole is left out. It returns the time of the last segment.
func playLog(ctx context.Context, place replica.Place, pieces []replica.Piece, limit time.Time, path string) (last time.Time, err error) {
	if err := removeAll(path+"-wal", path+"-shm"); err != nil {
		return last, err
	}
	file, err := os.OpenFile(path+"-wal", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return last, err
	}
	for _, piece := range pieces {
		var at time.Time
		if at, err = writePiece(ctx, place, piece, limit, file); err != nil {
			break
		}
		if at.After(last) {
			last = at
		}
	}
	if err = errors.Join(err, file.Close()); err != nil || last.IsZero() {
		return last, errors.Join(err, removeAll(path+"-wal"))
	}
	return last, moveIn(ctx, path)
}

// writePiece writes the segments of an object that are not newer than the limit where they stood.
func writePiece(ctx context.Context, place replica.Place, piece replica.Piece, limit time.Time, to io.WriterAt) (last time.Time, err error) {
	text, err := replica.GetPiece(ctx, place, piece)
	if err != nil {
		return last, err
	}
	segments, err := replica.Decode(text)
	if err != nil {
		return last, &damageError{piece.Object, err}
	}
	for _, s := range segments {
		if s.Index != piece.Index || s.Salt != piece.Salt {
			return last, &damageError{piece.Object, fmt.Errorf("%w: it is of another log", replica.ErrDamaged)}
		}
		if !limit.IsZero() && s.At.After(limit) {
			return last, nil
		}
		if _, err := to.WriteAt(s.Bytes, s.Start); err != nil {
			return last, err
		}
		last = s.At
	}
	return last, nil
}

// moveIn has SQLite recover the log beside a database, all of it up to its last commit. Nothing
// waits for the disk: a copy that is cut off is made anew.
func moveIn(ctx context.Context, path string) error {
	whole, err := (&logView{path: path + "-wal"}).whole()
	if err != nil {
		return err
	}
	pool, err := openPool(withParams(path, url.Values{"_synchronous": {"OFF"}}), 1)
	if err != nil {
		return err
	}
	var busy int
	var frames, moved int64
	err = pool.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &frames, &moved)
	if err = errors.Join(err, pool.Close()); err != nil {
		return describe(err)
	}
	if moved != frames || frames != whole {
		return fmt.Errorf("the log of %d frames: %w: %d of them follow one another", whole, replica.ErrDamaged, moved)
	}
	return nil
}
