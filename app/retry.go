package app

import "context"

// A request that is sent again must not do its work twice. Retry is what tells that two
// requests are one: the account, the Idempotency-Key that its client has given it
// (draft-ietf-httpapi-idempotency-key-header), and a fingerprint of what is asked for.
type Retry struct {
	UserID int64
	// Key is what the client has given, of 1 to 128 visible characters.
	Key string
	// Fingerprint is a hash of the key, the method, the address and the body.
	Fingerprint [16]byte
	// Hidden is the error for who may no longer see what the answer shows.
	Hidden error
}

// Answer is a response as it was given.
type Answer struct {
	Status int
	// Header holds the lines that belong to the body, such as its ETag.
	Header map[string]string
	Body   []byte
	// Lists are those that the body shows something of. It is given again only to their
	// members.
	Lists []int64
}

// Done reports whether an answer is that of a success.
func (a Answer) Done() bool { return 200 <= a.Status && a.Status <= 299 }

// AnswerStore runs changes in one turn, and keeps the answers of those that may be asked for
// again.
type AnswerStore interface {
	// Together runs all that do does with its context in one transaction, of which all is
	// done if do returns nil. Do must wait for nothing, and may run more than once. Returns
	// ErrTooMuchAtOnce.
	Together(ctx context.Context, do func(context.Context) error) error
	// Once is Together for a request that may be sent again: it keeps the answer of a
	// success, or returns the one before, with true. Returns ErrKeyReused.
	Once(ctx context.Context, by Caller, retry Retry, change func(context.Context) (Answer, error)) (answer Answer, again bool, err error)
	// AnswerTo returns the answer that was kept, with true. Returns ErrKeyReused.
	AnswerTo(ctx context.Context, by Caller, retry Retry) (answer Answer, found bool, err error)
	// KeepAnswer keeps an answer.
	KeepAnswer(ctx context.Context, retry Retry, answer Answer) error
}

// The errors of requests that are sent again.
var (
	ErrKey       = &Error{Kind: KindMalformed, Code: "bad_idempotency_key", Message: "An Idempotency-Key is one text of 1 to 128 visible characters."}
	ErrKeyReused = &Error{Kind: KindInvalid, Code: "idempotency_key_reused", Message: "This Idempotency-Key was used for another request."}
	// ErrTooMuchAtOnce is that of a transaction that would hold up all others.
	ErrTooMuchAtOnce = &Error{Kind: KindInvalid, Code: "batch_too_large", Message: "This would change more at once than one request may. Please send it in parts."}
)

type changeKey struct{}

// NoteChange returns a context in which ChangeMade sets the number of the first change that
// is made.
func NoteChange(ctx context.Context, number *int64) context.Context {
	return context.WithValue(ctx, changeKey{}, number)
}

// ChangeMade sets the number of the first change of a request, if anybody wants to know it.
func ChangeMade(ctx context.Context, number int64) {
	if noted, _ := ctx.Value(changeKey{}).(*int64); noted != nil && *noted == 0 {
		*noted = number
	}
}
