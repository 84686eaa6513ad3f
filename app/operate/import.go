package operate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"taskapi/app/account"
	"taskapi/app/todo"
)

// ImportRow is a user, a list or a task as another system keeps it. The columns are
// those of the API, and password (the hash) and role of a user, members of a list,
// list (a name, where there is no list_id) and recurrence_start of a task. Only an id,
// the username, the email and the name, and the title, the user_id and the owner_id are
// needed.
type ImportRow struct {
	// Where the operator finds the row: "user 7", "users.csv line 3".
	Where string
	// Values by column, as text. What is null has none.
	Values map[string]string
	// Texts are the columns that hold several texts: labels. As a value, they have
	// commas between them.
	Texts map[string][]string
	// Rows are the columns that hold rows: members and reminders.
	Rows map[string][]ImportRow
	// Problem is why the row can't be read at all; empty if it can.
	Problem string
}

// ImportSource is where an import comes from. It may reuse the row that it
// hands over. Users are read before lists, and lists before tasks.
type ImportSource interface {
	Users(ctx context.Context, each func(ImportRow) error) error
	Lists(ctx context.Context, each func(ImportRow) error) error
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

// ImportTx is the transaction of an import. What is stored has been checked, but for
// what the methods say that they check.
type ImportTx interface {
	// Fresh reports whether there has never been a user, a list or a task, so that
	// every id is free.
	Fresh() (bool, error)
	// EmailOwner returns the id of the user with the address, 0 without one.
	EmailOwner(email string) (int64, error)
	// HasTask reports whether there is a task with the id.
	HasTask(id int64) (bool, error)
	// AddUser, AddList and AddTask store under an id, or under a new one if it is 0.
	// A user comes without an Inbox.
	AddUser(id int64, user account.NewUser, record account.Record) (int64, error)
	// AddList stores a list without its members but the owner. Returns
	// todo.ErrTooManyLists.
	AddList(list ListRecord) (int64, error)
	// AddMember stores a membership; that of the owner, who is there, it changes.
	// Returns todo.ErrListFull and todo.ErrTooManyLists.
	AddMember(listID int64, member MemberRecord) error
	// AddInboxes gives an Inbox to every user without one.
	AddInboxes() error
	// Inbox returns the id of a user's Inbox, and OwnList that of the oldest list of
	// a name that a user owns; 0 without one.
	Inbox(userID int64) (int64, error)
	OwnList(userID int64, name string) (int64, error)
	IsMember(listID, userID int64) (bool, error)
	// FreeUID returns the uid to store for what gets an id, or a new one if it is 0:
	// none for a derived one. Free is false, and the uid none, if it stands for
	// something else of the owner's or of this database.
	FreeUID(kind todo.Kind, id, ownerID int64, uid string) (stored string, free bool, err error)
	// AddTask stores a task at a position, at the default one if it is nil, and at the
	// top: what it is below and a copy of is not looked at.
	AddTask(task TaskRecord, position *int64) (int64, error)
	// SetParent puts a task below another. Returns todo.ErrBadParent and
	// todo.ErrTooManyChildren.
	SetParent(id, parentID int64) error
	// SetCopyOf makes a task a completed copy of another.
	SetCopyOf(id, originalID int64) error
	// Reserve makes all ids to come greater than these.
	Reserve(last LastIDs) error
}

// ImportReport is what an import did, or in a dry run would have done.
type ImportReport struct {
	KeptIDs bool // of the source; otherwise all are new
	Users   int64
	Tasks   int64
	// Lists were made, beside the Inboxes.
	Lists int64
	// SkippedUsers, SkippedLists and SkippedTasks broke a rule; each was noted.
	SkippedUsers int64
	SkippedLists int64
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

// Import is the use case of bringing users, lists and tasks from elsewhere: all that
// keep the rules come, in one transaction, and the others are named.
type Import struct {
	Store ImportStore
	Now   func() time.Time
	// DryRun does everything and undoes it.
	DryRun bool
	// Owner, if not empty, is the address of the user who gets all tasks, under
	// new ids, in lists of their own; the source's users and what it says of them do
	// not count.
	Owner string
	// Note receives each row that is skipped or loses something.
	Note func(where, what string)
	// Progress receives the counts after each row.
	Progress func(ImportReport)
}

// Run imports everything from the source. On an error, ErrNothingImported and
// ErrNoOwner among them, nothing has been imported.
func (i *Import) Run(ctx context.Context, source ImportSource) (ImportReport, error) {
	run := &importRun{
		Import: i, now: i.Now(), ids: map[int64]int64{}, lists: map[int64]importedList{}, named: map[ownName]int64{}, tasks: map[int64]int64{},
	}
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
	lists     map[int64]importedList
	named     map[ownName]int64 // our ids of the lists that are known by name only
	// tasks maps the tasks' ids of the source to ours, unless they are kept.
	tasks map[int64]int64
	later []reference
	// The greatest ids of the source, including those of skipped rows. They are
	// never given again, so that old links don't come to mean something else.
	last    LastIDs
	lowest  int64    // the least position that was stored
	strange []string // columns that were noted as not known here
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
	if err := r.read(ctx, source); err != nil {
		return err
	}
	switch {
	case r.report.Users+r.report.Tasks == 0:
		return ErrNothingImported
	case r.DryRun:
		return errDryRun
	}
	return nil
}

// read takes all rows of the source.
func (r *importRun) read(ctx context.Context, source ImportSource) error {
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
		if err := source.Lists(ctx, each(r.list)); err != nil {
			return err
		}
		if err := r.inboxes(); err != nil {
			return err
		}
	}
	if err := source.Tasks(ctx, each(r.task)); err != nil {
		return err
	}
	if err := r.connect(ctx); err != nil {
		return err
	}
	return r.reserve()
}

// inboxes gives an Inbox to each user who came without one, under an id that no list of
// the source had.
func (r *importRun) inboxes() error {
	if r.report.KeptIDs {
		if err := r.tx.Reserve(r.last); err != nil {
			return err
		}
	}
	return r.tx.AddInboxes()
}

// mostReserved leaves default positions of new tasks that every JSON parser reads exactly.
const mostReserved = 1 << 42

// reserve keeps the ids of the source from being given again or, where they were not
// kept, so many that new tasks come before the imported ones.
func (r *importRun) reserve() error {
	if r.report.KeptIDs {
		return r.tx.Reserve(r.last)
	}
	if before := r.lowest / todo.DefaultPosition(1); before > 0 && before <= mostReserved {
		return r.tx.Reserve(LastIDs{Task: before})
	}
	return nil
}

// kept returns the id to store under.
func (r *importRun) kept(id int64) int64 {
	if r.report.KeptIDs {
		return id
	}
	return 0
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
