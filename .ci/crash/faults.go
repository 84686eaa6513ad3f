package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// tryFaults lets strace fail some syncs of each thread with an I/O error. A
// write that was in such a commit is refused; all others stand, and the server
// goes on.
func tryFaults(program, dir string) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		return errors.New("strace is not installed")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s, err := start(program, filepath.Join(dir, "data"), strace, "-f", "-o", os.DevNull,
		"-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO:when=30+10")
	if err != nil {
		return err
	}
	defer func() { _ = s.kill() }()
	var mutex sync.Mutex
	known, refused, after := map[int64]string{}, 0, 0
	failed := make(chan error, writers)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 100 {
				title := fmt.Sprintf("fault-%d-%d", i, n)
				id, status, err := s.create(title, title)
				mutex.Lock()
				switch {
				case err == nil && status == http.StatusCreated:
					known[id] = title
					if refused > 0 {
						after++
					}
				case err == nil && status == http.StatusInternalServerError:
					refused++
				default:
					failed <- fmt.Errorf("create: %d %w", status, err)
				}
				mutex.Unlock()
			}
		})
	}
	group.Wait()
	close(failed)
	if err := <-failed; err != nil {
		return err
	}
	if refused == 0 || after == 0 {
		return fmt.Errorf("%d refused, %d answered after the first of them", refused, after)
	}
	if out, err := exec.Command("pkill", "-KILL", "-P", fmt.Sprint(s.cmd.Process.Pid)).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	_ = s.cmd.Wait()
	found, err := stored(s.database())
	if err != nil {
		return err
	}
	for id, title := range known {
		if found[id] != title {
			return fmt.Errorf("task %d was answered as %q and is stored as %q", id, title, found[id])
		}
	}
	fmt.Printf("failing syncs: %d creates refused, %d answered, none of those lost\n", refused, len(known))
	return nil
}
