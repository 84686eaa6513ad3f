package account

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"taskapi/app"
	hashes "taskapi/app/password"
)

//go:embed common-passwords.txt
var commonPasswords string

// PasswordPolicy is the rule for new passwords. Existing passwords that break it still
// work.
type PasswordPolicy struct {
	// Min and Max count characters, as NIST SP 800-63B-4 section 3.1.1.2 does.
	Min, Max int
	// Allowed matches a password whose every character may be used; nil
	// allows any that can be printed, the space included.
	Allowed *regexp.Regexp
}

// check returns what is wrong with a password, or "". Identity holds the user's name
// and address, which attackers try first.
func (policy PasswordPolicy) check(password string, identity ...string) string {
	length := utf8.RuneCountInString(password)
	switch {
	case length < policy.Min:
		return fmt.Sprintf("Password must be at least %d characters.", policy.Min)
	case length > policy.Max:
		return fmt.Sprintf("Password must be at most %d characters.", policy.Max)
	case !policy.allows(password):
		return "Password contains invalid characters."
	}
	for _, own := range identity {
		if own != "" && strings.EqualFold(password, hashes.Normal(own)) {
			return "Password must not be your username or e-mail address."
		}
	}
	if isCommon(password) {
		return "Password is one of the most common ones. Choose another."
	}
	return ""
}

func (policy PasswordPolicy) allows(password string) bool {
	if policy.Allowed != nil {
		return policy.Allowed.MatchString(password)
	}
	return utf8.ValidString(password) && !strings.ContainsFunc(password, func(r rune) bool {
		return !unicode.IsGraphic(r) && !unicode.Is(unicode.Cf, r)
	})
}

func isCommon(password string) bool {
	lower := strings.ToLower(password)
	for line := range strings.Lines(commonPasswords) {
		if strings.TrimSuffix(line, "\n") == lower {
			return true
		}
	}
	return false
}

// newPassword checks a password that is to be set, with its repetition, and
// returns its normal form, nil when there is none.
func newPassword(p app.Problems, policy PasswordPolicy, create bool, password, confirm app.Field[string], identity ...string) *string {
	confirmed(p, create, password, confirm)
	switch {
	case password.State == app.Mistyped:
		p.Add("password", "Password must be a string.")
	case password.State != app.Present:
		if create {
			p.Add("password", app.Required("password"))
		}
	case app.Blank(password.Value):
		p.Add("password", app.Required("password"))
	default:
		plain := hashes.Normal(password.Value)
		if problem := policy.check(plain, identity...); problem != "" {
			p.Add("password", problem)
			return nil
		}
		return &plain
	}
	return nil
}

// confirm checks the repetition of a password. On a change it may be left
// out, as in the tutorial.
func confirmed(p app.Problems, create bool, password, confirm app.Field[string]) {
	switch {
	case confirm.State == app.Mistyped:
		p.Add("confirm_password", "The field confirm_password must be a string.")
	case confirm.State != app.Present || confirm.Value == "":
		if create || confirm.State == app.Present && password.State == app.Present {
			p.Add("confirm_password", app.Required("confirm_password"))
		}
	case password.State == app.Present && hashes.Normal(password.Value) != hashes.Normal(confirm.Value):
		p.Add("confirm_password", "Passwords do not match.")
	}
}

// hashing returns the context for work on a password. Known says that the
// network has shown that it may be here; then it goes first.
func hashing(ctx context.Context, known bool) context.Context {
	return hashes.For(ctx, app.ClaimantOf(ctx).Network, known)
}
