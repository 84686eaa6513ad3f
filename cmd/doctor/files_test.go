package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taskapi/app/sqlite/sqlitetest"
	"taskapi/cmd/datadir"
)

// What keeps a server from starting is found before it starts; what the start puts
// right is not told.
func TestFilesThatCannotBeWritten(t *testing.T) {
	d := datadir.Dir{Path: t.TempDir()}
	sqlitetest.OpenAt(t, d.Database(), time.Now)
	if err := os.Chmod(d.Database(), 0o400); err != nil {
		t.Fatal(err)
	}
	if f := checkFolder(d); f.Grade != OK {
		t.Errorf("a mode that the start puts right: %v", f)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	for _, name := range []string{datadir.DatabaseFile, datadir.DatabaseFile + "-wal", datadir.DatabaseFile + "-shm", datadir.LockFile, "public-url", "address"} {
		path := filepath.Join(d.Path, name)
		file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		asNobody(t, d.Path, path, func() {
			if f := checkFolder(d); f.Grade != Fail || !strings.Contains(f.Sentence, "may not write "+path+";") {
				t.Errorf("%s: %v", name, f)
			}
		})
	}
}
