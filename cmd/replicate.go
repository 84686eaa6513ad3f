package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/replica"
	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

// mostReplicaBehind is how far the replica may be behind before the readiness says so.
const mostReplicaBehind = time.Minute

// replicate begins to hold the log of the database for its second place, if the settings name one.
func (a *application) replicate(ctx context.Context, s settings.Settings, db *database, log *slog.Logger) error {
	if s.ReplicateTo == "" {
		return nil
	}
	place, err := replica.Open(s.ReplicateTo, replica.Keys{ID: s.ReplicateKeyID, Secret: s.ReplicateSecret})
	if err != nil {
		return fmt.Errorf("--replicate-to: %w", err)
	}
	db.copies, err = db.file.Replicate(ctx, sqlite.ReplicateOptions{
		Place: place, Version: a.build.Version, Log: log, Random: func() string { return rand.Text()[:8] },
		Room: func() (int64, error) {
			free, err := machine.FreeBytes(s.DataDir)
			return int64(min(free, 1<<62)), err
		},
	})
	return err
}

// replicaFault says how far the replica is behind, if that is far.
func replicaFault(ctx context.Context, db *database) error {
	state, _ := db.file.ReplicaState(ctx)
	if state.Behind <= mostReplicaBehind {
		return nil
	}
	err := fmt.Errorf("the replica has been behind for %s, with %d KiB of the log to come", state.Behind.Round(time.Second), state.Waiting>>10)
	if state.Err != nil {
		err = fmt.Errorf("%w: %w", err, state.Err)
	}
	return err
}

// restoreFlags are the flags of db restore that are no settings.
type restoreFlags struct {
	yes      bool
	from, at string
}

// moment reads --at; zero for the last state.
func (f restoreFlags) moment() (at time.Time, err error) {
	if f.at == "" {
		return at, nil
	}
	if f.from == "" {
		return at, usagef("--at is for a replica; name it with --from, or leave --at out")
	}
	if at, err = time.Parse(time.RFC3339, f.at); err != nil {
		return at, usagef("--at: expected a time such as 2026-11-30T09:00:00Z")
	}
	return at, nil
}

// source wants a backup or a replica.
func (f *restoreFlags) source(cmd *cobra.Command, args []string) error {
	if f.from == "" {
		return exactArg("the backup, as \"taskapi db backup\" has made it, or --from with a replica")(cmd, args)
	}
	if len(args) > 0 {
		return usagef("%q takes a backup or --from, not both", cmd.CommandPath())
	}
	if err := replica.Check(f.from); err != nil {
		return usagef("--from: %v", err)
	}
	_, err := f.moment()
	return err
}

// restoreReplica puts the state that a replica holds in the place of the database.
func (a *application) restoreReplica(ctx context.Context, s settings.Settings, f restoreFlags) error {
	if err := onlyFiles(s, `"taskapi db restore --from"`, `use its own recovery to a moment`); err != nil {
		return err
	}
	at, err := f.moment()
	if err != nil {
		return err
	}
	place, err := replica.Open(f.from, replica.Keys{ID: s.ReplicateKeyID, Secret: s.ReplicateSecret})
	if err != nil {
		return usagef("--from: %v", err)
	}
	return a.replace(ctx, s, func(d datadir.Dir) (r sqlite.Restored, err error) {
		fetching := a.progress("Fetching " + f.from)
		fetched, err := sqlite.Fetch(ctx, place, at, d.Database(), fetching.show)
		fetching.end()
		if err != nil {
			return r, fmt.Errorf("nothing is restored from %s, %w; the database is as it was", f.from, replicaSentence(err))
		}
		defer func() { err = errors.Join(err, fetched.Discard()) }()
		if !f.yes {
			question := fmt.Sprintf("Replace the database in %s by one with %s%s? Type yes: ", d.Path, content(fetched.Manifest), asOf(fetched.Manifest))
			if err := a.confirm(ctx, question); err != nil {
				return r, err
			}
		}
		progress := a.progress("Restoring")
		defer progress.end()
		r, err = sqlite.Restore(ctx, sqlite.RestoreOptions{From: fetched.Path, Path: d.Database(), Schema: a.build.Schema, Now: a.clock.Now(), Progress: progress.show})
		if err != nil {
			return r, fmt.Errorf("nothing is restored from %s, %w; the database is as it was", f.from, sentence(err))
		}
		r.MadeAt = fetched.At
		return r, nil
	}, func(r sqlite.Restored) error {
		return a.printf("Restored: %s%s. Who was signed in then is signed in again.\n", content(r.Manifest), asOf(r.Manifest))
	})
}

// replicaSentence words what can be wrong with a replica for the operator.
func replicaSentence(err error) error {
	var outside *replica.RangeError
	var gap *replica.GapError
	switch {
	case errors.As(err, &outside):
		return fmt.Errorf("since %w; choose a moment between them, or leave --at out for the last", err)
	case errors.As(err, &gap) && !gap.Until.IsZero():
		return fmt.Errorf("since %w; for that, add --at %s", err, gap.Until.UTC().Format("2006-01-02T15:04:05.000Z"))
	case errors.As(err, &gap):
		return fmt.Errorf("since %w; use a backup", err)
	case errors.Is(err, replica.ErrDamaged):
		return fmt.Errorf("since a piece of it is damaged; choose an earlier moment with --at, or use a backup (%w)", err)
	case errors.Is(err, replica.ErrEmpty):
		return fmt.Errorf("since %w; check the name, and that the server had the time to send a first snapshot", err)
	case errors.Is(err, fs.ErrNotExist):
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			err = at // what to do about it is another thing here
		}
		return fmt.Errorf("since there is no such folder or object; check the name (%w)", err)
	}
	return sentence(err)
}
