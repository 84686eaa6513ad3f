package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// noted runs a write and returns the number of its first change.
func noted(t *testing.T, write func(change *int64) error) (change int64) {
	t.Helper()
	if err := write(&change); err != nil || change == 0 {
		t.Fatalf("change %d: %v", change, err)
	}
	return change
}

// Several turns are several groups, of which none is the whole request: a part of it is not
// undone.
func TestUndoOfWhatTookSeveralTurns(t *testing.T) {
	db, ann, _, list := pair(t, store.TreeChunk+1)
	undo := func(change int64) error {
		_, err := db.Undo(t.Context(), ann, todo.Undo{Change: change, At: testNow, KeepTrash: true})
		return err
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		tasks, err := tx.Tasks(`SELECT `+store.TaskColumns+` FROM tasks WHERE list_id = ?1`, list, 0)
		for _, task := range tasks {
			labeled := task
			labeled.Labels = []string{"a"}
			if _, saveErr := tx.Save(ann, testNow, task, labeled, todo.OpUpdated); saveErr != nil {
				err = saveErr
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	renamed := noted(t, func(change *int64) error {
		_, err := db.RenameLabel(app.NoteChange(t.Context(), change), ann, "a", "b", testNow)
		return err
	})
	if err := undo(renamed); !errors.Is(err, todo.ErrNotUndoable) {
		t.Errorf("a label: %v", err)
	}
	// In one turn it is whole.
	whole := noted(t, func(change *int64) error {
		return db.Together(app.NoteChange(t.Context(), change), func(ctx context.Context) error {
			_, err := db.RenameLabel(ctx, ann, "b", "c", testNow)
			return err
		})
	})
	if err := undo(whole); err != nil {
		t.Errorf("a label in a batch: %v", err)
	}
	if n := db.Count(t, `SELECT count(*) FROM task_labels WHERE key = 'b'`); n != store.TreeChunk+1 {
		t.Errorf("%d tasks have the label again", n)
	}
	deleted := noted(t, func(change *int64) error {
		_, err := db.DeleteList(app.NoteChange(t.Context(), change), ann, todo.ByID(list), todo.Removal{At: testNow})
		return err
	})
	if err := undo(deleted); !errors.Is(err, todo.ErrNotUndoable) {
		t.Errorf("a list: %v", err)
	}
	restored := noted(t, func(change *int64) error {
		_, err := db.RestoreList(app.NoteChange(t.Context(), change), ann, todo.ByID(list), testNow, 0)
		return err
	})
	if err := undo(restored); !errors.Is(err, todo.ErrUndoConflict) {
		t.Errorf("the first part of a restored list: %v", err)
	}
	if n := db.Count(t, `SELECT count(*) FROM tasks`); n != store.TreeChunk+1 {
		t.Errorf("%d tasks", n)
	}
}

// The number of any change names the whole request.
func TestUndoByAnyChangeOfTheRequest(t *testing.T) {
	db, ann, _, list := pair(t, 3)
	var change int64
	err := db.Together(app.NoteChange(t.Context(), &change), func(ctx context.Context) error {
		for id := range int64(3) {
			title := "changed"
			if _, err := db.UpdateTask(ctx, ann, todo.ByID(id+1), todo.TaskChange{Title: &title, Now: testNow}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	done, err := db.Undo(t.Context(), ann, todo.Undo{Change: change + 2, At: testNow, KeepTrash: true})
	if n := db.Count(t, `SELECT count(*) FROM tasks WHERE title = 'changed'`); err != nil || n != 0 || len(done.Changes) != 3 || done.Task != nil {
		t.Errorf("%d still changed in list %d, %+v %v", n, list, done, err)
	}
}

// Values that were pruned are not made up, whatever the age of the line.
func TestUndoOfPrunedValues(t *testing.T) {
	db, ann, _, _ := pair(t, 1)
	change := func(title string) int64 {
		return noted(t, func(change *int64) error {
			_, err := db.UpdateTask(app.NoteChange(t.Context(), change), ann, todo.ByID(1), todo.TaskChange{Title: &title, Now: testNow})
			return err
		})
	}
	first, second := change("a"), change("b")
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(tx.Exec(`UPDATE changes SET undo = NULL WHERE seq <= ?`, first), tx.Exec(`INSERT INTO meta (name, value) VALUES ('undo_from', ?)`, fmt.Sprint(first)))
	}); err != nil {
		t.Fatal(err)
	}
	ask := func(change int64, at time.Time) error {
		_, err := db.Undo(t.Context(), ann, todo.Undo{Change: change, At: at, KeepTrash: true})
		return err
	}
	if err := ask(first, testNow); !errors.Is(err, todo.ErrUndoExpired) {
		t.Errorf("pruned: %v", err)
	}
	if err := ask(second, testNow.Add(todo.KeepUndo)); !errors.Is(err, todo.ErrUndoExpired) {
		t.Errorf("old: %v", err)
	}
	if err := ask(second, testNow.Add(todo.KeepUndo-time.Millisecond)); err != nil {
		t.Errorf("almost old: %v", err)
	}
}

// The oldest occurrence that a completion drops comes back when that is undone.
func TestUndoOfACompletionBringsBackTheOldestCopy(t *testing.T) {
	db, ann, _, list := pair(t, 0)
	now := testNow
	tasks := &todo.Tasks{Store: db, Now: func() time.Time { return now }, KeepTrash: true}
	task, err := tasks.Create(t.Context(), ann, todo.TaskInput{
		Title: app.Given("t"), List: app.Given(todo.ByID(list)), Dates: todo.DatesInput{Due: app.Given("2026-01-31")}, Repetition: todo.RepetitionInput{Rule: app.Given("FREQ=DAILY")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var change int64
	const copies, oldest = `SELECT count(*) FROM tasks WHERE recurrence_of IS NOT NULL`, `SELECT min(id) FROM tasks WHERE recurrence_of IS NOT NULL`
	var first int64
	for i := range todo.MaxCopies + 1 {
		now, change = now.Add(time.Minute), 0
		if _, err := tasks.Update(app.NoteChange(t.Context(), &change), ann, todo.ByID(task.ID), todo.TaskInput{Completed: app.Given(true)}); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = db.Count(t, oldest)
		}
	}
	for i := range 3 {
		if n, id := db.Count(t, copies), db.Count(t, oldest); n != todo.MaxCopies || (id == first) != (i == 1) {
			t.Errorf("after %d undos: %d copies, the oldest is %d, the first was %d", i, n, id, first)
		}
		done, err := tasks.Undo(t.Context(), ann, app.Given(change))
		if err != nil || done.Task == nil || done.Task.ID != task.ID {
			t.Fatalf("undo %d: %+v %v", i, done, err)
		}
		change = done.Changes[0]
	}
}

// A task that somebody has put below another one since does not go back to its list; one that got
// something below it takes that along.
func TestUndoOfAMoveTearsNoTreeApart(t *testing.T) {
	for name, c := range map[string]struct {
		since todo.TaskInput // of the third task, or of the moved one
		of    int64
		want  error
		back  int64
	}{
		"nothing since":             {todo.TaskInput{}, 3, nil, 2},
		"something else":            {todo.TaskInput{Title: app.Given("t")}, 1, nil, 2},
		"put below another":         {todo.TaskInput{Parent: app.Given(todo.ByID(3))}, 1, todo.ErrUndoConflict, 0},
		"another below it":          {todo.TaskInput{Parent: app.Given(todo.ByID(1))}, 3, nil, 3},
		"another below what it has": {todo.TaskInput{Parent: app.Given(todo.ByID(2))}, 3, nil, 3},
	} {
		db, ann, ben, shared := pair(t, 0)
		tasks := &todo.Tasks{Store: db, Now: func() time.Time { return testNow }, KeepTrash: true}
		other, err := db.CreateList(t.Context(), ann, todo.NewList{Name: "other", CreatedAt: testNow})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []todo.TaskInput{
			{List: app.Given(todo.ByID(other.ID))}, {Parent: app.Given(todo.ByID(1))}, {List: app.Given(todo.ByID(shared))},
		} {
			in.Title = app.Given("t")
			if _, err := tasks.Create(t.Context(), ann, in); err != nil {
				t.Fatal(name, err)
			}
		}
		change := noted(t, func(change *int64) error {
			_, err := tasks.Update(app.NoteChange(t.Context(), change), ann, todo.ByID(1), todo.TaskInput{List: app.Given(todo.ByID(shared))})
			return err
		})
		if _, err := tasks.Update(t.Context(), ben, todo.ByID(c.of), c.since); err != nil {
			t.Fatal(name, err)
		}
		if _, err := tasks.Undo(t.Context(), ann, app.Given(change)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		apart := db.Count(t, `SELECT count(*) FROM tasks t JOIN tasks p ON p.id = t.parent_id WHERE t.list_id <> p.list_id`)
		back := db.Count(t, `SELECT count(*) FROM tasks WHERE list_id = `+fmt.Sprint(other.ID))
		if apart != 0 || back != c.back {
			t.Errorf("%s: %d in another list than what they are below, %d went back", name, apart, back)
		}
	}
}

// useUndo undoes each kind of write of hers, on each of its branches.
func useUndo(t *testing.T, db *storetest.DB, hers, his app.Caller, list todo.Ref) {
	t.Helper()
	tasks := &todo.Tasks{Store: db, Now: func() time.Time { return testNow }, KeepTrash: true, Most: 1000}
	var change int64
	ctx := app.NoteChange(context.Background(), &change)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	undo := func(times int) {
		t.Helper()
		for range times {
			done, err := tasks.Undo(ctx, hers, app.Given(change))
			check(err)
			change = done.Changes[0]
		}
	}
	lists, err := db.Lists(ctx, hers.UserID, nil, app.PageRequest{Page: 1, PerPage: 1})
	check(err)
	add := func(in todo.TaskInput) todo.Ref {
		in.Title, change = app.Given("t"), 0
		task, err := tasks.Create(ctx, hers, in)
		check(err)
		return todo.ByID(task.ID)
	}
	hour := app.Given([]map[string]string{{"before": "PT1H"}})
	parent := add(todo.TaskInput{List: app.Given(list), Dates: todo.DatesInput{Due: app.Given("2026-01-31")}, Reminders: hour, UID: app.Given("0197a0c0-0000-7000-8000-0000000000aa")})
	undo(2)
	child := add(todo.TaskInput{Parent: app.Given(parent)})
	daily := todo.RepetitionInput{Rule: app.Given("FREQ=DAILY")}
	for _, in := range []todo.TaskInput{
		{Dates: todo.DatesInput{Due: app.Field[string]{State: app.Null}}}, {Repetition: daily}, {Completed: app.Given(true)}, {Assignee: app.Given(his.UserID)},
		{Reminders: app.Given([]map[string]string{{"at": "2026-01-01T00:00:00Z"}})}, {List: app.Given(todo.ByID(lists.Items[0].ID))},
	} {
		change = 0
		_, err := tasks.Update(ctx, hers, parent, in)
		check(err)
		_, err = tasks.Update(context.Background(), his, parent, todo.TaskInput{Description: app.Given(fmt.Sprint(change))})
		check(ignoring(err, todo.ErrTaskNotFound))
		undo(3)
		if in.List.State == app.Present {
			undo(1)
		}
	}
	change = 0
	_, err = tasks.Update(ctx, hers, child, todo.TaskInput{Parent: app.Field[todo.Ref]{State: app.Null}})
	check(err)
	undo(1)
	change = 0
	_, err = tasks.Delete(ctx, hers, parent, false, nil)
	check(err)
	undo(3)
	_, err = tasks.Undo(ctx, hers, app.Given[int64](1<<40))
	check(ignoring(err, todo.ErrChangeNotFound))
	name, no := "name", false
	for _, c := range []todo.ListChange{{Name: &name, Now: testNow}, {Archived: &no, Now: testNow}} {
		change = 0
		_, err = db.UpdateList(ctx, hers, list, c)
		check(err)
		undo(1)
	}
	change = 0
	_, err = db.CreateList(ctx, hers, todo.NewList{Name: "n", CreatedAt: testNow})
	check(err)
	undo(3)
}

// What was put below a task that the same request made, and went to the trash with it, comes back
// to where it was before the request.
func TestUndoOfWhatWentWithATaskOfTheSameRequest(t *testing.T) {
	db, ann, _, shared := pair(t, 0)
	tasks := &todo.Tasks{Store: db, Now: func() time.Time { return testNow }, KeepTrash: true}
	create := func(ctx context.Context, in todo.TaskInput) int64 {
		in.Title, in.List = app.Given("t"), app.Given(todo.ByID(shared))
		task, err := tasks.Create(ctx, ann, in)
		if err != nil {
			t.Fatal(err)
		}
		return task.ID
	}
	parent := create(t.Context(), todo.TaskInput{})
	child := create(t.Context(), todo.TaskInput{Parent: app.Given(todo.ByID(parent))})
	change := noted(t, func(change *int64) error {
		return db.Together(app.NoteChange(t.Context(), change), func(ctx context.Context) error {
			made := create(ctx, todo.TaskInput{})
			if _, err := tasks.Update(ctx, ann, todo.ByID(child), todo.TaskInput{Parent: app.Given(todo.ByID(made))}); err != nil {
				return err
			}
			_, err := tasks.Delete(ctx, ann, todo.ByID(made), false, nil)
			return err
		})
	})
	if _, err := tasks.Undo(t.Context(), ann, app.Given(change)); err != nil {
		t.Fatal(err)
	}
	if task, err := tasks.Get(t.Context(), ann, todo.ByID(child)); err != nil || task.ParentID != parent {
		t.Errorf("it is below %d, not %d: %v", task.ParentID, parent, err)
	}
}
