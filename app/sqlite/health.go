package sqlite

import (
	"context"
	"errors"
	"os"

	"taskapi/app/store"
)

// Load is how busy the database is.
type Load struct {
	// Waiting is how many changes wait for their turn.
	Waiting int
	// LogBytes is the size of the write-ahead log.
	LogBytes int64
	// DatabaseBytes is the size of the database without it.
	DatabaseBytes int64
}

// Load looks at the queue and the files; it does not touch the database.
func (db *DB) Load() Load {
	load := Load{Waiting: db.Waiting()}
	// A file that is not there has no size.
	if info, err := os.Stat(db.path + "-wal"); err == nil {
		load.LogBytes = info.Size()
	}
	if info, err := os.Stat(db.path); err == nil {
		load.DatabaseBytes = info.Size()
	}
	return load
}

// CheckRead reads the database. Returns ErrGone when its file is no longer
// there, app.ErrDatabaseDamaged and ErrOtherSchema once that was met, and
// ErrDamaged from the first statement on that met damage: what one
// request can read says nothing of the page that another needs.
func (db *DB) CheckRead(ctx context.Context) error {
	if err := errors.Join(db.place.check(), db.checkTimeline(ctx)); err != nil {
		return err
	}
	if err := db.damage.err(); err != nil {
		return err
	}
	if met := db.engine.damage(); met != nil {
		return translate(met)
	}
	if err := errors.Join(db.checkSchema(ctx), db.checkLength(ctx)); err != nil {
		return err
	}
	return db.DB.CheckRead(ctx)
}

// Inspect reads a whole database and returns nil if it holds together, else
// ErrDamaged, ErrInconsistent, ErrForeign, ErrNewer, ErrNotDatabase, ErrOtherTimeline, or what the system said.
// Nothing in it is changed; a server may be using it. It ends with its context.
func Inspect(ctx context.Context, path string) (err error) {
	if err := ours(ctx, path); err != nil {
		return err
	}
	pool, err := openPool(dsn(path, Full, true), 1)
	if err != nil {
		return describe(err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return describe(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	version, err := schemaVersion(ctx, conn)
	switch {
	case err != nil:
		return describe(err)
	case version > len(steps())+1:
		return ErrNewer
	}
	if err := sound(ctx, conn); err != nil || version <= len(steps()) {
		return err
	}
	return store.Consistent(func(query string, n *int64) error { return conn.QueryRowContext(ctx, query).Scan(n) })
}
