package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// A database and the log beside it belong together by nothing but their names.
// SQLite plays a log of before a crash into whatever file stands there, and so
// undoes a backup that was copied over the database by hand, or mixes the two.
// So each start of the server begins a timeline: its id stands in the database
// and, in a file beside it, as that of the log. A copy of the
// database has another one.
const (
	// TimelineEnd is what the name of that file ends with.
	TimelineEnd = ".timeline"
	// copyTimeline is the id in a copy.
	copyTimeline = "copy"
)

// ErrOtherTimeline: the log beside the database is not this file's.
var ErrOtherTimeline = errors.New("the write-ahead log beside the database belongs to another file")

// BeginTimeline gives the database and its log a new id, in an order in which
// the power may go at any time. It is for the one server of the database.
func (db *DB) BeginTimeline(ctx context.Context, id string) error {
	before, known, err := timelineOf(ctx, db.path)
	if err != nil {
		return err
	}
	if !known {
		before = id
	}
	if err := writeTimeline(db.path, before, id); err != nil {
		return err
	}
	db.serves = true
	if err := db.SetMeta(ctx, "timeline", id); err != nil {
		return err
	}
	if db.replication != nil {
		db.replication.beginLog(ctx)
	}
	var busy, pages, moved int
	if err := db.engine.readPool.QueryRowContext(ctx, "PRAGMA wal_checkpoint(FULL)").Scan(&busy, &pages, &moved); err != nil {
		return translate(err)
	}
	if busy != 0 || pages != moved {
		return nil // another process reads: the log may go with either
	}
	db.timeline.begin(id)
	return writeTimeline(db.path, id)
}

// timeline is that of the open database, and the state of the file in which it was
// seen last.
type timeline struct {
	mu       sync.Mutex
	id       string // empty while it is not known which the file has
	size     int64
	modified time.Time
}

func (t *timeline) begin(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.id, t.size, t.modified = id, 0, time.Time{}
}

// checkTimeline returns ErrGone if another database was written into the file: what
// is written from now on would go into the log of one and the file of another. It
// reads the file only after something has changed it, which is rare: changes go to the
// log.
func (db *DB) checkTimeline(ctx context.Context) error {
	t := &db.timeline
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.id == "" {
		return nil
	}
	info, err := os.Stat(db.path)
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrGone, err)
	}
	if info.Size() == t.size && info.ModTime().Equal(t.modified) {
		return nil
	}
	id, known, err := timelineOf(ctx, db.path)
	if err != nil || !known {
		return err // the log is just being moved into it: the next look tells
	}
	if id != t.id {
		return fmt.Errorf("%w (another database was copied over %s)", ErrGone, db.path)
	}
	t.size, t.modified = info.Size(), info.ModTime()
	return nil
}

// endTimeline forgets the timeline of a log that has gone.
func endTimeline(path string) error {
	if _, err := os.Stat(path + "-wal"); errors.Is(err, fs.ErrNotExist) {
		return removeAll(path + TimelineEnd)
	}
	return nil
}

// ours returns ErrForeign and ErrOtherTimeline before anything is opened in a
// way that would change it, and nil for what others tell more of.
func ours(ctx context.Context, path string) error {
	if err := checkLog(ctx, path); err != nil {
		return err
	}
	if !hasRollbackJournal(path) {
		return nil // as we leave them
	}
	if err := Ours(ctx, path); errors.Is(err, ErrForeign) {
		return err
	}
	return nil
}

// hasRollbackJournal reads the write version in the header of a database:
// https://www.sqlite.org/fileformat.html#file_format_version_numbers
func hasRollbackJournal(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // only read
	header := make([]byte, 20)
	_, err = io.ReadFull(file, header)
	return err == nil && header[18] == 1
}

// checkLog returns ErrOtherTimeline for a database beside whose name lies
// the log of another file. It opens nothing for writing.
func checkLog(ctx context.Context, path string) error {
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		return nil
	}
	text, err := os.ReadFile(path + TimelineEnd)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	id, known, err := timelineOf(ctx, path)
	if err != nil || !known {
		return err
	}
	if !slices.Contains(strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), id) {
		return ErrOtherTimeline
	}
	return nil
}

// timelineOf returns the id in the file itself, whatever its log holds; "" for
// a file that has none. It is not known of a file that can't be read without its
// log, because the power went as that was being moved into it.
func timelineOf(ctx context.Context, path string) (id string, known bool, err error) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return "", true, nil
	}
	// The log is not looked at: https://www.sqlite.org/uri.html#uriimmutable
	pool, err := openPool(withParams(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}), 1)
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	err = pool.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = 'timeline'`).Scan(&id)
	switch {
	case err == nil, errors.Is(err, sql.ErrNoRows), code(err) == sqlite3.SQLITE_ERROR: // no such table
		return id, true, nil
	case code(err) != 0:
		return "", false, nil
	}
	return "", false, err
}

// leaveTimeline gives a copy of a database, which may be of an older schema, an
// id of its own, and no lineage.
func leaveTimeline(ctx context.Context, path string) (err error) {
	pool, err := openPool(copyDSN(path), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var tables int
	err = pool.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE name = 'meta'`).Scan(&tables)
	if err == nil && tables > 0 {
		_, err = pool.ExecContext(ctx, `UPDATE meta SET value = ? WHERE name = 'timeline'`, copyTimeline)
		if err == nil {
			_, err = pool.ExecContext(ctx, `UPDATE meta SET value = '' WHERE name = 'lineage'`)
		}
	}
	return err
}

// writeTimeline notes of which timelines the log may be.
func writeTimeline(path string, ids ...string) error {
	name := path + TimelineEnd
	if err := os.WriteFile(name+".new", []byte(strings.Join(ids, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("note the timeline: %w", err)
	}
	if err := errors.Join(syncFile(name+".new"), os.Rename(name+".new", name)); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(name))
}
