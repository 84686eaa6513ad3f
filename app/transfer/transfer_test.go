package transfer

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

var at = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// memory is a store of two users and as many tasks as a test wants.
type memory struct {
	tasks []todo.Task
	err   error // after the last task
}

func (m memory) Export(_ context.Context, users func(account.User) error, _ func(operate.ListRecord) error, tasks func(operate.TaskRecord) error) error {
	for _, u := range []account.User{
		{ID: 1, Username: `a "b", c`, Email: "a@example.com", PasswordHash: "$argon2id$1", Role: app.RoleAdmin, CreatedAt: at},
		{ID: 7, Username: "<语>", Email: "b@example.com", PasswordHash: "$argon2id$2", Role: app.RoleUser, CreatedAt: at},
	} {
		if err := users(u); err != nil {
			return err
		}
	}
	for _, t := range m.tasks {
		if err := tasks(operate.TaskRecord{Task: t}); err != nil {
			return err
		}
	}
	return m.err
}

func someTasks() []todo.Task {
	return []todo.Task{
		{ID: 2, UserID: 7, Title: "=1+1", Description: "two\n\"lines\",\t", CreatedAt: at},
		{ID: 3, UserID: 1, Title: `\N`, Description: `NULL`, CreatedAt: at, CompletedAt: at.Add(time.Hour)},
		{ID: 9, UserID: 1, Title: "-", CreatedAt: at},
	}
}

// rows reads everything that a source has, as texts.
func rows(t *testing.T, source operate.ImportSource) (users, tasks []map[string]string) {
	t.Helper()
	keep := func(into *[]map[string]string) func(operate.ImportRow) error {
		return func(row operate.ImportRow) error {
			if row.Problem != "" || row.Where == "" {
				t.Errorf("%s: %s", row.Where, row.Problem)
			}
			*into = append(*into, row.Values)
			return nil
		}
	}
	if err := errors.Join(source.Users(t.Context(), keep(&users)), source.Tasks(t.Context(), keep(&tasks))); err != nil {
		t.Fatal(err)
	}
	return users, tasks
}

func options(hashes bool) Options { return Options{Hashes: hashes, Progress: func(int64, int64) {}} }

func TestWhatIsWrittenIsRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "export.json")
	if err := WriteJSON(t.Context(), file, memory{tasks: someTasks()}, options(true)); err != nil {
		t.Fatal(err)
	}
	if err := WriteCSV(t.Context(), dir, memory{tasks: someTasks()}, options(true)); err != nil {
		t.Fatal(err)
	}
	for name, source := range map[string]operate.ImportSource{
		"JSON": JSON{file}, "CSV": CSV{UsersPath: filepath.Join(dir, UsersFile), TasksPath: filepath.Join(dir, TasksFile)},
	} {
		users, tasks := rows(t, source)
		if len(users) != 2 || users[0]["username"] != `a "b", c` || users[0]["password"] != "$argon2id$1" || users[0]["role"] != "admin" ||
			users[1]["id"] != "7" || users[1]["username"] != "<语>" || users[1]["date_created"] != "2026-01-02T03:04:05.678Z" {
			t.Errorf("%s: %q", name, users)
		}
		if len(tasks) != 3 || tasks[0]["title"] != "=1+1" || tasks[0]["description"] != "two\n\"lines\",\t" || tasks[0]["completed"] != "false" ||
			tasks[0]["date_completed"] != "" || tasks[1]["date_completed"] != "2026-01-02T04:04:05.678Z" || tasks[1]["title"] != `\N` ||
			tasks[1]["description"] != "NULL" || tasks[2]["description"] != "" {
			t.Errorf("%s: %q", name, tasks)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("%v, %v", entries, err)
	}
}

func TestHashesOnlyWhenAsked(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "export.json")
	err := errors.Join(WriteJSON(t.Context(), file, memory{}, options(false)), WriteCSV(t.Context(), dir, memory{}, options(false)))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, filepath.Join(dir, UsersFile)} {
		text, err := os.ReadFile(name)
		if err != nil || strings.Contains(string(text), "argon2id") || strings.Contains(string(text), "password") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	if users, tasks := rows(t, JSON{file}); len(users) != 2 || len(tasks) != 0 {
		t.Errorf("%q %q", users, tasks)
	}
}

func TestAnExportThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	file, users := filepath.Join(dir, "export.json"), filepath.Join(dir, UsersFile)
	for _, name := range []string{file, users} {
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	broken := memory{tasks: someTasks(), err: errors.New("the disk is gone")}
	if err := WriteJSON(t.Context(), file, broken, options(false)); !errors.Is(err, broken.err) {
		t.Error(err)
	}
	if err := WriteCSV(t.Context(), dir, broken, options(false)); !errors.Is(err, broken.err) {
		t.Error(err)
	}
	for _, name := range []string{file, users} {
		if text, err := os.ReadFile(name); err != nil || string(text) != "old" {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
	if err := WriteJSON(t.Context(), filepath.Join(dir, "no", "folder.json"), memory{}, options(false)); err == nil {
		t.Error("wrote into a folder that is not there")
	}
}

// problems returns what is wrong with each row of a list of tasks.
func problems(t *testing.T, source operate.ImportSource) []string {
	t.Helper()
	var found []string
	err := source.Tasks(t.Context(), func(row operate.ImportRow) error {
		found = append(found, row.Problem)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRowsOfJSONThatCannotBeRead(t *testing.T) {
	got := problems(t, JSON{write(t, "a.json", "\ufeff"+`{"tasks": [5, null, {"title": 5}, {"title": true}, {"id": "3", "title": null},
		{"title": "\ud800"}, {"title": "`+"\xff"+`"}, {"title": "\ufffd \u00e4"}, {"title": {"a": 1}}, {"x": {"title": 1}}, {"title": "last"}],
		"more": [[{"tasks": [1]}], 2]}`)})
	const object, text, unicode = "It is not an object.", "The field title must be a string.", "It holds what is not Unicode text."
	want := []string{object, object, text, text, "", unicode, unicode, "", text, "", ""}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// What spreadsheets of other countries save.
func TestSeparatorsOfCSV(t *testing.T) {
	for text, said := range map[string]string{
		"title,completed,user_id,id\n\"a;b\",true,1,1\n":              "",
		"Title;Completed ;user_id;ID\r\n\"a;b\";VERDADERO;1;1\r\n":    "its values are separated by semicolons.",
		"title\tcompleted\tuser_id\tid\na;b\ttrue\t1\t1":              "its values are separated by tabs.",
		"sep=;\r\ntitle;completed;user_id;id\r\n\"a;b\";true;1;1\r\n": "its values are separated by semicolons.",
		"sep=,\ntitle,completed,user_id,id\na;b,true,1,1\n":           "",
		"\xff\xfet\x00i\x00t\x00l\x00e\x00\t\x00i\x00d\x00\t\x00u\x00s\x00e\x00r\x00_\x00i\x00d\x00\n\x00a\x00;\x00b\x00\t\x001\x00\t\x001\x00": "its values are separated by tabs.",
	} {
		var notes []string
		source := CSV{TasksPath: write(t, "tasks.csv", text), Note: func(where, what string) { notes = append(notes, what) }}
		rows := 0
		err := source.Tasks(t.Context(), func(row operate.ImportRow) error {
			rows++
			if row.Problem != "" || row.Values["title"] != "a;b" || row.Values["id"] != "1" {
				t.Errorf("%q: %+v", text, row)
			}
			return nil
		})
		if err != nil || rows != 1 || strings.Join(notes, "") != said {
			t.Errorf("%q: %d rows, %v, said %q", text, rows, err, notes)
		}
	}
}

// A file of titles is all that an import for one user needs.
func TestOwnTasksOfCSV(t *testing.T) {
	path := write(t, "list.csv", "title\nbuy milk\n")
	for own, want := range map[bool]bool{true: true, false: false} {
		err := CSV{TasksPath: path, OwnTasks: own}.Tasks(t.Context(), func(operate.ImportRow) error { return nil })
		if (err == nil) != want || err != nil && !errors.Is(err, ErrColumns) {
			t.Errorf("own: %t, %v", own, err)
		}
	}
}

// Files as Windows saves them, with and without a mark.
func TestImportsInUTF16(t *testing.T) {
	const object = `{"tasks": [{"id": 1, "title": "büro 語 🎉", "user_id": 2}]}`
	const table = "id,title,user_id\r\n1,büro 語 🎉,2\r\n"
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"", "\ufeff"} {
			encode := func(text string) string {
				var out []byte
				for _, unit := range utf16.Encode([]rune(mark + text)) {
					out = order.AppendUint16(out, unit)
				}
				return string(out)
			}
			for name, source := range map[string]operate.ImportSource{
				"JSON": JSON{write(t, "a.json", encode(object))}, "CSV": CSV{TasksPath: write(t, "tasks.csv", encode(table))},
			} {
				rows := 0
				err := source.Tasks(t.Context(), func(row operate.ImportRow) error {
					rows++
					if row.Problem != "" || row.Values["title"] != "büro 語 🎉" || row.Values["id"] != "1" {
						t.Errorf("%s, %v, mark %q: %+v", name, order, mark, row)
					}
					return nil
				})
				if err != nil || rows != 1 {
					t.Errorf("%s, %v, mark %q: %d rows, %v", name, order, mark, rows, err)
				}
			}
		}
	}
}

func TestFilesThatAreNoJSON(t *testing.T) {
	for _, text := range []string{
		"", "[]", "5", "{", `{"tasks": 5}`, `{"tasks": [`, `{"tasks": [}`, `{"tasks": []} {}`, `{"tasks": []`, `{"users": [1, 2`,
		"\xff\xfe", "\xff", "{\x00", "\x00{\x00", `{"tasks": [{"id": 1`, `{"tasks" []}`, "id,title\n", `{"a": {]}`,
	} {
		path := write(t, "a.json", text)
		err := JSON{path}.Tasks(t.Context(), func(operate.ImportRow) error { return nil })
		if err == nil || !strings.Contains(err.Error(), path+" is no JSON of users and tasks") {
			t.Errorf("%s: %v", text, err)
		}
	}
	stop := errors.New("stop")
	err := JSON{write(t, "a.json", `{"tasks": [{}]}`)}.Tasks(t.Context(), func(operate.ImportRow) error { return stop })
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	err = JSON{write(t, "a.json", `{"users": [{}], "tasks": []}`)}.Tasks(ended, nil)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRowsOfCSV(t *testing.T) {
	path := write(t, "tasks.csv", "\ufeffid,title,user_id,extra\r\n1,\"a,\nb\",1,\r\n2,b,1\r\n\r\n3,\"\"\"\",1,x,y\n4,last,1,")
	var got []string
	err := CSV{TasksPath: path}.Tasks(t.Context(), func(row operate.ImportRow) error {
		got = append(got, row.Where+"|"+row.Problem+"|"+row.Values["title"])
		return nil
	})
	want := []string{"tasks.csv line 2||a,\nb", "tasks.csv line 4|It has 3 values, not 4.|", "tasks.csv line 6|It has 5 values, not 4.|", "tasks.csv line 7||last"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	for text, want := range map[string]string{
		"":                                 `no such column as "id"`,
		"id;title\n":                       `no such column as "user_id"`,
		"id,title\n":                       `no such column as "user_id"`,
		"id,title,user_id\n1,a\"b,1\n":     "is no CSV in line 2",
		"id,title,user_id\n1,b,1\n\"1,b,1": "is no CSV in line 3",
	} {
		path := write(t, "tasks.csv", text)
		err := CSV{TasksPath: path}.Tasks(t.Context(), func(operate.ImportRow) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := (CSV{}).Tasks(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if err := (CSV{UsersPath: path + "x"}).Users(t.Context(), nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzJSON and FuzzCSV show that no file makes a reader panic, and that a text
// which is read is a text.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"users": [{"id": 1, "email": "a"}], "x": {"y": [1]}, "tasks": []}`))
	f.Add([]byte(`{"tasks": [{"title": "\ud800\udc00"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		fuzzSource(t, JSON{write(t, "a.json", string(text))})
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,title,user_id,username,email\n1,\"a\",2\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := write(t, "a.csv", string(text))
		fuzzSource(t, CSV{UsersPath: path, TasksPath: path})
	})
}

func fuzzSource(t *testing.T, source operate.ImportSource) {
	each := func(row operate.ImportRow) error {
		if row.Where == "" {
			t.Error("a row from nowhere")
		}
		return nil
	}
	// Errors are fine here.
	_ = source.Users(t.Context(), each)
	_ = source.Lists(t.Context(), each)
	_ = source.Tasks(t.Context(), each)
}
