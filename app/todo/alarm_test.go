package todo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"
)

// firing is a store that says what it fired.
type firing struct {
	runs chan struct{}
	next func() (Fired, error)
}

func (f firing) FireReminders(context.Context, time.Time, bool) (Fired, error) {
	f.runs <- struct{}{}
	return f.next()
}

// An Alarm waits until the next reminder is due, and looks from time to time whatever the store
// says: the clock may be set.
func TestHowLongAnAlarmWaits(t *testing.T) {
	now := time.Date(2027, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		fired Fired
		err   error
		want  time.Duration
	}{
		"nothing":      {Fired{}, nil, alarmLooks},
		"soon":         {Fired{Next: now.Add(20 * time.Second)}, nil, 20 * time.Second},
		"tomorrow":     {Fired{Next: now.Add(24 * time.Hour)}, nil, alarmLooks},
		"more is due":  {Fired{Next: now}, nil, 0},
		"it is late":   {Fired{Next: now.Add(-time.Hour)}, nil, 0},
		"an error":     {Fired{}, errors.New("broken"), alarmPause},
		"a long delay": {Fired{Reminders: 3, Next: now.Add(time.Second)}, nil, time.Second},
	} {
		a := NewAlarm(firing{make(chan struct{}, 1), func() (Fired, error) { return c.fired, c.err }}, true, func() time.Time { return now }, nil, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if got := a.next(t.Context()); got != c.want || a.Fired() != int64(c.fired.Reminders) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// It is woken when reminders change, wakes what pushes, and ends with its context.
func TestAnAlarmIsWoken(t *testing.T) {
	pushed := make(chan struct{}, 10)
	runs := make(chan struct{})
	store := firing{runs, func() (Fired, error) { return Fired{Reminders: 1, Pushed: 1}, nil }}
	a := NewAlarm(store, true, time.Now, func() { pushed <- struct{}{} }, slog.New(slog.NewTextHandler(io.Discard, nil)))
	a.After = func(time.Duration) <-chan time.Time { return nil }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { a.Run(ctx); close(ended) }()
	<-runs
	<-pushed
	for range 3 {
		a.Wake() // any number of times
	}
	<-runs
	<-pushed
	stop()
	for {
		select {
		case <-runs: // of a wake that was left
		case <-ended:
			return
		}
	}
}
