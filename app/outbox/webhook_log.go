package outbox

import "context"

// WebhookLog is what telling webhooks of changes reads and writes.
type WebhookLog interface {
	// WebhookUsers returns who has active webhooks.
	WebhookUsers(ctx context.Context) ([]int64, error)
	// ActiveWebhooks returns those of a user; none of one who was deleted.
	ActiveWebhooks(ctx context.Context, userID int64) ([]Webhook, error)
	// WebhookEvents returns what happened, that a user may see, after a change.
	WebhookEvents(ctx context.Context, userID, after int64, limit int) (WebhookPage, error)
	// SaveWebhooks stores how webhooks stand, in one transaction, and returns the ids of those
	// that somebody else has changed meanwhile, of which nothing is stored.
	SaveWebhooks(ctx context.Context, all []WebhookSave) (stale []int64, err error)
}

// WebhookPage is a part of the log.
type WebhookPage struct {
	Events []WebhookEvent
	// UpTo is the change up to which the page has all; More says that it is not the newest one.
	UpTo int64
	More bool
	// Newest is the newest change of all.
	Newest int64
	// Pruned says that the log has lost changes after the one that was asked for.
	Pruned bool
}

// WebhookSave is what is stored of how a webhook stands.
type WebhookSave struct {
	ID, UserID int64
	// Known is the progress that was stored before.
	Known, Progress Progress
	Deliveries      []Delivery
	// Trim removes old deliveries.
	Trim bool
	// Mails tell the user that the webhook was switched off.
	Mails []NewMail
}
