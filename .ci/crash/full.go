package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	diskSize = 24 << 20
	ballast  = 8 << 20
)

// tryFull writes until the disk is full and beyond, makes room, writes again,
// and kills the server.
func tryFull(program, dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, fmt.Sprint("size=", diskSize)); err != nil {
		return fmt.Errorf("a small tmpfs can't be mounted; run this as root (%w)", err)
	}
	defer func() { err = errors.Join(err, syscall.Unmount(dir, syscall.MNT_DETACH)) }()
	spare := filepath.Join(dir, "ballast")
	if err := os.WriteFile(spare, make([]byte, ballast), 0o600); err != nil {
		return err
	}
	s, err := start(program, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer func() { _ = s.kill() }()
	var known sync.Map
	text := strings.Repeat(" and more of it", 600)
	fill := func(name string, until func(refused, accepted int64) bool) (refused, accepted int64, err error) {
		var group sync.WaitGroup
		var first atomic.Pointer[error]
		var no, yes atomic.Int64
		end := time.Now().Add(time.Minute)
		for i := range writers {
			group.Go(func() {
				for n := 0; !until(no.Load(), yes.Load()) && first.Load() == nil && time.Now().Before(end); n++ {
					title := fmt.Sprintf("%s-%d-%d", name, i, n)
					id, status, err := s.create(title, title+text)
					switch {
					case err != nil:
						first.Store(&err)
					case status == http.StatusCreated:
						known.Store(id, title)
						yes.Add(1)
					case status == http.StatusServiceUnavailable:
						no.Add(1)
					default:
						err = fmt.Errorf("create: %d", status)
						first.Store(&err)
					}
				}
			})
		}
		group.Wait()
		if e := first.Load(); e != nil {
			return 0, 0, *e
		}
		return no.Load(), yes.Load(), nil
	}
	refused, accepted, err := fill("before", func(refused, _ int64) bool { return refused >= 2000 })
	if err != nil || refused < 2000 {
		return fmt.Errorf("%d refused, %d accepted, the disk did not fill up (%w)", refused, accepted, err)
	}
	if status, body, err := s.call("POST", "/tasks/", fmt.Sprintf(`{"title":"one more","description":%q}`, "one more"+text)); err != nil || status != 503 || !bytes.Contains(body, []byte("disk_full")) {
		return fmt.Errorf("while the disk is full: %d %s (%w)", status, body, err)
	}
	if status, body, err := s.call("GET", "/tasks/?per_page=100", ""); err != nil || status != http.StatusOK {
		return fmt.Errorf("reading while the disk is full: %d %s (%w)", status, body, err)
	}
	if err := os.Remove(spare); err != nil {
		return err
	}
	_, after, err := fill("after", func(_, accepted int64) bool { return accepted >= 64 })
	if err != nil || after < 64 {
		return fmt.Errorf("once there is room: %d accepted (%w)", after, err)
	}
	if err := s.kill(); err != nil {
		return err
	}
	found, err := stored(s.database())
	if err != nil {
		return err
	}
	lost := 0
	known.Range(func(id, title any) bool {
		if found[id.(int64)] != title {
			lost++
		}
		delete(found, id.(int64))
		return true
	})
	if lost > 0 || len(found) > 0 {
		return fmt.Errorf("%d answered writes are lost, %d refused ones are there", lost, len(found))
	}
	fmt.Printf("a full disk: %d writes answered, %d refused with 503, reading went on, writing went on once there was room; none lost, none half done\n", accepted+after, refused)
	return nil
}
