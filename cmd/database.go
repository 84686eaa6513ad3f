package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"

	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

// database is the store, with what its engine alone knows. One of the engines is nil.
type database struct {
	*store.DB
	file   *sqlite.DB
	copies *sqlite.Replication // of the file; nil without a second place
	server *postgres.DB
}

// Close ends all connections, after the replica has got what was written last.
func (d *database) Close() error {
	if d.server != nil {
		return d.server.Close()
	}
	return errors.Join(d.copies.Close(), d.file.Close())
}

// CheckRead reads the database.
func (d *database) CheckRead(ctx context.Context) error {
	if d.server != nil {
		return d.DB.CheckRead(ctx)
	}
	return d.file.CheckRead(ctx)
}

// folder is the one whose disk has to have room: that of the database file, or of the key.
func (d *database) folder(s settings.Settings) string {
	if d.file != nil {
		return filepath.Dir(d.file.Path())
	}
	return s.DataDir
}

// load returns how many changes wait, and the sizes of the write-ahead log and of the database, 0
// for what only another machine knows.
func (d *database) load() (waiting int, log, bytes int64) {
	if d.server != nil {
		return d.Waiting(), 0, 0
	}
	load := d.file.Load()
	return load.Waiting, load.LogBytes, load.DatabaseBytes
}

// openServer connects to a PostgreSQL database.
func (a *application) openServer(ctx context.Context, s settings.Settings, existing bool) (*postgres.DB, error) {
	db, err := postgres.Open(ctx, postgres.Options{
		URL: s.Database, Password: s.DatabasePassword, Relaxed: s.Durability == sqlite.Normal, Connections: s.DatabaseConnections, Existing: existing,
		Now: a.clock.Now, Elapsed: a.clock.Elapsed, Random: rand.Reader,
	})
	if errors.Is(err, postgres.ErrEmpty) {
		return nil, errors.New("there are no tables of taskapi in the database; make them with \"taskapi db init\", or name the right one with --database")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", postgres.Redact(s.Database), err)
	}
	return db, nil
}

// open opens the database of the settings, and tells the clock when its newest row
// was written.
func (a *application) open(ctx context.Context, d datadir.Dir, s settings.Settings) (*database, error) {
	if s.Database != "" {
		server, err := a.openServer(ctx, s, false)
		if err != nil {
			return nil, err
		}
		return a.noteNewest(ctx, &database{DB: server.DB, server: server})
	}
	options, done := a.upgrading(a.options(s.Durability))
	file, err := d.Open(ctx, options)
	done()
	if err != nil {
		return nil, err
	}
	return a.noteNewest(ctx, &database{DB: file.DB, file: file})
}

// existing opens a database that must be there already.
func (a *application) existing(ctx context.Context, d datadir.Dir, s settings.Settings) (*database, error) {
	if s.Database != "" {
		server, err := a.openServer(ctx, s, true)
		if err != nil {
			return nil, err
		}
		return a.noteNewest(ctx, &database{DB: server.DB, server: server})
	}
	file, err := d.OpenExisting(ctx, a.options(s.Durability))
	if err != nil {
		return nil, err
	}
	return a.noteNewest(ctx, &database{DB: file.DB, file: file})
}

// noteNewest tells the clock when the newest row was written, and closes a
// database that does not know.
func (a *application) noteNewest(ctx context.Context, db *database) (*database, error) {
	newest, err := db.Newest(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	a.clock.Written(newest)
	return db, nil
}

// onlyFiles refuses what is done to a file, and says with what tool of PostgreSQL it is done to
// a database there.
func onlyFiles(s settings.Settings, what, instead string) error {
	if s.Database == "" {
		return nil
	}
	return fmt.Errorf("%s is for the database file of a data folder; yours is %s: %s", what, postgres.Redact(s.Database), instead)
}
