package token

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A refresh token is the base64url form, without padding, of
//
//	version (1 byte, 1) | secret (16) | generation (8, big endian) | MAC (32)
//
// The secret is that of the session and only its client has it; the server
// keeps a hash. The MAC is over everything before it, under a key that only
// the server has. So a client can't make the token of another generation, and
// reading the database and the server's key is not enough to make one.
const (
	refreshVersion = 1
	secretLength   = 16
	generationAt   = 1 + secretLength
	macAt          = generationAt + 8
	refreshLength  = macAt + sha256.Size
	// refreshChars is exact, with no loose bits: refreshLength divides by 3.
	refreshChars = refreshLength / 3 * 4
)

const (
	// refreshInfo separates our key from others made of the same secret
	// (RFC 5869, section 3.2).
	refreshInfo = "taskapi refresh token v1"
	// sessionIDPrefix separates the hash of a secret from other hashes.
	sessionIDPrefix = "taskapi session id\x00"
	// sessionIDLength is how many bytes of the hash a session id keeps.
	sessionIDLength = 16
)

// Refresh makes and checks refresh tokens. It is safe for concurrent use if
// its source of randomness is.
type Refresh struct {
	key    []byte
	random io.Reader
}

// RefreshToken is what a refresh token that was made here says. It holds the
// secret of its session: never store or log it, but its SessionID.
type RefreshToken struct {
	// SessionID is what the server stores of the session: 22 characters, from
	// which no token can be made.
	SessionID string
	// Generation counts the tokens of the session; the first is 1.
	Generation int64

	secret [secretLength]byte
}

// String describes the token without its secret, for logs.
func (t RefreshToken) String() string {
	return fmt.Sprintf("session %s, generation %d", t.SessionID, t.Generation)
}

// GoString is String, so that no verb of fmt shows the secret by mistake.
func (t RefreshToken) GoString() string { return t.String() }

// NewRefresh returns a Refresh whose key is derived from serverSecret. It
// fails with ErrShortSecret if that has fewer than MinSecret bytes, and on a
// random that is nil.
func NewRefresh(serverSecret []byte, random io.Reader) (*Refresh, error) {
	if len(serverSecret) < MinSecret {
		return nil, ErrShortSecret
	}
	if random == nil {
		return nil, errMissingSource
	}
	key, err := hkdf.Key(sha256.New, serverSecret, nil, refreshInfo, sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("deriving the key of refresh tokens: %w", err)
	}
	return &Refresh{key: key, random: random}, nil
}

// New returns the first token of a new session, and its text for the client.
// It fails only if the source of randomness does.
func (r *Refresh) New() (RefreshToken, string, error) {
	var secret [secretLength]byte
	if _, err := io.ReadFull(r.random, secret[:]); err != nil {
		return RefreshToken{}, "", fmt.Errorf("making a refresh token: %w", err)
	}
	t := RefreshToken{SessionID: sessionID(secret), Generation: 1, secret: secret}
	return t, r.Mint(t, t.Generation), nil
}

// Parse returns what the text of a refresh token says. ok is false for
// anything that Mint did not return under the same server secret. Whether the
// session lives, and which generation is current, is for the caller to look up.
func (r *Refresh) Parse(raw string) (t RefreshToken, ok bool) {
	if len(raw) != refreshChars {
		return RefreshToken{}, false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(raw)
	// The decoder skips line breaks, hence the second look at the length.
	if err != nil || len(data) != refreshLength || data[0] != refreshVersion {
		return RefreshToken{}, false
	}
	if !hmac.Equal(data[macAt:], r.mac(data[:macAt])) {
		return RefreshToken{}, false
	}
	generation := binary.BigEndian.Uint64(data[generationAt:macAt])
	if generation < 1 || generation > math.MaxInt64 {
		return RefreshToken{}, false
	}
	t.Generation = int64(generation)
	copy(t.secret[:], data[1:generationAt])
	t.SessionID = sessionID(t.secret)
	return t, true
}

// Mint returns the text of the token of the same session at another
// generation. It is always the same text for the same generation, so that a
// successor need not be stored to be given out twice. t must come from New or
// Parse; what is minted for a generation below 1 does not parse.
func (r *Refresh) Mint(t RefreshToken, generation int64) string {
	data := make([]byte, 0, refreshLength)
	data = append(data, refreshVersion)
	data = append(data, t.secret[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(generation))
	data = append(data, r.mac(data)...)
	return base64.RawURLEncoding.EncodeToString(data)
}

// mac authenticates the part of a token before its MAC.
func (r *Refresh) mac(data []byte) []byte {
	m := hmac.New(sha256.New, r.key)
	m.Write(data)
	return m.Sum(nil)
}

// sessionID returns what the server may know of a session's secret.
func sessionID(secret [secretLength]byte) string {
	sum := sha256.Sum256(append([]byte(sessionIDPrefix), secret[:]...))
	return base64.RawURLEncoding.EncodeToString(sum[:sessionIDLength])
}
