package app

// The errors of tasks.
var (
	ErrTaskNotFound = &Error{Kind: KindNotFound, Code: "task_not_found", Message: "Task not found."}
	ErrTooManyTasks = &Error{Kind: KindConflict, Code: "too_many_tasks", Message: "There are as many tasks as an account may have. Delete some, or ask whoever runs the server for more (--max-tasks)."}
	// ErrNoSuchUser says that a task would belong to a user who does not exist.
	ErrNoSuchUser = &Error{Kind: KindInvalid, Code: CodeValidation, Fields: map[string]string{"user_id": "The specified user_id does not exist."}}
)
