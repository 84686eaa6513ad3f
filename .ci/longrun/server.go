package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// run is a server and all that happens to it.
type run struct {
	plan     plan
	server   *server
	contract *contract
	faults   *faults
	hooks    *receiver
	mails    *sink
	people   []*person

	oldTrash, oldChanges int // what housekeeping had to remove
}

// server is a running taskapi whose log is a file.
type server struct {
	cmd     *exec.Cmd
	binary  string
	dir     string
	log     string
	flags   []string
	url     string
	address string
	metrics string
	stopped bool
}

// begin starts the receivers of what leaves the server, and then the server.
func begin(p plan) (*run, error) {
	r := &run{plan: p, faults: &faults{}}
	var err error
	if r.contract, err = newContract(p.openAPI, r.faults); err != nil {
		return nil, err
	}
	if r.hooks, err = newReceiver(r.faults, p.long()); err != nil {
		return nil, err
	}
	if r.mails, err = newSink(); err != nil {
		return nil, err
	}
	r.server, err = serve(p, r.mails.port)
	if err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// end stops what still runs.
func (r *run) end() {
	if r.server != nil && !r.server.stopped {
		_ = r.server.cmd.Process.Kill()
		_ = r.server.cmd.Wait()
	}
	r.hooks.close()
	r.mails.close()
}

// serve starts the server in a folder of its own. Access tokens last for a minute, so that
// refreshes are in earnest.
func serve(p plan, mailPort int) (*server, error) {
	metrics, err := freeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{binary: p.binary, dir: filepath.Join(p.folder, "data"), log: filepath.Join(p.folder, "log"), metrics: metrics}
	s.flags = []string{
		"--data-dir=" + s.dir, "--metrics-addr=" + metrics, "--access-ttl=1m", "--webhook-networks=127.0.0.1",
		"--backup-every=1m", "--backup-keep=3", "--trash-days=1", "--sync-days=1",
		"--mail-server=127.0.0.1", "--mail-port=" + strconv.Itoa(mailPort), "--mail-tls=none", "--mail-from=tasks@example.com",
	}
	s.cmd = exec.Command(p.binary, append([]string{"serve", "--addr=127.0.0.1:0"}, s.flags...)...)
	s.cmd.Dir, s.cmd.Env = p.folder, []string{"PATH=" + os.Getenv("PATH")}
	// Appending lets the log be cut while the server writes it, as logrotate does with copytruncate.
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	first, _ := bufio.NewReader(out).ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(first), " is serving at ")
	if !ok {
		said, _ := os.ReadFile(s.log)
		_ = s.cmd.Process.Kill()
		return nil, errors.Join(fmt.Errorf("the server did not start: %s%s", first, said), s.cmd.Wait())
	}
	s.url = url
	s.address = "127.0.0.1" + url[strings.LastIndexByte(url, ':'):]
	s.flags = append(s.flags, "--addr="+s.address)
	return s, nil
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func (s *server) database() string { return filepath.Join(s.dir, "taskapi.db") }

// stop asks the server to end, and returns an error if it is not gone within half a minute, or
// not with 0.
func (s *server) stop() error {
	s.stopped = true
	late := time.AfterFunc(30*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

// rotate copies the log and empties it.
func (s *server) rotate(n int) error {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(s.log+"."+strconv.Itoa(n), text, 0o600), os.Truncate(s.log, 0))
}

// readLog looks through all parts of the log for errors of the server.
func (r *run) readLog() {
	parts, err := filepath.Glob(r.server.log + "*")
	if err != nil {
		r.faults.add("%v", err)
	}
	slices.Sort(parts)
	lines, warnings := 0, map[string]int{}
	for _, part := range parts {
		text, err := os.ReadFile(part)
		if err != nil {
			r.faults.add("%v", err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			r.faults.add("a part of the log has a hole")
		}
		for line := range strings.Lines(string(text)) {
			lines++
			switch {
			case strings.Contains(line, "level=ERROR"), strings.Contains(line, "panic"):
				r.faults.add("the log says: %s", strings.TrimSpace(line))
			case strings.Contains(line, "level=WARN"):
				_, what, _ := strings.Cut(line, "msg=\"")
				what, _, _ = strings.Cut(what, "\"")
				warnings[what]++
			}
		}
	}
	fmt.Printf("the log: %d lines in %d parts; warnings: %v\n", lines, len(parts), warnings)
}

// askDoctor lets the doctor look. What it says of the machine's clock is not about the server,
// and of a message that is refused for good it has to tell.
func (r *run) askDoctor(when string, flags ...string) {
	doctor := exec.Command(r.server.binary, append([]string{"doctor"}, flags...)...)
	doctor.Dir, doctor.Env = r.plan.folder, []string{"PATH=" + os.Getenv("PATH")}
	out, err := doctor.CombinedOutput()
	if err != nil {
		r.faults.add("the doctor, %s: %v\n%s", when, err, out)
	}
	checks := 0
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if r.hooks.refused() != 0 && strings.Contains(line, "switched off: 0;") && strings.Contains(line, "given up: 1;") {
			checks++
			continue
		}
		if checks++; len(words) > 2 && words[0] == "warn" && words[1] != "clock" {
			r.faults.add("the doctor warns, %s: %s", when, line)
		}
	}
	fmt.Printf("the doctor, %s: %d checks\n", when, checks)
}

// restoreBackups restores each backup that the server has kept, and lets the doctor look at it.
func (r *run) restoreBackups() {
	all, err := filepath.Glob(filepath.Join(r.server.dir, "backups", "*.db"))
	if err != nil || len(all) == 0 || len(all) > 3 {
		r.faults.add("%d backups are kept, want 1 to 3 (%v)", len(all), err)
	}
	for i, backup := range all {
		dir := filepath.Join(r.plan.folder, "restored-"+strconv.Itoa(i))
		restore := exec.Command(r.server.binary, "db", "restore", backup, "--yes", "--data-dir="+dir)
		restore.Env = []string{"PATH=" + os.Getenv("PATH")}
		if out, err := restore.CombinedOutput(); err != nil {
			r.faults.add("restore %s: %v\n%s", filepath.Base(backup), err, out)
			continue
		}
		r.askDoctor("of "+filepath.Base(backup), "--data-dir="+dir)
	}
}

// scrape returns the metrics that have no labels, and those of a few that have.
func (s *server) scrape(client *http.Client) (map[string]float64, error) {
	response, err := client.Get("http://" + s.metrics + "/metrics")
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), " ")
		if number, err := strconv.ParseFloat(value, 64); found && err == nil {
			values[name] = number
		}
	}
	return values, nil
}
