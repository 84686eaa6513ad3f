package cmd

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/cmd/machine"
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
			return a.doctor(cmd.Context(), l.settings)
		},
	}
	addSettings(cmd, everySetting)
	return cmd
}

// examTimeout bounds each examination, so that the whole takes a minute or two
// at the very worst.
const examTimeout = 20 * time.Second

// grade is how bad a finding is.
type grade string

const (
	good grade = "ok"
	warn grade = "warn"
	bad  grade = "fail"
)

// finding is the outcome of one examination.
type finding struct {
	grade    grade
	sentence string
}

func okay(format string, args ...any) finding    { return finding{good, fmt.Sprintf(format, args...)} }
func warning(format string, args ...any) finding { return finding{warn, fmt.Sprintf(format, args...)} }
func failure(format string, args ...any) finding { return finding{bad, fmt.Sprintf(format, args...)} }

// exam looks at one thing.
type exam struct {
	name string
	look func(ctx context.Context) finding
}

func (a *application) doctor(ctx context.Context, s Settings) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	failed := 0
	for _, e := range a.exams(s) {
		f := examine(ctx, e)
		if ctx.Err() != nil {
			return errors.Join(errInterrupted, out.Flush())
		}
		if f.grade == bad {
			failed++
		}
		fmt.Fprintf(out, "%s\t%s\t%s\n", f.grade, e.name, f.sentence)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of the things above need to be put right", failed)
	}
	return nil
}

// examine gives up on what hangs, such as a disk behind a network: the call
// itself can't be ended, and goes with the process.
func examine(ctx context.Context, e exam) finding {
	ctx, cancel := context.WithTimeout(ctx, examTimeout)
	defer cancel()
	found := make(chan finding, 1)
	go func() { found <- e.look(ctx) }()
	select {
	case f := <-found:
		return f
	case <-ctx.Done():
	}
	// Whoever minds the context says more than we can.
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case f := <-found:
		return f
	case <-grace.C:
		return failure("no answer within %s; the disk or the network behind it hangs", examTimeout)
	}
}

// exams are in the order in which one thing may be the cause of the next.
func (a *application) exams(s Settings) []exam {
	d := data{s.DataDir}
	all := []exam{
		{"binary", func(context.Context) finding { return examBinary() }},
		{"clock", func(ctx context.Context) finding {
			return examClock(ctx, d, a.build.made(), a.clock.System(), machine.ClockState())
		}},
		{"folder", func(context.Context) finding { return examFolder(d) }},
		{"filesystem", func(context.Context) finding { return examFileSystem(d) }},
		{"disk", func(context.Context) finding { return examRoom(d) }},
		{"sync", func(ctx context.Context) finding { return examSync(ctx, d) }},
		{"database", func(ctx context.Context) finding { return examDatabase(ctx, d) }},
		{"backups", func(context.Context) finding { return examBackups(a.backups(s), d.served(), a.clock.Now()) }},
		{"left-overs", func(context.Context) finding { return examLeftovers(s.DataDir, a.backups(s).Dir, a.clock.Now()) }},
		{"port", func(ctx context.Context) finding { return examPort(ctx, s, d) }},
		{"mail", func(ctx context.Context) finding { return examMail(ctx, s.Mail) }},
	}
	for _, one := range s.sides() {
		all = append(all, exam{one.flag, func(ctx context.Context) finding { return examSide(ctx, one, d) }})
	}
	if s.TLSCert != "" {
		all = append(all, exam{"certificate", func(context.Context) finding { return examCertificate(s, a.clock.Now()) }})
	}
	return all
}
