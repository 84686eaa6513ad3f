package mailer

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"taskapi/app/outbox"
	"taskapi/web"
)

// memory is mails in memory, with a record of what became of them.
type memory struct {
	mu      sync.Mutex
	mails   []outbox.Mail
	claims  []outbox.Mail
	reasons []string
	settled chan string // "sent", "dead", or the wait until the next attempt
	broken  error       // of the next claim
	lost    int         // so many records fail
}

func (o *memory) ClaimMail(_ context.Context, now time.Time, lease time.Duration) (outbox.Mail, time.Time, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.broken != nil {
		err := o.broken
		o.broken = nil
		return outbox.Mail{}, time.Time{}, false, err
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
	var due time.Time
	for _, m := range o.mails {
		if due.IsZero() || m.NextAt.Before(due) {
			due = m.NextAt
		}
	}
	return outbox.Mail{}, due, false, nil
}

func (o *memory) MailSent(_ context.Context, id int64, _ time.Time) error {
	return o.settle(id, time.Time{}, "sent", "")
}

func (o *memory) MailFailed(_ context.Context, id int64, reason string, next time.Time) error {
	if next.IsZero() {
		return o.settle(id, next, "dead", reason)
	}
	return o.settle(id, next, "again", reason)
}

func (o *memory) settle(id int64, next time.Time, how, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost > 0 {
		o.lost--
		return errors.New("disk full")
	}
	i := slices.IndexFunc(o.mails, func(m outbox.Mail) bool { return m.ID == id })
	if next.IsZero() {
		o.mails = slices.Delete(o.mails, i, i+1)
	} else {
		o.mails[i].NextAt = next
	}
	o.reasons = append(o.reasons, reason)
	o.settled <- how
	return nil
}

// start is when the clock of these tests begins.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// rig is a worker whose clock jumps over every wait.
type rig struct {
	*Worker
	outbox *memory
	mu     sync.Mutex
	now    time.Time
	waits  []time.Duration
}

func newRig(t *testing.T, send func(context.Context, Message, func(Step)) error, mails ...outbox.Mail) *rig {
	t.Helper()
	composer, err := NewComposer(web.Files(), "tasks@example.com", "Our Service", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range mails {
		mails[i].ID = int64(i + 1)
	}
	r := &rig{now: start, outbox: &memory{mails: mails, settled: make(chan string, 100)}}
	r.Worker = NewWorker(r.outbox, composer, &Sender{}, nil, nil, func() float64 { return 0 }, slog.New(slog.DiscardHandler))
	r.Send = send
	r.Now = func() time.Time { r.mu.Lock(); defer r.mu.Unlock(); return r.now }
	r.Elapsed = func() time.Duration { return r.Now().Sub(start) }
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

func queued(name string) outbox.Mail {
	return outbox.Mail{
		ID: 1, Template: outbox.MailWelcome, To: name + "@example.com", MessageID: name,
		Data: map[string]string{"Username": name}, CreatedAt: start,
	}
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

func TestADialogueEndsSoonAfterAStop(t *testing.T) {
	begun := make(chan struct{})
	r := newRig(t, func(ctx context.Context, _ Message, _ func(Step)) error {
		close(begun)
		<-ctx.Done()
		return &SendError{Step: StepGreeting, Err: ctx.Err()}
	}, queued("ann"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	<-begun
	cancel() // the grace passes at once on this clock
	<-done
	if got := <-r.outbox.settled; got != "again" || len(r.waits) != 1 || r.waits[0] != stopGrace {
		t.Errorf("got %s after %v", got, r.waits)
	}
}

func TestACrashBeforeTheRecordSendsTheSameMailAgain(t *testing.T) {
	var sent []Message
	r := newRig(t, func(_ context.Context, m Message, _ func(Step)) error { sent = append(sent, m); return nil }, queued("ann"))
	if _, _, found, err := r.outbox.ClaimMail(context.Background(), r.now, lease); !found || err != nil {
		t.Fatal(found, err)
	}
	r.until(t, "sent")
	if len(sent) != 1 || r.now.Sub(start) < lease {
		t.Errorf("%d mails after %s, want one after the lease", len(sent), r.now.Sub(start))
	}
	if !bytes.Contains(sent[0].MIME, []byte("Message-Id: <ann@example.com>\r\n")) || r.outbox.claims[1].Attempts != 2 {
		t.Errorf("attempt %d of\n%s", r.outbox.claims[1].Attempts, sent[0].MIME)
	}
}

func TestTheLeaseOutlastsEveryDialogue(t *testing.T) {
	if longest := totalTimeout + recordTries*(recordTimeout+storePause); lease <= longest {
		t.Errorf("a lease of %s ends within %s", lease, longest)
	}
}

func TestARecordThatFailsIsWrittenAgain(t *testing.T) {
	sent := 0
	r := newRig(t, func(context.Context, Message, func(Step)) error { sent++; return nil }, queued("ann"))
	r.outbox.lost = recordTries - 1
	r.until(t, "sent")
	if sent != 1 || len(r.waits) < 2 || r.waits[0] != storePause || r.waits[1] != storePause {
		t.Errorf("sent %d times with the waits %v", sent, r.waits)
	}
}

// A database that is started again ends the lead of a process, and refuses for a moment.
func TestARecordThatFailsDuringAStopIsWrittenAgain(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	sent := 0
	r := newRig(t, func(context.Context, Message, func(Step)) error { sent++; cancel(); return nil }, queued("ann"))
	r.outbox.lost = recordTries - 1
	r.Run(ctx)
	if got := <-r.outbox.settled; got != "sent" || sent != 1 {
		t.Errorf("%s after it was sent %d times", got, sent)
	}
	// The grace of the dialogue that is over runs beside.
	r.mu.Lock()
	defer r.mu.Unlock()
	waits := slices.DeleteFunc(slices.Clone(r.waits), func(wait time.Duration) bool { return wait == stopGrace })
	if want := slices.Repeat([]time.Duration{stopPause}, recordTries-1); !slices.Equal(waits, want) {
		t.Errorf("waits: %v, want %v", waits, want)
	}
}

func TestAnOldMailIsGivenUp(t *testing.T) {
	old := queued("ann")
	old.CreatedAt = start.Add(-maxAge)
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		return &SendError{Step: StepConnect, Err: errors.New("refused")}
	}, old)
	r.until(t, "dead")
}

func TestReasonsAreOneShortLine(t *testing.T) {
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		return &SendError{Step: StepData, Code: 554, Permanent: true, Err: errors.New("no\r\nway\x1b[2J\u2028" + strings.Repeat("ä", 1000))}
	}, queued("ann"))
	r.until(t, "dead")
	reason := []rune(r.outbox.reasons[0])
	if len(reason) > maxReason || strings.ContainsAny(string(reason), "\r\n\x1b\u2028") || !strings.HasPrefix(string(reason), `at step "data": no`) {
		t.Errorf("%d characters: %q", len(reason), string(reason))
	}
}

func TestTheLogHoldsNothingPersonal(t *testing.T) {
	poisoned := queued("zelda")
	poisoned.Data = map[string]string{"Name": "zelda"}
	misaddressed := queued("zelda")
	misaddressed.To = "zelda@example.com\r\n"
	answers := []error{
		nil,
		&SendError{Step: StepConnect, Err: errors.New("connection refused")},
		&SendError{Step: StepAuth, Code: 535, Err: errors.New("no such login: zelda")},
		&SendError{Step: StepRecipient, Code: 550, Permanent: true, Err: errors.New("no such user: zelda@example.com")},
	}
	sends := 0
	r := newRig(t, func(context.Context, Message, func(Step)) error {
		if sends == len(answers) {
			panic("zelda@example.com")
		}
		sends++
		return answers[sends-1]
	}, queued("zelda"), queued("zelda"), queued("zelda"), poisoned, misaddressed)
	var log bytes.Buffer
	r.Log = slog.New(slog.NewTextHandler(&log, nil))
	r.until(t, "sent", "again", "again", "dead", "dead", "dead", "dead")
	if strings.Contains(log.String(), "zelda") {
		t.Errorf("the log names the recipient:\n%s", log.String())
	}
	for _, want := range []string{"mail_id=1 template=welcome attempt=1", "step=connect error=\"connection refused\" next=2026-", "step=auth code=535", "step=recipient code=550", "step=compose", "panic_at="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
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

// A mail of a first minute in 1970 is not decades old; one of a week ago is.
func TestTheAgeOfAMailWhenTheClockIsSet(t *testing.T) {
	var elapsed time.Duration
	now := time.Unix(0, 0)
	w := &Worker{Now: func() time.Time { return now }, Elapsed: func() time.Duration { return elapsed }}
	pass := func(by time.Duration) { now, elapsed = now.Add(by), elapsed+by }
	pass(10 * time.Second)
	w.started = w.start()
	made := outbox.Mail{CreatedAt: now}
	old := outbox.Mail{CreatedAt: now.Add(-maxAge)}
	pass(time.Minute)
	now = start
	pass(30 * time.Second)
	for _, c := range []struct {
		mail outbox.Mail
		want time.Duration
	}{
		{made, 90 * time.Second}, {old, maxAge + 90*time.Second}, {outbox.Mail{CreatedAt: now.Add(-time.Second)}, time.Second},
	} {
		if got := w.age(c.mail); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestNoMailWaitsLongerThanTheOutboxKnows(t *testing.T) {
	for attempts := range maxAttempts + 1 {
		if wait := backoff(attempts, 1); wait > outbox.LongestMailWait {
			t.Errorf("attempt %d waits %s", attempts, wait)
		}
	}
	if lease > outbox.LongestMailWait {
		t.Error(lease)
	}
}
