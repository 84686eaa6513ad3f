package webhook

import (
	"context"
	"errors"
	"sync"

	"taskapi/app/outbox"
)

// saves are the webhooks that stand otherwise than the database has it.
type saves struct {
	some, urgent chan struct{} // that there is one to write, at once
	mu           sync.Mutex
	// dirty has false for those that are worth writing only with others or at the end.
	dirty map[*hook]bool
}

// add notes a webhook. With soon it is written within about a second.
func (s *saves) add(h *hook, soon, now bool) {
	s.mu.Lock()
	s.dirty[h] = s.dirty[h] || soon
	s.mu.Unlock()
	if now {
		poke(s.urgent)
	} else if soon {
		poke(s.some)
	}
}

func (s *saves) drop(h *hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.dirty, h)
}

// left reports whether there are any.
func (s *saves) left() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dirty) > 0
}

// take takes those that are to be written.
func (s *saves) take(all bool) (taken []*hook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h, soon := range s.dirty {
		if soon || all {
			taken = append(taken, h)
			delete(s.dirty, h)
		}
	}
	return taken
}

// perTurn is how many webhooks are written in one turn of the writer, some 30 µs each and 10 µs
// for each delivery.
const perTurn = 100

// trimEvery is after how many deliveries old ones are removed.
const trimEvery = outbox.KeepDeliveries / 2

// save writes how webhooks stand.
func (d *Dispatcher) save(ctx context.Context, all bool) {
	taken := d.saves.take(all)
	for len(taken) > 0 {
		n := min(perTurn, len(taken))
		if err := d.saveSome(ctx, taken[:n]); err != nil {
			for _, h := range taken {
				d.saves.add(h, true, false) // in a second
			}
			if !errors.Is(err, context.Canceled) {
				d.Log.Error("how webhooks stand can't be written: events may be told again", "error", err)
			}
			return
		}
		taken = taken[n:]
	}
}

func (d *Dispatcher) saveSome(ctx context.Context, hooks []*hook) error {
	ctx, cancel := context.WithTimeout(ctx, saveTimeout)
	defer cancel()
	rows := make([]outbox.WebhookSave, len(hooks))
	for i, h := range hooks {
		rows[i] = h.snapshot()
	}
	stale, err := d.Store.SaveWebhooks(ctx, rows)
	if err != nil {
		for i, h := range hooks {
			h.restore(rows[i])
		}
		return err
	}
	others := map[int64]bool{}
	for _, id := range stale {
		others[id] = true
	}
	for i, h := range hooks {
		if others[rows[i].ID] {
			d.Changed(h.a.user)
			continue
		}
		h.saved(rows[i])
	}
	return nil
}

// snapshot returns what is to be written, and forgets of it what is written once.
func (h *hook) snapshot() outbox.WebhookSave {
	h.mu.Lock()
	defer h.mu.Unlock()
	row := outbox.WebhookSave{
		ID: h.webhook.ID, UserID: h.a.user, Known: h.known, Progress: h.progress,
		Deliveries: h.deliveries, Trim: h.told >= trimEvery, Mails: h.mails,
	}
	h.deliveries, h.mails = nil, nil
	if row.Trim {
		h.told = 0
	}
	return row
}

// restore takes back what could not be written.
func (h *hook) restore(row outbox.WebhookSave) {
	h.mu.Lock()
	defer h.mu.Unlock()
	later := h.deliveries
	h.deliveries = row.Deliveries
	for _, delivery := range later {
		h.keep(delivery)
	}
	h.mails = append(row.Mails, h.mails...)
}

// saved notes what is stored now. One that is off goes.
func (h *hook) saved(row outbox.WebhookSave) {
	h.mu.Lock()
	// Somebody may have resumed it since: that is looked at next.
	h.known = row.Progress
	off := row.Progress.State == outbox.WebhookOff
	h.mu.Unlock()
	if off {
		h.a.d.Changed(h.a.user)
	}
}
