package cmd

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"taskapi/cmd/doctor"
	"taskapi/cmd/settings"

	"github.com/spf13/cobra"
)

func newDoctor(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong with this installation", Args: noArgs,
		Long: `Look for what is wrong with this installation and say in a sentence what to do
about each thing. Works with and without a running server; changes nothing. Run
it as the user of the server, with its settings. Exits with 1 if anything fails.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return a.doctor(cmd.Context(), l)
		},
	}
	settings.AddFlags(cmd, settings.Every)
	return cmd
}

func (a *application) doctor(ctx context.Context, l *settings.Loaded) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	failed := 0
	for _, check := range doctor.Checks(a.subject(l)) {
		f := check.Run(ctx)
		if ctx.Err() != nil {
			return errors.Join(errInterrupted, out.Flush())
		}
		if f.Grade == doctor.Fail {
			failed++
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", f.Grade, check.Name, f.Sentence)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of the things above need to be put right", failed)
	}
	return nil
}

// subject is what the doctor looks at.
func (a *application) subject(l *settings.Loaded) doctor.Subject {
	s := l.Settings
	return doctor.Subject{
		Settings: s, Backups: a.backups(s), Probe: a.ownProbe(l), Mail: sender(s.Mail),
		Made: a.build.made(), Now: a.clock.System,
	}
}
