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
	TokenName string // of the API token, for logs
	// Scopes are what an API token is good for; a session is good for all.
	Scopes []Scope
	From   Origin
	// Proof is what a change needs beyond a session or a token.
	Proof Proof

	operator bool
	personal bool
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

// maxUserAgent is how much of a user agent is kept, in characters.
const maxUserAgent = 256

// Admin reports whether the caller may act on what is others': an admin in a
// session, or with an API token that is good for that.
func (c Caller) Admin() bool { return c.Role == RoleAdmin && c.May(ScopeAdmin) && !c.personal }

// Personal returns the caller as somebody who acts on nothing but what is their own, whatever
// their role.
func (c Caller) Personal() Caller {
	c.personal = true
	return c
}

// Refused returns why the caller may not act on what belongs to others:
// ErrForbidden, or ErrScope for an admin whose API token lacks the scope.
func (c Caller) Refused() *Error {
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

// Text returns the address as it is stored and shown, "" if it is unknown.
func (o Origin) Text() string {
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

// Agent returns the user agent as it may be stored and shown: valid UTF-8
// without control characters, at most 256 characters long.
func (o Origin) Agent() string {
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

// Role says what a user may do beyond their own things.
type Role string

const (
	// RoleUser may see and change what is theirs.
	RoleUser Role = "user"
	// RoleAdmin may see and change everything. Made on the command line only.
	RoleAdmin Role = "admin"
)

// Scope is something that an API token may be good for.
type Scope string

// The scopes. A session is good for all of them.
const (
	ScopeTasksRead  Scope = "tasks:read"
	ScopeTasksWrite Scope = "tasks:write"
	ScopeAccount    Scope = "account"
	// ScopeAdmin lets the API token of an admin act on what is others'.
	ScopeAdmin Scope = "admin"
)

// Owner limits a query to what one user owns. The zero value is everybody's,
// which only admins ask for.
type Owner struct{ UserID int64 }
