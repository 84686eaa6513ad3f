package token_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"taskapi/app/token"
	"taskapi/app/token/tokentest"
)

func TestClaimsThatNoKeyfuncTouchedAreInvalid(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	claims, err := a.Parse(tokentest.Genuine(secret(), c.t, 42, session))
	if err != nil {
		t.Fatal(err)
	}
	if err := claims.Validate(); err != nil {
		t.Errorf("read through Keyfunc: %v", err)
	}
	data, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	var again token.Claims
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if err := again.Validate(); err == nil || token.Expired(err) {
		t.Errorf("read from JSON: %v", err)
	}
	if err := new(token.Claims).Validate(); err == nil || token.Expired(err) {
		t.Errorf("empty: %v", err)
	}
}

func TestKeyfuncTakesOnlyItsClaims(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	raw := tokentest.Genuine(secret(), c.t, 42, session)
	if _, err := jwt.Parse(raw, a.Keyfunc); err == nil {
		t.Error("accepted as a map: nothing would check the claims")
	}
	if _, err := jwt.ParseWithClaims(raw, &jwt.RegisteredClaims{}, a.Keyfunc); err == nil {
		t.Error("accepted as registered claims")
	}
	if _, err := a.Keyfunc(&jwt.Token{Claims: (*token.Claims)(nil)}); err == nil {
		t.Error("accepted without claims")
	}
	if _, err := a.Keyfunc(&jwt.Token{Claims: new(token.Claims)}); err == nil {
		t.Error("accepted without a header")
	}
}

func TestClaimsOf(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	parsed, err := parseAsMiddleware(a, tokentest.Genuine(secret(), c.t, 42, session))
	if err != nil {
		t.Fatal(err)
	}
	if claims, ok := token.ClaimsOf(parsed); !ok || claims.UserID != 42 || claims.SessionID != session {
		t.Errorf("claims %+v, %t", claims, ok)
	}
	for name, v := range map[string]any{
		"nil":           nil,
		"a nil token":   (*jwt.Token)(nil),
		"text":          "token",
		"claims":        token.Claims{UserID: 42},
		"not valid":     &jwt.Token{Claims: &token.Claims{UserID: 42}},
		"other claims":  &jwt.Token{Valid: true, Claims: jwt.MapClaims{"user_id": 42}},
		"nil claims":    &jwt.Token{Valid: true, Claims: (*token.Claims)(nil)},
		"no claims":     &jwt.Token{Valid: true},
		"claims as is":  &jwt.Token{Valid: true, Claims: token.Claims{UserID: 42}},
		"token by copy": *parsed,
	} {
		if claims, ok := token.ClaimsOf(v); ok || claims.UserID != 0 {
			t.Errorf("%s: %+v, %t", name, claims, ok)
		}
	}
}

// golang-jwt's own checks must see nothing to compare with the machine's clock.
func TestTheLibraryLeavesTheTimeToUs(t *testing.T) {
	c := token.Claims{ExpiresAt: 1, NotBefore: 1 << 40, IssuedAt: 1 << 40, Issuer: "i", Subject: "s", Audience: token.Audience{"a"}}
	if err := jwt.NewValidator(jwt.WithIssuedAt(), jwt.WithIssuer("i"), jwt.WithSubject("s"), jwt.WithAudience("a")).
		Validate(jwt.Claims(timeless{c})); err != nil {
		t.Error(err)
	}
}

// timeless is Claims without Validate.
type timeless struct{ jwt.Claims }

func TestAudienceInJSON(t *testing.T) {
	for _, tc := range []struct {
		in, out string
		n       int
	}{
		{`"a"`, `"a"`, 1},
		{`["a"]`, `"a"`, 1},
		{`["a","b"]`, `["a","b"]`, 2},
		{`[]`, `[]`, 0},
	} {
		var a token.Audience
		if err := json.Unmarshal([]byte(tc.in), &a); err != nil || len(a) != tc.n {
			t.Errorf("%s: %q, %v", tc.in, a, err)
		}
		if out, err := json.Marshal(a); err != nil || (string(out) != tc.out && tc.n > 0) {
			t.Errorf("%s: %s, %v", tc.in, out, err)
		}
	}
}

func TestExpiredIsForErrorsOfExpiry(t *testing.T) {
	if token.Expired(nil) || token.Expired(jwt.ErrTokenNotValidYet) {
		t.Error("something else has expired")
	}
}

// A clock that was set back refuses nobody: the session says who is in.
func TestATokenOfALaterClock(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	a := newAccess(t, c)
	raw, _, err := a.Issue(42, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	c.t = c.t.Add(-365 * 24 * time.Hour)
	if _, err := a.Parse(raw); err != nil {
		t.Errorf("a year earlier: %v", err)
	}
}
