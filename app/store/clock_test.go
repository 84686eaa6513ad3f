package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/app/storetest"
)

// A clock that is far beyond all that was written deletes nothing while it may
// still be set.
func TestHousekeepingUnderAClockThatIsAhead(t *testing.T) {
	ctx := context.Background()
	now := testNow
	options := storetest.Options{Now: func() time.Time { return now }}
	db := storetest.OpenWith(t, options)
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	addSession(t, db, testSession, ann)
	if err := db.AddEvent(ctx, account.Event{At: now, Name: account.EventLogin, UserID: ann.ID}); err != nil {
		t.Fatal(err)
	}
	now = testNow.AddDate(1, 0, 0)
	db = db.Another(t, options)
	if n, err := db.Housekeep(ctx, store.Keep{Events: 24 * time.Hour}); n != 0 || err != nil {
		t.Errorf("at the start, %d rows went (%v)", n, err)
	}
	now = testNow.Add(time.Minute) // the network has set it
	if _, err := db.Caller(ctx, testSession, ann.ID, now); err != nil {
		t.Errorf("the session: %v", err)
	}
	now = testNow.AddDate(1, 0, 0)
	db = db.Another(t, options)
	now = now.Add(time.Hour) // it was right
	if n, err := db.Housekeep(ctx, store.Keep{Events: 24 * time.Hour}); n == 0 || err != nil {
		t.Errorf("an hour later, %d rows went (%v)", n, err)
	}
}

// dial is a clock that can be set.
type dial struct {
	wall    time.Time
	elapsed time.Duration
}

func (d *dial) pass(by time.Duration) { d.wall, d.elapsed = d.wall.Add(by), d.elapsed+by }

func (d *dial) options() storetest.Options {
	return storetest.Options{Now: func() time.Time { return d.wall }, Elapsed: func() time.Duration { return d.elapsed }}
}

// Nor does one that is set far ahead, or back, while the server runs.
func TestHousekeepingWhileTheClockIsSet(t *testing.T) {
	d := &dial{wall: testNow}
	db := storetest.OpenWith(t, d.options())
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	addSession(t, db, testSession, ann)
	if err := db.AddEvent(t.Context(), account.Event{At: testNow, Name: account.EventLogin, UserID: ann.ID}); err != nil {
		t.Fatal(err)
	}
	keep := store.Keep{Events: 24 * time.Hour, Session: 7 * 24 * time.Hour}
	housekeep := func(want int64) {
		t.Helper()
		if n, err := db.Housekeep(t.Context(), keep); n != want || err != nil {
			t.Errorf("%d rows went, want %d (%v)", n, want, err)
		}
	}
	d.pass(time.Minute)
	housekeep(0)
	d.wall = d.wall.AddDate(1, 0, 0)
	housekeep(0)
	d.pass(time.Minute)
	housekeep(0)
	d.wall = d.wall.AddDate(-1, 0, 0)
	housekeep(0)
	if _, err := db.Caller(t.Context(), testSession, ann.ID, d.wall); err != nil {
		t.Error(err)
	}
	d.wall = d.wall.AddDate(1, 0, 0)
	housekeep(0)
	d.pass(time.Hour)
	housekeep(4) // two lines, the session and a link: it stays there
}

// What was made under a clock that was ahead for years does not stay for years.
func TestWhatAWrongClockHasMadeEndsInTime(t *testing.T) {
	d := &dial{wall: testNow.AddDate(20, 0, 0)}
	db := storetest.OpenWith(t, d.options())
	ann := addUser(t, db, "ann@example.com", app.RoleUser)
	session := account.Session{ID: testSession, UserID: ann.ID, Generation: 1, CreatedAt: d.wall, LastUsedAt: d.wall, ExpiresAt: d.wall.Add(7 * 24 * time.Hour)}
	link := outbox.NewLink{Hash: linkHash("l"), Purpose: outbox.PurposeReset, ExpiresAt: d.wall.Add(account.ResetTTL)}
	record := account.Record{
		Events: []account.Event{{At: d.wall, Name: account.EventLogin, UserID: ann.ID}},
		Mails:  []outbox.NewMail{{Template: "t", To: "ann@example.com", CreatedAt: d.wall, Link: &link}},
	}
	if err := db.CreateSession(t.Context(), session, account.SignIn{PasswordHash: testHash}, record); err != nil {
		t.Fatal(err)
	}
	d.wall = testNow
	db = db.Another(t, d.options())
	by := app.Caller{UserID: ann.ID, Role: ann.Role, SessionID: testSession, Proof: app.Proof{SignedInSince: testNow.Add(-account.RecentSignIn)}}
	if _, err := db.EndSessions(t.Context(), by, true, account.Record{}); !errors.Is(err, account.ErrProofNeeded) {
		t.Errorf("a sign-in of the year 2046 is a recent one: %v", err)
	}
	for range 2 { // the greeting of the user, and the link
		if _, _, found, err := db.ClaimMail(t.Context(), testNow, time.Minute); !found || err != nil {
			t.Errorf("a mail of the year 2046 waits: %v", err)
		}
	}
	keep := store.Keep{Events: 24 * time.Hour, Session: 7 * 24 * time.Hour, ClockFree: true}
	d.pass(time.Hour)
	live := func() (all [2]bool) {
		t.Helper()
		if _, err := db.Housekeep(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
		_, err := db.Caller(t.Context(), testSession, ann.ID, d.wall)
		_, linkErr := db.Link(t.Context(), linkHash("l"), d.wall)
		return [2]bool{err == nil, linkErr == nil}
	}
	// A clock that nothing keeps right may be the wrong one.
	for _, c := range []struct {
		free bool
		pass time.Duration
		want [2]bool
	}{
		{true, 30 * 24 * time.Hour, [2]bool{true, true}},
		{false, 0, [2]bool{true, true}},
		{false, account.ResetTTL, [2]bool{true, false}},
		{false, 7 * 24 * time.Hour, [2]bool{false, false}},
	} {
		keep.ClockFree = c.free
		d.pass(c.pass)
		if got := live(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
	if newest, err := db.Newest(t.Context()); err != nil || newest.Year() != testNow.Year()+20 {
		t.Errorf("the newest row is of %s (%v)", newest, err)
	}
}

func TestNewestOfNothing(t *testing.T) {
	db := openTest(t)
	if newest, err := db.Newest(t.Context()); err != nil || !newest.IsZero() {
		t.Error(newest, err)
	}
}
