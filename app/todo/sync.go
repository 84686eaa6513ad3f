package todo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
)

// A client that keeps a copy of all that somebody sees asks from time to time for what is new
// since a cursor. What it gets is how things are now, in the order in which they were last
// changed; what it can't see any more, it is told to delete. A cursor is of one database: after
// a restore the numbers in it would be given again.

// ErrSyncExpired says that a cursor is too old, or of another database.
var ErrSyncExpired = &app.Error{Kind: app.KindGone, Code: "sync_expired", Message: "This cursor is too old, or from before the database was restored. Ask again without since, replace all that you have, and then send what you have queued."}

// Limits of one page of what is new, in lines of the log.
const (
	DefaultSync = 500
	MaxSync     = 1000
	// syncCompleted is how long ago a task was completed that a copy begins with.
	syncCompleted = 90 * 24 * time.Hour
)

// SyncCursor is how far a copy has come: all up to Seq that concerned its reader was given. With
// a Walk it is in the middle of a list, which is given as a whole.
type SyncCursor struct {
	Seq int64
	// Walk says what the list is given for.
	Walk Walk
	// List is the list that is walked, and Done, Rank and ID the last task of it.
	List, Rank, ID int64
	Done           bool
}

// Walk says why lists are given as a whole.
type Walk byte

// The reasons.
const (
	WalkNone   Walk = 0
	WalkAll    Walk = 'a' // it is the beginning of a copy: one list after the other
	WalkJoined Walk = 'j' // the reader has come into the list
)

// text is a cursor as clients keep it.
func (c SyncCursor) text(lineage string) string {
	text := fmt.Sprintf("%s-%d", lineage, c.Seq)
	if c.Walk != WalkNone {
		done := 0
		if c.Done {
			done = 1
		}
		text += fmt.Sprintf("%c%d_%d_%d_%d", c.Walk, c.List, done, c.Rank, c.ID)
	}
	return text
}

// readSyncCursor reads what text has written.
func readSyncCursor(text, lineage string) (c SyncCursor, err error) {
	bad := app.InvalidParameter("since", "must be a cursor that an answer had")
	theirs, rest, ok := strings.Cut(text, "-")
	if !ok || theirs == "" {
		return c, bad
	}
	seq, walk := rest, ""
	if at := strings.IndexAny(rest, "aj"); at >= 0 {
		seq, walk, c.Walk = rest[:at], rest[at+1:], Walk(rest[at])
	}
	if c.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil || c.Seq < 0 {
		return c, bad
	}
	if c.Walk != WalkNone {
		parts := strings.Split(walk, "_")
		if len(parts) != 4 {
			return c, bad
		}
		var numbers [4]int64
		for i, part := range parts {
			if numbers[i], err = strconv.ParseInt(part, 10, 64); err != nil {
				return c, bad
			}
		}
		c.List, c.Done, c.Rank, c.ID = numbers[0], numbers[1] != 0, numbers[2], numbers[3]
	}
	if theirs != lineage {
		return c, ErrSyncExpired
	}
	return c, nil
}

// SyncQuery asks for one page of what is new.
type SyncQuery struct {
	UserID int64
	// After is nil for the beginning of a copy.
	After *SyncCursor
	Limit int64
	// CompletedSince leaves out of a list that is given as a whole what was completed before.
	CompletedSince time.Time
	// Copies includes what is kept of occurrences of repeating tasks.
	Copies bool
	// Stream asks for what a stream tells: requests as a whole where they fit into the
	// limit, and reminders that are due.
	Stream bool
}

// SyncPage is one page of what is new.
type SyncPage struct {
	// Full says that it is from the beginning of a copy.
	Full    bool
	Lists   []SyncList
	Tasks   []Task
	User    *SyncUser
	Deleted []Gone
	// Due are the tasks that the reader wants to be reminded of on streams.
	Due   []Task
	After SyncCursor
	// Cursor is After as a text.
	Cursor string
	More   bool
}

// Nothing reports whether nothing is new.
func (p SyncPage) Nothing() bool {
	return !p.Full && !p.More && p.User == nil && len(p.Lists)+len(p.Tasks)+len(p.Deleted)+len(p.Due) == 0
}

// SyncList is a list with those who are in it, whose addresses are not told.
type SyncList struct {
	List
	With []Member
}

// SyncUser is what a client needs to know of its user.
type SyncUser struct {
	ID                 int64
	Username, TimeZone string
}

// Gone is what a reader can't see any more. A list takes its tasks along.
type Gone struct {
	Kind Kind
	ID   int64
	UID  string
}

// SyncStore reads the log of changes.
type SyncStore interface {
	// Sync returns ErrSyncExpired for a cursor that it can't go on from.
	Sync(ctx context.Context, query SyncQuery) (SyncPage, error)
	// NewestChange returns the number of the newest line of the log.
	NewestChange(ctx context.Context) (int64, error)
}

// Sync is the use case of clients that keep a copy.
type Sync struct {
	Store SyncStore
	// Hub says when there may be something new. Nil for clients that only ask.
	Hub *Hub
	Now func() time.Time
	// Lineage is that of the database, which cursors are of.
	Lineage string
}

// Page returns what is new for the caller by the parameters since, limit, completed and include.
// Returns KindMalformed errors and ErrSyncExpired.
func (s *Sync) Page(ctx context.Context, caller app.Caller, q Parameters) (SyncPage, error) {
	query, err := s.query(caller, q)
	if err != nil {
		return SyncPage{}, err
	}
	page, err := s.Store.Sync(ctx, query)
	page.Cursor = page.After.text(s.Lineage)
	return page, err
}

// query reads the parameters. Returns KindMalformed errors and ErrSyncExpired.
func (s *Sync) query(caller app.Caller, q Parameters) (SyncQuery, error) {
	query := SyncQuery{UserID: caller.UserID, Limit: DefaultSync, CompletedSince: s.Now().Add(-syncCompleted)}
	one := func(name string) (string, bool) {
		if values := q[name]; len(values) > 0 {
			return values[0], true
		}
		return "", false
	}
	if since, ok := one("since"); ok {
		after, err := readSyncCursor(since, s.Lineage)
		if err != nil {
			return query, err
		}
		query.After = &after
	}
	if limit, ok := one("limit"); ok {
		n, err := strconv.ParseInt(limit, 10, 64)
		if err != nil || n < 1 || n > MaxSync {
			return query, app.InvalidParameter("limit", fmt.Sprintf("must be a number from 1 to %d", MaxSync))
		}
		query.Limit = n
	}
	if completed, ok := one("completed"); ok {
		if completed != "all" {
			return query, app.InvalidParameter("completed", "must be all")
		}
		query.CompletedSince = time.Time{}
	}
	if include, ok := one("include"); ok {
		if include != "copies" {
			return query, app.InvalidParameter("include", "must be copies")
		}
		query.Copies = true
	}
	return query, nil
}

// streamLines is how many lines of the log one message of a stream is about.
const streamLines = 100

// Start returns what a stream asks for by the parameters since, completed and include. Without
// since it begins with what is changed from now on. Returns KindMalformed errors and
// ErrSyncExpired.
func (s *Sync) Start(ctx context.Context, caller app.Caller, q Parameters) (SyncQuery, error) {
	query, err := s.query(caller, q)
	query.Limit, query.Stream = streamLines, true
	if err != nil || query.After != nil {
		return query, err
	}
	newest, err := s.Store.NewestChange(ctx)
	query.After = &SyncCursor{Seq: newest}
	return query, err
}

// Next returns the next message of a stream. Returns ErrSyncExpired.
func (s *Sync) Next(ctx context.Context, query SyncQuery) (SyncPage, error) {
	page, err := s.Store.Sync(ctx, query)
	page.Cursor = page.After.text(s.Lineage)
	return page, err
}

// Text returns a cursor as clients keep it.
func (s *Sync) Text(cursor SyncCursor) string { return cursor.text(s.Lineage) }
