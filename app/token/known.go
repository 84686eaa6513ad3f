package token

import (
	"crypto/sha256"
	"sync"
)

// KnownTokens is how many tokens one generation of those known holds: with two of them,
// somewhat more than 1 MB in all.
const KnownTokens = 2048

// known remembers what verified tokens say, by a hash of the whole token. It holds two
// generations: when the newer one is full, the older one is dropped, and what is used moves to
// the newer one.
type known struct {
	mu         sync.RWMutex
	newer, old map[[sha256.Size]byte]Claims
}

func (k *known) get(key [sha256.Size]byte) (Claims, bool) {
	k.mu.RLock()
	claims, ok := k.newer[key]
	aged := false
	if !ok {
		claims, ok = k.old[key]
		aged = ok
	}
	k.mu.RUnlock()
	if aged {
		k.put(key, claims)
	}
	return claims, ok
}

func (k *known) put(key [sha256.Size]byte, claims Claims) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.newer) >= KnownTokens || k.newer == nil {
		k.newer, k.old = make(map[[sha256.Size]byte]Claims), k.newer
	}
	k.newer[key] = claims
}

// Known returns the claims of an access token that Remember was told of, if they are good now.
// It says nothing about the session, which the caller must ask for as after Parse; and what it
// doesn't know may still be a good token.
func (a *Access) Known(raw string) (Claims, bool) {
	claims, ok := a.known.get(sha256.Sum256([]byte(raw)))
	return claims, ok && claims.Validate() == nil
}

// Remember spares the next use of an access token the check of its signature. The claims must
// be those that parsing the token gave.
func (a *Access) Remember(raw string, claims Claims) {
	a.known.put(sha256.Sum256([]byte(raw)), claims)
}
