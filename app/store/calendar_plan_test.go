package store_test

import (
	"fmt"
	"runtime"
	"testing"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

func TestEveryCalendarQueryIsASearchByIndex(t *testing.T) {
	db := openTest(t)
	ran := record(db)
	useCalendars(t, db)
	searchesByIndex(t, db, ran, 40)
}

// useCalendars calls every method of calendars.
func useCalendars(t *testing.T, db *storetest.DB) {
	t.Helper()
	d := davIn(t, db)
	alarm := []string{"BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:PT0S", "END:VALARM"}
	d.put("child", vtodo("UID:child", "SUMMARY:x", "RELATED-TO:parent"))
	d.put("parent", vtodo(append([]string{"UID:parent", "SUMMARY:x", "DUE:20261130T000000Z", "RRULE:FREQ=DAILY"}, alarm...)...))
	d.put("parent", vtodo("UID:parent", "SUMMARY:x", "DUE:20261130T000000Z", "RRULE:FREQ=DAILY", "STATUS:COMPLETED"))
	d.update("child", todo.TaskInput{List: app.Given(todo.ByID(1))})
	r := d.replica(d.ann)
	r.sync(1)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "parent", ""))
	r.sync(0)
	d.put("again", vtodo("UID:parent", "SUMMARY:x"))
	d.get("again")
	d.get("again.ics")
	d.all(d.ann, d.uid, todo.CalendarQuery{})
	if _, err := d.calendars.Collections(d.Context(), d.ann); err != nil {
		t.Error(err)
	}
}

// A list is given out piece by piece: 10,000 objects don't need room for more than some.
func TestALongListIsStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 10,000 tasks")
	}
	d := openDAV(t)
	const many = 10_000
	d.ok(d.db.Write(t.Context(), func(tx *store.Tx) error {
		for i := range many {
			task, err := tx.AddTask(d.ann, testNow, d.list, d.ann.UserID, todo.NewTask{Title: fmt.Sprint(i), CreatedAt: testNow})
			if err != nil {
				return err
			}
			text := vtodo("UID:"+d.db.Seed().UID(todo.KindTask, task.ID), "SUMMARY:"+fmt.Sprint(i), fmt.Sprintf("X-LONG:%01000d", i))
			if err := tx.Exec(`INSERT INTO task_ical (task_id, said, body) VALUES (?, ?, ?)`, task.ID, task.Version, []byte(text)); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, withText := range []bool{false, true} {
		var before, now runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, most := 0, uint64(0)
		d.ok(d.calendars.Objects(t.Context(), d.ann, d.uid, todo.CalendarQuery{WithText: withText}, func(o todo.CalendarObject) error {
			if n++; n%1000 == 0 {
				runtime.GC()
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
			return nil
		}))
		if more := int64(most) - int64(before.HeapAlloc); n != many || more > 8<<20 {
			t.Errorf("%d objects, text %t: %d bytes more are in use", n, withText, more)
		}
	}
}
