package todo

// Op says what was done in a line of the log of changes.
type Op int

// What can be done. The numbers are stored.
const (
	OpCreated Op = iota + 1
	OpUpdated
	OpCompleted
	OpReopened
	// OpIn and OpOut are one move, told to the list that a task came into and to the one
	// that it left.
	OpIn
	OpOut
	OpDeleted
	OpRestored
	OpJoined
	OpLeft
	OpHandedOver
	// OpDue is a reminder that is due.
	OpDue
)

// FieldSet says which fields of a task a change touched, a bit each. The bits are stored.
type FieldSet int64

// The fields of a task.
const (
	FieldTitle FieldSet = 1 << iota
	FieldDescription
	FieldCompleted
	FieldPriority
	FieldDue
	FieldStart
	FieldLabels
	FieldRecurrence
	FieldAssignee
	FieldParent
	FieldPosition
	FieldList
	// AllFields is every bit above.
	AllFields FieldSet = 1<<iota - 1
)
