//go:build linux

package cutfs

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mounted runs shell commands on a disk, and returns it. This program must not look at it itself.
func mounted(t *testing.T, d *Disk, commands string) *Disk {
	t.Helper()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil || os.Geteuid() != 0 {
		t.Skip("this needs /dev/fuse and root:", err)
	} else if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	unmount, err := d.Mount(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unmount(); err != nil {
			t.Error(err)
		}
	}()
	// The shell goes there, since between fork and exec this program could not answer.
	sh := exec.Command("sh", "-ec", `cd "$0"; `+commands, folder)
	if out, err := sh.CombinedOutput(); err != nil && !d.Dead() {
		t.Fatalf("%v: %s", err, out)
	}
	return d
}

// left cuts the power and returns what is in each file then.
func left(t *testing.T, d *Disk, seed uint64) map[string]string {
	t.Helper()
	folder, files := t.TempDir(), map[string]string{}
	if err := d.Cut(rand.New(rand.NewPCG(seed, 0)), folder); err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = string(text)
	}
	return files
}

// What was synced, with its name, is there after every cut.
func TestACutKeepsWhatWasSynced(t *testing.T) {
	for seed := range uint64(20) {
		d := mounted(t, New(), `printf old >a; printf old >b; sync a b .; printf new >a; sync a; mv b c; ln a d; sync .; printf more >>a`)
		files := left(t, d, seed)
		if !strings.HasPrefix(files["a"], "new") || files["c"] != "old" || files["d"] != files["a"] || len(files) != 3 {
			t.Fatalf("seed %d: %q", seed, files)
		}
	}
}

// What was not synced is there or not: each sector on its own, and each name after those before.
func TestACutLosesWhatWasNotSynced(t *testing.T) {
	sectors, names, swapped := map[string]bool{}, map[string]bool{}, false
	for seed := range uint64(200) {
		d := New()
		d.root.names["log"] = d.node(0o100600, "log")
		d.root.kept["log"] = d.root.names["log"]
		n := d.root.names["log"]
		n.write(write{0, []byte(strings.Repeat("1", 2*sector))})
		n.write(write{100 * sector, []byte("far")})
		for _, name := range []string{"first", "second"} {
			d.move(&move{node: d.node(0o100600, name), to: d.root, now: name})
		}
		files := left(t, d, seed)
		log := files["log"]
		sectors[strings.Trim(log[:min(len(log), 2*sector)], "\x00")] = true
		swapped = swapped || !strings.HasPrefix(log, "1") && strings.HasSuffix(log, "far")
		_, first := files["first"]
		_, second := files["second"]
		if second && !first {
			t.Fatalf("seed %d: the second name is there without the first", seed)
		}
		names[map[bool]string{first: "first", second: "both"}[true]] = true
	}
	if len(sectors) < 3 || len(names) != 3 || !swapped {
		t.Errorf("%d kinds of sectors, %d of names; a later write without an earlier one: %t", len(sectors), len(names), swapped)
	}
}

// The power goes at the change that CutAt says, and nothing works any more.
func TestACutAtAChange(t *testing.T) {
	whole := mounted(t, New(), `printf 1 >a; sync a .; printf 2 >b; sync b .`)
	for at := 1; at <= whole.Changes(); at++ {
		d := New()
		d.CutAt = at
		mounted(t, d, `printf 1 >a; sync a .; printf 2 >b; sync b .`)
		if files := left(t, d, 1); !d.Dead() || d.Changes() != at || at < 4 && len(files) == 2 && files["b"] == "2" {
			t.Errorf("cut at %d: dead %t after %d changes, with %q", at, d.Dead(), d.Changes(), files)
		}
	}
}

// A lie loses what was said to be synced.
func TestALieLosesWhatWasSynced(t *testing.T) {
	lost := false
	for seed := range uint64(20) {
		d := New()
		d.Lie = func(name string) bool { return name == "a" }
		lost = lost || left(t, mounted(t, d, `printf 1 >a; sync a .`), seed)["a"] == ""
	}
	if !lost {
		t.Error("nothing was lost in 20 cuts")
	}
}
