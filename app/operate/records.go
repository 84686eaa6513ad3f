package operate

import (
	"time"

	"taskapi/app/todo"
)

// What an export hands out and an import stores, beside users.

// ListRecord is a list with everybody in it, the owner included.
type ListRecord struct {
	ID        int64
	UID       string
	Name      string
	Color     string // #rrggbb; empty without one
	Inbox     bool
	OwnerID   int64
	CreatedAt time.Time
	Members   []MemberRecord
}

// MemberRecord is a membership with what is the member's own in it.
type MemberRecord struct {
	UserID int64
	Role   todo.Role
	// Position is nil for the end of the member's lists.
	Position *int64
	Archived bool
	JoinedAt time.Time
}

// TaskRecord is a task with the reminders of everybody; those of Task are of nobody.
type TaskRecord struct {
	todo.Task
	Reminders []ReminderRecord
}

// ReminderRecord is a reminder of one person.
type ReminderRecord struct {
	UserID int64
	todo.Reminder
}

// LastIDs are the greatest ids that were given; 0 for those of no matter.
type LastIDs struct{ User, List, Task int64 }
