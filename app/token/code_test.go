package token

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func newCodes(t *testing.T, secret string) *Codes {
	t.Helper()
	c, err := NewCodes([]byte(strings.Repeat(secret, 32)), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCodes(t *testing.T) {
	c := newCodes(t, "k")
	seed, hash, err := c.New()
	if err != nil {
		t.Fatal(err)
	}
	code, ok := c.Code(seed)
	if !ok || len(code) != 64 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Fatalf("%q %v", code, ok)
	}
	if got, ok := c.Parse(code); !ok || got != hash || len(hash) != 43 {
		t.Errorf("%q %v, want %q", got, ok, hash)
	}
	// The seed that waits in the outbox gives nothing to whoever lacks the key.
	if other, _ := newCodes(t, "x").Code(seed); other == code {
		t.Error("the code does not depend on the key")
	}
	if _, ok := newCodes(t, "x").Parse(code); ok {
		t.Error("accepted under another key")
	}
	for i := range code {
		changed := []byte(code)
		changed[i] ^= 1
		if _, ok := c.Parse(string(changed)); ok {
			t.Errorf("accepted with character %d changed", i)
		}
	}
	for _, wrong := range []string{"", seed, hash, code + "A", code[:63], code[:63] + "\n", " " + code, strings.Repeat("A", 64)} {
		if _, ok := c.Parse(wrong); ok {
			t.Errorf("accepted %q", wrong)
		}
	}
	for _, wrong := range []string{"", seed + "A", "!" + seed[1:], code} {
		if _, ok := c.Code(wrong); ok {
			t.Errorf("a code of the seed %q", wrong)
		}
	}
	if again, _, _ := c.New(); again == seed {
		t.Error("the same seed twice")
	}
}

func TestCodesNeedTheirParts(t *testing.T) {
	if _, err := NewCodes(make([]byte, 31), rand.Reader); !errors.Is(err, ErrShortSecret) {
		t.Error(err)
	}
	if _, err := NewCodes(make([]byte, 32), nil); err == nil {
		t.Error("made without randomness")
	}
	broken := errors.New("broken")
	c, err := NewCodes(make([]byte, 32), iotest.ErrReader(broken))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.New(); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, _, err := NewPersonal(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestPersonal(t *testing.T) {
	raw, hash, err := NewPersonal(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) != 43 || !strings.HasPrefix(raw, "tapi_") || strings.Contains(raw, hash) {
		t.Errorf("%q %q", raw, hash)
	}
	if got, ok := ParsePersonal(raw); !ok || got != hash || len(hash) != 43 {
		t.Errorf("%q %v, want %q", got, ok, hash)
	}
	for i := range raw {
		changed := []byte(raw)
		changed[i]++
		if _, ok := ParsePersonal(string(changed)); ok {
			t.Errorf("accepted with character %d changed", i)
		}
	}
	for _, wrong := range []string{"", "tapi_", raw[:42], raw + "0", raw[5:], " " + raw} {
		if _, ok := ParsePersonal(wrong); ok {
			t.Errorf("accepted %q", wrong)
		}
	}
	if other, _, _ := NewPersonal(rand.Reader); other == raw {
		t.Error("the same twice")
	}
	// Bytes that would make some letters more frequent are left out.
	skewed, _, err := NewPersonal(io.MultiReader(bytes.NewReader(bytes.Repeat([]byte{255}, 64)), bytes.NewReader(make([]byte, 64))))
	if err != nil || skewed[5:37] != strings.Repeat("0", 32) {
		t.Errorf("%q %v", skewed, err)
	}
}
