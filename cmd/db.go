package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

func newDB(a *application) *cobra.Command {
	return newGroup("db", "Make, reset, back up, restore, copy, import and export the database",
		newDBInit(a), newDBReset(a), newDBBackup(a), newDBRestore(a), newDBRollback(a), newDBImport(a), newDBExport(a), newDBCopy(a))
}

func newDBInit(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "init", Short: "Make the database, or bring an older one up to date", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return a.initDatabase(cmd.Context(), l.Settings)
		},
	}
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func (a *application) initDatabase(ctx context.Context, s settings.Settings) error {
	d := datadir.Dir{Path: s.DataDir}
	if err := d.Make(); err != nil {
		return err
	}
	db, err := a.open(ctx, d, s)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if s.Database != "" {
		return a.printf("The database %s is ready.\n", postgres.Redact(s.Database))
	}
	return a.printf("The database %s is ready.\n", d.Database())
}

func newDBReset(a *application) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "reset", Short: "Delete all users and tasks and make an empty database", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return a.resetDatabase(cmd.Context(), l.Settings, yes)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func (a *application) resetDatabase(ctx context.Context, s settings.Settings, yes bool) (err error) {
	if err := onlyFiles(s, `"taskapi db reset"`, fmt.Sprintf("stop all servers, and empty it with psql: \"DROP SCHEMA %[1]s CASCADE; CREATE SCHEMA %[1]s\"", postgres.Schema(s.Database))); err != nil {
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
	if !yes {
		question := fmt.Sprintf("Delete all users and tasks in %s for ever? Type yes: ", d.Database())
		if err := a.confirm(ctx, question); err != nil {
			return err
		}
	}
	if err := sqlite.Ours(ctx, d.Database()); errors.Is(err, sqlite.ErrForeign) {
		return fmt.Errorf("%s belongs to another program and is not deleted; choose another folder with --data-dir", d.Database())
	}
	// The log first: without its database it would be played into the next.
	for _, suffix := range []string{"-wal", "-shm", "-journal", sqlite.TimelineEnd, ""} {
		if err := os.Remove(d.Database() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the old database can't be removed; change who may write in %s (%w)", d.Path, err)
		}
	}
	return a.initDatabase(ctx, s)
}

// confirm asks a person; without one, it says which flag answers.
func (a *application) confirm(ctx context.Context, question string) error {
	if !a.terminal() {
		return usagef("nobody is there to ask; add --yes to go ahead")
	}
	if _, err := fmt.Fprint(a.err, question); err != nil {
		return err
	}
	answer, err := await(ctx, func() (string, error) { return bufio.NewReader(a.in).ReadString('\n') })
	answer = strings.TrimSpace(answer)
	if answer == "yes" {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("nothing was changed, because the answer was %q and not \"yes\"", printable(answer))
	}
	_, printErr := fmt.Fprintln(a.err) // the line that the person did not end
	return errors.Join(err, printErr)
}
