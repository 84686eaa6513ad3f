package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What nobody is at work on any more is removed, and nothing else.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	here := machineName()
	keep, remove := []string{}, []string{}
	add := func(list *[]string, name string, age time.Duration) {
		t.Helper()
		path := filepath.Join(dir, name)
		write(t, path, []byte("1234"))
		if err := os.Chtimes(path, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
		*list = append(*list, name)
	}
	const nobody = 99999999
	add(&remove, fmt.Sprintf("taskapi.db.partial-%s-%d-17", here, nobody), 0)
	add(&remove, fmt.Sprintf("taskapi.db.partial-%s-%d-17-wal", here, nobody), 0)
	add(&remove, fmt.Sprintf("taskapi.db.schema-4.partial-%s-%d-17", here, nobody), time.Hour)
	add(&remove, fmt.Sprintf("taskapi-20260101.db.json.partial-%s-%d-17", here, nobody), 0)
	add(&remove, fmt.Sprintf("mine.db.partial-%s-%d-17", here, nobody), 0)
	add(&remove, "taskapi.db.partial-container-7-17", 25*time.Hour)
	add(&remove, "taskapi.db.partial-123456", 25*time.Hour)
	add(&keep, fmt.Sprintf("taskapi.db.partial-%s-%d-17", here, os.Getpid()), 48*time.Hour)
	add(&keep, fmt.Sprintf("taskapi.db.partial-%s-%d-17", here, os.Getppid()), 48*time.Hour)
	add(&keep, "taskapi.db.partial-container-7-18", time.Hour)
	add(&keep, "taskapi.db.partial-1234567", time.Hour)
	add(&keep, "taskapi.db", 48*time.Hour)
	add(&keep, "thesis.partial-draft", 48*time.Hour)
	found, err := Leftovers(dir, now)
	if err != nil || len(found) != len(remove) || found[0].Bytes != 4 {
		t.Errorf("%+v %v, want %v", found, err, remove)
	}
	removed, err := RemoveLeftovers(dir, now)
	if err != nil || len(removed) != len(remove) {
		t.Errorf("%+v %v", removed, err)
	}
	for _, name := range keep {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone", name)
		}
	}
	for _, name := range remove {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s is still there", name)
		}
	}
	if found, err := Leftovers(filepath.Join(dir, "nowhere"), now); err != nil || len(found) != 0 {
		t.Errorf("%v %v", found, err)
	}
}

// What temporaryName makes is told from what was left.
func TestTheNameOfAnUnfinishedCopy(t *testing.T) {
	path, err := temporaryName(filepath.Join(t.TempDir(), "taskapi.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, maker, _ := strings.Cut(filepath.Base(path), partialMark)
	if over(maker, 100*time.Hour) || !strings.HasPrefix(maker, fmt.Sprintf("%s-%d-", machineName(), os.Getpid())) {
		t.Errorf("%s", path)
	}
}
