package operate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

var importedAt = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

const (
	oldHash     = "pbkdf2:sha1:1000$aB3dE6gH$baff8b40fd1e8281ab1b0d9d5d8ea1a77b400392"
	foreignHash = "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m"
)

// recorded is a source of rows as texts: "column=value|column=value". A value of the columns
// that hold rows is "column:value,column:value;column:value".
type recorded struct {
	users, lists, tasks []string
	tokens              int64
	err                 error // after the last task
}

func (r recorded) Users(_ context.Context, each func(operate.ImportRow) error) error {
	return eachRecorded("user", r.users, each)
}

func (r recorded) Lists(_ context.Context, each func(operate.ImportRow) error) error {
	return eachRecorded("list", r.lists, each)
}

func (r recorded) Tasks(_ context.Context, each func(operate.ImportRow) error) error {
	return errors.Join(eachRecorded("task", r.tasks, each), r.err)
}

func (r recorded) RefreshTokens(context.Context) (int64, error) { return r.tokens, nil }

func eachRecorded(noun string, texts []string, each func(operate.ImportRow) error) error {
	for i, text := range texts {
		row := operate.ImportRow{Where: fmt.Sprintf("%s[%d]", noun, i), Values: map[string]string{}}
		for pair := range strings.SplitSeq(text, "|") {
			column, value, _ := strings.Cut(pair, "=")
			if column == "members" || column == "reminders" {
				row.Rows = map[string][]operate.ImportRow{column: inner(row.Where+"."+column, value)}
				continue
			}
			row.Values[column] = value
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

func inner(where, text string) (rows []operate.ImportRow) {
	for i, one := range strings.Split(text, ";") {
		row := operate.ImportRow{Where: fmt.Sprintf("%s[%d]", where, i), Values: map[string]string{}}
		for pair := range strings.SplitSeq(one, ",") {
			column, value, _ := strings.Cut(pair, ":")
			row.Values[column] = value
		}
		rows = append(rows, row)
	}
	return rows
}

// imported runs an import and returns its report and what it noted.
func imported(t *testing.T, db *storetest.DB, source operate.ImportSource, dryRun bool) (operate.ImportReport, []string, error) {
	t.Helper()
	var notes []string
	run := operate.Import{
		Store: db, Now: func() time.Time { return importedAt }, DryRun: dryRun,
		Note:     func(where, what string) { notes = append(notes, where+": "+what) },
		Progress: func(operate.ImportReport) {},
	}
	report, err := run.Run(t.Context(), source)
	return report, notes, err
}

// stored returns all that a database has, a line each.
func stored(t *testing.T, db *storetest.DB) []string {
	t.Helper()
	lines := []string{}
	err := db.Export(t.Context(), func(u account.User) error {
		lines = append(lines, fmt.Sprintf("%d %s %s %s %t %s", u.ID, u.Username, u.Email, u.Role, u.PasswordHash == oldHash, u.CreatedAt.Format(time.RFC3339)))
		return nil
	}, func(operate.ListRecord) error { return nil }, func(task operate.TaskRecord) error {
		done := "open"
		if task.Completed() {
			done = task.CompletedAt.Format(time.RFC3339Nano)
		}
		lines = append(lines, fmt.Sprintf("%d of %d %q %q %s %s", task.ID, task.UserID, task.Title, task.Description, task.CreatedAt.Format(time.RFC3339Nano), done))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func openFresh(t *testing.T) *storetest.DB {
	t.Helper()
	return storetest.Open(t, func() time.Time { return importedAt })
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s\ngot\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// oddRows is what years of use leave behind.
func oddRows() recorded {
	return recorded{tokens: 3, users: []string{
		"id=3|username= ann |email=Ann@example.com|password=" + oldHash + "|role=admin",
		"id=4|username=bob|email=bob@example.com|password=" + foreignHash + "|date_created=Sat, 29 Nov 2025 03:19:52 GMT",
		"id=5|username=twice|email=ANN@EXAMPLE.COM|password=" + oldHash,
		"id=4|username=same id|email=same@example.com",
		"id=0|username=x|email=x@example.com", "username=x|email=y@example.com", "id=9007199254740992|username=x|email=z@example.com",
		"id=90|username=|email=nonsense", "id=91|username=bell\a|email=a\x00@example.com",
	}, tasks: []string{
		"id=1|user_id=3|title= t |description=a\r\nb|completed=1|date_created=2025-11-29 03:19:52.1239|date_completed=2025-11-29T05:19:52+02:00",
		"id=2|user_id=4|title=no dates|completed=true",
		"id=3|user_id=4|title=zero date|date_created=0000-00-00 00:00:00|date_completed=0000-00-00|completed=\x00",
		"id=4|user_id=4|title=not done|date_created=2025-11-29|date_completed=2025-11-29|completed=False",
		"id=5|user_id=5|title=of somebody skipped", "id=6|user_id=77|title=of nobody", "id=7|title=of null",
		"id=8|user_id=4|title=" + strings.Repeat("語", 101), "id=9|user_id=4|title=x|description=" + strings.Repeat("x", 10001),
		"id=10|user_id=4|title=x|description=\xff", "id=11|user_id=4|title=x|date_created=29/11/2025|completed=perhaps",
		"id=2|user_id=4|title=same id", "id=12|user_id=4|title=" + strings.Repeat("語", 100),
		"id=600|user_id=4|title=\u200b",
	}}
}

func oddNotes() []string {
	return []string{
		"user[1]: came without a password: its hash is of a kind that can't be checked here.",
		"user[2]: skipped. email: Another user of the source has the same address.",
		"user[3]: skipped. id: Another user of the source has it.",
		"user[4]: skipped. id: It must be a whole number from 1 on.",
		"user[5]: skipped. id: It must be a whole number from 1 on.",
		"user[6]: skipped. id: It must be a whole number from 1 on.",
		"user[7]: skipped. email: The field email must be a valid e-mail address. username: The field username is required.",
		"user[8]: skipped. email: The field email contains invalid characters. username: The field username contains invalid characters.",
		"task[5]: skipped. user_id: There is no such user in the source.",
		"task[6]: skipped. user_id: It must be a whole number from 1 on.",
		"task[7]: skipped. title: The field title must be at most 100 characters.",
		"task[8]: skipped. description: The field description must be at most 10000 characters.",
		"task[9]: skipped. description: The field description contains invalid characters.",
		"task[10]: skipped. completed: It must be true or false. date_created: It must be a date such as 2026-01-02 03:04:05.",
		"task[11]: skipped. id: Another task of the source has it.",
		"task[13]: skipped. title: The field title is required.",
	}
}

func TestImportIntoAnEmptyDatabase(t *testing.T) {
	db := openFresh(t)
	report, notes, err := imported(t, db, oddRows(), false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, oddNotes())
	want := operate.ImportReport{
		KeptIDs: true, Users: 2, Tasks: 5, SkippedUsers: 7, SkippedTasks: 8, TasksOfSkipped: 1,
		Repaired: 6, NoPassword: 1, Admins: 1, RefreshTokens: 3,
	}
	if report != want {
		t.Errorf("got  %+v\nwant %+v", report, want)
	}
	same(t, "stored", stored(t, db), []string{
		"3 ann Ann@example.com user true 2026-01-02T03:04:05Z",
		"4 bob bob@example.com user false 2025-11-29T03:19:52Z",
		`1 of 3 "t" "a\nb" 2025-11-29T03:19:52.123Z 2025-11-29T03:19:52Z`,
		`2 of 4 "no dates" "" 2026-01-02T03:04:05.678Z 2026-01-02T03:04:05.678Z`,
		`3 of 4 "zero date" "" 2026-01-02T03:04:05.678Z open`,
		`4 of 4 "not done" "" 2025-11-29T00:00:00Z open`,
		`12 of 4 "` + strings.Repeat("語", 100) + `" "" 2026-01-02T03:04:05.678Z open`,
	})
	// Nobody else ever gets an id that the source knew.
	user, err := db.CreateUser(t.Context(), app.Operator(), account.NewUser{Username: "n", Email: "n@example.com", PasswordHash: oldHash, Role: app.RoleUser, CreatedAt: importedAt}, account.Record{})
	if err != nil || user.ID != 92 {
		t.Errorf("the next user is %d, %v", user.ID, err)
	}
	task, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: 3, Title: "n", CreatedAt: importedAt})
	if err != nil || task.ID != 601 {
		t.Errorf("the next task is %d, %v", task.ID, err)
	}
	events, err := db.Events(t.Context(), 3, app.PageRequest{Page: 1, PerPage: 10})
	if err != nil || len(events.Items) != 1 || events.Items[0].Name != account.EventUserCreated || events.Items[0].Detail != "imported" {
		t.Errorf("%+v, %v", events.Items, err)
	}
	tasks, err := db.Tasks(t.Context(), app.Operator(), 4, app.PageRequest{Page: 1, PerPage: 10})
	if err != nil || tasks.Total != 4 {
		t.Errorf("%d tasks in the list, %v", tasks.Total, err)
	}
}

func TestImportBesideOthers(t *testing.T) {
	db := openFresh(t)
	for _, email := range []string{"first@example.com", "BOB@example.com"} {
		_, err := db.CreateUser(t.Context(), app.Operator(), account.NewUser{Username: "here", Email: email, PasswordHash: oldHash, Role: app.RoleAdmin, CreatedAt: importedAt}, account.Record{})
		if err != nil {
			t.Fatal(err)
		}
	}
	report, notes, err := imported(t, db, recorded{users: []string{
		"id=2|username=bob|email=bob@example.com|password=" + oldHash,
		"id=1|username=ann|email=ann@example.com|password=" + oldHash,
		"id=3|username=ann|email=Ann@example.com|password=" + oldHash,
	}, tasks: []string{"id=1|user_id=1|title=hers", "id=2|user_id=2|title=his", "id=1|user_id=1|title=hers again"}}, false)
	if err != nil || report.KeptIDs || report.Users != 1 || report.Tasks != 2 || report.SkippedUsers != 2 || report.TasksOfSkipped != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	same(t, "notes", notes, []string{
		"user[0]: skipped. email: User 2 here has the same address.",
		"user[2]: skipped. email: Another user of the source has the same address.",
	})
	same(t, "stored", stored(t, db)[2:], []string{
		"3 ann ann@example.com user true 2026-01-02T03:04:05Z",
		`1 of 3 "hers" "" 2026-01-02T03:04:05.678Z open`,
		`2 of 3 "hers again" "" 2026-01-02T03:04:05.678Z open`,
	})
}

func TestNothingIsHalfImported(t *testing.T) {
	db := openFresh(t)
	broken := oddRows()
	broken.err = errors.New("the source broke off")
	if _, _, err := imported(t, db, broken, false); !errors.Is(err, broken.err) {
		t.Error(err)
	}
	report, notes, err := imported(t, db, oddRows(), true)
	if err != nil || report.Users != 2 || report.Tasks != 5 {
		t.Errorf("the dry run: %+v, %v", report, err)
	}
	same(t, "notes of the dry run", notes, oddNotes())
	for _, nothing := range []recorded{{}, {tasks: []string{"id=1|user_id=1|title=x"}}, {users: []string{"id=1"}}} {
		if _, _, err := imported(t, db, nothing, false); !errors.Is(err, operate.ErrNothingImported) {
			t.Error(err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	run := operate.Import{Store: db, Now: time.Now, Note: func(string, string) { cancel() }, Progress: func(operate.ImportReport) {}}
	if _, err := run.Run(ended, oddRows()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	same(t, "stored", stored(t, db), []string{})
	// Ids are as unused as before.
	if report, _, err := imported(t, db, oddRows(), false); err != nil || !report.KeptIDs {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestColumnsThatStayBehindAreNamedOnce(t *testing.T) {
	many := "id=2|username=bob|email=bob@example.com"
	for i := range 30 {
		many += fmt.Sprintf("|c%02d=x", i)
	}
	_, notes, err := imported(t, openFresh(t), recorded{
		users: []string{"id=1|username=ann|email=ann@example.com|role=admin|pwd=x", "id=1|pwd=x|phone=5", many},
		tasks: []string{"id=1|user_id=1|title=t|description=|completed=0|date_created=|date_completed=|shape={…}"},
	}, false)
	if err != nil || len(notes) != 20+1 { // the second user is skipped
		t.Errorf("%q, %v", notes, err)
	}
	same(t, "notes", []string{notes[0], notes[1], notes[3]}, []string{
		`user[0]: a user has no "pwd" here: that column stays behind, in every row.`,
		`user[1]: a user has no "phone" here: that column stays behind, in every row.`,
		`user[2]: a user has no "c00" here: that column stays behind, in every row.`,
	})
}
