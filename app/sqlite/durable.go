package sqlite

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeDir makes a folder for this user alone, and those above it that are missing, so that a
// power cut does not take them away again. Returns what the system said.
func MakeDir(path string) error {
	var above []string // the folders that get a new name
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		above = append(above, filepath.Dir(at))
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for _, folder := range above {
		if err := SyncDir(folder); err != nil {
			return err
		}
	}
	return nil
}

// SyncDir makes the names in a folder survive a power cut. Where folders can't
// be synced (Windows), that is the system's own affair.
func SyncDir(path string) error {
	dir, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	_ = dir.Sync()
	return dir.Close()
}

// syncFile makes what was written to a file survive a power cut.
func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
