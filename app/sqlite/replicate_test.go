package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/replica"
	"taskapi/app/todo"
)

// twin is a database that is replicated to a folder, as a server does it.
type twin struct {
	t      *testing.T
	path   string
	place  *trouble
	o      ReplicateOptions
	db     *DB
	r      *Replication
	ann    app.Caller
	random int
}

// trouble is a place that can be made to fail.
type trouble struct {
	replica.Place
	mu    sync.Mutex
	err   error
	puts  atomic.Int64
	onPut func(name string)
	blind atomic.Bool // lists nothing
}

func (p *trouble) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *trouble) state() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *trouble) Put(ctx context.Context, name string, data []byte) error {
	p.puts.Add(1)
	if err := p.state(); err != nil {
		return err
	}
	if p.onPut != nil {
		p.onPut(name)
	}
	return p.Place.Put(ctx, name, data)
}

func (p *trouble) List(ctx context.Context, prefix string) ([]replica.Object, error) {
	if err := p.state(); err != nil {
		return nil, err
	}
	if p.blind.Load() {
		return nil, errors.New("the place can't be listed")
	}
	return p.Place.List(ctx, prefix)
}

func newTwin(t *testing.T) *twin {
	w := &twin{t: t, path: filepath.Join(t.TempDir(), "taskapi.db"), place: &trouble{Place: &replica.Folder{Path: t.TempDir()}}}
	w.o = ReplicateOptions{
		Place: w.place, Version: "1.2.3", Log: slog.New(slog.DiscardHandler), pace: time.Millisecond, look: 10 * time.Millisecond,
		Random: func() string { w.random++; return fmt.Sprint(w.random) },
	}
	t.Cleanup(func() {
		if w.db != nil {
			w.stop()
		}
	})
	return w
}

// start opens the database and replicates it.
func (w *twin) start() {
	w.t.Helper()
	db, err := Open(w.t.Context(), Options{Path: w.path, Schema: freshSchema(w.t)})
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := db.Replicate(w.t.Context(), w.o)
	if err == nil {
		err = db.BeginTimeline(w.t.Context(), fmt.Sprint("timeline-", time.Now().UnixNano()))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, w.r = db, r
	r.Start()
}

// stop ends both in order.
func (w *twin) stop() {
	w.t.Helper()
	err := errors.Join(w.r.Close(), w.db.Close())
	w.db, w.r = nil, nil
	if err != nil {
		w.t.Error(err)
	}
}

// cut ends the process, as far as its files go: they are copied as they are, and what was open
// is forgotten.
func (w *twin) cut() {
	w.t.Helper()
	w.r.stop() // the machine is gone: nothing more is sent
	<-w.r.ended
	to := filepath.Join(w.t.TempDir(), "taskapi.db")
	for _, end := range []string{"", "-wal", TimelineEnd, ReplicaEnd} {
		if _, err := copyFile(context.Background(), w.path+end, to+end, nil); err != nil && !errors.Is(err, fs.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
	if err := errors.Join(w.r.view.close(), w.db.Close()); err != nil {
		w.t.Error(err)
	}
	w.path, w.db, w.r = to, nil, nil
}

// add adds tasks of ann's.
func (w *twin) add(n int) {
	w.t.Helper()
	if w.ann.UserID == 0 {
		w.ann = app.Caller{UserID: addUser(w.t, w.db, "ann@example.com").ID, Role: app.RoleUser}
	}
	for range n {
		if _, err := w.db.CreateTask(w.t.Context(), app.Operator(), todo.NewTask{UserID: w.ann.UserID, Title: "t", Description: strings.Repeat("x", 500), CreatedAt: testNow}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// eventually waits until something holds.
func (w *twin) eventually(what string, holds func() bool) {
	w.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			w.t.Fatal("it does not come to this: ", what, fmt.Sprintf(" %+v", w.r.State(w.t.Context())))
		}
	}
}

// caughtUp waits until all has arrived.
func (w *twin) caughtUp() {
	w.t.Helper()
	w.eventually("the replica is up to date", func() bool {
		s := w.r.State(w.t.Context())
		return s.Waiting == 0 && s.Behind == 0 && s.Err == nil && !s.Snapshot.IsZero()
	})
}

// tasks restores the state of a moment, or the last, and returns how many tasks there are in it.
func (w *twin) tasks(at time.Time) int64 {
	w.t.Helper()
	f, err := Fetch(w.t.Context(), w.place.Place, at, w.path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		if err := f.Discard(); err != nil {
			w.t.Error(err)
		}
	}()
	if err := Inspect(w.t.Context(), f.Path); err != nil {
		w.t.Error(err)
	}
	return f.Rows["tasks"]
}

// generations counts those in the place.
func (w *twin) generations() int {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.place.String(), "generations", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	return len(found)
}

// empty removes all that is in the place. While something is put into it, that takes more than one try.
func (w *twin) empty() {
	w.t.Helper()
	w.eventually("it is emptied", func() bool { return os.RemoveAll(filepath.Join(w.place.String(), "generations")) == nil })
}

// anew reports whether there is another generation than before.
func (w *twin) anew(before string) bool {
	now := w.r.State(w.t.Context()).Generation
	return now != "" && now != before
}

// logIndex counts how often the log has begun anew in the generation.
func (w *twin) logIndex() uint32 {
	w.r.mu.Lock()
	defer w.r.mu.Unlock()
	return w.r.log.Index
}

// What was written is in the replica, however often the log has begun anew meanwhile.
func TestAReplicaHasWhatWasWritten(t *testing.T) {
	w := newTwin(t)
	w.o.full = 100 << 10
	w.start()
	for n := int64(0); n < 600; n += 60 {
		w.add(60)
		w.caughtUp()
		if got := w.tasks(time.Time{}); got != n+60 {
			t.Fatalf("%d of %d tasks", got, n+60)
		}
	}
	w.eventually("the log has begun anew three times", func() bool {
		w.add(1)
		return w.logIndex() >= 3
	})
	if w.generations() != 1 {
		t.Errorf("%d generations", w.generations())
	}
}

// After a stop in order, and after a cut, the generation goes on, without another snapshot.
func TestAReplicaGoesOnAfterARestart(t *testing.T) {
	w := newTwin(t)
	snapshots := atomic.Int64{}
	w.place.onPut = func(name string) {
		if strings.HasSuffix(name, "manifest.json") {
			snapshots.Add(1)
		}
	}
	total := int64(0)
	for round, end := range []func(){w.stop, w.cut, w.cut, w.stop, w.stop} {
		w.start()
		w.add(20)
		total += 20
		w.caughtUp()
		if got := w.tasks(time.Time{}); got != total || w.generations() != 1 || snapshots.Load() != 1 {
			t.Fatalf("start %d: %d of %d tasks, %d generations, %d snapshots", round, got, total, w.generations(), snapshots.Load())
		}
		end()
	}
}

// What a command writes while the server is stopped begins a new generation: nothing of it is missing.
func TestAReplicaNoticesOtherWriters(t *testing.T) {
	w := newTwin(t)
	w.start()
	w.add(5)
	w.caughtUp()
	w.stop()
	other := open(t, w.path)
	if _, err := other.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: w.ann.UserID, Title: "by a command", CreatedAt: testNow}); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.add(1)
	w.caughtUp()
	if got := w.tasks(time.Time{}); got != 7 || w.generations() != 2 {
		t.Errorf("%d tasks, %d generations", got, w.generations())
	}
	// And while it serves, what it writes arrives in the same generation.
	other = open(t, w.path)
	for range 50 {
		if _, err := other.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: w.ann.UserID, Title: "by a command", CreatedAt: testNow}); err != nil {
			t.Fatal(err)
		}
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	w.eventually("the replica has the command's", func() bool { return w.tasks(time.Time{}) == 57 })
	if w.generations() != 2 {
		t.Errorf("%d generations", w.generations())
	}
}

// A place that does not answer stops nobody, and does not fill the disk; once it answers, the
// replica is whole again.
func TestAPlaceOutOfReach(t *testing.T) {
	w := newTwin(t)
	w.o.most, w.o.full = 300<<10, 100<<10
	w.start()
	w.add(10)
	w.caughtUp()
	before := w.tasks(time.Time{})
	w.place.fail(errors.New("the network is down"))
	w.eventually("the generation is given up", func() bool {
		w.add(10)
		return w.r.State(w.t.Context()).Generation == ""
	})
	had := w.db.Load().LogBytes
	w.add(2000)
	if has := w.db.Load().LogBytes; has > max(had, 8<<20) {
		t.Errorf("the log has %d bytes, and had %d", has, had)
	}
	w.eventually("it is said", func() bool {
		s := w.r.State(w.t.Context())
		return s.Err != nil && s.Failures > 0 && s.Behind > 0
	})
	if got := w.tasks(time.Time{}); got < before {
		t.Errorf("the replica has %d tasks, and had %d", got, before)
	}
	w.place.fail(nil)
	w.caughtUp() // also when nobody writes any more
	if got, want := w.tasks(time.Time{}), w.count(); got != want || w.generations() < 2 {
		t.Errorf("%d of %d tasks, %d generations", got, want, w.generations())
	}
}

// A short loss of the place costs nothing but time.
func TestAPlaceThatComesBack(t *testing.T) {
	w := newTwin(t)
	w.start()
	w.add(10)
	w.caughtUp()
	w.place.fail(errors.New("the network is down"))
	w.add(100)
	w.eventually("it is noticed", func() bool { return w.r.State(w.t.Context()).Err != nil })
	w.place.fail(nil)
	w.caughtUp()
	if got := w.tasks(time.Time{}); got != 110 || w.generations() != 1 {
		t.Errorf("%d tasks, %d generations", got, w.generations())
	}
}

// A place that fails when only what is old is to be removed is asked for that again, soon.
func TestAPlaceThatFailsAfterASnapshot(t *testing.T) {
	w := newTwin(t)
	w.place.onPut = func(name string) {
		if strings.HasSuffix(name, "manifest.json") {
			w.place.blind.Store(true)
		}
	}
	w.start()
	w.add(10)
	w.eventually("it is noticed", func() bool { return w.r.State(t.Context()).Err != nil })
	w.place.blind.Store(false)
	w.caughtUp()
	if w.generations() != 1 {
		t.Errorf("%d generations", w.generations())
	}
}

// A place that was emptied while the server served, with or without an error on the way, gets a
// new snapshot, without which nothing could be restored.
func TestAPlaceThatWasEmptied(t *testing.T) {
	noticed := func(w *twin, failure *error) {
		w.eventually("it is noticed", func() bool {
			w.r.mu.Lock()
			defer w.r.mu.Unlock()
			return *failure != nil
		})
	}
	cases := map[string]func(w *twin){
		"no error": func(w *twin) {
			w.o.verifyEvery = 10 * time.Millisecond
			w.start()
			w.add(10)
			w.caughtUp()
		},
		"an error of the log": func(w *twin) {
			w.start()
			w.add(10)
			w.caughtUp()
			w.place.fail(errors.New("the disk is gone"))
			w.add(1)
			noticed(w, &w.r.failed)
		},
		// Only what looks for old objects meets it: the log goes on.
		"an error of a snapshot": func(w *twin) {
			var once sync.Once
			w.place.onPut = func(name string) {
				if strings.HasSuffix(name, "manifest.json") {
					once.Do(func() { w.place.blind.Store(true) })
				}
			}
			w.start()
			w.add(10)
			noticed(w, &w.r.uncopied)
		},
	}
	for name, meet := range cases {
		t.Run(name, func(t *testing.T) {
			w := newTwin(t)
			w.o.verifyEvery = time.Hour
			meet(w)
			before := w.r.State(t.Context()).Generation
			w.empty()
			w.place.fail(nil)
			w.place.blind.Store(false)
			w.eventually("a new generation", func() bool { w.add(1); return w.anew(before) })
			w.caughtUp()
			if got, want := w.tasks(time.Time{}), w.count(); got != want {
				t.Errorf("%d of %d tasks", got, want)
			}
		})
	}
}

// However much is written while something is on its way, it is looked whether the place still has what
// was sent, and a long log begins anew.
func TestAPlaceThatIsNeverUpToDate(t *testing.T) {
	w := newTwin(t)
	w.o.verifyEvery, w.o.full = 10*time.Millisecond, 100<<10
	var busy atomic.Bool
	w.place.onPut = func(string) {
		if busy.Load() {
			w.add(1)
			w.r.State(t.Context())
		}
	}
	w.start()
	w.add(10)
	w.caughtUp()
	before := w.r.State(t.Context()).Generation
	busy.Store(true)
	w.add(1)
	w.eventually("the log begins anew", func() bool { return w.logIndex() > 1 })
	w.empty()
	w.eventually("a new generation", func() bool { return w.anew(before) })
	busy.Store(false)
	w.caughtUp()
	if got, want := w.tasks(time.Time{}), w.count(); got != want {
		t.Errorf("%d of %d tasks", got, want)
	}
}

// A database is not sent to a place that another one is replicated to, where it would be what a
// restore takes; a copy that was restored from there goes on.
func TestAPlaceOfAnotherDatabase(t *testing.T) {
	w := newTwin(t)
	w.start()
	w.add(10)
	w.caughtUp()
	w.stop()
	other := newTwin(t)
	other.place = w.place
	other.o.Place = w.place
	other.start()
	other.add(1)
	other.eventually("it is refused", func() bool { return errors.Is(other.r.State(t.Context()).Err, errOthers) })
	other.add(1) // writing goes on
	if got := w.tasks(time.Time{}); got != 10 || w.generations() != 1 {
		t.Errorf("%d tasks, %d generations", got, w.generations())
	}
	other.stop()
	f, err := Fetch(t.Context(), w.place.Place, time.Time{}, other.path, nil)
	if err == nil {
		err = errors.Join(os.Rename(f.Path, other.path), f.Discard())
	}
	if err != nil {
		t.Fatal(err)
	}
	other.start()
	other.caughtUp()
	if got := other.tasks(time.Time{}); got != 10 {
		t.Errorf("%d tasks after the restore", got)
	}
}

// count returns how many tasks there are in the database.
func (w *twin) count() (n int64) {
	w.t.Helper()
	if err := w.db.readOne(w.t.Context(), `SELECT count(*) FROM tasks`, &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A moment can be restored, and what is outside says what is inside.
func TestAMomentIsRestored(t *testing.T) {
	w := newTwin(t)
	w.o.full = 100 << 10
	w.start()
	type state struct {
		at    time.Time
		tasks int64
	}
	var states []state
	for n := int64(0); n < 400; n += 40 {
		w.add(40)
		w.caughtUp()
		states = append(states, state{time.Now().Add(2 * time.Millisecond), n + 40})
		time.Sleep(5 * time.Millisecond)
	}
	w.add(1)
	w.caughtUp()
	for _, s := range states {
		if got := w.tasks(s.at); got != s.tasks {
			t.Errorf("%d tasks, want %d", got, s.tasks)
		}
	}
	for _, at := range []time.Time{states[0].at.Add(-time.Hour), time.Now().Add(time.Hour)} {
		var outside *replica.RangeError
		if _, err := Fetch(t.Context(), w.place.Place, at, w.path, nil); !errors.As(err, &outside) || outside.First.IsZero() || !outside.Last.After(outside.First) {
			t.Error(err)
		}
	}
}

// segments are the files of segments in the place.
func (w *twin) segments() []string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.place.String(), "generations", "*", "*", "*.wal"))
	if err != nil || len(found) < 3 {
		w.t.Fatal(found, err)
	}
	return found
}

// A segment that is torn or missing is refused, and the last state before it is named.
func TestASegmentThatIsNotWhole(t *testing.T) {
	w := newTwin(t)
	w.start()
	for range 5 {
		w.add(3)
		w.caughtUp()
	}
	w.stop()
	all := w.segments()
	damaged := all[len(all)-2] // after the snapshot, and before the last tasks
	text, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoilt := range map[string][]byte{
		"torn": text[:len(text)/2], "empty": {}, "changed": append(append([]byte{}, text[:len(text)-9]...), "123456789"...), "its head": append([]byte("x"), text[1:]...),
	} {
		if err := os.WriteFile(damaged, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		var gap *replica.GapError
		_, err := Fetch(t.Context(), w.place.Place, time.Time{}, w.path, nil)
		if !errors.Is(err, replica.ErrDamaged) || !strings.Contains(err.Error(), filepath.Base(damaged)) || !errors.As(err, &gap) || gap.Until.IsZero() {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := w.tasks(gap.Until); got == 0 || got >= 15 {
			t.Errorf("%s: %d tasks before it", name, got)
		}
	}
	if err := os.Remove(damaged); err != nil {
		t.Fatal(err)
	}
	var gap *replica.GapError
	if _, err := Fetch(t.Context(), w.place.Place, time.Time{}, w.path, nil); !errors.As(err, &gap) || gap.Until.IsZero() {
		t.Fatal(err)
	}
	if got := w.tasks(gap.Until); got == 0 || got >= 15 {
		t.Errorf("before the gap: %d tasks", got)
	}
	if left := names(t, filepath.Dir(w.path)); strings.Contains(left, partialMark) {
		t.Error("left behind:", left)
	}
}

// Where a snapshot is damaged, one before it leads to the same state; without one, nothing does.
func TestASnapshotThatIsNotWhole(t *testing.T) {
	w := newTwin(t)
	w.o.snapshotEvery = 20 * time.Millisecond
	w.start()
	manifests := func() []string {
		found, err := filepath.Glob(filepath.Join(w.place.String(), "generations", "*", "*", "snapshot-*", "manifest.json"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	w.eventually("two snapshots", func() bool { w.add(1); w.caughtUp(); return len(manifests()) > 1 })
	total := w.count()
	w.stop()
	all := manifests()
	for i := len(all) - 1; i >= 0; i-- {
		if err := os.WriteFile(filepath.Join(filepath.Dir(all[i]), "000000.gz"), []byte("spoilt"), 0o600); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			if got := w.tasks(time.Time{}); got != total {
				t.Errorf("%d tasks, want %d", got, total)
			}
		} else if _, err := Fetch(t.Context(), w.place.Place, time.Time{}, w.path, nil); !errors.Is(err, replica.ErrDamaged) {
			t.Error(err)
		}
	}
}

// What was restored is a copy: of another lineage, and with the replica's next generation.
func TestARestoredReplicaIsARewind(t *testing.T) {
	w := newTwin(t)
	w.start()
	w.add(5)
	w.caughtUp()
	lineage := w.db.Lineage()
	w.stop()
	f, err := Fetch(t.Context(), w.place.Place, time.Time{}, w.path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), RestoreOptions{From: f.Path, Path: w.path, Schema: freshSchema(t), Now: time.Now()})
	if err = errors.Join(err, f.Discard()); err != nil || r.Aside == "" || r.Rows["tasks"] != 5 {
		t.Fatal(r, err)
	}
	w.start()
	w.add(1)
	w.caughtUp()
	if got := w.tasks(time.Time{}); w.db.Lineage() == lineage || got != 6 || w.generations() != 2 {
		t.Errorf("lineage %s, before %s; %d tasks, %d generations", w.db.Lineage(), lineage, got, w.generations())
	}
}

// Many small objects become few, and nothing is missing in them.
func TestSmallObjectsAreBundled(t *testing.T) {
	w := newTwin(t)
	w.start()
	for range 3 * bundled {
		w.add(1)
		w.caughtUp()
	}
	w.eventually("there are few objects", func() bool { return len(w.segments()) <= 2*bundled })
	if got := w.tasks(time.Time{}); got != 3*bundled {
		t.Errorf("%d tasks", got)
	}
}

// A restore does not mind that the server writes to the place: it has what had arrived when it began.
func TestRestoreWhileTheServerReplicates(t *testing.T) {
	w := newTwin(t)
	w.start()
	w.add(1)
	w.caughtUp()
	least, done := w.count(), make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := w.db.CreateTask(context.Background(), app.Operator(), todo.NewTask{UserID: w.ann.UserID, Title: "t", CreatedAt: testNow}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer writer.Wait()
	defer close(done)
	for range 6 {
		got := w.tasks(time.Time{})
		if got < least {
			t.Errorf("%d tasks of %d", got, least)
		}
		least = got
	}
}

// A copy that would fill the disk is not made: the server needs the room itself.
func TestASnapshotNeedsRoom(t *testing.T) {
	w := newTwin(t)
	w.o.Room = func() (int64, error) { return leastRoom, nil }
	w.start()
	w.add(1)
	w.eventually("it is said", func() bool { return errors.Is(w.r.State(t.Context()).Err, errNoRoom) })
	if got := names(t, filepath.Dir(w.path)); strings.Contains(got, partialMark) {
		t.Error(got)
	}
}

// A log that has lost its end is followed from a new snapshot: also when it has grown beyond it again,
// by a command that was cut off as well, with the same salts and other frames.
func TestALogThatLostItsEnd(t *testing.T) {
	for _, grown := range []bool{false, true} {
		w := newTwin(t)
		w.start()
		w.add(10)
		w.caughtUp()
		w.cut()
		// The disk has lost the last frames, as it may with --durability normal.
		info, err := os.Stat(w.path + "-wal")
		if err == nil {
			err = os.Truncate(w.path+"-wal", info.Size()-info.Size()/3)
		}
		if err != nil {
			t.Fatal(err)
		}
		if grown {
			command := open(t, w.path)
			for range 20 {
				if _, err := command.CreateTask(t.Context(), app.Operator(), todo.NewTask{UserID: w.ann.UserID, Title: "by a command", CreatedAt: testNow}); err != nil {
					t.Fatal(err)
				}
			}
			w.path = crash(t, command)
		}
		w.start()
		var before int64
		if err := w.db.engine.readPool.QueryRow(`SELECT count(*) FROM tasks`).Scan(&before); err != nil {
			t.Fatal(err)
		}
		w.add(20)
		w.caughtUp()
		if got := w.tasks(time.Time{}); grown != (before >= 10) || got != before+20 || w.generations() != 2 {
			t.Errorf("grown %t: %d tasks of %d + 20, %d generations", grown, got, before, w.generations())
		}
		w.stop()
	}
}
