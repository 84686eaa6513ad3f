// Package tokentest makes access tokens by hand, good and forged, for tests of
// whatever takes access tokens. It signs with the standard library alone, so
// that it doesn't share mistakes with the library that checks.
package tokentest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Forgery is an access token that must be refused.
type Forgery struct {
	// Name says what is wrong with it.
	Name string
	// Raw is the token. It has neither white space at its ends nor line
	// breaks, so that it can be sent in a header.
	Raw string
	// Expired is true if its age is all that is wrong with it.
	Expired bool
}

// members is a JSON object: the header or the claims of a token.
type members map[string]any

// with returns a copy with one member set. A value of absent removes it.
func (m members) with(name string, value any) members {
	c := maps.Clone(m)
	c[name] = value
	if value == absent {
		delete(c, name)
	}
	return c
}

// absent represents a missing value.
const absent = jsonText("absent")

// jsonText is JSON that is written as it stands, for what Go's numbers can't say.
type jsonText string

// MarshalJSON returns the text.
func (t jsonText) MarshalJSON() ([]byte, error) { return []byte(t), nil }

// forger has the parts of a good token, to spoil them.
type forger struct {
	secret []byte
	header members
	claims members
	now    int64
	user   int64
}

// newForger returns a forger whose token is good at now for a quarter of an hour.
func newForger(secret []byte, now time.Time, userID int64, sessionID string) forger {
	return forger{
		secret: secret,
		header: members{"alg": "HS256", "typ": "at+jwt"},
		claims: members{
			"user_id": userID, "sub": strconv.FormatInt(userID, 10), "sid": sessionID, "jti": "2hgT1sGZ8zE0bDkqV9xXtw",
			"iss": "taskapi", "aud": "taskapi", "iat": now.Unix(), "exp": now.Unix() + 900,
		},
		now:  now.Unix(),
		user: userID,
	}
}

// Genuine returns a token that must be accepted at now: what every forgery is
// made from.
func Genuine(secret []byte, now time.Time, userID int64, sessionID string) string {
	f := newForger(secret, now, userID, sessionID)
	return f.sign(f.header, f.claims)
}

// Forgeries returns tokens that claim a session of a user and must be refused
// at now. Some are signed with the secret, as if a mistake elsewhere had let
// it happen; the others are what a stranger could make of a genuine token.
func Forgeries(secret []byte, now time.Time, userID int64, sessionID string) []Forgery {
	f := newForger(secret, now, userID, sessionID)
	var all []Forgery
	for _, group := range [][]Forgery{
		f.algorithms(), f.ownKey(), f.signatures(), f.headers(), f.times(), f.users(), f.parties(), f.payloads(), f.shapes(),
	} {
		all = append(all, group...)
	}
	// Some come from maps; a test should meet them in the same order each time.
	slices.SortStableFunc(all, func(a, b Forgery) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Sign returns the JWS compact form of any header and payload, both JSON,
// signed with HMAC-SHA256.
func Sign(secret []byte, header, payload string) string {
	return compact(header, payload, func(text string) []byte { return mac(sha256.New, secret, text) })
}

// sign is Sign for objects, with the secret.
func (f forger) sign(header, claims members) string {
	return Sign(f.secret, encode(header), encode(claims))
}

// altered returns good tokens with one claim changed, signed with the secret.
func (f forger) altered(claim string, values map[string]any) []Forgery {
	var out []Forgery
	for name, value := range values {
		out = append(out, Forgery{Name: claim + " " + name, Raw: f.sign(f.header, f.claims.with(claim, value))})
	}
	return out
}

// compact joins a header, a payload and the signature over both.
func compact(header, payload string, sign func(text string) []byte) string {
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	return text + "." + b64(sign(text))
}

// encode returns an object as JSON.
func encode(m members) string {
	data, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("tokentest: %v", err)) // only the values above reach it
	}
	return string(data)
}

// b64 is base64url without padding.
func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// mac returns the HMAC of a text.
func mac(h func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// cut returns the three segments of a token.
func cut(raw string) (header, payload, signature string) {
	parts := strings.SplitN(raw, ".", 3)
	return parts[0], parts[1], parts[2]
}
