package main

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what may grow in a soak.
const (
	maxWAL    = 64 << 20
	maxMemory = 120 << 20
)

// trySoak writes and reads without a pause. Memory must be flat: what it holds
// at the end is no more than half above what it held after a third of the time.
func trySoak(program, dir string, length time.Duration) error {
	s, err := start(program, dir)
	if err != nil {
		return err
	}
	defer func() { _ = s.kill() }()
	end := time.Now().Add(length)
	var group sync.WaitGroup
	var created, read atomic.Int64
	failed := make(chan error, 2*writers)
	for i := range writers {
		group.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				title := fmt.Sprintf("soak-%d-%d", i, n)
				if _, status, err := s.create(title, title); err != nil || status != http.StatusCreated {
					failed <- fmt.Errorf("create: %d %w", status, err)
					return
				}
				created.Add(1)
			}
		})
	}
	for range 8 {
		group.Go(func() {
			for page := 1; time.Now().Before(end); page++ {
				if status, body, err := s.call("GET", fmt.Sprint("/tasks/?per_page=100&page=", page), ""); err != nil || status != http.StatusOK {
					failed <- fmt.Errorf("page %d: %d %s %w", page, status, body, err)
					return
				}
				read.Add(1)
			}
		})
	}
	early, late, wal, err := s.watch(end, length)
	group.Wait()
	close(failed)
	if e := <-failed; e != nil {
		return e
	}
	if err != nil {
		return err
	}
	if wal > maxWAL || late > maxMemory || late > early+early/2 {
		return fmt.Errorf("the log grew to %d bytes, memory from %d to %d", wal, early, late)
	}
	if err := s.stop(); err != nil {
		return err
	}
	found, err := stored(s.database())
	if err != nil || int64(len(found)) != created.Load() {
		return fmt.Errorf("%d created, %d stored (%w)", created.Load(), len(found), err)
	}
	fmt.Printf("soak of %s: %d creates and %d pages without a refusal; the log at most %.1f MiB, memory %.1f MiB after a third and %.1f at the end\n",
		length, created.Load(), read.Load(), mib(wal), mib(early), mib(late))
	return nil
}

// watch looks at memory and log until the end, and checkpoints from outside
// every fifth of the time.
func (s *server) watch(end time.Time, length time.Duration) (early, late, wal int64, err error) {
	next := time.Now().Add(length / 5)
	for time.Now().Before(end) {
		time.Sleep(50 * time.Millisecond)
		wal = max(wal, s.walSize())
		if late, err = s.resident(); err != nil {
			return 0, 0, 0, err
		}
		if time.Until(end) > length*2/3 {
			early = max(early, late)
		}
		if time.Now().After(next) {
			if err := checkpoint(s.database()); err != nil {
				return 0, 0, 0, err
			}
			next = next.Add(length / 5)
		}
	}
	return early, late, wal, nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
