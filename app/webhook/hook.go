package webhook

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"taskapi/app/outbox"
)

// hook is a webhook that is told of events.
type hook struct {
	a *account

	mu      sync.Mutex
	webhook outbox.Webhook // but for its progress
	// known is the progress that is stored, progress how it stands.
	known, progress outbox.Progress
	deliveries      []outbox.Delivery // not stored yet
	told            int               // since old deliveries were last removed
	mails           []outbox.NewMail  // not stored yet
	busy            bool
	// version grows with each change of the webhook, which makes a try that is under way count
	// for nothing: it is repeated.
	version int
	// todo are the events to tell, and upTo the change up to which they are all.
	todo []outbox.WebhookEvent
	upTo int64
	// since is when the first event happened that was not told yet; zero without one.
	since time.Time
}

// free returns how far the webhook has come, if nobody is telling it of anything.
func (h *hook) free() (outbox.Progress, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.progress, !h.busy && h.progress.State == outbox.WebhookActive
}

// take takes what is new, and reports whether there is anything to tell.
func (h *hook) take(page outbox.WebhookPage) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if page.Pruned {
		h.progress.LastError = "older events were not told: the log of changes had them no more"
	}
	h.todo, h.since = h.todo[:0], time.Time{}
	for _, e := range page.Events {
		if e.For(&h.webhook) {
			h.todo = append(h.todo, e)
		}
	}
	if h.upTo = page.UpTo; len(h.todo) > 0 {
		h.since, h.busy = h.todo[0].At, true
		return true
	}
	h.pass(page.UpTo)
	return false
}

// pass moves on over changes that are no event for the webhook. That is not written each time:
// after a crash they are looked at again.
func (h *hook) pass(upTo int64) {
	h.progress.Cursor = max(h.progress.Cursor, upTo)
	h.a.d.saves.add(h, false, false)
}

// become makes the webhook what it is in the database now. How it stands is known better here,
// unless somebody else has changed that.
func (h *hook) become(row outbox.Webhook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	// What was taken is by the old conditions.
	if row.Events != h.webhook.Events || row.ListID != h.webhook.ListID {
		h.version++
	}
	h.webhook = row
	if !same(row.Progress, h.known) {
		h.version++
		h.known, h.progress = row.Progress, row.Progress
		h.mails = nil
	}
}

// same reports whether two progresses are one, for whoever compares before writing.
func same(a, b outbox.Progress) bool {
	return a.State == b.State && a.Cursor == b.Cursor && a.Tries == b.Tries && a.NextAt.UnixMilli() == b.NextAt.UnixMilli()
}

// end makes a webhook that is there no more count for nothing.
func (h *hook) end() {
	h.mu.Lock()
	h.version++
	h.mu.Unlock()
	h.a.d.saves.drop(h)
}

// tell tells of the events that were taken, until a try is in vain.
func (h *hook) tell(ctx context.Context) {
	defer poke(h.a.again)
	defer func() {
		h.mu.Lock()
		h.busy = false
		h.mu.Unlock()
	}()
	h.mu.Lock()
	version, events, upTo := h.version, h.todo, h.upTo
	h.mu.Unlock()
	for _, e := range events {
		if !h.enter(ctx) {
			return
		}
		webhook, ok := h.still(version)
		var attempt *outbox.Attempt
		var err error
		if ok {
			attempt, err = h.try(ctx, webhook, e)
		}
		h.exit()
		if !ok || err != nil || !h.note(version, e, attempt) {
			return
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.version == version {
		h.since = time.Time{}
		h.pass(upTo)
	}
}

// enter waits for a turn, and reports whether there is one.
func (h *hook) enter(ctx context.Context) bool {
	select {
	case h.a.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	select {
	case h.a.d.slots <- struct{}{}:
	case <-ctx.Done():
		<-h.a.slots
		return false
	}
	if wait := h.a.d.pace.take(h.a.d.Now()); wait > 0 && !h.a.d.pause(ctx, wait) || ctx.Err() != nil {
		h.exit()
		return false
	}
	return true
}

func (h *hook) exit() { <-h.a.d.slots; <-h.a.slots }

// still returns the webhook if nobody has changed it.
func (h *hook) still(version int) (outbox.Webhook, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.webhook, h.version == version
}

// try makes one try; nil is none, of an event that is not told. An error is not the receiver's:
// nothing is known of the event then.
func (h *hook) try(ctx context.Context, webhook outbox.Webhook, e outbox.WebhookEvent) (a *outbox.Attempt, err error) {
	d := h.a.d
	defer func() {
		if reason := recover(); reason != nil {
			d.Log.Error("telling a webhook panicked", "webhook_id", webhook.ID, "panic", reason, "stack", string(debug.Stack()))
			a, err = &outbox.Attempt{Error: "a fault of this server"}, nil
		}
	}()
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-d.After(stopGrace):
			cancel()
		case <-sending.Done():
		}
	})
	defer stop()
	body, err := d.Body(sending, h.a.user, e)
	if err != nil {
		h.postpone(fmt.Errorf("the body of an event: %w", err))
		return nil, err
	}
	if body == nil {
		return nil, nil
	}
	attempt := d.Sender.Send(sending, webhook, outbox.WebhookMessage{ID: outbox.MessageID(d.Lineage, webhook.ID, e.Seq), Body: body})
	if !attempt.Delivered() && sending.Err() != nil {
		return nil, sending.Err() // our stop is why
	}
	return &attempt, nil
}

// postpone puts the next try off, since the database failed.
func (h *hook) postpone(err error) {
	h.a.d.Log.Error("a webhook has to wait", "webhook_id", h.webhook.ID, "error", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.progress.NextAt = h.a.d.Now().Add(storePause)
}

// note notes how a try went, and reports whether the next event is due.
func (h *hook) note(version int, e outbox.WebhookEvent, attempt *outbox.Attempt) bool {
	d := h.a.d
	now := d.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.version != version {
		return false
	}
	if attempt == nil {
		h.pass(e.Seq)
		return true
	}
	tries := h.progress.Tries + 1
	var verdict outbox.Verdict
	h.progress, verdict = h.progress.After(e.Seq, *attempt, now, d.Chance())
	delivery := outbox.DeliveryOf(e, *attempt, tries, now)
	delivery.Dead = verdict == outbox.GivenUp
	h.keep(delivery)
	if verdict == outbox.SwitchedOff {
		h.webhook.Progress = h.progress
		h.mails = d.Notices(h.a.user, outbox.SwitchedOffMail(h.webhook, *attempt, now))
		d.Log.Warn("a webhook was switched off", "webhook_id", h.webhook.ID, "user_id", h.a.user, "status", attempt.Status)
	}
	d.saves.add(h, true, verdict == outbox.SwitchedOff)
	d.count(verdict)
	return verdict == outbox.Arrived || verdict == outbox.GivenUp
}

func (d *Dispatcher) count(verdict outbox.Verdict) {
	if d.Count == nil {
		return
	}
	switch verdict {
	case outbox.Arrived:
		d.Count(OutcomeDelivered)
	case outbox.GivenUp:
		d.Count(OutcomeDead)
	default:
		d.Count(OutcomeFailed)
	}
}

// keep keeps a delivery until it is stored: of those that would be removed as too old at once,
// only the dead.
func (h *hook) keep(delivery outbox.Delivery) {
	if last := len(h.deliveries) - 1; last >= 0 && h.deliveries[last].Seq == delivery.Seq {
		h.deliveries[last] = delivery
		return
	}
	h.told++
	if h.deliveries = append(h.deliveries, delivery); len(h.deliveries) <= outbox.KeepDeliveries {
		return
	}
	for i, old := range h.deliveries {
		if !old.Dead {
			h.deliveries = append(h.deliveries[:i], h.deliveries[i+1:]...)
			return
		}
	}
}
