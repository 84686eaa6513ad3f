package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
)

// Pieces of stored hashes: a salt of 16 bytes and a key of 32.
const (
	salt = "MDEyMzQ1Njc4OWFiY2RlZg"
	key  = "WGX/QpfEBznpkRF1ihxpl0FV332udPk4ymnHwR/nIgE"
	tail = "$" + salt + "$" + key
)

// b64 returns n bytes in base64.
func b64(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }

// corruptHashes are stored texts that must be refused.
func corruptHashes() map[string]string {
	const cost = "$argon2id$v=19$m=64,t=1,p=1"
	hashes := map[string]string{
		"empty":               "",
		"text":                "secret",
		"dollars":             "$$$$$",
		"bcrypt":              "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
		"argon2i":             "$argon2i$v=19$m=64,t=1,p=1" + tail,
		"argon2d":             "$argon2d$v=19$m=64,t=1,p=1" + tail,
		"version 16":          "$argon2id$v=16$m=64,t=1,p=1" + tail,
		"no version":          "$argon2id$m=64,t=1,p=1" + tail,
		"version and text":    "$argon2id$v=19x$m=64,t=1,p=1" + tail,
		"before the hash":     "x" + cost + tail,
		"another order":       "$argon2id$v=19$t=1,m=64,p=1" + tail,
		"cost and text":       cost + ",keyid=x" + tail,
		"leading zero":        "$argon2id$v=19$m=064,t=1,p=1" + tail,
		"plus sign":           "$argon2id$v=19$m=+64,t=1,p=1" + tail,
		"no salt":             cost + "$$" + key,
		"salt of 7":           cost + "$" + b64(7) + "$" + key,
		"salt of 65":          cost + "$" + b64(65) + "$" + key,
		"no key":              cost + "$" + salt + "$",
		"key of 15":           cost + "$" + salt + "$" + b64(15),
		"key of 65":           cost + "$" + salt + "$" + b64(65),
		"key cut":             cost + "$" + salt + "$" + key[:41],
		"loose last bits":     cost + "$" + salt + "$" + key[:42] + "F",
		"padding":             cost + "$" + salt + "$" + key + "=",
		"URL alphabet":        cost + "$" + salt + "$" + strings.ReplaceAll(key, "/", "_"),
		"line break at end":   cost + tail + "\n",
		"line break in key":   cost + "$" + salt + "$" + key[:4] + "\r\n" + key[4:],
		"one part more":       cost + tail + "$",
		"megabytes of base64": cost + "$" + salt + "$" + b64(3<<20),
	}
	for _, c := range []string{
		"m=0,t=1,p=1", "m=7,t=1,p=1", "m=15,t=1,p=2", "m=262145,t=1,p=1", "m=4294967295,t=1,p=1",
		"m=4294967296,t=1,p=1", "m=-64,t=1,p=1", "m=64,t=0,p=1", "m=64,t=17,p=1", "m=64,t=4294967295,p=1",
		"m=64,t=1,p=0", "m=2048,t=1,p=17", "m=64,t=1,p=255", "m=64,t=1,p=256", "m=,t=,p=", "m=64", "",
	} {
		hashes["cost "+c] = "$argon2id$v=19$" + c + tail
	}
	return hashes
}

func TestVerifyRefusesCorruptHashes(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	h.check = func(string, string) (bool, *argon2id.Params, error) {
		t.Error("computed with it")
		return true, &h.params, nil
	}
	for name, hash := range corruptHashes() {
		t.Run(name, func(t *testing.T) {
			match, stale, err := h.Verify(t.Context(), "secret", hash)
			if match || stale || !errors.Is(err, ErrCorruptHash) {
				t.Errorf("match %t, stale %t, %v", match, stale, err)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("the error has %d characters", len(err.Error()))
			}
		})
	}
}

func TestTheBoundsThemselvesAreUsable(t *testing.T) {
	for _, hash := range []string{
		"$argon2id$v=19$m=8,t=1,p=1$" + b64(minSalt) + "$" + b64(minKey),
		fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", maxMemory, maxIterations, maxParallelism, b64(maxSalt), b64(maxKey)),
	} {
		if err := checkHash(hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
	}
}

// FuzzVerify shows that no stored text makes Verify panic, and that whatever
// gets as far as the algorithm is within the bounds.
func FuzzVerify(f *testing.F) {
	for _, hash := range corruptHashes() {
		f.Add("secret", hash[:min(len(hash), 1000)])
	}
	f.Add("password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc")
	f.Add("", "$argon2id$v=19$m=64,t=1,p=1"+tail)
	h := newHasher(f, Options{Params: cheap()})
	h.check = func(password, hash string) (bool, *argon2id.Params, error) {
		p, salt, key, err := argon2id.DecodeHash(hash)
		if err != nil {
			panic(err)
		}
		if p.Memory > maxMemory || p.Iterations-1 >= maxIterations || p.Parallelism-1 >= maxParallelism ||
			len(salt) < minSalt || len(key) < minKey || len(key) > maxKey || len(password) > MaxLength {
			panic("out of bounds: " + hash)
		}
		if p.Memory*p.Iterations > 4096 {
			return false, p, nil // within the bounds, but too slow to do often
		}
		return argon2id.CheckHash(password, hash)
	}
	f.Fuzz(func(t *testing.T, password, hash string) {
		match, stale, err := h.Verify(t.Context(), password, hash)
		if err != nil && (match || !errors.Is(err, ErrCorruptHash)) {
			t.Errorf("match %t, %v", match, err)
		}
		if stale && !match {
			t.Error("stale without a match")
		}
	})
}
