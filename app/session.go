package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"taskapi/app/password"
	"taskapi/app/token"
)

// RefreshGrace is how long a retired refresh token still leads on: long enough
// for two tabs, a lost answer or a proxy's retry, too short for a thief.
const RefreshGrace = 30 * time.Second

// Session is one sign-in of one user on one device.
type Session struct {
	ID     string // public; it is in every access token
	UserID int64
	// Generation is the number of the refresh token that is current, from 1.
	Generation int64
	CreatedAt  time.Time
	LastUsedAt time.Time // last login or refresh
	ExpiresAt  time.Time // absolute
}

// SessionUse is a session at the moment a refresh token of it is shown.
type SessionUse struct {
	Session
	// RetiredAt is when the shown token was retired; zero when it is current,
	// or was retired so long ago that nothing remembers it.
	RetiredAt time.Time
}

// SessionAction is what becomes of a session when a token of it is shown.
type SessionAction int

const (
	// SessionKeep leaves the session as it is.
	SessionKeep SessionAction = iota
	// SessionTouch notes the use.
	SessionTouch
	// SessionRotate notes the use, retires the token shown and makes the next
	// generation the current one.
	SessionRotate
	// SessionEnd ends the session.
	SessionEnd
)

// SessionStore keeps sessions.
type SessionStore interface {
	UserByEmail(ctx context.Context, email string) (User, error)
	// CreateSession begins a session while the user's stored hash is still
	// ifHash; else, or without the user, it is ErrInvalidCredentials: a login
	// on an old password must not outrun the change of it. A newHash that is
	// not empty replaces the stored one in the same transaction.
	CreateSession(ctx context.Context, session Session, ifHash, newHash string) error
	// UseSession looks the session up, lets decide choose, and carries that
	// out, in one transaction: with any number of callers at once, each
	// decides on what the one before has left. It returns the session after
	// the action, and ErrRefreshInvalid when there is none.
	UseSession(ctx context.Context, id string, generation int64, now time.Time, decide func(SessionUse) SessionAction) (Session, error)
	// EndSession ends a session that has not expired. False if there is none.
	EndSession(ctx context.Context, id string, now time.Time) (bool, error)
	// Caller returns who the session is of, if it is that user's and neither
	// ended nor expired; else ErrSessionEnded.
	Caller(ctx context.Context, sessionID string, userID int64, now time.Time) (Caller, error)
}

// Sessions are the use cases of signing in and staying signed in.
type Sessions struct {
	Store     SessionStore
	Passwords *password.Hasher
	Access    *token.Access
	Refreshes *token.Refresh
	// RefreshTTL is how long a session lasts at most, whatever its use.
	RefreshTTL time.Duration
	// IdleTTL ends a session that long unused; 0 is no such limit.
	IdleTTL time.Duration
	// Rotation retires a refresh token at its use. Off is the tutorial's way.
	Rotation bool
	Now      func() time.Time
	Log      *slog.Logger
}

// LoginInput is what a client signs in with.
type LoginInput struct {
	Email    Field[string]
	Password Field[string]
}

// Tokens are what a client holds of a session.
type Tokens struct {
	UserID    int64
	Access    string
	Refresh   string
	ExpiresIn time.Duration // of the access token
}

// Login begins a session. An unknown address and a wrong password give the
// same ErrInvalidCredentials after the same work, so that neither text nor
// time tells which addresses have an account.
func (s *Sessions) Login(ctx context.Context, in LoginInput) (Tokens, error) {
	p := problems{}
	address := p.credential("email", "The field email must be a string.", in.Email)
	plain := p.credential("password", "Password must be a string.", in.Password)
	if err := p.err(); err != nil {
		return Tokens{}, err
	}
	user, stale, err := s.authenticate(ctx, address, plain)
	if err != nil {
		return Tokens{}, err
	}
	newHash := ""
	if stale {
		if newHash, err = s.Passwords.Hash(ctx, plain); err != nil {
			// Not worth refusing a good login for: the next one renews it.
			s.Log.WarnContext(ctx, "password hash not renewed", "user_id", user.ID, "error", err)
		}
	}
	refresh, raw, err := s.Refreshes.New()
	if err != nil {
		return Tokens{}, err
	}
	now := s.Now()
	session := Session{
		ID: refresh.SessionID, UserID: user.ID, Generation: refresh.Generation,
		CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(s.RefreshTTL),
	}
	if err := s.Store.CreateSession(ctx, session, user.PasswordHash, newHash); err != nil {
		return Tokens{}, err
	}
	return s.tokens(session, raw)
}

// credential takes a field of a login as it is: what is wrong with its form
// would be wrong as a credential all the same.
func (p problems) credential(name, mistyped string, field Field[string]) string {
	switch {
	case field.State == Mistyped:
		p.add(name, mistyped)
	case field.State != Present || blank(field.Value):
		p.add(name, required(name))
	}
	return field.Value
}

func (s *Sessions) authenticate(ctx context.Context, address, plain string) (user User, stale bool, err error) {
	match := false
	user, err = s.Store.UserByEmail(ctx, strings.TrimSpace(address))
	switch {
	case errors.Is(err, ErrUserNotFound):
		err = s.Passwords.VerifyNone(ctx, plain)
	case err == nil:
		match, stale, err = s.Passwords.Verify(ctx, plain, user.PasswordHash)
	}
	switch {
	case errors.Is(err, password.ErrBusy):
		return User{}, false, ErrBusy.With(err)
	case err != nil:
		return User{}, false, err
	case !match:
		return User{}, false, ErrInvalidCredentials
	}
	return user, stale, nil
}

// Refresh trades a refresh token for the next one and a fresh access token. A
// token retired within RefreshGrace gives the current successor again; one
// retired earlier is a replay, and ends its session. Returns
// ErrRefreshRequired without a token, else ErrRefreshInvalid.
func (s *Sessions) Refresh(ctx context.Context, raw Field[string]) (Tokens, error) {
	shown, err := s.parse(raw, ErrRefreshInvalid)
	if err != nil {
		return Tokens{}, err
	}
	now := s.Now()
	var refusal error
	session, err := s.Store.UseSession(ctx, shown.SessionID, shown.Generation, now, func(use SessionUse) SessionAction {
		action, cause := s.decide(use, shown.Generation, now)
		refusal = cause
		return action
	})
	if err != nil {
		return Tokens{}, err
	}
	if refusal != nil {
		if errors.Is(refusal, errReplay) {
			s.Log.WarnContext(ctx, "retired refresh token shown again: session ended",
				"user_id", session.UserID, "session_id", session.ID,
				"generation", shown.Generation, "current", session.Generation)
		}
		return Tokens{}, ErrRefreshInvalid.With(refusal)
	}
	return s.tokens(session, s.Refreshes.Mint(shown, session.Generation))
}

var (
	errReplay  = errors.New("refresh token was retired and its grace is over")
	errExpired = errors.New("session has expired")
)

// decide is the rule of refresh tokens (RFC 9700 section 4.14.2, with a
// grace): what becomes of the session, and why the token is refused, if it is.
func (s *Sessions) decide(use SessionUse, shown int64, now time.Time) (SessionAction, error) {
	idle := s.IdleTTL > 0 && now.Sub(use.LastUsedAt) > s.IdleTTL
	switch {
	case !now.Before(use.ExpiresAt) || idle:
		return SessionEnd, errExpired
	case shown == use.Generation && s.Rotation:
		return SessionRotate, nil
	case shown == use.Generation:
		return SessionTouch, nil
	case !use.RetiredAt.IsZero() && now.Sub(use.RetiredAt) <= RefreshGrace:
		return SessionKeep, nil
	default:
		return SessionEnd, errReplay
	}
}

// Logout ends the session whichever of its refresh tokens is shown. Returns
// ErrRefreshRequired without a token, else ErrLogoutInvalid.
func (s *Sessions) Logout(ctx context.Context, raw Field[string]) error {
	shown, err := s.parse(raw, ErrLogoutInvalid)
	if err != nil {
		return err
	}
	ended, err := s.Store.EndSession(ctx, shown.SessionID, s.Now())
	if err != nil {
		return err
	}
	if !ended {
		return ErrLogoutInvalid
	}
	return nil
}

func (s *Sessions) parse(raw Field[string], invalid *Error) (token.RefreshToken, error) {
	if raw.State == Absent || raw.State == Null || raw.State == Present && raw.Value == "" {
		return token.RefreshToken{}, ErrRefreshRequired
	}
	shown, ok := s.Refreshes.Parse(raw.Value)
	if !ok {
		return token.RefreshToken{}, invalid
	}
	return shown, nil
}

// Caller returns who an access token with these claims speaks for, now: the
// token of a session that has ended stops working with it. Returns
// ErrSessionEnded.
func (s *Sessions) Caller(ctx context.Context, claims token.Claims) (Caller, error) {
	return s.Store.Caller(ctx, claims.SessionID, claims.UserID, s.Now())
}

func (s *Sessions) tokens(session Session, refresh string) (Tokens, error) {
	access, expiresIn, err := s.Access.Issue(session.UserID, session.ID, session.ExpiresAt)
	if errors.Is(err, token.ErrSessionOver) {
		return Tokens{}, ErrRefreshInvalid.With(err)
	}
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{UserID: session.UserID, Access: access, Refresh: refresh, ExpiresIn: expiresIn}, nil
}
