package transfer_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/storetest"
	"taskapi/app/todo"
	"taskapi/app/transfer"
)

const someHash = "pbkdf2:sha1:1000$aB3dE6gH$baff8b40fd1e8281ab1b0d9d5d8ea1a77b400392"

var now = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

func clock() time.Time { return now }

// person is a user with a session.
func person(t *testing.T, db *storetest.DB, name, zone string) app.Caller {
	t.Helper()
	user, err := db.CreateUser(t.Context(), app.Operator(), account.NewUser{
		Username: name, Email: name + "@example.com", PasswordHash: someHash, Role: app.RoleUser, CreatedAt: now, TimeZone: zone,
	}, account.Record{})
	if err != nil {
		t.Fatal(err)
	}
	id := name + strings.Repeat("x", 22-len(name))
	session := account.Session{ID: id, UserID: user.ID, Generation: 1, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(time.Hour)}
	if err := db.CreateSession(t.Context(), session, account.SignIn{PasswordHash: someHash}, account.Record{}); err != nil {
		t.Fatal(err)
	}
	return app.Caller{UserID: user.ID, Role: user.Role, SessionID: id}
}

// lived is a database in which people have done what the API lets them.
func lived(t *testing.T) *storetest.DB {
	t.Helper()
	ctx, db := t.Context(), storetest.Open(t, clock)
	lists, tasks := todo.Lists{Store: db, Now: clock, KeepTrash: true}, todo.Tasks{Store: db, Now: clock, KeepTrash: true}
	var errs []error
	list := func(by app.Caller, in todo.ListInput) todo.List {
		made, err := lists.Create(ctx, by, in)
		errs = append(errs, err)
		return made
	}
	task := func(by app.Caller, title string, in todo.TaskInput) todo.Ref {
		in.Title = app.Given(title)
		made, err := tasks.Create(ctx, by, in)
		errs = append(errs, err)
		return todo.ByID(made.ID)
	}
	gone := list(person(t, db, "gone", ""), todo.ListInput{Name: app.Given("gone")})
	ann, bob, eve := person(t, db, "ann", "Europe/Berlin"), person(t, db, "bob", "Asia/Kathmandu"), person(t, db, "eve", "")
	errs = append(errs, db.DeleteUser(ctx, app.Operator(), gone.OwnerID, account.PassShared, account.Record{}))
	food := list(ann, todo.ListInput{Name: app.Given("Food"), Color: app.Given("#2E7D32"), UID: app.Given("0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f")})
	work := list(bob, todo.ListInput{Name: app.Given("Work, \"hard\"")})
	for i, guest := range []struct {
		owner, guest app.Caller
		list         int64
		role         todo.Role
	}{{ann, bob, food.ID, todo.RoleEditor}, {ann, eve, food.ID, todo.RoleViewer}, {bob, ann, work.ID, todo.RoleViewer}} {
		hash := strings.Repeat(string(rune('a'+i)), 43)
		_, err := db.Invite(ctx, guest.owner, todo.ByID(guest.list), todo.NewInvitation{Role: guest.role, Hash: hash, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}, todo.Letter{})
		_, accepted := db.AcceptInvitation(ctx, guest.guest, hash, now.Add(time.Second))
		errs = append(errs, err, accepted)
	}
	_, err := lists.Update(ctx, bob, todo.ByID(food.ID), todo.ListInput{Archived: app.Given(true)})
	errs = append(errs, err)
	at := func(id int64) app.Field[todo.Ref] { return app.Given(todo.ByID(id)) }
	rent := task(ann, "rent", todo.TaskInput{
		UID: app.Given("0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e70"), List: at(food.ID), Priority: app.Given("high"), Description: app.Given("two\nlines"),
		Dates:  todo.DatesInput{Due: app.Given("2026-01-31T09:00:30"), Zone: app.Given("Europe/Berlin"), Start: app.Given("2026-01-30T10:00")},
		Labels: todo.LabelsInput{All: app.Given([]string{"home", "Geld & Gut"})}, Repetition: todo.RepetitionInput{Rule: app.Given("FREQ=MONTHLY;COUNT=5")},
		Reminders: app.Given([]map[string]string{{"before": "P1DT30M"}, {"at": "2026-01-30T07:30:00Z"}}), Assignee: app.Given(bob.UserID),
	})
	_, err = tasks.Update(ctx, bob, rent, todo.TaskInput{Reminders: app.Given([]map[string]string{{"before": "PT0S"}})})
	errs = append(errs, err)
	_, err = tasks.Update(ctx, bob, rent, todo.TaskInput{Completed: app.Given(true)}) // leaves a copy
	errs = append(errs, err)
	task(eve, "plants", todo.TaskInput{Dates: todo.DatesInput{Due: app.Given("2026-01-05")},
		Repetition: todo.RepetitionInput{Rule: app.Given("FREQ=DAILY;INTERVAL=3"), From: app.Given("completion")}})
	below := task(bob, "trip", todo.TaskInput{List: at(work.ID), Dates: todo.DatesInput{Start: app.Given("2026-02-01")}})
	last := task(bob, "pack", todo.TaskInput{Parent: app.Given(below)})
	task(bob, "socks", todo.TaskInput{Parent: app.Given(last), Completed: app.Given(true)})
	trashed := task(bob, "wrong", todo.TaskInput{})
	top := task(bob, "the newer one, above", todo.TaskInput{List: at(work.ID)})
	_, err = tasks.Move(ctx, bob, last, app.Field[todo.Ref]{}, app.Given(top), todo.PlaceInput{}, nil)
	_, moved := tasks.Move(ctx, bob, below, app.Field[todo.Ref]{}, app.Field[todo.Ref]{}, todo.PlaceInput{}, nil)
	_, deleted := tasks.Delete(ctx, bob, trashed, false, nil)
	if err := errors.Join(append(errs, err, moved, deleted)...); err != nil {
		t.Fatal(err)
	}
	return db
}

func take(t *testing.T, db *storetest.DB, source operate.ImportSource, dryRun bool) []string {
	t.Helper()
	var notes []string
	run := operate.Import{
		Store: db, Now: func() time.Time { return now.Add(time.Hour) }, DryRun: dryRun,
		Note: func(where, what string) { notes = append(notes, where+": "+what) }, Progress: func(operate.ImportReport) {},
	}
	if _, err := run.Run(t.Context(), source); err != nil {
		t.Fatal(err, notes)
	}
	return notes
}

func asJSON(t *testing.T, db *storetest.DB) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "export.json")
	if err := transfer.WriteJSON(t.Context(), path, db, transfer.Options{Hashes: true, Progress: func(int64, int64) {}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, string(raw)
}

func asCSV(t *testing.T, db *storetest.DB) (source transfer.CSV, tasks string) {
	t.Helper()
	dir := t.TempDir()
	if err := transfer.WriteCSV(t.Context(), dir, db, transfer.Options{Hashes: true, Progress: func(int64, int64) {}}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, transfer.TasksFile))
	if err != nil {
		t.Fatal(err)
	}
	return transfer.CSV{UsersPath: filepath.Join(dir, transfer.UsersFile), TasksPath: filepath.Join(dir, transfer.TasksFile)}, string(raw)
}

func differ(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	for i, line := range strings.Split(want, "\n") {
		if lines := strings.Split(got, "\n"); i >= len(lines) || lines[i] != line {
			t.Fatalf("line %d\ngot  %s\nwant %s", i+1, slices.Concat(lines, make([]string, i+1))[i], line)
		}
	}
	t.Fatalf("more than wanted:\n%s", got)
}

func TestAnExportAsJSONOfAFreshImportIsTheSame(t *testing.T) {
	path, first := asJSON(t, lived(t))
	for _, part := range []string{
		`{"version": 2,`, `"time_zone":"Asia/Kathmandu"`, `"uid":"0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f","name":"Food","color":"#2e7d32"`, `"role":"viewer"`, `"archived":true`,
		`"labels":["home","Geld & Gut"]`, `"recurrence":"FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1;COUNT=4","recurrence_from":"due","recurrence_start":"2026-02-28T09:00:30"`,
		`"recurrence_of":`, `"parent_id":`, `"reminders":[{"user_id":2,"before":"P1DT30M"},{"user_id":2,"at":"2026-01-30T07:30:00Z"},{"user_id":3,"before":"PT0S"}]`,
		`"assignee_id":3`, `"created_by":4`, `"recurrence_from":"completion"`,
	} {
		if !strings.Contains(first, part) {
			t.Errorf("there is no %s in\n%s", part, first)
		}
	}
	if strings.Contains(first, `"uid":""`) || strings.Contains(first, "gone") || strings.Contains(first, "wrong") {
		t.Error(first)
	}
	db := storetest.Open(t, clock)
	if notes := take(t, db, transfer.JSON{Path: path}, true); len(notes) > 0 {
		t.Errorf("the dry run: %q", notes)
	}
	if _, nothing := asJSON(t, db); strings.Contains(nothing, "id") {
		t.Errorf("the dry run left %s", nothing)
	}
	if notes := take(t, db, transfer.JSON{Path: path}, false); len(notes) > 0 {
		t.Errorf("%q", notes)
	}
	_, second := asJSON(t, db)
	differ(t, second, first)
}

// Beside others, ids are new, and everything hangs together as before.
func TestAnImportBesideOthersKeepsWhatBelongsTogether(t *testing.T) {
	path, first := asJSON(t, lived(t))
	db := storetest.Open(t, clock)
	person(t, db, "here", "")
	if notes := take(t, db, transfer.JSON{Path: path}, false); len(notes) > 0 {
		t.Errorf("%q", notes)
	}
	again, _ := asJSON(t, db)
	fresh := storetest.Open(t, clock)
	take(t, fresh, transfer.JSON{Path: again}, false)
	var told []string
	for _, one := range []*storetest.DB{db, fresh} {
		told = append(told, story(t, one))
	}
	differ(t, told[1], told[0])
	original := storetest.Open(t, clock)
	take(t, original, transfer.JSON{Path: path}, false)
	if want := story(t, original); !strings.HasSuffix(told[0], want) || first == "" {
		t.Errorf("got\n%s\nwant at its end\n%s", told[0], want)
	}
}

// story tells what there is by names instead of ids.
func story(t *testing.T, db *storetest.DB) string {
	t.Helper()
	var lines []string
	users, lists, tasks := map[int64]string{}, map[int64]string{}, map[int64]string{}
	var all []operate.TaskRecord
	err := db.Export(t.Context(), func(u account.User) error {
		users[u.ID] = u.Username
		return nil
	}, func(l operate.ListRecord) error {
		lists[l.ID] = users[l.OwnerID] + "'s " + l.Name
		if users[l.OwnerID] == "here" {
			return nil
		}
		var members []string
		for _, m := range l.Members {
			members = append(members, users[m.UserID]+" "+m.Role.String())
		}
		lines = append(lines, lists[l.ID]+" "+l.Color+" "+strings.Join(members, ","))
		return nil
	}, func(x operate.TaskRecord) error {
		tasks[x.ID] = x.Title
		all = append(all, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	for _, x := range all {
		line := []string{x.Title, lists[x.ListID], "below", tasks[x.ParentID], "of", tasks[x.RecurrenceOf], "for", users[x.AssigneeID], "by", users[x.CreatedBy], x.UID, x.Repetition.Rule}
		for _, r := range x.Reminders {
			line = append(line, users[r.UserID], r.At.String(), r.Before.String())
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	return strings.Join(lines, "\n")
}

func TestWhatFitsIntoATableComesBackFromCSV(t *testing.T) {
	source, first := asCSV(t, lived(t))
	if !strings.HasPrefix(first, "id,title,description,completed,date_created,date_completed,user_id,list,priority,due,due_zone,start,labels,recurrence,parent_id,assignee_id\n") ||
		!strings.Contains(first, `Food,high,2026-02-28T09:00:30,Europe/Berlin,2026-02-27T10:00,"home,Geld & Gut",`) || !strings.Contains(first, `,"Work, ""hard""",`) {
		t.Error(first)
	}
	db := storetest.Open(t, clock)
	notes := take(t, db, source, false)
	// Nobody is a member of another's list, since a table has no members.
	for _, note := range notes {
		if !strings.HasSuffix(note, "came without its assignee. assignee_id: They are no member of its list.") {
			t.Error(note)
		}
	}
	_, second := asCSV(t, db)
	differ(t, strings.ReplaceAll(second, "\n", ",\n"), strings.ReplaceAll(strings.ReplaceAll(first, ",3\n", ",\n"), "\n", ",\n"))
	if len(notes) != 2 { // the task and its copy
		t.Errorf("%q", notes)
	}
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.json")
	if err := os.WriteFile(path, []byte(`{"version": 3, "users": [{"id": 1}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	err := transfer.JSON{Path: path}.Users(t.Context(), func(operate.ImportRow) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "has version 3, and this taskapi reads versions up to 2") {
		t.Error(err)
	}
}
