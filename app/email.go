package app

import (
	"net/mail"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
)

// Limits of an e-mail address, in characters (RFC 5321 section 4.5.3.1.3 for
// the longest).
const (
	MinEmail = 3
	MaxEmail = 254
)

// EmailKey is what makes two addresses the same: the lower case of one way to
// write them (Unicode NFC), with the domain as the DNS knows it (RFC 5891, by
// the mapping of UTS #46). The local part may be case-sensitive by RFC 5321, but
// no provider in use is, and two accounts that look the same are an attack, not
// a wish.
func EmailKey(address string) string {
	if IsASCII(address) {
		return strings.ToLower(address)
	}
	local, domain, _ := strings.Cut(norm.NFC.String(address), "@")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	return norm.NFC.String(strings.ToLower(local + "@" + domain))
}

// MailAddress is how a mail is sent to an address: with the form of its domain
// that every mail server knows (RFC 5891). A local part beyond ASCII stays; it
// needs a server that takes it (SMTPUTF8, RFC 6531).
func MailAddress(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 || IsASCII(address[at:]) {
		return address
	}
	ascii, err := idna.Lookup.ToASCII(norm.NFC.String(address[at+1:]))
	if err != nil {
		return address
	}
	return address[:at+1] + ascii
}

// IsASCII reports whether the text holds nothing but ASCII.
func IsASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// ValidEmail reports whether the text is one plain address (RFC 5322 addr-spec
// without quoting or comments): what net/mail reads from it is the text itself.
func ValidEmail(address string) bool {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return false
	}
	// What nobody can see makes two addresses look like one.
	if strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	local, domain, _ := strings.Cut(address, "@")
	return len(local) <= 64 && validDomain(domain)
}

// validDomain checks host name syntax (RFC 1123 section 2.1); letters beyond
// ASCII are let through for internationalised names (RFC 6531).
func validDomain(domain string) bool {
	if len(domain) > 253 {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return r < 0x80 && !isLDH(r) }) {
			return false
		}
	}
	return true
}

func isLDH(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-'
}

// Email checks an address and returns it, nil if there is none.
func (p Problems) Email(create bool, field Field[string]) *string {
	rule := TextRule{Name: "email", Min: MinEmail, Max: MaxEmail, Required: create, Trim: true}
	value := p.Text(rule, field)
	if value != nil && !ValidEmail(*value) {
		p.Add("email", "The field email must be a valid e-mail address.")
		return nil
	}
	return value
}
