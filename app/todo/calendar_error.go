package todo

import "taskapi/app"

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
