// Package cmd is the command line, one command a file. Flags, environment,
// signals and the terminal exist nowhere else. It builds everything by hand
// and hands it down, and starts and awaits every goroutine.
package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
	"taskapi/web"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Build is what was put into the binary when it was made.
type Build struct {
	Version string
	// Date is when this version was committed, in RFC 3339. Empty if unknown.
	Date string
	// Commit is what Go has stamped into a build that is no release, such as
	// "commit 1a2b3c4d5e6f, modified". Empty if unknown.
	Commit string
	// Schema is the text of schema.sql.
	Schema string
}

// made is the earliest that a right clock can show: when this version was
// committed, less a day for clocks that have their time zone wrong.
func (b Build) made() time.Time {
	at, err := time.Parse(time.RFC3339, b.Date)
	if err != nil { // not a release
		at = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	}
	return at.AddDate(0, 0, -1)
}

// stamped fills in what Go knows of a build without a version.
func (b *Build) stamped(info *debug.BuildInfo) {
	stamps := map[string]string{}
	for _, setting := range info.Settings {
		stamps[setting.Key] = setting.Value
	}
	switch revision := stamps["vcs.revision"]; {
	case revision != "":
		b.Commit = "commit " + revision[:min(12, len(revision))]
		if stamps["vcs.modified"] == "true" {
			b.Commit += ", modified"
		}
		b.Date = stamps["vcs.time"]
	case info.Main.Version != "(devel)" && info.Main.Version != "":
		b.Version = info.Main.Version // go install MODULE@VERSION
	}
}

// application is what every command needs of the world around it.
type application struct {
	build   Build
	clock   *machine.Clock
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
	// terminal reports whether a person types the input.
	terminal func() bool
	// screen reports whether a person reads standard error as it comes.
	screen func() bool
	// rehearsal is what a developer's server has beside others. Nil in every other command.
	rehearsal *rehearsal
	// readPassword reads a line without echo, on a terminal.
	readPassword func(context.Context) ([]byte, error)
}

// usageError is wrong use: exit code 2.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Main runs the command line and returns the exit code: 0, 1 for a failure, 2
// for wrong use.
func Main(build Build, args []string) int {
	if info, ok := debug.ReadBuildInfo(); ok && build.Version == "dev" {
		build.stamped(info)
	}
	ends := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	// A terminal that is closed ends a server in order; nohup has it ignored.
	if !signal.Ignored(syscall.SIGHUP) {
		ends = append(ends, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	defer stop()
	// A reader of the output that goes away is an error of writing, not the end.
	signal.Ignore(syscall.SIGPIPE)
	// After the first signal a second one ends the program at once.
	context.AfterFunc(ctx, stop)
	stdin := int(os.Stdin.Fd())
	return run(ctx, &application{
		build: build, clock: machine.NewClock(build.made()), in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ(),
		terminal:     func() bool { return term.IsTerminal(stdin) },
		screen:       func() bool { return term.IsTerminal(int(os.Stderr.Fd())) },
		readPassword: func(ctx context.Context) ([]byte, error) { return readPassword(ctx, stdin) },
	}, args)
}

// readPassword gives the terminal its echo back also when a signal comes.
func readPassword(ctx context.Context, terminal int) ([]byte, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return nil, err
	}
	line, err := await(ctx, func() ([]byte, error) { return term.ReadPassword(terminal) })
	if ctx.Err() != nil {
		err = errors.Join(err, term.Restore(terminal, before))
	}
	return line, err
}

// errInterrupted is the end of a question that a signal answered.
var errInterrupted = errors.New("interrupted; nothing was changed")

// await waits for a person, but not after a signal. The read itself can't be
// ended; it goes with the process, which ends next.
func await[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, errInterrupted
	}
}

func run(ctx context.Context, a *application, args []string) int {
	root := newRoot(a)
	root.SetArgs(args)
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	strict(root)
	ran, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	hint, code := "", exitFailed
	var usage usageError
	if errors.As(err, &usage) {
		hint, code = fmt.Sprintf("Run \"%s --help\" for usage.\n", ran.CommandPath()), exitUsage
	}
	// There is nowhere left to say that even this failed.
	_, _ = fmt.Fprintf(a.err, "taskapi: %v\n%s", err, hint)
	return code
}

func newRoot(a *application) *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   "taskapi",
		Short: "The to-do backend in one file",
		Long: `taskapi is a multi-user to-do backend in one file: a REST API with accounts,
e-mail and an embedded database. To begin, in any folder:

  taskapi serve

It makes all that it needs in ./taskapi-data and prints the address to open.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return a.printVersion()
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&version, "version", false, "print the version")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newServe(a), newDev(a), newDB(a), newUser(a), newMail(a), newAudit(a), newHealthCommand(a), newMCP(a), newDoctor(a), newService(a), newConfig(a), newVersion(a))
	return root
}

// strict makes wrong use of what cobra adds by itself an error, as elsewhere.
func strict(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.SetHelpCommand(newHelp(root, web.Files()))
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Args = noArgs
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// noArgs refuses what follows a command that takes nothing; below a group, it
// is the name of a command that does not exist.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.HasSubCommands() {
		return usagef("%q is not a command of %q%s", args[0], cmd.CommandPath(), didYouMean(near(cmd, args[0]), ""))
	}
	return usagef("%q takes no argument, but there is %q", cmd.CommandPath(), args[0])
}

// flagError is wrong use, with the flags that an unknown one may stand for.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usageError{err}
	}
	// Cobra knows how near names are, but asks that only of commands.
	var names cobra.Command
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		names.AddCommand(&cobra.Command{Use: flag.Name, Run: func(*cobra.Command, []string) {}})
	})
	return usagef("%w%s", err, didYouMean(near(&names, unknown.GetSpecifiedName()), "--"))
}

// near returns the subcommands with names similar to a given one.
func near(cmd *cobra.Command, name string) []string {
	cmd.SuggestionsMinimumDistance = 2
	return cmd.SuggestionsFor(name)
}

// didYouMean ends a message about a name that does not exist.
func didYouMean(near []string, prefix string) string {
	if len(near) == 0 {
		return ""
	}
	slices.Sort(near)
	for i, name := range near {
		near[i] = strconv.Quote(prefix + name)
	}
	return "; did you mean " + strings.Join(near, " or ") + "?"
}

// exactArg wants one argument, which the message calls by its name.
func exactArg(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%q wants one argument: %s", cmd.CommandPath(), name)
		}
		return nil
	}
}

// newGroup returns a command that only holds others.
func newGroup(use, short string, children ...*cobra.Command) *cobra.Command {
	group := &cobra.Command{
		Use: use, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(children...)
	return group
}

// printf writes to standard output, for people and pipes.
func (a *application) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format, args...)
	return err
}

// settings returns the settings in force for a command. Mistakes are usage errors.
func (a *application) settings(cmd *cobra.Command) (*settings.Loaded, error) {
	l, err := settings.Load(cmd, a.environ)
	if err != nil {
		return nil, usageError{err}
	}
	return l, nil
}
