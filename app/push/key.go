package push

import (
	"crypto/ecdh"
	"encoding/base64"
	"fmt"
	"io"
)

// Key is that of the server, by which push services know who sends (RFC 8292).
type Key struct{ private, public string }

// NewKey returns the text of a new private key.
func NewKey(random io.Reader) (string, error) {
	key, err := ecdh.P256().GenerateKey(random)
	if err != nil {
		return "", fmt.Errorf("make a key for push services: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key.Bytes()), nil
}

// ReadKey reads the text of a private key.
func ReadKey(text string) (Key, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Key{}, fmt.Errorf("the key for push services: %w", err)
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return Key{}, fmt.Errorf("the key for push services: %w", err)
	}
	return Key{text, base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes())}, nil
}

// Public returns what a browser subscribes with.
func (k Key) Public() string { return k.public }
