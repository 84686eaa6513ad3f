package app

import (
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Caller is who makes a request: a user, in a session or with an API token.
// Without a UserID it is somebody who is not signed in.
type Caller struct {
	UserID    int64
	Role      Role
	SessionID string // empty with an API token
	TokenID   int64  // 0 in a session
	// Scopes are what an API token is good for; a session is good for all.
	Scopes []Scope
	From   Origin
	// Proof is what a change needs beyond a session or a token.
	Proof Proof

	operator bool
}

// Proof says that the person is there, not only a session of theirs. The zero
// value asks for nothing. The store looks at it in the transaction that acts.
type Proof struct {
	// PasswordHash, when not empty, must still be the caller's stored hash:
	// the current password was checked against it.
	PasswordHash string
	// SignedInSince, when not zero, is when the session must have begun at the
	// earliest.
	SignedInSince time.Time
}

// Operator is who uses the command line on the server's machine, and may do
// everything.
func Operator() Caller { return Caller{operator: true} }

// Operator reports whether the caller uses the command line.
func (c Caller) Operator() bool { return c.operator }

// Origin is where a request comes from.
type Origin struct {
	Address   netip.Addr // invalid when it is not known
	UserAgent string     // as the client names itself; not to be trusted
}

// commandLine is the address of what the operator does.
const commandLine = "command line"

// maxUserAgent is how much of a user agent is kept, in characters.
const maxUserAgent = 256

// Admin reports whether the caller may act on what is others': an admin in a
// session, or with an API token that is good for that.
func (c Caller) Admin() bool { return c.Role == RoleAdmin && c.May(ScopeAdmin) }

// refused is why the caller may not act on what is others'.
func (c Caller) refused() *Error {
	if c.Role == RoleAdmin {
		return LacksScope(ScopeAdmin)
	}
	return ErrForbidden
}

// SignedIn reports whether the caller is in a session of their own, rather
// than a script with an API token.
func (c Caller) SignedIn() bool { return c.SessionID != "" }

// May reports whether the caller's session or API token is good for a scope.
func (c Caller) May(scope Scope) bool {
	return c.SignedIn() || slices.Contains(c.Scopes, scope)
}

// Owner is what the caller may reach.
func (c Caller) Owner() Owner {
	if c.Admin() || c.operator {
		return Owner{}
	}
	return Owner{UserID: c.UserID}
}

// event is a line of the audit about a user's account; 0 is that of the user
// which the change that carries it is about.
func (c Caller) event(name EventName, userID int64, at time.Time, detail string) Event {
	address := c.From.text()
	if c.operator {
		address = commandLine
	}
	return Event{At: at, Name: name, UserID: userID, ActorID: c.UserID, Address: address, Detail: detail}
}

func (o Origin) text() string {
	if !o.Address.IsValid() {
		return ""
	}
	return o.Address.String()
}

// Network is what counts as one client: an IPv4 address, or the /64 that one
// IPv6 subscriber has to spend (RFC 6177).
func (o Origin) Network() netip.Prefix {
	addr := o.Address.Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, _ := addr.Prefix(bits)
	return prefix
}

// agent is the user agent as it may be stored and shown.
func (o Origin) agent() string {
	clean := strings.ToValidUTF8(o.UserAgent, "")
	clean = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, clean)
	if utf8.RuneCountInString(clean) > maxUserAgent {
		clean = string([]rune(clean)[:maxUserAgent])
	}
	return clean
}
