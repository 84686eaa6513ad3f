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
	// Scopes are what an API token is good for; a session is good for all.
	Scopes []Scope
	From   Origin
}

// Origin is where a request comes from.
type Origin struct {
	Address   netip.Addr // invalid when it is not known
	UserAgent string     // as the client names itself; not to be trusted
}

// operator is the address of what is done on the command line.
const operator = "command line"

// maxUserAgent is how much of a user agent is kept, in characters.
const maxUserAgent = 256

// Admin reports whether the caller is an admin.
func (c Caller) Admin() bool { return c.Role == RoleAdmin }

// SignedIn reports whether the caller is in a session of their own, rather
// than a script with an API token.
func (c Caller) SignedIn() bool { return c.SessionID != "" }

// May reports whether the caller's session or API token is good for a scope.
func (c Caller) May(scope Scope) bool {
	return c.SignedIn() || slices.Contains(c.Scopes, scope)
}

func (c Caller) owner() Owner {
	if c.Admin() {
		return Owner{}
	}
	return Owner{UserID: c.UserID}
}

// event is a line of the audit about a user's account; 0 is that of the user
// which the change that carries it is about.
func (c Caller) event(name EventName, userID int64, at time.Time, detail string) Event {
	return Event{At: at, Name: name, UserID: userID, ActorID: c.UserID, Address: c.From.text(), Detail: detail}
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
