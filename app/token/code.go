package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// The code in a mail's link is the base64url form, without padding, of
//
//	seed (16 bytes) | MAC (32)
//
// The MAC is over the seed, under a key that only the server has. The mail
// waits in the outbox with the seed alone, from which no one without that key
// can make the link, and its purpose is stored under its hash.
const (
	seedLength = 16
	codeLength = seedLength + sha256.Size
	// codeChars is exact, with no loose bits: codeLength divides by 3.
	codeChars = codeLength / 3 * 4

	codeInfo       = "taskapi code in a mail v1"
	codeHashPrefix = "taskapi code hash\x00"
)

// Codes makes and checks the codes in the links of mails. It is safe for
// concurrent use if its source of randomness is.
type Codes struct {
	key    []byte
	random io.Reader
}

// NewCodes returns a Codes whose key is derived from serverSecret. It fails
// with ErrShortSecret if that has fewer than MinSecret bytes, and on a random
// that is nil.
func NewCodes(serverSecret []byte, random io.Reader) (*Codes, error) {
	if len(serverSecret) < MinSecret {
		return nil, ErrShortSecret
	}
	if random == nil {
		return nil, errMissingSource
	}
	key, err := hkdf.Key(sha256.New, serverSecret, nil, codeInfo, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of codes: %w", err)
	}
	return &Codes{key: key, random: random}, nil
}

// New returns the seed of a new code and the hash of the code. It fails only
// if the source of randomness does.
func (c *Codes) New() (seed, hash string, err error) {
	raw := make([]byte, seedLength, codeLength)
	if _, err := io.ReadFull(c.random, raw); err != nil {
		return "", "", fmt.Errorf("making a code: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), codeHash(c.sign(raw)), nil
}

// Code returns the code of a seed: 64 characters that can stand in a URL. ok
// is false for a seed that New did not make.
func (c *Codes) Code(seed string) (code string, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(seed)
	if err != nil || len(raw) != seedLength {
		return "", false
	}
	return base64.RawURLEncoding.EncodeToString(c.sign(raw)), true
}

// Parse returns the hash of a code that was made under the same server secret;
// ok is false for anything else. What the code is good for, and whether it
// still is, is for the caller to look up.
func (c *Codes) Parse(code string) (hash string, ok bool) {
	if len(code) != codeChars {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(code)
	// The decoder skips line breaks, hence the second look at the length.
	if err != nil || len(raw) != codeLength || !hmac.Equal(raw, c.sign(raw[:seedLength:seedLength])) {
		return "", false
	}
	return codeHash(raw), true
}

// sign returns the seed with its MAC behind it.
func (c *Codes) sign(seed []byte) []byte {
	m := hmac.New(sha256.New, c.key)
	m.Write(seed)
	return m.Sum(seed)
}

func codeHash(code []byte) string { return hash(codeHashPrefix, code) }

// hash is SHA-256 in 43 characters. A fast hash is enough for what is as long
// and as random as a key. The prefix keeps the kinds of hashes apart.
func hash(prefix string, secret []byte) string {
	sum := sha256.Sum256(append([]byte(prefix), secret...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
