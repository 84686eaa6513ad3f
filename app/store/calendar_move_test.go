package store_test

import (
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// A client moves an object to another list by deleting and putting it, in either order.
func TestAMoveBetweenLists(t *testing.T) {
	d := openDAV(t)
	other, err := d.lists.Create(d.Context(), d.ann, todo.ListInput{Name: app.Given("other")})
	d.ok(err)
	to := d.db.Seed().UID(todo.KindList, other.ID)
	text := vtodo("UID:moved", "SUMMARY:x", "X-KEEP:yes")
	d.put("n.ics", text)
	was := d.task("moved")
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "n.ics", ""))
	d.putAs(d.ann, to, "n.ics", text)
	if now := d.task("moved"); now.ID != was.ID || now.ListID != other.ID {
		t.Errorf("task %d in %d became %d in %d", was.ID, was.ListID, now.ID, now.ListID)
	}
	if got := d.getAs(d.ann, to, "n.ics"); string(got.Text) != text {
		t.Errorf("%s", got.Text)
	}
	d.put("back.ics", text)
	d.ok(d.calendars.Delete(d.Context(), d.ann, to, "n.ics", ""))
	if got := d.get("back.ics"); string(got.Text) != text {
		t.Errorf("%s", got.Text)
	}
	// One that the server named, too.
	made, err := d.tasks.Create(d.Context(), d.ann, todo.TaskInput{Title: app.Given("by REST"), List: app.Given(todo.ByID(d.list))})
	d.ok(err)
	derived := d.db.Seed().UID(todo.KindTask, made.ID)
	object := string(d.get(derived + ".ics").Text)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, derived+".ics", ""))
	d.putAs(d.ann, to, derived+".ics", object)
	if now := d.task(derived); now.ID != made.ID || now.ListID != other.ID {
		t.Errorf("%+v", now)
	}
}

// Objects of one UID in two lists come into one list by the JSON API: one of them gets another UID
// there, and both stay reachable for clients.
func TestOneUIDInOneList(t *testing.T) {
	d := openDAV(t)
	other, err := d.lists.Create(d.Context(), d.ann, todo.ListInput{Name: app.Given("other")})
	d.ok(err)
	to := d.db.Seed().UID(todo.KindList, other.ID)
	made, err := d.tasks.Create(d.Context(), d.ann, todo.TaskInput{Title: app.Given("by REST"), List: app.Given(todo.ByID(d.list))})
	d.ok(err)
	derived := d.db.Seed().UID(todo.KindTask, made.ID)
	rule := "RRULE:FREQ=DAILY\r\nDUE:20270101T000000Z"
	exception := strings.Replace(vtodo("UID:two", "SUMMARY:exception", "RECURRENCE-ID:20270101T000000Z"), "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n", "", 1)
	for i, uid := range []string{"one", "two", derived} {
		text := vtodo("UID:"+uid, "SUMMARY:x", "X-KEEP:yes", rule)
		if uid == "two" {
			text = strings.Replace(text, "END:VCALENDAR\r\n", exception, 1)
		}
		if uid != derived {
			d.put("n", text)
		}
		d.putAs(d.ann, to, uid, vtodo("UID:"+uid, "SUMMARY:there"))
		here := d.task(uid)
		if i == 0 {
			d.update(uid, todo.TaskInput{List: app.Given(todo.ByID(other.ID))})
		} else {
			_, err := d.tasks.Move(d.Context(), d.ann, todo.ByID(here.ID), app.Given(todo.ByID(other.ID)), app.Field[todo.Ref]{}, todo.PlaceInput{}, nil)
			d.ok(err)
		}
		if now := d.task(uid); now.ID != here.ID || now.ListID != other.ID {
			t.Errorf("%s names %d in %d", uid, now.ID, now.ListID)
		}
	}
	// Whoever is below is told of what is above by the UID that it has now.
	d.put("parent", vtodo("UID:parent", "SUMMARY:x"))
	d.put("child", vtodo("UID:child", "SUMMARY:x", "RELATED-TO:parent"))
	d.putAs(d.ann, to, "parent", vtodo("UID:parent", "SUMMARY:there"))
	d.update("parent", todo.TaskInput{List: app.Given(todo.ByID(other.ID))})

	uids := map[string]string{}
	for name, o := range d.all(d.ann, to, todo.CalendarQuery{WithText: true}) {
		text := string(o.Text)
		uid := strings.TrimPrefix(unfolded(text, "UID"), "UID:")
		if uids[uid] != "" {
			t.Errorf("%s and %s are both %s", name, uids[uid], uid)
		}
		uids[uid] = name
		if strings.Count(text, "UID:") != strings.Count(text, "UID:"+uid) {
			t.Errorf("several UIDs:\n%s", text)
		}
		if d.putAs(d.ann, to, name, text); string(d.getAs(d.ann, to, name).Text) != text {
			t.Errorf("%s\nis not kept as it is", text)
		}
	}
	if len(uids) != 9 {
		t.Errorf("%d objects", len(uids))
	}
	child := d.getAs(d.ann, to, "child.ics")
	if parent := strings.TrimPrefix(unfolded(string(child.Text), "RELATED-TO"), "RELATED-TO:"); uids[parent] == "" || parent == "parent" {
		t.Errorf("the child is below %q of %v", parent, uids)
	}
}

func TestRestoredObjectsAreWhole(t *testing.T) {
	d := openDAV(t)
	text := vtodo("UID:a", "SUMMARY:x", "X-KEEP:yes", "DUE:20270101T000000Z", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER;RELATED=END:-PT5M", "X-A:1", "END:VALARM")
	d.put("chosen", text)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "chosen", ""))
	if _, err := d.tasks.Restore(d.Context(), d.ann, todo.Ref{UID: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if got := d.get("chosen"); string(got.Text) != text {
		t.Errorf("%s", got.Text)
	}
}
