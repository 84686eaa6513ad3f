package replica

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestAFolderBehaves(t *testing.T) { behaves(t, &Folder{Path: t.TempDir()}) }

// A folder that is not there may be a disk that is not mounted: nothing is made in its place.
func TestAFolderThatIsNotThere(t *testing.T) {
	f := &Folder{Path: filepath.Join(t.TempDir(), "mounted later")}
	if err := f.Put(t.Context(), "generations/x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := f.List(t.Context(), Root); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What is being written is no object, and goes when it fails.
func TestAFolderHasWholeObjectsOnly(t *testing.T) {
	f := &Folder{Path: t.TempDir()}
	if err := f.Put(t.Context(), "generations/g/one", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.Path, "generations", "g", unfinished+"2"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(f.Path, "generations", "g", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Put(t.Context(), "generations/g/folder", []byte("x")); err == nil {
		t.Error("a folder was replaced")
	}
	all, err := f.List(t.Context(), Root)
	if err != nil || len(all) != 1 || all[0].Name != "generations/g/one" {
		t.Error(all, err)
	}
	left, err := filepath.Glob(filepath.Join(f.Path, "generations", "g", unfinished+"*"))
	if err != nil || len(left) != 1 {
		t.Error(left, err)
	}
}
