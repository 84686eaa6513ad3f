package sqlite

import (
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// A client moves an object to another list by deleting and putting it, in either order.
func TestAMoveBetweenLists(t *testing.T) {
	d := openDAV(t)
	other, err := d.lists.Create(d.Context(), d.ann, todo.ListInput{Name: app.Given("other")})
	d.ok(err)
	to := d.db.seed.UID(todo.KindList, other.ID)
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
	derived := d.db.seed.UID(todo.KindTask, made.ID)
	object := string(d.get(derived + ".ics").Text)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, derived+".ics", ""))
	d.putAs(d.ann, to, derived+".ics", object)
	if now := d.task(derived); now.ID != made.ID || now.ListID != other.ID {
		t.Errorf("%+v", now)
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
