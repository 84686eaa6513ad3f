package operate_test

import (
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

// laidOut returns the lists and where the tasks are, a line each.
func laidOut(t *testing.T, db *storetest.DB) []string {
	t.Helper()
	var lines []string
	err := db.Export(t.Context(), func(account.User) error { return nil }, func(l operate.ListRecord) error {
		line := fmt.Sprintf("list %d %s%s of %d:", l.ID, l.Name, l.Color, l.OwnerID)
		for _, m := range l.Members {
			line += fmt.Sprintf(" %d %s", m.UserID, m.Role)
		}
		lines = append(lines, line)
		return nil
	}, func(x operate.TaskRecord) error {
		line := fmt.Sprintf("%d %s in %d of %d", x.ID, x.Title, x.ListID, x.UserID)
		for _, ref := range []struct {
			name string
			id   int64
		}{{"below", x.ParentID}, {"for", x.AssigneeID}, {"copy of", x.RecurrenceOf}, {"reminders", int64(len(x.Reminders))}} {
			if ref.id != 0 {
				line += fmt.Sprintf(" %s %d", ref.name, ref.id)
			}
		}
		lines = append(lines, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func users(ids ...int) (rows []string) {
	for _, id := range ids {
		rows = append(rows, fmt.Sprintf("id=%d|username=u%d|email=u%d@example.com|password=%s", id, id, id, oldHash))
	}
	return rows
}

// From files of version 1, without any lists.
func TestTasksWithoutListsComeIntoTheInboxOfTheirOwner(t *testing.T) {
	db := openFresh(t)
	_, notes, err := imported(t, db, recorded{users: users(3, 7), tasks: []string{"id=5|user_id=7|title=a", "id=6|user_id=3|title=b"}}, false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, nil)
	same(t, "laid out", laidOut(t, db), []string{"list 1 Inbox of 3: 3 owner", "list 2 Inbox of 7: 7 owner", "5 a in 2 of 7", "6 b in 1 of 3"})
	task, err := db.Task(t.Context(), app.Operator(), todo.ByID(5))
	if err != nil || task.CreatedBy != 7 || !task.UpdatedAt.Equal(importedAt) || task.Position != todo.DefaultPosition(5) {
		t.Errorf("%+v, %v", task, err)
	}
}

// An Inbox keeps the name that its owner gave it, and else has the usual one.
func TestAnInboxKeepsItsName(t *testing.T) {
	db := openFresh(t)
	_, notes, err := imported(t, db, recorded{users: users(1, 2, 3), lists: []string{
		"id=10|owner_id=1|inbox=true|name=Mine", "id=11|owner_id=2|inbox=true", "id=12|owner_id=3|inbox=true|name=" + strings.Repeat("x", 101),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, nil)
	same(t, "laid out", laidOut(t, db), []string{"list 10 Mine of 1: 1 owner", "list 11 Inbox of 2: 2 owner", "list 12 Inbox of 3: 3 owner"})
}

const badParent = ": came without its parent. parent_id: The task can't be below that one: the parent must be in the same list, not below the task itself, and there are at most 4 levels."

func broken() recorded {
	return recorded{
		users: append(users(1, 2, 3), "id=4|username=|email=x@example.com", "id=5|username=u5|email=u5@example.com|time_zone=Mars/Phobos"),
		lists: []string{
			"id=10|owner_id=1|name=Inbox|inbox=true|members=user_id:1,role:owner;user_id:2,role:editor",
			"id=11|owner_id=1|name= Food |color=#2E7D32|uid=food|members=user_id:1,role:owner;user_id:2,role:editor;user_id:2,role:viewer;" +
				"user_id:3,role:owner;user_id:4,role:viewer;user_id:9,role:viewer;user_id:3,role:boss;user_id:3,role:viewer,position:far",
			"id=12|owner_id=4|name=Lost", "id=13|owner_id=4|inbox=true", "id=14|owner_id=9|name=Nobody's",
			"id=15|owner_id=2|name=" + strings.Repeat("x", 101), "id=11|owner_id=2|name=Same id", "id=16|owner_id=2|name=Plain|color=red|uid=\a|pet=cat",
			"id=17|owner_id=1|inbox=true|uid=food", "id=x|owner_id=1|name=x",
		},
		tasks: []string{
			"id=100|user_id=1|list_id=11|title=child|parent_id=101", // the parent comes after it
			"id=101|user_id=1|list_id=11|title=parent|assignee_id=2|uid=one|reminders=user_id:2,before:PT0S;user_id:1,at:2026-11-30T07:30:00Z",
			"id=102|user_id=1|list_id=99|title=list unknown", "id=103|user_id=2|list_id=11|title=list of another", "id=104|user_id=2|list_id=15|title=list skipped",
			"id=105|user_id=4|list_id=12|title=owner skipped", "id=106|user_id=1|list_id=12|title=list of a skipped owner",
			"id=107|user_id=1|list_id=11|title=no such parent|parent_id=999", "id=108|user_id=1|list_id=11|title=wrong parent|parent_id=x",
			"id=109|user_id=1|list_id=10|title=parent elsewhere|parent_id=101", "id=110|user_id=1|list_id=11|title=itself|parent_id=110",
			"id=111|user_id=1|list_id=11|title=no member|assignee_id=3", "id=112|user_id=1|list_id=11|title=nobody|assignee_id=77",
			"id=113|user_id=1|list_id=11|title=skipped|assignee_id=4", "id=114|user_id=1|list_id=11|title=same uid|uid=one", "id=115|user_id=1|list_id=11|title=far|position=9007199254740992",
			"id=116|user_id=1|list_id=11|title=copy|recurrence_of=101|completed=1", "id=117|user_id=1|list_id=11|title=copy of nothing|recurrence_of=998",
			"id=118|user_id=1|list_id=11|title=reminders|due=2026-11-30|reminders=user_id:3,before:PT0S;user_id:1,before:soon;user_id:4,before:PT0S;user_id:2,before:P1D",
			"id=119|user_id=1|title=x|labels=" + strings.Repeat("x", 51), "id=120|user_id=1|title=x|recurrence=FREQ=DAILY", "id=121|user_id=1|title=x|due=2026-11-30|recurrence=FREQ=HOURLY",
			"id=122|user_id=1|title=x|due=2026-11-30|recurrence=FREQ=DAILY|recurrence_from=birth", "id=123|user_id=1|title=x|due=2026-11-30|recurrence=FREQ=DAILY|recurrence_start=2026-11-30T09:00",
			"id=124|user_id=1|title=x|due=2026-11-30|recurrence=FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
		},
	}
}

func brokenNotes() []string {
	return []string{
		"user[3]: skipped. username: The field username is required.",
		"user[4]: came without a time zone: it must be one such as Europe/Berlin.",
		"list[0].members[1]: left out. role: An Inbox is nobody else's.",
		"list[1].members[2]: left out. user_id: They are in it twice.",
		"list[1].members[3]: left out. role: A list has one owner, whom its owner_id names.",
		"list[1].members[4]: left out. user_id: That user was skipped.",
		"list[1].members[5]: left out. user_id: There is no such user in the source.",
		"list[1].members[6]: left out. role: It must be viewer, editor or owner.",
		"list[1].members[7]: came without its position: it must be a whole number.",
		"list[2]: skipped. Its owner was skipped.",
		"list[4]: skipped. owner_id: There is no such user in the source.",
		"list[5]: skipped. name: The field name must be at most 100 characters.",
		"list[6]: skipped. id: Another list of the source has it.",
		`list[7]: a list has no "pet" here: that column stays behind, in every row.`,
		"list[7]: came without its color: it must be of the form #2e7d32.",
		"list[7]: got a new uid: it must have 1 to 255 characters on one line.",
		"list[8]: came as another list: its owner has an Inbox already.",
		"list[8]: got a new uid: the one that it had stands for something else here.",
		"list[9]: skipped. id: It must be a whole number from 1 on.",
		`task[1].reminders[0]: left out. reminders: A reminder with "before" needs a task that is due: give it a due, or the reminder an "at".`,
		"task[2]: came into the Inbox: its list did not come.",
		"task[3]: came into the Inbox: its list is another user's.",
		"task[4]: came into the Inbox: its list did not come.",
		"task[8]: came without its parent_id. parent_id: It must be a whole number from 1 on.",
		"task[12]: came without its assignee. assignee_id: There is no such user in the source.",
		"task[13]: came without its assignee. assignee_id: That user was skipped.",
		"task[14]: got a new uid: the one that it had stands for something else here.",
		"task[15]: came without its position: it must be a whole number.",
		`task[18].reminders[1]: left out. reminder: It must have a moment as "at", or a duration such as PT30M as "before".`,
		"task[18].reminders[2]: left out. user_id: That user was skipped.",
		"task[19]: skipped. labels: The field labels must hold texts of 1 to 50 characters on one line.",
		"task[20]: skipped. recurrence: A task that repeats must be due: give it a due as well.",
		"task[21]: skipped. recurrence: The field recurrence must have FREQ=DAILY, WEEKLY, MONTHLY or YEARLY.",
		"task[22]: skipped. recurrence_from: It must be due or completion.",
		"task[23]: skipped. recurrence_start: It must be a date of the same form as due.",
		"task[24]: skipped. recurrence: This recurrence has no date within 50 years.",
		"task[7]: came without its parent, which did not come.",
		"task[9]" + badParent,
		"task[10]" + badParent,
		"task[17]: came as a task of its own: what it is a copy of did not come.",
	}
}

func brokenLayout() []string {
	return []string{
		"list 10 Inbox of 1: 1 owner",
		"list 11 Food#2e7d32 of 1: 1 owner 2 editor 3 viewer",
		"list 16 Plain of 2: 2 owner",
		"list 17 Inbox of 1: 1 owner",
		"list 18 Inbox of 2: 2 owner",
		"list 19 Inbox of 3: 3 owner",
		"list 20 Inbox of 5: 5 owner",
		"100 child in 11 of 1 below 101",
		"101 parent in 11 of 1 for 2 reminders 1",
		"102 list unknown in 10 of 1",
		"103 list of another in 18 of 2",
		"104 list skipped in 18 of 2",
		"107 no such parent in 11 of 1",
		"108 wrong parent in 11 of 1",
		"109 parent elsewhere in 10 of 1",
		"110 itself in 11 of 1",
		"111 no member in 11 of 1 for 3",
		"112 nobody in 11 of 1",
		"113 skipped in 11 of 1",
		"114 same uid in 11 of 1",
		"115 far in 11 of 1",
		"116 copy in 11 of 1 copy of 101",
		"117 copy of nothing in 11 of 1",
		"118 reminders in 11 of 1 reminders 2",
	}
}

func TestBrokenReferencesLoseThatPartAndAreNamed(t *testing.T) {
	db := openFresh(t)
	report, notes, err := imported(t, db, broken(), false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, brokenNotes())
	same(t, "laid out", laidOut(t, db), brokenLayout())
	if report.Lists != 3 || report.SkippedLists != 5 || report.TasksOfSkipped != 2 || report.SkippedTasks != 6 || report.Tasks != 17 {
		t.Errorf("%+v", report)
	}
	list, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: 5, Title: "n", CreatedAt: importedAt})
	if err != nil || list.ID != 125 {
		t.Errorf("%+v, %v", list, err)
	}
}

// A tree of tasks may have four levels, and 500 subtasks in one place.
func TestTreesKeepTheirLimits(t *testing.T) {
	source := recorded{users: users(1), tasks: []string{"id=1|user_id=1|title=1|parent_id=3", "id=2|user_id=1|title=2|parent_id=1", "id=3|user_id=1|title=3|parent_id=2"}}
	for i := 5; i <= 9; i++ { // 4 is the top
		source.tasks = append(source.tasks, fmt.Sprintf("id=%d|user_id=1|title=%d|parent_id=%d", i, i, i-1))
	}
	source.tasks = append(source.tasks, "id=4|user_id=1|title=4", "id=20|user_id=1|title=20")
	for i := 21; i <= 521; i++ {
		source.tasks = append(source.tasks, fmt.Sprintf("id=%d|user_id=1|title=%d|parent_id=20", i, i))
	}
	db := openFresh(t)
	_, notes, err := imported(t, db, source, false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, []string{"task[2]" + badParent, "task[6]" + badParent, "task[510]: came without its parent. parent_id: A task may have at most 500 subtasks, and 2,000 on all levels below the topmost one."})
}

func TestListsKeepTheirLimits(t *testing.T) {
	source := recorded{users: users(1)}
	for i := 1; i <= todo.MaxOwnLists; i++ {
		source.lists = append(source.lists, fmt.Sprintf("id=%d|owner_id=1|name=l%d|inbox=%t", i, i, i == 1))
	}
	many := "id=900|owner_id=1|name=more"
	source.lists = append(source.lists, many)
	_, notes, err := imported(t, openFresh(t), source, false)
	if err != nil || len(notes) != 1 || !strings.HasPrefix(notes[0], "list[500]: skipped. There are as many lists") {
		t.Errorf("%q, %v", notes, err)
	}
	members := "user_id:1,role:owner"
	source = recorded{users: users(1)}
	for i := 2; i <= todo.MaxMembers+1; i++ {
		source.users = append(source.users, users(i)...)
		members += fmt.Sprintf(";user_id:%d,role:viewer", i)
	}
	source.lists = []string{"id=1|owner_id=1|name=full|members=" + members}
	_, notes, err = imported(t, openFresh(t), source, false)
	if err != nil || len(notes) != 1 || notes[0] != "list[0].members[50]: left out. "+todo.ErrListFull.Error() {
		t.Errorf("%q, %v", notes, err)
	}
}

// A derived uid is that of the id which is kept; any other one of this database is not taken.
func TestUIDsOfThisDatabaseAreDerivedAnew(t *testing.T) {
	db := openFresh(t)
	seed := db.Seed()
	_, notes, err := imported(t, db, recorded{users: users(1), lists: []string{"id=4|owner_id=1|name=l|uid=" + seed.UID(todo.KindList, 4)}, tasks: []string{
		"id=1|user_id=1|list_id=4|title=own|uid=" + seed.UID(todo.KindTask, 1), "id=2|user_id=1|list_id=4|title=of another|uid=" + seed.UID(todo.KindTask, 3),
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "notes", notes, []string{"task[1]: got a new uid: the one that it had stands for something else here."})
	for _, id := range []int64{1, 2} {
		if task, err := db.Task(t.Context(), app.Operator(), todo.ByID(id)); err != nil || task.UID != "" {
			t.Errorf("%+v, %v", task, err)
		}
	}
}

// Tasks that somebody puts into a database with others are in the order that they had, and
// new ones come before them.
func TestPositionsBesideOthers(t *testing.T) {
	db := openFresh(t)
	if _, _, err := imported(t, db, recorded{users: users(9)}, false); err != nil {
		t.Fatal(err)
	}
	_, notes, err := imported(t, db, recorded{users: users(1), tasks: []string{
		"id=1000|user_id=1|title=a|position=-1024000", "id=2000|user_id=1|title=b|position=-5", "id=4503599627370496|user_id=1|title=c|position=-4611686018427387904",
	}}, false)
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	task, err := db.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: 10, Title: "n", CreatedAt: importedAt})
	if err != nil || task.ID != 1001 || task.Position >= -1024000 {
		t.Errorf("%+v, %v", task, err)
	}
}

// One CSV file for one user who is there.
func TestTasksForOneUserComeIntoListsOfTheirs(t *testing.T) {
	db := openFresh(t)
	if _, _, err := imported(t, db, recorded{users: users(1, 2), lists: []string{"id=5|owner_id=1|name=Food", "id=6|owner_id=2|name=Work"}}, false); err != nil {
		t.Fatal(err)
	}
	source := recorded{users: users(3), lists: []string{"id=9|owner_id=3|name=not looked at"}, tasks: []string{
		"id=7|title=milk|list=Food|user_id=99|assignee_id=77", "id=8|title=mail|list= Work |parent_id=9", "id=9|title=write|list=Work|labels=a, b,,a",
		"title=x|list=", "title=y|list=inbox", "title=z", "title=w|parent_id=400", "title=v|list=" + strings.Repeat("v", 101),
	}}
	for _, dry := range []bool{true, false} {
		before := laidOut(t, db)
		var notes []string
		run := operate.Import{
			Store: db, Now: func() time.Time { return importedAt }, Owner: "u1@example.com", DryRun: dry,
			Note: func(where, what string) { notes = append(notes, where+": "+what) }, Progress: func(operate.ImportReport) {},
		}
		report, err := run.Run(t.Context(), source)
		if err != nil || report.Users != 0 || report.Tasks != 8 || report.Lists != 1 {
			t.Errorf("%+v, %v", report, err)
		}
		same(t, "notes", notes, []string{
			"task[7]: came into the Inbox. list: The field list must be at most 100 characters.",
			"task[6]: came without its parent, which did not come.",
		})
		if after := laidOut(t, db); dry && !slices.Equal(after, before) {
			t.Errorf("the dry run left %q", after)
		}
	}
	same(t, "laid out", laidOut(t, db), []string{
		"list 5 Food of 1: 1 owner", "list 6 Work of 2: 2 owner", "list 7 Inbox of 1: 1 owner", "list 8 Inbox of 2: 2 owner", "list 9 Work of 1: 1 owner",
		"1 milk in 5 of 1", "2 mail in 9 of 1 below 3", "3 write in 9 of 1", "4 x in 7 of 1", "5 y in 7 of 1", "6 z in 7 of 1", "7 w in 7 of 1", "8 v in 7 of 1",
	})
	if task, err := db.Task(t.Context(), app.Operator(), todo.ByID(3)); err != nil || !slices.Equal(task.Labels, []string{"a", "b"}) {
		t.Errorf("%+v, %v", task, err)
	}
	run := operate.Import{Store: db, Now: time.Now, Owner: "nobody@example.com", Note: func(string, string) {}, Progress: func(operate.ImportReport) {}}
	if _, err := run.Run(t.Context(), source); !errors.Is(err, operate.ErrNoOwner) {
		t.Error(err)
	}
}
