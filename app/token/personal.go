package token

import (
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// A personal API token is a prefix, by which scanners of leaked secrets know
// it, 32 random letters and digits (190 bits), and six more that are their
// CRC-32, so that one cut short or mistyped costs no query.
const (
	PersonalPrefix   = "tapi_"
	personalRandom   = 32
	personalChecksum = 6

	personalHashPrefix = "taskapi api token\x00"
	base62             = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewPersonal returns a new personal API token and its hash, which is all that
// the server keeps. It fails only if the source of randomness does.
func NewPersonal(random io.Reader) (raw, hash string, err error) {
	letters := make([]byte, 0, personalRandom)
	var b [64]byte
	for len(letters) < personalRandom {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", "", fmt.Errorf("making an API token: %w", err)
		}
		for _, value := range b {
			// 248 is the largest multiple of 62: beyond it some letters would
			// come more often than others.
			if value < 248 && len(letters) < personalRandom {
				letters = append(letters, base62[value%62])
			}
		}
	}
	raw = PersonalPrefix + string(letters) + checksum(string(letters))
	return raw, personalHash(raw), nil
}

// IsPersonal reports whether a text wants to be a personal API token.
func IsPersonal(raw string) bool { return strings.HasPrefix(raw, PersonalPrefix) }

// ParsePersonal returns the hash of a personal API token of the right form; ok
// is false for anything else. Whether there is such a token is for the caller
// to look up.
func ParsePersonal(raw string) (hash string, ok bool) {
	letters, found := strings.CutPrefix(raw, PersonalPrefix)
	if !found || len(letters) != personalRandom+personalChecksum ||
		letters[personalRandom:] != checksum(letters[:personalRandom]) {
		return "", false
	}
	return personalHash(raw), true
}

func checksum(letters string) string {
	sum := crc32.ChecksumIEEE([]byte(letters))
	out := make([]byte, personalChecksum)
	for i := range out {
		out[personalChecksum-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(out)
}

func personalHash(raw string) string { return hash(personalHashPrefix, []byte(raw)) }
