package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"taskapi/app"
	"taskapi/app/store"
)

// Why a file can't be opened. The operator reads these.
var (
	// ErrNotDatabase: the file is something else, or badly damaged.
	ErrNotDatabase = errors.New("the file is not a SQLite database")
	// ErrForeign: the file is a database of another program.
	ErrForeign = errors.New("the file is the database of another program")
	// ErrNewer: the file was written by a later version of taskapi.
	ErrNewer = errors.New("the database was made by a newer version of taskapi")
	// ErrReadOnly: the file or its folder can't be written.
	ErrReadOnly = errors.New("the database can't be written")
	// ErrLocked: another process holds the database for too long.
	ErrLocked = errors.New("the database is locked by another process")
	// ErrFull: there is no space left on the disk.
	ErrFull = errors.New("the disk is full")
	// ErrNotFile: a folder, a pipe or a device, which could be waited for
	// without end.
	ErrNotFile = errors.New("this is not a regular file")
	// ErrGone: the file that is open no longer stands under its name, so what
	// is written to it would be lost.
	ErrGone = errors.New("the file of the open database was removed or replaced; stop the server and put it back, or restore a backup")
)

// code returns SQLite's extended result code, 0 for another kind of error.
func code(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// describe turns what SQLite said at opening into an error for the operator.
func describe(err error) error {
	// The low byte is the primary code: https://www.sqlite.org/rescode.html
	switch code(err) & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrNotDatabase, err)
	case sqlite3.SQLITE_CORRUPT:
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrLocked, err)
	case sqlite3.SQLITE_FULL:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// translate turns a driver's error into one of our kinds, by its number and
// never by its text. What the methods expect they translate themselves; here
// is what any of them can meet.
func translate(err error) error {
	var ours *app.Error
	switch {
	case err == nil || errors.As(err, &ours):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return busy(err)
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy(fmt.Errorf("%w: %w", ErrLocked, err))
	case sqlite3.SQLITE_FULL:
		return app.ErrDiskFull.With(err)
	}
	switch {
	case isUnique(err):
		return fmt.Errorf("%w: %w", store.ErrUnique, err)
	case isDamage(err):
		return app.ErrDatabaseDamaged.With(fmt.Errorf("%w: %w", ErrDamaged, err))
	}
	return err
}

// isDamage reports that SQLite met what can't be in a sound database.
func isDamage(err error) bool {
	primary := code(err) & 0xff
	return primary == sqlite3.SQLITE_CORRUPT || primary == sqlite3.SQLITE_NOTADB
}

func busy(cause error) error { return app.ErrBusy.With(cause) }

// isUnique reports a violation of a UNIQUE constraint.
func isUnique(err error) bool { return code(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE }
