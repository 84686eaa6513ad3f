package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"taskapi/cmd/machine"
)

// tutorialHash is Werkzeug's hash of "correct horse".
const tutorialHash = "scrypt:32768:8:1$Zk0pVqU3lHs2aRbT$56e747ec7fc205b2137d7afeab17dea63cefe421f1fc8d30058fb16c7c48117ce4ecf5fc1b032a585644535c128a351b240b54a1f53851f9535e4418dfadcc42"

const tutorialExport = `{"users": [
	{"id": 1, "username": "ann", "email": "ann@example.com", "password": "` + tutorialHash + `"},
	{"id": 7, "username": "bob", "email": "bob@example.com", "password": null},
	{"id": 8, "username": "\u001b[31mred", "email": "red@example.com"}
], "tasks": [
	{"id": 5, "title": "=1+1, \"quoted\"", "description": "two\nlines", "completed": true, "date_created": "Sat, 29 Nov 2025 03:19:52 GMT", "date_completed": "2025-11-29T03:19:52.5Z", "user_id": 1},
	{"id": 9, "title": "\\N", "description": null, "completed": false, "date_created": "2025-11-29 03:19:52", "date_completed": null, "user_id": 7},
	{"id": 10, "title": "of red", "user_id": 8}
]}`

func TestOldPasswordsWorkAndAreRenewed(t *testing.T) {
	flag := folder(t)
	writeFile(t, "tutorial.json", tutorialExport)
	world{}.taskapi(t, "db", "import", "tutorial.json", flag).expect(t, exitOK,
		"users[2]: skipped. username: The field username contains invalid characters.\n",
		"Imported 2 users and 2 tasks.\n", "Skipped 1 user and 0 tasks, for the reasons above.\n",
		"Skipped 1 task more, whose users were skipped.\n", "Ids are the ones they had.\n", "Without a password: 1 user. They set one")
	p := start(t, nil)
	login := func(password string) int {
		status, _ := p.call("POST", "/auth/login", "", fmt.Sprintf(`{"email":"ann@example.com","password":%q}`, password))
		return status
	}
	hash := func() string {
		_ = os.Remove("now.json") // of the time before, if there was one
		world{}.taskapi(t, "db", "export", "--with-password-hashes", "now.json", flag).expect(t, exitOK, "Exported 2 users and 2 tasks to now.json.")
		var all struct{ Users []struct{ Password string } }
		if err := json.Unmarshal([]byte(readFile(t, "now.json")), &all); err != nil {
			t.Fatal(err)
		}
		return all.Users[0].Password
	}
	if status := login("correct horses"); status != 401 || hash() != tutorialHash {
		t.Errorf("a wrong password: %d, %s", status, hash())
	}
	if status := login("correct horse"); status != 200 || !strings.HasPrefix(hash(), "$argon2id$v=19$m=19456,") {
		t.Errorf("the old password: %d, %s", status, hash())
	}
	if wrong, right := login("correct horses"), login("correct horse"); wrong != 401 || right != 200 {
		t.Errorf("afterwards: %d and %d", wrong, right)
	}
	world{}.taskapi(t, "db", "import", "tutorial.json", flag).expect(t, exitFailed, "a server is using this data folder", "stop that server first")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Error(code, p.log.String())
	}
	world{}.taskapi(t, "mail", "list", flag).expect(t, exitOK)
	world{}.taskapi(t, "audit", flag).expect(t, exitOK, "user_created", "command line", "imported")
}

// Out of one folder and into another, by either form.
func TestRoundTrips(t *testing.T) {
	first := folder(t)
	planned := strings.Replace(tutorialExport, `{"id": 9, `, `{"id": 9, "priority": "high", "due": "2026-11-30T09:00", "due_zone": "Europe/Berlin", "start": "2026-11-29T10:00:30", `, 1)
	writeFile(t, "tutorial.json", planned)
	world{}.taskapi(t, "db", "import", "tutorial.json", first).expect(t, exitOK)
	world{}.taskapi(t, "user", "promote", "ann@example.com", first).expect(t, exitOK)
	world{}.taskapi(t, "db", "export", "--with-password-hashes", "a.json", first).expect(t, exitOK)
	world{}.taskapi(t, "db", "export", "--with-password-hashes", "--csv=folder", first).expect(t, exitOK, "Exported 2 users and 2 tasks to folder.")
	// Admins are made on the command line only.
	want := strings.Replace(readFile(t, "a.json"), `"role":"admin"`, `"role":"user"`, 1)
	if !strings.Contains(want, `"priority":"high","due":"2026-11-30T09:00","due_zone":"Europe/Berlin","start":"2026-11-29T10:00:30"`) {
		t.Errorf("the plan of a task is lost: %s", want)
	}
	for name, args := range map[string][]string{"json": {"a.json"}, "csv": {"folder/users.csv", "folder/tasks.csv"}} {
		second := "--data-dir=" + name
		world{}.taskapi(t, append([]string{"db", "import", "--dry-run", second}, args...)...).expect(t, exitOK, "Would import 2 users and 2 tasks.", "nothing was changed")
		if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the dry run has left a folder (%v)", err)
		}
		report := world{}.taskapi(t, append([]string{"db", "import", second}, args...)...).expect(t, exitOK, "Imported 2 users and 2 tasks.", "Now ordinary users: 1 admin.")
		if strings.Contains(report.out+report.err, "stays behind") {
			t.Errorf("%s: a column of our own is called strange:\n%s%s", name, report.out, report.err)
		}
		world{}.taskapi(t, "db", "export", "--with-password-hashes", "from-"+name+".json", second).expect(t, exitOK)
		// A table has no uids: others are derived.
		uids := regexp.MustCompile(`"uid":"[^"]*"`)
		got, want := readFile(t, "from-"+name+".json"), want
		if name == "csv" {
			got, want = uids.ReplaceAllString(got, ""), uids.ReplaceAllString(want, "")
		}
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
		}
	}
	world{}.taskapi(t, "db", "export", "c.json", first).expect(t, exitOK)
	if text := readFile(t, "c.json"); strings.Contains(text, "password") || strings.Contains(text, "scrypt") {
		t.Errorf("hashes that nobody asked for: %s", text)
	}
	for _, name := range []string{"a.json", "folder/users.csv", "folder/tasks.csv"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if left, err := filepath.Glob("folder/.*"); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
	world{environ: []string{"TASKAPI_REQUIRE_VERIFIED_EMAIL=on", "MAIL_SERVER=localhost", "MAIL_DEFAULT_SENDER=a@b.c"}}.
		taskapi(t, "db", "import", "folder/users.csv", "--data-dir=users").expect(t, exitOK, "Imported 2 users and 0 tasks.", "Addresses count as unconfirmed")
	world{}.taskapi(t, "db", "import", "c.json", first).expect(t, exitFailed, "User 1 here has the same address.", "nothing was imported: skipped 2 users and 2 tasks")
}

// Lists are told of in the report, and a file of a newer taskapi is left alone.
func TestImportsOfLists(t *testing.T) {
	data := folder(t)
	writeFile(t, "lists.json", `{"version": 2, "users": [{"id": 1, "username": "ann", "email": "ann@example.com"}], "lists": [
		{"id": 1, "name": "Inbox", "inbox": true, "owner_id": 1}, {"id": 2, "name": "Food", "owner_id": 1, "members": [{"user_id": 5, "role": "viewer"}]}, {"id": 3, "owner_id": 1}],
		"tasks": [{"id": 1, "title": "milk", "user_id": 1, "list_id": 2, "labels": ["a", "b"]}]}`)
	world{}.taskapi(t, "db", "import", "--dry-run", "lists.json", data).expect(t, exitOK, "Would make 1 list beside the Inboxes.")
	world{}.taskapi(t, "db", "import", "lists.json", data).expect(t, exitOK,
		"lists[1].members[0]: left out. user_id: There is no such user in the source.\n", "lists[2]: skipped. name: The field name is required.\n",
		"Imported 1 user and 1 task.\n", "Made 1 list beside the Inboxes.\n", "Skipped 1 list, for the reasons above.\n")
	writeFile(t, "tasks.csv", "title,list,labels\nbread,Food,\"a, c\"\nnails,Tools,\n")
	world{}.taskapi(t, "db", "import", "tasks.csv", data, "--user=ann@example.com").expect(t, exitOK, "Imported 0 users and 2 tasks.\n", "Made 1 list beside the Inboxes.\n")
	world{}.taskapi(t, "db", "export", "--csv=folder", data).expect(t, exitOK)
	for _, line := range []string{",1,Food,none,,,,\"a,b\",,,\n", ",1,Food,none,,,,\"a,c\",,,\n", ",1,Tools,none,,,,,,,\n"} {
		if text := readFile(t, "folder/tasks.csv"); !strings.Contains(text, line) {
			t.Errorf("there is no %q in\n%s", line, text)
		}
	}
	writeFile(t, "newer.json", `{"version": 3, "users": []}`)
	world{}.taskapi(t, "db", "import", "newer.json", data).expect(t, exitFailed, "has version 3", "import it with a newer one")
}

// A spreadsheet of tasks is the first thing that people try.
func TestASpreadsheetOfTasks(t *testing.T) {
	data := folder(t)
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK)
	world{in: plainPassword + "\n"}.taskapi(t, "user", "add", "ann@example.com", data).expect(t, exitOK)
	writeFile(t, "list.csv", "Title;Completed\r\nbuy milk;VERDADERO\r\n\"a; b\";FALSO\r\n;FALSO\r\n")
	list := []string{"db", "import", "list.csv", data, "--user"}
	world{}.taskapi(t, append(list, "bob@example.com")...).expect(t, exitFailed, `nothing was imported: there is no user "bob@example.com"`)
	world{}.taskapi(t, append(list, "ANN@example.com")...).expect(t, exitOK, "separated by semicolons", "list.csv line 4: skipped. title:", "Imported 0 users and 2 tasks.", "They are tasks of ANN@example.com now.")
	world{}.taskapi(t, "db", "export", "out.json", data).expect(t, exitOK)
	if text := readFile(t, "out.json"); !strings.Contains(text, `"title":"a; b","description":"","completed":false`) || !strings.Contains(text, `"title":"buy milk","description":"","completed":true`) {
		t.Error(text)
	}
	world{}.taskapi(t, "db", "import", "out.json", data, "--user=ann@example.com").expect(t, exitUsage, "--user wants one .csv file")
}

func TestImportsAndExportsThatCannotBe(t *testing.T) {
	data := folder(t)
	writeFile(t, "empty.json", `{"users": []}`)
	writeFile(t, "broken.json", `{"users": [{"id": 1, "username": "a", "email": "a@example.com"}], "tasks": [`)
	writeFile(t, "tasks.csv", "id,title,user_id\n")
	for args, want := range map[string]string{
		"import": "wants a mysql:// address, a .json file", "import a.csv b.csv c.csv": "wants a mysql:// address",
		"import a.json b.json": "wants a mysql:// address", "import dump.sql": "wants a mysql:// address",
		"import postgres://h/d": "postgres:// are not known", "import mysql://h": "names no database",
		"export": "wants either", "export a.json --csv=folder": "wants either",
	} {
		world{}.taskapi(t, append([]string{"db", data}, strings.Fields(args)...)...).expect(t, exitUsage, want)
	}
	for _, name := range []string{"folder.json", "folder.csv"} { // as a pipe would be, which nobody writes
		if err := os.Mkdir(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	world{}.taskapi(t, "db", "init", data).expect(t, exitOK) // what is exported must be there
	for args, want := range map[string]string{
		"import nowhere.json": "nowhere.json can't be read", "import folder.json": "not a file", "import folder.csv": "not a file",
		"import empty.json":  "nothing was imported: the source has no users",
		"import broken.json": "broken.json is no JSON", "import tasks.csv": "say whose they are: --user EMAIL",
		"import mysql://user:secret@127.0.0.1:1/db": "can't be reached; check host and port",
		"export nowhere/a.json":                     "the export to nowhere/a.json failed", "export --csv=empty.json": "can't be made",
	} {
		got := world{}.taskapi(t, append([]string{"db", data}, strings.Fields(args)...)...).expect(t, exitFailed, want)
		if strings.Contains(got.err, "secret") || strings.Count(got.err, "\n") != 1 {
			t.Errorf("%s: %s", args, got.err)
		}
	}
	world{}.taskapi(t, "user", "list", data).expect(t, exitOK)
	writeFile(t, "there.json", "somebody's own")
	if err := os.Mkdir("there", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "there/users.csv", "somebody's own")
	for _, args := range []string{"there.json", "--csv=there"} {
		world{}.taskapi(t, "db", "export", args, data).expect(t, exitFailed, "there is something at there", "choose another name")
	}
	world{}.taskapi(t, "db", "export", "a.json", "--data-dir=nowhere").expect(t, exitFailed, "there is no database")
}

// The password of the database comes from a person, a variable or a file.
func TestThePasswordOfTheDatabase(t *testing.T) {
	data := folder(t)
	writeFile(t, "secret", "from a file\n")
	address := "mysql://user@127.0.0.1:1/db"
	asked := world{terminal: true, typed: []string{"typed"}}.taskapi(t, "db", "import", address, data)
	asked.expect(t, exitFailed, `Password of the database user "user": `, "can't be reached")
	for _, env := range []string{"TASKAPI_IMPORT_PASSWORD=set", "TASKAPI_IMPORT_PASSWORD_FILE=secret"} {
		got := world{terminal: true, environ: []string{env}}.taskapi(t, "db", "import", address, data).expect(t, exitFailed, "can't be reached")
		if strings.Contains(got.err, "Password of") {
			t.Errorf("%s: asked all the same", env)
		}
	}
	world{terminal: true}.taskapi(t, "db", "import", address, data).expect(t, exitFailed, "nothing was typed")
	world{}.taskapi(t, "serve", "--import-password=x", data).expect(t, exitUsage, "import-password")
}

func TestAnInterruptedImport(t *testing.T) {
	data := folder(t)
	writeFile(t, "tutorial.json", tutorialExport)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, source := range []string{"tutorial.json", "mysql://user:x@127.0.0.1:1/db"} {
		var text bytes.Buffer
		a := &application{clock: machine.NewClock(time.Time{}), build: Build{Schema: schema(t)}, out: &text, err: &text, terminal: func() bool { return false }, screen: func() bool { return false }}
		if code := run(ctx, a, []string{"db", "import", source, data}); code != exitFailed {
			t.Errorf("%s: exit code %d: %s", source, code, text.String())
		}
	}
	world{}.taskapi(t, "db", "import", "tutorial.json", data).expect(t, exitOK, "Ids are the ones they had.")
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
