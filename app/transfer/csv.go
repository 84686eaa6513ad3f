package transfer

import (
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
	"taskapi/app/todo"
)

// CSV is an import from two files with a line of column names each, as
// WriteCSV makes them. Tasks may be empty: no such file.
type CSV struct{ UsersPath, TasksPath string }

var _ operate.ImportSource = CSV{}

// Users calls each for every line of the file of users.
func (c CSV) Users(_ context.Context, each func(operate.ImportRow) error) error {
	return readCSV(c.UsersPath, []string{"id", "username", "email"}, each)
}

// Tasks calls each for every line of the file of tasks.
func (c CSV) Tasks(_ context.Context, each func(operate.ImportRow) error) error {
	if c.TasksPath == "" {
		return nil
	}
	return readCSV(c.TasksPath, []string{"id", "title", "user_id"}, each)
}

// RefreshTokens is 0: a file has none.
func (CSV) RefreshTokens(context.Context) (int64, error) { return 0, nil }

// readCSV reads a file whose first line names the columns. An empty value is
// a null one, since CSV can't tell the two apart.
func readCSV(path string, needed []string, each func(operate.ImportRow) error) (err error) {
	file, err := openFile(path)
	if err != nil {
		return fmt.Errorf("%s can't be read; name the files of the users and of the tasks (%w)", path, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := csv.NewReader(utf8Text(file))
	in.ReuseRecord = true
	in.FieldsPerRecord = -1
	header, err := in.Read()
	columns := slices.Clone(header)
	for _, column := range needed {
		if !slices.Contains(columns, column) {
			return fmt.Errorf("%s has no column %q in its first line; the names are %s, with commas between them", path, column, strings.Join(needed, ", "))
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
		return fmt.Errorf("%s is no CSV in line %d; put texts with commas, quotes or line ends in quotes, and double the quotes in them (%w)", path, broken.Line, err)
	}
	return err
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

func writeCSV(ctx context.Context, users, tasks io.Writer, store Store, o Options) error {
	outUsers, outTasks := csv.NewWriter(users), csv.NewWriter(tasks)
	header := []string{"id", "username", "email", "password", "role", "date_created"}
	if !o.Hashes {
		header = slices.Delete(header, 3, 4)
	}
	err := errors.Join(outUsers.Write(header),
		outTasks.Write([]string{"id", "title", "description", "completed", "date_created", "date_completed", "user_id"}))
	if err != nil {
		return err
	}
	count := counter{progress: o.Progress}
	err = store.Export(ctx, func(u account.User) error {
		record := []string{integer(u.ID), u.Username, u.Email, u.PasswordHash, string(u.Role), moment(u.CreatedAt)}
		if !o.Hashes {
			record = slices.Delete(record, 3, 4)
		}
		count.user()
		return outUsers.Write(record)
	}, func(t todo.Task) error {
		count.task()
		return outTasks.Write([]string{integer(t.ID), t.Title, t.Description, fmt.Sprint(t.Completed()),
			moment(t.CreatedAt), moment(t.CompletedAt), integer(t.UserID)})
	})
	outUsers.Flush()
	outTasks.Flush()
	return errors.Join(err, outUsers.Error(), outTasks.Error())
}
