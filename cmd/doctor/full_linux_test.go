package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

// smallDisk mounts a disk of some MiB.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skip("a disk can be mounted by root only:", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A disk that is as good as full is found, that of the data and that of the second place.
func TestFullDisks(t *testing.T) {
	for size, grade := range map[string]Grade{"16m": Fail, "128m": Warn, "1g": OK} {
		dir := smallDisk(t, size)
		if got := checkRoom(datadir.Dir{Path: filepath.Join(dir, "data")}); got.Grade != grade {
			t.Errorf("the data on a disk of %s: %v %s", size, got.Grade, got.Sentence)
		}
		got := checkReplica(t.Context(), settings.Settings{ReplicateTo: dir}, true, time.Time{})
		if full := grade == Fail; full != strings.Contains(got.Sentence, "as good as full") || full != (got.Grade == Fail) {
			t.Errorf("the second place on a disk of %s: %v %s", size, got.Grade, got.Sentence)
		}
	}
}
