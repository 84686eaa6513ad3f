package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/store"
	"taskapi/app/todo"
)

// davReplica is what a client has of a list.
type davReplica struct {
	*dav
	by    app.Caller
	token string
	tags  map[string]string
}

// sync asks for what is new until there is no more, and returns what was said.
func (r *davReplica) sync(limit int) (changed, gone []string) {
	r.Helper()
	for {
		news, err := r.calendars.Changes(r.Context(), r.by, r.uid, r.token, limit)
		r.ok(err)
		for _, o := range news.Changed {
			changed = append(changed, o.Name)
			r.tags[o.Name] = o.ETag
		}
		for _, name := range news.Gone {
			gone = append(gone, name)
			delete(r.tags, name)
		}
		if limit > 0 && len(news.Changed)+len(news.Gone) > limit {
			r.Errorf("%d of at most %d", len(news.Changed)+len(news.Gone), limit)
		}
		if r.token = news.Next; !news.More {
			return changed, gone
		}
	}
}

// agrees compares the replica with the list.
func (r *davReplica) agrees() {
	r.Helper()
	there := r.all(r.by, r.uid, todo.CalendarQuery{})
	for name, o := range there {
		if r.tags[name] != o.ETag {
			r.Errorf("%s has %s, the client knows %q", name, o.ETag, r.tags[name])
		}
	}
	if len(there) != len(r.tags) {
		r.Errorf("%d objects, the client knows %d", len(there), len(r.tags))
	}
	c, err := r.calendars.Collection(r.Context(), r.by, r.uid)
	r.ok(err)
	if c.Token != r.token {
		r.Errorf("the collection has the token %s, the client %s", c.Token, r.token)
	}
}

func (d *dav) replica(by app.Caller) *davReplica {
	return &davReplica{dav: d, by: by, tags: map[string]string{}}
}

func TestWhatIsNewInACollection(t *testing.T) {
	d := openDAV(t)
	ann, ben := d.replica(d.ann), d.replica(d.ben)
	for i := range 10 {
		d.put(fmt.Sprintf("o%d", i), vtodo(fmt.Sprintf("UID:u%d", i), "SUMMARY:x"))
	}
	expect := func(what string, limit int, changed, gone []string) {
		t.Helper()
		for _, r := range []*davReplica{ann, ben} {
			c, g := r.sync(limit)
			slices.Sort(c)
			if c = slices.Compact(c); !slices.Equal(c, changed) || !slices.Equal(g, gone) {
				t.Errorf("%s: %v and %v gone, want %v and %v", what, c, g, changed, gone)
			}
			r.agrees()
		}
	}
	names := []string{"o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9"}
	expect("from the beginning, three at a time", 3, names, nil)
	expect("nothing", 0, nil, nil)
	d.put("o3", vtodo("UID:u3", "SUMMARY:y"))
	expect("one", 0, []string{"o3"}, nil)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "o4", ""))
	expect("one less", 0, nil, []string{"o4"})
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "o5", ""))
	d.put("o5", vtodo("UID:anew", "SUMMARY:z"))
	expect("deleted and made again under one name", 0, []string{"o5"}, nil)
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "o5", ""))
	d.put("o5", vtodo("UID:anew2", "SUMMARY:z"))
	expect("the same, one line at a time", 1, []string{"o5"}, nil)
	if _, err := d.tasks.Move(d.Context(), d.ann, todo.Ref{UID: "u6"}, app.Given(todo.ByID(1)), app.Field[todo.Ref]{}, todo.PlaceInput{}, nil); err != nil {
		t.Fatal(err)
	}
	if c, g := ann.sync(0); c != nil || !slices.Contains(g, "o6") {
		t.Error(c, g)
	}
	ben.sync(0)
	ann.agrees()
	ben.agrees()
	made, err := d.tasks.Create(d.Context(), d.ann, todo.TaskInput{Title: app.Given("by REST"), List: app.Given(todo.ByID(d.list))})
	d.ok(err)
	name := d.db.Seed().UID(todo.KindTask, made.ID) + ".ics"
	expect("made by the JSON API", 0, []string{name}, nil)
	_, err = d.tasks.Delete(d.Context(), d.ann, todo.ByID(made.ID), false, nil)
	d.ok(err)
	expect("deleted by the JSON API", 0, nil, []string{name})
	_, err = d.tasks.Restore(d.Context(), d.ann, todo.ByID(made.ID), nil)
	d.ok(err)
	expect("restored", 0, []string{name}, nil)
}

// Reminders are in the object of who has them alone.
func TestOwnRemindersAreNews(t *testing.T) {
	d := openDAV(t)
	d.put("o", vtodo("UID:u", "SUMMARY:x", "DUE:20270101T000000Z"))
	ann, ben := d.replica(d.ann), d.replica(d.ben)
	ann.sync(0)
	ben.sync(0)
	d.update("u", todo.TaskInput{Reminders: app.Given([]map[string]string{{"before": "PT1H"}})})
	if c, _ := ann.sync(0); !slices.Equal(c, []string{"o"}) {
		t.Error("ann's reminder is no news to ann")
	}
	if c, _ := ben.sync(0); c != nil {
		t.Error("ann's reminder is news to ben")
	}
	ann.agrees()
	ben.agrees()
	if !strings.Contains(string(d.get("o").Text), "TRIGGER;RELATED=END:-PT1H\r\n") || strings.Contains(string(d.getAs(d.ben, d.uid, "o").Text), "VALARM") {
		t.Error(string(d.get("o").Text))
	}
}

func TestTokensThatExpire(t *testing.T) {
	d := openDAV(t)
	d.put("o", vtodo("UID:u", "SUMMARY:x"))
	c, err := d.calendars.Collection(d.Context(), d.ann, d.uid)
	d.ok(err)
	ours := fmt.Sprintf("urn:taskapi:%s:%d:", d.db.Lineage(), d.list)
	if !strings.HasPrefix(c.Token, ours) {
		t.Fatal(c.Token)
	}
	for _, token := range []string{"x", "urn:taskapi:other:3", ours, ours + "-1", ours + "999999", ours + "1:x", ours + "3:-4", ours + "3:4:5", "urn:taskapi:" + d.db.Lineage() + ":3", strings.TrimPrefix(c.Token, "urn:")} {
		if _, err := d.calendars.Changes(d.Context(), d.ann, d.uid, token, 0); !errors.Is(err, todo.ErrSyncExpired) {
			t.Errorf("%s: %v", token, err)
		}
		if _, err := d.calendars.Changes(d.Context(), d.ann, "nothing", token, 0); !errors.Is(err, todo.ErrListNotFound) {
			t.Errorf("%s of no list: %v", token, err)
		}
	}
}

// A list that is made again under the name of one that was deleted is another list: who knows the
// old one begins anew, and so does who comes with the token of any other list.
func TestATokenIsOfOneList(t *testing.T) {
	for _, keep := range []bool{true, false} {
		d := openDAV(t)
		d.lists.KeepTrash = keep
		const uid = "11111111-2222-4333-8444-555555555555"
		d.ok(d.calendars.Make(d.Context(), d.ann, uid, nil, nil, nil))
		d.putAs(d.ann, uid, "ghost", vtodo("UID:g", "SUMMARY:x"))
		whole, err := d.calendars.Changes(d.Context(), d.ann, uid, "", 0)
		d.ok(err)
		for _, limit := range []int{0, 1} {
			if _, err := d.calendars.Changes(d.Context(), d.ann, d.uid, whole.Next, limit); !errors.Is(err, todo.ErrSyncExpired) {
				t.Errorf("of another list: %v", err)
			}
		}
		d.ok(d.calendars.Remove(d.Context(), d.ann, uid))
		d.ok(d.calendars.Make(d.Context(), d.ann, uid, nil, nil, nil))
		if _, err := d.calendars.Changes(d.Context(), d.ann, uid, whole.Next, 0); !errors.Is(err, todo.ErrSyncExpired) {
			t.Errorf("with a trash %t: %v", keep, err)
		}
	}
}

// A list in which nothing happens keeps its token for long, and who asks every day never has to
// begin anew, however much is forgotten of what happened elsewhere.
func TestAQuietListKeepsItsToken(t *testing.T) {
	d := openDAV(t)
	d.put("o", vtodo("UID:u", "SUMMARY:x"))
	r := d.replica(d.ann)
	r.sync(0)
	const kept = 90
	var began []int64
	moved := 0
	for range 400 {
		var newest int64
		d.ok(d.db.Write(d.Context(), func(tx *store.Tx) error {
			for range 5 {
				var err error
				if newest, err = tx.Log(d.ben, testNow, 4711, 4711); err != nil {
					return err
				}
			}
			began = append(began, newest)
			if len(began) <= kept {
				return nil
			}
			from := began[len(began)-kept-1]
			return errors.Join(tx.Exec(`DELETE FROM changes WHERE seq <= ?`, from), tx.Exec(`INSERT INTO meta VALUES ('log_from', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, strconv.FormatInt(from, 10)))
		}))
		c, err := d.calendars.Collection(d.Context(), d.ann, d.uid)
		d.ok(err)
		if c.Token != r.token {
			moved++
			if changed, gone := r.sync(0); changed != nil || gone != nil {
				t.Fatal(changed, gone)
			}
			r.agrees()
		}
	}
	if moved > 130 {
		t.Errorf("the token of a list at rest changed on %d of 400 days", moved)
	}
}

func TestNamesOfWhatIsGoneAreForgotten(t *testing.T) {
	d := openDAV(t)
	d.put("o", vtodo("UID:u", "SUMMARY:x"))
	d.ok(d.calendars.Delete(d.Context(), d.ann, d.uid, "o", ""))
	d.put("p", vtodo("UID:v", "SUMMARY:x"))
	d.put("p", vtodo("UID:v", "SUMMARY:y"))
	d.ok(d.db.Write(d.Context(), func(tx *store.Tx) error {
		return tx.Exec(`UPDATE meta SET value = 1000000 WHERE name = 'words_to'`)
	}))
	d.ok(d.db.Write(d.Context(), func(tx *store.Tx) error {
		return tx.Exec(`INSERT INTO meta (name, value) VALUES ('words_to', 1000000) ON CONFLICT DO NOTHING`)
	}))
	d.ok(d.db.Write(d.Context(), func(tx *store.Tx) error {
		return tx.Exec(`UPDATE changes SET at = at - ?`, (100 * 24 * time.Hour).Milliseconds())
	}))
	if _, err := d.db.PruneChanges(d.Context(), store.Keep{Changes: 90 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if n := d.db.Count(t, `SELECT count(*) FROM task_names`); n != 1 {
		t.Errorf("%d names, want that of what is there", n)
	}
}
