package api_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"taskapi/app/outbox"
	"taskapi/app/todo"
)

// fire fires what is due now.
func (s *server) fire() todo.Fired {
	s.t.Helper()
	fired, err := s.db.FireReminders(context.Background(), s.clock.Now(), true)
	must(s.t, err)
	return fired
}

// told are the tasks that a person was told to be due, in that order.
func (s *server) told(p person) string {
	s.t.Helper()
	return strings.Join(s.db.Lines(s.t, `SELECT CAST(entity AS TEXT) FROM changes WHERE scope = ? AND op = ? ORDER BY seq`, -p.id, int(todo.OpDue)), " ")
}

// verify proves the address of a person.
func (s *server) verify(p person) {
	s.t.Helper()
	s.call("POST", "/auth/email/resend", "", fmt.Sprintf(`{"email":%q}`, p.email))
	if a := s.call("POST", "/auth/email/verify", "", fmt.Sprintf(`{"token":%q}`, s.code(s.mail(outbox.MailVerify)))); a.status != 200 {
		s.t.Fatalf("verify: %d %s", a.status, a.text)
	}
}

// reminderMails are the mails with reminders that were queued since the last look, as the titles in
// them.
func (s *server) reminderMails() (mails []string) {
	for {
		select {
		case m := <-s.mails:
			if m.Template != outbox.MailReminder {
				continue
			}
			items, err := outbox.ItemsOf(m.Data["Items"])
			must(s.t, err)
			var titles []string
			for _, item := range items {
				titles = append(titles, item.Title)
			}
			text := strings.Join(titles, ", ")
			if m.Data["More"] != "" {
				text += " +" + m.Data["More"]
			}
			if m.Data["Last"] != "" {
				text += " (last)"
			}
			mails = append(mails, text)
		default:
			return mails
		}
	}
}

// later moves the clock, which has been looked at before, and signs in again.
func (s *server) later(d time.Duration) person {
	s.t.Helper()
	s.fire()
	s.clock.advance(d)
	return s.login("ann")
}

func TestAReminderFiresOnce(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		want  bool
	}{
		"too early": {29 * time.Minute, false}, "in time": {30 * time.Minute, true}, "after an outage": {23 * time.Hour, true},
		"after a whole day": {24*time.Hour + 31*time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			s.signUp("ann")
			ann := s.at("2027-03-01T10:00:00Z")
			id := s.made(ann, `{"title":"t","reminders":[{"at":"2027-03-01T10:30:00Z"}]}`).id("task.id")
			ann = s.later(c.after)
			want := ""
			if c.want {
				want = fmt.Sprint(id)
			}
			for range 3 {
				s.fire()
			}
			if got := s.told(ann); got != want {
				t.Errorf("told of %q, want %q", got, want)
			}
			if fires := s.fires(id, ann); (fires == "-") != (name != "too early") {
				t.Errorf("it still fires at %s", fires)
			}
			// Nothing that happens to the task afterwards makes it fire again.
			for _, change := range []string{`{"due":"2027-03-01T10:00"}`, `{"completed":true}`, `{"completed":false}`, `{"reminders":[{"at":"2027-03-01T10:30:00Z"}]}`} {
				s.changed(ann, id, "%s", change)
				s.fire()
			}
			if got := s.told(ann); got != want {
				t.Errorf("after changes: told of %q, want %q", got, want)
			}
		})
	}
}

// What a person can't see, or has done, they are not reminded of.
func TestSilencedReminders(t *testing.T) {
	for name, silence := range map[string]func(s *server, id, list int64, people map[string]person){
		"completed": func(s *server, id, _ int64, people map[string]person) {
			s.changed(people["editor"], id, `{"completed":true}`)
		},
		"deleted": func(s *server, id, _ int64, people map[string]person) {
			s.call("DELETE", fmt.Sprint("/tasks/", id), people["owner"].access, "")
		},
		"left": func(s *server, _, list int64, people map[string]person) {
			s.call("DELETE", fmt.Sprintf("/lists/%d/members/%d", list, people["viewer"].id), people["viewer"].access, "")
		},
		"list in the trash": func(s *server, _, list int64, people map[string]person) {
			s.call("DELETE", fmt.Sprint("/lists/", list), people["owner"].access, "")
		},
		"account deleted": func(s *server, _, _ int64, people map[string]person) {
			s.call("DELETE", fmt.Sprint("/users/", people["viewer"].id), people["viewer"].access, "")
		},
		"reminder removed": func(s *server, id, _ int64, people map[string]person) {
			s.changed(people["viewer"], id, `{"reminders":[]}`)
		},
		"moved to a list of others": func(s *server, id, _ int64, people map[string]person) {
			inbox := s.call("GET", "/lists/", people["owner"].access, "").json["lists"].([]any)[0].(map[string]any)["id"]
			s.changed(people["owner"], id, `{"list_id":%v}`, inbox)
		},
		"nothing": func(*server, int64, int64, map[string]person) {},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			people := map[string]person{"owner": s.signUp("owner"), "viewer": s.signUp("viewer"), "editor": s.signUp("editor"), "former": s.signUp("former")}
			s.verify(people["viewer"])
			list := s.share(people)
			id := s.made(people["owner"], `{"title":"t","list_id":%d}`, list).id("task.id")
			s.changed(people["viewer"], id, `{"reminders":[{"at":%q}]}`, s.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339))
			silence(s, id, list, people)
			s.clock.advance(2 * time.Minute)
			s.fire()
			want := ""
			if name == "nothing" {
				want = fmt.Sprint(id)
			}
			if got, mails := s.told(people["viewer"]), len(s.reminderMails()); got != want || mails != len(strings.Fields(want)) {
				t.Errorf("told of %q in %d mails, want %q", got, mails, want)
			}
		})
	}
}

// Each repetition reminds; what was done early reminds of the next one only.
func TestRepetitionsFireAgain(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	ann := s.at("2027-03-01T08:00:00Z")
	id := s.made(ann, `{"title":"t","due":"2027-03-01T09:00","due_zone":"UTC","recurrence":"FREQ=DAILY","reminders":[{"before":"PT30M"}]}`).id("task.id")
	for day, want := range []string{fmt.Sprint(id), fmt.Sprint(id, " ", id), fmt.Sprint(id, " ", id, " ", id)} {
		ann = s.later(45 * time.Minute) // 08:45
		s.fire()
		if got := s.told(ann); got != want {
			t.Errorf("day %d: told of %q, want %q", day, got, want)
		}
		s.changed(ann, id, `{"completed":true}`)
		ann = s.later(23*time.Hour + 15*time.Minute)
	}
	before := s.told(ann)
	s.changed(ann, id, `{"completed":true}`) // at 08:00 and some seconds, before its reminder
	ann = s.later(time.Hour)
	s.fire()
	if got := s.told(ann); got != before {
		t.Errorf("told of what was done early: %q, was %q", got, before)
	}
}

// All that fires in one run for somebody is one mail, whatever was due before or in between.
func TestOneMailForAllThatIsDue(t *testing.T) {
	s := start(t)
	ann, bob := s.signUp("ann"), s.signUp("bob")
	s.verify(ann)
	s.verify(bob)
	at := s.clock.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	for i := range 120 { // more than one turn
		for _, p := range []person{ann, bob} {
			if i < 3 || p.id == bob.id {
				s.made(p, `{"title":"%s %d","due":"2027-03-01","reminders":[{"at":%q},{"at":%q}]}`, p.email, i, at, at)
			}
		}
	}
	s.reminderMails()
	s.clock.advance(2 * time.Minute)
	fired := s.fire()
	mails := s.reminderMails()
	if fired.Reminders != 123 || fired.Mailed != 123 || len(mails) != 2 {
		t.Fatalf("%+v in %d mails", fired, len(mails))
	}
	for _, mail := range mails {
		if strings.HasPrefix(mail, "ann") && mail != "ann @ example. com 0, ann @ example. com 1, ann @ example. com 2" || strings.HasPrefix(mail, "bob") && !strings.HasSuffix(mail, " +70") {
			t.Errorf("%s", mail)
		}
	}
	if again := s.fire(); again.Reminders != 0 || len(s.reminderMails()) != 0 {
		t.Errorf("fired again: %+v", again)
	}
}

// There are 100 mails a day, one that says so, and none until the next day.
func TestRemindersBecomeADigest(t *testing.T) {
	s := start(t)
	s.signUp("ann")
	s.at("2027-03-01T10:00:00Z")
	ann := s.at("2027-03-01T10:00:00Z")
	s.verify(ann)
	s.reminderMails()
	mailed := func() []string {
		t.Helper()
		a := s.call("POST", "/tasks/", ann.access, fmt.Sprintf(`{"title":"t","reminders":[{"at":%q}]}`, s.clock.Now().UTC().Format(time.RFC3339)))
		if a.status != 201 {
			t.Fatalf("%d %s", a.status, a.text)
		}
		s.fire()
		return s.reminderMails()
	}
	for i := range outbox.RemindersADay {
		if got := mailed(); len(got) != 1 || got[0] != "t" {
			t.Fatalf("mail %d: %v", i, got)
		}
	}
	if got := mailed(); len(got) != 1 || got[0] != "t (last)" {
		t.Errorf("the digest: %v", got)
	}
	if got := mailed(); len(got) != 0 {
		t.Errorf("after the digest: %v", got)
	}
	if got := len(strings.Fields(s.told(ann))); got != outbox.RemindersADay+2 {
		t.Errorf("the log tells of %d", got)
	}
	ann = s.at("2027-03-02T00:00:01Z")
	if got := mailed(); len(got) != 1 || got[0] != "t" {
		t.Errorf("the next day: %v", got)
	}
}

// Where reminders go is for the person to say, and shown to nobody else.
func TestReminderChannels(t *testing.T) {
	s := start(t)
	ann, admin := s.signUp("ann"), s.admin()
	path := fmt.Sprint("/users/", ann.id)
	if a := s.call("GET", path, ann.access, ""); a.json["reminder_channels"] != nil || !strings.Contains(a.text, `"reminder_channels":null`) {
		t.Errorf("at first: %s", a.text)
	}
	for body, want := range map[string]string{
		`["stream","mail"]`: `["mail","stream"]`, `[]`: `[]`, `null`: `null`, `["push"]`: `["push"]`, `["webhook","stream","push","mail"]`: `["mail","push","webhook","stream"]`,
	} {
		a := s.call("PATCH", path, ann.access, `{"reminder_channels":`+body+`}`)
		if a.status != 200 || !strings.Contains(a.text, `"reminder_channels":`+want) {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
		s.call("PATCH", path, ann.access, `{"username":"ann"}`)
		if a := s.call("GET", path, ann.access, ""); !strings.Contains(a.text, `"reminder_channels":`+want) {
			t.Errorf("%s: read %s", body, a.text)
		}
	}
	for _, body := range []string{`["fax"]`, `["mail","mail"]`, `"mail"`, `[5]`, `{}`, `[["mail"]]`} {
		if a := s.call("PATCH", path, ann.access, `{"reminder_channels":`+body+`}`); a.status != 422 || a.str("errors.reminder_channels") == "" {
			t.Errorf("%s: %d %s", body, a.status, a.text)
		}
	}
	for _, shown := range []answer{s.call("GET", path, admin.access, ""), s.call("GET", "/users/", admin.access, ""), s.call("GET", "/sync", ann.access, "")} {
		if strings.Contains(shown.text, "reminder_channels") {
			t.Errorf("shown: %s", shown.text)
		}
	}
}

// Mails go to a proven address only, and where the person wants them.
func TestWhoGetsMailsWithReminders(t *testing.T) {
	for name, c := range map[string]struct {
		channels                    string
		verified, subscribed, mails bool
		mailed, pushed              bool
	}{
		"the usual":                     {"null", true, false, true, true, false},
		"an address that is not proven": {"null", false, false, true, false, false},
		"a browser":                     {"null", true, true, true, false, true},
		"both":                          {`["mail","push"]`, true, true, true, true, true},
		"both, without a browser":       {`["mail","push"]`, true, false, true, true, false},
		"nothing":                       {"[]", true, true, true, false, false},
		"only by stream":                {`["stream"]`, true, true, true, false, false},
		"without a mail server":         {`["mail"]`, true, true, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			ann := s.signUp("ann")
			if c.verified {
				s.verify(ann)
			}
			if c.subscribed {
				s.subscribe(ann, "https://push.example.com/1")
			}
			s.call("PATCH", fmt.Sprint("/users/", ann.id), ann.access, `{"reminder_channels":`+c.channels+`}`)
			s.made(ann, `{"title":"t","reminders":[{"at":%q}]}`, s.clock.Now().UTC().Format(time.RFC3339))
			fired, err := s.db.FireReminders(context.Background(), s.clock.Now(), c.mails)
			must(t, err)
			if mails := len(s.reminderMails()); fired.Reminders != 1 || mails == 1 != c.mailed || fired.Pushed == 1 != c.pushed {
				t.Errorf("%+v, %d mails", fired, mails)
			}
			due, _, err := s.db.DuePushes(context.Background(), s.clock.Now(), 10)
			must(t, err)
			if len(due) == 1 != c.pushed {
				t.Errorf("%d are to be pushed", len(due))
			}
		})
	}
}

// What fires is on the disk with its mail or not at all.
func TestFiringIsOneTransaction(t *testing.T) {
	s := start(t)
	ann := s.signUp("ann")
	s.verify(ann)
	id := s.made(ann, `{"title":"t","reminders":[{"at":%q}]}`, s.clock.Now().UTC().Format(time.RFC3339)).id("task.id")
	s.reminderMails()
	s.db.SQLite(t, "its ids can be used up")
	last := s.db.Count(t, `SELECT seq FROM sqlite_sequence WHERE name = 'mails'`)
	sequence := func(seq int64) { s.db.Exec(t, `UPDATE sqlite_sequence SET seq = ? WHERE name = 'mails'`, seq) }
	sequence(math.MaxInt64) // no id is left for a mail
	if fired, err := s.db.FireReminders(context.Background(), s.clock.Now(), true); err == nil || fired.Reminders != 0 {
		t.Errorf("%+v, %v", fired, err)
	}
	if got := s.told(ann); got != "" || s.fires(id, ann) == "-" {
		t.Errorf("told of %q, fires %s", got, s.fires(id, ann))
	}
	sequence(last)
	if s.fire(); s.told(ann) != fmt.Sprint(id) || len(s.reminderMails()) != 1 {
		t.Errorf("told of %q", s.told(ann))
	}
}
