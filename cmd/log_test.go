package cmd

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// launchWith runs a server whose standard output and error are what the test gives.
func launchWith(t *testing.T, out, log *os.File, args ...string) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{"serve", "--data-dir=data", "--rate-limit=off"}, args...)...)
	cmd.Env = []string{beTaskapi + "=" + schema(t)}
	cmd.Stdout, cmd.Stderr = out, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

// pipes makes a pipe, and closes the end that the server has when it has it.
func pipes(t *testing.T) (read, write *os.File) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close(); _ = write.Close() })
	return read, write
}

// ended waits for the end of a server and returns its exit code.
func ended(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	return cmd.ProcessState.ExitCode()
}

// A log that nobody reads holds up no request and no end; readiness and the
// metrics tell of it.
func TestALogThatNobodyReads(t *testing.T) {
	folder(t)
	addr, metrics := freeAddr(t), freeAddr(t)
	_, log := pipes(t)
	cmd := launchWith(t, nil, log, "--addr="+addr, "--metrics-addr="+metrics)
	url := "http://" + addr
	until(t, "it serves", func() bool { return get(url+"/healthz") == 200 })
	for range 8000 { // the pipe takes 64 KiB of it, the queue 1 MiB
		if status := get(url + "/tasks/"); status != 401 {
			t.Fatalf("a request: %d", status)
		}
	}
	until(t, "readiness tells of it", func() bool { return get(url+"/readyz") == 503 })
	if _, text := fetch(t, "http://"+metrics+"/metrics"); !strings.Contains(text, "taskapi_log_lines_dropped_total ") || strings.Contains(text, "taskapi_log_lines_dropped_total 0") {
		t.Error("the metrics do not tell of it")
	}
	if _, text := fetch(t, url+"/readyz"); !strings.Contains(text, `"dropped_log_lines":`) {
		t.Errorf("readiness does not tell how many lines: %s", text)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// Whoever reads what the server writes may go away.
func TestReadersThatGoAway(t *testing.T) {
	folder(t)
	addr := freeAddr(t)
	read, write := pipes(t)
	cmd := launchWith(t, write, write, "--addr="+addr)
	if err := write.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(read, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "it serves", func() bool { return get("http://"+addr+"/healthz") == 200 })
	for range 100 {
		if status := get("http://" + addr + "/tasks/"); status != 401 {
			t.Fatalf("a request: %d", status)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

// A full disk below the output is no reason not to serve, and a terminal that
// is closed ends the server in order.
func TestAFullDiskBelowTheOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	t.Cleanup(func() { _ = full.Close() })
	folder(t)
	addr := freeAddr(t)
	cmd := launchWith(t, full, full, "--addr="+addr)
	until(t, "it serves", func() bool { return get("http://"+addr+"/healthz") == 200 })
	end := syscall.SIGHUP
	if signal.Ignored(end) { // these tests run under nohup
		end = syscall.SIGTERM
	}
	if err := cmd.Process.Signal(end); err != nil {
		t.Fatal(err)
	}
	if code := ended(t, cmd); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if info, err := os.Stat("data/taskapi.db-wal"); err == nil {
		t.Errorf("the log of the database is left, with %d bytes", info.Size())
	}
}

// get returns the status of an answer, 0 without one.
func get(url string) int {
	response, err := http.Get(url)
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return response.StatusCode
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}
