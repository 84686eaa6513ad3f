package webhook_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"taskapi/app/account"
	"taskapi/app/outbox"
	"taskapi/app/todo"
	"taskapi/app/webhook"
)

// share puts members into a list of the user's.
func (w *world) share(members []account.User) todo.List {
	w.t.Helper()
	ctx := context.Background()
	list, err := w.db.CreateList(ctx, w.as(w.user), todo.NewList{Name: "l", CreatedAt: w.now()})
	w.must(err)
	for _, one := range members {
		hash := fmt.Sprintf("%043d", one.ID)
		_, err := w.db.Invite(ctx, w.as(w.user), todo.ByID(list.ID), todo.NewInvitation{Role: todo.RoleEditor, Hash: hash, CreatedAt: w.now(), ExpiresAt: w.now().Add(time.Hour)}, todo.Letter{})
		w.must(err)
		_, err = w.db.AcceptInvitation(ctx, w.as(one), hash, w.now())
		w.must(err)
	}
	return list
}

// BenchmarkWrites measures how fast 16 people write while webhooks are told of it, by HTTP to a
// receiver in the same process.
func BenchmarkWrites(b *testing.B) {
	for _, c := range []struct {
		name    string
		perUser int
		events  outbox.EventSet
		others  bool // than who write
	}{
		{"without webhooks", 0, 0, false},
		{"1000 webhooks of others", 20, outbox.EventTaskCreated, true},
		{"50 members with 10 webhooks for something else", 10, outbox.EventTaskDeleted, false},
		{"50 members with 10 webhooks", 10, outbox.EventTaskCreated, false},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWorld(b)
			var members []account.User
			for i := range 49 {
				members = append(members, w.addUser(fmt.Sprint("m", i)))
			}
			list := w.share(members)
			hooked := append([]account.User{w.user}, members...)
			if c.others {
				hooked = nil
				for i := range 50 {
					hooked = append(hooked, w.addUser(fmt.Sprint("o", i)))
				}
			}
			receiver := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				answer.WriteHeader(http.StatusNoContent)
			}))
			b.Cleanup(receiver.Close)
			for _, user := range hooked {
				for range c.perUser {
					_, err := w.db.CreateWebhook(context.Background(), w.as(user), outbox.NewWebhook{URL: receiver.URL, Events: c.events, Secret: make([]byte, 32), CreatedAt: w.now()})
					w.must(err)
				}
			}
			d := w.dispatcher()
			d.After = time.After
			d.Sender = webhook.NewSender("bench", []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil, w.now, slog.New(slog.DiscardHandler))
			told := make(chan struct{}, 1<<20)
			d.Count = func(webhook.Outcome) { told <- struct{}{} }
			w.background(d.Run)
			b.ResetTimer()
			var writers sync.WaitGroup
			share := make(chan struct{}, b.N)
			for range b.N {
				share <- struct{}{}
			}
			close(share)
			for i := range 16 {
				writers.Go(func() {
					by := hooked[0]
					if c.others {
						by = w.user
					} else if i < len(hooked) {
						by = hooked[i]
					}
					for range share {
						if _, err := w.db.CreateTask(context.Background(), w.as(by), todo.NewTask{UserID: w.user.ID, List: todo.ByID(list.ID), Title: "t", CreatedAt: w.now()}); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			writers.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
			b.ReportMetric(float64(len(told))/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}
