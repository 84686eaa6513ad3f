package password

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/alexedwards/argon2id"
)

// ErrCorruptHash says that a stored hash can't be used: it is neither an
// argon2id hash in PHC form nor an imported one, or its cost is beyond what this program will ever spend.
var ErrCorruptHash = errors.New("the stored password hash cannot be used: set a new password for this account")

// What new hashes have (RFC 9106, section 4).
const (
	version    = 19 // 0x13, the only version that RFC 9106 describes
	saltLength = 16
	keyLength  = 32
)

// What a stored hash may have. The algorithm panics on zero passes or lanes
// and takes gigabytes if a hash asks for them, so these hold before it runs.
// The least values are those of RFC 9106, section 3.1, and of the reference
// implementation (salt of 8 bytes); the greatest leave room for any cost that
// a server of this size would choose.
const (
	maxMemory      = 256 * 1024 // KiB
	maxIterations  = 16
	maxParallelism = 16
	memoryPerLane  = 8 // KiB
	minSalt        = 8
	minKey         = 16
	maxSalt        = 64
	maxKey         = 64
	maxHashLength  = 256 // characters; the longest hash within the bounds has 207
)

// checkCost refuses a cost outside the ranges that Params names.
func checkCost(p *argon2id.Params) error {
	switch {
	case p.Iterations < 1 || p.Iterations > maxIterations:
		return fmt.Errorf("%d iterations cannot be used: give 1 to %d", p.Iterations, maxIterations)
	case p.Parallelism < 1 || p.Parallelism > maxParallelism:
		return fmt.Errorf("a parallelism of %d cannot be used: give 1 to %d", p.Parallelism, maxParallelism)
	case p.Memory < memoryPerLane*uint32(p.Parallelism) || p.Memory > maxMemory:
		return fmt.Errorf("%d KiB of memory cannot be used: give %d to %d",
			p.Memory, memoryPerLane*uint32(p.Parallelism), maxMemory)
	}
	return nil
}

// checkHash fails with ErrCorruptHash unless hash can be computed with safely.
func checkHash(hash string) error {
	if len(hash) > maxHashLength {
		return fmt.Errorf("%w: it has %d characters", ErrCorruptHash, len(hash))
	}
	params, salt, key, err := argon2id.DecodeHash(hash)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorruptHash, err)
	}
	if err := checkCost(params); err != nil {
		return fmt.Errorf("%w: %w", ErrCorruptHash, err)
	}
	if len(salt) < minSalt || len(salt) > maxSalt || len(key) < minKey || len(key) > maxKey {
		return fmt.Errorf("%w: salt of %d bytes, key of %d", ErrCorruptHash, len(salt), len(key))
	}
	// The decoder overlooks text after a number and line breaks in base64.
	if encode(params, salt, key) != hash {
		return fmt.Errorf("%w: it is not in canonical form", ErrCorruptHash)
	}
	return nil
}

// encode returns the PHC string of a hash, as argon2id.CreateHash writes it.
func encode(p *argon2id.Params, salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", version,
		p.Memory, p.Iterations, p.Parallelism, b64.EncodeToString(salt), b64.EncodeToString(key))
}
