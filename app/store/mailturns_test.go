package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/store"
)

// However many mails there are to one account, others have theirs in between;
// each account's come in their order, and those of the others in the order in
// which they are due.
func TestAccountsHaveTheirMailsInTurn(t *testing.T) {
	ctx, db := context.Background(), openTest(t)
	queue := func(user account.User, name string, n int, at time.Time) {
		t.Helper()
		var record account.Record
		for i := range n {
			record.Mails = append(record.Mails, outbox.NewMail{Template: outbox.MailReplay, To: fmt.Sprint(name, i), CreatedAt: at})
		}
		if err := db.RecordByEmail(ctx, user.Email, func(account.User) (account.Record, error) { return record, nil }); err != nil {
			t.Fatal(err)
		}
	}
	user := func(name string) account.User {
		return addUser(t, db, name+"@example.com", app.RoleUser)
	}
	many, two, one := user("many"), user("two"), user("one")
	now := testNow
	var came []string
	claim := func(n int) {
		t.Helper()
		for range n {
			mail, _, found, err := db.ClaimMail(ctx, now, time.Hour)
			if err != nil || !found {
				t.Fatal(found, err)
			}
			came = append(came, mail.To)
			now = now.Add(time.Millisecond)
		}
	}
	claim(3) // their welcome
	came, now = nil, now.Add(2*store.MailTurnMax)
	queue(many, "m", 8, now)
	claim(3)
	now = now.Add(time.Millisecond)
	queue(two, "t", 2, now)
	queue(one, "o", 1, now.Add(time.Millisecond))
	now = now.Add(time.Millisecond)
	claim(8)
	if got, want := strings.Join(came, " "), "m0 m1 m2 t0 o0 t1 m3 m4 m5 m6 m7"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, _, found, err := db.ClaimMail(ctx, now, time.Hour); found || err != nil {
		t.Errorf("one more: %v, %v", found, err)
	}
}

// A claim takes what is due by then, whatever became of the mail it was to be.
func TestAClaimIsOfWhatIsStillDue(t *testing.T) {
	db := openTest(t)
	ann, ben := addUser(t, db, "ann@example.com", app.RoleUser), addUser(t, db, "ben@example.com", app.RoleUser)
	store.MailSentNow(db.DB, ann.ID, testNow)
	deleted := make(chan error, 1)
	release := held(t, db)
	go func() {
		deleted <- db.DeleteUser(context.Background(), app.Operator(), ben.ID, account.PassShared, account.Record{})
	}()
	pile(db, 1)
	claimed := make(chan string, 1)
	go func() {
		mail, _, _, err := db.ClaimMail(context.Background(), testNow, time.Minute)
		claimed <- fmt.Sprint(mail.To, err)
	}()
	pile(db, 2)
	release()
	if err := <-deleted; err != nil {
		t.Fatal(err)
	}
	if got := <-claimed; got != "ann@example.com<nil>" {
		t.Errorf("claimed %s", got)
	}
}
