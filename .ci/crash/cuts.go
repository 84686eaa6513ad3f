package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"taskapi/app/sqlite/cutfs"
)

// cuts cuts the power of the disk from which the program serves.
type cuts struct {
	program, dir string
	random       *rand.Rand
	flags        []string          // of the server
	lie          func(string) bool // as cutfs.Disk has it
	token        string            // of the last session, which has to go on
	all          []*writer
	backups      int
	starting     int // cuts while the server started
	stopping     int // and while it stopped
	saved        map[string]bool
}

// tryCuts cuts the power under 64 writers and backups, and then in the middle of restores,
// rollbacks and migrations.
func tryCuts(program, dir string, n int, seed uint64, flags []string, lie func(string) bool) error {
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		fmt.Println("NOT CHECKED: power cuts need /dev/fuse and root:", err)
		return nil
	} else if err := f.Close(); err != nil {
		return err
	}
	c := &cuts{program: program, dir: dir, random: rand.New(rand.NewPCG(seed, 1)), flags: flags, lie: lie, saved: map[string]bool{}}
	for i := range writers {
		c.all = append(c.all, &writer{name: fmt.Sprintf("w%d", i), known: map[int64]string{}})
	}
	began := time.Now()
	data := filepath.Join(dir, "data-0")
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	rounds := (n + 1) / 2
	for round := range rounds {
		left := filepath.Join(dir, fmt.Sprint("data-", round+1))
		if err := c.serve(round, data, left); err != nil {
			return fmt.Errorf("cut %d: %w", round+1, err)
		}
		if err := os.RemoveAll(data); err != nil {
			return err
		}
		data = left
	}
	answered := 0
	for _, w := range c.all {
		answered += w.count
	}
	fmt.Printf("%d power cuts under %d writers (%d of them at a start, %d at a stop): %d writes, none that was answered lost, nothing half done, every file sound, %d backups proven, the session went on\n",
		rounds, writers, c.starting, c.stopping, answered, c.backups)
	if err := c.commands(data, n-rounds); err != nil {
		return err
	}
	fmt.Printf("power cuts took %s\n", time.Since(began).Round(time.Second))
	return nil
}

// trySpoiltCuts shows that a cut is seen to lose something: where the server does not sync what it
// answers, and where the disk leaves out one kind of sync.
func trySpoiltCuts(program, dir string, seed uint64) error {
	for _, spoilt := range []struct {
		what  string
		flags []string
		lie   func(name string) bool
	}{
		{"with --durability normal", []string{"--durability=normal"}, nil},
		{"with a log that is never synced", nil, func(name string) bool { return strings.HasSuffix(name, "-wal") }},
		{"without the sync of the folder of backups", nil, func(name string) bool { return name == "backups" }},
		{"without the syncs of the data folder", nil, func(name string) bool { return name == "" }},
	} {
		err := tryCuts(program, filepath.Join(dir, spoilt.what), 60, seed, spoilt.flags, spoilt.lie)
		if err == nil {
			return fmt.Errorf("%s nothing was lost", spoilt.what)
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		fmt.Printf("%s it is seen: %s\n", spoilt.what, first)
	}
	return nil
}

// disk mounts what is in a folder.
func (c *cuts) disk(data string, cutAt int) (disk *cutfs.Disk, mount string, unmount func() error, err error) {
	disk = cutfs.New()
	disk.Lie, disk.CutAt = c.lie, cutAt
	if err := disk.Load(data); err != nil {
		return nil, "", nil, err
	}
	mount = filepath.Join(c.dir, "disk")
	if err := os.MkdirAll(mount, 0o700); err != nil {
		return nil, "", nil, err
	}
	unmount, err = disk.Mount(mount)
	return disk, mount, unmount, err
}

// serve serves from the data until the power is cut, and checks what is left.
func (c *cuts) serve(round int, data, left string) (err error) {
	cutAt := 0
	if round%5 == 4 {
		cutAt = 1 + c.random.IntN(150)
	}
	disk, mount, unmount, err := c.disk(data, cutAt)
	if err != nil {
		return err
	}
	wait := time.Duration(50+c.random.IntN(700)) * time.Millisecond
	s, err := startWith(c.program, mount, c.flags)
	switch {
	case err != nil && !disk.Dead():
		return errors.Join(err, unmount())
	case err != nil:
		err = nil
		c.starting++
		for _, w := range c.all {
			w.idle()
		}
		if s != nil {
			_ = s.kill()
		}
	default:
		err = c.write(s, disk, wait, round%5 == 3)
	}
	err = errors.Join(err, disk.Cut(c.random, left))
	if s != nil {
		_ = s.kill()
	}
	if err := errors.Join(err, unmount()); err != nil {
		return err
	}
	return c.check(left)
}

// write lets the writers write until the power is cut.
func (c *cuts) write(s *server, disk *cutfs.Disk, wait time.Duration, stop bool) error {
	s.dying = disk.Dead
	if c.token != "" {
		fresh := s.token
		s.token = c.token
		if status, body, err := s.call("GET", "/users/me", ""); (err != nil || status != http.StatusOK) && !disk.Dead() {
			return fmt.Errorf("the session of before the cut: %d %s %w", status, body, err)
		}
		s.token = fresh
	}
	var group sync.WaitGroup
	errs := make(chan error, writers+1)
	for _, w := range c.all {
		group.Go(func() {
			if err := w.write(s); err != nil {
				errs <- err
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	group.Go(func() {
		if err := c.back(ctx, s, disk); err != nil {
			errs <- err
		}
	})
	time.Sleep(wait)
	if stop {
		c.stopping++
		s.ending.Store(true)
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		time.Sleep(time.Duration(c.random.IntN(60)) * time.Millisecond)
	}
	disk.Kill()
	_ = s.kill()
	cancel()
	group.Wait()
	close(errs)
	c.token = s.token // each start signs in, and the oldest of very many sessions end
	return <-errs
}

// back makes backups until the power is cut, and remembers those that were said to be done.
func (c *cuts) back(ctx context.Context, s *server, disk *cutfs.Disk) error {
	for ctx.Err() == nil && !disk.Dead() {
		out, err := exec.CommandContext(ctx, c.program, "db", "backup", "--data-dir", s.dir).CombinedOutput()
		if err != nil && !disk.Dead() && !s.ending.Load() && ctx.Err() == nil {
			return fmt.Errorf("backup: %w: %s", err, out)
		}
		if _, name, ok := strings.Cut(string(out), "backups/"); ok && err == nil {
			name, _, _ = strings.Cut(name, ".db")
			c.saved[name+".db"] = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// check looks at what a cut has left.
func (c *cuts) check(left string) error {
	found, err := stored(filepath.Join(left, "taskapi.db"))
	if err != nil {
		return err
	}
	for _, w := range c.all {
		if lost, report := w.settle(found); lost > 0 {
			return fmt.Errorf("%d answered writes are lost:\n%s", lost, report)
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%d tasks that nobody asked for: %v", len(found), found)
	}
	there, err := filepath.Glob(filepath.Join(left, "backups", "*.db"))
	if err != nil {
		return err
	}
	for _, path := range there {
		if _, err := stored(path); err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		delete(c.saved, filepath.Base(path))
		c.backups++
		// One is enough for the next round.
		if err := errors.Join(os.Remove(path), os.Remove(path+".json")); err != nil {
			return err
		}
	}
	for name := range c.saved {
		return fmt.Errorf("the backup %s was answered and is not there", name)
	}
	return nil
}

// idle says that nothing is asked of a server that did not start.
func (w *writer) idle() {
	w.pending.create, w.pending.title, w.pending.id, w.pending.deleted = "", "", 0, false
}
