package transfer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"taskapi/app/account"
	"taskapi/app/operate"
)

// CSV is an import from two files with a line of column names each, as
// WriteCSV makes them, or as spreadsheets save them: with semicolons or tabs, and
// in UTF-16.
type CSV struct {
	UsersPath string // empty: no such file
	TasksPath string // empty: no such file
	// OwnTasks says that the file of tasks is all there is, and needs titles only.
	OwnTasks bool
	// Note receives the format of a file that does not use commas. May be nil.
	Note func(where, what string)
}

var _ operate.ImportSource = CSV{}

// Users calls each for every line of the file of users.
func (c CSV) Users(_ context.Context, each func(operate.ImportRow) error) error {
	if c.UsersPath == "" {
		return nil
	}
	return c.read(c.UsersPath, []string{"id", "username", "email"}, each)
}

// Tasks calls each for every line of the file of tasks.
func (c CSV) Tasks(_ context.Context, each func(operate.ImportRow) error) error {
	switch {
	case c.TasksPath == "":
		return nil
	case c.OwnTasks:
		return c.read(c.TasksPath, []string{"title"}, each)
	}
	return c.read(c.TasksPath, []string{"id", "title", "user_id"}, each)
}

// Lists has none: the tasks name them.
func (CSV) Lists(context.Context, func(operate.ImportRow) error) error { return nil }

// RefreshTokens is 0: a file has none.
func (CSV) RefreshTokens(context.Context) (int64, error) { return 0, nil }

// ErrColumns says that a file lacks a column.
var ErrColumns = errors.New("its first line has no such column")

// read reads a file whose first line names the columns. An empty value is a
// null one, since CSV can't tell the two apart.
func (c CSV) read(path string, needed []string, each func(operate.ImportRow) error) (err error) {
	file, err := openFile(path)
	if err != nil {
		return fmt.Errorf("%s can't be read; name the files of the users and of the tasks (%w)", path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text := bufio.NewReaderSize(utf8Text(file), headerSize)
	in := csv.NewReader(text)
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	var said string
	if in.Comma, said = separator(text); said != "" && c.Note != nil {
		c.Note(filepath.Base(path), "its values are separated by "+said+".")
	}
	header, err := in.Read()
	columns := make([]string, len(header))
	for i, name := range header {
		columns[i] = strings.ToLower(strings.TrimSpace(name))
	}
	for _, column := range needed {
		if !slices.Contains(columns, column) {
			return fmt.Errorf("%s: %w as %q; needed are %s, with commas, semicolons or tabs between them", path, ErrColumns, column, strings.Join(needed, ", "))
		}
	}
	for err == nil {
		var record []string
		if record, err = in.Read(); err != nil {
			break
		}
		line, _ := in.FieldPos(0)
		err = each(csvRow(columns, record, fmt.Sprintf("%s line %d", filepath.Base(path), line)))
	}
	var broken *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &broken):
		return fmt.Errorf("%s is no CSV in line %d; put texts with separators, quotes or line ends in quotes, and double the quotes in them (%w)", path, broken.Line, err)
	}
	return err
}

// headerSize is how much of a file is looked at to find its separator, in bytes.
const headerSize = 1 << 16

// separator finds the delimiter of a file: the most frequent of
// the usual ones in its first line, or the one that a line "sep=;" of Excel's
// names, which it passes over. Said is its name, unless it is the comma.
func separator(text *bufio.Reader) (comma rune, said string) {
	head, _ := text.Peek(headerSize) // with less, there is less to look at
	first, _, _ := bytes.Cut(head, []byte("\n"))
	if named, ok := strings.CutPrefix(strings.TrimRight(string(first), "\r"), "sep="); ok && len(named) == 1 {
		_, _ = text.Discard(min(len(first)+1, len(head))) // it has been peeked at
		first = []byte(named)
	}
	comma = ','
	for _, other := range []struct {
		comma rune
		name  string
	}{{';', "semicolons"}, {'\t', "tabs"}} {
		if bytes.Count(first, []byte(string(other.comma))) > bytes.Count(first, []byte(string(comma))) {
			comma, said = other.comma, other.name
		}
	}
	return comma, said
}

func csvRow(columns, record []string, where string) operate.ImportRow {
	row := operate.ImportRow{Where: where, Values: make(map[string]string, len(columns))}
	if len(record) != len(columns) {
		row.Problem = fmt.Sprintf("It has %d values, not %d.", len(record), len(columns))
		return row
	}
	for i, value := range record {
		if value != "" {
			row.Values[columns[i]] = value
		}
	}
	return row
}

// The names of the files that WriteCSV makes.
const (
	UsersFile = "users.csv"
	TasksFile = "tasks.csv"
)

// WriteCSV exports everything to two files in a folder that is there, which
// appear when both are whole. Lines end with a line feed alone: the writer would
// put RFC 4180's pair into the values as well.
func WriteCSV(ctx context.Context, folder string, store Store, o Options) error {
	users, err := newDraft(filepath.Join(folder, UsersFile))
	if err != nil {
		return err
	}
	tasks, err := newDraft(filepath.Join(folder, TasksFile))
	if err != nil {
		return finish(err, users)
	}
	return finish(writeCSV(ctx, users, tasks, store, o), users, tasks)
}

// userColumns and taskColumns are the first lines of the files.
func userColumns(hashes bool) []string {
	if hashes {
		return []string{"id", "username", "email", "password", "role", "date_created", "time_zone"}
	}
	return []string{"id", "username", "email", "role", "date_created", "time_zone"}
}

func taskColumns() []string {
	return []string{
		"id", "title", "description", "completed", "date_created", "date_completed", "user_id", "list",
		"priority", "due", "due_zone", "start", "labels", "recurrence", "parent_id", "assignee_id",
	}
}

func writeCSV(ctx context.Context, users, tasks io.Writer, store Store, o Options) error {
	outUsers, outTasks := csv.NewWriter(users), csv.NewWriter(tasks)
	if err := errors.Join(outUsers.Write(userColumns(o.Hashes)), outTasks.Write(taskColumns())); err != nil {
		return err
	}
	count := counter{progress: o.Progress}
	names := map[int64]string{} // of the lists
	err := store.Export(ctx, func(u account.User) error {
		record := []string{integer(u.ID), u.Username, u.Email, string(u.Role), moment(u.CreatedAt), u.TimeZone}
		if o.Hashes {
			record = slices.Insert(record, 3, u.PasswordHash)
		}
		count.user()
		return outUsers.Write(record)
	}, func(l operate.ListRecord) error {
		names[l.ID] = l.Name
		return nil
	}, func(t operate.TaskRecord) error {
		count.task()
		return outTasks.Write([]string{
			integer(t.ID), t.Title, t.Description, fmt.Sprint(t.Completed()), moment(t.CreatedAt), moment(t.CompletedAt), integer(t.UserID), names[t.ListID],
			t.Priority.String(), dueText(t.Dates.Due), t.Dates.Due.Zone, dueText(t.Dates.Start), strings.Join(t.Labels, ","), t.Repetition.Rule,
			optionalInteger(t.ParentID), optionalInteger(t.AssigneeID),
		})
	})
	outUsers.Flush()
	outTasks.Flush()
	return errors.Join(err, outUsers.Error(), outTasks.Error())
}
