package account

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/password"
	"taskapi/app/token"
)

// Session is one sign-in of one user on one device.
type Session struct {
	ID     string // public; it is in every access token
	UserID int64
	// Generation is the number of the refresh token that is current, from 1.
	Generation int64
	CreatedAt  time.Time
	LastUsedAt time.Time // last login or refresh
	ExpiresAt  time.Time // absolute
	Address    string    // of the last use
	UserAgent  string    // of the last use, as the client named itself
}

// SessionUse is a session at the moment a refresh token of it is shown.
type SessionUse struct {
	Session
	// RetiredAt is when the shown token was retired; zero when it is current,
	// or was retired so long ago that nothing remembers it.
	RetiredAt time.Time
}

// UseOf says which refresh token was shown, when and from where.
type UseOf struct {
	SessionID  string
	Generation int64
	Now        time.Time
	Address    string
	UserAgent  string
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
	// SessionStolen ends the session, and the API tokens that were made in it.
	SessionStolen
)

// Ended counts the sessions and API tokens that a change ended.
type Ended struct{ Sessions, APITokens int64 }

// SessionStore stores sessions.
type SessionStore interface {
	UserByEmail(ctx context.Context, email string) (User, error)
	// User returns a user, or ErrUserNotFound.
	User(ctx context.Context, id int64) (User, error)
	// CreateSession begins a session if the grounds for it still hold, else it
	// returns ErrInvalidCredentials.
	CreateSession(ctx context.Context, session Session, grounds SignIn, record Record) error
	// UseSession looks a session up, calls decide and carries its choice out, in
	// one transaction: concurrent calls decide one after the other, each on the
	// result of the one before. It stores the origin of the use and returns the
	// session after the action, or ErrRefreshInvalid.
	UseSession(ctx context.Context, use UseOf, decide func(SessionUse) (SessionAction, Record)) (Session, error)
	// EndSession ends a session that has not expired: one of the caller's or,
	// without a caller, the one that the refresh token names. It returns false if
	// there is none.
	EndSession(ctx context.Context, by app.Caller, id string, record Record) (bool, error)
	// EndSessions ends all sessions of the caller and, unless keepAPITokens, all
	// API tokens.
	EndSessions(ctx context.Context, by app.Caller, keepAPITokens bool, record Record) (Ended, error)
	// Sessions returns a page of a user's unexpired sessions, the newest first.
	Sessions(ctx context.Context, userID int64, now time.Time, page app.PageRequest) (app.Page[Session], error)
	// Caller returns the caller of a user's session, or ErrSessionEnded if it has
	// ended or expired.
	Caller(ctx context.Context, sessionID string, userID int64, now time.Time) (app.Caller, error)
}

// SignIn holds the conditions for beginning a session.
type SignIn struct {
	// PasswordHash must still be the user's, so that a login with the old password
	// can't outrun a change of it.
	PasswordHash string
	// NewHash, when not empty, replaces it in the same transaction.
	NewHash string
	// Verified requires a verified address.
	Verified bool
}

// Sessions holds the use cases of signing in and staying signed in.
type Sessions struct {
	Store     SessionStore
	Passwords *password.Hasher
	Access    *token.Access
	Refreshes *token.Refresh
	// RefreshTTL is the longest that a session lasts.
	RefreshTTL time.Duration
	// IdleTTL is how long a session lasts unused; 0 is no limit.
	IdleTTL time.Duration
	// Rotation retires a refresh token when it is used. The tutorial does not.
	Rotation bool
	// VerifiedOnly refuses users whose address is not verified.
	VerifiedOnly bool
	Guard        *Guard          // nil is no limit
	Limiter      *app.Limiter    // of each session's refreshes; nil is no limit
	Postage      *outbox.Postage // nil is no limit
	Audit        *Audit
	Now          func() time.Time
	// Elapsed is how long the process has run, whatever its clock was set to.
	Elapsed func() time.Duration
	Log     *slog.Logger

	// Shared says that other processes use the store as well: they, too, retire tokens.
	Shared bool

	retired retired
}

// LoginInput holds the fields of a login.
type LoginInput struct {
	Email    app.Field[string]
	Password app.Field[string]
}

// Tokens is what a client gets at a login or a refresh.
type Tokens struct {
	User      User
	Access    string
	Refresh   string
	ExpiresIn time.Duration // of the access token
	// SessionEnds is when the session and its refresh tokens expire.
	SessionEnds time.Time
}

// Login begins a session. An unknown address and a wrong password return the same
// ErrInvalidCredentials after the same work, so that neither text nor time reveals
// which addresses have an account. (Checking an imported hash takes its own time
// until the first sign-in replaces it.) Returns KindLimited after too many wrong
// passwords, and ErrEmailUnverified if VerifiedOnly.
func (s *Sessions) Login(ctx context.Context, from app.Caller, in LoginInput) (Tokens, error) {
	p := app.Problems{}
	address := credential(p, "email", "The field email must be a string.", in.Email)
	plain := credential(p, "password", "Password must be a string.", in.Password)
	if err := p.Err(); err != nil {
		return Tokens{}, err
	}
	address = strings.TrimSpace(address)
	attempt, wait, first := s.Guard.Begin(from.From, app.EmailKey(address))
	if wait > 0 {
		if first {
			// The owner is to see it; of an unknown address it is nobody's.
			owner, err := s.Store.UserByEmail(ctx, address)
			if err != nil && !errors.Is(err, ErrUserNotFound) {
				return Tokens{}, err
			}
			s.Audit.LimitedAccount(ctx, from, owner.ID, s.Now(), "login")
		}
		return Tokens{}, app.TooMany(wait)
	}
	user, stale, err := s.authenticate(hashing(ctx, attempt.known), address, plain)
	if err != nil {
		s.refuse(ctx, from, attempt, user, err)
		return Tokens{}, err
	}
	attempt.Accepted()
	if s.VerifiedOnly && !user.Verified() {
		return Tokens{}, ErrEmailUnverified
	}
	newHash := ""
	if stale {
		if newHash, err = s.Passwords.Hash(hashing(ctx, true), plain); err != nil {
			// Not worth refusing a good login for: the next one renews it.
			s.Log.WarnContext(ctx, "password hash not renewed", "user_id", user.ID, "error", err)
		}
	}
	return s.begin(ctx, from, user, newHash)
}

// refuse ends an attempt that failed. The audit line costs the same for an
// account that does not exist.
func (s *Sessions) refuse(ctx context.Context, from app.Caller, attempt Attempt, user User, err error) {
	if !errors.Is(err, ErrInvalidCredentials) {
		attempt.Abandoned()
		return
	}
	attempt.Refused()
	s.Audit.Note(ctx, EventOf(from, EventLoginRefused, user.ID, s.Now(), ""))
}

func (s *Sessions) begin(ctx context.Context, from app.Caller, user User, newHash string) (Tokens, error) {
	refresh, raw, err := s.Refreshes.New()
	if err != nil {
		return Tokens{}, err
	}
	now := s.Now()
	session := Session{
		ID: refresh.SessionID, UserID: user.ID, Generation: refresh.Generation,
		CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(s.RefreshTTL),
		Address: from.From.Text(), UserAgent: from.From.Agent(),
	}
	from.UserID = user.ID
	record := RecordOf(EventOf(from, EventLogin, user.ID, now, ""))
	grounds := SignIn{PasswordHash: user.PasswordHash, NewHash: newHash, Verified: s.VerifiedOnly}
	if err := s.Store.CreateSession(ctx, session, grounds, record); err != nil {
		return Tokens{}, err
	}
	return s.tokens(user, session, raw)
}

// credential returns a field of a login without checking its form: malformed
// credentials are wrong credentials.
func credential(p app.Problems, name, mistyped string, field app.Field[string]) string {
	switch {
	case field.State == app.Mistyped:
		p.Add(name, mistyped)
	case field.State != app.Present || app.Blank(field.Value):
		p.Add(name, app.Required(name))
	}
	return field.Value
}

func (s *Sessions) authenticate(ctx context.Context, address, plain string) (user User, stale bool, err error) {
	match := false
	user, err = s.Store.UserByEmail(ctx, address)
	switch {
	case errors.Is(err, ErrUserNotFound):
		err = s.Passwords.VerifyNone(ctx, plain)
	case err == nil:
		match, stale, err = s.Passwords.Verify(ctx, plain, user.PasswordHash)
	}
	switch {
	case errors.Is(err, password.ErrBusy):
		return User{}, false, app.ErrBusy.With(err)
	case err != nil:
		return User{}, false, err
	case !match:
		return user, false, ErrInvalidCredentials
	}
	return user, stale, nil
}

// Logout ends the session of a refresh token, whichever generation it is. Returns
// ErrRefreshRequired without a token, and ErrLogoutInvalid.
func (s *Sessions) Logout(ctx context.Context, from app.Caller, raw app.Field[string]) error {
	shown, err := s.parse(raw, ErrLogoutInvalid)
	if err != nil {
		return err
	}
	now := s.Now()
	ended, err := s.Store.EndSession(ctx, app.Caller{}, shown.SessionID, RecordOf(EventOf(from, EventLogout, 0, now, "")))
	if err == nil && !ended {
		err = ErrLogoutInvalid
	}
	return err
}

// List returns a page of the caller's sessions, the newest first.
func (s *Sessions) List(ctx context.Context, caller app.Caller, page app.PageRequest) (app.Page[Session], error) {
	if err := page.Check(); err != nil {
		return app.Page[Session]{}, err
	}
	sessions, err := s.Store.Sessions(ctx, caller.UserID, s.Now(), page)
	for i := range sessions.Items {
		sessions.Items[i].ExpiresAt = s.ends(sessions.Items[i])
	}
	return sessions, err
}

// ends returns when a session ends: one that a wrong clock has dated for years does
// not last longer from now on than others.
func (s *Sessions) ends(session Session) time.Time {
	if latest := s.Now().Add(s.RefreshTTL); session.ExpiresAt.After(latest) {
		return latest
	}
	return session.ExpiresAt
}

// End ends one session of the caller. Returns ErrSessionNotFound.
func (s *Sessions) End(ctx context.Context, caller app.Caller, id string) error {
	ended, err := s.Store.EndSession(ctx, caller, id, RecordOf(EventOf(caller, EventSessionEnded, caller.UserID, s.Now(), "")))
	if err == nil && !ended {
		err = ErrSessionNotFound
	}
	return err
}

// EndAll ends all sessions of the caller, including the present one, and all API
// tokens unless keepAPITokens. It returns how many ended. Returns KindInvalid errors.
func (s *Sessions) EndAll(ctx context.Context, caller app.Caller, keepAPITokens app.Field[bool]) (Ended, error) {
	p := app.Problems{}
	keep := p.Boolean("keep_api_tokens", keepAPITokens)
	if err := p.Err(); err != nil {
		return Ended{}, err
	}
	return s.Store.EndSessions(ctx, caller, keep != nil && *keep, RecordOf(EventOf(caller, EventLogoutAll, caller.UserID, s.Now(), "")))
}

func (s *Sessions) parse(raw app.Field[string], invalid *app.Error) (token.RefreshToken, error) {
	if raw.State == app.Mistyped {
		return token.RefreshToken{}, app.Problems{"refresh_token": "The field refresh_token must be a string."}.Err()
	}
	if raw.State == app.Absent || raw.State == app.Null || raw.State == app.Present && raw.Value == "" {
		return token.RefreshToken{}, ErrRefreshRequired
	}
	shown, ok := s.Refreshes.Parse(raw.Value)
	if !ok {
		return token.RefreshToken{}, invalid
	}
	return shown, nil
}

// Caller returns the caller of an access token with these claims. Access tokens end
// with their session. Returns ErrSessionEnded.
func (s *Sessions) Caller(ctx context.Context, claims token.Claims) (app.Caller, error) {
	return s.Store.Caller(ctx, claims.SessionID, claims.UserID, s.Now())
}

func (s *Sessions) tokens(user User, session Session, refresh string) (Tokens, error) {
	access, expiresIn, err := s.Access.Issue(session.UserID, session.ID, session.ExpiresAt)
	if errors.Is(err, token.ErrSessionOver) {
		return Tokens{}, ErrRefreshInvalid.With(err)
	}
	if err != nil {
		return Tokens{}, err
	}
	return Tokens{User: user, Access: access, Refresh: refresh, ExpiresIn: expiresIn, SessionEnds: s.ends(session)}, nil
}
