package cmd

import (
	"context"
	"errors"
	"fmt"

	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
)

// open opens the database in a folder, and tells the clock when its newest row
// was written.
func (a *application) open(ctx context.Context, d datadir.Dir, durability sqlite.Durability) (*sqlite.DB, error) {
	options, done := a.upgrading(a.options(durability))
	db, err := d.Open(ctx, options)
	done()
	if err != nil {
		return nil, err
	}
	return db, a.noteNewest(ctx, db)
}

// upgrading adds to options what tells how far an upgrade of the database has come, on a
// terminal as it goes on and else in a line; done must be called after the opening.
func (a *application) upgrading(options sqlite.Options) (_ sqlite.Options, done func()) {
	p := a.progress("Upgrading the database")
	said := a.screen()
	options.Progress = func(done, total int64) {
		if !said {
			said = true
			_, _ = fmt.Fprintf(a.err, "Upgrading the database: %d tasks.\n", total)
		}
		p.show(done, total)
	}
	return options, p.end
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
