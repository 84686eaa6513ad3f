package store_test

import (
	"testing"
	"time"

	"taskapi/app/account"
	"taskapi/app/operate"
	"taskapi/app/todo"
)

// What had gone off before an export does not go off once more after an import.
func TestImportedRemindersOfThePastStaySilent(t *testing.T) {
	db := openTest(t)
	err := db.Import(t.Context(), func(tx operate.ImportTx) error {
		user, err := tx.AddUser(0, account.NewUser{Username: "u", Email: "u@example.com", PasswordHash: testHash, Role: "user", CreatedAt: testNow}, account.Record{})
		if err != nil {
			return err
		}
		if err := tx.AddInboxes(); err != nil {
			return err
		}
		inbox, err := tx.Inbox(user)
		if err != nil {
			return err
		}
		_, err = tx.AddTask(operate.TaskRecord{
			Task: todo.Task{UserID: user, ListID: inbox, Title: "t", CreatedAt: testNow, UpdatedAt: testNow},
			Reminders: []operate.ReminderRecord{
				{UserID: user, Reminder: todo.Reminder{At: testNow.Add(-time.Hour)}}, {UserID: user, Reminder: todo.Reminder{At: testNow.Add(time.Hour)}},
			},
		}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if all, silent := db.Count(t, `SELECT count(*) FROM reminders`), db.Count(t, `SELECT count(*) FROM reminders WHERE fires_at IS NULL`); all != 2 || silent != 1 {
		t.Errorf("%d of %d are silent", silent, all)
	}
}
