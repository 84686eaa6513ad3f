package account

import (
	"context"
	"errors"
	"sync"
	"time"

	"taskapi/app"
	"taskapi/app/outbox"
	"taskapi/app/token"
)

// RefreshGrace is how long a retired refresh token still returns its successor: long
// enough for two tabs, a lost response or a retry by a proxy, too short for a thief.
const RefreshGrace = 30 * time.Second

// refreshRate bounds the refreshes of one session: far above the needs of many tabs,
// far below what wears out a disk.
func refreshRate() app.Rate { return app.Rate{Burst: 60, Every: time.Second} }

// Refresh exchanges a refresh token for its successor and a new access token. A token
// retired less than RefreshGrace ago returns the current successor again; one retired
// earlier is a replay and ends its session. Returns ErrRefreshRequired without a
// token, ErrRefreshInvalid for any other, and KindLimited.
func (s *Sessions) Refresh(ctx context.Context, from app.Caller, raw app.Field[string]) (Tokens, error) {
	shown, err := s.parse(raw, ErrRefreshInvalid)
	if err != nil {
		return Tokens{}, err
	}
	now, elapsed := s.Now(), s.Elapsed()
	var refusal error
	rotated := false
	session, err := s.Store.UseSession(ctx, UseOf{
		SessionID: shown.SessionID, Generation: shown.Generation, Now: now,
		Address: from.From.Text(), UserAgent: from.From.Agent(),
	}, func(use SessionUse) (action SessionAction, record Record) {
		action, refusal = s.decide(use, shown.Generation, now, elapsed)
		if wait := s.tooOften(shown, action); wait > 0 {
			action, refusal = SessionKeep, app.TooMany(wait)
		}
		if errors.Is(refusal, errReplay) {
			record = RecordOf(EventOf(from, EventReplay, use.UserID, now, "session ended"))
			record.Mails = s.Postage.Notices(use.UserID, noticeOf(from, outbox.MailReplay, "", "", now))
		}
		rotated = action == SessionRotate
		return action, record
	})
	if err != nil {
		return Tokens{}, err
	}
	if rotated {
		s.retired.add(retiredToken{shown.SessionID, shown.Generation}, elapsed)
	}
	if refusal != nil {
		if errors.Is(refusal, errReplay) {
			s.Log.WarnContext(ctx, "retired refresh token shown again: session ended",
				"user_id", session.UserID, "session_id", session.ID,
				"generation", shown.Generation, "current", session.Generation)
		}
		var limited *app.Error
		if errors.As(refusal, &limited) {
			return Tokens{}, limited
		}
		return Tokens{}, ErrRefreshInvalid.With(refusal)
	}
	return s.renewed(ctx, session, s.Refreshes.Mint(shown, session.Generation))
}

// renewed returns the tokens of a session that goes on.
func (s *Sessions) renewed(ctx context.Context, session Session, refresh string) (Tokens, error) {
	user, err := s.Store.User(ctx, session.UserID)
	if errors.Is(err, ErrUserNotFound) { // deleted since, and the session with it
		return Tokens{}, ErrRefreshInvalid.With(err)
	}
	if err != nil {
		return Tokens{}, err
	}
	return s.tokens(user, session, refresh)
}

// tooOften limits the writes of a session. Returning the successor of a retired token
// writes nothing and does not count, so repeating one can't delay the owner.
func (s *Sessions) tooOften(shown token.RefreshToken, action SessionAction) time.Duration {
	if s.Limiter == nil || action != SessionRotate && action != SessionTouch {
		return 0
	}
	wait, _ := s.Limiter.Take(shown.SessionID, refreshRate())
	return wait
}

var (
	errReplay  = errors.New("refresh token was retired and its grace is over")
	errExpired = errors.New("session has expired")
)

// decide applies the rule of refresh tokens (RFC 9700 section 4.14.2, with a grace):
// it returns what happens to the session, and why the token is refused, if it is.
func (s *Sessions) decide(use SessionUse, shown int64, now time.Time, elapsed time.Duration) (SessionAction, error) {
	// What passed while this process saw it counts: a clock that jumps is no
	// thief, and none of their friends.
	age, seen := s.retired.age(retiredToken{use.ID, shown}, elapsed)
	if !seen && !use.RetiredAt.IsZero() {
		seen, age = true, s.unseenAge(use, shown, now, age)
	}
	idle := s.IdleTTL > 0 && now.Sub(use.LastUsedAt) > s.IdleTTL
	switch {
	case !now.Before(use.ExpiresAt) || idle:
		return SessionKeep, errExpired // by this clock; the session goes when the clock has settled
	case shown == use.Generation && s.Rotation:
		return SessionRotate, nil
	case shown == use.Generation:
		return SessionTouch, nil
	case seen && age <= RefreshGrace:
		return SessionKeep, nil
	default:
		return SessionStolen, errReplay
	}
}

// unseenAge is how long ago a token was retired that this process has not retired; least is for
// how long it would know.
func (s *Sessions) unseenAge(use SessionUse, shown int64, now time.Time, least time.Duration) time.Duration {
	byClock := now.Sub(use.RetiredAt)
	// If nobody has used the successor, its response may have been lost, and the clock may have
	// jumped since.
	unanswered := shown == use.Generation-1 && use.LastUsedAt.Equal(use.RetiredAt)
	switch {
	case s.Shared && unanswered:
		return min(byClock.Abs(), least)
	case s.Shared: // another process may have retired it just now; its clock is not ours
		return byClock.Abs()
	case unanswered:
		return least
	}
	// It was retired before this process can tell, and so at least as long ago as that, also if
	// the clock was ahead then.
	return max(byClock, least)
}

// retiredToken names a refresh token that is no longer current.
type retiredToken struct {
	session    string
	generation int64
}

// retired remembers when this process has retired refresh tokens, for as long
// as their grace may matter. It may be lost: the store knows, too.
type retired struct {
	mu    sync.Mutex
	at    map[retiredToken]time.Duration
	since time.Duration // what was retired before is not known
}

// mostRetired bounds what is remembered, at about 100 bytes each.
const mostRetired = 1 << 16

func (r *retired) add(token retiredToken, elapsed time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[retiredToken]time.Duration{}
	}
	if len(r.at) >= mostRetired {
		for old, at := range r.at {
			if elapsed-at > RefreshGrace {
				delete(r.at, old)
			}
		}
		if len(r.at) >= mostRetired {
			clear(r.at)
			r.since = elapsed
		}
	}
	r.at[token] = elapsed
}

// age is how long ago the process has retired a token; if it does not know of
// that, how long ago it was at least.
func (r *retired) age(token retiredToken, elapsed time.Duration) (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, seen := r.at[token]; seen {
		return elapsed - at, true
	}
	return elapsed - r.since, false
}
