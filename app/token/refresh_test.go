package token_test

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"taskapi/app/token"
	"taskapi/app/token/tokentest"
)

func newRefresh(t testing.TB, serverSecret []byte) *token.Refresh {
	t.Helper()
	r, err := token.NewRefresh(serverSecret, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRefreshGenerations(t *testing.T) {
	r := newRefresh(t, secret())
	first, raw, err := r.New()
	if err != nil {
		t.Fatal(err)
	}
	got, ok := r.Parse(raw)
	if !ok || got != first || got.Generation != 1 || len(got.SessionID) != 22 {
		t.Errorf("parsed %v, %t; made %v", got, ok, first)
	}
	successor := r.Mint(got, 2)
	second, ok := r.Parse(successor)
	if !ok || second.Generation != 2 || second.SessionID != first.SessionID || successor == raw {
		t.Errorf("the successor is %v, %t", second, ok)
	}
	if r.Mint(second, 2) != successor || r.Mint(second, 1) != raw {
		t.Error("a generation has two tokens")
	}
	other, _, err := r.New()
	if err != nil || other.SessionID == first.SessionID {
		t.Errorf("two sessions have one id (%v)", err)
	}
}

// The form, written down a second time.
func TestRefreshFormat(t *testing.T) {
	sessionSecret := []byte("0123456789abcdef")
	r, err := token.NewRefresh(secret(), bytes.NewReader(sessionSecret))
	if err != nil {
		t.Fatal(err)
	}
	made, raw, err := r.New()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("taskapi session id\x000123456789abcdef"))
	if want := base64.RawURLEncoding.EncodeToString(sum[:16]); made.SessionID != want {
		t.Errorf("session id %s, want %s", made.SessionID, want)
	}
	if want := forgeRefresh(t, secret(), 1, sessionSecret, 1); raw != want {
		t.Errorf("token %s, want %s", raw, want)
	}
}

// forgeRefresh returns a refresh token with any content and a good MAC.
func forgeRefresh(t *testing.T, serverSecret []byte, version byte, sessionSecret []byte, generation uint64) string {
	t.Helper()
	key, err := hkdf.Key(sha256.New, serverSecret, nil, "taskapi refresh token v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(fmt.Sprintf("%02x%x%016x", version, sessionSecret, generation))
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, key)
	m.Write(data)
	return base64.RawURLEncoding.EncodeToString(m.Sum(data))
}

func TestRefreshRefuses(t *testing.T) {
	c := newClock()
	r := newRefresh(t, secret())
	made, raw, err := r.New()
	if err != nil {
		t.Fatal(err)
	}
	of := []byte("0123456789abcdef")
	access := tokentest.Genuine(secret(), c.t, 42, made.SessionID)
	for name, text := range map[string]string{
		"empty":                 "",
		"an access token":       access,
		"as long as one of us":  access[:len(raw)],
		"another key":           newRefresh(t, append(secret(), 'x')).Mint(made, 1),
		"version 0":             forgeRefresh(t, secret(), 0, of, 1),
		"version 2":             forgeRefresh(t, secret(), 2, of, 1),
		"generation 0":          forgeRefresh(t, secret(), 1, of, 0),
		"generation 0 minted":   r.Mint(made, 0),
		"generation -1":         r.Mint(made, -1),
		"generation above 63":   forgeRefresh(t, secret(), 1, of, math.MaxInt64+1),
		"a secret of 15":        forgeRefresh(t, secret(), 1, of[:15], 1),
		"a secret of 17":        forgeRefresh(t, secret(), 1, append(of, 'x'), 1),
		"cut":                   raw[:len(raw)-1],
		"more":                  raw + "A",
		"padding":               raw + "=",
		"space before":          " " + raw,
		"space after":           raw + " ",
		"line break after":      raw + "\n",
		"line break for a char": raw[:75] + "\n",
		"line breaks for four":  raw[:70] + "\r\n\r\n" + raw[70:72],
		"standard alphabet":     strings.Repeat("+", 76),
		"zeros":                 strings.Repeat("A", 76),
		"doubled":               raw + raw,
		"the session id":        made.SessionID,
		"not ASCII":             strings.Repeat("é", 38),
	} {
		if got, ok := r.Parse(text); ok || got != (token.RefreshToken{}) {
			t.Errorf("%s: %v, %t", name, got, ok)
		}
	}
}

func TestOneBitChangedInARefreshTokenIsRefused(t *testing.T) {
	r := newRefresh(t, secret())
	_, raw, err := r.New()
	if err != nil {
		t.Fatal(err)
	}
	text := []byte(raw)
	for i := range text {
		for bit := range 8 {
			text[i] ^= 1 << bit
			if _, ok := r.Parse(string(text)); ok {
				t.Errorf("accepted with bit %d of character %d changed", bit, i)
			}
			text[i] ^= 1 << bit
		}
	}
}

// A JWT signed under the derived key, or a MAC under the JWT key, would mean
// that the two kinds share a key.
func TestTheKeysDiffer(t *testing.T) {
	c := newClock()
	key, err := hkdf.Key(sha256.New, secret(), nil, "taskapi refresh token v1", 32)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newAccess(t, c).Parse(tokentest.Genuine(key, c.t, 42, session)); err == nil {
		t.Error("the refresh key signs access tokens")
	}
	data := append([]byte{1}, make([]byte, 23)...)
	data = append(data, 1)
	m := hmac.New(sha256.New, secret())
	m.Write(data)
	if _, ok := newRefresh(t, secret()).Parse(base64.RawURLEncoding.EncodeToString(m.Sum(data))); ok {
		t.Error("the access key makes refresh tokens")
	}
}

func TestNewRefreshRefuses(t *testing.T) {
	for _, s := range [][]byte{nil, secret()[1:]} {
		if _, err := token.NewRefresh(s, rand.Reader); !errors.Is(err, token.ErrShortSecret) {
			t.Errorf("secret of %d bytes: %v", len(s), err)
		}
	}
	if _, err := token.NewRefresh(secret(), nil); err == nil {
		t.Error("no randomness: no error")
	}
	broken := errors.New("broken")
	r, err := token.NewRefresh(secret(), iotest.ErrReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if _, raw, err := r.New(); !errors.Is(err, broken) || raw != "" {
		t.Errorf("without randomness: %q, %v", raw, err)
	}
}

func TestARefreshTokenIsPrintedWithoutItsSecret(t *testing.T) {
	r, err := token.NewRefresh(secret(), strings.NewReader("SECRETsecret0123"))
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := r.New()
	if err != nil {
		t.Fatal(err)
	}
	want := "session " + made.SessionID + ", generation 1"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, made); got != want {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

func TestRefreshProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		serverSecret := rapid.SliceOfN(rapid.Byte(), token.MinSecret, 100).Draw(t, "server secret")
		sessionSecret := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "session secret")
		generation := rapid.Int64Range(1, math.MaxInt64).Draw(t, "generation")
		r, err := token.NewRefresh(serverSecret, bytes.NewReader(sessionSecret))
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := r.New()
		if err != nil {
			t.Fatal(err)
		}
		raw := r.Mint(made, generation)
		got, ok := r.Parse(raw)
		if !ok || got.Generation != generation || got.SessionID != made.SessionID {
			t.Fatalf("parsed %v, %t", got, ok)
		}
		if again := r.Mint(got, got.Generation); again != raw {
			t.Fatalf("minted %s, then %s", raw, again)
		}
	})
}

func TestAnAccessTokenOfTheSameSecretIsNoRefreshToken(t *testing.T) {
	c := newClock()
	raw, _, err := newAccess(t, c).Issue(42, session, c.t.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := newRefresh(t, secret()).Parse(raw); ok {
		t.Error("accepted")
	}
}
