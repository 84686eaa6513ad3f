package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/app/todo"
)

// The totals are what counting gives, whatever has happened.
func TestTotalsAfterRandomHistories(t *testing.T) {
	ctx := context.Background()
	rapid.Check(t, func(r *rapid.T) {
		db := openTest(t)
		users := []account.User{addUser(t, db, "first@example.com", app.RoleAdmin)}
		var tasks []int64
		anyUser := func() int { return rapid.IntRange(0, len(users)-1).Draw(r, "user") }
		for step := range rapid.IntRange(1, 40).Draw(r, "steps") {
			var err error
			switch action := rapid.IntRange(0, 9).Draw(r, "action"); {
			case action == 0:
				users = append(users, addUser(t, db, fmt.Sprintf("%d@example.com", step), app.RoleUser))
			case action == 1 && len(users) > 1:
				i := rapid.IntRange(1, len(users)-1).Draw(r, "gone")
				err = db.DeleteUser(ctx, app.Operator(), users[i].ID, account.PassShared, account.Record{Events: []account.Event{{At: testNow, Name: account.EventUserDeleted}}})
				users = slices.Delete(users, i, i+1)
			case action == 2 && len(tasks) > 0:
				_, err = db.DeleteTask(ctx, app.Operator(), todo.ByID(rapid.SampledFrom(tasks).Draw(r, "task")), todo.Removal{Permanent: true, At: testNow})
			case action == 3 && len(tasks) > 0:
				_, err = db.UpdateTask(ctx, app.Operator(), todo.ByID(rapid.SampledFrom(tasks).Draw(r, "task")), todo.TaskChange{UserID: &users[anyUser()].ID, Now: testNow})
			case action == 4:
				_, err = db.Housekeep(ctx, store.Keep{})
			default:
				var task todo.Task
				task, err = db.CreateTask(ctx, app.Operator(), todo.NewTask{UserID: users[anyUser()].ID, Title: "t", CreatedAt: testNow})
				tasks = append(tasks, task.ID)
			}
			if err != nil && !errors.Is(err, todo.ErrTaskNotFound) {
				t.Fatal(err)
			}
		}
		if wrong := db.Lines(t, `
			WITH counted AS (
				SELECT 'tasks' AS list, user_id AS owner, count(*) AS total FROM tasks GROUP BY user_id
				UNION ALL SELECT 'users', 0, count(*) FROM users
				UNION ALL SELECT 'events', user_id, count(*) FROM events WHERE user_id IS NOT NULL GROUP BY user_id)
			SELECT list || ' of ' || owner || ': kept ' || coalesce(CAST(kept.total AS TEXT), 'nothing') || ', counted ' || coalesce(CAST(counted.total AS TEXT), 'nothing')
			FROM counted FULL JOIN totals AS kept USING (list, owner)
			WHERE coalesce(kept.total, 0) <> coalesce(counted.total, 0)`); len(wrong) > 0 {
			t.Fatalf("%v", wrong)
		}
	})
}

// Pages that are read from the end are the pages that counting from the
// beginning gives, and so are walks by cursor.
func TestDeepPages(t *testing.T) {
	db := openTest(t)
	ctx := context.Background()
	ann, ben := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "ben@example.com", app.RoleUser)
	var want []int64
	err := db.Write(ctx, func(tx *store.Tx) error {
		for i := range 2 * 2345 {
			owner := []account.User{ann, ben}[i%2]
			inbox, err := tx.Inbox(owner.ID)
			if err != nil {
				return err
			}
			task, err := tx.AddTask(app.Caller{}, testNow, inbox, owner.ID, todo.NewTask{Title: "t", CreatedAt: testNow})
			if err != nil {
				return err
			}
			if owner.ID == ann.ID {
				want = append(want, task.ID)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	read := func(request app.PageRequest) ([]int64, app.Page[todo.Task]) {
		t.Helper()
		page, err := db.Tasks(ctx, app.Operator(), ann.ID, request)
		if err != nil || page.Total != int64(len(want)) {
			t.Fatalf("%+v: total %d, %v", request, page.Total, err)
		}
		ids := make([]int64, len(page.Items))
		for i, task := range page.Items {
			ids[i] = task.ID
		}
		return ids, page
	}
	pages := func(sizes ...int64) {
		total := int64(len(want))
		for _, perPage := range sizes {
			for page := int64(1); page <= total/perPage+3; page += max(1, 50/perPage) {
				request := app.PageRequest{Page: page, PerPage: perPage}
				low := min(request.Offset(), total)
				if got, _ := read(request); !slices.Equal(got, want[low:min(low+perPage, total)]) {
					t.Errorf("page %d of %d: %v", page, perPage, got)
				}
			}
		}
	}
	pages(1, 7, 100)
	if n := store.Marks(db.DB, ann.ID); n != 3 {
		t.Errorf("%d marks, want 3", n)
	}
	for _, gone := range []int{2000, 1024, 1023, 0} {
		if _, err := db.DeleteTask(ctx, app.Operator(), todo.ByID(want[gone]), todo.Removal{At: testNow}); err != nil {
			t.Fatal(err)
		}
		want = slices.Delete(want, gone, gone+1)
		pages(100)
	}
	var walked []int64
	for request := (app.PageRequest{ByCursor: true, PerPage: 99}); ; {
		ids, page := read(request)
		walked = append(walked, ids...)
		if !page.More {
			break
		}
		request.After = ids[len(ids)-1]
	}
	if !slices.Equal(walked, want) {
		t.Errorf("the walk met %d tasks of %d", len(walked), len(want))
	}
}
