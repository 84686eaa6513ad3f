package store

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// Where several processes share a database, each tells the others with its commits what concerns
// what they remember and what they wait for. The lines of the log are read: the news say only
// that there are some.

// news is what the commit of one process means to the others.
type news struct {
	Access   bool    `json:"access,omitempty"`   // who may act may have changed
	Reminded bool    `json:"reminded,omitempty"` // a reminder may be due at another time
	Mailed   bool    `json:"mailed,omitempty"`   // a mail was queued
	Hooked   []int64 `json:"hooked,omitempty"`   // users whose webhooks were changed
}

// newsOf returns the news of those changes in a batch that are being committed.
func newsOf(taken []*change) string {
	var n news
	for _, c := range taken {
		if c.outcome != (outcome{}) {
			continue
		}
		n.Access, n.Reminded, n.Mailed = n.Access || c.access, n.Reminded || c.reminded, n.Mailed || len(c.mails) > 0
		if c.hooked != 0 && !slices.Contains(n.Hooked, c.hooked) {
			n.Hooked = append(n.Hooked, c.hooked)
		}
	}
	text, err := json.Marshal(n)
	if err != nil {
		return "{}" // numbers and truths can always be written
	}
	return string(text)
}

// lines are those that this process has written and that Follow has not come to.
type lines struct {
	mu     sync.Mutex
	ranges [][2]int64 // from the first line to behind the last
	follow bool       // somebody takes them
}

// add notes the lines of the changes that were committed.
func (l *lines) add(taken []*change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follow {
		return
	}
	for _, c := range taken {
		if c.outcome == (outcome{}) && len(c.touched) > 0 {
			l.ranges = append(l.ranges, [2]int64{c.first, c.first + int64(len(c.touched))})
		}
	}
}

// has reports whether a line is among them, and forgets those before it. Lines are asked for in
// their order.
func (l *lines) has(seq int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.ranges) > 0 && l.ranges[0][1] <= seq {
		l.ranges = l.ranges[1:]
	}
	return len(l.ranges) > 0 && l.ranges[0][0] <= seq
}

// Follow tells of what other processes commit, as the functions of OnChange, OnReminder, OnWebhook
// and OnMail are told of what this one does, until the context ends. Where no other process writes
// as a matter of course it does nothing.
func (db *DB) Follow(ctx context.Context, failed func(error)) {
	if !db.engine.Shared() {
		return
	}
	db.writer.own.mu.Lock()
	db.writer.own.follow = true
	db.writer.own.mu.Unlock()
	f := follower{db: db, seq: db.began}
	catchUp := func() {
		if err := f.catchUp(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
	}
	catchUp()
	db.engine.Listen(ctx, func(text string) {
		f.hear(ctx, text)
		catchUp()
	}, catchUp)
}

// follower is how far Follow has come.
type follower struct {
	db  *DB
	seq int64 // of the last line that was told
}

// linesAtOnce is how many lines are read at once.
const linesAtOnce = 1000

// catchUp tells of the lines that others have written since.
func (f *follower) catchUp(ctx context.Context) error {
	for n := linesAtOnce; n == linesAtOnce; {
		reader, err := f.db.read(ctx)
		if err != nil {
			return err
		}
		var touched []todo.Touched
		n = 0
		err = reader.each(`SELECT seq, scope, kind FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`, []any{f.seq, linesAtOnce}, func(row Row) error {
			var seq int64
			var one todo.Touched
			var kind todo.Kind
			if err := row.Scan(&seq, &one.Scope, &kind); err != nil {
				return err
			}
			n++
			f.seq = seq
			if !f.db.writer.own.has(seq) {
				one.Members = kind == todo.KindMember || kind == todo.KindList
				touched = append(touched, one)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(touched) > 0 && f.db.writer.onChange != nil {
			f.db.writer.onChange(touched)
		}
	}
	return nil
}

// hear passes on what is in no line. Without news everything may have changed.
func (f *follower) hear(ctx context.Context, text string) {
	var n news
	if text == "" || json.Unmarshal([]byte(text), &n) != nil {
		n = news{Access: true, Reminded: true, Mailed: true}
		if users, err := f.db.WebhookUsers(ctx); err == nil {
			n.Hooked = users
		}
	}
	if n.Access {
		f.db.callers.forget()
	}
	w := f.db.writer
	if n.Reminded && w.onReminder != nil {
		w.onReminder()
	}
	if n.Mailed && w.onMail != nil {
		w.onMail(outbox.NewMail{})
	}
	for _, user := range n.Hooked {
		if w.onWebhook != nil {
			w.onWebhook(user)
		}
	}
}

// Shared reports whether other processes write as a matter of course.
func (db *DB) Shared() bool { return db.engine.Shared() }

// Lead runs work that only one of the processes may do that share the database.
func (db *DB) Lead(ctx context.Context, lead func(context.Context)) { db.engine.Lead(ctx, lead) }
