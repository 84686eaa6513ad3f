package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

func newDBBackup(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "backup [FILE]", Short: "Copy the database to a file and prove the copy, also while the server serves",
		Long: `Copy the database as it is at this moment, also while the server serves, and prove
the copy: it is opened, checked, its rows are counted and its hash is taken before
it gets its name. Without FILE, it goes into the backup folder. The key of the
tokens (secret.key) is not in it: without that, everybody signs in again.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			file := ""
			if len(args) == 1 {
				file = args[0]
			}
			return a.backUp(cmd.Context(), l.Settings, file)
		},
	}
	settings.AddFlags(cmd, settings.ForBackup)
	return cmd
}

func (a *application) backUp(ctx context.Context, s settings.Settings, file string) error {
	if err := onlyFiles(s, `"taskapi db backup"`, `make a backup with "pg_dump --format=custom --file=taskapi.dump ADDRESS"`); err != nil {
		return err
	}
	d := datadir.Dir{Path: s.DataDir}
	// Opened once: it must be there, be ours, and have this program's schema.
	db, err := a.existing(ctx, d, s)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := a.removeLeftovers(s, a.sayRemoved, filepath.Dir(file)); err != nil {
		return fmt.Errorf("what an unfinished backup left can't be removed: %w", err)
	}
	progress := a.progress("Copying")
	made := sqlite.Made{Path: file}
	if file == "" {
		made, err = a.backups(s).Make(ctx, false, progress.show)
	} else {
		made.Manifest, err = sqlite.Backup(ctx, sqlite.BackupOptions{
			From: d.Database(), To: file, Version: a.build.Version, Now: a.clock.Now(), Progress: progress.show,
		})
	}
	progress.end()
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("there is something at %s already; choose another name", file)
	case errors.Is(err, sqlite.ErrDamaged), errors.Is(err, sqlite.ErrNotDatabase):
		return fmt.Errorf("no backup was made, since the database is damaged; stop the server and restore an earlier backup (%w)", err)
	case err != nil:
		return fmt.Errorf("no backup was made, %w; the database is as it was", sentence(err))
	}
	return a.printf("%s is a whole and proven copy: %s, %s, SHA-256 %s.\n", made.Path, content(made.Manifest), machine.BytesText(made.Bytes), made.SHA256)
}

// removeLeftovers removes what copies that were cut off have left in the data
// folder, in that of the backups and in others, and says each.
func (a *application) removeLeftovers(s settings.Settings, say func(sqlite.Leftover) error, others ...string) error {
	dirs := append([]string{s.DataDir, a.backups(s).Dir}, others...)
	slices.Sort(dirs)
	var errs []error
	for _, dir := range slices.Compact(dirs) {
		removed, err := sqlite.RemoveLeftovers(dir, a.clock.Now())
		errs = append(errs, err)
		for _, left := range removed {
			errs = append(errs, say(left))
		}
	}
	return errors.Join(errs...)
}

func (a *application) sayRemoved(left sqlite.Leftover) error {
	return a.printf("Removed %s (%s), which an unfinished upgrade, backup, restore or copy had left.\n", left.Path, machine.BytesText(left.Bytes))
}

// backups is the folder of backups that the settings name.
func (a *application) backups(s settings.Settings) *sqlite.Backups {
	dir := s.BackupDir
	if dir == "" {
		dir = filepath.Join(s.DataDir, "backups")
	}
	return &sqlite.Backups{
		Path: datadir.Dir{Path: s.DataDir}.Database(), Dir: dir, Version: a.build.Version,
		Every: s.BackupEvery, Keep: s.BackupKeep, Now: a.clock.Now,
	}
}

func newDBRestore(a *application) *cobra.Command {
	var f restoreFlags
	cmd := &cobra.Command{
		Use: "restore [FILE]", Short: "Put a backup in the place of the database, which is kept aside",
		Long: `Put a backup in the place of the database, which is kept aside: FILE, as "taskapi db
backup" has made it, or the state that a replica holds (serve --replicate-to), the
last one or that of a moment. What is restored is proved first.`,
		Args: func(cmd *cobra.Command, args []string) error { return f.source(cmd, args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if f.from != "" {
				return a.restoreReplica(cmd.Context(), l.Settings, f)
			}
			if _, err := f.moment(); err != nil {
				return err
			}
			return a.restore(cmd.Context(), l.Settings, args[0], f.yes)
		},
	}
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().StringVar(&f.from, "from", "", "replica to restore instead of a backup: a folder, or s3://BUCKET/PREFIX")
	cmd.Flags().StringVar(&f.at, "at", "", "moment whose state to restore from it, such as 2026-11-30T09:00:00Z (default the last)")
	settings.AddFlags(cmd, settings.ForRestore)
	return cmd
}

func (a *application) restore(ctx context.Context, s settings.Settings, file string, yes bool) error {
	if err := onlyFiles(s, `"taskapi db restore"`, `stop all servers, and restore with "pg_restore --clean --if-exists --single-transaction --dbname=ADDRESS taskapi.dump"`); err != nil {
		return err
	}
	return a.replace(ctx, s, func(d datadir.Dir) (sqlite.Restored, error) {
		checking := a.progress("Checking " + file)
		m, _, err := sqlite.ProveBackup(ctx, file)
		checking.end()
		if err != nil {
			return sqlite.Restored{}, fmt.Errorf("%s is not restored, %w; the database is as it was", file, sentence(err))
		}
		if !yes {
			question := fmt.Sprintf("Replace the database in %s by one with %s? Type yes: ", d.Path, content(m))
			if err := a.confirm(ctx, question); err != nil {
				return sqlite.Restored{}, err
			}
		}
		progress := a.progress("Restoring")
		defer progress.end()
		r, err := sqlite.Restore(ctx, sqlite.RestoreOptions{From: file, Path: d.Database(), Schema: a.build.Schema, Now: a.clock.Now(), Progress: progress.show})
		if err != nil {
			return r, fmt.Errorf("%s is not restored, %w; the database is as it was", file, sentence(err))
		}
		return r, nil
	}, func(r sqlite.Restored) error {
		if !r.Proven {
			if err := a.printf("There was no manifest beside %s, so only its inside could be checked.\n", file); err != nil {
				return err
			}
		}
		return a.printf("Restored: %s%s. Who was signed in then is signed in again.\n", content(r.Manifest), asOf(r.Manifest))
	})
}

func newDBRollback(a *application) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "rollback", Short: "Undo the last upgrade: put back the database from before it", Args: noArgs,
		Long: `Put back the copy of the database that was made before its schema was last brought
forward, for the version of taskapi that knew that schema. What was written since
is kept aside, in the file that this prints.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return a.rollBack(cmd.Context(), l.Settings, yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func (a *application) rollBack(ctx context.Context, s settings.Settings, yes bool) error {
	if err := onlyFiles(s, `"taskapi db rollback"`, "restore the backup that you made before the upgrade"); err != nil {
		return err
	}
	return a.replace(ctx, s, func(d datadir.Dir) (sqlite.Restored, error) {
		if _, err := sqlite.Snapshot(ctx, d.Database()); errors.Is(err, sqlite.ErrNoSnapshot) {
			return sqlite.Restored{}, fmt.Errorf("there is nothing to go back to: no upgrade has left a copy in %s", d.Path)
		}
		if !yes {
			if err := a.confirm(ctx, fmt.Sprintf("Put back the database in %s from before the last upgrade? Type yes: ", d.Path)); err != nil {
				return sqlite.Restored{}, err
			}
		}
		progress := a.progress("Going back")
		defer progress.end()
		r, err := sqlite.Rollback(ctx, d.Database(), a.clock.Now())
		if err != nil {
			return r, fmt.Errorf("the upgrade is not undone, %w; the database is as it was", sentence(err))
		}
		return r, nil
	}, func(r sqlite.Restored) error {
		return a.printf("Back at schema %d%s: %s. Run the older version of taskapi now; this one would upgrade again.\n", r.Schema, asOf(r.Manifest), content(r.Manifest))
	})
}

// replace puts another database in the place of the present one, and says so.
func (a *application) replace(ctx context.Context, s settings.Settings, do func(d datadir.Dir) (sqlite.Restored, error), say func(sqlite.Restored) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	d := datadir.Dir{Path: s.DataDir}
	if err := d.Make(); err != nil {
		return err
	}
	release, err := d.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	r, err := do(d)
	if err != nil {
		return err
	}
	for _, left := range r.Removed {
		err = errors.Join(err, a.sayRemoved(left))
	}
	if err := errors.Join(err, say(r)); err != nil || r.Aside == "" {
		return err
	}
	if err := a.printf("What was there before is kept as %s; delete it when you no longer need it.\n", r.Aside); err != nil {
		return err
	}
	for _, old := range r.Dropped {
		err = errors.Join(err, a.printf("Removed %s (%s): the newest %d stay.\n", old.Path, machine.BytesText(old.Bytes), sqlite.KeptAside))
	}
	return err
}

// content says how much is in a database.
func content(m sqlite.Manifest) string {
	return plural(m.Rows["users"], "user") + ", " + plural(m.Rows["tasks"], "task")
}

func asOf(m sqlite.Manifest) string {
	if m.MadeAt.IsZero() {
		return ""
	}
	return " as of " + m.MadeAt.Format("2006-01-02 15:04:05 UTC")
}

// sentence words what can be wrong with a file for the operator.
func sentence(err error) error {
	for known, text := range map[error]string{
		sqlite.ErrNewer:       "since it was made by a newer version of taskapi; install that version",
		sqlite.ErrNotDatabase: "since it is not a database, or is damaged; use another backup",
		sqlite.ErrForeign:     "since it is empty or belongs to another program; use another file",
		sqlite.ErrDamaged:     "since the file is damaged; use another backup",
		sqlite.ErrNotAsMade:   "since it has been changed since it was made; use another backup",
		sqlite.ErrInUse:       "since it is a database in use, with its log beside it; copy that with \"taskapi db backup\"",
		sqlite.ErrFull:        "since the disk is full; make room",
		syscall.ENOSPC:        "since the disk is full; make room",
		sqlite.ErrNotFile:     "since that is a folder, a pipe or a device; name a file",
		fs.ErrNotExist:        "since there is no such file or folder; check the name",
		fs.ErrPermission:      "since this user may not do that there; change who may, or choose another place",
	} {
		if errors.Is(err, known) {
			return fmt.Errorf("%s (%w)", text, err)
		}
	}
	return err
}
