package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// nameTime is how times stand in the names of files: they sort, and every
// system takes them.
const nameTime = "20060102T150405.000Z"

// retryBackup is how long after a failed backup the next attempt follows, if
// the schedule is not shorter.
const retryBackup = 10 * time.Minute

// lookAtClock is how long a schedule relies on the clock that it has seen.
const lookAtClock = 10 * time.Minute

// Backups is a folder of backups of one database, and their schedule.
type Backups struct {
	Path    string // the database
	Dir     string // made when it is needed, for this user only
	Version string // of taskapi
	// Every is how often Run makes one.
	Every time.Duration
	// Keep is how many of those that Run has made stay, the newest; at least 1.
	Keep int
	Now  func() time.Time
	Log  *slog.Logger
}

// Made is a backup that is there.
type Made struct {
	Path string
	Manifest
}

// Make makes a backup, named by the time. Returns what Backup returns.
func (b *Backups) Make(ctx context.Context, scheduled bool, progress Progress) (Made, error) {
	if err := MakeDir(b.Dir); err != nil {
		return Made{}, err
	}
	now := b.Now()
	path := filepath.Join(b.Dir, "taskapi-"+now.UTC().Format(nameTime)+".db")
	manifest, err := Backup(ctx, BackupOptions{From: b.Path, To: path, Version: b.Version, Scheduled: scheduled, Now: now, Progress: progress})
	return Made{path, manifest}, err
}

// List returns the backups in the folder that are whole, the newest first:
// those with a manifest and of its size.
func (b *Backups) List() ([]Made, error) {
	entries, err := os.ReadDir(b.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Made
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "taskapi-") || !strings.HasSuffix(entry.Name(), ".db") {
			continue
		}
		path := filepath.Join(b.Dir, entry.Name())
		manifest, err := ReadManifest(path)
		info, statErr := os.Stat(path)
		if err == nil && statErr == nil && info.Size() == manifest.Bytes {
			all = append(all, Made{path, manifest})
		}
	}
	slices.SortFunc(all, func(x, y Made) int { return y.MadeAt.Compare(x.MadeAt) })
	return all, nil
}

// Newest returns the newest of the backups. One that is dated in the future was
// made under a wrong clock, and says nothing of today.
func (b *Backups) Newest(all []Made) (newest Made, found bool) {
	for _, made := range all {
		if !made.MadeAt.After(b.Now()) {
			return made, true
		}
	}
	return Made{}, false
}

// Overdue returns how long ago the newest backup was made, if that is more
// than twice the schedule; 0 if it is not. A server is not late before it has
// run for that long, whatever its clock was set to meanwhile.
func (b *Backups) Overdue(uptime time.Duration) (time.Duration, error) {
	all, err := b.List()
	if err != nil {
		return 0, err
	}
	age := uptime
	if made, found := b.Newest(all); found {
		age = min(age, b.Now().Sub(made.MadeAt))
	}
	if age > 2*b.Every {
		return age, nil
	}
	return 0, nil
}

// Run makes a backup whenever the newest is as old as the schedule, and
// removes the oldest of its own, until the context ends.
func (b *Backups) Run(ctx context.Context) {
	for {
		wait := b.next(ctx)
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// next makes a backup if one is due, and returns how long to wait.
func (b *Backups) next(ctx context.Context) time.Duration {
	all, err := b.List()
	if made, found := b.Newest(all); err == nil && found {
		if wait := b.Every - b.Now().Sub(made.MadeAt); wait > 0 {
			return min(wait, lookAtClock) // it may be set meanwhile
		}
	}
	began := b.Now()
	var made Made
	if err == nil {
		made, err = b.Make(ctx, true, nil)
	}
	if err == nil {
		b.Log.InfoContext(ctx, "backup made", "path", made.Path, "bytes", made.Bytes, "tasks", made.Rows["tasks"],
			"users", made.Rows["users"], "duration_ms", b.Now().Sub(began).Milliseconds())
		err = b.prune()
	}
	if err != nil {
		if ctx.Err() == nil {
			b.Log.ErrorContext(ctx, "backup failed", "error", err)
		}
		return min(retryBackup, b.Every)
	}
	return min(b.Every, lookAtClock)
}

// prune removes the oldest backups of the schedule's own, and what an end in
// the middle of one has left.
func (b *Backups) prune() error {
	all, err := b.List()
	if err != nil {
		return err
	}
	var errs []error
	kept := 0
	for _, made := range all {
		if !made.Scheduled {
			continue
		}
		if kept++; kept > max(1, b.Keep) {
			// The manifest last: a file without one does not count as whole.
			errs = append(errs, os.Remove(made.Path), os.Remove(manifestName(made.Path)))
		}
	}
	removed, err := RemoveLeftovers(b.Dir, b.Now())
	for _, left := range removed {
		b.Log.Info("left-over of an unfinished backup removed", "path", left.Path, "bytes", left.Bytes)
	}
	if err = errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("old backups could not be removed: %w", err)
	}
	return nil
}
