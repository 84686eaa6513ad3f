package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
)

// held keeps the turn until release, so that changes pile up into one batch.
func held(t *testing.T, db *storetest.DB) (release func()) {
	t.Helper()
	<-store.Turn(db.DB)
	return func() { store.Turn(db.DB) <- struct{}{} }
}

// pile waits until so many changes wait.
func pile(db *storetest.DB, n int) {
	for db.Waiting() < n {
		runtime.Gosched()
	}
}

func insertTask(title string, user int64) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO tasks (user_id, list_id, title, description, created_at, updated_at, version) VALUES (?1, coalesce((SELECT min(id) FROM lists WHERE owner_id = ?1), 1), ?2, '', 1, 1, `+store.NextSeq+`)`, user, title)
	}
}

func titlesOf(t *testing.T, db *storetest.DB, user int64) string {
	t.Helper()
	page, err := db.Tasks(context.Background(), app.Operator(), user, app.PageRequest{Page: 1, PerPage: 100})
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, task := range page.Items {
		titles = append(titles, task.Title)
	}
	return strings.Join(titles, " ")
}

// batchOf runs changes as one batch, in their order, and returns what each
// caller got; a panic comes as an error with its value.
func batchOf(t *testing.T, db *storetest.DB, changes ...func(*store.Tx) error) []error {
	t.Helper()
	release := held(t, db)
	results := make([]error, len(changes))
	var all sync.WaitGroup
	for i, do := range changes {
		all.Go(func() {
			defer func() {
				if reason := recover(); reason != nil {
					results[i] = fmt.Errorf("panic: %v", reason)
				}
			}()
			results[i] = db.Write(context.Background(), do)
		})
		pile(db, i+1)
	}
	release()
	all.Wait()
	return results
}

func TestOneFailureUndoesOneChange(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	broken := errors.New("broken")
	runs := 0
	results := batchOf(t, db,
		insertTask("one", ann.ID),
		func(tx *store.Tx) error {
			runs++
			return errors.Join(insertTask("two", ann.ID)(tx), broken)
		},
		insertTask("three", 4711), // nobody's: a broken reference
		func(tx *store.Tx) error {
			if err := insertTask("four", ann.ID)(tx); err != nil {
				return err
			}
			panic("out of hand")
		},
		insertTask(strings.Repeat("x", 101), ann.ID), // against a CHECK
		insertTask("six", ann.ID),
	)
	for i, want := range []func(error) bool{
		func(err error) bool { return err == nil },
		func(err error) bool { return errors.Is(err, broken) },
		func(err error) bool {
			return err != nil && strings.Contains(strings.ToLower(err.Error()), "foreign key")
		},
		func(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "panic: out of hand") },
		func(err error) bool { return err != nil },
		func(err error) bool { return err == nil },
	} {
		if !want(results[i]) {
			t.Errorf("change %d: %v", i, results[i])
		}
	}
	if got := titlesOf(t, db, ann.ID); got != "one six" {
		t.Errorf("stored: %s", got)
	}
	if runs != 2 { // with the others, and then in its own savepoint
		t.Errorf("the second was run %d times", runs)
	}
}

// Refusals, and other failures before anything was written, cost the others nothing.
func TestARefusalRunsNothingAgain(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	runs, refused := 0, errors.New("refused")
	results := batchOf(t, db,
		func(tx *store.Tx) error { runs++; return insertTask("one", ann.ID)(tx) },
		func(tx *store.Tx) error { _, err := tx.TotalOf("tasks", ann.ID); return errors.Join(err, refused) },
		func(*store.Tx) error { panic("early") },
		insertTask("four", ann.ID),
	)
	if results[0] != nil || !errors.Is(results[1], refused) || results[2] == nil || results[3] != nil {
		t.Errorf("%v", results)
	}
	if got := titlesOf(t, db, ann.ID); got != "one four" || runs != 1 {
		t.Errorf("stored %s, the first was run %d times", got, runs)
	}
}

// A statement that ends the whole transaction (as a full disk does) takes
// nothing of the others along.
func TestATransactionThatEndsInBetween(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	results := batchOf(t, db,
		insertTask("one", ann.ID),
		func(tx *store.Tx) error {
			if err := tx.Exec("ROLLBACK"); err != nil {
				return err
			}
			return errors.New("the disk is full")
		},
		insertTask("three", ann.ID),
	)
	if results[0] != nil || results[1] == nil || results[2] != nil {
		t.Errorf("%v", results)
	}
	if got := titlesOf(t, db, ann.ID); got != "one three" {
		t.Errorf("stored: %s", got)
	}
}

// full is an engine on a full disk: a commit fails, and ends the transaction.
type full struct {
	store.Engine
	is bool
}

func (f *full) Commit(news string) error {
	if !f.is {
		return f.Engine.Commit(news)
	}
	f.Rollback()
	return app.ErrDiskFull
}

// A commit that fails is everybody's failure, and nothing is stored.
func TestACommitThatFails(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	disk := &full{is: true}
	store.Wrap(db.DB, func(engine store.Engine) store.Engine { disk.Engine = engine; return disk })
	results := batchOf(t, db, insertTask("one", ann.ID), insertTask("two", ann.ID), insertTask("three", ann.ID))
	for i, err := range results {
		if !errors.Is(err, app.ErrDiskFull) || !strings.Contains(err.Error(), "commit") {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if got := titlesOf(t, db, ann.ID); got != "" {
		t.Errorf("stored: %s", got)
	}
	disk.is = false
	if err := db.Write(context.Background(), insertTask("after", ann.ID)); err != nil {
		t.Errorf("the next: %v", err)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	release := held(t, db)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { left <- db.Write(ctx, insertTask("left", ann.ID)) }()
	stays := make(chan error, 1)
	pile(db, 1)
	go func() { stays <- db.Write(context.Background(), insertTask("stays", ann.ID)) }()
	pile(db, 2)
	cancel()
	if err := <-left; !errors.Is(err, app.ErrBusy) || !errors.Is(err, context.Canceled) {
		t.Errorf("who left: %v", err)
	}
	release()
	if err := <-stays; err != nil {
		t.Error(err)
	}
	if got := titlesOf(t, db, ann.ID); got != "stays" {
		t.Errorf("stored: %s", got)
	}
}

func TestTheQueueIsBounded(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	release := held(t, db)
	var all sync.WaitGroup
	for range store.MaxWaiting {
		all.Go(func() {
			if err := db.Write(context.Background(), insertTask("x", ann.ID)); err != nil {
				t.Error(err)
			}
		})
	}
	pile(db, store.MaxWaiting)
	if err := db.Write(context.Background(), insertTask("one too many", ann.ID)); !errors.Is(err, app.ErrBusy) {
		t.Errorf("beyond the bound: %v", err)
	}
	release()
	all.Wait()
	page, err := db.Tasks(context.Background(), app.Operator(), ann.ID, app.PageRequest{Page: 1, PerPage: 1})
	if err != nil || page.Total != store.MaxWaiting {
		t.Errorf("%d stored, want %d (%v)", page.Total, store.MaxWaiting, err)
	}
}

// Mails are told of after the commit, and only those that were stored.
func TestMailsOfABatch(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	var told []string
	db.OnMail(func(m outbox.NewMail) { told = append(told, m.To) })
	queue := func(to string, err error) func(*store.Tx) error {
		return func(tx *store.Tx) error {
			return errors.Join(tx.QueueMail(ann.ID, outbox.NewMail{Template: outbox.MailReplay, To: to, CreatedAt: testNow}), err)
		}
	}
	batchOf(t, db, queue("one@example.com", nil), queue("two@example.com", errors.New("no")), queue("three@example.com", nil))
	if got := strings.Join(told, " "); got != "one@example.com three@example.com" {
		t.Errorf("told of %s", got)
	}
}

// onBehalf is the context of a request of a user, or without a sign-in for user 0.
func onBehalf(user int64, address string) context.Context {
	return app.OnBehalf(context.Background(), app.Caller{UserID: user, From: app.Origin{Address: netip.MustParseAddr(address)}})
}

// lineup adds changes to the queue of a database whose turn is held, one after the
// other, and notes in which order they ran.
type lineup struct {
	t     *testing.T
	db    *storetest.DB
	all   sync.WaitGroup
	order []string
}

func (l *lineup) add(ctx context.Context, name string) {
	want, answered := l.db.Waiting()+1, make(chan struct{})
	l.all.Go(func() {
		defer close(answered)
		if err := l.db.Write(ctx, func(*store.Tx) error { l.order = append(l.order, name); return nil }); err != nil {
			l.t.Errorf("%s: %v", name, err)
		}
	})
	for l.db.Waiting() < want {
		select {
		case <-answered: // it was turned away
			return
		default:
			runtime.Gosched()
		}
	}
}

// An account with many changes waiting does not hold up the one of another beyond the
// next batch, and an account's own run in their order.
func TestManyChangesOfOneDoNotHoldUpAnother(t *testing.T) {
	db := openTest(t)
	var batches []int
	db.OnBatch(func(changes int) { batches = append(batches, changes) })
	l := &lineup{t: t, db: db}
	release := held(t, db)
	const many = 500
	for n := range many {
		l.add(onBehalf(1, "192.0.2.1"), fmt.Sprint("import ", n))
	}
	l.add(onBehalf(2, "192.0.2.2"), "a tick")
	l.add(onBehalf(0, "192.0.2.3"), "a stranger")
	l.add(onBehalf(2, "192.0.2.4"), "a second tick")
	l.add(context.Background(), "the program")
	release()
	l.all.Wait()
	if want := []string{"import 0", "a tick", "a stranger", "the program", "import 1", "a second tick", "import 2"}; !slices.Equal(l.order[:len(want)], want) {
		t.Errorf("they came as %v, want %v", l.order[:len(want)], want)
	}
	var imported []string
	for _, name := range l.order {
		if strings.HasPrefix(name, "import") {
			imported = append(imported, name)
		}
	}
	for n, name := range imported {
		if name != fmt.Sprint("import ", n) {
			t.Fatalf("%s came as number %d of the import", name, n)
		}
	}
	if len(imported) != many || !slices.Equal(batches, []int{store.MaxBatch, many + 4 - store.MaxBatch}) {
		t.Errorf("%d of the import in batches of %v", len(imported), batches)
	}
}

// However much somebody has waiting, with however many tokens or connections, others
// get their change in, and before the second of anybody who came earlier.
func TestNobodyFillsTheQueueForAll(t *testing.T) {
	db := openTest(t)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	on, l := onBehalf, &lineup{t: t, db: db}
	release := held(t, db)
	refused := func(ctx context.Context) {
		t.Helper()
		if err := db.Write(ctx, insertTask("x", ann.ID)); !errors.Is(err, app.ErrBusy) {
			t.Errorf("beyond the bound: %v", err)
		}
	}
	const accounts = store.MaxWaiting / store.MaxOfOne
	for i := range accounts {
		for n := range store.MaxOfOne {
			name := fmt.Sprint(i, ".", n)
			if i%2 == 0 { // a user in many places, a stranger in one
				l.add(on(int64(1000+i), fmt.Sprintf("10.0.%d.%d", n/256, n%256)), name)
			} else {
				l.add(on(0, fmt.Sprintf("192.0.2.%d", i)), name)
			}
		}
	}
	refused(on(1000, "203.0.113.1"))
	refused(on(0, "192.0.2.1"))
	others := []string{"ann", "stranger", "the program"}
	for i, ctx := range []context.Context{on(ann.ID, "192.0.2.1"), on(0, "203.0.113.1"), context.Background()} {
		l.add(ctx, others[i])
		refused(ctx) // they have something now
	}
	release()
	l.all.Wait()
	var want []string
	for n := range store.MaxOfOne {
		for i := range accounts {
			want = append(want, fmt.Sprint(i, ".", n))
		}
		if n == 0 {
			want = append(want, others...)
		}
	}
	if !slices.Equal(l.order, want) {
		t.Error("they came in another order")
	}
	if db.Waiting() != 0 {
		t.Errorf("%d wait", db.Waiting())
	}
}

// BenchmarkWrite is what a change costs, of one account that has one waiting
// at a time, or 64 or 512.
func BenchmarkWrite(b *testing.B) {
	for _, at := range []int{1, 64, 512} {
		b.Run(fmt.Sprint("at ", at), func(b *testing.B) {
			db := openTest(b)
			ann := addUser(b, db, "ann@example.com", app.RoleUser)
			ctx := app.OnBehalf(context.Background(), app.Caller{UserID: ann.ID})
			b.SetParallelism(max(1, at/runtime.GOMAXPROCS(0)))
			b.ReportAllocs()
			write := func(more func() bool) {
				for more() {
					if err := db.Write(ctx, insertTask("x", ann.ID)); err != nil {
						b.Error(err)
					}
				}
			}
			if at == 1 {
				write(b.Loop)
				return
			}
			b.RunParallel(func(pb *testing.PB) { write(pb.Next) })
		})
	}
}
