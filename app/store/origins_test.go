package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"taskapi/app"
	"taskapi/app/account"
)

func TestOriginsOfSessions(t *testing.T) {
	db := openTest(t)
	for i, s := range []struct{ email, address string }{
		{"ann@example.com", "192.0.2.1"}, {"Ben@example.com", "2001:db8::1"}, {"cid@example.com", ""}, {"dan@example.com", "not an address"},
	} {
		user := addUser(t, db, s.email, app.RoleUser)
		session := account.Session{
			ID: fmt.Sprintf("%022d", i), UserID: user.ID, Generation: 1, CreatedAt: testNow, ExpiresAt: testNow.Add(time.Hour),
			LastUsedAt: testNow.Add(time.Duration(i) * time.Minute), Address: s.address,
		}
		if err := db.CreateSession(context.Background(), session, account.SignIn{PasswordHash: user.PasswordHash}, account.Record{}); err != nil {
			t.Fatal(err)
		}
	}
	origins := func(since time.Time, limit int) (got []string) {
		err := db.Origins(context.Background(), since, limit, func(email string, from app.Origin, at time.Time) {
			got = append(got, fmt.Sprint(email, " ", from.Address, " ", at.Sub(testNow)))
		})
		if err != nil {
			t.Error(err)
		}
		return got
	}
	ann, ben, dan := "ann@example.com 192.0.2.1 0s", "Ben@example.com 2001:db8::1 1m0s", "dan@example.com invalid IP 3m0s"
	for _, tc := range []struct {
		since time.Time
		limit int
		want  []string
	}{
		{time.Time{}, 10, []string{dan, ben, ann}},
		{time.Time{}, 2, []string{dan, ben}},
		{testNow, 10, []string{dan, ben}},
	} {
		if got := origins(tc.since, tc.limit); !slices.Equal(got, tc.want) {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}
