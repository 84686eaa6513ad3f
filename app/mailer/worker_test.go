package mailer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/web"
)

// outbox is one mail in memory, with a record of what became of it.
type outbox struct {
	mu      sync.Mutex
	mails   []app.Mail
	claims  []app.Mail
	settled chan string // "sent", "dead", or the wait until the next attempt
	broken  error
}

func (o *outbox) ClaimMail(_ context.Context, now time.Time, lease time.Duration) (app.Mail, time.Time, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		err := o.broken
		o.broken = nil
		return app.Mail{}, time.Time{}, false, err
	}
	for i, m := range o.mails {
		if m.NextAt.After(now) {
			continue
		}
		o.mails[i].Attempts++
		o.mails[i].NextAt = now.Add(lease)
		o.claims = append(o.claims, o.mails[i])
		return o.mails[i], time.Time{}, true, nil
	}
	if len(o.mails) > 0 {
		return app.Mail{}, o.mails[0].NextAt, false, nil
	}
	return app.Mail{}, time.Time{}, false, nil
}

func (o *outbox) MailSent(context.Context, int64, time.Time) error {
	o.settle(time.Time{}, "sent")
	return nil
}

func (o *outbox) MailFailed(_ context.Context, _ int64, _ string, next time.Time) error {
	if next.IsZero() {
		o.settle(next, "dead")
	} else {
		o.settle(next, "again")
	}
	return nil
}

func (o *outbox) settle(next time.Time, how string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if next.IsZero() {
		o.mails = o.mails[1:]
	} else {
		o.mails[0].NextAt = next
	}
	o.settled <- how
}

// rig is a worker whose clock jumps over every wait.
type rig struct {
	*Worker
	outbox *outbox
	mu     sync.Mutex
	now    time.Time
	waits  []time.Duration
}

func newRig(t *testing.T, send func(context.Context, Message, func(Step)) error, mails ...app.Mail) *rig {
	t.Helper()
	composer, err := NewComposer(web.Files(), "tasks@example.com")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), outbox: &outbox{mails: mails, settled: make(chan string, 100)}}
	r.Worker = NewWorker(r.outbox, composer, &Sender{}, func() float64 { return 0 }, slog.New(slog.DiscardHandler))
	r.Send = send
	r.Now = func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
	r.After = func(d time.Duration) <-chan time.Time {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.now = r.now.Add(d)
		r.waits = append(r.waits, d)
		done := make(chan time.Time, 1)
		done <- r.now
		return done
	}
	return r
}

func (r *rig) until(t *testing.T, ends ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	for _, want := range ends {
		if got := <-r.outbox.settled; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	cancel()
	<-done
}

func queued(name string) app.Mail {
	return app.Mail{ID: 1, Template: app.MailWelcome, To: name + "@example.com", MessageID: name, Data: map[string]string{"Username": name}}
}

func TestMailsGoOutInOrder(t *testing.T) {
	var to []string
	r := newRig(t, func(_ context.Context, m Message, _ func(Step)) error { to = append(to, m.To); return nil }, queued("ann"), queued("bob"))
	r.until(t, "sent", "sent")
	if len(to) != 2 || to[0] != "ann@example.com" || to[1] != "bob@example.com" {
		t.Errorf("sent to %v", to)
	}
}

func TestATemporaryFailureIsTriedTenTimes(t *testing.T) {
	tries := 0
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		tries++
		return &SendError{Step: StepConnect, Err: errors.New("refused")}
	}, queued("ann"))
	r.until(t, "again", "again", "again", "again", "again", "again", "again", "again", "again", "dead")
	if tries != maxAttempts {
		t.Errorf("%d tries", tries)
	}
	if id := r.outbox.claims[9].MessageID; id != "ann" {
		t.Errorf("the Message-ID changed to %s", id)
	}
}

func TestAPermanentFailureIsNotTriedAgain(t *testing.T) {
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		return &SendError{Step: StepRecipient, Permanent: true, Err: errors.New("no such user")}
	}, queued("ann"), queued("bob"))
	r.until(t, "dead", "dead")
}

func TestAPoisonedMailDoesNotStopTheOthers(t *testing.T) {
	poisoned := queued("eve")
	poisoned.Template = "no-such"
	r := newRig(t, func(_ context.Context, m Message, _ func(Step)) error {
		if m.To == "pan@example.com" {
			panic("in the middle")
		}
		return nil
	}, poisoned, queued("pan"), queued("ann"))
	r.until(t, "dead", "dead", "sent")
}

func TestABrokenStoreIsAskedAgainAfterAPause(t *testing.T) {
	r := newRig(t, func(context.Context, Message, func(Step)) error { return nil }, queued("ann"))
	r.outbox.broken = errors.New("disk on fire")
	r.until(t, "sent")
	if len(r.waits) == 0 || r.waits[0] != storePause {
		t.Errorf("waits: %v", r.waits)
	}
}

func TestAStopLetsTheMailInHandBeSettled(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		close(begun)
		<-finish
		return nil
	}, queued("ann"))
	r.After = func(time.Duration) <-chan time.Time { return nil } // no wait ever ends
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	<-begun
	cancel()
	close(finish)
	<-done
	if got := <-r.outbox.settled; got != "sent" {
		t.Errorf("got %s", got)
	}
}

func TestWakeEndsTheWait(t *testing.T) {
	r := newRig(t, func(context.Context, Message, func(Step)) error { return nil })
	r.After = func(time.Duration) <-chan time.Time { return nil }
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	r.outbox.mu.Lock()
	r.outbox.mails = append(r.outbox.mails, queued("ann"))
	r.outbox.mu.Unlock()
	r.Wake()
	if got := <-r.outbox.settled; got != "sent" {
		t.Errorf("got %s", got)
	}
	cancel()
	<-done
}

func TestBackoff(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: time.Minute, 2: 2 * time.Minute, 5: 16 * time.Minute, 9: 256 * time.Minute, 10: 6 * time.Hour, 1000: 6 * time.Hour} {
		if got := backoff(attempts, 0); got != want {
			t.Errorf("after %d: %s, want %s", attempts, got, want)
		}
		if got := backoff(attempts, 1); got != want+want/5 {
			t.Errorf("after %d with all jitter: %s", attempts, got)
		}
	}
}
