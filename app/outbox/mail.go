package outbox

import (
	"context"
	"time"
)

// MailTemplate names a pair of templates, HTML and text, in web/mail.
type MailTemplate string

// The mails that taskapi sends.
const (
	// MailWelcome greets a user who has just registered. Data: Username, empty
	// for one that is better not repeated, and Link.
	MailWelcome MailTemplate = "welcome"
	// MailVerify has the link that proves an address. Data: Link.
	MailVerify MailTemplate = "verify-email"
	// MailReset has the link for a new password. Data: Link.
	MailReset MailTemplate = "reset-password"
	// MailPassword tells of a new password. Data: When, Address.
	MailPassword MailTemplate = "password-changed"
	// MailPasswordReset tells of a new password that was set by a link. Data:
	// When, Address.
	MailPasswordReset MailTemplate = "password-reset"
	// MailEmailPending tells the old address of a wish for a new one. Data:
	// When, Address, Email.
	MailEmailPending MailTemplate = "email-pending"
	// MailEmail tells the old address that it is no longer the user's. Data:
	// When, Address, Email.
	MailEmail MailTemplate = "email-changed"
	// MailReplay tells that a session was ended since an old refresh token of
	// it was shown. Data: When, Address.
	MailReplay MailTemplate = "session-ended"
	// MailAPIToken tells of a new API token. Data: When, Address, Name.
	MailAPIToken MailTemplate = "api-token-created"
	// MailInvitation has the link that lets somebody join a list. Data: Link, and
	// Username and List, empty for one that is better not repeated.
	MailInvitation MailTemplate = "list-invitation"
	// MailListOwner tells a member that a list is theirs now, since its owner's account
	// was deleted. Data: List, empty for one that is better not repeated.
	MailListOwner MailTemplate = "list-handed-over"
	// MailWebhookOff tells that a webhook was switched off. Data: Webhook, its number; Since;
	// and Gone, which is not empty if its receiver asked for that.
	MailWebhookOff MailTemplate = "webhook-off"
	// MailReminder tells of tasks that somebody wanted to be reminded of. Data: Items, see
	// ItemsText; More, how many tasks are not named; and Last, empty unless no more of these
	// mails go out today.
	MailReminder MailTemplate = "reminder"
)

// MailStatus is where a mail stands.
type MailStatus string

const (
	// MailQueued waits for its next attempt.
	MailQueued MailStatus = "queued"
	// MailSent was accepted by the mail server.
	MailSent MailStatus = "sent"
	// MailDead was given up: refused for good, or tried too often.
	MailDead MailStatus = "dead"
)

// NewMail is a mail to queue.
type NewMail struct {
	Template  MailTemplate
	To        string
	Data      map[string]string // values for the template
	CreatedAt time.Time
	// Link, if there is one, is stored with the mail.
	Link *NewLink
}

// Mail is one message in the outbox.
type Mail struct {
	ID       int64
	UserID   int64
	Template MailTemplate
	To       string
	Data     map[string]string
	// MessageID is the left side of the Message-ID header. It is the same at
	// every attempt, so that a receiver can tell a repetition.
	MessageID string
	Status    MailStatus
	// Attempts counts the dialogues begun so far, the present one included.
	Attempts  int
	CreatedAt time.Time
	NextAt    time.Time // next attempt, for a queued mail
	SentAt    time.Time // zero unless sent
	LastError string    // why the last attempt failed; empty if none did
}

// LongestMailWait is how long a mail waits at most for its next attempt.
const LongestMailWait = 8 * time.Hour

// Outbox keeps mails from the transaction that caused them until they are
// sent. Sending happens outside of any transaction and at least once: a claim
// that is neither settled nor renewed before its lease ends is claimed again.
type Outbox interface {
	// ClaimMail takes a queued mail that is due, of each account in turn the one
	// that is due longest, counts an attempt and puts its next one at now +
	// lease. False when none is due; then due is when the next one will be,
	// zero if nothing is queued. None waits longer than LongestMailWait.
	ClaimMail(ctx context.Context, now time.Time, lease time.Duration) (mail Mail, due time.Time, found bool, err error)
	// MailSent settles a claim.
	MailSent(ctx context.Context, id int64, now time.Time) error
	// MailFailed records why an attempt failed. With a zero next the mail is
	// dead, else it stays queued until then.
	MailFailed(ctx context.Context, id int64, reason string, next time.Time) error
}

// Purpose is what a link is good for.
type Purpose string

const (
	// PurposeReset sets a new password.
	PurposeReset Purpose = "reset"
	// PurposeVerify proves the address that a user has.
	PurposeVerify Purpose = "verify"
	// PurposeChange makes an address the user's.
	PurposeChange Purpose = "change"
)

// NewLink is what is stored of the link in a mail, besides its address.
type NewLink struct {
	Hash      string // of the code that stands in it
	Purpose   Purpose
	ExpiresAt time.Time
}
