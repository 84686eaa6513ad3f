package todo

import (
	"context"
	"errors"
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

// CalendarPut is what a client puts under a name.
type CalendarPut struct {
	List        Ref
	Name        string
	Object      CalendarTask
	Match       *Match
	IfNoneMatch bool
	// MustExist is an If-Match of "*".
	MustExist bool
	At        time.Time
	// Most is how many tasks the owner of the list may have; 0 is no limit.
	Most int64
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

// The errors of calendar objects. Each has a precondition of RFC 4791 or RFC 6578 for its name
// in XML, which the door gives it.
var (
	// ErrCalendarData says that a text is no iCalendar: valid-calendar-data.
	ErrCalendarData = &app.Error{Kind: app.KindMalformed, Code: "bad_calendar_data", Message: "This is no valid iCalendar."}
	// ErrCalendarObject says that a text is no single object: valid-calendar-object-resource.
	ErrCalendarObject = &app.Error{Kind: app.KindMalformed, Code: "bad_calendar_object", Message: "An object must be one VTODO with a UID, without a METHOD; others in it must be exceptions of the same UID."}
	// ErrCalendarComponent says that it is an event or the like: supported-calendar-component.
	ErrCalendarComponent = &app.Error{Kind: app.KindForbidden, Code: "not_a_task", Message: "These collections hold tasks (VTODO) only."}
	// ErrCalendarTooLarge is max-resource-size.
	ErrCalendarTooLarge = &app.Error{Kind: app.KindConflict, Code: "calendar_object_too_large", Message: "An object may have 128 KiB in 1,000 lines, a description of 10,000 characters, and no attachment inside."}
	// ErrCalendarUID says that the UID is that of another object in the list: no-uid-conflict.
	ErrCalendarUID = &app.Error{Kind: app.KindConflict, Code: "calendar_uid_conflict", Message: "Another object of the list has this UID, or the one of this name has another one."}
	// ErrCalendarName says that a name can't be used.
	ErrCalendarName = &app.Error{Kind: app.KindMalformed, Code: "bad_calendar_name", Message: "The name of an object must have 1 to 255 characters, no slash and no control characters."}
)

// CalendarStore keeps tasks with what calendar clients have put. A list that the caller is no
// member of does not exist: ErrListNotFound.
type CalendarStore interface {
	Collections(ctx context.Context, by app.Caller) ([]Collection, error)
	Collection(ctx context.Context, by app.Caller, list Ref) (Collection, error)
	// CalendarTasks gives those of a list that are asked for, a chunk at a time, so that each
	// is as it is when it is given; nothing is held while each works.
	CalendarTasks(ctx context.Context, by app.Caller, list Ref, query CalendarQuery, each func(CalendarTask) error) error
	// PutCalendar makes or changes the task of a name. It returns ErrReadOnlyList,
	// ErrChangedMeanwhile, ErrTooManyTasks, ErrCalendarUID and KindInvalid errors.
	PutCalendar(ctx context.Context, by app.Caller, put CalendarPut) (stored CalendarStored, err error)
	// DeleteCalendar deletes the task of a name, and nothing that is below it. It returns
	// ErrTaskNotFound, ErrReadOnlyList and ErrChangedMeanwhile.
	DeleteCalendar(ctx context.Context, by app.Caller, list Ref, name string, gone Removal) error
	// CalendarChanges returns ErrSyncExpired for a number that it can't go on from.
	CalendarChanges(ctx context.Context, by app.Caller, list Ref, after, limit int64) (CalendarNews, error)
}

// CalendarStored is what became of a put.
type CalendarStored struct {
	Stamp   Stamp
	Created bool
	// AsPut says that what is read now is what was put, byte for byte.
	AsPut bool
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

// Collections returns the caller's lists in their order, also those that are archived.
func (c *Calendars) Collections(ctx context.Context, caller app.Caller) ([]Collection, error) {
	return nil, errors.ErrUnsupported
}

// Collection returns a list. Returns ErrListNotFound.
func (c *Calendars) Collection(ctx context.Context, caller app.Caller, listUID string) (Collection, error) {
	return Collection{}, errors.ErrUnsupported
}

// Objects gives the objects of a list that are asked for, one after another. Returns
// ErrListNotFound, and what each returns.
func (c *Calendars) Objects(ctx context.Context, caller app.Caller, listUID string, q CalendarQuery, each func(CalendarObject) error) error {
	return errors.ErrUnsupported
}

// Put makes or changes the object of a name. The entity tag is empty where what is read now is
// not what was put, so that the client reads it again (RFC 4791 section 5.3.4). Returns
// ErrListNotFound, ErrReadOnlyList, the errors of calendar objects, ErrChangedMeanwhile,
// ErrTooManyTasks and KindInvalid errors.
func (c *Calendars) Put(ctx context.Context, caller app.Caller, listUID, name string, text []byte, cond CalendarCondition) (etag string, created bool, err error) {
	return "", false, errors.ErrUnsupported
}

// Delete deletes the object of a name. What is below the task stays, and waits for it at the
// top. Returns ErrListNotFound, ErrTaskNotFound, ErrReadOnlyList and ErrChangedMeanwhile.
func (c *Calendars) Delete(ctx context.Context, caller app.Caller, listUID, name, ifMatch string) error {
	return errors.ErrUnsupported
}

// Changes returns what is new since a token, from the beginning with an empty one, in at most
// limit objects; 0 is no limit of the client's. Returns ErrListNotFound and ErrSyncExpired.
func (c *Calendars) Changes(ctx context.Context, caller app.Caller, listUID, token string, limit int) (CalendarChanges, error) {
	return CalendarChanges{}, errors.ErrUnsupported
}

// Make adds a list under a name that the client chose. Nil leaves a part to be the default.
// Returns KindInvalid errors, ErrExists, ErrUIDTaken and ErrTooManyLists.
func (c *Calendars) Make(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error {
	return errors.ErrUnsupported
}

// Change changes the name and the color of a list, which are its owner's, and the caller's own
// order. Nil leaves a part as it is. Returns ErrListNotFound, ErrNotListOwner and KindInvalid
// errors.
func (c *Calendars) Change(ctx context.Context, caller app.Caller, listUID string, name, color *string, order *int64) error {
	return errors.ErrUnsupported
}

// Remove moves a list of the caller's to the trash, or lets them leave one of somebody else's.
// Returns ErrListNotFound and ErrInboxFixed.
func (c *Calendars) Remove(ctx context.Context, caller app.Caller, listUID string) error {
	return errors.ErrUnsupported
}

// CalendarTask is a task with what is kept of its object.
type CalendarTask struct{ Task Task }

// CalendarNews is what the log has of a list behind a number.
type CalendarNews struct{ Changed []CalendarTask }
