package todo

import "taskapi/app"

// The errors of tasks.
var (
	ErrTaskNotFound = &app.Error{Kind: app.KindNotFound, Code: "task_not_found", Message: "Task not found."}
	ErrTooManyTasks = &app.Error{Kind: app.KindConflict, Code: "too_many_tasks", Message: "There are as many tasks as an account may have. Delete some, or ask whoever runs the server for more (--max-tasks)."}
	// ErrChangedMeanwhile says that a Match does not hold. The task as it is now comes
	// with it.
	ErrChangedMeanwhile = &app.Error{Kind: app.KindPrecondition, Code: "changed_meanwhile", Message: "The task was changed meanwhile."}
	// ErrUnknownZone says that a due_zone is no name of a time zone.
	ErrUnknownZone = &app.Error{Kind: app.KindInvalid, Code: "unknown_zone", Fields: map[string]string{"due_zone": "The field due_zone " + errZone.Error() + "."}}
	// ErrNoSuchUser says that a task would belong to a user who does not exist.
	ErrNoSuchUser = &app.Error{Kind: app.KindInvalid, Code: app.CodeValidation, Fields: map[string]string{"user_id": "The specified user_id does not exist."}}
)
