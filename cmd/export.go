package cmd

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"taskapi/app/transfer"
	"taskapi/cmd/settings"
)

func newDBExport(a *application) *cobra.Command {
	var folder string
	var hashes bool
	cmd := &cobra.Command{
		Use:   "export FILE.json",
		Short: "Export users, lists and tasks to a JSON file, or with --csv to CSV files",
		Long: `Export all users, lists and tasks as they are at one moment, while a server serves or not:

  taskapi db export export.json
  taskapi db export --csv FOLDER      users.csv and tasks.csv in the folder

"taskapi db import" reads both. The JSON file has all of it: the members of lists, and
reminders. The CSV files name the list of each task, and have no members, reminders,
uids and positions, and of a recurrence its rule only. Password hashes are left out unless asked for:
with them, people sign in after an import as before, and without, they set a new
password. Sessions, API tokens, invitations, mails, the trash, the audit record and
which addresses are confirmed stay behind. Titles are not changed: beware of formulas in a spreadsheet.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if (folder == "") != (len(args) == 1) {
				return usagef("%q wants either the name of a JSON file or --csv with a folder", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withDatabase(cmd, func(ctx context.Context, db *database) error {
				if folder != "" {
					if err := os.MkdirAll(folder, 0o700); err != nil {
						return fmt.Errorf("the folder %s can't be made; choose another (%w)", folder, err)
					}
					return a.export(ctx, db, folder, transfer.WriteCSV, hashes)
				}
				return a.export(ctx, db, args[0], transfer.WriteJSON, hashes)
			})
		},
	}
	cmd.Flags().StringVar(&folder, "csv", "", "write CSV files into this folder; it is made if it is not there")
	cmd.Flags().BoolVar(&hashes, "with-password-hashes", false, "put the password hashes in; whoever reads them can try to guess passwords")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

// writeExport is transfer.WriteJSON or transfer.WriteCSV.
type writeExport func(ctx context.Context, path string, store transfer.Store, o transfer.Options) error

func (a *application) export(ctx context.Context, db *database, path string, write writeExport, hashes bool) error {
	for _, name := range []string{path, filepath.Join(path, transfer.UsersFile), filepath.Join(path, transfer.TasksFile)} {
		if info, err := os.Lstat(name); err == nil && !info.IsDir() {
			return fmt.Errorf("there is something at %s already; choose another name", name)
		}
	}
	progress := a.progress("Exporting")
	var users, tasks int64
	err := write(ctx, path, db, transfer.Options{Hashes: hashes, Progress: func(u, t int64) {
		users, tasks = u, t
		progress.say("%d users, %d tasks", u, t)
	}})
	progress.end()
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("the export to %s failed, and %s is as it was (%w)", path, path, err)
	}
	return a.printf("Exported %s to %s.\n", counted(users, tasks), path)
}
