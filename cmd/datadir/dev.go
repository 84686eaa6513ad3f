package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// devFile marks the folder of a developer's server.
const devFile = "taskapi-dev.json"

// CheckPeople returns an error for the folder of a developer's server: everybody knows the passwords
// that are in it.
func (d Dir) CheckPeople() error {
	if _, err := os.Stat(filepath.Join(d.Path, devFile)); err != nil {
		return nil
	}
	return fmt.Errorf("%s was made by \"taskapi dev\", and everybody knows the passwords of the people in it; choose another folder with --data-dir", d.Path)
}

// MarkDev makes the folder one of a developer's server, and stores what it was seeded with. A
// folder that has a mark keeps it, and its text is returned. Returns an error for a folder that
// anything else is in, such as the data of people.
func (d Dir) MarkDev(text string) (stored string, err error) {
	path := filepath.Join(d.Path, devFile)
	kept, err := os.ReadFile(path)
	if err == nil {
		return string(kept), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s can't be read; choose another folder with --data-dir (%w)", path, err)
	}
	entries, err := os.ReadDir(d.Path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the folder %s can't be read; choose another with --data-dir (%w)", d.Path, err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("%s is in use by something else, perhaps by \"taskapi serve\", and dev throws data away; name an empty or a new folder with --data-dir", d.Path)
	}
	if err := d.Make(); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", d.unwritable(devFile, err)
	}
	return text, nil
}
