package token_test

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"testing"

	"taskapi/app/token"
	"taskapi/app/token/tokentest"
)

// FuzzParseAccess shows that nobody without the secret can make a token of
// another, in whatever spelling, and that no text makes Parse panic.
func FuzzParseAccess(f *testing.F) {
	c := newClock()
	a := newAccess(f, c)
	genuine := tokentest.Genuine(secret(), c.t, 42, session)
	f.Add(genuine)
	for _, forgery := range tokentest.Forgeries(secret(), c.t, 42, session) {
		f.Add(forgery.Raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		claims, err := a.Parse(raw)
		if (err == nil) != (raw == genuine) {
			t.Errorf("%q: %+v, %v", raw, claims, err)
		}
	})
}

// FuzzClaims gets past the signature: whatever a token says that was signed
// with the secret, it is accepted only if it keeps the rules.
func FuzzClaims(f *testing.F) {
	c := newClock()
	a := newAccess(f, c)
	const header = `{"alg":"HS256","typ":"at+jwt"}`
	f.Add(header, `{"aud":"taskapi","exp":1330838467,"iat":1330837567,"iss":"taskapi","jti":"j","sid":"s","sub":"42","user_id":42}`)
	f.Add(header, `{"aud":["x","taskapi"],"exp":1e9,"nbf":0,"iat":1330837567,"iss":"taskapi","jti":"j","sid":"s","sub":"42","user_id":42}`)
	f.Add(`{"alg":"none","typ":"JWT"}`, `null`)
	f.Fuzz(func(t *testing.T, header, payload string) {
		claims, err := a.Parse(tokentest.Sign(secret(), header, payload))
		if err != nil {
			return
		}
		var h map[string]string
		if err := json.Unmarshal([]byte(header), &h); err != nil || len(h) != 2 || h["alg"] != "HS256" || h["typ"] != "at+jwt" {
			t.Errorf("header %s", header)
		}
		now := c.t.Unix()
		if claims.UserID < 1 || claims.Subject != strconv.FormatInt(claims.UserID, 10) || claims.Issuer != "taskapi" ||
			!slices.Contains(claims.Audience, "taskapi") || claims.SessionID == "" || claims.ID == "" ||
			claims.ExpiresAt <= now || claims.IssuedAt > now+60 || claims.NotBefore > now {
			t.Errorf("payload %s: %+v", payload, claims)
		}
	})
}

// FuzzParseRefresh shows that no text makes Parse panic and that whatever
// parses is the one text of its token.
func FuzzParseRefresh(f *testing.F) {
	r, err := token.NewRefresh(secret(), bytes.NewReader(make([]byte, 16)))
	if err != nil {
		f.Fatal(err)
	}
	made, raw, err := r.New()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(r.Mint(made, 2))
	f.Add(r.Mint(made, math.MaxInt64))
	f.Add(r.Mint(made, -1))
	f.Add(raw + "=")
	f.Add(raw[:75] + "\n")
	f.Add(tokentest.Genuine(secret(), newClock().t, 42, session))
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := r.Parse(raw)
		if !ok {
			return
		}
		if got.SessionID != made.SessionID || got.Generation < 1 {
			t.Errorf("%q is a token of %v", raw, got)
		}
		if again := r.Mint(got, got.Generation); again != raw {
			t.Errorf("%q parses, but its text is %q", raw, again)
		}
	})
}
