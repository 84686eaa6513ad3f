package cmd

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/cmd/service"
)

// systemd stands in for the manager: it hears what the service says.
func systemd(t *testing.T) (socket string, hear func() string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no systemd")
	}
	dir, err := os.MkdirTemp("", "notify") // short: socket paths are bounded
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket = filepath.Join(dir, "s")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return socket, func() string {
		t.Helper()
		if err := listener.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		message := make([]byte, 100)
		n, err := listener.Read(message)
		if err != nil {
			t.Fatal(err)
		}
		return string(message[:n])
	}
}

func TestSystemdHearsHowTheServerIs(t *testing.T) {
	folder(t)
	socket, hear := systemd(t)
	p := start(t, []string{"NOTIFY_SOCKET=" + socket, "WATCHDOG_USEC=400000"})
	seen := map[string]int{}
	for seen["READY=1"] < 1 || seen["WATCHDOG=1"] < 2 {
		seen[hear()]++
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for seen["STOPPING=1"] < 1 {
		seen[hear()]++
	}
	if code := p.wait(); code != exitOK || seen["READY=1"] != 1 || len(seen) != 3 {
		t.Errorf("exit code %d, heard %v\n%s", code, seen, p.log.String())
	}
}

func TestServiceSaysWhatToDo(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = service.Unit(program)
	usable := err == nil // where TMPDIR is another
	if !usable {
		program = "/usr/bin/taskapi"
	}
	unit := world{}.taskapi(t, "service", "install", "--print").expect(t, exitOK,
		"ExecStart="+program+" serve\n", "Type=notify\n", "User=taskapi\n", "ProtectSystem=strict\n", "WatchdogSec=60s\n", "StateDirectory=taskapi\n")
	if strings.Contains(unit.out, "{{") {
		t.Error("the library reads {{ as a template")
	}
	if runtime.GOOS != "linux" {
		return
	}
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		// Other commands, and this one for a program that a service can use, could really start or
		// stop something here.
		if !usable {
			world{}.taskapi(t, "service", "install").expect(t, exitFailed, "sudo install taskapi /usr/local/bin/")
		}
		return
	}
	for _, command := range []string{"install", "uninstall", "start", "stop", "status"} {
		world{}.taskapi(t, "service", command).expect(t, exitFailed, "no service manager was found")
	}
	world{}.taskapi(t, "service", "start", "taskapi").expect(t, exitUsage, "takes no argument")
}
