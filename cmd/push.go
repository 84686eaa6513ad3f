package cmd

import (
	"context"
	"crypto/rand"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/push"
	"taskapi/app/todo"
	"taskapi/app/webhook"
	"taskapi/cmd/settings"
)

// pushPatience bounds the steps of a connection to a push service.
const pushPatience = 10 * time.Second

// reminders is what fires reminders and what pushes them.
type reminders struct {
	alarm  *todo.Alarm
	pushes *push.Sender
}

// reminders builds that, and adds what browsers subscribe with.
func (a *application) reminders(ctx context.Context, s settings.Settings, db *database, config *api.Config) (reminders, error) {
	text, err := db.PushKey(ctx, func() (string, error) { return push.NewKey(rand.Reader) })
	if err != nil {
		return reminders{}, err
	}
	key, err := push.ReadKey(text)
	if err != nil {
		return reminders{}, err
	}
	guard := webhook.NewGuard(nil)
	sender := push.NewSender(db, guard.Client(pushPatience, nil), key, pushSubject(s), a.clock.Now, config.Log)
	alarm := todo.NewAlarm(db, s.Mail.Server != "", a.clock.Now, sender.Wake, config.Log)
	db.OnReminder(alarm.Wake)
	config.Push = &outbox.Subscriptions{Store: db, Key: key.Public(), Allowed: guard.Allows, Now: a.clock.Now}
	return reminders{alarm, sender}, nil
}

// pushSubject is whom a push service may turn to: the operator.
func pushSubject(s settings.Settings) string {
	if strings.HasPrefix(s.PublicURL, "https://") {
		return s.PublicURL
	}
	if from, err := mail.ParseAddress(s.Mail.From); err == nil {
		return from.Address
	}
	host := "localhost"
	if public, err := url.Parse(s.PublicURL); err == nil && public.Hostname() != "" {
		host = public.Hostname()
	}
	return "postmaster@" + host
}
