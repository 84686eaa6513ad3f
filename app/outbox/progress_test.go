package outbox

import (
	"slices"
	"testing"
	"time"
)

const middle = 0.5 // by chance, neither more nor less

func at(hours float64) time.Time {
	return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours * float64(time.Hour)))
}

func TestEveryAnswerHasItsVerdict(t *testing.T) {
	for status := range 600 {
		p, got := Progress{State: WebhookActive, Cursor: 7}.After(8, Attempt{Status: status, Error: "e"}, at(0), middle)
		want := Waits
		switch {
		case status >= 200 && status < 300:
			want = Arrived
		case status == 410:
			want = SwitchedOff
		}
		if got != want || (p.Cursor == 8) != (want == Arrived) || (p.State == WebhookOff) != (want == SwitchedOff) {
			t.Errorf("%d: verdict %d, %+v", status, got, p)
		}
		if want == Waits && (p.Tries != 1 || p.NextAt != at(0).Add(5*time.Second) || p.FailingSince != at(0) || p.LastError != "e") {
			t.Errorf("%d: %+v", status, p)
		}
	}
}

// play lets a receiver answer in one way until something else than waiting comes of it.
func play(a Attempt) (waits []time.Duration, p Progress, last Verdict) {
	now := at(0)
	p = Progress{State: WebhookActive, Cursor: 7}
	for {
		if p, last = p.After(8, a, now, middle); last != Waits {
			return waits, p, last
		}
		waits = append(waits, p.NextAt.Sub(now))
		now = p.NextAt
	}
}

func TestRefusalsAreGivenUp(t *testing.T) {
	for status := 400; status < 500; status++ {
		if slices.Contains([]int{408, 410, 425, 429}, status) {
			continue
		}
		waits, p, last := play(Attempt{Status: status})
		if want := []time.Duration{5 * time.Second, 5 * time.Minute}; !slices.Equal(waits, want) || last != GivenUp || p.Cursor != 8 || p.Tries != 0 || !p.NextAt.IsZero() || p.FailingSince.IsZero() {
			t.Errorf("%d: %v, %d, %+v", status, waits, last, p)
		}
	}
}

func TestFailuresWaitAndAreSwitchedOff(t *testing.T) {
	for _, status := range []int{0, 101, 302, 408, 425, 429, 500, 503} {
		waits, p, last := play(Attempt{Status: status})
		want := []time.Duration{
			5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 20 * time.Hour, 20 * time.Hour,
		}
		if !slices.Equal(waits, want[:len(waits)]) || len(waits) < 8 || last != SwitchedOff || p.State != WebhookOff || p.Cursor != 7 {
			t.Errorf("%d: %v, %d, %+v", status, waits, last, p)
		}
	}
}

// An event that failed for other reasons has its three tries against refusals.
func TestRefusalsCountForThemselves(t *testing.T) {
	p := Progress{State: WebhookActive}
	for range 5 {
		p, _ = p.After(8, Attempt{Status: 503}, at(0), middle)
	}
	for i := range 3 {
		var verdict Verdict
		if p, verdict = p.After(8, Attempt{Status: 404}, at(1), middle); (verdict == GivenUp) != (i == 2) {
			t.Errorf("refusal %d: %d", i, verdict)
		}
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for asked, want := range map[time.Duration]time.Duration{
		0: 5 * time.Second, time.Second: 5 * time.Second, time.Hour: time.Hour, 24 * time.Hour: 24 * time.Hour, 1000 * time.Hour: 24 * time.Hour,
	} {
		if p, _ := (Progress{}).After(8, Attempt{Status: 429, RetryAfter: asked}, at(0), middle); p.NextAt.Sub(at(0)) != want {
			t.Errorf("%s: %s", asked, p.NextAt.Sub(at(0)))
		}
	}
}

func TestChanceSpreadsTries(t *testing.T) {
	for chance, want := range map[float64]time.Duration{0: 4 * time.Second, 1: 6 * time.Second} {
		if p, _ := (Progress{}).After(8, Attempt{Status: 500}, at(0), chance); p.NextAt.Sub(at(0)) != want {
			t.Errorf("%v: %s", chance, p.NextAt.Sub(at(0)))
		}
	}
}

func TestSuccessForgetsTheFailure(t *testing.T) {
	failed := Progress{State: WebhookActive, Cursor: 7, Tries: 4, Refused: 1, NextAt: at(1), FailingSince: at(0), LastError: "e"}
	if p, _ := failed.After(8, Attempt{Status: 204}, at(1), middle); p != (Progress{State: WebhookActive, Cursor: 8}) {
		t.Errorf("%+v", p)
	}
	// What was missed stays to be read.
	if p, _ := (Progress{LastError: "missed"}).After(8, Attempt{Status: 204}, at(1), middle); p.LastError != "missed" {
		t.Errorf("%+v", p)
	}
}

func TestAWrongClockPutsNothingOffForLong(t *testing.T) {
	for hours, want := range map[float64]bool{-1: true, 0: true, 1: false, 24: false, 26: true, 1e6: true} {
		if got := (Progress{NextAt: at(hours)}).Due(at(0)); got != want {
			t.Errorf("%v hours ahead: due %t", hours, got)
		}
	}
}

func TestKindsOfEvents(t *testing.T) {
	all := EventReminderDue<<1 - 1
	if names := all.Names(); len(names) != 13 || names[0] != EventTaskCreated.String() || names[12] != "reminder.due" || EventListLeft.String() != "list.left" {
		t.Errorf("%v", names)
	}
}
