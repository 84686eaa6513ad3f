package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/storetest"
	"taskapi/app/todo"
)

// dav is a list that ann has shared with ben, as calendar clients and as the JSON API have it.
type dav struct {
	*testing.T
	db        *storetest.DB
	ann, ben  app.Caller
	list      int64
	uid       string
	now       time.Time
	calendars *todo.Calendars
	tasks     *todo.Tasks
	lists     *todo.Lists
}

func openDAV(t *testing.T) *dav {
	t.Helper()
	return davIn(t, openTest(t))
}

func davIn(t *testing.T, db *storetest.DB) *dav {
	t.Helper()
	d := &dav{T: t, now: testNow, db: db}
	d.ann, d.ben, d.list = pairIn(t, db, 0)
	clock := func() time.Time { return d.now }
	d.lists = &todo.Lists{Store: d.db, Now: clock, KeepTrash: true}
	d.tasks = &todo.Tasks{Store: d.db, Now: clock, KeepTrash: true, Lineage: d.db.Lineage()}
	d.calendars = &todo.Calendars{Store: d.db, Lists: d.lists, Now: clock, KeepTrash: true, Lineage: d.db.Lineage()}
	d.uid = d.db.Seed().UID(todo.KindList, d.list)
	return d
}

func (d *dav) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// put puts an object of ann's without a condition, and returns its entity tag.
func (d *dav) put(name, text string) string {
	d.Helper()
	return d.putAs(d.ann, d.uid, name, text)
}

func (d *dav) putAs(by app.Caller, list, name, text string) string {
	d.Helper()
	etag, _, err := d.calendars.Put(d.Context(), by, list, name, []byte(text), todo.CalendarCondition{})
	d.ok(err)
	return etag
}

// all returns the objects of a list as somebody reads them.
func (d *dav) all(by app.Caller, list string, q todo.CalendarQuery) map[string]todo.CalendarObject {
	d.Helper()
	found := map[string]todo.CalendarObject{}
	d.ok(d.calendars.Objects(d.Context(), by, list, q, func(o todo.CalendarObject) error {
		if _, twice := found[o.Name]; twice {
			d.Errorf("%s is given twice", o.Name)
		}
		found[o.Name] = o
		return nil
	}))
	return found
}

// get returns one object as ann reads it; zero without one.
func (d *dav) get(name string) todo.CalendarObject {
	d.Helper()
	return d.getAs(d.ann, d.uid, name)
}

func (d *dav) getAs(by app.Caller, list, name string) todo.CalendarObject {
	d.Helper()
	return d.all(by, list, todo.CalendarQuery{Names: []string{name}, WithText: true})[name]
}

// task returns the task with the uid of an object.
func (d *dav) task(uid string) todo.Task {
	d.Helper()
	task, err := d.db.Task(d.Context(), d.ann, todo.Ref{UID: uid})
	d.ok(err)
	return task
}

// update changes a task by the JSON API.
func (d *dav) update(uid string, in todo.TaskInput) todo.Task {
	d.Helper()
	task, err := d.tasks.Update(d.Context(), d.ann, todo.Ref{UID: uid}, in)
	d.ok(err)
	return task.Task
}

// vtodo wraps lines.
func vtodo(lines ...string) string {
	return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTODO\r\n" + strings.Join(lines, "\r\n") + "\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
}

const berlin = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n" +
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

// contentLines splits a text before each line that is not folded into the one before.
func contentLines(text string) (lines []string) {
	for _, line := range strings.SplitAfter(text, "\n") {
		if len(lines) > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			lines[len(lines)-1] += line
		} else if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// unfolded returns the first line of a name without folds and its end.
func unfolded(text, name string) string {
	for _, line := range contentLines(text) {
		line = strings.TrimSpace(strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(line))
		if at := strings.IndexAny(line, ":;"); at > 0 && strings.EqualFold(line[:at], name) {
			return line
		}
	}
	return ""
}

// randomObject makes an object with much in it that nobody here understands.
func randomObject(r *rand.Rand, uid string) string {
	pick := func(all ...string) string { return all[r.IntN(len(all))] }
	maybe := func(lines []string, more ...string) []string {
		if r.IntN(2) == 0 {
			return append(lines, more[r.IntN(len(more))])
		}
		return lines
	}
	fold := func(line string) string {
		if r.IntN(2) == 0 || len(line) < 30 {
			return line
		}
		var out []byte
		for i := range len(line) { // at any byte, as RFC 5545 allows
			if i > 0 && r.IntN(12) == 0 {
				out = append(out, "\r\n"+pick(" ", "\t")...)
			}
			out = append(out, line[i])
		}
		return string(out)
	}
	lines := []string{"UID:" + uid, "DTSTAMP:20260101T000000Z", pick("SUMMARY:Täglich üben 🎻", "summary;LANGUAGE=de:A\\, b\\; c", `SUMMARY;ALTREP="cid:x":Text`)}
	lines = maybe(lines, fold(`DESCRIPTION;ALTREP="data:text/html,a%3Bb":First line\nsecond\, with commas\; and ünïcödé that is folded somewhere in the middle`), "DESCRIPTION:x")
	lines = maybe(lines, "PRIORITY:3", "PRIORITY:7", "priority:5")
	lines = maybe(lines, "CATEGORIES:home,money\\,much,"+strings.Repeat("long", 20), "CATEGORIES:a\r\nCATEGORIES;LANGUAGE=en:b,c")
	lines = maybe(lines, "DUE;TZID=Europe/Berlin:20261130T090000", "DUE;VALUE=DATE:20261130", "DUE:20261130T080000Z", "DTSTART:20261129T090000\r\nDURATION:P1DT1H", "DUE;TZID=Nowhere/Land:20261130T090000")
	lines = maybe(lines, "STATUS:IN-PROCESS\r\nPERCENT-COMPLETE:40", "STATUS:NEEDS-ACTION", "STATUS:CANCELLED", "STATUS:COMPLETED\r\nCOMPLETED:20260101T120000Z\r\nPERCENT-COMPLETE:100")
	lines = maybe(lines, "RELATED-TO;RELTYPE=CHILD:some-child", "RELATED-TO;RELTYPE=SIBLING:other\r\nRELATED-TO:parent-"+uid, "RELATED-TO;RELTYPE=PARENT:nobody")
	lines = maybe(lines, "X-APPLE-SORT-ORDER:-17", "X-APPLE-SORT-ORDER:700000000")
	for i := range r.IntN(6) {
		lines = append(lines, fold(fmt.Sprintf(pick(
			`X-FOO-%d;X-P="a:b;c,d";X-Q=1,"2,3":value with \, \; \n escapes and a very long tail `+strings.Repeat("täil ", 20),
			`x-lower-%d:Mixed Case`, `ATTENDEE;CN="Müller, Bo";X-N=%d;PARTSTAT=NEEDS-ACTION:mailto:bo@example.com`,
			`GEO;X-N=%d:37.386013;-122.082932`, `COMMENT:n %d\nmore`, `X-EMPTY-%d:`, `URL;X-N=%d:https://example.com/?a=1;b=2`), i)))
	}
	r.Shuffle(len(lines)-2, func(i, j int) { lines[i+2], lines[j+2] = lines[j+2], lines[i+2] })
	for range r.IntN(3) {
		lines = append(lines, fold("BEGIN:VALARM\r\nACTION:"+pick("DISPLAY", "NONE", "AUDIO")+"\r\nTRIGGER;RELATED=END:-PT"+fmt.Sprint(r.IntN(90))+"M\r\nX-WR-ALARMUID:"+fmt.Sprint(r.Int())+"\r\nEND:VALARM"))
	}
	body := vtodo(lines...)
	if r.IntN(2) == 0 {
		body = strings.Replace(body, "BEGIN:VTODO", berlin+"BEGIN:VTODO", 1)
	}
	return body
}

// edits are changes by the JSON API, with the lines that each may touch and one that must be there
// afterwards.
func edits() []struct {
	in    todo.TaskInput
	names []string
	want  string
} {
	text := app.Given[string]
	return []struct {
		in    todo.TaskInput
		names []string
		want  string
	}{
		{todo.TaskInput{Title: text("Other; title")}, []string{"SUMMARY"}, `SUMMARY:Other\; title`},
		{todo.TaskInput{Description: text("one\ntwo")}, []string{"DESCRIPTION"}, `DESCRIPTION:one\ntwo`},
		{todo.TaskInput{Priority: text("low")}, []string{"PRIORITY"}, ""},
		{todo.TaskInput{Labels: todo.LabelsInput{All: app.Given([]string{"new", "two"})}}, []string{"CATEGORIES"}, ""},
		{todo.TaskInput{Dates: todo.DatesInput{Due: text("2027-01-02T10:30"), Zone: text("Asia/Tokyo"), Start: app.Field[string]{State: app.Null}}},
			[]string{"DUE", "DTSTART", "DURATION", "TRIGGER", "zone"}, "DUE;TZID=Asia/Tokyo:20270102T103000"},
		{todo.TaskInput{Dates: todo.DatesInput{Due: text("2027-01-02"), Start: app.Field[string]{State: app.Null}}}, []string{"DUE", "DTSTART", "DURATION", "TRIGGER"}, "DUE;VALUE=DATE:20270102"},
		{todo.TaskInput{Completed: app.Given(true)}, []string{"STATUS", "COMPLETED", "PERCENT-COMPLETE"}, ""},
		{todo.TaskInput{Completed: app.Given(false)}, []string{"STATUS", "COMPLETED", "PERCENT-COMPLETE"}, ""},
	}
}

// The lines that an edit did not touch are those that were put, byte for byte and in their order.
func TestNoByteIsLostOverEditsElsewhere(t *testing.T) {
	d := openDAV(t)
	r := rand.New(rand.NewPCG(19, 6))
	all := edits()
	for i := range 500 {
		uid := fmt.Sprintf("object-%d@example.com", i)
		text := randomObject(r, uid)
		etag := d.put(uid+".ics", text)
		got := d.get(uid + ".ics")
		if string(got.Text) != text || etag != got.ETag {
			t.Fatalf("put %q\n%s\nread %q\n%s", etag, text, got.ETag, got.Text)
		}
		edit := all[i%len(all)]
		d.now = d.now.Add(time.Second)
		d.update(uid, edit.in)
		after := string(d.get(uid + ".ics").Text)
		if edit.want != "" && unfolded(after, strings.FieldsFunc(edit.want, func(r rune) bool { return r == ':' || r == ';' })[0]) != edit.want {
			t.Fatalf("after %v, without %s:\n%s", edit.names, edit.want, after)
		}
		if a, b := untouched(text, edit.names), untouched(after, edit.names); !slices.Equal(a, b) {
			t.Fatalf("%v has changed\n%s\n\n%s", edit.names, strings.Join(a, ""), strings.Join(b, ""))
		}
		// What is read is what is put, so that nothing goes to and fro.
		if etag := d.put(uid+".ics", after); etag == "" {
			t.Fatalf("what was read is not what is kept:\n%s\n%s", after, d.get(uid+".ics").Text)
		}
	}
}

// untouched leaves out the lines of some names, and those that tell when it was changed.
func untouched(text string, names []string) (lines []string) {
	inside := ""
	for _, line := range contentLines(text) {
		plain := strings.ToUpper(strings.NewReplacer("\r\n ", "", "\r\n\t", "").Replace(line))
		name := plain[:strings.IndexAny(plain, ":;")]
		switch {
		case strings.HasPrefix(plain, "BEGIN:VTIMEZONE") && slices.Contains(names, "zone"):
			inside = strings.TrimSpace(plain[6:])
		case inside != "":
			if strings.HasPrefix(plain, "END:"+inside) {
				inside = ""
			}
		case name == "LAST-MODIFIED", name == "DTSTAMP", slices.Contains(names, name):
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

func TestAPutOfTheSameIsNoChange(t *testing.T) {
	d := openDAV(t)
	text := vtodo("UID:a", "SUMMARY:x", "X-A:1")
	first := d.put("a.ics", text)
	if second := d.put("a.ics", text); second != first {
		t.Errorf("%s became %s", first, second)
	}
	other := strings.Replace(text, "X-A:1", "X-A:2", 1)
	if third := d.put("a.ics", other); third == first || third == "" {
		t.Errorf("another text has the tag %q, after %q", third, first)
	}
	alarmed := strings.Replace(other, "END:VTODO", "BEGIN:VALARM\r\nACTION:NONE\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VTODO", 1)
	before := d.get("a.ics").ETag
	if etag := d.put("a.ics", alarmed); etag == before || etag == "" {
		t.Errorf("an alarm that is no reminder leaves %q", etag)
	}
}

func TestConditionsOfAPut(t *testing.T) {
	d := openDAV(t)
	text := func(x string) []byte { return []byte(vtodo("UID:a", "SUMMARY:"+x)) }
	put := func(x string, cond todo.CalendarCondition) (string, bool, error) {
		return d.calendars.Put(d.Context(), d.ann, d.uid, "name-of-it", text(x), cond)
	}
	for _, cond := range []todo.CalendarCondition{{IfMatch: "*"}, {IfMatch: `"x-1"`}} {
		if _, _, err := put("1", cond); !errors.Is(err, todo.ErrChangedMeanwhile) || err.Error() != todo.ErrObjectGone.Message {
			t.Errorf("%v of nothing: %v", cond, err)
		}
	}
	first, created, err := put("1", todo.CalendarCondition{IfNoneMatch: true})
	if err != nil || !created || first == "" {
		t.Fatal(first, created, err)
	}
	if _, _, err := put("2", todo.CalendarCondition{IfNoneMatch: true}); !errors.Is(err, todo.ErrChangedMeanwhile) || err.Error() != todo.ErrObjectThere.Message {
		t.Error(err)
	}
	second, created, err := put("2", todo.CalendarCondition{IfMatch: `"other", ` + first})
	if err != nil || created {
		t.Fatal(created, err)
	}
	if _, _, err := put("3", todo.CalendarCondition{IfMatch: first}); !errors.Is(err, todo.ErrChangedMeanwhile) {
		t.Error(err)
	}
	if got := d.get("name-of-it"); got.ETag != second || !strings.Contains(string(got.Text), "SUMMARY:2") {
		t.Error(got)
	}
	// The tag is the one that the JSON API gives.
	task := d.task("a")
	if want := fmt.Sprintf(`"%s-%d"`, d.db.Lineage(), task.Version); second != want {
		t.Errorf("%s, want %s", second, want)
	}
	if err := d.calendars.Delete(d.Context(), d.ann, d.uid, "name-of-it", first); !errors.Is(err, todo.ErrChangedMeanwhile) {
		t.Error(err)
	}
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "name-of-it", second))
	if err := d.calendars.Delete(d.Context(), d.ann, d.uid, "name-of-it", ""); !errors.Is(err, todo.ErrTaskNotFound) {
		t.Error(err)
	}
}

func TestNamesAndUIDs(t *testing.T) {
	d := openDAV(t)
	made, err := d.tasks.Create(d.Context(), d.ann, todo.TaskInput{Title: app.Given("by REST"), List: app.Given(todo.ByID(d.list))})
	d.ok(err)
	derived := d.db.Seed().UID(todo.KindTask, made.ID)
	given := d.get(derived + ".ics")
	if !strings.Contains(string(given.Text), "UID:"+derived+"\r\n") {
		t.Fatalf("%s", given.Text)
	}
	if etag := d.put(derived+".ics", string(given.Text)); etag == "" {
		t.Error("what the server made is not kept as it is")
	}
	d.put("chosen", vtodo("UID:u1", "SUMMARY:x"))
	refused := func(name, uid string) {
		t.Helper()
		_, _, err := d.calendars.Put(d.Context(), d.ann, d.uid, name, []byte(vtodo("UID:"+uid, "SUMMARY:y")), todo.CalendarCondition{})
		if !errors.Is(err, todo.ErrCalendarUID) {
			t.Errorf("%s of %s: %v", name, uid, err)
		}
	}
	refused("chosen", "u2")
	refused("other.ics", "u1")
	refused("other.ics", derived)
	refused("u1.ics", "u1")
	for _, bad := range []string{"", "a/b", "..", strings.Repeat("x", 256), "a\nb"} {
		if _, _, err := d.calendars.Put(d.Context(), d.ann, d.uid, bad, []byte(vtodo("UID:u3", "SUMMARY:y")), todo.CalendarCondition{}); !errors.Is(err, todo.ErrCalendarName) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	// One UID in two lists of one owner: both are kept, and stay apart.
	other, err := d.lists.Create(d.Context(), d.ann, todo.ListInput{Name: app.Given("other")})
	d.ok(err)
	otherUID := d.db.Seed().UID(todo.KindList, other.ID)
	text := vtodo("UID:u1", "SUMMARY:copy")
	if etag := d.putAs(d.ann, otherUID, "u1.ics", text); etag == "" {
		t.Error("no tag")
	}
	if got := d.getAs(d.ann, otherUID, "u1.ics"); string(got.Text) != text {
		t.Errorf("%s", got.Text)
	}
	if got := d.get("chosen"); !strings.Contains(string(got.Text), "SUMMARY:x") {
		t.Errorf("%s", got.Text)
	}
}
