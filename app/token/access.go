package token

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// accessType is the header typ of access tokens (RFC 9068, section 2.1).
	accessType = "at+jwt"
	// tokenIDLength is the length of the random jti in bytes.
	tokenIDLength = 16
)

// ErrSessionOver says that no access token can be issued, because the session
// has less than a second left.
var ErrSessionOver = errors.New("the session is over: sign in again")

// Access issues and checks access tokens. It is safe for concurrent use if its
// clock and its source of randomness are.
type Access struct {
	secret []byte
	ttl    time.Duration
	now    func() time.Time
	random io.Reader
	known  known
}

// NewAccess returns an Access that signs with secret, whose tokens live for
// ttl, a positive whole number of seconds. It fails with ErrShortSecret, and
// on a ttl, now or random that can't be used.
func NewAccess(secret []byte, ttl time.Duration, now func() time.Time, random io.Reader) (*Access, error) {
	if len(secret) < MinSecret {
		return nil, ErrShortSecret
	}
	// A NumericDate has whole seconds here, and so has expires_in.
	if ttl < time.Second || ttl%time.Second != 0 {
		return nil, fmt.Errorf("access tokens cannot live for %s: give a whole number of seconds, at least one", ttl)
	}
	if now == nil || random == nil {
		return nil, errMissingSource
	}
	return &Access{secret: bytes.Clone(secret), ttl: ttl, now: now, random: random}, nil
}

// Issue returns a new access token of a session and how long it is good for,
// in whole seconds: the ttl, but not beyond notAfter, at which the session
// ends. It fails with ErrSessionOver if less than a second would be left, and
// on a user id that is not positive and an empty session id.
func (a *Access) Issue(userID int64, sessionID string, notAfter time.Time) (raw string, expiresIn time.Duration, err error) {
	if userID <= 0 || sessionID == "" {
		return "", 0, fmt.Errorf("no access token for user %d, session %q: give a positive id and a session", userID, sessionID)
	}
	issued := a.now().Unix()
	expires := min(issued+int64(a.ttl/time.Second), notAfter.Unix())
	if expires <= issued {
		return "", 0, ErrSessionOver
	}
	id := make([]byte, tokenIDLength)
	if _, err := io.ReadFull(a.random, id); err != nil {
		return "", 0, fmt.Errorf("making the id of an access token: %w", err)
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, Claims{
		UserID:    userID,
		Subject:   strconv.FormatInt(userID, 10),
		SessionID: sessionID,
		ID:        base64.RawURLEncoding.EncodeToString(id),
		Issuer:    issuer,
		Audience:  Audience{audience},
		IssuedAt:  issued,
		ExpiresAt: expires,
	})
	t.Header["typ"] = accessType
	raw, err = t.SignedString(a.secret)
	if err != nil {
		return "", 0, fmt.Errorf("signing an access token: %w", err)
	}
	return raw, time.Duration(expires-issued) * time.Second, nil
}

// Keyfunc is a jwt.Keyfunc, for parsers that take no other option. It returns
// the key if the header is exactly the one that Issue writes, and gives the
// clock to the claims, which must be a *Claims.
func (a *Access) Keyfunc(t *jwt.Token) (any, error) {
	claims, ok := t.Claims.(*Claims)
	if !ok || claims == nil {
		return nil, fmt.Errorf("access token: claims of type %T", t.Claims)
	}
	// The algorithm is ours to choose, not the token's (RFC 8725, section
	// 3.1). The library has looked up t.Method by the header's word.
	if t.Method != jwt.SigningMethodHS256 || t.Header["alg"] != jwt.SigningMethodHS256.Alg() {
		return nil, errors.New("access token: the algorithm is not HS256")
	}
	if t.Header["typ"] != accessType {
		return nil, errors.New("access token: the type is not at+jwt")
	}
	// We never set kid, jku, jwk, x5u, x5c, crit or any other parameter, so
	// that a token which has one is not ours (RFC 8725, section 3.10).
	if len(t.Header) != 2 {
		return nil, errors.New("access token: the header has other parameters than alg and typ")
	}
	// The library decodes base64 loosely: line breaks and any last bits pass.
	// What the signature covers can't vary, but the signature itself could.
	if !strings.HasSuffix(t.Raw, "."+base64.RawURLEncoding.EncodeToString(t.Signature)) {
		return nil, errors.New("access token: the signature is not in canonical base64")
	}
	claims.now = a.now
	return a.secret, nil
}

// Parse returns the claims of an access token. It fails unless Issue made the
// token under the same secret and it is good now; see Expired.
func (a *Access) Parse(raw string) (Claims, error) {
	t, err := jwt.ParseWithClaims(raw, new(Claims), a.Keyfunc)
	if err != nil {
		return Claims{}, fmt.Errorf("access token: %w", err)
	}
	claims, ok := ClaimsOf(t)
	if !ok {
		return Claims{}, errors.New("access token: no claims")
	}
	return claims, nil
}
