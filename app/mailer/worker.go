package mailer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"taskapi/app/outbox"
)

const (
	// lease is longer than any dialogue and its record take.
	lease = 5*time.Minute + totalTimeout
	// maxAttempts are spread over some nine hours by the back-off.
	maxAttempts = 10
	// maxAge is when a mail is given up even with attempts left, because the
	// server was off meanwhile: a greeting that late only confuses.
	maxAge      = 3 * 24 * time.Hour
	firstWait   = time.Minute
	longestWait = 6 * time.Hour
	// storePause is the wait after the database failed.
	storePause = 10 * time.Second
	// stopGrace is how long a dialogue may go on after a stop began.
	stopGrace = 3 * time.Second
	// stopPause is storePause after a stop began.
	stopPause = time.Second
	// lookAgain bounds the wait for new mail, since a command of another
	// process may queue some without waking us.
	lookAgain = time.Minute
	maxReason = 500
	// recordTimeout bounds one try to write down how a mail went, of
	// recordTries.
	recordTimeout = 5 * time.Second
	recordTries   = 4
)

// Worker sends what is in the outbox, one mail at a time.
type Worker struct {
	Outbox   outbox.Outbox
	Composer *Composer
	Send     func(ctx context.Context, m Message, report func(Step)) error
	Now      func() time.Time
	// Elapsed is how long the program has run, whatever the clock was set to.
	Elapsed func() time.Duration
	// After is time.After, for tests that do not wait.
	After func(time.Duration) <-chan time.Time
	// Jitter returns a number from 0 to 1, so that retries spread out.
	Jitter func() float64
	Log    *slog.Logger

	wake    chan struct{}
	started time.Time // by the clock, whenever Run began
}

// NewWorker returns a worker that waits in real time.
func NewWorker(outbox outbox.Outbox, composer *Composer, sender *Sender, now func() time.Time, elapsed func() time.Duration, jitter func() float64, log *slog.Logger) *Worker {
	return &Worker{
		Outbox: outbox, Composer: composer, Send: sender.Send, Now: now, Elapsed: elapsed, After: time.After,
		Jitter: jitter, Log: log, wake: make(chan struct{}, 1),
	}
}

// Wake tells the worker that there is new mail. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run sends until the context ends, and returns when the mail in hand is
// settled. Its dialogue has three seconds for that.
func (w *Worker) Run(ctx context.Context) {
	w.started = w.start()
	for ctx.Err() == nil {
		wait := w.next(ctx)
		if wait == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-w.After(wait):
		}
	}
}

// next sends the mail that is due, if any, and returns how long to wait for
// the one after.
func (w *Worker) next(ctx context.Context) time.Duration {
	mail, due, found, err := w.Outbox.ClaimMail(ctx, w.Now(), lease)
	switch {
	case err != nil && ctx.Err() != nil:
		return 0
	case err != nil:
		w.Log.Error("the outbox can't be read", "error", err)
		return storePause
	case !found && due.IsZero():
		return lookAgain
	case !found:
		return min(lookAgain, max(time.Second, due.Sub(w.Now())))
	}
	// A claim has cost an attempt, so it is used even if a stop began since.
	if err := w.handle(ctx, mail); err != nil {
		w.Log.Error("the outbox can't be written", "mail_id", mail.ID, "error", err)
		return storePause
	}
	return 0
}

// handle sends one mail and records how it went.
func (w *Worker) handle(ctx context.Context, mail outbox.Mail) error {
	log := w.Log.With("mail_id", mail.ID, "template", mail.Template, "attempt", mail.Attempts)
	failure := w.deliver(ctx, mail)
	if failure == nil {
		log.Info("mail sent")
		return w.record(ctx, func(ctx context.Context) error { return w.Outbox.MailSent(ctx, mail.ID, w.Now()) })
	}
	next := w.retryAt(mail, failure)
	if ctx.Err() != nil && !next.IsZero() {
		next = w.Now() // our stop may be why it failed: the next start tries again
	}
	log = log.With(logAttrs(failure)...)
	if next.IsZero() {
		log.Error("mail given up; \"taskapi mail list\" says why")
	} else {
		log.Warn("mail not sent", "next", next)
	}
	reason := oneLine(failure.Error(), maxReason)
	return w.record(ctx, func(ctx context.Context) error { return w.Outbox.MailFailed(ctx, mail.ID, reason, next) })
}

// retryAt is when to try again after a failure, zero for never.
func (w *Worker) retryAt(mail outbox.Mail, failure error) time.Time {
	var send *SendError
	now := w.Now()
	if !errors.As(failure, &send) || send.Permanent || mail.Attempts >= maxAttempts || w.age(mail) >= maxAge {
		return time.Time{}
	}
	return now.Add(backoff(mail.Attempts, w.Jitter()))
}

// start is when the program began to run, as the clock has it now.
func (w *Worker) start() time.Time { return w.Now().Round(0).Add(-w.Elapsed()) }

// age is how old a mail is. If the clock has been set forward since the start,
// one that seems to be older than the program may be as old as that only by the
// clock of before.
func (w *Worker) age(mail outbox.Mail) time.Duration {
	age := w.Now().Sub(mail.CreatedAt)
	if start := w.start(); mail.CreatedAt.Before(start) {
		age -= max(0, start.Sub(w.started))
	}
	return age
}

// logAttrs say at which step a mail failed. From the login on a server may
// quote the password or the address, and an error in composing may quote the
// user's name; so the words of those are kept in the outbox and not logged.
func logAttrs(failure error) []any {
	var send *SendError
	var broken *panicError
	switch {
	case errors.As(failure, &broken):
		return []any{"step", "compose", "panic_at", broken.stack}
	case !errors.As(failure, &send):
		return []any{"step", "compose"}
	}
	attrs := []any{"step", send.Step}
	if send.Code != 0 {
		attrs = append(attrs, "code", send.Code)
	}
	switch send.Step {
	case StepConnect, StepTLS, StepGreeting, StepHello, StepStartTLS:
		attrs = append(attrs, "error", oneLine(send.Err.Error(), maxReason))
	}
	return attrs
}

// record writes even when a stop has begun, and again if it fails: the mail
// would go out twice without it. Once a stop has begun it pauses for a moment only,
// in which a database that is started again may be back.
func (w *Worker) record(ctx context.Context, write func(context.Context) error) error {
	for try := 1; ; try++ {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
		err := write(limited)
		cancel()
		if err == nil || try == recordTries {
			return err
		}
		if ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-w.After(storePause):
			}
			continue
		}
		<-w.After(stopPause)
	}
}

// panicError is a panic while a mail was composed or sent.
type panicError struct {
	value any
	stack string
}

// Error has the value of the panic and not the stack.
func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// deliver composes and sends. A mail that can't be composed never can be, and
// must not take the others with it: a panic becomes its error.
func (w *Worker) deliver(ctx context.Context, mail outbox.Mail) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: string(debug.Stack())}
		}
	}()
	message, err := w.Composer.Compose(mail)
	if err != nil {
		return fmt.Errorf("at step \"compose\": %w", err)
	}
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-w.After(stopGrace):
			cancel()
		case <-sending.Done():
		}
	})
	defer stop()
	return w.Send(sending, message, nil)
}

// backoff is how long to wait after an attempt in vain: a minute, then twice
// as long each time up to six hours, and up to a fifth more by chance.
func backoff(attempts int, chance float64) time.Duration {
	wait := longestWait
	if attempts < 10 {
		wait = min(longestWait, firstWait<<max(0, attempts-1))
	}
	return wait + time.Duration(float64(wait)*chance/5)
}
