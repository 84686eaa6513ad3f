package operate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/todo"
)

// ImportRow is a user or a task as another system keeps it. Users have the
// columns id, username, email, password (the hash) and date_created; tasks id,
// title, description, completed, date_created, date_completed and user_id.
type ImportRow struct {
	// Where the operator finds the row: "user 7", "users.csv line 3".
	Where string
	// Values by column, as text. What is null has none.
	Values map[string]string
	// Problem is why the row can't be read at all; empty if it can.
	Problem string
}

// ImportSource is where an import comes from. It may reuse the row that it
// hands over. Users are read before tasks.
type ImportSource interface {
	Users(ctx context.Context, each func(ImportRow) error) error
	Tasks(ctx context.Context, each func(ImportRow) error) error
	// RefreshTokens counts those that the other system has handed out. They
	// are signed with its own key and are not imported.
	RefreshTokens(ctx context.Context) (int64, error)
}

// ImportStore stores imported rows.
type ImportStore interface {
	// Import runs do in one transaction, which is kept if do returns nil and
	// undone else. Nothing else may write in the meantime.
	Import(ctx context.Context, do func(ImportTx) error) error
}

// ImportTx is the transaction of an import.
type ImportTx interface {
	// Fresh reports whether there has never been a user or a task, so that
	// every id is free.
	Fresh() (bool, error)
	// EmailOwner returns the id of the user with the address, 0 without one.
	EmailOwner(email string) (int64, error)
	// HasTask reports whether there is a task with the id.
	HasTask(id int64) (bool, error)
	// AddUser and AddTask store under an id, or under a new one if it is 0.
	AddUser(id int64, user account.NewUser, record account.Record) (int64, error)
	AddTask(id int64, task todo.NewTask) error
	// Reserve makes all ids to come greater than these.
	Reserve(userID, taskID int64) error
}

// ImportReport is what an import did, or in a dry run would have done.
type ImportReport struct {
	KeptIDs bool // of the source; otherwise all are new
	Users   int64
	Tasks   int64
	// SkippedUsers and SkippedTasks broke a rule; each was noted.
	SkippedUsers int64
	SkippedTasks int64
	// TasksOfSkipped could have come, had their users.
	TasksOfSkipped int64
	// Repaired rows came with a change that loses nothing of worth.
	Repaired int64
	// NoPassword counts the users who came without a password that works.
	NoPassword int64
	// Admins counts those who were more than users elsewhere.
	Admins        int64
	RefreshTokens int64 // left behind
}

// ErrNothingImported says that no user and no task could be taken.
var ErrNothingImported = errors.New("there is nothing in it that could be imported")

// ErrNoOwner reports that no user has the address of Owner.
var ErrNoOwner = errors.New("there is no such user")

// errDryRun undoes the transaction of a dry run.
var errDryRun = errors.New("dry run")

// Import is the use case of bringing users and tasks from elsewhere: all that
// keep the rules come, in one transaction, and the others are named.
type Import struct {
	Store ImportStore
	Now   func() time.Time
	// DryRun does everything and undoes it.
	DryRun bool
	// Owner, if not empty, is the address of the user who gets all tasks, under
	// new ids; the source's users and what it says of them do not count.
	Owner string
	// Note receives each row that is skipped or loses something.
	Note func(where, what string)
	// Progress receives the counts after each row.
	Progress func(ImportReport)
}

// Run imports everything from the source. On an error, ErrNothingImported and
// ErrNoOwner among them, nothing has been imported.
func (i *Import) Run(ctx context.Context, source ImportSource) (ImportReport, error) {
	run := &importRun{Import: i, now: i.Now(), ids: map[int64]int64{}}
	tokens, err := source.RefreshTokens(ctx)
	if err != nil {
		return run.report, err
	}
	run.report.RefreshTokens = tokens
	err = i.Store.Import(ctx, func(tx ImportTx) error {
		run.tx = tx
		return run.all(ctx, source)
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return run.report, err
}

// importRun is one run of an import.
type importRun struct {
	*Import
	now    time.Time
	tx     ImportTx
	report ImportReport
	// ids maps the users' ids of the source to ours; 0 is a skipped one.
	ids       map[int64]int64
	firstUser int64 // our id of the first one
	owner     int64 // our id of Owner
	// The greatest ids of the source, including those of skipped rows. They are
	// never given again, so that old links don't come to mean something else.
	lastUser, lastTask int64
	strange            []string // columns that were noted as not known here
}

func (r *importRun) all(ctx context.Context, source ImportSource) (err error) {
	if r.Owner != "" {
		r.owner, err = r.tx.EmailOwner(r.Owner)
		if err == nil && r.owner == 0 {
			err = ErrNoOwner
		}
	} else {
		r.report.KeptIDs, err = r.tx.Fresh()
	}
	if err != nil {
		return err
	}
	each := func(take func(ImportRow) error) func(ImportRow) error {
		return func(row ImportRow) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := take(row)
			r.Progress(r.report)
			return err
		}
	}
	if r.owner == 0 {
		if err := source.Users(ctx, each(r.user)); err != nil {
			return err
		}
	}
	if err := source.Tasks(ctx, each(r.task)); err != nil {
		return err
	}
	if r.report.KeptIDs {
		if err := r.tx.Reserve(r.lastUser, r.lastTask); err != nil {
			return err
		}
	}
	switch {
	case r.report.Users+r.report.Tasks == 0:
		return ErrNothingImported
	case r.DryRun:
		return errDryRun
	}
	return nil
}

// user takes one user, or notes why not.
func (r *importRun) user(row ImportRow) error {
	p := app.Problems{}
	id := importID(p, "id", row)
	name := p.Text(account.UsernameRule(true), row.text("username"))
	address := p.Email(true, row.text("email"))
	created := importTime(p, "date_created", row)
	if _, taken := r.ids[id]; taken {
		p.Add("id", "Another user of the source has it.")
		id = 0
	}
	if address != nil {
		owner, err := r.tx.EmailOwner(*address)
		if err != nil {
			return err
		}
		if owner != 0 {
			p.Add("email", r.takenBy(owner))
		}
	}
	r.lastUser = max(r.lastUser, id)
	r.noteStrange("user", row, "id", "username", "email", "password", "role", "date_created")
	if problem := row.problem(p); problem != "" {
		r.report.SkippedUsers++
		if id != 0 {
			r.ids[id] = 0
		}
		r.Note(row.Where, "skipped. "+problem)
		return nil
	}
	if created.IsZero() {
		created = r.now // the tutorial keeps no such date
	}
	if *name != row.Values["username"] || *address != row.Values["email"] {
		r.report.Repaired++
	}
	hash, err := r.password(row)
	if err != nil {
		return err
	}
	if role := row.Values["role"]; role != "" && role != string(app.RoleUser) {
		r.report.Admins++
	}
	user := account.NewUser{Username: *name, Email: *address, PasswordHash: hash, Role: app.RoleUser, CreatedAt: created}
	record := account.RecordOf(account.EventOf(app.Operator(), account.EventUserCreated, 0, r.now, "imported"))
	stored, err := r.tx.AddUser(r.kept(id), user, record)
	r.ids[id] = stored
	if r.report.Users++; r.report.Users == 1 {
		r.firstUser = stored
	}
	return err
}

// maxStrange is how many strange columns are named: a file could have a new one
// in each row.
const maxStrange = 20

// noteStrange names each column that is not known here once: its values stay
// behind, and one of them may be the password under another name.
func (r *importRun) noteStrange(kind string, row ImportRow, known ...string) {
	for _, column := range slices.Sorted(maps.Keys(row.Values)) {
		name := kind + "." + column
		if slices.Contains(known, column) || len(r.strange) == maxStrange || slices.Contains(r.strange, name) {
			continue
		}
		r.strange = append(r.strange, name)
		r.Note(row.Where, fmt.Sprintf("a %s has no %q here: that column stays behind, in every row.", kind, column))
	}
}

// kept returns the id to store under.
func (r *importRun) kept(id int64) int64 {
	if r.report.KeptIDs {
		return id
	}
	return 0
}

// task takes one task, or notes why not.
func (r *importRun) task(row ImportRow) error {
	p := app.Problems{}
	id, owner := int64(0), r.owner
	r.noteStrange("task", row, "id", "title", "description", "completed", "date_created", "date_completed", "user_id", "priority", "due", "due_zone", "start")
	if owner == 0 {
		var known bool
		id = importID(p, "id", row)
		r.lastTask = max(r.lastTask, id)
		owner, known = r.ids[importID(p, "user_id", row)]
		if known && owner == 0 {
			r.report.TasksOfSkipped++
			return nil
		}
		if !known {
			p.Add("user_id", "There is no such user in the source.")
		}
	}
	task, repaired := importTask(p, row, r.now)
	if id != 0 && r.report.KeptIDs {
		taken, err := r.tx.HasTask(id)
		if err != nil {
			return err
		}
		if taken {
			p.Add("id", "Another task of the source has it.")
		}
	}
	if problem := row.problem(p); problem != "" {
		r.report.SkippedTasks++
		r.Note(row.Where, "skipped. "+problem)
		return nil
	}
	if repaired {
		r.report.Repaired++
	}
	task.UserID = owner
	r.report.Tasks++
	return r.tx.AddTask(r.kept(id), task)
}
