package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"modernc.org/sqlite"
)

// A server for developers goes back to a state of its database that was kept, while it serves.

// Keep copies the database as it is now into a file, which Rewind goes back to. A file that is
// there already is replaced.
func (db *DB) Keep(ctx context.Context, to string) error {
	partial := to + partialMark + "kept"
	if err := removeDatabase(partial); err != nil {
		return err
	}
	// SQLite would make it with the umask of the process.
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	conn, err := db.engine.readPool.Conn(ctx)
	if err != nil {
		return busy(err)
	}
	err = conn.Raw(func(driver any) error { return copyPages(ctx, driver, partial, nil) })
	err = errors.Join(err, conn.Close())
	if err == nil {
		err = plain(ctx, partial)
	}
	if err == nil {
		err = os.Rename(partial, to)
	}
	if err != nil {
		return errors.Join(translate(err), removeDatabase(partial))
	}
	return nil
}

// CanRewind reports whether Rewind can go back to a file: whether it is there, and of this version.
func (db *DB) CanRewind(from string) bool { return keptByUs(from) == nil }

// keptByUs returns an error unless a file has the schema of this program, by the header of the file:
// https://www.sqlite.org/fileformat.html#user_version_number
func keptByUs(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read
	header := make([]byte, 64)
	if _, err := io.ReadFull(file, header); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(header[60:]) != uint32(len(steps())+1) {
		return ErrOtherSchema
	}
	return nil
}

// Rewind goes back to what Keep has copied into a file. Those who read see either state as a whole.
// Numbers of changes are not given again: who has a copy of what was there has to begin anew, and
// no entity tag comes to mean something else.
func (db *DB) Rewind(ctx context.Context, from string) error {
	return db.Replace(ctx, func(newest int64) error {
		db.place.rewound.Store(true)
		if err := db.engine.conn.Raw(func(driver any) error { return restorePages(driver, from) }); err != nil {
			return translate(fmt.Errorf("go back to %s: %w", from, err))
		}
		return translate(db.endCursors(ctx, newest))
	})
}

// endCursors begins the log of changes behind a number.
func (db *DB) endCursors(ctx context.Context, newest int64) (err error) {
	conn := db.engine.conn
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, endErr := conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
			err = errors.Join(err, endErr)
		}
	}()
	// The newest line is of nobody's concern, and never removed.
	_, err = conn.ExecContext(ctx, `INSERT INTO changes (seq, scope, grp, at, kind, op, entity)
		SELECT seq, 0, seq, ?2, 5, 2, 0 FROM (SELECT max(?1, (SELECT coalesce(max(seq), 1) FROM changes)) + 1 AS seq)`, newest, db.now().UnixMilli())
	if err == nil {
		_, err = conn.ExecContext(ctx, `INSERT INTO meta (name, value) SELECT 'log_from', max(seq) FROM changes WHERE true
			ON CONFLICT DO UPDATE SET value = excluded.value`)
	}
	db.timeline.mu.Lock()
	id := db.timeline.id
	db.timeline.mu.Unlock()
	if err == nil && id != "" { // what was kept may be of an earlier start
		_, err = conn.ExecContext(ctx, `UPDATE meta SET value = ? WHERE name = 'timeline'`, id)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, `COMMIT`)
	}
	return err
}

// restorePages writes all pages of a file over the database of a connection, in one transaction.
func restorePages(driver any, from string) error {
	target, ok := driver.(interface {
		NewRestore(string) (*sqlite.Backup, error)
	})
	if !ok {
		return errors.New("sqlite: the driver has no online restore")
	}
	if err := keptByUs(from); err != nil {
		return err
	}
	restore, err := target.NewRestore(withParams(from, map[string][]string{"mode": {"ro"}}))
	if err != nil {
		return err
	}
	if _, err := restore.Step(-1); err != nil {
		_ = restore.Finish() // says the same again
		return err
	}
	return restore.Finish()
}
