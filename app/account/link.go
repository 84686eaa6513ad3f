package account

import (
	"context"
	"maps"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/token"
)

// How long a link in a mail is valid.
const (
	ResetTTL  = 30 * time.Minute
	VerifyTTL = 7 * 24 * time.Hour
)

// Link is a valid link that somebody followed.
type Link struct {
	UserID  int64
	Purpose outbox.Purpose
	Email   string // to which it was sent
}

// dataSeed is the key of a mail's data with the seed of its link, which is made when
// the mail is sent.
const dataSeed = "Seed"

// Links makes the links in mails.
type Links struct {
	Codes *token.Codes
	// PublicURL is where people reach the server, without a slash at its end.
	PublicURL string
}

// mail returns a mail with a link in it.
func (l *Links) mail(template outbox.MailTemplate, to string, data map[string]string, purpose outbox.Purpose, now time.Time) (outbox.NewMail, error) {
	ttl := VerifyTTL
	if purpose == outbox.PurposeReset {
		ttl = ResetTTL
	}
	seed, hash, err := l.Codes.New()
	if err != nil {
		return outbox.NewMail{}, err
	}
	filled := map[string]string{dataSeed: seed}
	maps.Copy(filled, data)
	return outbox.NewMail{
		Template: template, To: to, Data: filled, CreatedAt: now,
		Link: &outbox.NewLink{Hash: hash, Purpose: purpose, ExpiresAt: now.Add(ttl)},
	}, nil
}

// Fill returns the data of a mail with its Link, made from the seed. The code is in
// the fragment, which browsers don't send, so that it appears in no log.
func (l *Links) Fill(m outbox.Mail) map[string]string {
	data := map[string]string{"Link": ""}
	maps.Copy(data, m.Data)
	page := "/verify-email#"
	switch m.Template {
	case outbox.MailReset:
		page = "/reset-password#"
	case outbox.MailInvitation:
		page = "/invitation#"
	}
	if m.Template == outbox.MailReminder {
		data["Link"] = l.PublicURL + "/"
	}
	if code, ok := l.Codes.Code(data[dataSeed]); ok {
		data["Link"] = l.PublicURL + page + code
	}
	delete(data, dataSeed)
	return data
}

// notice is a mail to the owner of an account about what was done to it.
func noticeOf(c app.Caller, template outbox.MailTemplate, to, email string, now time.Time) outbox.NewMail {
	address := c.From.Text()
	if address == "" {
		address = "the command line of the server"
	}
	return outbox.NewMail{
		Template: template, To: to, CreatedAt: now,
		Data: map[string]string{"When": now.UTC().Format("2 January 2006, 15:04 UTC"), "Address": address, "Email": email},
	}
}

// LinkStore keeps what links are good for.
type LinkStore interface {
	User(ctx context.Context, id int64) (User, error)
	// RecordByEmail adds the lines and mails that record makes about the user
	// with the address, in the transaction that reads the user: a link goes to
	// no address that has stopped being the user's. Else ErrUserNotFound.
	RecordByEmail(ctx context.Context, email string, record func(User) (Record, error)) error
	// Link returns what a link is good for, else ErrLinkInvalid.
	Link(ctx context.Context, hash string, now time.Time) (Link, error)
	// ResetPassword uses a PurposeReset link up, while the address it was sent
	// to is the user's: it sets the password, ends all sessions, API tokens and
	// reset links of the user and, since the address is proven, verifies it.
	// Else ErrLinkInvalid.
	ResetPassword(ctx context.Context, hash, passwordHash string, now time.Time, record Record) (User, error)
	// VerifyEmail uses a PurposeVerify or PurposeChange link up. Returns
	// ErrLinkInvalid when the address is no longer the user's, or no longer
	// the one they want, and ErrEmailTaken when it is another user's by now.
	VerifyEmail(ctx context.Context, hash string, now time.Time, record func(Link, User) Record) (User, error)
}
