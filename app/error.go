package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind is the class of an error. The layers outside derive everything they
// say (a status, an exit code) from it and never read an error's text.
type Kind int

const (
	// KindInternal is a fault of ours: not the caller's business beyond an id.
	KindInternal Kind = iota
	// KindMalformed is a request that could not be understood as a whole.
	KindMalformed
	// KindInvalid is a request with fields that break a rule; Fields has all.
	KindInvalid
	// KindUnauthenticated means that nobody, or nobody valid, is signed in.
	KindUnauthenticated
	// KindForbidden means that the caller may not do this.
	KindForbidden
	// KindNotFound means that the thing is not there, or not the caller's.
	KindNotFound
	// KindConflict means that the present state does not allow it.
	KindConflict
	// KindGone means that the thing was there, and can't be had any more.
	KindGone
	// KindPrecondition means that the thing is no longer as the caller knew it.
	KindPrecondition
	// KindLimited means that the caller asked too often; RetryAfter is set.
	KindLimited
	// KindUnavailable means that it may work later; RetryAfter is set.
	KindUnavailable
)

// Error is the one error type whose content may reach a client.
type Error struct {
	Kind Kind
	// Code is stable, lower snake case, one per cause.
	Code string
	// Message is a sentence for a person. Empty for KindInvalid.
	Message string
	// Detail says more of what is wrong. May be empty.
	Detail string
	// Fields maps a field's name to what is wrong with it, for KindInvalid.
	Fields map[string]string
	// ID is that of what is in the way, where that helps; else 0.
	ID int64
	// Scope is what an API token lacks, for ErrScope.
	Scope Scope
	// RetryAfter is when it may work again, for KindLimited and KindUnavailable.
	RetryAfter time.Duration
	// Cause is for the log, never for the client. May be nil.
	Cause error
}

// Error describes the error for the log.
func (e *Error) Error() string {
	text := e.Message
	if len(e.Fields) > 0 {
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
			parts = append(parts, name+": "+e.Fields[name])
		}
		text = strings.Join(parts, " ")
	}
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", text, e.Cause)
	}
	return text
}

// Unwrap gives errors.Is and errors.As the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes two errors of one code the same for errors.Is, so that a sentinel
// is found again after With has added a cause.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// With returns a copy of the error that carries a cause for the log.
func (e *Error) With(cause error) *Error {
	clone := *e
	clone.Cause = cause
	return &clone
}

// Detailed returns a copy of the error that tells the client more.
func (e *Error) Detailed(detail string) *Error {
	clone := *e
	clone.Detail = detail
	return &clone
}

// About returns a copy of the error that names what is in the way.
func (e *Error) About(id int64) *Error {
	clone := *e
	clone.ID = id
	return &clone
}

// TooMany is the KindLimited error of who has to wait.
func TooMany(wait time.Duration) *Error {
	seconds := int64(max(1, (wait+time.Second-1)/time.Second))
	return &Error{
		Kind: KindLimited, Code: "too_many_requests", RetryAfter: wait,
		Message: fmt.Sprintf("Too many requests. Please wait %d s and try again.", seconds),
	}
}

// LacksScope is ErrScope with the scope that is missing.
func LacksScope(scope Scope) *Error {
	return &Error{
		Kind: ErrScope.Kind, Code: ErrScope.Code, Scope: scope,
		Message: fmt.Sprintf("This API token may not do this: it lacks the scope %s.", scope),
	}
}

// InvalidParameter is the KindMalformed error of a query parameter that has a wrong value.
func InvalidParameter(name, what string) *Error {
	return &Error{Kind: KindMalformed, Code: "invalid_parameter", Message: "The parameter " + name + " " + what + "."}
}

// Code of every KindInvalid error.
const CodeValidation = "validation_failed"

// The errors that any use case may return. Use errors.Is; never compare texts.
var (
	ErrForbidden       = &Error{Kind: KindForbidden, Code: "forbidden", Message: "Unauthorized access."}
	ErrPagination      = &Error{Kind: KindMalformed, Code: "invalid_pagination", Message: "Invalid pagination parameters"}
	ErrScope           = &Error{Kind: KindForbidden, Code: "insufficient_scope", Message: "This API token may not do this."}
	ErrBusy            = &Error{Kind: KindUnavailable, Code: "server_busy", Message: "The server is busy. Please try again in a moment.", RetryAfter: time.Second}
	ErrDatabaseDamaged = &Error{Kind: KindUnavailable, Code: "database_damaged", Message: "The server's database is damaged, and nothing is written to it. Please tell whoever runs the server.", RetryAfter: time.Minute}
	ErrDiskFull        = &Error{Kind: KindUnavailable, Code: "disk_full", Message: "The server has no disk space left. Please tell whoever runs it.", RetryAfter: time.Minute}
)
