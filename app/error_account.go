package app

// The errors of accounts.
var (
	ErrUserNotFound       = &Error{Kind: KindNotFound, Code: "user_not_found", Message: "User not found."}
	ErrLastAdmin          = &Error{Kind: KindConflict, Code: "last_admin", Message: "The only admin cannot be removed. Make another user an admin first."}
	ErrRegistrationClosed = &Error{Kind: KindForbidden, Code: "registration_closed", Message: "Registration is closed. Ask an admin for an account."}
	ErrInvalidCredentials = &Error{Kind: KindUnauthenticated, Code: "invalid_credentials", Message: "Invalid email or password."}
	ErrSessionEnded       = &Error{Kind: KindUnauthenticated, Code: "token_invalid", Message: "Invalid token!"}
	ErrRefreshRequired    = &Error{Kind: KindMalformed, Code: "refresh_token_required", Message: "Refresh token required."}
	ErrRefreshInvalid     = &Error{Kind: KindUnauthenticated, Code: "refresh_token_invalid", Message: "Invalid or expired refresh token."}
	ErrLogoutInvalid      = &Error{Kind: KindMalformed, Code: "refresh_token_revoked", Message: "Invalid or already revoked refresh token."}
	ErrUserIDParameter    = &Error{Kind: KindMalformed, Code: "invalid_user_id", Message: "The parameter user_id must be a positive integer."}
	ErrSessionNotFound    = &Error{Kind: KindNotFound, Code: "session_not_found", Message: "Session not found."}
	ErrTokenNotFound      = &Error{Kind: KindNotFound, Code: "api_token_not_found", Message: "API token not found."}
	ErrAPITokenExpired    = &Error{Kind: KindUnauthenticated, Code: "token_expired", Message: "Token has expired!"}
	ErrSessionNeeded      = &Error{Kind: KindForbidden, Code: "session_required", Message: "An API token may not do this. Sign in and use an access token."}
	ErrLinkInvalid        = &Error{Kind: KindMalformed, Code: "link_invalid", Message: "This link is invalid, was used already or has expired. Ask for a new one."}
	ErrEmailUnverified    = &Error{Kind: KindForbidden, Code: "email_not_verified", Message: "The e-mail address has not been confirmed yet. Follow the link in the mail that was sent to it."}
	ErrTooManyTokens      = &Error{Kind: KindConflict, Code: "too_many_api_tokens", Message: "There are 100 API tokens already. Revoke one that is no longer needed."}
	ErrHashReplaced       = &Error{Kind: KindConflict, Code: "password_changed", Message: "The password was changed at the same moment. Please try again."}
	// ErrEmailTaken says that another user has the address already.
	ErrEmailTaken = &Error{Kind: KindInvalid, Code: CodeValidation, Fields: map[string]string{"email": "The email is already registered."}}
	// ErrProofNeeded says that the session is too old to show that the person
	// is there.
	ErrProofNeeded = &Error{Kind: KindInvalid, Code: CodeValidation, Fields: map[string]string{"current_password": "You signed in more than 10 minutes ago: give your current password, too."}}
	// ErrWrongPassword says that current_password is not the user's password.
	ErrWrongPassword = &Error{Kind: KindInvalid, Code: CodeValidation, Fields: map[string]string{"current_password": "The current password is incorrect."}}
)
