package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
	"taskapi/app/dev"
	"taskapi/app/mailer"
	"taskapi/app/operate"
	"taskapi/app/password"
	"taskapi/app/store"
	"taskapi/app/todo"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

const (
	// maxSnapshots is how many states are kept beside the seed.
	maxSnapshots = 50
	// runsFast is how often those who wait look at a clock that does not keep real time.
	runsFast = 200 * time.Millisecond
	// shownPeople is how many of the people the greeting names.
	shownPeople = 8
)

// rehearsal is what a developer's server has beside others. A nil one does nothing.
type rehearsal struct {
	seed   dev.Seed
	people []dev.Person
	folder datadir.Dir
	kept   bool // the folder stays
	clock  *dev.Clock
	faults *dev.Faults
	mails  dev.Mailbox
	ends   context.Context // when the server begins to stop
	db     *database
	hub    *todo.Hub
	mailed func() // wakes who sends mails

	mu        sync.Mutex // one at a time goes back, or keeps a state
	snapshots map[string]snapshot
}

// snapshot is a state that was kept.
type snapshot struct {
	file  string
	clock dev.Setting
	mails []dev.Mail
}

// newRehearsal returns what a server that is seeded by a plan has beside others, until the context
// ends.
func newRehearsal(ctx context.Context, p plan, folder datadir.Dir, clock *dev.Clock) (*rehearsal, error) {
	r := &rehearsal{
		folder: folder, clock: clock, faults: dev.NewFaults(p.Seed), ends: ctx, mailed: func() {}, snapshots: map[string]snapshot{},
	}
	hasher, err := password.New(password.Options{Params: r.cost()})
	if err != nil {
		return nil, err
	}
	hash, err := hasher.Hash(ctx, dev.Password)
	if err != nil {
		return nil, err
	}
	r.seed = dev.Seed{Number: p.Seed, Users: p.Users, Tasks: p.Tasks, Language: p.Language, Now: clock.Now(), Hash: hash}
	r.people = r.seed.People()
	return r, nil
}

// named is the public URL with the name that a page on another port of this machine uses, too: a
// browser sends the cookie of a sign-in only where the names are the same.
func (r *rehearsal) named(url string) string {
	if r == nil {
		return url
	}
	return strings.NewReplacer("//127.0.0.1:", "//localhost:", "//[::1]:", "//localhost:").Replace(url)
}

// cost is that of a password's hash. Passwords that everybody knows need no protection.
func (r *rehearsal) cost() password.Params {
	if r == nil {
		return password.DefaultParams()
	}
	return password.Params{Memory: 64, Iterations: 1, Parallelism: 1}
}

// collect keeps the mails that a worker would send.
func (r *rehearsal) collect(worker *mailer.Worker) {
	if r == nil {
		return
	}
	r.mailed = worker.Wake
	worker.Send = func(_ context.Context, m mailer.Message, _ func(mailer.Step)) error {
		r.mails.Add(dev.Mail{To: m.To, Subject: m.Subject, Text: m.Text, Template: m.Template, Sent: r.clock.Now()})
		return nil
	}
}

// seedDatabase adds the people and their tasks to a database without any.
func (r *rehearsal) seedDatabase(ctx context.Context, db *database, log *slog.Logger) error {
	if r == nil {
		return nil
	}
	r.db = db
	seeding := operate.Import{
		Store: seedStore{db}, Now: r.clock.Now, Progress: func(operate.ImportReport) {},
		Note: func(where, what string) {
			log.Warn("a row of the seed is not as it should be", "row", where, "what", what)
		},
	}
	if _, err := seeding.Run(ctx, r.seed.Source()); err != nil {
		return fmt.Errorf("seed the database: %w", err)
	}
	for more := true; more; {
		var err error
		if more, err = db.IndexWords(ctx); err != nil {
			return err
		}
	}
	return nil
}

// seedStore is a store in which imported people have proven addresses, and the first is an admin. One
// that has ever had anybody, in a folder that was kept, takes nobody.
type seedStore struct{ *database }

// Import runs do in one transaction.
func (s seedStore) Import(ctx context.Context, do func(operate.ImportTx) error) error {
	return s.DB.Import(ctx, func(tx operate.ImportTx) error {
		if fresh, err := tx.Fresh(); err != nil || !fresh {
			return err
		}
		return do(seedTx{tx})
	})
}

type seedTx struct{ operate.ImportTx }

// AddUser adds a user with a proven address.
func (t seedTx) AddUser(id int64, user account.NewUser, record account.Record) (int64, error) {
	user.VerifiedAt = user.CreatedAt
	if id == 1 {
		user.Role = app.RoleAdmin
	}
	return t.ImportTx.AddUser(id, user, record)
}

// keepSeed keeps what a reset goes back to. In a folder that was kept, what was kept there is
// gone back to.
func (r *rehearsal) keepSeed(ctx context.Context) error {
	if r == nil {
		return nil
	}
	files, err := fs.Glob(os.DirFS(r.folder.Path), keptPrefix+"*"+keptSuffix)
	if err != nil {
		return err
	}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, keptPrefix), keptSuffix)
		if file := r.file(name); r.db.file.CanRewind(file) {
			r.snapshots[name] = snapshot{file: file, clock: r.clock.Setting()}
		}
	}
	if _, there := r.snapshots[""]; there {
		return nil
	}
	return r.snapshot(ctx, "")
}

// What the name of a file that holds a snapshot begins and ends with.
const (
	keptPrefix = "kept-"
	keptSuffix = ".db"
)

func (r *rehearsal) file(name string) string {
	return filepath.Join(r.folder.Path, keptPrefix+name+keptSuffix)
}

// snapshot keeps all as it is under a name. Returns a KindInvalid error if there are too many.
func (r *rehearsal) snapshot(ctx context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, replaced := r.snapshots[name]; !replaced && len(r.snapshots) > maxSnapshots {
		return app.Mistake("name", fmt.Sprintf("There are %d snapshots already: replace or delete one of them.", maxSnapshots))
	}
	file := r.file(name)
	if err := r.db.file.Keep(ctx, file); err != nil {
		return err
	}
	r.snapshots[name] = snapshot{file, r.clock.Setting(), r.mails.List("")}
	return nil
}

// reset goes back to a snapshot; to the seed, by an empty name. Returns api.ErrNoSnapshot.
func (r *rehearsal) reset(ctx context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	to, there := r.snapshots[name]
	if !there {
		return api.ErrNoSnapshot
	}
	r.faults.Clear()
	// The clock first: nothing is to be due by the one of before.
	r.clock.Restore(to.clock)
	if err := r.db.file.Rewind(ctx, to.file); err != nil {
		return err
	}
	r.mails.Restore(to.mails)
	r.hub.Anew()
	return nil
}

// deleteSnapshots removes a snapshot; all of them, by an empty name. The seed stays. Returns api.ErrNoSnapshot.
func (r *rehearsal) deleteSnapshots(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, there := r.snapshots[name]; name != "" && !there {
		return api.ErrNoSnapshot
	}
	for other, s := range r.snapshots {
		if other == "" || name != "" && other != name {
			continue
		}
		if err := os.Remove(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		delete(r.snapshots, other)
	}
	return nil
}

// names returns those of the snapshots.
func (r *rehearsal) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := slices.Sorted(maps.Keys(r.snapshots))
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// join adds the developer's part to what a server is made of, and returns what works beside it.
func (r *rehearsal) join(s settings.Settings, config *api.Config, due reminders, log *slog.Logger) []func(context.Context) {
	if r == nil {
		return nil
	}
	var people []api.DevPerson
	for _, p := range r.people {
		role := app.RoleUser
		if p.ID == 1 {
			role = app.RoleAdmin
		}
		people = append(people, api.DevPerson{ID: p.ID, Username: p.Username, Email: p.Email, Password: dev.Password, Role: string(role)})
	}
	r.hub = config.Sync.Hub
	config.Dev = &api.Dev{
		Faults: r.faults, Clock: r.clock, Mails: &r.mails, People: people,
		Reset: r.reset, Snapshot: r.snapshot, Snapshots: r.names, DeleteSnapshots: r.deleteSnapshots,
		Wait: func(d time.Duration) { _ = pause(r.ends, d) },
	}
	return []func(context.Context){func(ctx context.Context) { r.followClock(ctx, s, due, log) }}
}

// followClock wakes those who wait for a time when the clock is set, and again and again while it
// does not keep real time.
func (r *rehearsal) followClock(ctx context.Context, s settings.Settings, due reminders, log *slog.Logger) {
	tick := time.NewTicker(runsFast)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.clock.Rate() == 1 {
				continue
			}
		case <-r.clock.Changed():
			keep := store.Keep{Events: s.AuditKeep, Trash: days(s.TrashDays), Changes: days(s.SyncDays), Session: s.RefreshTTL}
			if _, err := r.db.Housekeep(ctx, keep); err != nil && ctx.Err() == nil {
				log.Error("housekeeping failed", "error", err)
			}
		}
		due.alarm.Wake()
		due.pushes.Wake()
		r.mailed()
	}
}

// greet says where the server is, and as whom one can sign in.
func (r *rehearsal) greet(out io.Writer, version, url string) {
	var text strings.Builder
	fmt.Fprintf(&text, "taskapi %s is serving at %s\n\nFor developers only: everybody who reaches it may do everything.\n\n", version, url)
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  page\t%s/\n  API reference\t%s/docs\n  OpenAPI\t%s/openapi.json\n  client\t%s/client.ts, %s/client.js\n  mail\t%s/dev/mail\n  guide\t%s/guide/front-end\n", url, url, url, url, url, url, url)
	folder := "removed at the end"
	if r.kept {
		folder = "kept; start again with --data-dir " + r.folder.Path
	}
	fmt.Fprintf(table, "  data\t%s (%s)\n", r.folder.Path, folder)
	_ = table.Flush() // to memory
	fmt.Fprint(&text, "\nSign in as:\n")
	for _, p := range r.people[:min(len(r.people), shownPeople)] {
		admin := ""
		if p.ID == 1 {
			admin = ", admin"
		}
		fmt.Fprintf(table, "  %s\t%s\t%s%s\n", p.Email, dev.Password, p.Username, admin)
	}
	_ = table.Flush() // to memory
	if more := len(r.people) - shownPeople; more > 0 {
		fmt.Fprintf(&text, "  and %d more: %s/dev/users\n", more, url)
	}
	fmt.Fprintf(&text, `
Try:
  curl -s %[1]s/auth/login --json '{"email":"%[2]s","password":"%[3]s"}'
  curl -s '%[1]s/tasks/?_delay=300..900ms&_status=503'
  curl -s %[1]s/dev/faults --json '{"route":"POST /tasks","status":503,"rate":0.3}'
  curl -s %[1]s/dev/clock --json '{"advance":"P1D"}'
  curl -s -X POST %[1]s/dev/reset
  taskapi dev example react

Press Ctrl+C to stop.

`, url, r.people[0].Email, dev.Password)
	_, _ = io.WriteString(out, text.String())
}
