package operate

import (
	"context"
	"errors"
	"strings"

	"taskapi/app"
	"taskapi/app/todo"
)

// taskColumns are what is known of a task.
func taskColumns() []string {
	return []string{
		"id", "title", "description", "completed", "date_created", "date_completed", "date_updated", "user_id", "uid", "list_id", "list",
		"parent_id", "position", "priority", "labels", "due", "due_zone", "due_at", "start", "recurrence", "recurrence_from", "recurrence_start",
		"recurrence_of", "assignee_id", "created_by", "version",
	}
}

// task takes one task, or notes why not.
func (r *importRun) task(row ImportRow) error {
	p := app.Problems{}
	r.noteStrange("task", row, taskColumns()...)
	id, owner, skipped := r.whose(p, row)
	if skipped {
		r.report.TasksOfSkipped++
		return nil
	}
	read, repaired := importTask(p, row, r.now)
	if id != 0 && r.report.KeptIDs {
		taken, err := r.tx.HasTask(id)
		if err != nil {
			return err
		}
		if taken {
			p.Add("id", "Another task of the source has it.")
		}
	}
	if problem := row.problem(p); problem != "" {
		r.report.SkippedTasks++
		r.Note(row.Where, "skipped. "+problem)
		return nil
	}
	if repaired {
		r.report.Repaired++
	}
	read.ID, read.UserID = r.kept(id), owner
	stored, err := r.addTask(row, id, TaskRecord{Task: read})
	if err != nil {
		return err
	}
	r.report.Tasks++
	if _, known := r.tasks[id]; !known && id != 0 && !r.report.KeptIDs {
		r.tasks[id] = stored
	}
	later := reference{row.Where, stored, r.reference(row, "parent_id"), r.reference(row, "recurrence_of")}
	if later.parent != 0 || later.original != 0 {
		r.later = append(r.later, later)
	}
	return nil
}

// whose returns the id of a task in the source and our id of its owner. Skipped says that
// the owner was.
func (r *importRun) whose(p app.Problems, row ImportRow) (id, owner int64, skipped bool) {
	if r.owner != 0 {
		return importID(app.Problems{}, "id", row), r.owner, false
	}
	id = importID(p, "id", row)
	r.last.Task = max(r.last.Task, id)
	owner, known := r.ids[importID(p, "user_id", row)]
	if known && owner == 0 {
		return id, 0, true
	}
	if !known {
		p.Add("user_id", "There is no such user in the source.")
	}
	return id, owner, r.lists[importID(app.Problems{}, "list_id", row)].orphan
}

// addTask stores a task that keeps the rules, with those of its references that do, and
// returns its id.
func (r *importRun) addTask(row ImportRow, id int64, task TaskRecord) (int64, error) {
	var err error
	if task.ListID, err = r.place(row, task.UserID); err != nil {
		return 0, err
	}
	if task.AssigneeID, err = r.assignee(row, task.ListID); err != nil {
		return 0, err
	}
	if task.Reminders, err = r.reminders(row, task.Task); err != nil {
		return 0, err
	}
	task.CreatedBy = r.maker(row, task.UserID)
	if r.owner == 0 {
		if task.UID, err = r.uid(row, todo.KindTask, task.ID, task.UserID); err != nil {
			return 0, err
		}
	}
	return r.tx.AddTask(task, r.position(row, id))
}

// place returns the list that a task comes into.
func (r *importRun) place(row ImportRow, owner int64) (int64, error) {
	list := int64(0)
	switch {
	case r.owner != 0 || row.Values["list_id"] == "":
		var err error
		if list, err = r.namedList(row, owner); err != nil || list != 0 {
			return list, err
		}
	default:
		found := r.lists[importID(app.Problems{}, "list_id", row)]
		switch {
		case found.id == 0:
			r.Note(row.Where, "came into the Inbox: its list did not come.")
		case found.owner != owner:
			r.Note(row.Where, "came into the Inbox: its list is another user's.")
		default:
			return found.id, nil
		}
	}
	return r.tx.Inbox(owner)
}

// assignee returns our id of whom a task is given to, 0 for nobody.
func (r *importRun) assignee(row ImportRow, list int64) (int64, error) {
	if r.owner != 0 || row.Values["assignee_id"] == "" {
		return 0, nil
	}
	p := app.Problems{}
	user := r.person(p, "assignee_id", row)
	if user != 0 {
		member, err := r.tx.IsMember(list, user)
		if err != nil || member {
			return user, err
		}
		p.Add("assignee_id", "They are no member of its list.")
	}
	r.Note(row.Where, "came without its assignee. "+row.problem(p))
	return 0, nil
}

// maker returns our id of who made a task: its owner where lists are not known.
func (r *importRun) maker(row ImportRow, owner int64) int64 {
	if r.owner != 0 || row.Values["list_id"] == "" {
		return owner
	}
	return r.ids[importID(app.Problems{}, "created_by", row)]
}

// position returns where among its siblings a task is; nil for the default.
func (r *importRun) position(row ImportRow, id int64) *int64 {
	text := row.Values["position"]
	if text == "" || r.owner != 0 {
		return nil
	}
	at, ok := importPosition(text)
	switch byDefault := at == todo.DefaultPosition(id); {
	case byDefault && (r.report.KeptIDs || !ok):
		return nil
	case !ok:
		r.Note(row.Where, "came without its position: it must be a whole number.")
		return nil
	}
	r.lowest = min(r.lowest, at)
	return &at
}

// reminders returns those of a task that keep the rules.
func (r *importRun) reminders(row ImportRow, task todo.Task) (all []ReminderRecord, err error) {
	if r.owner != 0 {
		return nil, nil
	}
	each := map[int64]int{}
	for _, one := range row.Rows["reminders"] {
		p := app.Problems{}
		user := r.person(p, "user_id", one)
		reminder, ok := todo.ReadReminder(one.Values["at"], one.Values["before"])
		switch {
		case !ok:
			p.Add("reminder", `It must have a moment as "at", or a duration such as PT30M as "before".`)
		case reminder.At.IsZero() && task.Dates.Due.IsZero():
			p.Merge(todo.ErrReminderNeedsDue)
		case each[user] >= todo.MaxReminders:
			p.Add("reminder", "There are as many of that user's as there may be.")
		}
		if len(p) == 0 {
			member, err := r.tx.IsMember(task.ListID, user)
			if err != nil {
				return nil, err
			}
			if !member {
				p.Add("user_id", "They are no member of its list.")
			}
		}
		if problem := one.problem(p); problem != "" {
			r.Note(one.Where, "left out. "+problem)
			continue
		}
		each[user]++
		all = append(all, ReminderRecord{user, reminder})
	}
	return all, nil
}

// reference is to tasks that may come after the one that refers to them.
type reference struct {
	where string
	id    int64 // ours
	// parent and original are ids of the source, 0 for none.
	parent, original int64
}

// reference reads the id of another task, 0 for none.
func (r *importRun) reference(row ImportRow, column string) int64 {
	if text := strings.TrimSpace(row.Values[column]); text == "" || text == "NULL" {
		return 0
	}
	p := app.Problems{}
	id := importID(p, column, row)
	if problem := row.problem(p); problem != "" {
		r.Note(row.Where, "came without its "+column+". "+problem)
	}
	return id
}

// ours returns our id of a task of the source; 0 if it did not come.
func (r *importRun) ours(id int64) (int64, error) {
	if !r.report.KeptIDs {
		return r.tasks[id], nil
	}
	has, err := r.tx.HasTask(id)
	if err != nil || !has {
		return 0, err
	}
	return id, nil
}

// connect puts tasks below their parents, and copies beside what they are copies of, now
// that all have come.
func (r *importRun) connect(ctx context.Context) error {
	for _, ref := range r.later {
		if err := errors.Join(ctx.Err(), r.setParent(ref), r.setOriginal(ref)); err != nil {
			return err
		}
	}
	return nil
}

func (r *importRun) setParent(ref reference) error {
	if ref.parent == 0 {
		return nil
	}
	parent, err := r.ours(ref.parent)
	if err == nil && parent != 0 {
		err = r.tx.SetParent(ref.id, parent)
	}
	switch {
	case errors.Is(err, todo.ErrBadParent), errors.Is(err, todo.ErrTooManyChildren):
		r.Note(ref.where, "came without its parent. "+err.Error())
		return nil
	case err == nil && parent == 0:
		r.Note(ref.where, "came without its parent, which did not come.")
	}
	return err
}

func (r *importRun) setOriginal(ref reference) error {
	if ref.original == 0 {
		return nil
	}
	original, err := r.ours(ref.original)
	switch {
	case err != nil:
		return err
	case original == 0:
		r.Note(ref.where, "came as a task of its own: what it is a copy of did not come.")
		return nil
	}
	return r.tx.SetCopyOf(ref.id, original)
}
