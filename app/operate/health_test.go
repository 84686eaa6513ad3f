package operate

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// runHealth runs it until the end of the test.
func runHealth(t *testing.T, h *Health) {
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { h.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
}

func TestAWarningDoesNotMakeItUnready(t *testing.T) {
	var log strings.Builder
	h := NewHealth(time.Now, slog.New(slog.NewTextHandler(&log, nil)),
		Check{Name: "clock", Warns: true, Run: func(context.Context) error { return errors.New("the cause") }},
		Check{Name: "disk", Run: func(context.Context) error { return nil }})
	runHealth(t, h)
	if r := h.Ready(t.Context()); !r.Ready || r.Checks["clock"] || !r.Warnings["clock"] || r.Warnings["disk"] || !strings.Contains(log.String(), "the cause") {
		t.Errorf("%+v %s", r, log.String())
	}
}

func TestHealthIsLookedAtOnceASecondHoweverManyAsk(t *testing.T) {
	var now, looks atomic.Int64
	var broken atomic.Bool
	var log strings.Builder
	h := NewHealth(func() time.Time { return time.UnixMilli(now.Load()) }, slog.New(slog.NewTextHandler(&log, nil)),
		Check{Name: "database", Run: func(context.Context) error {
			looks.Add(1)
			if broken.Load() {
				return errors.New("the cause")
			}
			return nil
		}},
		Check{Name: "disk", Run: func(context.Context) error { return nil }})
	runHealth(t, h)
	ask := func(ready, database bool, wantLooks int64) {
		t.Helper()
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				if r := h.Ready(context.Background()); r.Ready != ready || r.Checks["database"] != database || !r.Checks["disk"] {
					t.Errorf("%+v", r)
				}
			})
		}
		asking.Wait()
		if got := looks.Load(); got != wantLooks {
			t.Errorf("looked %d times, want %d", got, wantLooks)
		}
	}
	now.Store(1e12)
	ask(true, true, 1)
	broken.Store(true)
	now.Add(999)
	ask(true, true, 1)
	now.Add(1)
	ask(false, false, 2)
	now.Add(1000)
	ask(false, false, 3)
	broken.Store(false)
	now.Add(-5000) // a clock that was put back
	ask(true, true, 4)
	if strings.Count(log.String(), "the cause") != 1 || strings.Count(log.String(), "ready again") != 1 {
		t.Errorf("each change once:\n%s", log.String())
	}
}

// Nobody waits for a check that never ends, and only that one is blamed.
func TestHealthOfADatabaseThatAnswersNobody(t *testing.T) {
	stuck, begun := make(chan struct{}), make(chan struct{}, 1)
	var log strings.Builder
	h := NewHealth(time.Now, slog.New(slog.NewTextHandler(&log, nil)),
		Check{Name: "disk", Run: func(context.Context) error { return nil }},
		Check{Name: "database", Run: func(context.Context) error { begun <- struct{}{}; <-stuck; return nil }},
		Check{Name: "backup", Run: func(context.Context) error { return nil }})
	runHealth(t, h)
	t.Cleanup(func() { close(stuck) })
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-begun; cancel() }()
	for range 3 {
		if r := h.Ready(ctx); r.Ready || r.Checks["database"] || r.Checks["backup"] || !r.Checks["disk"] {
			t.Errorf("%+v", r)
		}
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "check=database") {
		t.Error(log.String())
	}
}
