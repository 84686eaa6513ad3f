package store

import (
	"errors"
	"fmt"
	"strings"
)

// ErrInconsistent: the file is sound, but what is in it contradicts itself.
var ErrInconsistent = errors.New("what is in it contradicts itself")

// rules are what no foreign key and no CHECK can say: each counts what breaks it.
func rules() []struct{ what, count string } {
	return []struct{ what, count string }{
		{"tasks that are not of the owner of their list", `SELECT count(*) FROM tasks t JOIN lists l ON l.id = t.list_id WHERE t.user_id <> l.owner_id`},
		{"lists whose owner is not a member as such", `SELECT count(*) FROM lists l WHERE NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = l.owner_id AND m.list_id = l.id AND m.role = 3)`},
		{"accounts without an Inbox", `SELECT count(*) FROM users u WHERE deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM lists l WHERE l.owner_id = u.id AND l.inbox = 1)`},
		{"Inboxes with other members", `SELECT count(*) FROM members m JOIN lists l ON l.id = m.list_id WHERE l.inbox = 1 AND m.user_id <> l.owner_id`},
		{"subtasks in another list than what they are below", `SELECT count(*) FROM tasks t JOIN tasks p ON p.id = t.parent_id WHERE t.list_id <> p.list_id`},
		{"tasks assigned to somebody who is not in the list", `SELECT count(*) FROM tasks t WHERE t.assignee_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members m WHERE m.user_id = t.assignee_id AND m.list_id = t.list_id)`},
		{"labels that can't be found", `SELECT count(*) FROM tasks t WHERE t.labels IS NOT NULL AND json_array_length(t.labels) <> (SELECT count(*) FROM task_labels k WHERE k.task_id = t.id AND k.list_id = t.list_id)`},
		{"numbers of tasks that are wrong", `SELECT count(*) FROM (SELECT user_id, count(*) AS n FROM tasks GROUP BY user_id) AS c JOIN users u ON u.id = c.user_id AND u.deleted_at IS NULL
			WHERE n <> coalesce((SELECT total FROM totals WHERE list = 'tasks' AND owner = c.user_id), 0)`},
		{"tasks with a number of a change that was not made", `SELECT count(*) FROM tasks WHERE version > (SELECT coalesce(max(seq), 1) FROM changes)`},
	}
}

// Consistent returns ErrInconsistent with what breaks a rule in a database that count reads.
func Consistent(count func(query string, n *int64) error) error {
	var broken []string
	for _, rule := range rules() {
		var n int64
		if err := count(rule.count, &n); err != nil {
			return err
		}
		if n > 0 {
			broken = append(broken, fmt.Sprintf("%s (%d)", rule.what, n))
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("%w: %s", ErrInconsistent, strings.Join(broken, ", "))
	}
	return nil
}
