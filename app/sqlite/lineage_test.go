package sqlite

import (
	"path/filepath"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// A copy is of another lineage as soon as it is used, and the original keeps its own.
func TestACopyHasAnotherLineage(t *testing.T) {
	ctx := t.Context()
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com")
	if db.Lineage() == "" {
		t.Fatal("there is none")
	}
	var versions []int64
	title := "another"
	for range 2 {
		task, err := db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: ann.ID, Title: "t", CreatedAt: testNow})
		if err != nil {
			t.Fatal(err)
		}
		versions = append(versions, task.Version)
	}
	changed, err := db.UpdateTask(ctx, app.Operator(), todo.ByID(1), todo.TaskChange{Title: &title, Now: testNow})
	if err != nil || versions[1] != versions[0]+1 || changed.Version != versions[1]+1 {
		t.Errorf("versions %v, then %d (%v)", versions, changed.Version, err)
	}
	backup, restored := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "taskapi.db")
	if _, err := Backup(ctx, BackupOptions{From: db.path, To: backup, Now: testNow}); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(ctx, RestoreOptions{From: backup, Path: restored, Schema: freshSchema(t), Now: testNow}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{db.Lineage(): true}
	for range 2 { // the second time, it has its own
		again, err := Open(ctx, Options{Path: restored, Schema: freshSchema(t)})
		if err != nil {
			t.Fatal(err)
		}
		seen[again.Lineage()] = true
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 2 {
		t.Errorf("lineages %v", seen)
	}
}
