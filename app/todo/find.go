package todo

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"taskapi/app"
)

const searchWait = 30 * time.Second

// Now is a moment and whose clock tells the time of it.
type Now struct {
	At     time.Time
	Reader *time.Location
}

// Boundary is a moment as dates are compared with it: those that have a moment of their
// own with Moment, all others with what the reader's clock shows then.
type Boundary struct{ Wall, Moment time.Time }

// Tomorrow is when the day after begins for the reader.
func (n Now) Tomorrow() Boundary { return n.day(Wall(n.At, n.Reader).Truncate(oneDay).Add(oneDay)) }

// Passed is right after now: what is due before it is overdue.
func (n Now) Passed() Boundary {
	at := n.At.Truncate(time.Second)
	return Boundary{Wall(at, n.Reader).Add(time.Millisecond), at.Add(time.Millisecond)}
}

func (n Now) day(day time.Time) Boundary { return Boundary{day, Moment(day, n.Reader)} }

// Scope says among which tasks is looked.
type Scope string

const (
	// ScopeOwn is the tasks of one's own lists.
	ScopeOwn Scope = "own"
	// ScopeAll is all that one sees and has not archived.
	ScopeAll Scope = "all"
	// ScopeAssigned is what one is to do.
	ScopeAssigned Scope = "assigned"
)

// SortKey is what tasks are sorted by. The id is always the last key, and tasks without
// the value come last.
type SortKey string

// The keys of a sort.
const (
	SortID        SortKey = "id"
	SortDue       SortKey = "due"
	SortPriority  SortKey = "priority"
	SortPosition  SortKey = "position"
	SortTitle     SortKey = "title"
	SortCreated   SortKey = "created"
	SortCompleted SortKey = "completed"
	SortUpdated   SortKey = "updated"
)

func sortKeys() []SortKey {
	return []SortKey{SortID, SortDue, SortPriority, SortPosition, SortTitle, SortCreated, SortCompleted, SortUpdated}
}

// Find is a checked search. All its conditions must hold.
type Find struct {
	UserID int64 // who looks
	Scope  Scope
	// Lists are the only ones to look in; none for all of the scope.
	Lists []Ref
	// Completed, Assignee and Parent are nil for any.
	Completed  *bool
	Priorities []Priority // any of them
	Labels     []string   // keys of LabelKey, all of them
	Assignee   *int64     // 0: nobody
	Parent     *Ref       // none: at the top
	Due        bool       // has a date
	Undated    bool       // has none
	Before     []Boundary // due before all of them
	NotBefore  []Boundary // due at or after all of them
	// Times are zero for any.
	UpdatedAfter, CompletedAfter, CompletedBefore time.Time
	// Words are beginnings of words.
	Words []string
	Sort  SortKey
	Down  bool
	Page  app.PageRequest
	// After continues behind a task; nil from the beginning. With Page.ByCursor only.
	After *Cursor
}

// Cursor is the place of a task in a sort.
type Cursor struct {
	// Done counts for SortPosition: completed tasks come after the open ones.
	Done bool `json:"d,omitempty"`
	// Missing says that the task has no value to sort by.
	Missing bool   `json:"m,omitempty"`
	Number  int64  `json:"n,omitempty"`
	Text    string `json:"t,omitempty"`
	ID      int64  `json:"i"`
}

// Found is a page of a search.
type Found struct {
	app.Page[Task]
	// Last is the place of the last task of the page.
	Last Cursor
}

// Counts are the numbers of open tasks by view, of those in the trash, and of each list.
type Counts struct {
	Today, Overdue, Upcoming, Undated, Assigned, Trash int64
	Lists                                              map[int64]ListCount
	// Cursor goes on from them with Sync.
	Cursor string
	Seq    int64
}

// ListCount is how many tasks a list has.
type ListCount struct{ Open, Completed int64 }

// TrashedTask is a task in the trash.
type TrashedTask struct {
	Task
	DeletedAt time.Time
	DeletedBy int64 // 0 if nobody knows
}

// Parameters are the values of a query by name.
type Parameters map[string][]string

// cursorVersion is the number of the form of a cursor.
const cursorVersion = 1

// print is what tells two searches apart, the page aside.
func (q Parameters) print() string {
	var all []string
	for name, values := range q {
		if !slices.Contains([]string{"after", "page", "per_page"}, name) && !strings.HasPrefix(name, "_") {
			all = append(all, name+"="+strings.Join(values, "\x00"))
		}
	}
	slices.Sort(all)
	sum := sha256.Sum256([]byte(strings.Join(all, "\x01")))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// wireCursor is a cursor as clients hold it.
type wireCursor struct {
	Version int    `json:"v"`
	Lineage string `json:"l"`
	Search  string `json:"s"`
	Cursor
}

// CursorText returns the text for the parameter after that continues a search behind a
// task.
func (t *Tasks) CursorText(q Parameters, at Cursor) string {
	raw, err := json.Marshal(wireCursor{cursorVersion, t.Lineage, q.print(), at})
	if err != nil {
		return "" // it is plain numbers and texts
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// readCursor returns ErrCursorMismatch and ErrCursorExpired.
func (t *Tasks) readCursor(q Parameters, text string) (*Cursor, error) {
	var wire wireCursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &wire)
	}
	switch {
	case err != nil || wire.Version != cursorVersion:
		return nil, app.InvalidParameter("after", "must be what next_after of a page before it said")
	case wire.Lineage != t.Lineage:
		return nil, ErrCursorExpired
	case wire.Search != q.print():
		return nil, ErrCursorMismatch
	}
	return &wire.Cursor, nil
}

// Clock returns the present by the clock of the person or, unless it is empty, of a zone.
// Returns KindMalformed for a zone that there is not.
func (t *Tasks) Clock(ctx context.Context, userID int64, zone string) (Now, error) {
	if zone == "" {
		var err error
		if zone, err = t.Store.TimeZone(ctx, userID); err != nil {
			return Now{}, err
		}
	}
	location, err := Location(zone)
	if err != nil {
		return Now{}, app.InvalidParameter("time_zone", errZone.Error())
	}
	return Now{t.Now(), location}, nil
}

// Find returns a page of the tasks that the parameters ask for. Returns KindMalformed
// errors, ErrListNotFound, ErrTaskNotFound for the parent, ErrCursorMismatch,
// ErrCursorExpired and ErrSearchNotReady.
func (t *Tasks) Find(ctx context.Context, caller app.Caller, q Parameters) (Found, error) {
	if q["time_zone"] != nil && q.first("time_zone") == "" {
		return Found{}, app.InvalidParameter("time_zone", errZone.Error())
	}
	now, err := t.Clock(ctx, caller.UserID, q.first("time_zone"))
	if err != nil {
		return Found{}, err
	}
	find, err := t.readFind(q, now, caller.UserID)
	if err != nil {
		return Found{}, err
	}
	return t.Store.FindTasks(ctx, find)
}

// Counts returns the numbers that a client shows beside its views.
func (t *Tasks) Counts(ctx context.Context, caller app.Caller, zone string) (Counts, error) {
	now, err := t.Clock(ctx, caller.UserID, zone)
	if err != nil {
		return Counts{}, err
	}
	counts, err := t.Store.Counts(ctx, caller.UserID, now)
	counts.Cursor = SyncCursor{Seq: counts.Seq}.text(t.Lineage)
	return counts, err
}

// Trash returns a page of what was deleted from the caller's own lists, or from one that
// they may change, the newest first.
func (t *Tasks) Trash(ctx context.Context, caller app.Caller, q Parameters) (app.Page[TrashedTask], error) {
	r := parameterReader{Parameters: q}
	lists := r.refs("list_id")
	request, after := t.readPage(&r, q, false)
	if r.err == nil && len(lists) > 1 {
		r.fail("list_id", "may appear only once together with trash")
	}
	if r.err != nil {
		return app.Page[TrashedTask]{}, r.err
	}
	var list Ref
	if len(lists) == 1 {
		list = lists[0]
	}
	return t.Store.Trash(ctx, caller.UserID, list, request, after)
}

func (q Parameters) first(name string) string {
	if len(q[name]) == 0 {
		return ""
	}
	return q[name][0]
}
