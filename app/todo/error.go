package todo

import "taskapi/app"

// The errors of tasks.
var (
	ErrTaskNotFound = &app.Error{Kind: app.KindNotFound, Code: "task_not_found", Message: "Task not found."}
	ErrTooManyTasks = &app.Error{Kind: app.KindConflict, Code: "too_many_tasks", Message: "There are as many tasks as an account may have. Delete some, or ask whoever runs the server for more (--max-tasks)."}
	// ErrChangedMeanwhile says that a Match does not hold. The task as it is now comes
	// with it.
	ErrChangedMeanwhile = &app.Error{Kind: app.KindPrecondition, Code: "changed_meanwhile", Message: "The task was changed meanwhile."}
	// ErrObjectThere and ErrObjectGone are ErrChangedMeanwhile for a PUT that may only make a new
	// object of a calendar (If-None-Match: *), or only change one that is there (If-Match).
	ErrObjectThere = &app.Error{Kind: app.KindPrecondition, Code: ErrChangedMeanwhile.Code, Message: "There is an object of this name already."}
	ErrObjectGone  = &app.Error{Kind: app.KindPrecondition, Code: ErrChangedMeanwhile.Code, Message: "There is no object of this name any more."}
	// ErrUnknownZone says that a due_zone is no name of a time zone.
	ErrUnknownZone = mistake("unknown_zone", "due_zone", "The field due_zone "+errZone.Error()+".")
	// ErrNoSuchUser says that a task would belong to a user who does not exist.
	ErrNoSuchUser = mistake(app.CodeValidation, "user_id", "The specified user_id does not exist.")
	// ErrBadParent says that a task can't be below another one: they are in different
	// lists, it would be below itself, or there would be more than MaxDepth levels.
	ErrBadParent       = mistake("bad_parent", "parent_id", "The task can't be below that one: the parent must be in the same list, not below the task itself, and there are at most 4 levels.")
	ErrTooManyChildren = mistake("too_many_children", "parent_id", "A task may have at most 500 subtasks, and 2,000 on all levels below the topmost one.")
	// ErrNotSibling says that what a task or a list is to be put beside is not there.
	ErrNotSibling         = mistake("not_a_sibling", "before_id", "before_id and after_id must name a sibling at the place it is moved to, and not both.")
	ErrNotMember          = mistake("not_a_member", "assignee_id", "The field assignee_id must be the id of a member of the list.")
	ErrRecurrenceNeedsDue = mistake("recurrence_needs_due", "recurrence", "A task that repeats must be due: give it a due as well.")
	ErrRecurrenceNever    = mistake("recurrence_never", "recurrence", "This recurrence has no date within 50 years.")
	ErrReminderNeedsDue   = mistake("reminder_needs_due", "reminders", `A reminder with "before" needs a task that is due: give it a due, or the reminder an "at".`)
	// ErrRepeatsInApp says that a task can't be completed here: its app would lose all the dates
	// that are still to come.
	ErrRepeatsInApp = &app.Error{Kind: app.KindConflict, Code: "repeats_in_app", Message: "This task repeats in a way that only the app that made it can follow. Complete it there."}
	// ErrExists says that there is the thing with the uid already; it comes with it. It
	// is no failure to the client.
	ErrExists  = &app.Error{Kind: app.KindConflict, Code: "exists", Message: "It exists already."}
	ErrInTrash = &app.Error{Kind: app.KindConflict, Code: "in_trash", Message: "What has this uid was deleted and is in the trash. Restore it, or use another uid."}
	// ErrUIDTaken says that a uid is somebody else's, or of another list.
	ErrUIDTaken   = &app.Error{Kind: app.KindConflict, Code: "uid_taken", Message: "This uid is in use. Use another one."}
	ErrNotInTrash = &app.Error{Kind: app.KindConflict, Code: "not_in_trash", Message: "It was not deleted."}
	// ErrLabelNotFound says that no task that one may change has the label.
	ErrLabelNotFound = &app.Error{Kind: app.KindNotFound, Code: "label_not_found", Message: "Label not found."}
)

// The errors of lists and of sharing them.
var (
	ErrListNotFound   = &app.Error{Kind: app.KindNotFound, Code: "list_not_found", Message: "List not found."}
	ErrReadOnlyList   = &app.Error{Kind: app.KindForbidden, Code: "read_only_list", Message: "You may only read this list."}
	ErrNotListOwner   = &app.Error{Kind: app.KindForbidden, Code: "not_list_owner", Message: "Only the owner of the list may do this."}
	ErrInboxFixed     = &app.Error{Kind: app.KindConflict, Code: "inbox_fixed", Message: "The Inbox can't be deleted, archived, moved, left, shared or handed over. Make another list for that."}
	ErrTooManyLists   = &app.Error{Kind: app.KindConflict, Code: "too_many_lists", Message: "There are as many lists as an account may have: 500 of one's own, and 500 of others'. Delete or leave some."}
	ErrMemberNotFound = &app.Error{Kind: app.KindNotFound, Code: "member_not_found", Message: "The list has no such member."}
	// ErrOwnerCannotLeave asks for a hand-over first.
	ErrOwnerCannotLeave   = &app.Error{Kind: app.KindConflict, Code: "owner_cannot_leave", Message: "A list needs its owner. Make another member the owner first, or delete the list."}
	ErrTooManyInvitations = &app.Error{Kind: app.KindConflict, Code: "too_many_invitations", Message: "There are 20 open invitations to this list. Revoke one, or wait until one is used or has expired."}
	ErrInvitationNotFound = &app.Error{Kind: app.KindNotFound, Code: "invitation_not_found", Message: "Invitation not found. It may have been used, revoked, or have expired; ask for a new one."}
	ErrListFull           = &app.Error{Kind: app.KindConflict, Code: "list_full", Message: "The list has as many members as it may have: 50."}
	ErrListChanged        = &app.Error{Kind: app.KindPrecondition, Code: "changed_meanwhile", Message: "The list was changed meanwhile."}
)

// The errors of finding tasks.
var (
	ErrCursorMismatch = &app.Error{Kind: app.KindMalformed, Code: "cursor_mismatch", Message: "This after belongs to another search. Begin again with after=0."}
	ErrCursorExpired  = &app.Error{Kind: app.KindMalformed, Code: "cursor_expired", Message: "This after is of another database, such as one before a restore. Begin again with after=0."}
	// ErrSearchNotReady says that the words of too many tasks are still being collected.
	ErrSearchNotReady = &app.Error{Kind: app.KindUnavailable, Code: "search_not_ready", Message: "The search is still being prepared after an upgrade. Try again in a minute.", RetryAfter: searchWait}
)

// mistake is the error of one field that is wrong, under a code of its own.
func mistake(code, field, message string) *app.Error {
	return &app.Error{Kind: app.KindInvalid, Code: code, Fields: map[string]string{field: message}}
}
