package operate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"
)

// Check is one thing that must hold for the server to do its work. What Run
// returns goes to the log and never to who asked; it should end with its
// context.
type Check struct {
	Name string // lower case; anybody may read it
	Run  func(ctx context.Context) error
	// Warns is true for what the server can do its work without.
	Warns bool
}

const (
	// healthKeep is how long a report is reused, so that any number of requests
	// causes at most one check a second.
	healthKeep = time.Second
	// checkTimeout bounds all checks together. It is a little longer than the busy
	// timeout of the database, so that the report can name a lock as the cause.
	checkTimeout = 7 * time.Second
)

// Health reports whether the server can do its work. Run runs the checks one after
// the other, and only on request, so that an idle server leaves its disk alone.
type Health struct {
	Checks []Check
	Now    func() time.Time
	Log    *slog.Logger

	mu      sync.Mutex
	last    Report
	at      time.Time
	pending chan struct{} // closed when the report that is being made is there
	told    bool          // the log knows that it takes too long
	current string        // the check that is under way
	partial map[string]bool
	wake    chan struct{}
}

// Report is the outcome of every check, by name.
type Report struct {
	Ready  bool
	Checks map[string]bool
	// Warnings are those of the checks that do not hold, and only warn.
	Warnings map[string]bool
	// DroppedLogLines is how many lines of the log were dropped, if a check failed
	// with a DroppedLinesError.
	DroppedLogLines int64
}

// DroppedLinesError is the error of a check: nothing reads the log. Their
// number is part of the report, since the log can't tell it.
type DroppedLinesError int64

func (n DroppedLinesError) Error() string {
	return fmt.Sprintf("%d lines of the log were dropped, since nobody takes them: look at what reads standard error", int64(n))
}

// NewHealth returns a Health; Run makes it answer.
func NewHealth(now func() time.Time, log *slog.Logger, checks ...Check) *Health {
	return &Health{Checks: checks, Now: now, Log: log, wake: make(chan struct{}, 1)}
}

// Ready returns a report that is at most a second old. When none can be made
// in seven seconds, what has not been looked at does not hold: a disk that
// does not answer is as bad as one that refuses.
func (h *Health) Ready(ctx context.Context) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	h.mu.Lock()
	if age := h.Now().Sub(h.at); h.last.Checks != nil && age >= 0 && age < healthKeep {
		defer h.mu.Unlock()
		return h.last
	}
	if h.pending == nil {
		h.pending = make(chan struct{})
		h.wake <- struct{}{} // has room: there is one for each pending report
	}
	pending := h.pending
	h.mu.Unlock()
	select {
	case <-pending:
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.last
	case <-ctx.Done():
		return h.overdue()
	}
}

// overdue is the report when there is none.
func (h *Health) overdue() Report {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.told {
		h.told = true
		h.Log.Error("not ready: a check does not come to an end; the disk may hang, or another process may hold the database", "check", h.current)
	}
	report := Report{Checks: map[string]bool{}}
	for _, check := range h.Checks {
		report.Checks[check.Name] = h.partial[check.Name]
	}
	return report
}

// progress notes how far the report has come that is being made.
func (h *Health) progress(current string, outcomes map[string]bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.current, h.partial = current, maps.Clone(outcomes)
}

// Run makes the reports that are asked for until the context ends.
func (h *Health) Run(ctx context.Context) {
	failing := map[string]bool{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-h.wake:
		}
		report := h.look(ctx, failing)
		h.mu.Lock()
		h.last, h.at = report, h.Now()
		close(h.pending)
		h.pending, h.told = nil, false
		h.mu.Unlock()
	}
}

// look runs the checks and logs what has changed since the last time.
func (h *Health) look(ctx context.Context, failing map[string]bool) Report {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	report := Report{Ready: true, Checks: map[string]bool{}, Warnings: map[string]bool{}}
	for _, check := range h.Checks {
		h.progress(check.Name, report.Checks)
		err := check.Run(ctx)
		report.Checks[check.Name] = err == nil
		report.Ready = report.Ready && (err == nil || check.Warns)
		report.Warnings[check.Name] = err != nil && check.Warns
		if dropped := DroppedLinesError(0); errors.As(err, &dropped) {
			report.DroppedLogLines = int64(dropped)
		}
		switch {
		case err != nil && check.Warns && !failing[check.Name]:
			h.Log.Warn("ready, but for a warning", "check", check.Name, "reason", err)
		case err != nil && !failing[check.Name]:
			h.Log.Error("not ready", "check", check.Name, "error", err)
		case err == nil && failing[check.Name]:
			h.Log.Info("ready again", "check", check.Name)
		}
		failing[check.Name] = err != nil
	}
	return report
}
