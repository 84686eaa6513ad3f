package webhook

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"taskapi/app/outbox"
)

const (
	// parallel is how many tries run at once, parallelOfOne how many of them of one account.
	parallel      = 64
	parallelOfOne = 4
	// perSecond is how many tries are begun in a second, and burst how many at once after a
	// while of less: telling others must not slow those who write.
	perSecond = 200
	burst     = 40
	// readRest is how many times as long as a look into the log takes nobody looks after it: the
	// looks of all accounts together take a tenth of one core.
	readRest = 9
	// gather is the shortest time between two looks into the log for one account.
	gather = 100 * time.Millisecond
	// saveEvery is the shortest time between two writes of how webhooks stand.
	saveEvery = time.Second
	// saveAllEvery is how often that includes those that have passed over changes only.
	saveAllEvery = time.Hour
	// saveTimeout bounds one of them.
	saveTimeout = 2 * time.Second
	// storePause is the wait after the database failed.
	storePause = 10 * time.Second
	// settleTries is how often what is known at the end is written, with settlePause between, in
	// which a database that is started again may be back.
	settleTries = 4
	settlePause = time.Second
	// stopGrace is how long a try may go on after a stop began.
	stopGrace = 2 * time.Second
	// pageLines is how many lines of the log are read at once.
	pageLines = 100
)

// Dispatcher tells webhooks of what changes. All fields but Count are required.
type Dispatcher struct {
	Store  outbox.WebhookLog
	Sender outbox.WebhookSender
	// Body makes the body of a message, as things are now for a user. Nil is that of what the
	// user may not know of any more.
	Body func(ctx context.Context, userID int64, event outbox.WebhookEvent) ([]byte, error)
	// Lineage is that of the database.
	Lineage string
	// Follow returns what wakes when something that a user sees may have changed, and what
	// ends that.
	Follow func(userID int64) (changed <-chan struct{}, end func())
	// Notices leaves out mails of which there are too many.
	Notices func(userID int64, mails ...outbox.NewMail) []outbox.NewMail
	Now     func() time.Time
	// After is time.After, for tests that do not wait.
	After func(time.Duration) <-chan time.Time
	// Chance returns a number from 0 to 1, so that tries spread out.
	Chance func() float64
	// Count receives the outcome of each try. May be nil.
	Count func(outcome Outcome)
	Log   *slog.Logger

	slots chan struct{}
	pace  pace
	reads reads
	saves saves
	work  sync.WaitGroup
	wake  chan struct{} // that asked has someone

	mu       sync.Mutex
	accounts map[int64]*account
	asked    map[int64]bool // whose webhooks were changed
}

// Outcome is what became of a try, for counting.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered"
	OutcomeFailed    Outcome = "failed"
	OutcomeDead      Outcome = "dead"
)

// NewDispatcher returns a dispatcher without its fields.
func NewDispatcher() *Dispatcher {
	return &Dispatcher{
		After: time.After, slots: make(chan struct{}, parallel), reads: reads{turn: make(chan struct{}, 1)}, wake: make(chan struct{}, 1),
		saves:    saves{dirty: map[*hook]bool{}, some: make(chan struct{}, 1), urgent: make(chan struct{}, 1)},
		accounts: map[int64]*account{}, asked: map[int64]bool{},
	}
}

// Changed says that the webhooks of a user were changed. It does not block.
func (d *Dispatcher) Changed(userID int64) {
	d.mu.Lock()
	d.asked[userID] = true
	d.mu.Unlock()
	poke(d.wake)
}

// poke sends a signal unless one is waiting.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run tells webhooks until the context ends. It returns when the tries under way have ended,
// which have two seconds for that, and what they came to is written. It may run again: another
// process may have told webhooks meanwhile.
func (d *Dispatcher) Run(ctx context.Context) {
	defer func() {
		d.work.Wait()
		d.settle(context.WithoutCancel(ctx))
		d.forget()
	}()
	for {
		users, err := d.Store.WebhookUsers(ctx)
		if err == nil {
			for _, user := range users {
				d.Changed(user)
			}
			break
		}
		if ctx.Err() != nil {
			return
		}
		d.Log.Error("the webhooks can't be read", "error", err)
		if !d.pause(ctx, storePause) {
			return
		}
	}
	var due <-chan time.Time // when to write how webhooks stand
	all := d.After(saveAllEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
			d.begin(ctx)
		case <-d.saves.some:
			if due == nil {
				due = d.After(saveEvery)
			}
		case <-d.saves.urgent:
			d.save(ctx, false)
		case <-due:
			due = nil
			d.save(ctx, false)
		case <-all:
			all = d.After(saveAllEvery)
			d.save(ctx, true)
		}
	}
}

// pause waits, and reports whether there is anything to go on for.
func (d *Dispatcher) pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-d.After(wait):
		return true
	}
}

// begin lets the accounts of those whose webhooks were changed look at them.
func (d *Dispatcher) begin(ctx context.Context) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for user := range d.asked {
		a := d.accounts[user]
		if a == nil {
			a = &account{d: d, user: user, again: make(chan struct{}, 1), slots: make(chan struct{}, parallelOfOne), hooks: map[int64]*hook{}}
			d.accounts[user] = a
			d.work.Go(func() { a.run(ctx) })
		}
		a.stale.Store(true)
		poke(a.again)
	}
	clear(d.asked)
}

// leave ends an account that has no active webhooks, unless they were changed meanwhile.
func (d *Dispatcher) leave(a *account) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.stale.Load() {
		return false
	}
	delete(d.accounts, a.user)
	return true
}

// settle writes how webhooks stand at the end. What is not written is told again.
func (d *Dispatcher) settle(ctx context.Context) {
	for try := 1; ; try++ {
		d.save(ctx, true)
		if try == settleTries || !d.saves.left() || !d.pause(ctx, settlePause) {
			return
		}
	}
}

// forget forgets how webhooks stand, when nobody tells them any more.
func (d *Dispatcher) forget() {
	d.mu.Lock()
	clear(d.accounts)
	d.mu.Unlock()
	d.saves.mu.Lock()
	defer d.saves.mu.Unlock()
	clear(d.saves.dirty)
}

// Load is how the dispatcher stands.
type Load struct {
	// Active are the webhooks that are told of events, Waiting those of them that wait after
	// a try in vain.
	Active, Waiting int
	// Behind is how old the oldest event is that was not told yet.
	Behind time.Duration
}

// Load returns how the dispatcher stands.
func (d *Dispatcher) Load() (l Load) {
	d.mu.Lock()
	accounts := make([]*account, 0, len(d.accounts))
	for _, a := range d.accounts {
		accounts = append(accounts, a)
	}
	d.mu.Unlock()
	now := d.Now()
	for _, a := range accounts {
		for _, h := range a.all() {
			l.Active++
			h.mu.Lock()
			if !h.progress.NextAt.IsZero() {
				l.Waiting++
			}
			if !h.since.IsZero() {
				l.Behind = max(l.Behind, now.Sub(h.since))
			}
			h.mu.Unlock()
		}
	}
	return l
}
