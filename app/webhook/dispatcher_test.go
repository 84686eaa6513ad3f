package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
	"taskapi/app/webhook"
)

// world is a database with a user, and what tells webhooks of it, with a clock that the test
// moves.
type world struct {
	t    testing.TB
	db   *storetest.DB
	hub  *todo.Hub
	user account.User
	// answer is how the receivers answer; it may block.
	answer func(ctx context.Context, w outbox.Webhook, seq int64) outbox.Attempt

	mu    sync.Mutex
	skew  time.Duration
	told  map[int64][]int64 // the changes that arrived, by webhook
	tried int
	// changed is told whose webhooks were changed. May be nil.
	changed func(userID int64)
	log     strings.Builder
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, told: map[int64][]int64{}}
	w.db = storetest.Open(t, w.now)
	w.hub = todo.NewHub(w.db.MembersOf, w.db.NewestChange, w.now)
	w.db.OnChange(w.hub.Changed)
	w.db.OnWebhook(func(user int64) {
		w.mu.Lock()
		changed := w.changed
		w.mu.Unlock()
		if changed != nil {
			changed(user)
		}
	})
	w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt { return outbox.Attempt{Status: 200} }
	w.background(w.hub.Run)
	w.user = w.addUser("ann")
	return w
}

func (w *world) background(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { run(ctx); close(done) }()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skew)
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skew += d
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

const hash = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2U"

func (w *world) addUser(name string) account.User {
	w.t.Helper()
	user, err := w.db.CreateUser(context.Background(), app.Operator(), account.NewUser{
		Username: name, Email: name + "@example.com", PasswordHash: hash, Role: app.RoleUser, CreatedAt: w.now(),
	}, account.Record{})
	w.must(err)
	return user
}

// as is a caller who needs no session.
func (w *world) as(user account.User) app.Caller {
	caller := app.Operator()
	caller.UserID = user.ID
	return caller
}

func (w *world) hook(user account.User, events outbox.EventSet) outbox.Webhook {
	w.t.Helper()
	hook, err := w.db.CreateWebhook(context.Background(), w.as(user), outbox.NewWebhook{
		URL: "https://hooks.example/", Events: events, Secret: make([]byte, 32), CreatedAt: w.now(),
	})
	w.must(err)
	return hook
}

// task adds a task and returns the number of the change.
func (w *world) task(user account.User) int64 {
	w.t.Helper()
	task, err := w.db.CreateTask(context.Background(), w.as(user), todo.NewTask{UserID: user.ID, Title: "t", CreatedAt: w.now()})
	w.must(err)
	return task.Version
}

func (w *world) tasks(user account.User, n int) (seqs []int64) {
	w.t.Helper()
	for range n {
		seqs = append(seqs, w.task(user))
	}
	return seqs
}

// Write lets the log be read.
func (w *world) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(text)
}

// Allows and Send are those of the sender.
func (w *world) Allows(netip.Addr) bool { return true }

func (w *world) Send(ctx context.Context, hook outbox.Webhook, m outbox.WebhookMessage) outbox.Attempt {
	var id, seq int64
	if _, err := fmt.Sscanf(m.ID, "msg_test_%d_%d", &id, &seq); err != nil || id != hook.ID || string(m.Body) != fmt.Sprint(seq) {
		w.t.Errorf("message %s with %s for webhook %d", m.ID, m.Body, hook.ID)
	}
	w.mu.Lock()
	w.tried++
	answer := w.answer
	w.mu.Unlock()
	a := answer(ctx, hook, seq)
	if a.Delivered() {
		w.mu.Lock()
		w.told[id] = append(w.told[id], seq)
		w.mu.Unlock()
	}
	return a
}

func (w *world) dispatcher() *webhook.Dispatcher {
	d := webhook.NewDispatcher()
	w.mu.Lock()
	w.changed = d.Changed
	w.mu.Unlock()
	d.Store, d.Lineage, d.Sender, d.Now, d.Chance, d.Log = w.db, "test", w, w.now, rand.Float64, slog.New(slog.NewTextHandler(w, nil))
	d.Body = func(_ context.Context, _ int64, e outbox.WebhookEvent) ([]byte, error) {
		return fmt.Append(nil, e.Seq), nil
	}
	d.Notices = func(_ int64, mails ...outbox.NewMail) []outbox.NewMail { return mails }
	d.Follow = func(userID int64) (<-chan struct{}, func()) {
		follower := w.hub.Follow(userID)
		return follower.C, follower.Close
	}
	// What waits looks at the clock of the test again and again.
	d.After = func(wait time.Duration) <-chan time.Time { return time.After(min(wait, 2*time.Millisecond)) }
	return d
}

// until waits until something holds.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	for limit := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			w.t.Fatalf("never: %s; log: %s", what, w.log.String())
		}
	}
}

func (w *world) toldOf(hook outbox.Webhook) []int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.told[hook.ID])
}

func (w *world) stored(hook outbox.Webhook) outbox.Webhook {
	w.t.Helper()
	stored, err := w.db.Webhook(context.Background(), hook.UserID, hook.ID)
	w.must(err)
	return stored
}

// inOrder reports whether what was told has all of the wanted in order, where anything may be
// told again, but only as a repetition of the last.
func inOrder(told, want []int64) bool {
	return slices.Equal(slices.Compact(slices.Clone(told)), want)
}

func TestEventsAreToldInOrderOnce(t *testing.T) {
	w := newWorld(t)
	all, none := w.hook(w.user, outbox.EventTaskCreated), w.hook(w.user, outbox.EventTaskDeleted)
	bob := w.addUser("bob")
	other := w.hook(bob, outbox.EventTaskCreated)
	before := w.task(w.user)
	w.background(w.dispatcher().Run)
	want := append([]int64{before}, w.tasks(w.user, 250)...) // more than one page
	w.until("all are told", func() bool { return len(w.toldOf(all)) >= len(want) })
	if got := w.toldOf(all); !slices.Equal(got, want) {
		t.Errorf("%d were told, want %d in order", len(got), len(want))
	}
	if len(w.toldOf(none)) != 0 || len(w.toldOf(other)) != 0 {
		t.Error("a webhook was told of what is not for it")
	}
	w.until("it is stored", func() bool { return w.stored(all).Cursor >= want[len(want)-1] })
	page, err := w.db.Deliveries(context.Background(), w.user.ID, all.ID, app.PageRequest{Page: 1, PerPage: 100})
	w.must(err)
	if d := page.Items[0]; page.Total < outbox.KeepDeliveries || d.Seq != want[len(want)-1] || d.Event != "task.created" || d.Tries != 1 || d.Status != 200 || d.Dead {
		t.Errorf("%d deliveries, the newest %+v", page.Total, d)
	}
}

// Where processes share a database, one of them tells webhooks at a time. One that does so again
// goes on where the other one stopped.
func TestProcessesTakeTurns(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	one, other := w.dispatcher(), w.dispatcher()
	var want []int64
	for turn := range 6 {
		d := one
		if turn%2 == 1 {
			d = other
		}
		w.mu.Lock()
		w.changed = d.Changed
		w.mu.Unlock()
		want = append(want, w.tasks(w.user, 3)...) // while nobody runs
		stop := w.background(d.Run)
		w.until("they are told", func() bool { return len(w.toldOf(hook)) >= len(want) })
		want = append(want, w.tasks(w.user, 3)...)
		w.until("those are told as well", func() bool { return len(w.toldOf(hook)) >= len(want) })
		stop()
		if load := d.Load(); load.Active != 0 {
			t.Errorf("%d webhooks are told of events by nobody", load.Active)
		}
	}
	if got := w.toldOf(hook); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// A receiver that fails in all ways, at random, is told of everything in order that it did not
// refuse three times.
func TestFailuresLoseNothing(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same at each run
	refused := map[int64]int{}
	w.answer = func(_ context.Context, _ outbox.Webhook, seq int64) outbox.Attempt {
		w.mu.Lock()
		defer w.mu.Unlock()
		status := []int{0, 302, 404, 408, 425, 429, 500, 503, 404, 200, 200, 200, 200, 200, 200, 200, 200, 200}[random.IntN(18)]
		if status == 404 {
			if refused[seq]++; refused[seq] == 3 {
				w.told[hook.ID] = append(w.told[hook.ID], seq) // as dead
			}
		}
		return outbox.Attempt{Status: status, RetryAfter: time.Duration(random.IntN(100)) * time.Second, Error: "e"}
	}
	d := w.dispatcher()
	w.background(d.Run)
	want := w.tasks(w.user, 60)
	w.until("all are told", func() bool {
		if d.Load().Waiting > 0 {
			w.advance(time.Minute)
		}
		return len(w.toldOf(hook)) >= len(want)
	})
	if got := w.toldOf(hook); !inOrder(got, want) {
		t.Errorf("told %v\nwant %v", got, want)
	}
}

func TestThreeDaysOfFailureAndOnFromThere(t *testing.T) {
	for from, missed := range map[string]bool{"where_it_stopped": false, "now": true} {
		t.Run(from, func(t *testing.T) {
			w := newWorld(t)
			hook := w.hook(w.user, outbox.EventTaskCreated)
			d := w.dispatcher()
			w.background(d.Run)
			want := w.tasks(w.user, 3)
			w.until("the first are told", func() bool { return len(w.toldOf(hook)) == 3 })
			w.mu.Lock()
			w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt {
				return outbox.Attempt{Error: "connection refused"}
			}
			w.mu.Unlock()
			lost := w.tasks(w.user, 5)
			w.until("it is off", func() bool { w.advance(10 * time.Minute); return w.stored(hook).State == outbox.WebhookOff })
			off := w.stored(hook)
			if off.LastError != "connection refused" || w.now().Sub(off.FailingSince) < 3*24*time.Hour || off.Cursor >= lost[0] {
				t.Errorf("%+v", off.Progress)
			}
			w.until("the user is told", func() bool {
				mails := 0
				w.must(w.db.Mails(context.Background(), outbox.MailQueued, 10, func(m outbox.Mail) error {
					if m.Template == outbox.MailWebhookOff && m.UserID == w.user.ID && m.Data["Webhook"] == fmt.Sprint(hook.ID) && m.Data["Gone"] == "" {
						mails++
					}
					return nil
				}))
				return mails == 1
			})
			lost = append(lost, w.tasks(w.user, 2)...) // while it is off
			w.mu.Lock()
			w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt { return outbox.Attempt{Status: 200} }
			w.mu.Unlock()
			use := outbox.Webhooks{Store: w.db, Sender: w, Now: w.now}
			resumed, err := use.Resume(context.Background(), w.as(w.user), hook.ID, app.Given(from))
			w.must(err)
			if resumed.State != outbox.WebhookActive || !resumed.FailingSince.IsZero() || resumed.LastError != "" {
				t.Errorf("%+v", resumed.Progress)
			}
			if !missed {
				want = append(want, lost...)
			}
			want = append(want, w.tasks(w.user, 2)...)
			w.until("all are told", func() bool { return len(w.toldOf(hook)) >= len(want) })
			if got := w.toldOf(hook); !slices.Equal(got, want) {
				t.Errorf("told %v, want %v", got, want)
			}
		})
	}
}

func TestGoneSwitchesOff(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt {
		return outbox.Attempt{Status: 410, Error: "answered 410 Gone"}
	}
	w.background(w.dispatcher().Run)
	w.tasks(w.user, 3)
	w.until("it is off", func() bool { return w.stored(hook).State == outbox.WebhookOff })
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tried != 1 {
		t.Errorf("%d tries", w.tried)
	}
}

// A stop in the middle of a try ends it, counts for nothing, and the next start tries again.
func TestAStopIsNoFailure(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	begun := make(chan struct{}, 10)
	w.answer = func(ctx context.Context, _ outbox.Webhook, _ int64) outbox.Attempt {
		begun <- struct{}{}
		<-ctx.Done()
		return outbox.Attempt{Error: ctx.Err().Error()}
	}
	stop := w.background(w.dispatcher().Run)
	want := w.tasks(w.user, 3)
	<-begun
	stop()
	if p := w.stored(hook).Progress; p.Tries != 0 || !p.FailingSince.IsZero() || p.Cursor >= want[0] {
		t.Errorf("%+v", p)
	}
	w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt { return outbox.Attempt{Status: 200} }
	stop = w.background(w.dispatcher().Run)
	w.until("all are told", func() bool { return len(w.toldOf(hook)) == 3 })
	stop()
	if got := w.toldOf(hook); !slices.Equal(got, want) || w.stored(hook).Cursor < want[2] {
		t.Errorf("told %v, want %v, stored %d", got, want, w.stored(hook).Cursor)
	}
}

// brokenStore fails to write how webhooks stand, as a server does that is killed.
type brokenStore struct{ outbox.WebhookLog }

func (brokenStore) SaveWebhooks(context.Context, []outbox.WebhookSave) ([]int64, error) {
	return nil, errors.New("killed")
}

func TestAKillRepeatsAndLosesNothing(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	d := w.dispatcher()
	d.Store = brokenStore{w.db}
	stop := w.background(d.Run)
	want := w.tasks(w.user, 3)
	w.until("all are told", func() bool { return len(w.toldOf(hook)) == 3 })
	stop()
	w.background(w.dispatcher().Run)
	w.until("all are told again", func() bool { return len(w.toldOf(hook)) == 6 })
	if got := w.toldOf(hook); !slices.Equal(got, append(slices.Clone(want), want...)) {
		t.Errorf("told %v", got)
	}
}

func TestAPanicIsOneFailure(t *testing.T) {
	w := newWorld(t)
	hook, other := w.hook(w.user, outbox.EventTaskCreated), w.hook(w.user, outbox.EventTaskCreated)
	d := w.dispatcher()
	body, broken := d.Body, true
	d.Body = func(ctx context.Context, user int64, e outbox.WebhookEvent) ([]byte, error) {
		w.mu.Lock()
		panics := broken
		broken = false
		w.mu.Unlock()
		if panics {
			panic("of one delivery")
		}
		return body(ctx, user, e)
	}
	w.background(d.Run)
	want := w.tasks(w.user, 3)
	w.until("all are told", func() bool {
		w.advance(time.Second)
		return len(w.toldOf(hook)) == 3 && len(w.toldOf(other)) == 3
	})
	if !slices.Equal(w.toldOf(hook), want) || !slices.Equal(w.toldOf(other), want) {
		t.Errorf("told %v and %v, want %v", w.toldOf(hook), w.toldOf(other), want)
	}
}

// One delivery of a webhook is under way at a time, and no more than a share of an account.
func TestTriesAreBounded(t *testing.T) {
	w := newWorld(t)
	for range outbox.MaxWebhooks {
		w.hook(w.user, outbox.EventTaskCreated)
	}
	bob := w.addUser("bob")
	quick := w.hook(bob, outbox.EventTaskCreated)
	var mu sync.Mutex
	running, most, perHook := 0, 0, map[int64]int{}
	release := make(chan struct{})
	w.answer = func(_ context.Context, hook outbox.Webhook, _ int64) outbox.Attempt {
		if hook.UserID == bob.ID {
			return outbox.Attempt{Status: 200}
		}
		mu.Lock()
		running++
		perHook[hook.ID]++
		most = max(most, running)
		if perHook[hook.ID] > 1 {
			t.Error("two deliveries of a webhook at once")
		}
		mu.Unlock()
		<-release
		mu.Lock()
		defer mu.Unlock()
		running--
		perHook[hook.ID]--
		return outbox.Attempt{Status: 200}
	}
	w.background(w.dispatcher().Run)
	w.tasks(w.user, 2)
	w.until("some are slow", func() bool { mu.Lock(); defer mu.Unlock(); return running == 4 })
	w.tasks(bob, 20)
	w.until("others are told meanwhile", func() bool { return len(w.toldOf(quick)) == 20 })
	close(release)
	w.until("all are told", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		total := 0
		for _, told := range w.told {
			total += len(told)
		}
		return total == 20+2*outbox.MaxWebhooks
	})
	if most != 4 {
		t.Errorf("%d at once", most)
	}
}

func TestChangesOfWebhooksCountAtOnce(t *testing.T) {
	w := newWorld(t)
	d := w.dispatcher()
	w.background(d.Run)
	use := outbox.Webhooks{Store: w.db, Sender: w, Now: w.now, Random: strings.NewReader(strings.Repeat("s", 1000))}
	ctx, me := context.Background(), w.as(w.user)
	hook, err := use.Create(ctx, me, outbox.WebhookInput{URL: app.Given("https://hooks.example/"), Events: app.Given([]string{"task.created"})})
	w.must(err)
	first := w.task(w.user)
	w.until("the first is told", func() bool { return len(w.toldOf(hook)) == 1 })
	_, err = use.Update(ctx, me, hook.ID, outbox.WebhookInput{Events: app.Given([]string{"task.deleted"})})
	w.must(err)
	w.until("it is known", func() bool { w.task(w.user); n := len(w.toldOf(hook)); w.task(w.user); return n == len(w.toldOf(hook)) })
	w.must(use.Delete(ctx, me, hook.ID))
	w.until("it is gone", func() bool { return d.Load().Active == 0 })
	if told := w.toldOf(hook); told[0] != first {
		t.Errorf("%v", told)
	}
}

func TestAWebhookOfADeletedUser(t *testing.T) {
	w := newWorld(t)
	bob := w.addUser("bob")
	hook := w.hook(bob, outbox.EventTaskCreated)
	w.task(bob)
	w.must(w.db.DeleteUser(context.Background(), app.Operator(), bob.ID, account.PassShared, account.Record{}))
	own := w.hook(w.user, outbox.EventTaskCreated)
	w.background(w.dispatcher().Run)
	w.task(w.user)
	w.until("others are told", func() bool { return len(w.toldOf(own)) == 1 })
	if len(w.toldOf(hook)) != 0 {
		t.Error("somebody who is gone was told")
	}
}

func TestALogThatHasNoMoreOfIt(t *testing.T) {
	w := newWorld(t)
	hook := w.hook(w.user, outbox.EventTaskCreated)
	w.tasks(w.user, 5)
	// The log is kept for as long as the search needs it.
	w.background(func(ctx context.Context) { w.db.KeepIndexing(ctx, func(err error) { t.Error(err) }) })
	w.advance(100 * 24 * time.Hour)
	w.task(w.user) // what was changed now is kept
	w.until("the log is cut", func() bool {
		_, err := w.db.Housekeep(context.Background(), store.Keep{Changes: 90 * 24 * time.Hour, Trash: time.Hour, Events: time.Hour})
		w.must(err)
		page, err := w.db.WebhookEvents(context.Background(), w.user.ID, hook.Cursor, 10)
		w.must(err)
		return page.Pruned
	})
	w.background(w.dispatcher().Run)
	last := w.task(w.user)
	w.until("the rest is told", func() bool { told := w.toldOf(hook); return len(told) > 0 && told[len(told)-1] == last })
	w.until("it is said", func() bool { return strings.Contains(w.stored(hook).LastError, "older events were not told") })
	if told := w.toldOf(hook); len(told) > 2 { // the newest line is never removed
		t.Errorf("%v", told)
	}
}

func TestLoad(t *testing.T) {
	w := newWorld(t)
	w.hook(w.user, outbox.EventTaskCreated)
	w.answer = func(context.Context, outbox.Webhook, int64) outbox.Attempt { return outbox.Attempt{Status: 500} }
	d := w.dispatcher()
	d.After = time.After
	w.background(d.Run)
	w.task(w.user)
	w.until("it waits", func() bool { return d.Load().Waiting == 1 })
	w.advance(time.Hour)
	if load := d.Load(); load.Active != 1 || load.Behind < time.Hour {
		t.Errorf("%+v", load)
	}
}
