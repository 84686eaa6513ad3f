// Package password turns passwords into argon2id hashes and checks them, with
// a bound on how many are worked on at once: one hash takes tens of
// milliseconds of a core and megabytes of memory, so that a hundred sign-ins
// at the same moment could otherwise exhaust a small machine. Those who wait
// have their turns by network (see For), so that no network takes all of them.
package password

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"
)

// MaxLength is the longest password in bytes that is ever hashed. Hashing time
// grows with the length, so without a bound a few megabytes of "password" in
// a sign-in would be a way to keep the machine busy.
const MaxLength = 4096

// defaultQueue is how many callers may wait when Options.Queue is 0.
const defaultQueue = 256

// ErrTooLong says that a password has more than MaxLength bytes.
var ErrTooLong = fmt.Errorf("the password is too long: use at most %d bytes", MaxLength)

// Params is the cost of a hash (RFC 9106, section 3.1).
type Params struct {
	// Memory in KiB, from 8 for each lane of Parallelism to 262144 (256 MiB).
	Memory uint32
	// Iterations is the number of passes over the memory, 1 to 16.
	Iterations uint32
	// Parallelism is the number of lanes, 1 to 16.
	Parallelism uint8
}

// DefaultParams returns the cost which the OWASP Password Storage Cheat Sheet
// gives as the least for argon2id: 19 MiB, two passes, one lane. It does not
// depend on the machine, unlike argon2id.DefaultParams, whose lanes are the
// cores: a database that moves to another machine keeps fresh hashes.
func DefaultParams() Params {
	return Params{Memory: 19456, Iterations: 2, Parallelism: 1}
}

// Options is what New needs.
type Options struct {
	// Params is the cost of new hashes.
	Params Params
	// Concurrency is how many hashes are worked on at once. 0 means
	// runtime.GOMAXPROCS(0): more would only share the same cores.
	Concurrency int
	// Queue is how many callers may wait for their turn. 0 means 256.
	Queue int
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

// Hasher makes and checks password hashes. It is safe for concurrent use.
type Hasher struct {
	params argon2id.Params
	dummy  string // nobody's hash, at today's cost
	gate   *gate

	// The expensive functions; a test replaces them to hold them up.
	create func(password string, params *argon2id.Params) (string, error)
	check  func(password, hash string) (bool, *argon2id.Params, error)
}

// New returns a Hasher. It fails on a cost outside the ranges that Params
// names and on a negative Concurrency or Queue.
func New(o Options) (*Hasher, error) {
	params := argon2id.Params{
		Memory:      o.Params.Memory,
		Iterations:  o.Params.Iterations,
		Parallelism: o.Params.Parallelism,
		SaltLength:  saltLength,
		KeyLength:   keyLength,
	}
	if err := checkCost(&params); err != nil {
		return nil, fmt.Errorf("password cost: %w", err)
	}
	if o.Concurrency < 0 || o.Queue < 0 {
		return nil, errors.New("password hashing: give a concurrency and a queue that are not negative")
	}
	if o.Concurrency == 0 {
		o.Concurrency = runtime.GOMAXPROCS(0)
	}
	if o.Queue == 0 {
		o.Queue = defaultQueue
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	dummy, err := dummyHash(&params)
	if err != nil {
		return nil, err
	}
	return &Hasher{
		params: params,
		dummy:  dummy,
		gate:   newGate(o.Concurrency, o.Queue, o.Now),
		create: argon2id.CreateHash,
		check:  argon2id.CheckHash,
	}, nil
}

// dummyHash returns a hash that no password is known for. Its key is random
// instead of computed: checking a password against it is the same work, and
// the start of the program does not wait for a hash.
func dummyHash(params *argon2id.Params) (string, error) {
	random := make([]byte, saltLength+keyLength)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("making the dummy hash: %w", err)
	}
	return encode(params, random[:saltLength], random[saltLength:]), nil
}

// muchMemory is the cost, in KiB, from which memory is given back by hand.
const muchMemory = 4096

// enter waits for a turn. The memory of the hash before is garbage by then,
// and is collected now: left alone, the collector lets the heap double first,
// and a burst of logins takes five times the memory of those at work (measured:
// 45 MB instead of 103 MB, for 2 % of the time).
func (h *Hasher) enter(ctx context.Context) error {
	err := h.gate.enter(ctx)
	if err == nil && h.params.Memory >= muchMemory {
		runtime.GC()
	}
	return err
}

// Normal is the form in which a password is hashed: the same letters on the
// screen may be typed as different characters on another keyboard or system
// (Unicode NFKC, as NIST SP 800-63B-4 section 3.1.1.2 asks). Nothing is trimmed
// or cut.
func Normal(password string) string { return norm.NFKC.String(password) }

// Hash returns the hash of a password, in its normal form, as a PHC string with
// a fresh salt of 16 bytes and a key of 32. Its turn is that of the network which
// For named. It fails with ErrTooLong, and with ErrBusy if it was not its turn in
// time.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	if password = Normal(password); len(password) > MaxLength {
		return "", ErrTooLong
	}
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.gate.leave()
	hash, err := h.create(password, &h.params)
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// Verify tells whether hash was made from password. stale is true for a match
// whose hash has another cost than today's, or other lengths, or was imported:
// then the caller, who has the password at hand, should store a new hash of it.
//
// An imported hash (scrypt or PBKDF2, see Usable) takes the time that its own
// cost takes, not today's: until its owner has signed in once, a wrong password
// for it is answered later than one for an address that has no account.
//
// A hash may have been made of a password as it was typed, before there was a
// normal form: that matches, too, and is stale.
//
// A password of more than MaxLength bytes matches nothing. It fails with
// ErrCorruptHash if hash can't be used, and with ErrBusy if it was not its
// turn in time.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (match, stale bool, err error) {
	if len(password) > MaxLength {
		return false, false, nil
	}
	if isWerkzeug(hash) {
		return h.verifyImported(ctx, password, hash)
	}
	if err := checkHash(hash); err != nil {
		return false, false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.gate.leave()
	match, typed, err := eitherForm(password, func(form string) (match bool, err error) {
		var params *argon2id.Params
		match, params, err = h.check(form, hash)
		stale = match && *params != h.params
		return match, err
	})
	if err != nil {
		return false, false, fmt.Errorf("%w: %w", ErrCorruptHash, err)
	}
	return match, match && (typed || stale), nil
}

// eitherForm checks the normal form of a password and, if that does not match,
// the one that was typed, where it is another.
func eitherForm(password string, check func(form string) (bool, error)) (match, typed bool, err error) {
	normal := Normal(password)
	if match, err = check(normal); err != nil || match || normal == password {
		return match, false, err
	}
	match, err = check(password)
	return match, match, err
}

func (h *Hasher) verifyImported(ctx context.Context, password, hash string) (match, stale bool, err error) {
	imported, err := parseWerkzeug(hash)
	if err != nil {
		return false, false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.gate.leave()
	match, _, err = eitherForm(password, imported.matches)
	if err != nil {
		return false, false, fmt.Errorf("%w: %w", ErrCorruptHash, err)
	}
	return match, match, nil
}

// Usable returns nil for a hash that Verify can work with: an argon2id hash in
// PHC form, or one that Werkzeug made (scrypt:N:r:p$salt$key or
// pbkdf2:sha256:n$salt$key). Else it fails with ErrCorruptHash.
func Usable(hash string) error {
	if isWerkzeug(hash) {
		_, err := parseWerkzeug(hash)
		return err
	}
	return checkHash(hash)
}

// NoPassword returns a hash that no password is known for, at the default
// cost: for an account whose owner has to set a new password first.
func NoPassword() (string, error) {
	p := DefaultParams()
	return dummyHash(&argon2id.Params{Memory: p.Memory, Iterations: p.Iterations, Parallelism: p.Parallelism})
}

// VerifyNone does the work of Verify for an account that does not exist, so
// that the time of an answer does not tell which addresses have an account. It fails with
// ErrBusy as Verify does.
func (h *Hasher) VerifyNone(ctx context.Context, password string) error {
	_, _, err := h.Verify(ctx, password, h.dummy)
	return err
}

// Load returns how many hashes are being worked on and how many callers wait.
// Both are of this moment only, and not exactly of the same one.
func (h *Hasher) Load() (running, waiting int) {
	return h.gate.load()
}
