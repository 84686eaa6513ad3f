package token_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"taskapi/app/token"
)

func TestSigner(t *testing.T) {
	signer := func(secret, use string) *token.Signer {
		s, err := token.NewSigner([]byte(strings.Repeat(secret, token.MinSecret)), use)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, data := signer("a", "tickets"), []byte("what is signed")
	text := one.Sign(data)
	if got, ok := signer("a", "tickets").Open(text); !ok || !bytes.Equal(got, data) {
		t.Errorf("%q, %t", got, ok)
	}
	for name, other := range map[string]*token.Signer{"another secret": signer("b", "tickets"), "another use": signer("a", "questions")} {
		if _, ok := other.Open(text); ok {
			t.Errorf("%s opens it", name)
		}
	}
	for i := range text {
		changed := []byte(text)
		if changed[i] ^= 1; changed[i] == '\'' {
			continue
		}
		if got, ok := one.Open(string(changed)); ok {
			t.Errorf("%q opens as %q", changed, got)
		}
	}
	for _, text := range []string{"", "AAAA", text[:len(text)-1], text + "A", text + "\n", text[:8] + "\r\n" + text[8:], text + "=", strings.Repeat("A", 43)} {
		if _, ok := one.Open(text); ok {
			t.Errorf("%q opens", text)
		}
	}
	if _, err := token.NewSigner(make([]byte, token.MinSecret-1), "tickets"); !errors.Is(err, token.ErrShortSecret) {
		t.Error(err)
	}
}

func TestKeyCheck(t *testing.T) {
	a, err := token.KeyCheck([]byte("a secret"))
	b, err2 := token.KeyCheck([]byte("another secret"))
	again, err3 := token.KeyCheck([]byte("a secret"))
	if err := errors.Join(err, err2, err3); err != nil || a == b || a != again || len(a) != 43 {
		t.Errorf("%q, %q, %q: %v", a, b, again, err)
	}
}
