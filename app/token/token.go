// Package token makes and checks what proves a session: access tokens, which
// are JSON Web Tokens that work on their own for some minutes, and refresh
// tokens, which are opaque and lead from one access token to the next.
//
// The two can't be swapped (RFC 8725, section 3.12): they differ in form, and
// they are authenticated under different keys.
package token

import (
	"errors"
	"fmt"
)

// MinSecret is the least length of the server's secret in bytes: that of the
// hash which HS256 uses (RFC 7518, section 3.2).
const MinSecret = 32

// ErrShortSecret says that the server's secret has fewer than MinSecret bytes.
// It must be refused here: golang-jwt signs even with an empty key.
var ErrShortSecret = fmt.Errorf("the secret for tokens is too short: use at least %d random bytes", MinSecret)

// errMissingSource says that a clock or a source of randomness was left out.
var errMissingSource = errors.New("tokens need a clock and a source of randomness: give both")
