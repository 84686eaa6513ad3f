package settings

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"taskapi/app/replica"
	"taskapi/app/sqlite"
	"taskapi/app/token"
	"taskapi/cmd/listen"
)

// Each parser says what is expected, not what it was given: the loader adds
// that, unless it is a secret.

func text(field func(*Settings) *string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		*field(s) = value
		return nil
	}
}

func oneOf(field func(*Settings) *string, allowed ...string) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if !slices.Contains(allowed, value) {
			return errors.New("expected " + strings.Join(allowed, " or "))
		}
		*field(s) = value
		return nil
	}
}

// choice is a setting of two words, of which the first means true.
func choice(yes, no string, field func(*Settings) *bool) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		if value != yes && value != no {
			return fmt.Errorf("expected %s or %s", yes, no)
		}
		*field(s) = value == yes
		return nil
	}
}

// number is from 1 to most.
func number(least, most int, field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return fmt.Errorf("expected a number from %d to %d", least, most)
		}
		*field(s) = n
		return nil
	}
}

func duration(least, most time.Duration, field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < least || d > most || d%time.Second != 0 {
			return fmt.Errorf("expected a time such as 90s, 15m or 24h, in whole seconds, from %s to %s", short(least), short(most))
		}
		*field(s) = d
		return nil
	}
}

// parseBackupEvery takes 0s for never.
func parseBackupEvery(s *Settings, value string) error {
	if d, err := time.ParseDuration(value); err == nil && d == 0 {
		s.BackupEvery = 0
		return nil
	}
	return duration(time.Minute, 8760*time.Hour, func(s *Settings) *time.Duration { return &s.BackupEvery })(s, value)
}

// short is a duration without the zeros at its end: 24h, not 24h0m0s.
func short(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "m0s")
	if text != d.String() {
		text += "m"
	}
	return strings.TrimSuffix(strings.ReplaceAll(text, "h0m", "h"), "0m")
}

func parseAddr(s *Settings, value string) error {
	if path, ok := strings.CutPrefix(value, listen.UnixPrefix); ok && path != "" {
		s.Addr = value
		return nil
	}
	host, port, err := net.SplitHostPort(value)
	n, portErr := strconv.Atoi(port)
	if err != nil || !isHost(host) || portErr != nil || n < 0 || n > 65535 {
		return errors.New("expected HOST:PORT such as 127.0.0.1:8000, :8000 for every network, or unix:PATH for a socket")
	}
	s.Addr = value
	return nil
}

// isHost reports whether a host has only characters that names, in any script, and
// addresses have, or is empty.
func isHost(host string) bool {
	return !strings.ContainsFunc(host, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.M, unicode.N) && !strings.ContainsRune(".-_:%", r)
	})
}

func parsePublicURL(s *Settings, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !isHost(u.Hostname()) || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("expected an address such as https://tasks.example.com")
	}
	if path := strings.TrimRight(u.EscapedPath(), "/"); path != "" && !regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`).MatchString(path) {
		return errors.New("expected a path of letters, digits, dots, hyphens and underscores, such as https://example.com/todo")
	}
	s.PublicURL = strings.TrimRight(value, "/")
	return nil
}

// Base returns the path of the public URL, without a slash at its end.
func (s *Settings) Base() string {
	u, err := url.Parse(s.PublicURL)
	if err != nil {
		return ""
	}
	return strings.TrimRight(u.Path, "/")
}

func parseSecret(s *Settings, value string) error {
	if len(value) < token.MinSecret {
		return fmt.Errorf("expected at least %d bytes; make a good one with \"openssl rand -base64 48\", or leave it out and taskapi keeps one of its own", token.MinSecret)
	}
	s.JWTSecret = value
	return nil
}

func parsePasswordChars(s *Settings, value string) error {
	if value == "" {
		return nil
	}
	// One character and nothing behind it: "a]*" would be more.
	class, err := syntax.Parse("["+value+"]", syntax.Perl)
	single := err == nil && (class.Op == syntax.OpCharClass || class.Op == syntax.OpLiteral && len(class.Rune) == 1)
	if !single {
		return errors.New("expected what stands inside [] of a regular expression, such as A-Za-z0-9@#$%^&+=")
	}
	// (?s) and \A…\z: a newline is a character like any other.
	s.PasswordChars, err = regexp.Compile(`(?s)\A(?:` + class.String() + `)*\z`)
	return err
}

// parseOrigins reads origins of any scheme: apps have some of their own, such as
// capacitor://localhost. They are kept as browsers send them (RFC 6454, section
// 6.2): in lower case, without the scheme's own port, with the domain as the DNS
// knows it.
func parseOrigins(s *Settings, value string) error {
	if value == "*" {
		return nil
	}
	for _, origin := range list(value) {
		switch origin {
		case "*":
			return errors.New("* allows every origin and stands alone; expected it, or origins such as https://app.example.com")
		case "null":
			return errors.New("\"null\" is the origin of every sandboxed frame and local file, so that it stands for nobody: use an address, or * alone")
		}
		normal, ok := normalOrigin(origin)
		if !ok {
			return fmt.Errorf("%q is no origin; expected * or origins such as https://app.example.com or capacitor://localhost, separated by commas", origin)
		}
		s.CORSOrigins = append(s.CORSOrigins, normal)
	}
	return nil
}

func normalOrigin(origin string) (normal string, ok bool) {
	u, err := url.Parse(strings.TrimSuffix(origin, "/"))
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !isHost(u.Hostname()) {
		return "", false
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Hostname())
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return "", false
		}
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	port := u.Port()
	if port == map[string]string{"http": "80", "https": "443"}[scheme] {
		port = ""
	}
	if port != "" {
		host += ":" + port
	}
	return scheme + "://" + host, true
}

func parseProxies(s *Settings, value string) (err error) {
	s.TrustedProxies, err = networks(value)
	return err
}

func parseWebhookNetworks(s *Settings, value string) (err error) {
	s.WebhookNetworks, err = networks(value)
	return err
}

// networks reads networks, and addresses as networks of one.
func networks(value string) (all []netip.Prefix, err error) {
	for _, item := range list(value) {
		prefix, err := netip.ParsePrefix(item)
		if addr, addrErr := netip.ParseAddr(item); addrErr == nil {
			prefix, err = addr.Unmap().Prefix(addr.Unmap().BitLen())
		}
		if err != nil {
			return nil, errors.New("expected addresses or networks such as 10.0.0.1 or 10.0.0.0/8, separated by commas")
		}
		all = append(all, prefix)
	}
	return all, nil
}

func parseDurability(s *Settings, value string) error {
	s.Durability = sqlite.Durability(value)
	if s.Durability != sqlite.Full && s.Durability != sqlite.Normal {
		return errors.New("expected full or normal")
	}
	return nil
}

func parseDatabase(s *Settings, value string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || strings.Trim(u.Path, "/") == "" {
		return errors.New("expected an address such as postgres://taskapi@db.example.com:5432/taskapi")
	}
	s.Database = value
	return nil
}

func parseReplicateTo(s *Settings, value string) error {
	s.ReplicateTo = value
	return replica.Check(value)
}

// completeReplica refuses a second place that is the first, and one that nobody may enter.
func (s *Settings) completeReplica(mistake func(flag, problem string)) {
	if s.BackupEvery > 0 && s.Database != "" {
		mistake("backup-every", "this is for the database file of a data folder; back up PostgreSQL with pg_dump, or with what its provider has")
	}
	if s.ReplicateTo != "" && s.Database != "" {
		mistake("replicate-to", "this is for the database file of a data folder; PostgreSQL has streaming replication and archives of its log")
	}
	if strings.HasPrefix(s.ReplicateTo, "s3://") {
		if s.ReplicateKeyID == "" || s.ReplicateSecret == "" {
			mistake("replicate-to", "a bucket needs keys; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the same with _FILE")
		}
		return
	}
	data, err := filepath.Abs(s.DataDir)
	if to, toErr := filepath.Abs(s.ReplicateTo); s.ReplicateTo != "" && err == nil && toErr == nil {
		if inside, err := filepath.Rel(data, to); err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator)) {
			mistake("replicate-to", "expected a folder outside of the data folder, best on another disk or machine")
		}
	}
}

func parseMailTLS(s *Settings, value string) error {
	return oneOf(func(s *Settings) *string { return &s.Mail.TLS }, "starttls", "tls", "none")(s, value)
}

func parseLogLevel(s *Settings, value string) error {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, value) {
		return errors.New("expected debug, info, warn or error")
	}
	return s.LogLevel.UnmarshalText([]byte(value))
}

// list splits at commas and drops white space and empty items.
func list(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// complete fills in what follows from other settings and returns what does
// not go together. Mistake names a setting as the person wrote it.
func (s *Settings) complete(mistake func(flag, problem string)) {
	if s.DataDir == "" {
		mistake("data-dir", "expected the name of a folder")
	}
	if s.RefreshTTL < s.AccessTTL {
		mistake("refresh-ttl", "expected at least the access-ttl, "+short(s.AccessTTL))
	}
	if s.PasswordMin > s.PasswordMax {
		mistake("password-min", fmt.Sprintf("expected at most the password-max, %d", s.PasswordMax))
	}
	s.completeReplica(mistake)
	s.completeTLS(mistake)
	s.completeSides(mistake)
	if s.PublicURL == "" {
		s.PublicURL = s.DefaultURL(s.Addr)
	}
	if s.Mail.Port == 0 {
		s.Mail.Port = mailPort(s.Mail.TLS)
	}
	if s.Mail.Server != "" {
		s.completeMail(mistake)
	} else if s.VerifiedOnly {
		mistake("require-verified-email", "nobody could sign in without a mail server to send the link; name one with --mail-server")
	}
}

func (s *Settings) completeMail(mistake func(flag, problem string)) {
	if s.Mail.From == "" {
		s.Mail.From = s.Mail.Username
	}
	if _, err := mail.ParseAddress(s.Mail.From); err != nil {
		mistake("mail-from", fmt.Sprintf("%q: ", s.Mail.From)+"expected the address mails come from, such as tasks@example.com")
	}
	if s.Mail.Username != "" && s.Mail.TLS == "none" && !IsLoopback(s.Mail.Server) {
		mistake("mail-tls", "a login over an unencrypted link to another machine is refused; expected starttls or tls")
	}
}

// longestName is how many characters the name of a service may have, so that it
// fits into the subject of a mail.
const longestName = 50

func parseName(s *Settings, value string) error {
	if utf8.RuneCountInString(value) > longestName || strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("expected at most %d characters that can be printed", longestName)
	}
	s.Name = value
	return nil
}

// Service returns what mails call this service: its name, else the host of the
// public URL, unless that says nothing to people.
func (s *Settings) Service() string {
	if s.Name != "" {
		return s.Name
	}
	u, err := url.Parse(s.PublicURL)
	if err != nil || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil {
		return "taskapi"
	}
	return u.Hostname()
}

// IsLoopback reports whether only programs on this machine reach a host.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
