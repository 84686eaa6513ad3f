package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// trySyncs lets strace write down each system call, and looks for every task:
// its title goes into the log, then the log is synced, then it is answered.
func trySyncs(program, dir string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is not installed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	trace := filepath.Join(dir, "trace")
	s, err := start(program, filepath.Join(dir, "data"), strace, "-f", "-y", "-s", "8192", "-o", trace,
		"-e", "trace=pwrite64,write,writev,sendto,fsync,fdatasync")
	if err != nil {
		return err
	}
	defer func() { _ = s.kill() }()
	var titles []string
	for i := range 20 {
		titles = append(titles, fmt.Sprintf("alone-%03d", i))
		if _, status, err := s.create(titles[i], "alone"); err != nil || status != http.StatusCreated {
			return fmt.Errorf("create: %d %w", status, err)
		}
	}
	var group sync.WaitGroup
	failed := make(chan error, 100)
	for i := range 10 {
		for n := range 10 {
			titles = append(titles, fmt.Sprintf("crowd-%d-%03d", i, n))
		}
		group.Go(func() {
			for n := range 10 {
				if _, status, err := s.create(fmt.Sprintf("crowd-%d-%03d", i, n), "crowd"); err != nil || status != http.StatusCreated {
					failed <- fmt.Errorf("create: %d %w", status, err)
				}
			}
		})
	}
	group.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	// The program and not its tracer, which ends with it.
	if out, err := exec.Command("pkill", "-TERM", "-P", fmt.Sprint(s.cmd.Process.Pid)).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := s.cmd.Wait(); err != nil {
		return err
	}
	return readTrace(trace, titles)
}

// What a line of the trace says. A call that another thread cut in two has its
// result in a later line that begins alike with the thread's number.
var (
	logWrite  = regexp.MustCompile(`^(\d+) +pwrite64\(\d+<[^>]*taskapi\.db-wal>`)
	logSync   = regexp.MustCompile(`^(\d+) +(?:fsync|fdatasync)\(\d+<[^>]*taskapi\.db-wal>(.*)$`)
	syncEnded = regexp.MustCompile(`^(\d+) +<\.\.\. (?:fsync|fdatasync) resumed>\) += 0`)
	answer    = regexp.MustCompile(`^\d+ +(?:write|writev|sendto)\(\d+<(?:socket|TCP)[^>]*>.*HTTP/1\.1 201`)
	title     = regexp.MustCompile(`(?:alone|crowd-\d)-\d{3}`)
)

func readTrace(path string, titles []string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	// 1: in the log, 2: synced after that.
	state := map[string]int{}
	during := map[string][]string{} // thread to what was in the log when its sync began
	written := func() (all []string) {
		for name, n := range state {
			if n == 1 {
				all = append(all, name)
			}
		}
		return all
	}
	syncs, answers := 0, 0
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case logWrite.MatchString(line):
			for _, name := range title.FindAllString(line, -1) {
				state[name] = max(state[name], 1)
			}
		case logSync.MatchString(line):
			m := logSync.FindStringSubmatch(line)
			during[m[1]] = written()
			if !strings.HasSuffix(m[2], "= 0") {
				continue
			}
			syncs += settled(state, during, m[1])
		case syncEnded.MatchString(line):
			syncs += settled(state, during, syncEnded.FindStringSubmatch(line)[1])
		case answer.MatchString(line):
			for _, name := range title.FindAllString(line, 1) {
				answers++
				if state[name] != 2 {
					return fmt.Errorf("%s was answered before it was on the disk", name)
				}
			}
		}
	}
	if answers != len(titles) {
		return fmt.Errorf("the trace has %d answers of %d", answers, len(titles))
	}
	fmt.Printf("system calls: %d creates were each synced to the log before they were answered (%d syncs)\n", answers, syncs)
	return lines.Err()
}

// settled marks what was in the log when the sync of a thread began.
func settled(state map[string]int, during map[string][]string, thread string) int {
	names, ours := during[thread]
	if !ours {
		return 0
	}
	delete(during, thread)
	for _, name := range names {
		state[name] = 2
	}
	return 1
}
