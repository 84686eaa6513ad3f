package token_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"taskapi/app/token"
	"taskapi/app/token/tokentest"
)

const session = "pBq1cX2yTnGf0mVvR9eW4w"

// clock is a time that a test can move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// newClock starts far from the machine's own time, so that a check against
// that one would show.
func newClock() *clock { return &clock{time.Date(2012, 3, 4, 5, 6, 7, 890_000_000, time.UTC)} }

func secret() []byte { return bytes.Repeat([]byte("s"), token.MinSecret) }

func newAccess(t testing.TB, c *clock) *token.Access {
	t.Helper()
	a, err := token.NewAccess(secret(), 15*time.Minute, c.now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// parseAsMiddleware does what contrib/jwt does with a bearer token.
func parseAsMiddleware(a *token.Access, raw string) (*jwt.Token, error) {
	claims := reflect.New(reflect.TypeOf(token.Claims{})).Interface().(jwt.Claims)
	return jwt.ParseWithClaims(raw, claims, a.Keyfunc)
}

func TestIssueAndParse(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	raw, expiresIn, err := a.Issue(42, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if expiresIn != 15*time.Minute {
		t.Errorf("expires in %s", expiresIn)
	}
	got, err := a.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	iat := c.t.Unix()
	if got.UserID != 42 || got.Subject != "42" || got.SessionID != session || got.IssuedAt != iat ||
		got.ExpiresAt != iat+900 || got.NotBefore != 0 || got.Issuer != "taskapi" || len(got.ID) != 22 {
		t.Errorf("claims %+v", got)
	}
	other, _, err := a.Issue(42, session, c.t.Add(time.Hour))
	if err != nil || other == raw {
		t.Errorf("a second token is the same (%v)", err)
	}
	if strings.Contains(raw, "=") {
		t.Error("the token is padded")
	}
}

func TestIssuedFormat(t *testing.T) {
	c := newClock()
	a, err := token.NewAccess(secret(), time.Minute, c.now, bytes.NewReader(make([]byte, 16)))
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := a.Issue(7, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`{"alg":"HS256","typ":"at+jwt"}`,
		`{"user_id":7,"sub":"7","sid":"` + session + `","jti":"AAAAAAAAAAAAAAAAAAAAAA","iss":"taskapi",` +
			`"aud":"taskapi","iat":1330837567,"exp":1330837627}`,
	} {
		got, err := base64.RawURLEncoding.Strict().DecodeString(strings.Split(raw, ".")[i])
		if err != nil || string(got) != want {
			t.Errorf("segment %d: %s (%v), want %s", i, got, err, want)
		}
	}
}

func TestIssueNeverOutlivesTheSession(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	for _, tc := range []struct {
		left, want time.Duration
	}{
		{time.Hour, 15 * time.Minute},
		{15 * time.Minute, 15 * time.Minute},
		{90 * time.Second, 90 * time.Second},
		{time.Second, time.Second},
		{100 * time.Millisecond, 0}, // within the same second
		{0, 0},
		{-time.Hour, 0},
	} {
		// The clock stands at 890 ms: whole seconds count from 0 ms.
		raw, expiresIn, err := a.Issue(42, session, c.t.Truncate(time.Second).Add(tc.left))
		if tc.want == 0 {
			if !errors.Is(err, token.ErrSessionOver) || raw != "" {
				t.Errorf("%s left: %v", tc.left, err)
			}
			continue
		}
		if err != nil || expiresIn != tc.want {
			t.Errorf("%s left: expires in %s, %v; want %s", tc.left, expiresIn, err, tc.want)
		}
		if claims, err := a.Parse(raw); err != nil || claims.ExpiresAt-claims.IssuedAt != int64(tc.want/time.Second) {
			t.Errorf("%s left: claims %+v, %v", tc.left, claims, err)
		}
	}
	if _, _, err := a.Issue(42, session, time.Time{}); !errors.Is(err, token.ErrSessionOver) {
		t.Errorf("no end given: %v", err)
	}
}

func TestIssueRefuses(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	for _, id := range []int64{0, -1} {
		if _, _, err := a.Issue(id, session, c.t.Add(time.Hour)); err == nil {
			t.Errorf("user %d: no error", id)
		}
	}
	if _, _, err := a.Issue(1, "", c.t.Add(time.Hour)); err == nil {
		t.Error("no session: no error")
	}
	broken := errors.New("broken")
	a, err := token.NewAccess(secret(), time.Minute, c.now, iotest.ErrReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if raw, _, err := a.Issue(1, session, c.t.Add(time.Hour)); !errors.Is(err, broken) || raw != "" {
		t.Errorf("without randomness: %v", err)
	}
}

func TestNewAccessRefuses(t *testing.T) {
	now := newClock().now
	for _, s := range [][]byte{nil, {}, secret()[1:]} {
		if _, err := token.NewAccess(s, time.Minute, now, rand.Reader); !errors.Is(err, token.ErrShortSecret) {
			t.Errorf("secret of %d bytes: %v", len(s), err)
		}
	}
	for _, ttl := range []time.Duration{0, -time.Minute, time.Millisecond, 1500 * time.Millisecond} {
		if _, err := token.NewAccess(secret(), ttl, now, rand.Reader); err == nil {
			t.Errorf("ttl %s: no error", ttl)
		}
	}
	if _, err := token.NewAccess(secret(), time.Minute, nil, rand.Reader); err == nil {
		t.Error("no clock: no error")
	}
	if _, err := token.NewAccess(secret(), time.Minute, now, nil); err == nil {
		t.Error("no randomness: no error")
	}
}

func TestTheSecretIsCopied(t *testing.T) {
	c, s := newClock(), secret()
	a, err := token.NewAccess(s, time.Minute, c.now, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := a.Issue(1, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	clear(s)
	if _, err := a.Parse(raw); err != nil {
		t.Error(err)
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	if _, err := a.Parse(tokentest.Genuine(secret(), c.t, 42, session)); err != nil {
		t.Fatalf("the genuine token: %v", err)
	}
	names := map[string]bool{}
	for _, f := range tokentest.Forgeries(secret(), c.t, 42, session) {
		if names[f.Name] {
			t.Errorf("two forgeries are called %q", f.Name)
		}
		names[f.Name] = true
		t.Run(f.Name, func(t *testing.T) {
			claims, err := a.Parse(f.Raw)
			if err == nil || claims.UserID != 0 {
				t.Fatalf("accepted with %+v", claims)
			}
			if token.Expired(err) != f.Expired {
				t.Errorf("Expired(%v) = %t", err, token.Expired(err))
			}
			parsed, err := parseAsMiddleware(a, f.Raw)
			if err == nil || token.Expired(err) != f.Expired {
				t.Errorf("the middleware gets %v", err)
			}
			if _, ok := token.ClaimsOf(parsed); ok {
				t.Error("ClaimsOf takes it")
			}
		})
	}
	if len(names) < 25 {
		t.Errorf("only %d forgeries", len(names))
	}
}

// What an HTTP header can't carry, or loses on the way.
func TestWhiteSpaceIsRefused(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	good := tokentest.Genuine(secret(), c.t, 42, session)
	last := strings.LastIndex(good, ".")
	for _, raw := range []string{
		"", " ", " " + good, good + " ", good + "\n", "\r\n" + good, good[:last+5] + "\n" + good[last+5:],
		good[:5] + "\n" + good[5:], good + "\x00", "\ufeff" + good,
	} {
		if _, err := a.Parse(raw); err == nil || token.Expired(err) {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func TestOneBitChangedAnywhereIsRefused(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	good := []byte(tokentest.Genuine(secret(), c.t, 42, session))
	for i := range good {
		for bit := range 8 {
			good[i] ^= 1 << bit
			if _, err := a.Parse(string(good)); err == nil {
				t.Errorf("accepted with bit %d of character %d changed", bit, i)
			}
			good[i] ^= 1 << bit
		}
	}
}

func TestTheClock(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	start := c.t.Truncate(time.Second)
	raw := tokentest.Genuine(secret(), start, 42, session)
	for _, tc := range []struct {
		at          time.Duration
		ok, expired bool
	}{
		{-365 * 24 * time.Hour, true, false},
		{-60 * time.Second, true, false},
		{0, true, false},
		{900*time.Second - 1, true, false},
		{900 * time.Second, false, true},
		{24 * time.Hour, false, true},
	} {
		c.t = start.Add(tc.at)
		_, err := a.Parse(raw)
		if (err == nil) != tc.ok || token.Expired(err) != tc.expired {
			t.Errorf("at %s: %v, expired %t", tc.at, err, token.Expired(err))
		}
	}
}

func TestNotBefore(t *testing.T) {
	c := newClock()
	a := newAccess(t, c)
	now := c.t.Unix()
	raw := signed(t, map[string]any{"user_id": 1, "sub": "1", "sid": "s", "jti": "j", "iss": "taskapi",
		"aud": []string{"web", "taskapi"}, "iat": now, "exp": now + 60, "nbf": now + 10})
	if _, err := a.Parse(raw); err == nil || token.Expired(err) {
		t.Errorf("before nbf: %v", err)
	}
	c.t = c.t.Add(10 * time.Second)
	if claims, err := a.Parse(raw); err != nil || len(claims.Audience) != 2 {
		t.Errorf("at nbf: %v, %+v", err, claims)
	}
}

// signed returns a token with our header and any claims.
func signed(t *testing.T, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return tokentest.Sign(secret(), `{"alg":"HS256","typ":"at+jwt"}`, string(payload))
}
