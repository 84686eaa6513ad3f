package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Hashes of Werkzeug, the library of the Flask tutorial, which came along with
// imported users. They are checked, never made: every match is stale, so that
// the next good sign-in replaces the hash by one of argon2id.
//
//	scrypt:32768:8:1$salt$128 hexadecimal digits
//	pbkdf2:sha256:1000000$salt$64 hexadecimal digits
//
// The salt is used as the text that it is.

// What such a hash may ask for; the defaults of Werkzeug 0.9 to 3.1 are well
// within. They take at most what the greatest argon2id hash takes, in memory,
// and about two seconds of a core.
const (
	maxScryptCost   = maxMemory * 8 // N*r*p; N*r takes 128 bytes each
	maxScryptBlock  = 64
	maxScryptLanes  = 16
	scryptKey       = 64 // bytes
	maxPBKDF2Rounds = 5_000_000
	maxWerkzeugSalt = 64
)

// werkzeug is a hash that was read: what computes its key, and the key.
type werkzeug struct {
	derive func(password string) ([]byte, error)
	key    []byte
}

func isWerkzeug(stored string) bool {
	return strings.HasPrefix(stored, "scrypt:") || strings.HasPrefix(stored, "pbkdf2:")
}

// matches computes the key anew and compares the two in constant time.
func (w werkzeug) matches(password string) (bool, error) {
	key, err := w.derive(password)
	return subtle.ConstantTimeCompare(key, w.key) == 1, err
}

// parseWerkzeug reads a hash strictly: it fails with ErrCorruptHash for what
// Werkzeug would not have written, and for what would cost too much.
func parseWerkzeug(stored string) (werkzeug, error) {
	parts := strings.Split(stored, "$")
	if len(stored) > maxHashLength || len(parts) != 3 || !validSalt(parts[1]) {
		return werkzeug{}, fmt.Errorf("%w: it is not of the form method$salt$key", ErrCorruptHash)
	}
	key, err := hex.DecodeString(parts[2])
	if err != nil || hex.EncodeToString(key) != parts[2] {
		return werkzeug{}, fmt.Errorf("%w: its key is not hexadecimal", ErrCorruptHash)
	}
	method := strings.Split(parts[0], ":")
	w := werkzeug{key: key}
	length := 0
	switch {
	case method[0] == "scrypt" && len(method) == 4:
		w.derive, err = scryptOf(method[1:], parts[1])
		length = scryptKey
	case method[0] == "pbkdf2" && len(method) == 3:
		w.derive, length, err = pbkdf2Of(method[1], method[2], parts[1])
	default:
		err = fmt.Errorf("%w: its method is unknown", ErrCorruptHash)
	}
	if err == nil && len(key) != length {
		err = fmt.Errorf("%w: its key has %d bytes, not %d", ErrCorruptHash, len(key), length)
	}
	return w, err
}

func scryptOf(numbers []string, salt string) (func(string) ([]byte, error), error) {
	n, okN := number(numbers[0], maxScryptCost)
	r, okR := number(numbers[1], maxScryptBlock)
	p, okP := number(numbers[2], maxScryptLanes)
	// One factor at a time, so that nothing overflows on 32 bits.
	if !okN || !okR || !okP || n < 2 || n&(n-1) != 0 || r > maxScryptCost/n || p > maxScryptCost/n/r {
		return nil, fmt.Errorf("%w: its cost is out of range", ErrCorruptHash)
	}
	return func(password string) ([]byte, error) {
		return scrypt.Key([]byte(password), []byte(salt), n, r, p, scryptKey)
	}, nil
}

func pbkdf2Of(name, rounds, salt string) (derive func(string) ([]byte, error), length int, err error) {
	var digest func() hash.Hash
	switch name {
	case "sha1":
		digest, length = sha1.New, sha1.Size
	case "sha256":
		digest, length = sha256.New, sha256.Size
	case "sha512":
		digest, length = sha512.New, sha512.Size
	default:
		return nil, 0, fmt.Errorf("%w: its method is unknown", ErrCorruptHash)
	}
	n, ok := number(rounds, maxPBKDF2Rounds)
	if !ok {
		return nil, 0, fmt.Errorf("%w: its cost is out of range", ErrCorruptHash)
	}
	return func(password string) ([]byte, error) { return pbkdf2.Key(digest, password, []byte(salt), n, length) }, length, nil
}

// number reads a decimal number from 1 to greatest in its only form.
func number(text string, greatest int) (int, bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= greatest && strconv.Itoa(n) == text
}

// validSalt holds for letters, digits and what else Werkzeug and its users may
// have put there: ASCII that can be seen.
func validSalt(salt string) bool {
	return salt != "" && len(salt) <= maxWerkzeugSalt &&
		!strings.ContainsFunc(salt, func(c rune) bool { return c <= ' ' || c > '~' })
}
