package app

import (
	"context"
	"errors"

	"taskapi/app/password"
)

// Update changes what the input names and nothing else. Users who change
// their own password or address give the current password; a new password
// ends all sessions of the user but the caller's own. With ConfirmEmail, the
// user's own new address waits for its link.
func (u *Users) Update(ctx context.Context, caller Caller, id int64, in UserInput) (User, error) {
	if err := access(caller, id); err != nil {
		return User{}, err
	}
	for try := 1; ; try++ {
		user, err := u.update(ctx, caller, id, in)
		// The hash was replaced while ours was checked. Whether the password
		// still is the current one is for the new hash to say.
		if !errors.Is(err, ErrHashReplaced) || try == maxTries {
			return user, err
		}
	}
}

// maxTries is how often an update is tried while others replace the hash.
const maxTries = 8

func (u *Users) update(ctx context.Context, caller Caller, id int64, in UserInput) (User, error) {
	user, err := u.Store.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	p := problems{}
	change := UserChange{Username: p.text(username(false), in.Username), Email: p.email(false, in.Email)}
	plain := p.newPassword(u.Policy, false, in.Password, in.ConfirmPassword,
		orElse(change.Username, user.Username), orElse(change.Email, user.Email))
	if in.CurrentPassword.State == Mistyped {
		p.add("current_password", "The field current_password must be a string.")
	}
	if err := u.checkFree(ctx, p, change.Email, id); err != nil {
		return User{}, err
	}
	if id == caller.UserID && (in.Password.State == Present || change.Email != nil && *change.Email != user.Email) {
		change.IfPasswordHash = user.PasswordHash
		if err := u.checkCurrent(ctx, p, caller, user, in.CurrentPassword); err != nil {
			return User{}, err
		}
	}
	if err := p.err(); err != nil {
		return User{}, err
	}
	if plain != nil {
		hash, err := hashPassword(ctx, u.Passwords, *plain)
		if err != nil {
			return User{}, err
		}
		change.PasswordHash = &hash
	}
	if id == caller.UserID {
		change.KeepSession = caller.SessionID
	}
	record, err := u.record(caller, user, &change)
	if err != nil {
		return User{}, err
	}
	return u.Store.UpdateUser(ctx, id, change, record)
}

// record is what a change leaves behind. It turns a new address that has to
// be confirmed into a pending one.
func (u *Users) record(caller Caller, user User, change *UserChange) (record Record, err error) {
	now := u.Now()
	note := func(name EventName) { record.Events = append(record.Events, caller.event(name, user.ID, now, "")) }
	if change.Username != nil && *change.Username != user.Username {
		note(EventUsername)
	}
	if change.PasswordHash != nil {
		note(EventPassword)
		record.Mails = append(record.Mails, caller.notice(MailPassword, user.Email, "", now))
	}
	if change.Email == nil {
		return record, nil
	}
	wanted := *change.Email
	change.PendingEmail = new(string)
	switch {
	case EmailKey(wanted) == EmailKey(user.Email):
		// The same address, perhaps in other letters: nothing to prove.
	case u.ConfirmEmail && caller.UserID == user.ID:
		change.Email, change.PendingEmail = nil, &wanted
		confirm, err := u.Links.mail(MailVerify, wanted, nil, PurposeChange, now)
		if err != nil {
			return Record{}, err
		}
		note(EventEmailPending)
		record.Mails = append(record.Mails, confirm, caller.notice(MailEmailPending, user.Email, wanted, now))
	default:
		note(EventEmail)
		record.Mails = append(record.Mails, caller.notice(MailEmail, user.Email, wanted, now))
	}
	return record, nil
}

// checkCurrent adds a problem unless the field holds the user's password.
// Returns KindLimited for who has been wrong too often: a stolen access token
// must not serve to guess it.
func (u *Users) checkCurrent(ctx context.Context, p problems, caller Caller, user User, field Field[string]) error {
	const name = "current_password"
	switch {
	case field.State == Mistyped:
		return nil // said already
	case field.State != Present || field.Value == "":
		p.add(name, required(name))
		return nil
	}
	attempt, wait, first := u.Guard.Begin(caller.From, EmailKey(user.Email))
	if wait > 0 {
		if first {
			u.Audit.LimitedAccount(ctx, caller, user.ID, u.Now(), name)
		}
		return TooMany(wait)
	}
	match, _, err := u.Passwords.Verify(ctx, field.Value, user.PasswordHash)
	switch {
	case err != nil:
		attempt.Abandoned()
		if errors.Is(err, password.ErrBusy) {
			return ErrBusy.With(err)
		}
		return err
	case match:
		attempt.Accepted()
	default:
		attempt.Refused()
		u.Audit.Note(ctx, caller.event(EventPasswordDenied, user.ID, u.Now(), ""))
		p.add(name, ErrWrongPassword.Fields[name])
	}
	return nil
}
