// Package service makes taskapi a service of the operating system, and speaks
// with the system's manager while it runs. It is the only package that starts
// other programs: those of the manager.
package service

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	manager "github.com/kardianos/service"
)

// Name is that of the service and, on Linux, of its user.
const Name = "taskapi"

const (
	packagedProgram = "/usr/bin/taskapi" // in the unit
	ownUnit         = "/etc/systemd/system/taskapi.service"
	systemdName     = "linux-systemd"
	userLine        = `u taskapi - "taskapi, the to-do backend" /var/lib/taskapi`
)

//go:embed taskapi.service
var unit string

// Why something can't be done.
var (
	// ErrNotInstalled: there is no such service.
	ErrNotInstalled = errors.New("taskapi is not installed as a service")
	// ErrPackaged: a package of the distribution brought the service.
	ErrPackaged = errors.New("a package has installed the service")
	// ErrInstalled: it is there already.
	ErrInstalled = errors.New("taskapi is installed as a service already")
	// ErrNoManager: the system has no service manager that is known here.
	ErrNoManager = errors.New("no service manager was found (on Linux: systemd)")
	// ErrPlace: the program is where the service can't reach it.
	ErrPlace = errors.New("the program lies where a service can't use it")
	// ErrRefused: the manager was asked and did not do it.
	ErrRefused = errors.New("the system's service manager refused")
)

// Unit is the systemd unit that starts the program at a path. Returns ErrPlace
// for a path in a home, a temporary folder, or with unusual characters: the
// unit hides the first two.
func Unit(program string) (string, error) {
	plain := regexp.MustCompile(`^/[A-Za-z0-9._/+-]+$`).MatchString(program)
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		plain = plain && !strings.HasPrefix(program, hidden)
	}
	if !plain {
		return "", fmt.Errorf("%w: %s", ErrPlace, program)
	}
	return strings.Replace(unit, "ExecStart="+packagedProgram+" ", "ExecStart="+program+" ", 1), nil
}

// OwnUnit is Unit for this program, or, where a service can't use that, for
// the place where packages put it.
func OwnUnit() (string, error) {
	path, err := program()
	if err != nil {
		return "", err
	}
	text, err := Unit(path)
	if errors.Is(err, ErrPlace) {
		return Unit(packagedProgram)
	}
	return text, err
}

// DataDir is where the service keeps its data.
func DataDir() string {
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(os.ExpandEnv("${ProgramData}"), "taskapi")
	case "darwin":
		return "/usr/local/var/taskapi"
	case "freebsd":
		return "/var/db/taskapi"
	}
	return "/var/lib/taskapi"
}

// program finds the running program's file, behind links.
func program() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// open reaches the manager of this system.
func open(systemdUnit string) (manager.Service, error) {
	system := manager.ChosenSystem()
	if system == nil || runtime.GOOS == "linux" && system.String() != systemdName {
		return nil, ErrNoManager
	}
	config := &manager.Config{
		Name: Name, DisplayName: Name, Description: "taskapi, the to-do backend in one file",
		Arguments: []string{"serve", "--data-dir", DataDir()}, WorkingDirectory: DataDir(),
		Option: manager.KeyValue{"SystemdScript": systemdUnit},
	}
	return manager.New(&idle{}, config)
}

// idle is for a manager that is only asked, not run under.
type idle struct{}

// Start does nothing.
func (*idle) Start(manager.Service) error { return nil }

// Stop does nothing.
func (*idle) Stop(manager.Service) error { return nil }

// packaged reports whether a package brought the unit.
func packaged() bool {
	for _, dir := range []string{"/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := os.Stat(filepath.Join(dir, Name+".service")); err == nil {
			return true
		}
	}
	return false
}

// Install makes the service, and on Linux its user, and has it started with
// the machine. It does not start it now. Returns ErrPlace, ErrPackaged,
// ErrInstalled, ErrNoManager or what the system said.
func Install() error {
	if _, err := open(unit); err != nil {
		return err // without a manager, no place is the right one
	}
	path, err := program()
	if err != nil {
		return err
	}
	text := ""
	if runtime.GOOS == "linux" {
		if text, err = Unit(path); err != nil {
			return err
		}
	}
	s, err := open(text)
	switch {
	case err != nil:
		return err
	case packaged():
		return ErrPackaged
	}
	if runtime.GOOS != "linux" {
		if err := os.MkdirAll(DataDir(), 0o700); err != nil {
			return err
		}
		return s.Install()
	}
	if _, err := os.Stat(ownUnit); err == nil {
		return ErrInstalled
	}
	if err := s.Install(); err != nil {
		// Half of a service is worse than none. That there may be no file is fine.
		_ = os.Remove(ownUnit)
		return translate(err)
	}
	if out, err := exec.Command("systemd-sysusers", "--inline", userLine).CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("the user %s can't be made: %w: %s", Name, err, strings.TrimSpace(string(out))), s.Uninstall())
	}
	return nil
}

// Uninstall stops the service and takes it away; its data and its user stay.
func Uninstall() error {
	s, err := open(unit)
	if err != nil {
		return err
	}
	if runtime.GOOS == "linux" {
		if _, err := os.Stat(ownUnit); errors.Is(err, fs.ErrNotExist) {
			if packaged() {
				return ErrPackaged
			}
			return ErrNotInstalled
		}
	}
	if status, err := s.Status(); err == nil && status == manager.StatusRunning {
		if err := s.Stop(); err != nil {
			return translate(err)
		}
	}
	return translate(s.Uninstall())
}

// Start starts the service and returns when it serves.
func Start() error { return with(manager.Service.Start) }

// Stop stops the service and returns when it has ended.
func Stop() error { return with(manager.Service.Stop) }

func with(do func(manager.Service) error) error {
	s, err := open(unit)
	if err != nil {
		return err
	}
	if _, err := s.Status(); errors.Is(err, manager.ErrNotInstalled) {
		return ErrNotInstalled
	}
	return translate(do(s))
}

// State is how the manager sees the service.
type State int

// The states of a service.
const (
	Stopped  State = iota
	Starting       // or started again and again
	Running
	Failed // and not started again
)

// Status returns how the service is. Returns ErrNotInstalled, ErrNoManager or
// what the system said.
func Status() (State, error) {
	s, err := open(unit)
	if err != nil {
		return Stopped, err
	}
	if runtime.GOOS == "linux" {
		// The library takes one that never comes up for one that runs. The
		// command fails for all that are not active.
		out, _ := exec.Command("systemctl", "is-active", Name+".service").Output()
		switch strings.TrimSpace(string(out)) {
		case "activating":
			return Starting, nil
		case "failed":
			return Failed, nil
		}
	}
	status, err := s.Status()
	if status == manager.StatusRunning {
		return Running, translate(err)
	}
	return Stopped, translate(err)
}

func translate(err error) error {
	var refused *exec.ExitError
	switch {
	case errors.Is(err, manager.ErrNotInstalled):
		return ErrNotInstalled
	case errors.As(err, &refused):
		return fmt.Errorf("%w (%w)", ErrRefused, err)
	}
	return err
}
