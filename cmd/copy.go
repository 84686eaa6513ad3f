package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

func newDBCopy(a *application) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "copy --from DATABASE --to DATABASE", Short: "Copy a database to another engine: a file of SQLite, or PostgreSQL", Args: noArgs,
		Long: `Copy everything from one database to an empty one, in either direction:

  taskapi db copy --from sqlite:taskapi-data/taskapi.db --to postgres://taskapi@db.example.com/taskapi
  taskapi db copy --from postgres://taskapi@db.example.com/taskapi --to sqlite:taskapi-data/taskapi.db

The path is that of the file. Ids, versions, sessions and all else are kept, so clients go on where
they were, as long as the servers sign with the same key (secret.key in the data folder, or
TASKAPI_JWT_SECRET). The source may be served meanwhile: the copy is of the moment at which it begins, and
what is written later is not in it. So stop all servers first if you move.

Everything is read back and compared before the copy counts. One that fails or is cut off leaves
nothing behind. Passwords of PostgreSQL come from the address, or TASKAPI_DATABASE_PASSWORD.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if from == "" || to == "" {
				return usagef("%q wants --from and --to, each sqlite:PATH or postgres://…", cmd.CommandPath())
			}
			return a.copyDatabase(cmd.Context(), l.Settings, from, to)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "what is copied: sqlite:PATH or postgres://USER@HOST/DATABASE")
	cmd.Flags().StringVar(&to, "to", "", "where to: the same, without anything in it")
	settings.AddFlags(cmd, func(s settings.Setting) bool { return s.Flag == "database-password" })
	return cmd
}

// copyPlace is what --from or --to names: the path of a file, or an address.
type copyPlace struct{ path, address string }

func parsePlace(flag, text string) (copyPlace, error) {
	if path, is := strings.CutPrefix(text, "sqlite:"); is && path != "" && !strings.HasPrefix(path, "//") {
		return copyPlace{path: path}, nil
	}
	if strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://") {
		return copyPlace{address: text}, nil
	}
	return copyPlace{}, usagef("--%s: expected sqlite:PATH or postgres://USER@HOST/DATABASE", flag)
}

func (p copyPlace) String() string {
	if p.address != "" {
		return postgres.Redact(p.address)
	}
	return p.path
}

func (p copyPlace) options(s settings.Settings) postgres.Options {
	return postgres.Options{URL: p.address, Password: s.DatabasePassword}
}

func (a *application) copyDatabase(ctx context.Context, s settings.Settings, fromText, toText string) (err error) {
	from, err := parsePlace("from", fromText)
	if err != nil {
		return err
	}
	to, err := parsePlace("to", toText)
	if err != nil {
		return err
	}
	begun := a.clock.Now()
	source, closeSource, err := openCopySource(ctx, s, from)
	if err != nil {
		return fmt.Errorf("%s is not copied, %w", from, sourceSentence(err))
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	release, err := freeFolder(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if err := a.removeCopies(to); err != nil {
		return err
	}
	target, closeTarget, err := a.openCopyTarget(ctx, s, to)
	if err != nil {
		return fmt.Errorf("nothing is copied to %s, %w", to, targetSentence(err))
	}
	progress := a.progress("Copying")
	copied, err := (&store.Copy{From: source, To: target, Progress: progress.show}).Run(ctx)
	progress.end()
	err = errors.Join(err, closeTarget())
	switch {
	case errors.Is(err, postgres.ErrUnsure):
		return fmt.Errorf("%w; copy once more: that is refused if there is a copy", err)
	case err != nil && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return fmt.Errorf("the copy failed, and %s is as it was: %w", to, sentence(err))
	}
	return a.describeCopy(copied, from, to, begun)
}

// openCopySource opens what is copied. Close it with the function.
func openCopySource(ctx context.Context, s settings.Settings, from copyPlace) (store.CopySource, func() error, error) {
	if from.address != "" {
		source, err := postgres.CopyFrom(ctx, from.options(s))
		if err != nil {
			return nil, nil, err
		}
		return source, source.Close, nil
	}
	source, err := sqlite.CopyFrom(ctx, from.path)
	if err != nil {
		return nil, nil, err
	}
	return source, source.Close, nil
}

func (a *application) openCopyTarget(ctx context.Context, s settings.Settings, to copyPlace) (store.CopyTarget, func() error, error) {
	if to.address != "" {
		target, err := postgres.CopyInto(ctx, to.options(s))
		if err != nil {
			return nil, nil, err
		}
		return target, target.Close, nil
	}
	target, err := sqlite.CopyInto(ctx, to.path, a.build.Schema)
	if err != nil {
		return nil, nil, err
	}
	return target, target.Close, nil
}

// freeFolder keeps servers out of the data folder that a file comes into.
func freeFolder(to copyPlace) (release func() error, err error) {
	nothing := func() error { return nil }
	if to.address != "" {
		return nothing, nil
	}
	d := datadir.Dir{Path: filepath.Dir(to.path)}
	if filepath.Base(to.path) != datadir.DatabaseFile && !d.Served() {
		return nothing, nil // no data folder
	}
	if err := d.Make(); err != nil {
		return nil, err
	}
	return d.Lock()
}

// removeCopies removes what a copy that was cut off has left beside a file.
func (a *application) removeCopies(to copyPlace) error {
	if to.path == "" {
		return nil
	}
	removed, err := sqlite.RemoveLeftovers(filepath.Dir(to.path), a.clock.Now())
	for _, left := range removed {
		err = errors.Join(err, a.sayRemoved(left))
	}
	return err
}

func sourceSentence(err error) error {
	switch {
	case errors.Is(err, sqlite.ErrOlder):
		return fmt.Errorf("since it was made by an older version of taskapi; bring it up to date with \"taskapi db init\" (%w)", err)
	case errors.Is(err, sqlite.ErrOtherTimeline):
		return fmt.Errorf("since the log beside it belongs to another file; see \"taskapi doctor\" (%w)", err)
	case errors.Is(err, postgres.ErrEmpty):
		return fmt.Errorf("since there are no tables of taskapi in it; check the address (%w)", err)
	}
	return sentence(err)
}

func targetSentence(err error) error {
	switch {
	case errors.Is(err, fs.ErrExist):
		return fmt.Errorf("since there is something already; move it away, or name another file (%w)", err)
	case errors.Is(err, postgres.ErrNotEmpty):
		return fmt.Errorf("since there are users in it already; name an empty database (%w)", err)
	case errors.Is(err, postgres.ErrServed):
		return fmt.Errorf("since a server uses it, or another copy is being made; stop that first (%w)", err)
	}
	return sentence(err)
}

// describeCopy is the report: what was compared, and what comes next.
func (a *application) describeCopy(copied []store.Copied, from, to copyPlace, begun time.Time) error {
	rows := map[string]int64{}
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	_, _ = io.WriteString(out, "TABLE\tROWS\tHASH OF BOTH\n") // Flush tells of what fails
	for _, c := range copied {
		rows[c.Table] = c.Rows
		_, _ = fmt.Fprintf(out, "%s\t%d\t%s\n", c.Table, c.Rows, c.Hash)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := a.printf("Copied %s to %s and compared every row: %s, %s.\nThe copy is as of %s; what was written to %s after that is not in it.\n",
		from, to, plural(rows["users"], "user"), plural(rows["tasks"], "task"), begun.UTC().Format("2006-01-02 15:04:05 UTC"), from); err != nil {
		return err
	}
	next := "with --data-dir " + filepath.Dir(to.path) + " and without --database; copy secret.key there, which signs the tokens"
	if to.address != "" {
		next = "with --database, or TASKAPI_DATABASE, and the same data folder, whose secret.key signs the tokens"
	} else if filepath.Base(to.path) != datadir.DatabaseFile {
		next = "from it once it is " + datadir.DatabaseFile + " in a data folder with the same secret.key"
	}
	return a.printf("Serve %s; do not serve both.\n", next)
}
