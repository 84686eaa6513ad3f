package cmd

import (
	"context"
	"errors"

	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
)

// open opens the database in a folder, and tells the clock when its newest row
// was written.
func (a *application) open(ctx context.Context, d datadir.Dir, durability sqlite.Durability) (*sqlite.DB, error) {
	db, err := d.Open(ctx, a.options(durability))
	if err != nil {
		return nil, err
	}
	return db, a.noteNewest(ctx, db)
}

// existing opens a database that must be there already.
func (a *application) existing(ctx context.Context, d datadir.Dir, durability sqlite.Durability) (*sqlite.DB, error) {
	db, err := d.OpenExisting(ctx, a.options(durability))
	if err != nil {
		return nil, err
	}
	return db, a.noteNewest(ctx, db)
}

func (a *application) options(durability sqlite.Durability) sqlite.Options {
	return sqlite.Options{Schema: a.build.Schema, Durability: durability, Now: a.clock.Now, Elapsed: a.clock.Elapsed}
}

// noteNewest tells the clock when the newest row was written, and closes a
// database that does not know.
func (a *application) noteNewest(ctx context.Context, db *sqlite.DB) error {
	newest, err := db.Newest(ctx)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	a.clock.Written(newest)
	return nil
}
