package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

// checkServer looks at the PostgreSQL database of the settings.
func checkServer(ctx context.Context, s settings.Settings, d datadir.Dir) Finding {
	address := postgres.Redact(s.Database)
	db, err := postgres.Dial(ctx, postgres.Options{URL: s.Database, Password: s.DatabasePassword})
	if err != nil {
		return failure("%s: %v; look whether the server runs, and whether --database and its password are right", address, cause(err))
	}
	defer func() { _ = db.Close() }() // nothing was written
	began := time.Now()
	facts, err := db.Facts(ctx)
	took := time.Since(began)
	switch {
	case errors.Is(err, postgres.ErrEmpty):
		return okay("%s answers, and holds no tables yet; \"taskapi serve\" makes them", address)
	case errors.Is(err, postgres.ErrForeign), errors.Is(err, postgres.ErrNewer), errors.Is(err, postgres.ErrTooOld), errors.Is(err, postgres.ErrEncoding):
		return failure("%s: %v", address, err)
	case err != nil:
		return failure("%s can't be read (%v); look at the log of the database server", address, cause(err))
	}
	err = store.Consistent(func(query string, n *int64) error { return db.One(ctx, query, nil, []any{n}) })
	switch {
	case errors.Is(err, store.ErrInconsistent):
		return failure("%s answers, but %v; please report this, and restore a backup if something is missing", address, err)
	case ctx.Err() != nil:
		return warning("%s is too large to be looked through in %s; nothing wrong was found until then", address, checkTimeout)
	case err != nil:
		return failure("%s can't be read (%v); look at the log of the database server", address, cause(err))
	case facts.ReadOnly:
		return failure("%s can only be read: it is a standby, or default_transaction_read_only is on; name the server that takes writes", address)
	case !facts.FSync:
		return failure("%s runs with fsync=off: a crash of its machine damages the data; turn it on", address)
	case hasOtherKey(ctx, db, s, d):
		return failure("%s: %v", address, datadir.ErrOtherKey)
	case !facts.SyncsCommits && s.Durability != sqlite.Normal:
		return warning("%s has synchronous_commit=off: a crash loses the last moments of what was answered; turn it on, or choose --durability normal", address)
	}
	return okay("PostgreSQL %s at %s answers in %s, and what is in it agrees", facts.Version, address, max(took.Round(100*time.Microsecond), 100*time.Microsecond))
}

// hasOtherKey reports whether this process would sign with another key than those that have used the
// database.
func hasOtherKey(ctx context.Context, db *postgres.Session, s settings.Settings, d datadir.Dir) bool {
	var theirs string
	err := db.One(ctx, `SELECT value FROM meta WHERE name = 'key_check'`, nil, []any{&theirs})
	return err == nil && d.OtherKey(s.JWTSecret, theirs)
}

// folderChecks look at what only a database file needs, or at what stands for it elsewhere.
func folderChecks(s Subject, files []Check) []Check {
	if s.Settings.Database == "" {
		return files
	}
	return []Check{
		{"database", func(ctx context.Context) Finding {
			return checkServer(ctx, s.Settings, datadir.Dir{Path: s.Settings.DataDir})
		}},
		{"backups", func(context.Context) Finding {
			return okay("%s", fmt.Sprintf("those of %s are yours to make, with pg_dump or with what your provider has", postgres.Redact(s.Settings.Database)))
		}},
	}
}
