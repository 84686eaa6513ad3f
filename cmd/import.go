package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"taskapi/app"
	"taskapi/app/mariadb"
	"taskapi/app/operate"
	"taskapi/app/transfer"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

func newDBImport(a *application) *cobra.Command {
	var dryRun bool
	var owner string
	cmd := &cobra.Command{
		Use:   "import SOURCE",
		Short: "Import users, lists and tasks: the tutorial's MariaDB, a JSON file, or CSV files",
		Long: `Import users, lists and tasks, all or nothing, and say what was skipped and why:

  taskapi db import mysql://user@host/flask_api_db   the tutorial's MariaDB or MySQL
  taskapi db import export.json                      what "taskapi db export" made
  taskapi db import users.csv tasks.csv              two CSV files; the second may be left out
  taskapi db import tasks.csv --user ann@example.com one CSV file: tasks for a user who is there

The password of the database is asked for, or comes from TASKAPI_IMPORT_PASSWORD.
People sign in with their old passwords. Into an empty database, ids are kept;
into another, all are new. Of CSV files, a task comes into the list of its user that
its column "list" names, which is made if it is not there. A server on the same data folder must be stopped first.`,
		Args: importArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if owner != "" && (len(args) != 1 || !isCSV(args[0])) {
				return usagef("--user wants one .csv file, of tasks")
			}
			return a.importFrom(cmd.Context(), l.Settings, args, importOptions{dryRun, owner})
		},
	}
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "do everything, print the report, and undo it")
	cmd.Flags().StringVar(&owner, "user", "", "e-mail address of the user who gets the tasks of a single CSV file")
	settings.AddFlags(cmd, settings.ForImport)
	return cmd
}

// importOptions are what the flags of an import say.
type importOptions struct {
	dryRun bool
	owner  string
}

func isCSV(name string) bool { return strings.EqualFold(filepath.Ext(name), ".csv") }

func importArgs(cmd *cobra.Command, args []string) error {
	kinds := ""
	for _, arg := range args {
		if mariadb.IsAddress(arg) {
			kinds += "address "
		} else {
			kinds += strings.ToLower(filepath.Ext(arg)) + " "
		}
	}
	switch kinds {
	case "address ", ".json ", ".csv ", ".csv .csv ":
		return nil
	}
	return usagef("%q wants a mysql:// address, a .json file, or a .csv file of users and one of tasks", cmd.CommandPath())
}

// importFrom runs an import and prints its report.
func (a *application) importFrom(ctx context.Context, s settings.Settings, args []string, o importOptions) (err error) {
	source, closeSource, err := a.importSource(ctx, s, args, o.owner)
	switch {
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case err != nil:
		return err
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	d := datadir.Dir{Path: s.DataDir}
	if _, statErr := os.Lstat(d.Database()); o.dryRun && errors.Is(statErr, fs.ErrNotExist) {
		// Leave nothing behind, not even an empty database.
		if d.Path, err = os.MkdirTemp("", "taskapi-dry-run-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(d.Path)) }()
	}
	if err := d.Make(); err != nil {
		return err
	}
	release, err := d.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	db, err := a.open(ctx, d, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	progress := a.progress("Importing")
	run := operate.Import{
		Store: db, Now: a.clock.Now, DryRun: o.dryRun, Owner: o.owner,
		Note: func(where, what string) {
			progress.clear()
			a.note(where, what)
		},
		Progress: func(r operate.ImportReport) { progress.say("%d users, %d tasks", r.Users, r.Tasks) },
	}
	report, err := run.Run(ctx, source)
	progress.end()
	switch {
	case errors.Is(err, operate.ErrNoOwner):
		return fmt.Errorf("nothing was imported: there is no user %q; \"taskapi user list\" shows them all", o.owner)
	case errors.Is(err, transfer.ErrColumns) && len(args) == 1 && o.owner == "":
		return fmt.Errorf("nothing was imported: %w. If the file holds tasks, say whose they are: --user EMAIL", err)
	case err != nil:
		return importFailed(err, report)
	}
	return a.printf("%s", describeImport(report, o, s.VerifiedOnly))
}

// note prints a line of a report. A failure to print must not stop an
// import.
func (a *application) note(where, what string) { _ = a.printf("%s: %s\n", printable(where), what) }

// importSource opens what the arguments name. Close it with the function.
func (a *application) importSource(ctx context.Context, s settings.Settings, args []string, owner string) (operate.ImportSource, func() error, error) {
	nothing := func() error { return nil }
	switch {
	case mariadb.IsAddress(args[0]):
		address, err := mariadb.ParseAddress(args[0])
		if err != nil {
			return nil, nil, usageError{err}
		}
		if address, err = a.importPassword(ctx, s, address); err != nil {
			return nil, nil, err
		}
		source, err := mariadb.Open(ctx, address)
		if err != nil {
			return nil, nil, err
		}
		return source, source.Close, nil
	case len(args) == 2:
		return transfer.CSV{UsersPath: args[0], TasksPath: args[1], Note: a.note}, nothing, nil
	case owner != "":
		return transfer.CSV{TasksPath: args[0], OwnTasks: true, Note: a.note}, nothing, nil
	case isCSV(args[0]):
		return transfer.CSV{UsersPath: args[0], Note: a.note}, nothing, nil
	}
	return transfer.JSON{Path: args[0]}, nothing, nil
}

// importPassword asks for the password of the database where it is not given.
func (a *application) importPassword(ctx context.Context, s settings.Settings, address mariadb.Address) (mariadb.Address, error) {
	switch {
	case address.HasPassword():
		return address, nil
	case s.ImportPassword != "":
		return address.WithPassword(s.ImportPassword), nil
	case !a.terminal():
		return address, nil // there are users without a password
	}
	if _, err := fmt.Fprintf(a.err, "Password of the database user %q: ", address.User()); err != nil {
		return address, err
	}
	line, err := a.readPassword(ctx)
	_, printErr := fmt.Fprintln(a.err)
	return address.WithPassword(string(line)), errors.Join(err, printErr)
}

func importFailed(err error, r operate.ImportReport) error {
	switch {
	case errors.Is(err, operate.ErrNothingImported) && r.SkippedUsers+r.SkippedTasks > 0:
		return fmt.Errorf("nothing was imported: skipped %s, for the reasons above", counted(r.SkippedUsers, r.SkippedTasks+r.TasksOfSkipped))
	case errors.Is(err, operate.ErrNothingImported):
		return errors.New("nothing was imported: the source has no users")
	case errors.Is(err, context.Canceled):
		return errInterrupted
	case errors.Is(err, app.ErrDiskFull):
		return fmt.Errorf("nothing was imported: the disk is full; make room and try again (%w)", err)
	case errors.Is(err, app.ErrBusy):
		return fmt.Errorf("nothing was imported: another command is writing to the database; try again when it has ended (%w)", err)
	}
	return fmt.Errorf("nothing was imported: %w", err)
}

// describeImport is the report, a sentence a line.
func describeImport(r operate.ImportReport, o importOptions, verifiedOnly bool) string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	verb := "Imported"
	if o.dryRun {
		verb = "Would import"
	}
	add("%s %s.", verb, counted(r.Users, r.Tasks))
	if r.Lists > 0 {
		made := "Made"
		if o.dryRun {
			made = "Would make"
		}
		add("%s %s beside the Inboxes.", made, plural(r.Lists, "list"))
	}
	if r.SkippedLists > 0 {
		add("Skipped %s, for the reasons above.", plural(r.SkippedLists, "list"))
	}
	if r.SkippedUsers+r.SkippedTasks > 0 {
		add("Skipped %s, for the reasons above.", counted(r.SkippedUsers, r.SkippedTasks))
	}
	if r.TasksOfSkipped > 0 {
		add("Skipped %s more, whose users were skipped.", plural(r.TasksOfSkipped, "task"))
	}
	switch {
	case o.owner != "":
		add("They are tasks of %s now.", o.owner)
	case r.KeptIDs:
		add("Ids are the ones they had.")
	default:
		add("All have new ids, since this database has or had users or tasks of its own.")
	}
	if r.Repaired > 0 {
		add("Set right in %s: outer white space, Windows line ends, completion without its date, a missing date.", plural(r.Repaired, "row"))
	}
	if r.NoPassword > 0 {
		add("Without a password: %s. They set one by \"Forgot password\", or you do: taskapi user passwd USER.", plural(r.NoPassword, "user"))
	}
	if r.Admins > 0 {
		add("Now ordinary users: %s. Make admins with: taskapi user promote USER.", plural(r.Admins, "admin"))
	}
	if r.RefreshTokens > 0 {
		add("Left behind: %s, signed with another key. Everybody signs in again, with the old password.", plural(r.RefreshTokens, "refresh token"))
	}
	if verifiedOnly && r.Users > 0 {
		add("Addresses count as unconfirmed, and TASKAPI_REQUIRE_VERIFIED_EMAIL is on: everybody follows the link in a mail first (POST /auth/email/resend).")
	}
	if o.dryRun {
		add("This was a dry run: nothing was changed.")
	}
	return strings.Join(lines, "\n") + "\n"
}

func counted(users, tasks int64) string {
	return plural(users, "user") + " and " + plural(tasks, "task")
}

func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// printable is a text of others without what a terminal would obey.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}
