package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	issuer   = "taskapi" // the claim iss
	audience = "taskapi" // the claim aud
)

// Claims is what an access token says. Times are in seconds since 1970 UTC.
//
// Only Access.Keyfunc makes a Claims that can be valid, because the parser
// that calls it offers no other way to hand in a clock.
type Claims struct {
	// UserID is the user whose session it is.
	UserID int64 `json:"user_id"`
	// Subject is UserID in decimal.
	Subject string `json:"sub"`
	// SessionID is the session which the token belongs to.
	SessionID string `json:"sid"`
	// ID is unlike that of any other token.
	ID string `json:"jti"`
	// Issuer and Audience name this program.
	Issuer   string   `json:"iss"`
	Audience Audience `json:"aud"`
	// IssuedAt is the moment at which the token was made. It may lie ahead: a
	// clock without a battery begins in the past, and whether a token is good is
	// for its session to say.
	IssuedAt int64 `json:"iat"`
	// ExpiresAt is the first moment at which the token is no longer good.
	ExpiresAt int64 `json:"exp"`
	// NotBefore, unless 0, is the first moment at which the token is good.
	NotBefore int64 `json:"nbf,omitempty"`

	now func() time.Time
}

// Validate fails unless every claim is right at the moment that the clock of
// the Access gives. The error is one that Expired knows if and only if the age
// of the token is all that is wrong with it.
//
// golang-jwt calls it after the signature was checked.
func (c Claims) Validate() error {
	if c.now == nil {
		return errors.New("the claims were not read through Keyfunc")
	}
	now := c.now().Unix()
	if err := c.checkParties(); err != nil {
		return err
	}
	switch {
	case c.IssuedAt <= 0:
		return fmt.Errorf("iat: %w", jwt.ErrTokenRequiredClaimMissing)
	case c.NotBefore > now:
		return jwt.ErrTokenNotValidYet
	case c.ExpiresAt <= 0:
		return fmt.Errorf("exp: %w", jwt.ErrTokenRequiredClaimMissing)
	case c.ExpiresAt <= now:
		return jwt.ErrTokenExpired
	}
	return nil
}

// checkParties checks the claims that do not depend on the time.
func (c Claims) checkParties() error {
	switch {
	case c.Issuer != issuer:
		return jwt.ErrTokenInvalidIssuer
	case !slices.Contains(c.Audience, audience):
		return jwt.ErrTokenInvalidAudience
	case c.UserID <= 0 || c.Subject != strconv.FormatInt(c.UserID, 10):
		return jwt.ErrTokenInvalidSubject
	case c.SessionID == "":
		return fmt.Errorf("sid: %w", jwt.ErrTokenRequiredClaimMissing)
	case c.ID == "":
		return jwt.ErrTokenInvalidId
	}
	return nil
}

// Expired tells whether err, from parsing an access token, says that the token
// was right in everything but has expired.
func Expired(err error) bool { return errors.Is(err, jwt.ErrTokenExpired) }

// ClaimsOf returns the claims of an access token that was parsed and found
// valid. v is what github.com/gofiber/contrib/jwt stores for the handlers; ok
// is false for anything else.
func ClaimsOf(v any) (claims Claims, ok bool) {
	t, ok := v.(*jwt.Token)
	if !ok || t == nil || !t.Valid {
		return Claims{}, false
	}
	c, ok := t.Claims.(*Claims)
	if !ok || c == nil {
		return Claims{}, false
	}
	return *c, true
}

// RawOf returns the text of what ClaimsOf takes.
func RawOf(v any) string {
	t, ok := v.(*jwt.Token)
	if !ok || t == nil {
		return ""
	}
	return t.Raw
}

// GetExpirationTime returns nil: golang-jwt would compare it with the clock of
// the machine. Validate does it with ours.
func (c Claims) GetExpirationTime() (*jwt.NumericDate, error) { return nil, nil }

// GetNotBefore returns nil, as GetExpirationTime does.
func (c Claims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuedAt returns nil, as GetExpirationTime does.
func (c Claims) GetIssuedAt() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer returns the claim iss.
func (c Claims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject returns the claim sub.
func (c Claims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience returns the claim aud.
func (c Claims) GetAudience() (jwt.ClaimStrings, error) { return jwt.ClaimStrings(c.Audience), nil }

// Audience is the claim aud: in JSON one string, or a list of strings
// (RFC 7519, section 4.1.3).
type Audience []string

// UnmarshalJSON reads either form.
func (a *Audience) UnmarshalJSON(data []byte) error {
	var s jwt.ClaimStrings
	if err := json.Unmarshal(data, &s); err != nil {
		return fmt.Errorf("aud: %w", err)
	}
	*a = Audience(s)
	return nil
}

// MarshalJSON writes one audience as a string. jwt.ClaimStrings would need a
// package variable to be set for that.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}
