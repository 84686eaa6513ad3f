package cmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"taskapi/cmd/service"
)

func newService(a *application) *cobra.Command {
	plain := func(use, short, done string, do func() error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(*cobra.Command, []string) error {
			if err := serviceError(do()); err != nil {
				return err
			}
			return a.printf("%s\n", done)
		}}
	}
	return newGroup("service", "Run taskapi as a service of this machine", newServiceInstall(a),
		plain("uninstall", "Stop the service and take it away; its data stays", "The service is gone. Its data is still in "+service.DataDir()+".", service.Uninstall),
		plain("start", "Start the service", "The service is running.", service.Start),
		plain("stop", "Stop the service", "The service is stopped.", service.Stop),
		newServiceStatus(a))
}

func newServiceInstall(a *application) *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use: "install", Short: "Have taskapi started with the machine", Args: noArgs,
		Long: `Have taskapi started with the machine. On Linux (systemd) it becomes a service
with a user of its own, which may write nothing but /var/lib/taskapi; settings go
to /etc/default/taskapi. The program stays where it lies now.`,
		RunE: func(*cobra.Command, []string) error {
			if show {
				return a.printUnit()
			}
			if err := serviceError(service.Install()); err != nil {
				return err
			}
			return a.printf("The service is installed; its data goes to %s. Start it with \"taskapi service start\".\n", service.DataDir())
		},
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the systemd unit and change nothing")
	return cmd
}

func (a *application) printUnit() error {
	text, err := service.OwnUnit()
	if err != nil {
		return err
	}
	return a.printf("%s", text)
}

func newServiceStatus(a *application) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say whether the service runs; exits with 1 if not", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			state, err := service.Status()
			if err := serviceError(err); err != nil {
				return err
			}
			switch state {
			case service.Starting:
				return errors.New("the service is starting; if it stays so, " + whereToLook)
			case service.Failed:
				return errors.New("the service has failed; " + whereToLook)
			case service.Stopped:
				return errors.New("the service is stopped; start it with \"taskapi service start\"")
			}
			return a.printf("The service is running.\n")
		},
	}
}

// whereToLook ends a sentence about a service that does not run.
const whereToLook = "its log says why (on Linux: \"journalctl -eu taskapi\"), and \"taskapi doctor\" looks for more"

// serviceError says in a sentence what to do.
func serviceError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, service.ErrPlace):
		return fmt.Errorf("%w; move it first, with \"sudo install taskapi /usr/local/bin/\", and then \"sudo /usr/local/bin/taskapi service install\"", err)
	case errors.Is(err, service.ErrPackaged):
		return fmt.Errorf("%w; \"systemctl enable --now taskapi\" starts it, and removing the package removes it", err)
	case errors.Is(err, service.ErrInstalled):
		return fmt.Errorf("%w; start it with \"taskapi service start\"", err)
	case errors.Is(err, service.ErrNotInstalled):
		return fmt.Errorf("%w; do that with \"taskapi service install\"", err)
	case errors.Is(err, service.ErrNoManager):
		return fmt.Errorf("%w; start \"taskapi serve\" by what this system has instead", err)
	case errors.Is(err, fs.ErrPermission) || os.Geteuid() > 0:
		return fmt.Errorf("this needs an administrator; put sudo before it (%w)", err)
	case errors.Is(err, service.ErrRefused):
		return fmt.Errorf("%w; %s", err, whereToLook)
	}
	return err
}
