package store

import (
	"slices"

	"taskapi/app/todo"
)

// line is a line of the log.
type line struct {
	seq, group, entity, scope int64
	kind                      todo.Kind
	op                        todo.Op
	uid                       string
}

// news gives what is new behind the cursor.
func (s *syncing) news(newest int64) error {
	if s.left <= 0 {
		s.page.More = s.page.After.Walk != todo.WalkNone || s.page.After.Seq < newest
		return nil
	}
	var lines []line
	err := s.each(newLines, []any{s.query.UserID, s.page.After.Seq, s.left}, func(row Row) error {
		var l line
		err := row.Scan(&l.seq, &l.group, &l.kind, &l.op, &l.entity, &l.uid, &l.scope)
		lines = append(lines, l)
		return err
	})
	if err != nil {
		return err
	}
	if err := s.fetch(lines); err != nil {
		return err
	}
	whole := int64(len(lines)) < s.left
	if s.query.Stream && !whole {
		lines = wholeGroups(lines)
	}
	for _, l := range lines {
		s.page.After.Seq = l.seq
		s.left--
		if err := s.give(l); err != nil {
			return err
		}
		if s.ends {
			s.page.More = true
			return nil
		}
		if s.page.After.Walk == todo.WalkNone {
			continue
		}
		for s.left > 0 && s.page.After.Walk != todo.WalkNone {
			if err := s.walk(); err != nil {
				return err
			}
		}
		if s.left <= 0 {
			s.page.More = true
			return nil
		}
	}
	s.page.More = !whole
	if whole && (len(lines) > 0 || newest-s.page.After.Seq >= syncQuiet) {
		s.page.After.Seq = newest
	}
	return nil
}

// fetch reads the tasks that lines are about.
func (s *syncing) fetch(lines []line) error {
	var ids []int64
	for _, l := range lines {
		if l.kind == todo.KindTask || l.kind == todo.KindReminder {
			ids = append(ids, l.entity)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	tasks, err := s.tx.tasks(nearTasks, jsonOf(ids), s.query.UserID, false)
	s.near = make(map[int64]todo.Task, len(tasks))
	for _, task := range tasks {
		s.near[task.ID] = task
	}
	return err
}

// wholeGroups leaves out the last request of those whose lines are there, unless it is the
// only one: more of it may follow.
func wholeGroups(lines []line) []line {
	last := lines[len(lines)-1].group
	for i, l := range slices.Backward(lines) {
		if l.group != last {
			return lines[:i+1]
		}
	}
	return lines
}

// give gives what a line is about, as it is now.
func (s *syncing) give(l line) error {
	switch {
	case l.op == todo.OpDue:
		return s.remind(l)
	case l.kind == todo.KindTask, l.kind == todo.KindReminder:
		return s.giveTask(l)
	case l.kind == todo.KindUser:
		return s.giveUser()
	}
	list := l.entity // of a list, and of what one member has alone
	if l.kind == todo.KindMember && l.scope > 0 {
		list = l.scope
	}
	if l.scope < 0 && (l.kind == todo.KindList && l.op == todo.OpDeleted || l.kind == todo.KindMember && l.op == todo.OpLeft) {
		return s.dropList(list, l.uid)
	}
	if err := s.giveList(list, l.uid); err != nil {
		return err
	}
	if l.kind == todo.KindMember && l.op == todo.OpJoined && l.scope < 0 && s.lists[list] {
		s.page.After = todo.SyncCursor{Seq: l.seq, Walk: todo.WalkJoined, List: list, Rank: walkStart, ID: walkStart}
	}
	return nil
}

// dropList says that a list is gone. If it is there again, a later line gives all of it; what
// was deleted in it meanwhile was in no scope of its reader, so that they have to forget it
// first. A page is applied with what is gone last, so it ends here.
func (s *syncing) dropList(id int64, uid string) error {
	if s.goneLists[id] {
		return nil
	}
	s.goneLists[id] = true
	s.page.Deleted = append(s.page.Deleted, todo.Gone{Kind: todo.KindList, ID: id, UID: uid})
	return s.one(`SELECT EXISTS (SELECT 1 FROM members WHERE user_id = ? AND list_id = ?)`, []any{s.query.UserID, id}, &s.ends)
}

// giveTask gives a task where it was last changed, or says that it is gone.
func (s *syncing) giveTask(l line) error {
	task, ok := s.near[l.entity]
	switch {
	case !ok:
		if !s.goneTasks[l.entity] && l.kind == todo.KindTask {
			s.goneTasks[l.entity] = true
			s.page.Deleted = append(s.page.Deleted, todo.Gone{Kind: todo.KindTask, ID: l.entity, UID: l.uid})
		}
		return nil
	case s.tasks[task.ID]:
		return nil
	case task.RecurrenceOf != 0 && !s.query.Copies:
		if l.kind == todo.KindTask && l.op != todo.OpCreated && !s.goneTasks[task.ID] { // an undo made it a copy again
			s.goneTasks[task.ID] = true
			s.page.Deleted = append(s.page.Deleted, todo.Gone{Kind: todo.KindTask, ID: task.ID, UID: task.UID})
		}
		return nil
	case l.kind == todo.KindTask && task.Version != l.seq && l.op != todo.OpOut:
		// A later line gives it. But one that has left a list is given at once: if the list that it
		// is in goes before that line is read, the reader would look for it in the one that it left.
		return nil
	}
	s.tasks[task.ID] = true
	s.page.Tasks = append(s.page.Tasks, task)
	return nil
}

// remind gives a task that its reader wants to be reminded of, unless it is done by now.
func (s *syncing) remind(l line) error {
	if !s.query.Stream {
		return nil
	}
	var here bool
	err := s.one(`SELECT reminder_channels IS NULL OR ' ' || reminder_channels || ' ' LIKE '% stream %' FROM users WHERE id = ?`, []any{s.query.UserID}, &here)
	if err != nil || !here {
		return err
	}
	if task, ok := s.near[l.entity]; ok && !task.Completed() {
		s.page.Due = append(s.page.Due, task)
	}
	return nil
}
