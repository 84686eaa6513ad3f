package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"
)

// Progress receives how far a long piece of work has come; total is 0 while it
// is unknown. May be nil.
type Progress func(done, total int64)

// copyStep is how many pages are copied between two looks at the context.
const copyStep = 256

// BackupOptions says what to back up and how.
type BackupOptions struct {
	From string // the database; it may be served meanwhile
	To   string // must not be there yet
	// Version of taskapi, for the manifest.
	Version   string
	Scheduled bool
	Now       time.Time
	Progress  Progress

	replace bool // To may be there
}

// Backup copies a database to a file, without stopping anybody who writes: it
// is the state of the moment it began (one read transaction, SQLite's online
// backup). The copy is made under another name (".partial"), put on the disk,
// opened and proved, its rows are compared with those of the original, and
// only then it gets its name, after its manifest: what bears the name is whole
// and known to be. Returns fs.ErrExist, what Prove returns, or what the system
// said; then nothing is left behind.
func Backup(ctx context.Context, o BackupOptions) (m Manifest, err error) {
	if _, err := os.Lstat(o.To); err == nil && !o.replace {
		return m, fmt.Errorf("%s: %w", o.To, fs.ErrExist)
	}
	partial, err := temporaryName(o.To)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, removeDatabase(partial)) }()
	counts, err := copyDatabase(ctx, o.From, partial, o.Progress)
	if err != nil {
		return m, describe(err)
	}
	if o.Progress != nil {
		o.Progress(0, 0) // it is being proved
	}
	if m, err = Prove(ctx, partial); err != nil {
		return m, err
	}
	if !maps.Equal(m.Rows, counts) {
		return m, fmt.Errorf("%w: the copy has other numbers of rows than the original", ErrDamaged)
	}
	m.MadeAt, m.Version, m.Scheduled = o.Now.UTC(), o.Version, o.Scheduled
	if err := writeManifest(o.To, m); err != nil {
		return m, err
	}
	if err := os.Rename(partial, o.To); err != nil {
		return m, errors.Join(err, os.Remove(manifestName(o.To)))
	}
	return m, SyncDir(filepath.Dir(o.To))
}

// removeDatabase removes an unused database and the files beside it.
func removeDatabase(path string) error {
	return removeAll(path+"-wal", path+"-shm", path+"-journal", path)
}

// copyDatabase copies every page as of one moment, and returns how many rows
// each table had then. The copy is a plain file without a log.
func copyDatabase(ctx context.Context, from, to string, progress Progress) (counts map[string]int64, err error) {
	if err := ours(ctx, from); err != nil {
		return nil, err
	}
	pool, err := openPool(dsn(from, Full, true), 1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	defer func() {
		_, endErr := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, endErr)
	}()
	// From the first read on, others' commits are not seen: without that, each
	// of them would make the copy begin anew.
	if counts, err = rowCounts(ctx, conn); err != nil {
		return nil, err
	}
	if err := conn.Raw(func(driver any) error { return copyPages(ctx, driver, to, progress) }); err != nil {
		return nil, err
	}
	if err := leaveTimeline(ctx, to); err != nil {
		return nil, err
	}
	return counts, plain(ctx, to)
}

func copyPages(ctx context.Context, driver any, to string, progress Progress) error {
	source, ok := driver.(interface {
		NewBackup(string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("sqlite: the driver has no online backup")
	}
	backup, err := source.NewBackup(copyDSN(to))
	if err != nil {
		return err
	}
	for {
		more, err := backup.Step(copyStep)
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			_ = backup.Finish() // says the same again
			return err
		}
		if !more {
			return backup.Finish()
		}
		if progress != nil {
			progress(int64(backup.PageCount()-backup.Remaining()), int64(backup.PageCount()))
		}
	}
}

// copyDSN returns the DSN of a copy in the making. It has no journal, because half
// a copy is useless; so each page is written once.
func copyDSN(path string) string {
	return withParams(path, url.Values{"_journal_mode": {"OFF"}, "_synchronous": {"OFF"}})
}

// plain makes a copied database one file that stands alone, and syncs it.
func plain(ctx context.Context, path string) error {
	pool, err := openPool(dsn(path, Full, false), 1)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "PRAGMA journal_mode = DELETE")
	if err := errors.Join(err, pool.Close()); err != nil {
		return err
	}
	if err := removeEmptyLog(path); err != nil {
		return err
	}
	return syncFile(path)
}

// removeEmptyLog removes the files that SQLite may leave beside a database
// that is closed; ErrInUse if there is anything in the log.
func removeEmptyLog(path string) error {
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		return ErrInUse
	}
	return removeAll(path+"-wal", path+"-shm")
}

func manifestName(path string) string { return path + ".json" }

func writeManifest(path string, m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := temporaryName(manifestName(path))
	if err != nil {
		return err
	}
	err = os.WriteFile(temporary, append(text, '\n'), 0o600)
	if err == nil {
		err = syncFile(temporary)
	}
	if err == nil {
		err = os.Rename(temporary, manifestName(path))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// ReadManifest returns the manifest beside a backup, or fs.ErrNotExist.
func ReadManifest(path string) (m Manifest, err error) {
	text, err := os.ReadFile(manifestName(path))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: its manifest can't be read: %w", ErrNotAsMade, err)
	}
	return m, nil
}

// ProveBackup is Prove for a file that may have a manifest beside it, which it
// must agree with; proven is false without one.
func ProveBackup(ctx context.Context, path string) (m Manifest, proven bool, err error) {
	if m, err = Prove(ctx, path); err != nil {
		return m, false, err
	}
	made, err := ReadManifest(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err == nil && (made.SHA256 != m.SHA256 || made.Bytes != m.Bytes || !maps.Equal(made.Rows, m.Rows)) {
		err = ErrNotAsMade
	}
	return made, err == nil, err
}
