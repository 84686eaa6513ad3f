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
	rows, err := db.readers.pool.QueryContext(ctx, `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
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

func (t *tx) schemaNumber() (n int64, err error) {
	err = t.one(`PRAGMA schema_version`, nil, &n)
	return n, err
}

// rememberSchema notes the schema that this program works with.
func (db *DB) rememberSchema(ctx context.Context) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	if db.damage.number, err = tx.schemaNumber(); err != nil {
		return err
	}
	db.damage.schema, err = db.readSchema(ctx)
	return err
}

// checkSchema notes damage when the schema is another one than it was.
func (db *DB) checkSchema(ctx context.Context) error {
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	number, err := tx.schemaNumber()
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
	tx, err := db.read(ctx)
	if err != nil {
		return err
	}
	var pages, pageSize int64
	if err := errors.Join(tx.one(`PRAGMA page_count`, nil, &pages), tx.one(`PRAGMA page_size`, nil, &pageSize)); err != nil {
		return translate(err)
	}
	if size < pages*pageSize {
		err := fmt.Errorf("%w: the file has %d bytes, and should have %d", ErrDamaged, size, pages*pageSize)
		db.damage.note(err)
		return err
	}
	return nil
}
