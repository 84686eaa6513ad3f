package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// asNobody runs what a server's user would who owns the folder, which is one of t.TempDir, and all in it
// but one file.
func asNobody(t *testing.T, folder, file string, run func()) {
	t.Helper()
	const nobody, root = 65534, 0
	entries, err := os.ReadDir(folder)
	err = errors.Join(err, os.Chown(folder, nobody, nobody))
	for _, entry := range entries {
		err = errors.Join(err, os.Chown(filepath.Join(folder, entry.Name()), nobody, nobody))
	}
	if err := errors.Join(err, os.Chown(file, root, root), os.Chmod(file, 0o444)); err != nil {
		t.Fatal(err)
	}
	// Of those above, only the first belongs to the test alone.
	if err := os.Chmod(filepath.Dir(folder), 0o755); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(folder); dir != "/"; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err != nil {
			t.Fatal(err)
		} else if info.Mode()&1 == 0 {
			t.Skip("others can't reach what is in ", dir)
		}
	}
	// The user of the file system alone, and of this thread alone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := syscall.Setfsuid(nobody); err != nil {
		t.Fatal(err)
	}
	run()
	if err := syscall.Setfsuid(root); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
}
