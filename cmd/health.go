package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"taskapi/app/api"
	"taskapi/cmd/datadir"
	"taskapi/cmd/listen"
	"taskapi/cmd/settings"
)

func newHealthCommand(a *application) *cobra.Command {
	var live bool
	cmd := &cobra.Command{
		Use: "health [URL]", Short: "Ask a running server whether it can do its work",
		Long: `Ask a running server whether it can do its work: the one that the settings
describe, or the one at URL. Exits with 0 if so, else with 1; for the health
check of a container or a monitor. "taskapi doctor" says what to do about it.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%q wants at most one argument: an address such as http://127.0.0.1:8000", cmd.CommandPath())
			}
			if len(args) == 1 && !strings.HasPrefix(args[0], "http://") && !strings.HasPrefix(args[0], "https://") {
				return usagef("%q is no address of a server; one is http://127.0.0.1:8000", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			probe := a.ownProbe(l)
			if len(args) == 1 {
				probe = api.Probe{URL: args[0]}
			}
			return a.health(cmd.Context(), probe, live)
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "ask only whether the process answers")
	settings.AddFlags(cmd, settings.ForHealth)
	return cmd
}

// ownProbe asks the server of these settings on this machine. Where nobody has
// chosen an address, the data folder knows that of the server that uses it.
func (a *application) ownProbe(l *settings.Loaded) api.Probe {
	if l.Origins["addr"].Name == settings.Default {
		if place := (datadir.Dir{Path: l.Settings.DataDir}).Address(); place != "" {
			return api.ProbeOf(place)
		}
	}
	return probeAt(l.Settings, l.Settings.Addr)
}

// probeAt believes any certificate: the one of the domain is not for the
// address of this machine.
func probeAt(s settings.Settings, addr string) api.Probe {
	probe := api.Probe{URL: s.LocalURL(addr), AnyCertificate: true}
	if path, ok := strings.CutPrefix(addr, listen.UnixPrefix); ok {
		probe.Socket = path
	}
	return probe
}

// noAnswer says what to do about a server that can't be reached.
func noAnswer(err error) error {
	return fmt.Errorf("%w; start it with \"taskapi serve\", or say where it is: taskapi health URL", err)
}

func (a *application) health(ctx context.Context, probe api.Probe, live bool) error {
	if live {
		if err := probe.Alive(ctx); err != nil {
			return noAnswer(err)
		}
		return a.printf("alive\n")
	}
	failing, err := probe.Ready(ctx)
	switch {
	case err != nil:
		return noAnswer(err)
	case failing != "":
		return errors.New("not ready: " + failing + "; the server's log says why, and \"taskapi doctor\" what to do")
	}
	return a.printf("ready\n")
}
