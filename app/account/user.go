package account

import (
	"context"
	"errors"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/password"
)

// Limits of a username, in characters.
const MaxUsername = 50

// User is a person with an account.
type User struct {
	ID           int64
	Username     string
	Email        string
	PasswordHash string // PHC string; never leaves the server
	Role         app.Role
	CreatedAt    time.Time
	// VerifiedAt is when the address was proven; zero if it was not.
	VerifiedAt time.Time
	// PendingEmail becomes the address when its link is followed; empty
	// without one.
	PendingEmail string
	// TimeZone is the IANA name of the zone by whose clock the user lives.
	TimeZone string
	// ReminderChannels are the ways by which reminders reach the user.
	ReminderChannels app.Channels
}

// Verified reports whether the user's address is proven.
func (u User) Verified() bool { return !u.VerifiedAt.IsZero() }

// UserInput is what a client says of a user. Unknown fields, a role among
// them, do not get this far.
type UserInput struct {
	Username        app.Field[string]
	Email           app.Field[string]
	Password        app.Field[string]
	ConfirmPassword app.Field[string]
	CurrentPassword app.Field[string]
	// KeepAPITokens lets API tokens outlive a new password.
	KeepAPITokens app.Field[bool]
	TimeZone      app.Field[string]
	// ReminderChannels holds names of channels.
	ReminderChannels app.Field[[]string]
}

// NewUser is a checked user that has no id yet.
type NewUser struct {
	Username     string
	Email        string
	PasswordHash string
	Role         app.Role
	CreatedAt    time.Time
	VerifiedAt   time.Time // zero for an address that is not proven
	TimeZone     string    // empty for UTC
}

// UserChange is a checked partial update. Nil leaves the value as it is.
type UserChange struct {
	Username *string
	Email    *string
	// PendingEmail, when empty, takes back the wish for a new address.
	PendingEmail *string
	PasswordHash *string
	TimeZone     *string
	// ReminderChannels, when nil channels, makes them the usual ones.
	ReminderChannels *app.Channels
	// KeepSession is the one session that outlives a change of password.
	KeepSession string
	// KeepAPITokens lets the API tokens outlive a change of password.
	KeepAPITokens bool
}

// UserStore stores users. Its methods return ErrUserNotFound for a user who does
// not exist and ErrEmailTaken for an address in use. A change returns ErrSessionEnded
// if its caller may no longer act at that moment, and ErrHashReplaced or
// ErrProofNeeded if the caller's Proof does not hold.
type UserStore interface {
	// CreateUser does not check who the caller is.
	CreateUser(ctx context.Context, by app.Caller, user NewUser, record Record) (User, error)
	User(ctx context.Context, id int64) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
	Users(ctx context.Context, page app.PageRequest) (app.Page[User], error)
	// UpdateUser ends all sessions but KeepSession, and all API tokens unless
	// KeepAPITokens, when the password changes; it returns what it has ended.
	// A new address is not a proven one.
	UpdateUser(ctx context.Context, by app.Caller, id int64, change UserChange, record Record) (User, Ended, error)
	// DeleteUser removes the user with all that is theirs in one transaction.
	// Returns ErrLastAdmin for the only admin.
	DeleteUser(ctx context.Context, by app.Caller, id int64, shared Shared, record Record) error
	// SetRole changes the role for the operator and ends all sessions and API
	// tokens of the user. Returns ErrLastAdmin when it would take the role of
	// the only admin.
	SetRole(ctx context.Context, id int64, role app.Role, record Record) (User, error)
}

// Shared says what becomes of the lists that a deleted user shares with others.
type Shared bool

const (
	// PassShared gives each to its longest-standing editor, else viewer.
	PassShared Shared = false
	// DeleteShared deletes them as well.
	DeleteShared Shared = true
)

// Users are the use cases of accounts.
type Users struct {
	Store     UserStore
	Passwords *password.Hasher
	Policy    PasswordPolicy
	// RegistrationOpen lets anyone make an account.
	RegistrationOpen bool
	// ConfirmEmail lets a new address wait until its link was followed. It
	// needs a mail server; without one a change takes effect at once.
	ConfirmEmail bool
	Links        *Links
	Proofs       *Proofs
	Postage      *outbox.Postage // nil is no limit
	Guard        *Guard          // nil is no limit
	Audit        *Audit
	Now          func() time.Time
	// NoUTF8 reports that the mail server is known to take no addresses with
	// letters beyond ASCII before the @ (RFC 6531). Nil knows nothing.
	NoUTF8 func() bool
}

// reachable adds a problem for an address that no mail would reach.
func (u *Users) reachable(p app.Problems, address *string) {
	if address == nil || u.NoUTF8 == nil {
		return
	}
	if local, _, _ := strings.Cut(*address, "@"); !app.IsASCII(local) && u.NoUTF8() {
		p.Add("email", "The mail server here takes only the letters a to z before the @, so no mail would reach this address; use another one.")
	}
}

// UsernameRule is the rule of a username, for a creation or a change.
func UsernameRule(create bool) app.TextRule {
	return app.TextRule{Name: "username", Min: 1, Max: MaxUsername, Required: create, Trim: true}
}

// TimeZone checks the name of a time zone, and returns nil without one.
func TimeZone(p app.Problems, field app.Field[string]) *string {
	switch field.State {
	case app.Mistyped:
		p.Add("time_zone", "The field time_zone must be a string.")
	case app.Present:
		if !app.IsTimeZone(field.Value) {
			p.Add("time_zone", "The field time_zone must be a time zone such as Europe/Berlin.")
		}
		return &field.Value
	}
	return nil
}

// explain returns the error of a request whose problems are known: that of a zone has a
// code of its own, if that is all that is wrong.
func explain(p app.Problems) error {
	if message := p["time_zone"]; len(p) == 1 && message != "" {
		return &app.Error{Kind: app.KindInvalid, Code: "unknown_zone", Fields: p}
	}
	return p.Err()
}

// Register creates an account and queues its welcome mail: for anyone while
// registration is open, and for admins always. Returns KindInvalid errors,
// ErrRegistrationClosed, KindLimited to callers who probe for addresses in use or
// cause too many mails, and KindUnavailable while too many passwords are being
// hashed.
func (u *Users) Register(ctx context.Context, caller app.Caller, in UserInput) (User, error) {
	if !u.RegistrationOpen && !caller.Admin() {
		if caller.Role == app.RoleAdmin {
			return User{}, caller.Refused()
		}
		return User{}, ErrRegistrationClosed
	}
	user, err := u.check(ctx, caller, in, app.RoleUser)
	if err != nil {
		return User{}, err
	}
	welcome, err := u.Links.mail(outbox.MailWelcome, user.Email, map[string]string{"Username": outbox.Harmless(user.Username)}, outbox.PurposeVerify, user.CreatedAt)
	if err != nil {
		return User{}, err
	}
	return u.Store.CreateUser(ctx, caller, user, Record{
		Events: []Event{EventOf(caller, EventUserCreated, 0, user.CreatedAt, "")},
		Mails:  []outbox.NewMail{welcome},
	})
}

// Add makes an account of any role for the operator, who vouches for the
// address; no mail goes out.
func (u *Users) Add(ctx context.Context, in UserInput, role app.Role) (User, error) {
	user, err := u.check(ctx, app.Operator(), in, role)
	if err != nil {
		return User{}, err
	}
	user.VerifiedAt = user.CreatedAt
	return u.Store.CreateUser(ctx, app.Operator(), user, u.operated(EventUserCreated, string(role)))
}

// operated is the record of what is done on the command line.
func (u *Users) operated(name EventName, detail string) Record {
	return RecordOf(EventOf(app.Operator(), name, 0, u.Now(), detail))
}

// check returns the user that an input asks for. Whether the address is free is
// looked at when nothing else is wrong.
func (u *Users) check(ctx context.Context, caller app.Caller, in UserInput, role app.Role) (NewUser, error) {
	p := app.Problems{}
	name := p.Text(UsernameRule(true), in.Username)
	address := p.Email(true, in.Email)
	u.reachable(p, address)
	zone := TimeZone(p, in.TimeZone)
	plain := newPassword(p, u.Policy, true, in.Password, in.ConfirmPassword, in.Username.Value, in.Email.Value)
	if err := explain(p); err != nil {
		return NewUser{}, err
	}
	if err := u.checkFree(ctx, caller, *address, 0); err != nil {
		return NewUser{}, err
	}
	if !caller.Operator() {
		if err := u.stamp(ctx, caller, *address, 0); err != nil {
			return NewUser{}, err
		}
	}
	hash, err := hashPassword(ctx, u.Passwords, *plain)
	if err != nil {
		return NewUser{}, err
	}
	return NewUser{Username: *name, Email: *address, PasswordHash: hash, Role: role, CreatedAt: u.Now(), TimeZone: orElse(zone, "")}, nil
}

// checkFree returns ErrEmailTaken if a user other than self has the address, and
// KindLimited to callers who probed too many addresses in use, because the answer
// reveals who has an account. The unique index of the store decides races.
func (u *Users) checkFree(ctx context.Context, caller app.Caller, address string, self int64) error {
	var attempt Attempt
	if !caller.Operator() {
		var wait time.Duration
		var first bool
		if attempt, wait, first = u.Guard.Begin(caller.From, app.EmailKey(address)); wait > 0 {
			if first {
				u.Audit.Limited(ctx, caller, u.Now(), "email")
			}
			return app.TooMany(wait)
		}
	}
	other, err := u.Store.UserByEmail(ctx, address)
	if err == nil && other.ID != self {
		attempt.Refused()
		return ErrEmailTaken
	}
	attempt.Abandoned()
	if errors.Is(err, ErrUserNotFound) {
		return nil
	}
	return err
}

// stamp returns KindLimited when a mail to an address would be one too many.
func (u *Users) stamp(ctx context.Context, caller app.Caller, to string, userID int64) error {
	wait, first := u.Postage.Take(to, userID)
	if wait == 0 {
		return nil
	}
	if first {
		u.Audit.Limited(ctx, caller, u.Now(), "mail")
	}
	return app.TooMany(wait)
}

func hashPassword(ctx context.Context, hasher *password.Hasher, plain string) (string, error) {
	hash, err := hasher.Hash(hashing(ctx, app.ClaimantOf(ctx).UserID != 0), plain)
	if errors.Is(err, password.ErrBusy) {
		return "", app.ErrBusy.With(err)
	}
	return hash, err
}

// access returns ErrForbidden, or ErrScope to an admin's API token, unless the
// caller is the user or an admin.
func access(caller app.Caller, id int64) error {
	if caller.UserID != id && !caller.Admin() {
		return caller.Refused()
	}
	return nil
}

// Get returns a user to that user or an admin.
func (u *Users) Get(ctx context.Context, caller app.Caller, id int64) (User, error) {
	if err := access(caller, id); err != nil {
		return User{}, err
	}
	return u.Store.User(ctx, id)
}

// List returns a page of all users to an admin, and to anyone else a list of
// the one user they are.
func (u *Users) List(ctx context.Context, caller app.Caller, page app.PageRequest) (app.Page[User], error) {
	if err := page.Check(); err != nil {
		return app.Page[User]{}, err
	}
	if caller.Admin() {
		return u.Store.Users(ctx, page)
	}
	self, err := u.Store.User(ctx, caller.UserID)
	if err != nil {
		return app.Page[User]{}, err
	}
	own := app.Page[User]{PageRequest: page, Total: 1}
	if page.ByCursor && page.After < self.ID || page.Page == 1 {
		own.Items = []User{self}
	}
	return own, nil
}

// SetPassword changes a user's password for the operator and ends all of the
// user's sessions and, unless told to keep them, API tokens. It returns what it
// has ended.
func (u *Users) SetPassword(ctx context.Context, id int64, plain string, keepAPITokens bool) (Ended, error) {
	user, err := u.Store.User(ctx, id)
	if err != nil {
		return Ended{}, err
	}
	p := app.Problems{}
	newPassword(p, u.Policy, false, app.Given(plain), app.Field[string]{}, user.Username, user.Email)
	if err := p.Err(); err != nil {
		return Ended{}, err
	}
	hash, err := hashPassword(ctx, u.Passwords, plain)
	if err != nil {
		return Ended{}, err
	}
	record := u.operated(EventPassword, "")
	record.Mails = []outbox.NewMail{noticeOf(app.Operator(), outbox.MailPassword, user.Email, "", u.Now())}
	_, ended, err := u.Store.UpdateUser(ctx, app.Operator(), id, UserChange{PasswordHash: &hash, KeepAPITokens: keepAPITokens}, record)
	return ended, err
}

// SetRole changes a user's role for the operator and ends all of the user's
// sessions and API tokens. Returns ErrUserNotFound and ErrLastAdmin.
func (u *Users) SetRole(ctx context.Context, id int64, role app.Role) error {
	_, err := u.Store.SetRole(ctx, id, role, u.operated(EventRole, string(role)))
	return err
}

// Remove deletes a user for the operator, as Delete does.
func (u *Users) Remove(ctx context.Context, id int64) error {
	return u.Store.DeleteUser(ctx, app.Operator(), id, PassShared, u.operated(EventUserDeleted, ""))
}

// Delete removes a user, by themselves or by an admin, with all that is
// theirs. It needs a session: ErrSessionNeeded; current is the password of the
// caller, with the errors of Proofs.Recent. The only admin stays: ErrLastAdmin.
func (u *Users) Delete(ctx context.Context, caller app.Caller, id int64, shared Shared, current app.Field[string]) error {
	if !caller.SignedIn() {
		return ErrSessionNeeded
	}
	if err := access(caller, id); err != nil {
		return err
	}
	p := app.Problems{}
	if err := u.Proofs.Recent(ctx, p, &caller, current); err != nil {
		return err
	}
	if err := p.Err(); err != nil {
		return err
	}
	return u.Store.DeleteUser(ctx, caller, id, shared, RecordOf(EventOf(caller, EventUserDeleted, id, u.Now(), "")))
}

func orElse(value *string, fallback string) string {
	if value != nil {
		return *value
	}
	return fallback
}
