package account

import (
	"context"
	"errors"
	"time"

	"taskapi/app"
	"taskapi/app/password"
)

// RecentSignIn is how long a sign-in proves that the person is present: long enough
// for what they signed in to do, too short for whoever takes the session over later.
const RecentSignIn = 10 * time.Minute

// Proofs asks people to prove that they are present before sensitive changes, for
// which a stolen session must not suffice (OWASP ASVS 5.0, 7.5.1 and 7.5.3).
type Proofs struct {
	Store     ProofStore
	Passwords *password.Hasher
	Guard     *Guard // nil is no limit
	Audit     *Audit
	Now       func() time.Time
}

// ProofStore reads the password hashes of users.
type ProofStore interface {
	// User returns a user, else ErrUserNotFound.
	User(ctx context.Context, id int64) (User, error)
}

// fieldCurrent names the field with the current password.
const fieldCurrent = "current_password"

// Recent requires the current password or, without one, a sign-in within
// RecentSignIn, which the store checks. Returns the errors of Password.
func (f *Proofs) Recent(ctx context.Context, p app.Problems, caller *app.Caller, current app.Field[string]) error {
	if !caller.SignedIn() {
		return ErrSessionNeeded
	}
	if current.State == app.Absent || current.State == app.Null || current.State == app.Present && current.Value == "" {
		caller.Proof.SignedInSince = f.Now().Add(-RecentSignIn)
		return nil
	}
	return f.Password(ctx, p, caller, current)
}

// Password requires the caller's current password and records in the caller which
// hash it was checked against. It adds a problem if the password is wrong or missing.
// Returns ErrSessionNeeded to API tokens, KindLimited after too many wrong passwords
// (a stolen session must not serve to guess it), ErrBusy, and ErrSessionEnded if the
// user is gone.
func (f *Proofs) Password(ctx context.Context, p app.Problems, caller *app.Caller, current app.Field[string]) error {
	switch {
	case !caller.SignedIn():
		return ErrSessionNeeded
	case current.State == app.Mistyped:
		p.Add(fieldCurrent, "The field current_password must be a string.")
		return nil
	case current.State != app.Present || current.Value == "":
		p.Add(fieldCurrent, app.Required(fieldCurrent))
		return nil
	}
	user, err := f.Store.User(ctx, caller.UserID)
	if errors.Is(err, ErrUserNotFound) {
		return ErrSessionEnded.With(err)
	}
	if err != nil {
		return err
	}
	attempt, wait, first := f.Guard.Begin(caller.From, app.EmailKey(user.Email))
	if wait > 0 {
		if first {
			f.Audit.LimitedAccount(ctx, *caller, user.ID, f.Now(), fieldCurrent)
		}
		return app.TooMany(wait)
	}
	match, _, err := f.Passwords.Verify(hashing(ctx, true), current.Value, user.PasswordHash)
	switch {
	case err != nil:
		attempt.Abandoned()
		if errors.Is(err, password.ErrBusy) {
			return app.ErrBusy.With(err)
		}
		return err
	case match:
		attempt.Accepted()
		caller.Proof.PasswordHash = user.PasswordHash
	default:
		attempt.Refused()
		f.Audit.Note(ctx, EventOf(*caller, EventPasswordDenied, user.ID, f.Now(), ""))
		p.Add(fieldCurrent, ErrWrongPassword.Fields[fieldCurrent])
	}
	return nil
}
