package todo

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

const (
	// FiresUntil is how late a reminder may still go out. Older ones stay silent.
	FiresUntil = 24 * time.Hour
	// alarmLooks bounds the wait for the next reminder: another process may have set one,
	// and the clock may be set.
	alarmLooks = time.Minute
	// alarmPause is the wait after the database failed.
	alarmPause = 10 * time.Second
)

// Fired is what one run of an Alarm has done.
type Fired struct {
	// Reminders went out, of which so many were put into mails, and so many were for
	// browsers.
	Reminders, Mailed, Pushed int
	// Next is when the next one is due; zero for none.
	Next time.Time
}

// AlarmStore fires reminders.
type AlarmStore interface {
	// FireReminders fires all that are due, each once: what it does of one reminder is on
	// the disk together, or not at all. Mails says whether mails can be sent.
	FireReminders(ctx context.Context, now time.Time, mails bool) (Fired, error)
}

// Alarm fires reminders when they are due. A reminder that fires gives one line of the log
// (OpDue), whose number is its id on every channel, and nothing if its task is completed by
// then, or can't be seen any more.
type Alarm struct {
	Store AlarmStore
	// Mails says whether there is a server that sends mails.
	Mails bool
	Now   func() time.Time
	// After is time.After, for tests that do not wait.
	After func(time.Duration) <-chan time.Time
	// Pushed is called when there is something for browsers.
	Pushed func()
	Log    *slog.Logger

	fired atomic.Int64
	wake  chan struct{}
}

// NewAlarm returns an Alarm that waits in real time.
func NewAlarm(store AlarmStore, mails bool, now func() time.Time, pushed func(), log *slog.Logger) *Alarm {
	return &Alarm{Store: store, Mails: mails, Now: now, After: time.After, Pushed: pushed, Log: log, wake: make(chan struct{}, 1)}
}

// Wake tells that reminders have changed. It never blocks.
func (a *Alarm) Wake() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Fired returns how many reminders have gone out since the start.
func (a *Alarm) Fired() int64 { return a.fired.Load() }

// Run fires until the context ends.
func (a *Alarm) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait := a.next(ctx)
		if wait == 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-a.wake:
		case <-a.After(wait):
		}
	}
}

// next fires what is due and returns how long to wait for the next one.
func (a *Alarm) next(ctx context.Context) time.Duration {
	now := a.Now()
	fired, err := a.Store.FireReminders(ctx, now, a.Mails)
	a.fired.Add(int64(fired.Reminders))
	if fired.Reminders > 0 {
		a.Log.Info("reminders fired", "count", fired.Reminders, "mailed", fired.Mailed, "pushed", fired.Pushed)
	}
	if fired.Pushed > 0 {
		a.Pushed()
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return 0
	case err != nil:
		a.Log.Error("reminders can't be fired", "error", err)
		return alarmPause
	case fired.Next.IsZero():
		return alarmLooks
	}
	return min(alarmLooks, max(0, fired.Next.Sub(a.Now())))
}
