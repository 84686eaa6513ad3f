package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// Signer signs what a client carries from one process to another that has the same secret. Its
// methods may be called at the same time.
type Signer struct{ key []byte }

// NewSigner returns a Signer for one use, which its texts are good for alone. It fails with
// ErrShortSecret if the secret has fewer than MinSecret bytes.
func NewSigner(serverSecret []byte, use string) (*Signer, error) {
	if len(serverSecret) < MinSecret {
		return nil, ErrShortSecret
	}
	key, err := hkdf.Key(sha256.New, serverSecret, nil, "taskapi signer v1 "+use, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of a signer: %w", err)
	}
	return &Signer{key: key}, nil
}

// Sign returns the data, readable, with its MAC, as a text that can stand in a URL.
func (s *Signer) Sign(data []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(data[:len(data):len(data)], s.mac(data)...))
}

// Open returns the data of a text that Sign made under the same secret for the same use; ok is
// false for anything else.
func (s *Signer) Open(text string) (data []byte, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	// The decoder skips line breaks: one ticket must not have two texts.
	if err != nil || len(raw) < sha256.Size || base64.RawURLEncoding.EncodedLen(len(raw)) != len(text) {
		return nil, false
	}
	data, mac := raw[:len(raw)-sha256.Size], raw[len(raw)-sha256.Size:]
	return data, hmac.Equal(mac, s.mac(data))
}

func (s *Signer) mac(data []byte) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write(data)
	return m.Sum(nil)
}

// KeyCheck returns what tells the secret from others and nobody how it goes.
func KeyCheck(serverSecret []byte) (string, error) {
	key, err := hkdf.Key(sha256.New, serverSecret, nil, "taskapi key check v1", sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving the check of the secret: %w", err)
	}
	return hash("taskapi key check\x00", key), nil
}
