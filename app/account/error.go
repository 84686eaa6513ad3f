package account

import "taskapi/app"

// The errors of accounts.
var (
	ErrUserNotFound       = &app.Error{Kind: app.KindNotFound, Code: "user_not_found", Message: "User not found."}
	ErrLastAdmin          = &app.Error{Kind: app.KindConflict, Code: "last_admin", Message: "The only admin cannot be removed. Make another user an admin first."}
	ErrRegistrationClosed = &app.Error{Kind: app.KindForbidden, Code: "registration_closed", Message: "Registration is closed. Ask an admin for an account."}
	ErrInvalidCredentials = &app.Error{Kind: app.KindUnauthenticated, Code: "invalid_credentials", Message: "Invalid email or password."}
	ErrSessionEnded       = &app.Error{Kind: app.KindUnauthenticated, Code: "token_invalid", Message: "Invalid token!"}
	ErrRefreshRequired    = &app.Error{Kind: app.KindMalformed, Code: "refresh_token_required", Message: "Refresh token required."}
	ErrRefreshInvalid     = &app.Error{Kind: app.KindUnauthenticated, Code: "refresh_token_invalid", Message: "Invalid or expired refresh token."}
	ErrLogoutInvalid      = &app.Error{Kind: app.KindMalformed, Code: "refresh_token_revoked", Message: "Invalid or already revoked refresh token."}
	ErrUserIDParameter    = &app.Error{Kind: app.KindMalformed, Code: "invalid_user_id", Message: "The parameter user_id must be a positive integer."}
	ErrSessionNotFound    = &app.Error{Kind: app.KindNotFound, Code: "session_not_found", Message: "Session not found."}
	ErrTokenNotFound      = &app.Error{Kind: app.KindNotFound, Code: "api_token_not_found", Message: "API token not found."}
	ErrAPITokenExpired    = &app.Error{Kind: app.KindUnauthenticated, Code: "token_expired", Message: "Token has expired!"}
	ErrSessionNeeded      = &app.Error{Kind: app.KindForbidden, Code: "session_required", Message: "An API token may not do this. Sign in and use an access token."}
	ErrLinkInvalid        = &app.Error{Kind: app.KindMalformed, Code: "link_invalid", Message: "This link is invalid, was used already or has expired. Ask for a new one."}
	ErrEmailUnverified    = &app.Error{Kind: app.KindForbidden, Code: "email_not_verified", Message: "The e-mail address has not been confirmed yet. Follow the link in the mail that was sent to it."}
	ErrTooManyTokens      = &app.Error{Kind: app.KindConflict, Code: "too_many_api_tokens", Message: "There are 100 API tokens already. Revoke one that is no longer needed."}
	ErrHashReplaced       = &app.Error{Kind: app.KindConflict, Code: "password_changed", Message: "The password was changed at the same moment. Please try again."}
	// ErrEmailTaken says that another user has the address already.
	ErrEmailTaken = &app.Error{Kind: app.KindInvalid, Code: app.CodeValidation, Fields: map[string]string{"email": "The email is already registered."}}
	// ErrProofNeeded says that the session is too old to show that the person
	// is there.
	ErrProofNeeded = &app.Error{Kind: app.KindInvalid, Code: app.CodeValidation, Fields: map[string]string{"current_password": "You signed in more than 10 minutes ago: give your current password, too."}}
	// ErrWrongPassword says that current_password is not the user's password.
	ErrWrongPassword = &app.Error{Kind: app.KindInvalid, Code: app.CodeValidation, Fields: map[string]string{"current_password": "The current password is incorrect."}}
)
