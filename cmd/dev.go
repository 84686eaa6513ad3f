package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/dev"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
	"taskapi/web"
)

// plan is what a developer's server is seeded with. It is kept in the folder, so that a server
// which is started on it again knows whom it has.
type plan struct {
	Seed     uint64 `json:"seed"`
	Users    int    `json:"users"`
	Tasks    int    `json:"tasks"`
	Language string `json:"language"`
}

// devFlags are the flags of dev that are no settings.
type devFlags struct {
	plan
	folder, now  string
	start        time.Time // zero for the real time
	keep, beyond bool
	chosen       bool // a part of the plan was named
}

func newDev(a *application) *cobra.Command {
	var f devFlags
	cmd := &cobra.Command{
		Use: "dev", Short: "Run a throw-away server for developers of front ends", Args: noArgs,
		Long: `Run a server with people and tasks that look real, for whoever writes a front end.
It has a folder of its own, which it removes at the end; it sends no mails, but shows
them at /dev/mail; pages of this machine may use it from any port; and it makes
trouble when it is asked to: slow, failing and lost answers, ended sessions, a clock
that is set. POST /dev/reset goes back to the beginning. All of it is described at
/docs. Neither the environment nor .env counts, only flags.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			for _, name := range []string{"seed", "users", "tasks", "language"} {
				f.chosen = f.chosen || cmd.Flags().Changed(name)
			}
			l, err := settings.LoadDev(cmd)
			if err != nil {
				return usageError{err}
			}
			return a.dev(cmd.Context(), l.Settings, f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Uint64Var(&f.Seed, "seed", 1, "number that people, tasks and faults are made from")
	flags.IntVar(&f.Users, "users", 5, fmt.Sprintf("how many people there are, 1 to %d", dev.MaxUsers))
	flags.IntVar(&f.Tasks, "tasks", 200, fmt.Sprintf("how many tasks they have together, up to %d", dev.MaxTasks))
	flags.StringVar(&f.Language, "language", "en", "language of the people and the tasks: en or es")
	flags.StringVar(&f.now, "now", "", "time that the clock begins at, such as 2026-03-01T09:00:00Z (default the real time)")
	flags.StringVar(&f.folder, "data-dir", "", "folder of the database, which is kept (default a new one below the system's temporary folder)")
	flags.BoolVar(&f.keep, "keep", false, "keep the folder at the end")
	flags.BoolVar(&f.beyond, "beyond-loopback", false, "listen beyond this machine, where everybody may do everything")
	settings.AddDevFlags(cmd)
	cmd.AddCommand(newExample(web.Files()))
	return cmd
}

func (f *devFlags) check() (err error) {
	if f.now != "" {
		if f.start, err = time.Parse(time.RFC3339, f.now); err != nil || !dev.InRange(f.start) {
			return usagef("--now: expected a time such as 2026-03-01T09:00:00Z")
		}
	}
	switch {
	case f.Users < 1 || f.Users > dev.MaxUsers:
		return usagef("--users: expected a number from 1 to %d", dev.MaxUsers)
	case f.Tasks < 0 || f.Tasks > dev.MaxTasks:
		return usagef("--tasks: expected a number from 0 to %d", dev.MaxTasks)
	case !slices.Contains(dev.Languages(), f.Language):
		return usagef("--language: expected en or es")
	}
	return nil
}

// dev runs a developer's server, and removes its folder at the end unless that is to be kept.
func (a *application) dev(ctx context.Context, s settings.Settings, f devFlags) (err error) {
	if host, _, err := net.SplitHostPort(s.Addr); !f.beyond && (err != nil || !settings.IsLoopback(host)) {
		return usagef("--addr: %s can be reached from other machines, and everybody there could sign in as anybody; add --beyond-loopback if you want that", s.Addr)
	}
	d := datadir.Dir{Path: f.folder}
	if d.Path == "" {
		if d.Path, err = os.MkdirTemp("", "taskapi-dev-"); err != nil {
			return fmt.Errorf("no temporary folder can be made; name one with --data-dir (%w)", err)
		}
		if !f.keep {
			defer func() { err = errors.Join(err, os.RemoveAll(d.Path)) }()
		}
	}
	text, err := json.Marshal(f.plan)
	if err != nil {
		return err
	}
	stored, err := d.MarkDev(string(text) + "\n")
	if err != nil {
		return err
	}
	made := f.plan
	if stored != string(text)+"\n" && f.chosen {
		return usagef("%s is seeded already; leave out --seed, --users, --tasks and --language, or choose an empty folder with --data-dir", d.Path)
	}
	if err := json.NewDecoder(strings.NewReader(stored)).Decode(&made); err != nil {
		return fmt.Errorf("what %s was seeded with can't be read; choose another folder with --data-dir (%w)", d.Path, err)
	}
	s.DataDir = d.Path
	clock := dev.NewClock(a.clock.System, f.start)
	r, err := newRehearsal(ctx, made, d, clock)
	if err != nil {
		return err
	}
	r.kept = f.keep || f.folder != ""
	developing := *a
	developing.rehearsal, developing.clock = r, &machine.Clock{System: clock.Now, Elapsed: clock.Elapsed}
	return developing.serve(ctx, s)
}
