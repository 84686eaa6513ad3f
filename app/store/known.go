package store

import "strings"

// known is what the writer has learned in the transaction that is open, and need not ask again:
// nobody else writes meanwhile. Changes in one transaction share it.
type known struct {
	// admitted are those who may act, as far as was asked.
	admitted map[actor]struct{}
	// newest is the number of the newest change; 0 if it is not known.
	newest int64
	// inboxes are the Inboxes of users, with how many tasks their owners have.
	inboxes map[int64]home
}

func newKnown() *known { return &known{admitted: map[actor]struct{}{}, inboxes: map[int64]home{}} }

// forget is for the beginning of a transaction, and for when a part of one is undone.
func (k *known) forget() {
	clear(k.admitted)
	clear(k.inboxes)
	k.newest = 0
}

// ran forgets what a statement may have changed. Access says that it may have changed who may act.
func (k *known) ran(query string) (access bool) {
	if strings.HasPrefix(query, "ROLLBACK") {
		k.forget()
		return true
	}
	// These two leave Inboxes and the number of tasks as they are, or count for themselves.
	if query != insertTaskRow && query != addToGroup {
		clear(k.inboxes)
	}
	if access = changesAccess(query); access {
		clear(k.admitted)
	}
	return access
}

// added counts a task of an owner.
func (k *known) added(owner int64) {
	if h, ok := k.inboxes[owner]; ok {
		h.total++
		k.inboxes[owner] = h
	}
}

// newestSeq returns the number of the newest change. 1 is what an upgrade gave to all that there was.
func (t *tx) newestSeq() (seq int64, err error) {
	if t.known != nil && t.known.newest != 0 {
		return t.known.newest, nil
	}
	err = t.one(`SELECT coalesce(max(seq), 1) FROM changes`, nil, &seq)
	return seq, err
}

// numbered notes that lines up to a number are in the log.
func (t *tx) numbered(seq int64) {
	if t.known != nil {
		t.known.newest = seq
	}
}
