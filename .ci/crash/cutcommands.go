package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"taskapi/app/sqlite/cutfs"
)

// command is one that replaces or rebuilds the database: whenever the power is cut, the old one is
// there or the new one.
type command struct {
	name    string
	base    string   // the folder that it begins with
	args    []string // for the disk's folder in place of DISK
	changes int      // to the disk, in all
	states  []string // the old one and the new one
	seen    map[string]int
}

// commands cuts the power in the middle of commands.
func (c *cuts) commands(data string, n int) error {
	all, err := c.prepare(data)
	if err != nil || n == 0 {
		return err
	}
	for i := range n {
		one := all[i%len(all)]
		if err := c.cutCommand(one, fmt.Sprint("command-", i)); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	for _, one := range all {
		fmt.Printf("power cuts during %s (of %d changes to the disk): %d times the old database was there, %d times the new one, always one of them, whole\n",
			one.name, one.changes, one.seen[one.states[0]], one.seen[one.states[1]])
	}
	return nil
}

// prepare makes what the commands begin with, and runs each once without a cut.
func (c *cuts) prepare(data string) ([]*command, error) {
	old := filepath.Join(c.dir, "old")
	if err := older(old); err != nil {
		return nil, err
	}
	newer := filepath.Join(c.dir, "newer")
	if err := errors.Join(os.CopyFS(newer, os.DirFS(old)), run(c.program, "db", "init", "--data-dir", newer)); err != nil {
		return nil, err
	}
	if err := run(c.program, "db", "backup", "--data-dir", data); err != nil {
		return nil, err
	}
	backups, err := filepath.Glob(filepath.Join(data, "backups", "*.db"))
	if err != nil || len(backups) == 0 {
		return nil, fmt.Errorf("no backup: %w", err)
	}
	s, err := start(c.program, data)
	if err != nil {
		return nil, err
	}
	_, _, err = s.create("after the backup", "after the backup")
	if err := errors.Join(err, s.kill()); err != nil { // so that there is a log
		return nil, err
	}
	all := []*command{
		{name: "db restore", base: data, args: []string{"db", "restore", "DISK/backups/" + filepath.Base(backups[len(backups)-1]), "--yes", "--data-dir", "DISK"}},
		{name: "db init of an older schema", base: old, args: []string{"db", "init", "--data-dir", "DISK"}},
		{name: "db rollback", base: newer, args: []string{"db", "rollback", "--yes", "--data-dir", "DISK"}},
	}
	for _, one := range all {
		one.seen = map[string]int{}
		disk, left, err := c.run(one, 0, strings.ReplaceAll(one.name, " ", "-"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", one.name, err)
		}
		one.changes = disk.Changes()
		for _, folder := range []string{one.base, left} {
			state, err := stateOf(folder)
			if err != nil {
				return nil, err
			}
			one.states = append(one.states, state)
		}
		if one.states[0] == one.states[1] {
			return nil, fmt.Errorf("%s changes nothing", one.name)
		}
	}
	return all, nil
}

// older makes a folder with a database of an older schema.
func older(folder string) error {
	schema, err := os.ReadFile("app/sqlite/testdata/schema-5.sql")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "taskapi.db"))
	if err != nil {
		return err
	}
	_, err = db.Exec(string(schema))
	return errors.Join(err, db.Close())
}

func run(program string, args ...string) error {
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// run runs a command on a disk that is cut at a change, or afterwards.
func (c *cuts) run(one *command, cutAt int, name string) (disk *cutfs.Disk, left string, err error) {
	disk, mount, unmount, err := c.disk(one.base, cutAt)
	if err != nil {
		return nil, "", err
	}
	args := strings.Split(strings.ReplaceAll(strings.Join(one.args, "\n"), "DISK", mount), "\n")
	if err = run(c.program, args...); err != nil && disk.Dead() {
		err = nil
	}
	left = filepath.Join(c.dir, name)
	return disk, left, errors.Join(err, disk.Cut(c.random, left), unmount())
}

// cutCommand cuts a command, looks for one of its two states, and lets the server start from it.
func (c *cuts) cutCommand(one *command, name string) error {
	cutAt := 1 + c.random.IntN(one.changes+1) // the last: everything was done, and answered
	_, left, err := c.run(one, cutAt, name)
	if err != nil {
		return err
	}
	state, err := stateOf(left)
	if err != nil {
		return fmt.Errorf("cut at change %d of %d: %w", cutAt, one.changes, err)
	}
	one.seen[state]++
	if state != one.states[1] && (state != one.states[0] || cutAt > one.changes) {
		return fmt.Errorf("cut at change %d of %d: %s; before it was %s, and without a cut it becomes %s", cutAt, one.changes, state, one.states[0], one.states[1])
	}
	s, err := start(c.program, left)
	if err != nil {
		return fmt.Errorf("after a cut at change %d of %d: %w", cutAt, one.changes, err)
	}
	return errors.Join(s.stop(), os.RemoveAll(left))
}

// stateOf says what is in the database of a folder that nobody serves.
func stateOf(folder string) (state string, err error) {
	path := filepath.Join(folder, "taskapi.db")
	if _, err := os.Stat(path); err != nil {
		return "", err
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var sound string
	var version, tasks, users int
	if err := db.QueryRow(`SELECT (SELECT * FROM pragma_integrity_check), (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM tasks), (SELECT count(*) FROM users)`).Scan(&sound, &version, &tasks, &users); err != nil {
		return "", err
	}
	if sound != "ok" {
		return "", errors.New(sound)
	}
	return fmt.Sprintf("schema %d with %d tasks and %d users", version, tasks, users), nil
}
