//go:build linux

package replica

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"taskapi/app/sqlite/cutfs"
)

// putInto is the folder that the test binary puts objects into, as a process of its own: one that
// has mounted a disk must not look at it itself.
const putInto = "PUT_OBJECTS_INTO"

func TestMain(m *testing.M) {
	if folder := os.Getenv(putInto); folder != "" {
		for i := range putObjects {
			if err := (&Folder{Path: folder}).Put(context.Background(), objectName(i), objectData(i)); err != nil {
				os.Exit(1)
			}
			fmt.Println(i)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const putObjects = 6

func objectName(i int) string { return fmt.Sprintf("generations/g/%d/%d.wal", i/3, i) }

func objectData(i int) []byte { return []byte(strings.Repeat(fmt.Sprint(i), 3000)) }

// Whenever the power of the second place goes, what bears the name of an object is whole, and what
// was put is there.
func TestAFolderAfterAPowerCut(t *testing.T) {
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil || os.Geteuid() != 0 {
		t.Skip("this needs /dev/fuse and root:", err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	put := func(at int) (d *cutfs.Disk, acknowledged int) {
		t.Helper()
		d, folder := cutfs.New(), t.TempDir()
		d.CutAt = at
		unmount, err := d.Mount(folder)
		if err != nil {
			t.Fatal(err)
		}
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), putInto+"="+folder)
		out, err := child.Output()
		if err != nil && !d.Dead() {
			t.Fatal(err)
		}
		if err := unmount(); err != nil {
			t.Fatal(err)
		}
		return d, strings.Count(string(out), "\n")
	}
	whole, n := put(0)
	if n != putObjects {
		t.Fatalf("%d of %d are put without a cut", n, putObjects)
	}
	for at := 1; at <= whole.Changes(); at++ {
		d, acknowledged := put(at)
		for seed := range uint64(3) {
			folder := t.TempDir()
			if err := d.Cut(rand.New(rand.NewPCG(seed, uint64(at))), folder); err != nil {
				t.Fatal(err)
			}
			all, err := (&Folder{Path: folder}).List(t.Context(), Root)
			if err != nil || len(all) < acknowledged {
				t.Fatalf("cut at %d: %d objects of %d that were put, %v", at, len(all), acknowledged, err)
			}
			for _, object := range all {
				i := int(filepath.Base(object.Name)[0] - '0')
				if got, err := os.ReadFile(filepath.Join(folder, object.Name)); err != nil || string(got) != string(objectData(i)) {
					t.Fatalf("cut at %d: %s has %d bytes, %v", at, object.Name, len(got), err)
				}
			}
		}
	}
}
