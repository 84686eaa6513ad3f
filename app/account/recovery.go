package account

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/password"
)

const (
	// maxAsked is how many requests for a mail may wait to be looked at, of
	// those who have some waiting already; see Line.
	maxAsked = 1000
	// maxAskedOfOne is how many of those may be from one network.
	maxAskedOfOne = 60
)

// Recovery holds the use cases of people who can't sign in, and of addresses that
// must be verified. Its answers never reveal whether an address has an account: a
// request only queues what was asked for, and Run looks the account up.
type Recovery struct {
	Store     LinkStore
	Links     *Links
	Passwords *password.Hasher
	Policy    PasswordPolicy
	Postage   *outbox.Postage // nil is no limit
	Guard     *Guard
	Audit     *Audit
	Now       func() time.Time
	Log       *slog.Logger

	asked *app.Line[app.Claimant, asked]
	wake  chan struct{} // has an element while something may wait
}

// asked is a request for a mail.
type asked struct {
	caller app.Caller
	email  string
	kind   outbox.MailTemplate
}

// NewRecovery completes a Recovery.
func NewRecovery(r Recovery) *Recovery {
	r.asked = &app.Line[app.Claimant, asked]{Each: maxAskedOfOne, Max: maxAsked}
	r.wake = make(chan struct{}, 1)
	return &r
}

// Run looks up the accounts and queues their mails until the context ends and no
// request is left.
func (r *Recovery) Run(ctx context.Context) {
	for {
		next := r.asked.Take(nil, 1)
		for _, a := range next {
			r.answer(context.WithoutCancel(ctx), a)
		}
		if len(next) > 0 {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
		}
	}
}

// Forgot asks for a mail with a link for a new password. Returns KindInvalid
// errors, KindLimited for an address that has had too many, with an account or
// without, and ErrBusy when too many wait, or too many of the caller's network.
func (r *Recovery) Forgot(ctx context.Context, caller app.Caller, email app.Field[string]) error {
	return r.ask(ctx, caller, email, outbox.MailReset)
}

// ResendVerification asks for another mail that proves an address. Returns
// what Forgot does.
func (r *Recovery) ResendVerification(ctx context.Context, caller app.Caller, email app.Field[string]) error {
	return r.ask(ctx, caller, email, outbox.MailVerify)
}

func (r *Recovery) ask(ctx context.Context, caller app.Caller, email app.Field[string], kind outbox.MailTemplate) error {
	p := app.Problems{}
	address := p.Email(true, email)
	if err := p.Err(); err != nil {
		return err
	}
	if wait, first := r.Postage.Take(*address, 0); wait > 0 {
		if first {
			r.Audit.Limited(ctx, caller, r.Now(), string(kind))
		}
		return app.TooMany(wait)
	}
	// All requests of one network share its places, signed in or not.
	if !r.asked.Join(app.Claimant{Network: caller.From.Network()}, asked{caller, *address, kind}) {
		return app.ErrBusy
	}
	select {
	case r.wake <- struct{}{}:
	default: // it will look anyway
	}
	return nil
}

// answer queues the mail that was asked for, if there is an account.
func (r *Recovery) answer(ctx context.Context, a asked) {
	err := r.Store.RecordByEmail(ctx, a.email, func(user User) (Record, error) { return r.record(a, user) })
	if err != nil && !errors.Is(err, ErrUserNotFound) {
		r.Log.ErrorContext(ctx, "mail not queued", "template", a.kind, "error", err)
	}
}

func (r *Recovery) record(a asked, user User) (record Record, err error) {
	now, purpose := r.Now(), outbox.PurposeVerify
	switch {
	case a.kind == outbox.MailReset:
		purpose = outbox.PurposeReset
		record.Events = []Event{EventOf(a.caller, EventResetRequested, user.ID, now, "")}
	case user.Verified():
		return Record{}, nil
	}
	mail, err := r.Links.mail(a.kind, user.Email, nil, purpose, now)
	record.Mails = []outbox.NewMail{mail}
	return record, err
}

// ResetInput is what sets a new password by a link.
type ResetInput struct {
	Token           app.Field[string]
	Password        app.Field[string]
	ConfirmPassword app.Field[string]
}

// Reset sets a new password with the code of a reset link, ends all sessions and API
// tokens of the user, and sends them a notice. Returns KindInvalid errors,
// ErrLinkInvalid, and ErrBusy while too many passwords are being hashed.
func (r *Recovery) Reset(ctx context.Context, caller app.Caller, in ResetInput) error {
	p := app.Problems{}
	raw := linkCode(p, in.Token)
	// First without the user's names, because only the link reveals the user.
	newPassword(p, r.Policy, true, in.Password, in.ConfirmPassword)
	if err := p.Err(); err != nil {
		return err
	}
	hash, link, err := r.link(ctx, caller, raw)
	if err != nil {
		return err
	}
	if link.Purpose != outbox.PurposeReset {
		return ErrLinkInvalid
	}
	user, err := r.Store.User(ctx, link.UserID)
	if err != nil {
		return ErrLinkInvalid.With(err)
	}
	plain := newPassword(p, r.Policy, true, in.Password, in.ConfirmPassword, user.Username, user.Email)
	if err := p.Err(); err != nil {
		return err
	}
	passwordHash, err := hashPassword(ctx, r.Passwords, *plain)
	if err != nil {
		return err
	}
	now := r.Now()
	caller.UserID = user.ID // who holds the link is the user
	user, err = r.Store.ResetPassword(ctx, hash, passwordHash, now, Record{
		Events: []Event{EventOf(caller, EventPasswordReset, user.ID, now, "")},
		Mails:  r.Postage.Notices(user.ID, noticeOf(caller, outbox.MailPasswordReset, "", user.Email, now)),
	})
	if err != nil {
		return err
	}
	r.Guard.Trust(caller.From, app.EmailKey(user.Email))
	r.Postage.Forget(user.Email)
	return nil
}

// linkCode returns the field token, which holds the code of a link.
func linkCode(p app.Problems, field app.Field[string]) string {
	return credential(p, "token", "The field token must be a string.", field)
}

// link looks up a link by its code. It records refused codes in the audit.
func (r *Recovery) link(ctx context.Context, caller app.Caller, code string) (hash string, link Link, err error) {
	hash, ok := r.Links.Codes.Parse(code)
	if ok {
		link, err = r.Store.Link(ctx, hash, r.Now())
	} else {
		err = ErrLinkInvalid
	}
	if errors.Is(err, ErrLinkInvalid) {
		r.Audit.Note(ctx, EventOf(caller, EventLinkRefused, 0, r.Now(), ""))
	}
	return hash, link, err
}

// VerifyEmail proves an address by the code of a link; the one that a user
// wanted to change to becomes theirs. Returns KindInvalid errors, ErrEmailTaken
// among them, and ErrLinkInvalid.
func (r *Recovery) VerifyEmail(ctx context.Context, caller app.Caller, code app.Field[string]) (User, error) {
	p := app.Problems{}
	raw := linkCode(p, code)
	if err := p.Err(); err != nil {
		return User{}, err
	}
	hash, _, err := r.link(ctx, caller, raw)
	if err != nil {
		return User{}, err
	}
	now := r.Now()
	return r.Store.VerifyEmail(ctx, hash, now, func(link Link, before User) Record {
		caller.UserID = link.UserID
		record := RecordOf(EventOf(caller, EventEmailVerified, link.UserID, now, ""))
		if link.Purpose == outbox.PurposeChange {
			record.Events = append(record.Events, EventOf(caller, EventEmail, link.UserID, now, ""))
			record.Mails = []outbox.NewMail{noticeOf(caller, outbox.MailEmail, before.Email, link.Email, now)}
		}
		return record
	})
}
