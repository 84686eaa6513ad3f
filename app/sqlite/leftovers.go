package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A copy that is being made bears the name of what it becomes, this mark, and
// who makes it: the machine, the process, and a random number.
const partialMark = ".partial-"

// foreignPartial is how old the unfinished copy of another machine's process
// must be until nobody can be at work on it. A container is such a machine.
const foreignPartial = 24 * time.Hour

// temporaryName makes an empty file beside another one, for this user only.
func temporaryName(path string) (string, error) {
	pattern := fmt.Sprintf("%s%s%s-%d-*", filepath.Base(path), partialMark, machineName(), os.Getpid())
	file, err := os.CreateTemp(filepath.Dir(path), pattern)
	if err != nil {
		return "", err
	}
	return file.Name(), file.Close()
}

// machineName is the host's name as it may stand in that of a file, without a
// hyphen; empty if it has none.
func machineName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if letter || '0' <= r && r <= '9' || r == '.' {
			return r
		}
		return '_'
	}, name)
}

// Leftover is an unfinished copy whose process was cut off.
type Leftover struct {
	Path  string
	Bytes int64
}

// Leftovers lists what upgrades, backups and restores that were cut off have
// left in a folder. What a living process may be at work on is not among it.
func Leftovers(dir string, now time.Time) ([]Leftover, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []Leftover
	for _, entry := range entries {
		base, maker, partial := strings.Cut(entry.Name(), partialMark)
		if !partial || !strings.HasPrefix(base, "taskapi") && strings.Count(maker, "-") < 2 || !entry.Type().IsRegular() {
			continue // nothing of ours
		}
		info, err := entry.Info()
		if err != nil || !over(maker, now.Sub(info.ModTime())) {
			continue // gone meanwhile, or being made
		}
		found = append(found, Leftover{filepath.Join(dir, entry.Name()), info.Size()})
	}
	return found, nil
}

// over reports whether a copy of this age can no longer be in progress.
func over(maker string, age time.Duration) bool {
	parts := strings.SplitN(maker, "-", 3)
	if len(parts) < 3 || parts[0] != machineName() {
		return age > foreignPartial
	}
	pid, err := strconv.Atoi(parts[1])
	return err != nil || pid != os.Getpid() && !alive(pid)
}

// alive reports whether there is a process.
func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	err = process.Signal(syscall.Signal(0))
	return !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH)
}

// RemoveLeftovers removes them and returns what went.
func RemoveLeftovers(dir string, now time.Time) (removed []Leftover, err error) {
	found, err := Leftovers(dir, now)
	errs := []error{err}
	for _, left := range found {
		err := os.Remove(left.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // by another process
		}
		if errs = append(errs, err); err == nil {
			removed = append(removed, left)
		}
	}
	return removed, errors.Join(errs...)
}
