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
	// Fields maps a field's name to what is wrong with it, for KindInvalid.
	Fields map[string]string
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

// Code of every KindInvalid error.
const codeValidation = "validation_failed"

// The errors of the domain. Use errors.Is; never compare texts.
var (
	ErrForbidden          = &Error{Kind: KindForbidden, Code: "forbidden", Message: "Unauthorized access."}
	ErrTaskNotFound       = &Error{Kind: KindNotFound, Code: "task_not_found", Message: "Task not found."}
	ErrUserNotFound       = &Error{Kind: KindNotFound, Code: "user_not_found", Message: "User not found."}
	ErrLastAdmin          = &Error{Kind: KindConflict, Code: "last_admin", Message: "The only admin cannot be removed. Make another user an admin first."}
	ErrRegistrationClosed = &Error{Kind: KindForbidden, Code: "registration_closed", Message: "Registration is closed. Ask an admin for an account."}
	ErrInvalidCredentials = &Error{Kind: KindUnauthenticated, Code: "invalid_credentials", Message: "Invalid email or password."}
	ErrSessionEnded       = &Error{Kind: KindUnauthenticated, Code: "token_invalid", Message: "Invalid token!"}
	ErrRefreshRequired    = &Error{Kind: KindMalformed, Code: "refresh_token_required", Message: "Refresh token required."}
	ErrRefreshInvalid     = &Error{Kind: KindUnauthenticated, Code: "refresh_token_invalid", Message: "Invalid or expired refresh token."}
	ErrLogoutInvalid      = &Error{Kind: KindMalformed, Code: "refresh_token_revoked", Message: "Invalid or already revoked refresh token."}
	ErrPagination         = &Error{Kind: KindMalformed, Code: "invalid_pagination", Message: "Invalid pagination parameters"}
	ErrUserIDParameter    = &Error{Kind: KindMalformed, Code: "invalid_user_id", Message: "The parameter user_id must be a positive integer."}
	ErrSessionNotFound    = &Error{Kind: KindNotFound, Code: "session_not_found", Message: "Session not found."}
	ErrTokenNotFound      = &Error{Kind: KindNotFound, Code: "api_token_not_found", Message: "API token not found."}
	ErrAPITokenExpired    = &Error{Kind: KindUnauthenticated, Code: "token_expired", Message: "Token has expired!"}
	ErrScope              = &Error{Kind: KindForbidden, Code: "insufficient_scope", Message: "This API token may not do this."}
	ErrSessionNeeded      = &Error{Kind: KindForbidden, Code: "session_required", Message: "An API token may not do this. Sign in and use an access token."}
	ErrLinkInvalid        = &Error{Kind: KindMalformed, Code: "link_invalid", Message: "This link is invalid, was used already or has expired. Ask for a new one."}
	ErrEmailUnverified    = &Error{Kind: KindForbidden, Code: "email_not_verified", Message: "The e-mail address has not been confirmed yet. Follow the link in the mail that was sent to it."}
	ErrTooManyTokens      = &Error{Kind: KindConflict, Code: "too_many_api_tokens", Message: "There are 100 API tokens already. Revoke one that is no longer needed."}
	ErrBusy               = &Error{Kind: KindUnavailable, Code: "server_busy", Message: "The server is busy. Please try again in a moment.", RetryAfter: time.Second}
	ErrTooManyTasks       = &Error{Kind: KindConflict, Code: "too_many_tasks", Message: "There are as many tasks as an account may have. Delete some, or ask whoever runs the server for more (--max-tasks)."}
	ErrHashReplaced       = &Error{Kind: KindConflict, Code: "password_changed", Message: "The password was changed at the same moment. Please try again."}
	ErrDatabaseDamaged    = &Error{Kind: KindUnavailable, Code: "database_damaged", Message: "The server's database is damaged, and nothing is written to it. Please tell whoever runs the server.", RetryAfter: time.Minute}
	ErrDiskFull           = &Error{Kind: KindUnavailable, Code: "disk_full", Message: "The server has no disk space left. Please tell whoever runs it.", RetryAfter: time.Minute}

	// ErrEmailTaken says that another user has the address already.
	ErrEmailTaken = &Error{Kind: KindInvalid, Code: codeValidation, Fields: map[string]string{"email": "The email is already registered."}}
	// ErrNoSuchUser says that a task would belong to a user who does not exist.
	ErrNoSuchUser = &Error{Kind: KindInvalid, Code: codeValidation, Fields: map[string]string{"user_id": "The specified user_id does not exist."}}
	// ErrProofNeeded says that the session is too old to show that the person
	// is there.
	ErrProofNeeded = &Error{Kind: KindInvalid, Code: codeValidation, Fields: map[string]string{"current_password": "You signed in more than 10 minutes ago: give your current password, too."}}
	// ErrWrongPassword says that current_password is not the user's password.
	ErrWrongPassword = &Error{Kind: KindInvalid, Code: codeValidation, Fields: map[string]string{"current_password": "The current password is incorrect."}}
)
