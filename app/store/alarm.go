package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/todo"
)

var _ todo.AlarmStore = (*DB)(nil)

const (
	// maxDue is how many reminders one run looks at.
	maxDue = 10_000
	// dueTurn is how many reminders fire in one turn of the writer, and dueTurnOfOne how many
	// if they are one person's, who gets one mail for all of them.
	dueTurn      = 100
	dueTurnOfOne = 500
	// maxFireFailures is how many people's reminders may fail in one run.
	maxFireFailures = 10
	// doubtLooks is the wait while the clock may be wrong by much.
	doubtLooks = time.Minute
)

// dueReminders are those of one person that are due.
type dueReminders struct {
	userID int64
	ids    []int64
}

// FireReminders fires what is due; see todo.AlarmStore. While the clock may be wrong by much it
// fires nothing: what goes out too early does not go out in time.
func (db *DB) FireReminders(ctx context.Context, now time.Time, mails bool) (fired todo.Fired, err error) {
	reader, err := db.read(ctx)
	if err != nil {
		return fired, err
	}
	due, err := reader.dueReminders(now)
	if err != nil {
		return fired, translate(err)
	}
	// The clock is looked at each time, so that it is known when it was set.
	if doubtful, err := db.doubtfulClock(ctx); err != nil || doubtful && len(due) > 0 {
		return todo.Fired{Next: now.Add(doubtLooks)}, err
	}
	var failures []error
	for len(due) > 0 && len(failures) < maxFireFailures {
		turn := due[:1]
		for n := len(due[0].ids); len(turn) < len(due) && n+len(due[len(turn)].ids) <= dueTurn; {
			n += len(due[len(turn)].ids)
			turn = due[:len(turn)+1]
		}
		due = due[len(turn):]
		if err := db.fireTurn(ctx, turn, now, mails, &fired); err == nil {
			continue
		} else if len(turn) == 1 {
			failures = append(failures, err)
			continue
		}
		for i := range turn { // what fails for one person does not keep the others waiting
			if err := db.fireTurn(ctx, turn[i:i+1], now, mails, &fired); err != nil {
				failures = append(failures, err)
			}
		}
	}
	if len(failures) > 0 {
		return fired, errors.Join(failures...)
	}
	fired.Next, err = reader.nextReminder()
	return fired, translate(err)
}

// fireTurn fires reminders of some people in one turn of the writer, and counts them.
func (db *DB) fireTurn(ctx context.Context, turn []dueReminders, now time.Time, mails bool, fired *todo.Fired) error {
	var done todo.Fired
	err := db.write(ctx, func(tx *tx) error {
		done = todo.Fired{}
		for _, one := range turn {
			if err := tx.fireFor(one, now, mails, &done); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		fired.Reminders, fired.Mailed, fired.Pushed = fired.Reminders+done.Reminders, fired.Mailed+done.Mailed, fired.Pushed+done.Pushed
	}
	return err
}

// dueReminders returns what is due, by person; of those, whose first reminder is due longest
// comes first.
func (t *tx) dueReminders(now time.Time) (due []dueReminders, err error) {
	places := map[int64]int{}
	err = t.each(`SELECT id, user_id FROM reminders WHERE fires_at <= ?1 ORDER BY fires_at LIMIT ?2`, []any{millis(now), maxDue}, func(row Row) error {
		var id, user int64
		if err := row.Scan(&id, &user); err != nil {
			return err
		}
		place, known := places[user]
		if !known || len(due[place].ids) == dueTurnOfOne {
			place = len(due)
			places[user] = place
			due = append(due, dueReminders{userID: user})
		}
		due[place].ids = append(due[place].ids, id)
		return nil
	})
	return due, err
}

// nextReminder returns when the next reminder is due; zero for none.
func (t *tx) nextReminder() (time.Time, error) {
	var next int64
	err := t.one(`SELECT fires_at FROM reminders WHERE fires_at > -100000000000000 ORDER BY fires_at LIMIT 1`, nil, &next)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return time.Time{}, nil
	case err != nil:
		return time.Time{}, err
	}
	return fromMillis(next), nil
}

// recipient is whom a reminder is for.
type recipient struct {
	id         int64
	deleted    bool
	zone       string
	channels   app.Channels
	verified   bool
	subscribed bool
}

// fireFor fires reminders of one person: a line of the log for each task, and what its channels
// need.
func (t *tx) fireFor(due dueReminders, now time.Time, mails bool, done *todo.Fired) error {
	who, err := t.recipient(due.userID)
	if err != nil {
		return err
	}
	t.group = 0 // what is another person's is another change
	var tasks []todo.Task
	var first int64
	for _, id := range due.ids {
		task, err := t.fire(id, due.userID, now)
		if err != nil {
			return err
		}
		if task.ID == 0 || who.deleted || slices.ContainsFunc(tasks, func(t todo.Task) bool { return t.ID == task.ID }) {
			continue
		}
		seq, err := t.log(act{at: now}, logged{scope: -due.userID, kind: todo.KindReminder, op: todo.OpDue, entity: task.ID})
		if err != nil {
			return err
		}
		if first == 0 {
			first = seq
		}
		tasks = append(tasks, task)
	}
	if len(tasks) == 0 {
		return nil
	}
	done.Reminders += len(tasks)
	if who.channels.Push() && who.subscribed {
		done.Pushed += len(tasks)
		// One that has something to send goes on from where it is.
		if err := t.exec(`UPDATE push_subscriptions SET cursor = CASE WHEN next_at = 0 THEN ?2 ELSE cursor END, next_at = CASE WHEN next_at = 0 THEN ?3 ELSE next_at END WHERE user_id = ?1`,
			who.id, first-1, millis(now)); err != nil {
			return err
		}
	}
	if !mails || !who.verified || !who.channels.Mail(who.subscribed) {
		return nil
	}
	mailed, err := t.mailReminders(who, tasks, now)
	if mailed {
		done.Mailed += len(tasks)
	}
	return err
}

// recipient returns a person as reminders need them.
func (t *tx) recipient(userID int64) (recipient, error) {
	who := recipient{id: userID}
	var channels sql.NullString
	err := t.one(`SELECT deleted_at IS NOT NULL, time_zone, reminder_channels, verified_at IS NOT NULL, EXISTS (SELECT 1 FROM push_subscriptions WHERE user_id = ?1)
		FROM users WHERE id = ?1`, []any{userID}, &who.deleted, &who.zone, &channels, &who.verified, &who.subscribed)
	who.channels = channelsOf(channels)
	return who, err
}

// fire makes a reminder one that has fired, and returns its task; none if nobody is to be
// reminded: it is late, or its task is done, or can't be seen by its owner any more.
func (t *tx) fire(id, userID int64, now time.Time) (none todo.Task, err error) {
	var taskID, at int64
	err = t.one(`SELECT task_id, fires_at FROM reminders WHERE id = ? AND fires_at <= ?`, []any{id, millis(now)}, &taskID, &at)
	if errors.Is(err, sql.ErrNoRows) { // it has changed since it was found
		return none, nil
	}
	if err == nil {
		err = t.exec(`UPDATE reminders SET fires_at = NULL WHERE id = ?`, id)
	}
	if err != nil || now.Sub(fromMillis(at)) > todo.FiresUntil {
		return none, err
	}
	task, err := t.task(taskID, userID, false)
	if errors.Is(err, todo.ErrTaskNotFound) || err == nil && task.Completed() {
		return none, nil
	}
	return task, err
}

// mailReminders queues a mail with the tasks, unless there were too many mails today; it
// reports whether it did.
func (t *tx) mailReminders(who recipient, tasks []todo.Task, now time.Time) (bool, error) {
	var today int
	// The newest are looked at: few mails of other kinds come in between.
	err := t.one(`SELECT count(*) FROM (SELECT template, created_at FROM mails WHERE user_id = ?1 ORDER BY id DESC LIMIT ?4) AS newest
		WHERE template = ?2 AND created_at >= ?3`,
		[]any{who.id, string(outbox.MailReminder), millis(now.UTC().Truncate(24 * time.Hour)), 4 * outbox.RemindersADay}, &today)
	if err != nil || today > outbox.RemindersADay {
		return false, err
	}
	reader, err := todo.Location(who.zone)
	if err != nil {
		reader = time.UTC
	}
	items := make([]outbox.Item, 0, min(len(tasks), outbox.MaxItems))
	for _, task := range tasks[:cap(items)] {
		item := outbox.Item{ID: task.ID, Title: task.Title}
		if !task.Dates.Due.IsZero() {
			item.Due = task.Dates.Due.Said(reader)
		}
		items = append(items, item)
	}
	text, err := outbox.ItemsText(items)
	if err != nil {
		return false, err
	}
	data := map[string]string{"Items": text, "More": "", "Last": ""}
	if more := len(tasks) - len(items); more > 0 {
		data["More"] = fmt.Sprint(more)
	}
	if today == outbox.RemindersADay {
		data["Last"] = "yes"
	}
	return true, t.queueMail(who.id, outbox.NewMail{Template: outbox.MailReminder, Data: data, CreatedAt: now})
}
