package cmd

import (
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"taskapi/app/sqlite"
)

func newVersion(a *application) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the versions of taskapi, Go and SQLite", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *application) printVersion() error {
	engine, err := sqlite.Version()
	if err != nil {
		return err
	}
	version := a.build.Version
	if a.build.Commit != "" {
		version += " (" + a.build.Commit + ")"
	}
	if day, _, ok := strings.Cut(a.build.Date, "T"); ok {
		version += " of " + day
	}
	return a.printf("taskapi %s\n%s %s/%s\nSQLite %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH, engine)
}
