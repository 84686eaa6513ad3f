package todo

import (
	"context"
	"strings"
	"time"

	"taskapi/app"
)

// Calendar clients see a list as a collection (RFC 4791) and each of its tasks as an object,
// which is a text of iCalendar (RFC 5545) with one VTODO. What a client has put is kept as it
// is beside the task; what taskapi has a field for is the task's.

// Collection is a list as calendar clients have it.
type Collection struct {
	List List
	// UID is that of the list, derived or not: the last part of its address.
	UID string
	// Order is the calendar-order, the caller's own.
	Order int64
	// Token is how far the log has come for the list and what the caller alone has in it. It
	// serves as sync-token and as getctag.
	Token string
}

// CalendarObject is a task as calendar clients have it.
type CalendarObject struct {
	// Name is the last part of its address; its client chose it.
	Name string
	// ETag is the entity tag with its quotes, the same that the JSON API gives to the task.
	ETag string
	// Updated is when the task was last changed.
	Updated time.Time
	// Text is iCalendar, nil where it was not asked for.
	Text []byte
}

// CalendarQuery says which objects of a collection are meant.
type CalendarQuery struct {
	// Names are those that are asked for; nil for all. Those that are not there are left out.
	Names []string
	// Completed is nil for both.
	Completed *bool
	// From and To are a time-range (RFC 4791 section 9.9), zero for an open end.
	From, To time.Time
	WithText bool
}

// CalendarCondition is a condition on what is put (RFC 9110 section 13.1).
type CalendarCondition struct {
	// IfMatch is the text of the header field, empty without one.
	IfMatch string
	// IfNoneMatch says that there must be nothing yet.
	IfNoneMatch bool
}

// CalendarChanges is what is new in a collection.
type CalendarChanges struct {
	// Changed are without their texts.
	Changed []CalendarObject
	// Gone are the names of what is no longer there.
	Gone []string
	// Next is the token that goes on from here.
	Next string
	// More says that there is more behind Next at once.
	More bool
}

// CalendarPut is what a client puts under a name.
type CalendarPut struct {
	Name string
	Said CalendarSaid
	// Text is what was put.
	Text        []byte
	Match       *Match
	IfNoneMatch bool
	// MustExist is an If-Match of any entity tag.
	MustExist bool
	At        time.Time
	// Most is how many tasks the owner of the list may have; 0 is no limit.
	Most int64
}

// CalendarStored is what became of what was put.
type CalendarStored struct {
	Stamp   Stamp
	Created bool
	// AsPut says that what is read now is what was put, byte for byte.
	AsPut bool
}

// CalendarNews is what the log has of a list behind a cursor.
type CalendarNews struct {
	Changed []CalendarTask
	Gone    []string
	Next    CalendarCursor
	More    bool
}

// CalendarState is a list with the number that its token is made of.
type CalendarState struct {
	List List
	UID  string
	Seq  int64
}

// CalendarStore keeps tasks with what calendar clients have put. A list that the caller is no
// member of does not exist: ErrListNotFound.
type CalendarStore interface {
	TimeZone(ctx context.Context, userID int64) (string, error)
	// Calendars returns the lists of a user that are not archived, in their order.
	Calendars(ctx context.Context, userID int64) ([]CalendarState, error)
	Calendar(ctx context.Context, userID int64, list Ref) (CalendarState, error)
	// CalendarTasks gives those of a list that are asked for, a chunk at a time, so that each
	// is as it is when it is given; nothing is held while each works.
	CalendarTasks(ctx context.Context, userID int64, list Ref, query CalendarQuery, each func(CalendarTask) error) error
	// PutCalendar makes or changes the task of a name. It returns ErrReadOnlyList,
	// ErrChangedMeanwhile, ErrTooManyTasks, ErrCalendarUID and KindInvalid errors.
	PutCalendar(ctx context.Context, by app.Caller, list Ref, put CalendarPut) (CalendarStored, error)
	// DeleteCalendar deletes the task of a name, and nothing that is below it. It returns
	// ErrTaskNotFound, ErrReadOnlyList and ErrChangedMeanwhile.
	DeleteCalendar(ctx context.Context, by app.Caller, list Ref, name string, gone Removal) error
	// CalendarChanges begins a walk through the whole with nil. It returns ErrSyncExpired for
	// a cursor that it can't go on from.
	CalendarChanges(ctx context.Context, userID int64, list Ref, after *CalendarCursor, limit int) (CalendarNews, error)
}

// Calendars are the use cases of calendar clients.
type Calendars struct {
	Store CalendarStore
	Lists *Lists
	Now   func() time.Time
	// Most is how many tasks a user may have; 0 is no limit.
	Most int64
	// KeepTrash says that what is deleted goes to the trash.
	KeepTrash bool
	// Lineage is that of the database, which entity tags and tokens are of.
	Lineage string
}

// listRef names a list by the last part of its address.
func listRef(uid string) Ref { return Ref{UID: uid} }

func (c *Calendars) collection(s CalendarState) Collection {
	return Collection{List: s.List, UID: s.UID, Order: s.List.Position, Token: c.token(CalendarCursor{List: s.List.ID, Seq: s.Seq, Walked: -1})}
}

// Collections returns the caller's lists in their order, without those that are archived.
func (c *Calendars) Collections(ctx context.Context, caller app.Caller) ([]Collection, error) {
	states, err := c.Store.Calendars(ctx, caller.UserID)
	all := make([]Collection, 0, len(states))
	for _, s := range states {
		all = append(all, c.collection(s))
	}
	return all, err
}

// Collection returns a list. Returns ErrListNotFound.
func (c *Calendars) Collection(ctx context.Context, caller app.Caller, listUID string) (Collection, error) {
	s, err := c.Store.Calendar(ctx, caller.UserID, listRef(listUID))
	return c.collection(s), err
}

// object returns what a client sees of a task.
func (c *Calendars) object(t CalendarTask, withText bool) (CalendarObject, error) {
	o := CalendarObject{Name: t.Name, ETag: c.etag(t.Task.Stamp()), Updated: t.Task.UpdatedAt}
	if !withText {
		return o, nil
	}
	var err error
	o.Text, err = t.Text()
	return o, err
}

// Objects gives the objects of a list that are asked for, one after another. Returns
// ErrListNotFound, and what each returns.
func (c *Calendars) Objects(ctx context.Context, caller app.Caller, listUID string, q CalendarQuery, each func(CalendarObject) error) error {
	reader := time.UTC
	if !q.From.IsZero() || !q.To.IsZero() {
		zone, err := c.Store.TimeZone(ctx, caller.UserID)
		if err != nil {
			return err
		}
		if location, err := Location(zone); err == nil {
			reader = location
		}
	}
	return c.Store.CalendarTasks(ctx, caller.UserID, listRef(listUID), q, func(t CalendarTask) error {
		if !t.Task.within(q.From, q.To, reader) {
			return nil
		}
		o, err := c.object(t, q.WithText)
		if err != nil {
			return err
		}
		return each(o)
	})
}

// Put makes or changes the object of a name. The entity tag is empty where what is read now is
// not what was put, so that the client reads it again (RFC 4791 section 5.3.4). Returns
// ErrListNotFound, ErrReadOnlyList, the errors of calendar objects, ErrChangedMeanwhile,
// ErrTooManyTasks and KindInvalid errors.
func (c *Calendars) Put(ctx context.Context, caller app.Caller, listUID, name string, text []byte, cond CalendarCondition) (etag string, created bool, err error) {
	if !validName(name) {
		return "", false, ErrCalendarName
	}
	said, err := ReadCalendar(text)
	if err != nil { // of which those learn nothing for whom the list does not exist
		if _, missing := c.Store.Calendar(ctx, caller.UserID, listRef(listUID)); missing != nil {
			return "", false, missing
		}
		return "", false, err
	}
	put := CalendarPut{Name: name, Said: said, Text: text, IfNoneMatch: cond.IfNoneMatch, At: c.Now(), Most: c.Most}
	put.Match = c.match(cond.IfMatch)
	put.MustExist = cond.IfMatch != ""
	stored, err := c.Store.PutCalendar(ctx, caller, listRef(listUID), put)
	if err != nil {
		return "", false, err
	}
	if stored.AsPut {
		etag = c.etag(stored.Stamp)
	}
	return etag, stored.Created, nil
}

// maxName is how long the name of an object may be, in bytes.
const maxName = 255

// validName reports whether an object can have a name.
func validName(name string) bool {
	return len(name) <= maxName && !strings.Contains(name, "/") && name != "." && name != ".." && ValidUID(name)
}

// Delete deletes the object of a name. What is below the task stays, and waits for it at the
// top. Returns ErrListNotFound, ErrTaskNotFound, ErrReadOnlyList and ErrChangedMeanwhile.
func (c *Calendars) Delete(ctx context.Context, caller app.Caller, listUID, name, ifMatch string) error {
	gone := Removal{Permanent: !c.KeepTrash, At: c.Now(), Match: c.match(ifMatch)}
	return c.Store.DeleteCalendar(ctx, caller, listRef(listUID), name, gone)
}

// maxCalendarPage is how many changes one answer tells.
const maxCalendarPage = 5000

// Changes returns what is new since a token, from the beginning with an empty one, in at most
// limit objects; 0 is no limit of the client's. Returns ErrListNotFound and ErrSyncExpired.
func (c *Calendars) Changes(ctx context.Context, caller app.Caller, listUID, token string, limit int) (out CalendarChanges, err error) {
	var after *CalendarCursor
	if token != "" {
		at, err := c.readToken(token)
		if err != nil { // of which those learn nothing for whom the list does not exist
			if _, missing := c.Store.Calendar(ctx, caller.UserID, listRef(listUID)); missing != nil {
				return out, missing
			}
			return out, err
		}
		after = &at
	}
	if limit <= 0 || limit > maxCalendarPage {
		limit = maxCalendarPage
	}
	news, err := c.Store.CalendarChanges(ctx, caller.UserID, listRef(listUID), after, limit)
	if err != nil {
		return out, err
	}
	out = CalendarChanges{Gone: news.Gone, Next: c.token(news.Next), More: news.More}
	for _, t := range news.Changed {
		o, err := c.object(t, false)
		if err != nil {
			return out, err
		}
		out.Changed = append(out.Changed, o)
	}
	return out, nil
}
