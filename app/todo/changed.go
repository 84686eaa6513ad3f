package todo

// Names returns the names of the fields as clients know them.
func (f FieldSet) Names() []string {
	names := []string{}
	for i, name := range []string{
		"title", "description", "completed", "priority", "due", "start", "labels", "recurrence", "assignee_id", "parent_id", "position", "list_id",
	} {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
