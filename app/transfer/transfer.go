// Package transfer reads and writes users, lists and tasks as files, JSON or CSV
// (RFC 4180), a row at a time, so that size costs no memory. The names of the
// columns are those of the tutorial's tables and of the API.
//
// JSON carries users, lists with their members, and tasks with all that they have,
// the reminders of each person included. CSV carries users, and of a task what fits
// into a table: its list by name, its labels with commas between them, the task it
// is below and whom it is given to, but no members, colors, uids, positions and
// reminders, and of a recurrence its rule only. Neither carries sessions, API tokens,
// invitations, mails, the trash, the log of changes and the audit record.
//
// A file holds the data unchanged. A title that begins with "=" is
// not changed, so a spreadsheet may take it for a formula.
package transfer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

// Store is where an export comes from.
type Store interface {
	// Export calls users for every user, then lists for every list and tasks for
	// every task, all as they were at one moment, with their uids.
	Export(ctx context.Context, users func(account.User) error, lists func(operate.ListRecord) error, tasks func(operate.TaskRecord) error) error
}

// Options say what an export holds.
type Options struct {
	// Hashes puts the password hashes in, so that people can sign in where
	// the file is imported, and anyone who reads it can try to guess passwords.
	Hashes bool
	// Progress receives the counts after each row.
	Progress func(users, tasks int64)
}

// counter reports progress.
type counter struct {
	users, tasks int64
	progress     func(users, tasks int64)
}

func (c *counter) user() { c.users++; c.progress(c.users, c.tasks) }
func (c *counter) task() { c.tasks++; c.progress(c.users, c.tasks) }

// moment is how a file holds a time; empty for none.
func moment(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// dueText is empty for a date that is not set.
func dueText(d todo.Due) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// errNotFile is for what would be waited for without end, or can't be read
// twice.
var errNotFile = errors.New("it is a folder, a pipe or a device, and not a file")

// openFile opens what an import reads.
func openFile(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotFile
	}
	return os.Open(path)
}

func integer(n int64) string { return strconv.FormatInt(n, 10) }

// optionalInteger is empty for 0.
func optionalInteger(n int64) string {
	if n == 0 {
		return ""
	}
	return integer(n)
}

// draft is a file that is not there under its name until it is whole. Only
// this user may read it (os.CreateTemp makes it so).
type draft struct {
	*os.File
	path string
}

func newDraft(path string) (draft, error) {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	return draft{file, path}, err
}

// finish makes the drafts the files of their names if err is nil, and removes
// them else.
func finish(err error, drafts ...draft) error {
	for _, d := range drafts {
		if err == nil {
			err = d.Sync()
		}
		err = errors.Join(err, d.Close())
	}
	for _, d := range drafts {
		if err == nil {
			err = os.Rename(d.Name(), d.path)
		} else {
			err = errors.Join(err, os.Remove(d.Name()))
		}
	}
	return err
}
