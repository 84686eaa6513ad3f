package app

import (
	"context"
	"errors"
	"time"

	"taskapi/app/password"
)

// Limits of a username, in characters.
const MaxUsername = 50

// Role says what a user may do beyond their own things.
type Role string

const (
	// RoleUser may see and change what is theirs.
	RoleUser Role = "user"
	// RoleAdmin may see and change everything. Made on the command line only.
	RoleAdmin Role = "admin"
)

// User is a person with an account.
type User struct {
	ID           int64
	Username     string
	Email        string
	PasswordHash string // PHC string; never leaves the server
	Role         Role
	CreatedAt    time.Time
}

// Caller is who makes a request: a user, in a session. The zero value is
// somebody who is not signed in.
type Caller struct {
	UserID    int64
	SessionID string
	Role      Role
}

// Admin reports whether the caller is an admin.
func (c Caller) Admin() bool { return c.Role == RoleAdmin }

func (c Caller) scope() Scope {
	if c.Admin() {
		return Scope{}
	}
	return Scope{UserID: c.UserID}
}

// UserInput is what a client says of a user. Unknown fields, a role among
// them, do not get this far.
type UserInput struct {
	Username        Field[string]
	Email           Field[string]
	Password        Field[string]
	ConfirmPassword Field[string]
	CurrentPassword Field[string]
}

// NewUser is a checked user that has no id yet.
type NewUser struct {
	Username     string
	Email        string
	PasswordHash string
	Role         Role
	CreatedAt    time.Time
}

// UserChange is a checked partial update. Nil leaves the value as it is.
type UserChange struct {
	Username     *string
	Email        *string
	PasswordHash *string
	// IfPasswordHash, when not empty, makes the change happen only while it
	// still is the stored hash, so that of two password changes at once the
	// second does not win on a password that is no longer the current one.
	IfPasswordHash string
	// KeepSession is the one session that outlives a change of password.
	KeepSession string
}

// UserStore keeps users. A user who is not there is ErrUserNotFound, an
// address that somebody has is ErrEmailTaken.
type UserStore interface {
	// CreateUser adds the user and, in the same transaction, queues the mail,
	// if any, to them.
	CreateUser(ctx context.Context, user NewUser, welcome *NewMail) (User, error)
	User(ctx context.Context, id int64) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
	Users(ctx context.Context, page PageRequest) (Page[User], error)
	// UpdateUser ends all sessions but KeepSession when the password changes.
	// Returns ErrWrongPassword when IfPasswordHash is no longer the hash.
	UpdateUser(ctx context.Context, id int64, change UserChange) (User, error)
	// DeleteUser removes the user with their tasks, sessions and mails in one
	// transaction. Returns ErrLastAdmin for the only admin.
	DeleteUser(ctx context.Context, id int64) error
	// SetRole changes the role and ends all sessions of the user. Returns
	// ErrLastAdmin when it would take the role of the only admin.
	SetRole(ctx context.Context, id int64, role Role) (User, error)
}

// Users are the use cases of accounts.
type Users struct {
	Store     UserStore
	Passwords *password.Hasher
	Policy    PasswordPolicy
	// RegistrationOpen lets anyone make an account.
	RegistrationOpen bool
	Now              func() time.Time
	// MailQueued is told after the commit that the outbox has a new mail.
	MailQueued func(NewMail)
}

func username(create bool) text {
	return text{name: "username", min: 1, max: MaxUsername, required: create, trim: true}
}

// Register makes an account for anyone while registration is open, and for an
// admin always; a welcome mail is queued with it. Returns KindInvalid errors,
// ErrRegistrationClosed, and KindUnavailable when too many passwords are being
// hashed.
func (u *Users) Register(ctx context.Context, caller Caller, in UserInput) (User, error) {
	if !u.RegistrationOpen && !caller.Admin() {
		return User{}, ErrRegistrationClosed
	}
	return u.create(ctx, in, RoleUser, true)
}

// Add makes an account of any role for the operator, without a mail.
func (u *Users) Add(ctx context.Context, in UserInput, role Role) (User, error) {
	return u.create(ctx, in, role, false)
}

func (u *Users) create(ctx context.Context, in UserInput, role Role, welcome bool) (User, error) {
	p := problems{}
	name := p.text(username(true), in.Username)
	address := p.email(true, in.Email)
	plain := p.newPassword(u.Policy, true, in.Password, in.ConfirmPassword, in.Username.Value, in.Email.Value)
	if err := u.checkFree(ctx, p, address, 0); err != nil {
		return User{}, err
	}
	if err := p.err(); err != nil {
		return User{}, err
	}
	hash, err := u.hash(ctx, *plain)
	if err != nil {
		return User{}, err
	}
	user := NewUser{Username: *name, Email: *address, PasswordHash: hash, Role: role, CreatedAt: u.Now()}
	if !welcome {
		return u.Store.CreateUser(ctx, user, nil)
	}
	letter := NewMail{Template: MailWelcome, To: *address, Data: map[string]string{"Username": *name}, CreatedAt: user.CreatedAt}
	created, err := u.Store.CreateUser(ctx, user, &letter)
	if err == nil && u.MailQueued != nil {
		u.MailQueued(letter)
	}
	return created, err
}

// checkFree adds a problem when somebody other than self has the address. It
// is a courtesy, so that all mistakes are told at once; the store's unique
// index is what decides a race.
func (u *Users) checkFree(ctx context.Context, p problems, address *string, self int64) error {
	if address == nil {
		return nil
	}
	other, err := u.Store.UserByEmail(ctx, *address)
	switch {
	case errors.Is(err, ErrUserNotFound):
		return nil
	case err != nil:
		return err
	case other.ID != self:
		p.add("email", ErrEmailTaken.Fields["email"])
	}
	return nil
}

func (u *Users) hash(ctx context.Context, plain string) (string, error) {
	hash, err := u.Passwords.Hash(ctx, plain)
	if errors.Is(err, password.ErrBusy) {
		return "", ErrBusy.With(err)
	}
	return hash, err
}

// access returns ErrForbidden unless the caller is the user or an admin.
func access(caller Caller, id int64) error {
	if caller.UserID != id && !caller.Admin() {
		return ErrForbidden
	}
	return nil
}

// Get returns a user to that user or an admin.
func (u *Users) Get(ctx context.Context, caller Caller, id int64) (User, error) {
	if err := access(caller, id); err != nil {
		return User{}, err
	}
	return u.Store.User(ctx, id)
}

// List returns a page of all users to an admin, and to anyone else a list of
// the one user they are.
func (u *Users) List(ctx context.Context, caller Caller, page PageRequest) (Page[User], error) {
	if err := page.Check(); err != nil {
		return Page[User]{}, err
	}
	if caller.Admin() {
		return u.Store.Users(ctx, page)
	}
	self, err := u.Store.User(ctx, caller.UserID)
	if err != nil {
		return Page[User]{}, err
	}
	own := Page[User]{PageRequest: page, Total: 1}
	if page.Offset() == 0 {
		own.Items = []User{self}
	}
	return own, nil
}

// Update changes what the input names and nothing else. Users who change
// their own password or address give the current password; a new password
// ends all sessions of the user but the caller's own.
func (u *Users) Update(ctx context.Context, caller Caller, id int64, in UserInput) (User, error) {
	if err := access(caller, id); err != nil {
		return User{}, err
	}
	user, err := u.Store.User(ctx, id)
	if err != nil {
		return User{}, err
	}
	p := problems{}
	change := UserChange{Username: p.text(username(false), in.Username), Email: p.email(false, in.Email)}
	plain := p.newPassword(u.Policy, false, in.Password, in.ConfirmPassword,
		orElse(change.Username, user.Username), orElse(change.Email, user.Email))
	if err := u.checkFree(ctx, p, change.Email, id); err != nil {
		return User{}, err
	}
	if id == caller.UserID && (in.Password.State == Present || change.Email != nil && *change.Email != user.Email) {
		change.IfPasswordHash = user.PasswordHash
		if err := u.checkCurrent(ctx, p, user, in.CurrentPassword); err != nil {
			return User{}, err
		}
	}
	if err := p.err(); err != nil {
		return User{}, err
	}
	if plain != nil {
		hash, err := u.hash(ctx, *plain)
		if err != nil {
			return User{}, err
		}
		change.PasswordHash = &hash
	}
	if id == caller.UserID {
		change.KeepSession = caller.SessionID
	}
	return u.Store.UpdateUser(ctx, id, change)
}

// checkCurrent adds a problem unless the field holds the user's password.
func (u *Users) checkCurrent(ctx context.Context, p problems, user User, field Field[string]) error {
	const name = "current_password"
	switch {
	case field.State == Mistyped:
		p.add(name, "The field "+name+" must be a string.")
	case field.State != Present || field.Value == "":
		p.add(name, required(name))
	default:
		match, _, err := u.Passwords.Verify(ctx, field.Value, user.PasswordHash)
		if errors.Is(err, password.ErrBusy) {
			return ErrBusy.With(err)
		}
		if err != nil {
			return err
		}
		if !match {
			p.add(name, ErrWrongPassword.Fields[name])
		}
	}
	return nil
}

// SetPassword changes a user's password for the operator and ends all of the
// user's sessions.
func (u *Users) SetPassword(ctx context.Context, id int64, plain string) error {
	user, err := u.Store.User(ctx, id)
	if err != nil {
		return err
	}
	p := problems{}
	p.newPassword(u.Policy, false, Given(plain), Field[string]{}, user.Username, user.Email)
	if err := p.err(); err != nil {
		return err
	}
	hash, err := u.hash(ctx, plain)
	if err != nil {
		return err
	}
	_, err = u.Store.UpdateUser(ctx, id, UserChange{PasswordHash: &hash})
	return err
}

// Delete removes a user, by themselves or by an admin, with all that is
// theirs. The only admin stays: ErrLastAdmin.
func (u *Users) Delete(ctx context.Context, caller Caller, id int64) error {
	if err := access(caller, id); err != nil {
		return err
	}
	return u.Store.DeleteUser(ctx, id)
}

func orElse(value *string, fallback string) string {
	if value != nil {
		return *value
	}
	return fallback
}
