package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"taskapi/app"
)

// ErrOtherSchema: the tables are no longer those that this program made.
var ErrOtherSchema = errors.New("the tables of the database were changed by another program")

// damage is what was met that can't be in a sound database of ours. From then
// on nothing is written, until an operator has decided and the program has been
// started again: writing to a damaged database makes it worse.
type damage struct {
	found  atomic.Pointer[error]
	schema string // as this program left it
	number int64  // of the schema then, which each change to it raises
}

// note keeps the first damage that is met.
func (d *damage) note(err error) {
	d.found.CompareAndSwap(nil, &err)
}

// err returns app.ErrDatabaseDamaged once there is damage.
func (d *damage) err() error {
	if found := d.found.Load(); found != nil {
		return app.ErrDatabaseDamaged.With(*found)
	}
	return nil
}

// readSchema returns the text of all tables, indexes and triggers.
func (db *DB) readSchema(ctx context.Context) (text string, err error) {
	rows, err := db.engine.readPool.QueryContext(ctx, `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
		WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type, name`)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var all strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return "", err
		}
		all.WriteString(line + "\n")
	}
	return all.String(), rows.Err()
}

func (db *DB) schemaNumber(ctx context.Context) (n int64, err error) {
	err = db.readOne(ctx, `PRAGMA schema_version`, &n)
	return n, err
}

// readOne reads one value for a request that is still wanted.
func (db *DB) readOne(ctx context.Context, query string, dest ...any) error {
	if err := ctx.Err(); err != nil {
		return busy(err)
	}
	return db.engine.reader.One(context.WithoutCancel(ctx), query, nil, dest)
}

// rememberSchema notes the schema that this program works with.
func (db *DB) rememberSchema(ctx context.Context) (err error) {
	if db.damage.number, err = db.schemaNumber(ctx); err != nil {
		return err
	}
	db.damage.schema, err = db.readSchema(ctx)
	return err
}

// checkSchema notes damage when the schema is another one than it was.
func (db *DB) checkSchema(ctx context.Context) error {
	number, err := db.schemaNumber(ctx)
	if err == nil && number != db.damage.number {
		var text string
		if text, err = db.readSchema(context.WithoutCancel(ctx)); err == nil && text != db.damage.schema {
			err = ErrOtherSchema
			db.damage.note(err)
		}
	}
	return translate(err)
}

// CheckSound reads the whole database and records any damage: the
// order of the pages, but for what only a backup's proof looks at, which takes
// several times as long. It ends with its context.
func (db *DB) CheckSound(ctx context.Context) (err error) {
	if err := db.checkSchema(ctx); err != nil {
		return err
	}
	// A separate connection: the readers are for requests.
	pool, err := openPool(dsn(db.path, Full, true), 1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	var found string
	err = pool.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&found)
	switch {
	case ctx.Err() != nil:
		return busy(ctx.Err())
	case err == nil && found != "ok":
		err = fmt.Errorf("%w: %s", ErrDamaged, found)
		db.damage.note(err)
	case isDamage(err):
		err = describe(err)
		db.damage.note(err)
	}
	return err
}

// checkLength notes damage when the file is shorter than it was, and too short
// for the pages that SQLite believes it has. Only VACUUM makes a sound one
// shorter.
func (db *DB) checkLength(ctx context.Context) error {
	short, size, err := db.place.shorter()
	if err != nil || !short {
		return err
	}
	var pages, pageSize int64
	if err := errors.Join(db.readOne(ctx, `PRAGMA page_count`, &pages), db.readOne(ctx, `PRAGMA page_size`, &pageSize)); err != nil {
		return err
	}
	if size < pages*pageSize {
		err := fmt.Errorf("%w: the file has %d bytes, and should have %d", ErrDamaged, size, pages*pageSize)
		db.damage.note(err)
		return err
	}
	return nil
}
