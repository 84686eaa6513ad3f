package todo

import "time"

// Role is what a member may do in a list. A higher one may do what a lower one may.
type Role int

// The roles. The numbers are stored.
const (
	// RoleNone is somebody for whom the list does not exist.
	RoleNone Role = iota
	// RoleViewer reads, has reminders and an order of their own, and may leave.
	RoleViewer
	// RoleEditor changes the tasks.
	RoleEditor
	// RoleOwner changes the list and its members. Each list has one.
	RoleOwner
)

func roles() []string { return []string{"none", "viewer", "editor", "owner"} }

// String returns the name of the role, which ParseRole reads.
func (r Role) String() string { return roles()[r] }

// ParseRole reads the name of a member's role.
func ParseRole(name string) (Role, bool) {
	for i, known := range roles() {
		if i > 0 && name == known {
			return Role(i), true
		}
	}
	return RoleNone, false
}

// Member is somebody in a list.
type Member struct {
	// ListID is set by what changes a member.
	ListID   int64
	UserID   int64
	Username string
	// Email is empty for everybody but the owner of the list.
	Email    string
	Role     Role
	JoinedAt time.Time
}
