package mailer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"taskapi/app"
)

const (
	// lease is longer than any dialogue takes: nine steps of 30 s.
	lease = 10 * time.Minute
	// maxAttempts are spread over about a day by the back-off.
	maxAttempts = 10
	firstWait   = time.Minute
	longestWait = 6 * time.Hour
	// storePause is the wait after the database failed.
	storePause = 10 * time.Second
	// stopGrace is how long a dialogue may go on after a stop began.
	stopGrace = 10 * time.Second
	// lookAgain bounds the wait for new mail, since a command of another
	// process may queue some without waking us.
	lookAgain = time.Minute
	maxReason = 500
)

// Worker sends what is in the outbox, one mail at a time.
type Worker struct {
	Outbox   app.Outbox
	Composer *Composer
	Send     func(ctx context.Context, m Message, report func(Step)) error
	Now      func() time.Time
	// After is time.After, for tests that do not wait.
	After func(time.Duration) <-chan time.Time
	// Jitter returns a number from 0 to 1, so that retries spread out.
	Jitter func() float64
	Log    *slog.Logger

	wake chan struct{}
}

// NewWorker returns a worker on the real clock.
func NewWorker(outbox app.Outbox, composer *Composer, sender *Sender, jitter func() float64, log *slog.Logger) *Worker {
	return &Worker{
		Outbox: outbox, Composer: composer, Send: sender.Send, Now: time.Now, After: time.After,
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
// settled; that takes at most ten seconds.
func (w *Worker) Run(ctx context.Context) {
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
	case ctx.Err() != nil:
		return 0
	case err != nil:
		w.Log.Error("the outbox can't be read", "error", err)
		return storePause
	case !found && due.IsZero():
		return lookAgain
	case !found:
		return min(lookAgain, max(time.Second, due.Sub(w.Now())))
	}
	if err := w.handle(ctx, mail); err != nil {
		w.Log.Error("the outbox can't be written", "mail_id", mail.ID, "error", err)
		return storePause
	}
	return 0
}

// handle sends one mail and records how it went. The record is written even
// when a stop has begun: the mail would go out twice without it.
func (w *Worker) handle(ctx context.Context, mail app.Mail) error {
	record := context.WithoutCancel(ctx)
	failure := w.deliver(ctx, mail)
	if failure == nil {
		w.Log.Info("mail sent", "mail_id", mail.ID, "template", mail.Template, "attempt", mail.Attempts)
		return w.Outbox.MailSent(record, mail.ID, w.Now())
	}
	var next time.Time
	var send *SendError
	if errors.As(failure, &send) && !send.Permanent && mail.Attempts < maxAttempts {
		next = w.Now().Add(backoff(mail.Attempts, w.Jitter()))
	}
	reason := oneLine(failure.Error(), maxReason)
	if next.IsZero() {
		w.Log.Error("mail given up; \"taskapi mail list\" has it", "mail_id", mail.ID, "template", mail.Template, "attempt", mail.Attempts, "error", reason)
	} else {
		w.Log.Warn("mail not sent", "mail_id", mail.ID, "template", mail.Template, "attempt", mail.Attempts, "next", next, "error", reason)
	}
	return w.Outbox.MailFailed(record, mail.ID, reason, next)
}

// deliver composes and sends. A mail that can't be composed never can be, and
// must not take the others with it: a panic becomes its error.
func (w *Worker) deliver(ctx context.Context, mail app.Mail) (err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v", reason)
		}
	}()
	message, err := w.Composer.Compose(mail)
	if err != nil {
		return err
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
