package store

import (
	"taskapi/app/todo"
)

// trashedObject is what a row of the trash holds of an object.
type trashedObject struct {
	Name   string          `json:"name,omitempty"`
	UID    string          `json:"uid,omitempty"`
	Parent string          `json:"parent_uid,omitempty"`
	Body   []byte          `json:"body,omitempty"`
	Alarms []trashedAlarms `json:"alarms,omitempty"`
}

// trashedAlarms are the alarms of one person.
type trashedAlarms struct {
	UserID int64  `json:"user_id"`
	Body   []byte `json:"body"`
}

// objectOf returns what calendar clients have put of a task; nil for nothing.
func (t *tx) objectOf(task todo.Task) (*trashedObject, error) {
	var o *trashedObject
	err := t.each(`SELECT coalesce((SELECT name FROM task_names n WHERE n.task_id = k.task_id AND n.gone IS NULL), ''),
		coalesce(said_uid, ''), CASE WHEN parent_at = ?2 THEN parent_uid ELSE '' END, body FROM task_ical k WHERE task_id = ?1`, []any{task.ID, task.ParentID}, func(row Row) error {
		var parent *string
		o = &trashedObject{}
		err := row.Scan(&o.Name, &o.UID, &parent, &o.Body)
		if parent != nil {
			o.Parent = *parent
		}
		return err
	})
	if err != nil || o == nil {
		return nil, err
	}
	err = t.each(`SELECT user_id, body FROM task_alarms WHERE task_id = ? ORDER BY user_id`, []any{task.ID}, func(row Row) error {
		var a trashedAlarms
		err := row.Scan(&a.UserID, &a.Body)
		o.Alarms = append(o.Alarms, a)
		return err
	})
	return o, err
}

// restoreObject brings it back. The name is another one if it has been given away meanwhile.
func (t *tx) restoreObject(task todo.Task, o *trashedObject) error {
	if o == nil {
		return nil
	}
	var at any
	if o.Parent != "" {
		at = task.ParentID
	}
	err := t.exec(`INSERT INTO task_ical (task_id, said_uid, parent_uid, parent_at, body) VALUES (?, ?, ?, ?, ?)`, task.ID, nullText(o.UID), nullText(o.Parent), at, o.Body)
	if err != nil {
		return err
	}
	if o.Name != "" {
		err := t.exec(`INSERT INTO task_names (list_id, task_id, name) SELECT ?1, ?2, ?3
			WHERE NOT EXISTS (SELECT 1 FROM task_names WHERE list_id = ?1 AND name = ?3 AND gone IS NULL)`, task.ListID, task.ID, o.Name)
		if err != nil {
			return err
		}
	}
	for _, a := range o.Alarms {
		err := t.exec(`INSERT INTO task_alarms (task_id, user_id, body) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM members WHERE user_id = ?2 AND list_id = ?4)`,
			task.ID, a.UserID, a.Body, task.ListID)
		if err != nil {
			return err
		}
	}
	return nil
}
