package cmd

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"

	"taskapi/app/api"
	"taskapi/app/outbox"
	"taskapi/app/webhook"
	"taskapi/cmd/settings"
)

// newWebhooks adds the use cases of webhooks to what a server is made of, and returns what tells
// their receivers. The server, which is made later, makes the bodies.
func (a *application) newWebhooks(config *api.Config, s settings.Settings, db *database, postage *outbox.Postage, server func() *api.Server, log *slog.Logger) *webhook.Dispatcher {
	hub := config.Sync.Hub
	d := webhook.NewDispatcher()
	db.OnWebhook(d.Changed)
	d.Store, d.Lineage, d.Notices, d.Now, d.Chance, d.Log = db, db.Lineage(), postage.Notices, a.clock.Now, mathrand.Float64, log
	d.Sender = webhook.NewSender(a.build.Version, s.WebhookNetworks, nil, a.clock.Now, log)
	d.Body = func(ctx context.Context, userID int64, e outbox.WebhookEvent) ([]byte, error) {
		return server().WebhookBody(ctx, userID, e)
	}
	d.Follow = func(userID int64) (<-chan struct{}, func()) {
		follower := hub.Follow(userID)
		return follower.C, follower.Close
	}
	config.Webhooks = &outbox.Webhooks{Store: db, Sender: d.Sender, Lineage: d.Lineage, Now: a.clock.Now, Random: rand.Reader}
	return d
}
