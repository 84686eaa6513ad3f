package account

import (
	"context"
	"errors"

	"taskapi/app"
	"taskapi/app/outbox"
)

// Update changes the fields that the input names and no others. To change a password
// or an address, the caller needs a session and a proof of presence: the current
// password for their own account, Proofs.Recent for an admin who changes another. A
// new password ends all sessions of the user except the caller's and, unless told to
// keep them, all API tokens; Update returns how many ended. With ConfirmEmail, a
// user's own new address waits for its link. Returns KindInvalid errors,
// ErrSessionNeeded, ErrForbidden, ErrScope, KindLimited and ErrBusy.
func (u *Users) Update(ctx context.Context, caller app.Caller, id int64, in UserInput) (User, Ended, error) {
	if err := access(caller, id); err != nil {
		return User{}, Ended{}, err
	}
	for try := 1; ; try++ {
		user, ended, err := u.update(ctx, caller, id, in)
		// The hash was replaced while the password was checked; check it against
		// the new one.
		if !errors.Is(err, ErrHashReplaced) || try == maxTries {
			return user, ended, err
		}
	}
}

// maxTries bounds the retries while concurrent requests replace the hash.
const maxTries = 8

func (u *Users) update(ctx context.Context, caller app.Caller, id int64, in UserInput) (User, Ended, error) {
	user, err := u.Store.User(ctx, id)
	if err != nil {
		return User{}, Ended{}, err
	}
	p := app.Problems{}
	change := UserChange{Username: p.Text(UsernameRule(false), in.Username), Email: p.Email(false, in.Email)}
	if change.Email != nil && *change.Email != user.Email {
		u.reachable(p, change.Email)
	}
	change.TimeZone = TimeZone(p, in.TimeZone)
	change.ReminderChannels = channels(p, in.ReminderChannels)
	if keep := p.Boolean("keep_api_tokens", in.KeepAPITokens); keep != nil {
		change.KeepAPITokens = *keep
	}
	plain := newPassword(p, u.Policy, false, in.Password, in.ConfirmPassword,
		orElse(change.Username, user.Username), orElse(change.Email, user.Email))
	if in.CurrentPassword.State == app.Mistyped {
		p.Add("current_password", "The field current_password must be a string.")
	}
	moved := change.Email != nil && *change.Email != user.Email
	if in.Password.State == app.Present || moved {
		if err := u.prove(ctx, p, &caller, id, in.CurrentPassword); err != nil {
			return User{}, Ended{}, err
		}
	}
	if err := explain(p); err != nil {
		return User{}, Ended{}, err
	}
	if moved {
		if err := u.checkFree(ctx, caller, *change.Email, id); err != nil {
			return User{}, Ended{}, err
		}
	}
	if plain != nil {
		hash, err := hashPassword(ctx, u.Passwords, *plain)
		if err != nil {
			return User{}, Ended{}, err
		}
		change.PasswordHash = &hash
	}
	if id == caller.UserID {
		change.KeepSession = caller.SessionID
	}
	record, err := u.record(ctx, caller, user, &change)
	if err != nil {
		return User{}, Ended{}, err
	}
	return u.Store.UpdateUser(ctx, caller, id, change, record)
}

// prove asks for the current password or, for what is another user's, at least
// for a sign-in of this moment.
func (u *Users) prove(ctx context.Context, p app.Problems, caller *app.Caller, id int64, current app.Field[string]) error {
	if id == caller.UserID {
		return u.Proofs.Password(ctx, p, caller, current)
	}
	return u.Proofs.Recent(ctx, p, caller, current)
}

// record is what a change leaves behind. It turns a new address that has to
// be confirmed into a pending one. Returns KindLimited for one mail too many.
func (u *Users) record(ctx context.Context, caller app.Caller, user User, change *UserChange) (record Record, err error) {
	now := u.Now()
	note := func(name EventName) { record.Events = append(record.Events, EventOf(caller, name, user.ID, now, "")) }
	if change.Username != nil && *change.Username != user.Username {
		note(EventUsername)
	}
	if change.PasswordHash != nil {
		note(EventPassword)
		record.Mails = u.Postage.Notices(user.ID, noticeOf(caller, outbox.MailPassword, user.Email, "", now))
	}
	if change.Email == nil {
		return record, nil
	}
	wanted := *change.Email
	change.PendingEmail = new(string)
	switch {
	case app.EmailKey(wanted) == app.EmailKey(user.Email):
		// The same address, perhaps in other letters: nothing to prove.
	case u.ConfirmEmail && caller.UserID == user.ID:
		if err := u.stamp(ctx, caller, wanted, user.ID); err != nil {
			return Record{}, err
		}
		change.Email, change.PendingEmail = nil, &wanted
		confirm, err := u.Links.mail(outbox.MailVerify, wanted, nil, outbox.PurposeChange, now)
		if err != nil {
			return Record{}, err
		}
		note(EventEmailPending)
		record.Mails = append(record.Mails, confirm)
		record.Mails = append(record.Mails, u.Postage.Notices(user.ID, noticeOf(caller, outbox.MailEmailPending, user.Email, wanted, now))...)
	default:
		note(EventEmail)
		record.Mails = append(record.Mails, u.Postage.Notices(user.ID, noticeOf(caller, outbox.MailEmail, user.Email, wanted, now))...)
	}
	return record, nil
}
