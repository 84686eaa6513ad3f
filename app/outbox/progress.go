package outbox

import (
	"strconv"
	"time"
)

const (
	// giveUp is how long a webhook may fail before it is switched off.
	giveUp = 3 * 24 * time.Hour
	// refusals is how often a receiver may refuse an event before it is given up.
	refusals = 3
	// mostRetryAfter is the longest wait that a receiver may ask for.
	mostRetryAfter = 24 * time.Hour
)

// LongestWebhookWait is how long a webhook waits at most for its next try.
const LongestWebhookWait = mostRetryAfter + time.Hour

// waits are those after each try in vain; the last one is that of all further tries.
func waits() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour,
	}
}

// Progress is how far a webhook has come.
type Progress struct {
	State WebhookState
	// Cursor is the change that was told, or given up, last.
	Cursor int64
	// Tries is how often the next one was tried, and NextAt when it is tried again.
	Tries  int
	NextAt time.Time
	// FailingSince is when the first of the tries in vain was since something arrived; zero
	// while all does.
	FailingSince time.Time
	// LastError says what is wrong, or was missed.
	LastError string
	// Refused counts the refusals among the tries. It is not stored, so that an event has all
	// its tries after a start.
	Refused int
}

// Attempt is the outcome of one try.
type Attempt struct {
	Status     int // 0 without an answer
	RetryAfter time.Duration
	Took       time.Duration
	// Error says why there was no answer, or what is wrong with it. Empty for success.
	Error string
}

// Delivered reports whether the receiver has taken the event.
func (a Attempt) Delivered() bool { return a.Status >= 200 && a.Status < 300 }

// refused reports whether the answer is that trying again is of no use.
func (a Attempt) refused() bool {
	switch a.Status {
	case statusTimeout, statusGone, statusTooEarly, statusTooMany:
		return false
	}
	return a.Status >= 400 && a.Status < 500
}

// The statuses of refusals that mean something of their own (RFC 9110, 8470 and 6585).
const (
	statusTimeout  = 408
	statusGone     = 410
	statusTooEarly = 425
	statusTooMany  = 429
)

// Verdict says what becomes of an event after a try.
type Verdict int

// What can become of it.
const (
	// Arrived: the next event is due.
	Arrived Verdict = iota
	// Waits: it is tried again, and those behind it wait.
	Waits
	// GivenUp: the next event is due.
	GivenUp
	// SwitchedOff: the webhook is told of nothing any more.
	SwitchedOff
)

// After returns the progress after a try to tell of a change. Chance is from 0 to 1, so that
// not all try again at once.
func (p Progress) After(seq int64, a Attempt, now time.Time, chance float64) (Progress, Verdict) {
	if a.Delivered() {
		if !p.FailingSince.IsZero() {
			p.LastError = ""
		}
		return Progress{State: p.State, Cursor: seq, LastError: p.LastError}, Arrived
	}
	p.LastError = a.Error
	if p.FailingSince.IsZero() {
		p.FailingSince = now
	}
	p.Tries++
	if a.Status == statusGone || now.Sub(p.FailingSince) >= giveUp {
		p.State, p.NextAt = WebhookOff, time.Time{}
		return p, SwitchedOff
	}
	if a.refused() {
		if p.Refused++; p.Refused >= refusals {
			p.Cursor, p.Tries, p.Refused, p.NextAt = seq, 0, 0, time.Time{}
			return p, GivenUp
		}
		p.NextAt = now.Add(spread(waits()[p.Refused-1], chance))
		return p, Waits
	}
	wait := spread(waits()[min(p.Tries, len(waits()))-1], chance)
	p.NextAt = now.Add(max(wait, min(a.RetryAfter, mostRetryAfter)))
	return p, Waits
}

// Due reports whether the next event may be tried. One that would wait for longer than any
// does was put off by a wrong clock.
func (p Progress) Due(now time.Time) bool {
	return !p.NextAt.After(now) || p.NextAt.Sub(now) > LongestWebhookWait
}

// spread is a wait with a fifth more or less by chance.
func spread(wait time.Duration, chance float64) time.Duration {
	return wait - wait/5 + time.Duration(float64(wait)*chance*2/5)
}

// SwitchedOffMail is the mail about a webhook that was switched off.
func SwitchedOffMail(w Webhook, a Attempt, now time.Time) NewMail {
	data := map[string]string{"Webhook": strconv.FormatInt(w.ID, 10), "Since": w.FailingSince.UTC().Format("2 January 2006, 15:04 UTC"), "Gone": ""}
	if a.Status == statusGone {
		data["Gone"] = "yes"
	}
	return NewMail{Template: MailWebhookOff, CreatedAt: now, Data: data}
}
