package dev

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// maxMails is how many mails are kept, the newest.
const maxMails = 500

// Mail is a mail that would have been sent.
type Mail struct {
	ID          int64
	To, Subject string
	Text        string
	Template    string
	Sent        time.Time
}

// Mailbox keeps mails instead of sending them. Its methods may be called at the same time.
type Mailbox struct {
	mu   sync.Mutex
	last int64
	all  []Mail
}

// Add keeps a mail under a new id.
func (b *Mailbox) Add(m Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	m.ID = b.last
	b.all = append(b.all, m)
	if len(b.all) > maxMails {
		b.all = slices.Clone(b.all[len(b.all)-maxMails:])
	}
}

// List returns the mails, the newest first; to whom, if that is not empty.
func (b *Mailbox) List(to string) []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := []Mail{}
	for _, m := range slices.Backward(b.all) {
		if to == "" || strings.EqualFold(to, m.To) {
			all = append(all, m)
		}
	}
	return all
}

// Restore keeps these mails, the newest first, instead of all that there are.
func (b *Mailbox) Restore(mails []Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all, b.last = slices.Clone(mails), 0
	slices.Reverse(b.all)
	if len(mails) > 0 {
		b.last = mails[0].ID
	}
}
