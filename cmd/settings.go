package cmd

import (
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"taskapi/app/sqlite"
)

// Settings is everything an operator can choose.
type Settings struct {
	Addr             string
	DataDir          string
	PublicURL        string
	JWTSecret        string // empty: the key file in DataDir
	AccessTTL        time.Duration
	RefreshTTL       time.Duration
	RefreshIdle      time.Duration // 0: no idle limit
	RefreshRotation  bool
	RegistrationOpen bool
	VerifiedOnly     bool
	PasswordMin      int
	PasswordMax      int
	PasswordChars    *regexp.Regexp // nil: any that can be printed
	CORSOrigins      []string       // empty: any
	TrustedProxies   []netip.Prefix
	RateLimit        bool
	AuditKeep        time.Duration
	MaxTasks         int           // of a user; 0: no limit
	BackupEvery      time.Duration // 0: never
	BackupKeep       int
	BackupDir        string // empty: below DataDir
	Durability       sqlite.Durability
	Mail             MailSettings
	ImportPassword   string // of the database that is imported from
	TLSCert, TLSKey  string // files; empty: none
	ACMEDomains      []string
	ACMEDirectory    string
	RedirectAddr     string // empty: none
	MetricsAddr      string // empty: no metrics
	LogFormat        string // text or json
	LogLevel         slog.Level

	// Notices are what the operator should know, though nothing is wrong.
	Notices []string
}

// MailSettings say how mail leaves. Without a Server it stays in the outbox.
type MailSettings struct {
	Server   string
	Port     int
	Username string
	Password string
	From     string
	TLS      string // starttls, tls or none
}

// setting is one row of the table below, from which flags, environment
// variables, `taskapi config` and the check of .env.example all follow.
type setting struct {
	flag    string
	env     []string // the first is ours, the others the tutorial's
	initial string
	meaning string
	secret  bool // never shown; may come from a file named by NAME_FILE
	mail    bool // needed to send mail
	parse   func(s *Settings, value string) error
}

func table() []setting {
	return slices.Concat(serverRows(), accountRows(), keepingRows(), mailRows(), listenRows(), otherRows())
}

func serverRows() []setting {
	return []setting{
		{flag: "addr", env: []string{"TASKAPI_ADDR"}, initial: "127.0.0.1:8000",
			meaning: "address to listen on; :8000 is port 8000 of every network, unix:PATH a socket for a proxy of the server's group", parse: parseAddr},
		{flag: "data-dir", env: []string{"TASKAPI_DATA_DIR"}, initial: "./taskapi-data",
			meaning: "folder of the database and the key", parse: text(func(s *Settings) *string { return &s.DataDir })},
		{flag: "public-url", env: []string{"TASKAPI_PUBLIC_URL"},
			meaning: "address by which others reach the server, for links in e-mails (default from --addr)", parse: parsePublicURL},
		{flag: "jwt-secret", env: []string{"TASKAPI_JWT_SECRET", "JWT_SECRET_KEY"}, secret: true,
			meaning: "key that signs tokens, at least 32 bytes (default: made at the first start, kept in secret.key)", parse: parseSecret},
		{flag: "access-ttl", env: []string{"TASKAPI_ACCESS_TTL"}, initial: "15m",
			meaning: "how long an access token is good for, 1s to 24h", parse: duration(time.Second, 24*time.Hour, func(s *Settings) *time.Duration { return &s.AccessTTL })},
		{flag: "refresh-ttl", env: []string{"TASKAPI_REFRESH_TTL"}, initial: "168h",
			meaning: "how long a sign-in lasts at most, up to 8760h", parse: duration(time.Second, 8760*time.Hour, func(s *Settings) *time.Duration { return &s.RefreshTTL })},
		{flag: "refresh-idle", env: []string{"TASKAPI_REFRESH_IDLE"}, initial: "0s",
			meaning: "how long a sign-in lasts unused; 0s is no such limit", parse: duration(0, 8760*time.Hour, func(s *Settings) *time.Duration { return &s.RefreshIdle })},
		{flag: "refresh-rotation", env: []string{"TASKAPI_REFRESH_ROTATION"}, initial: "on",
			meaning: "a refresh token is retired at its use: on or off", parse: choice("on", "off", func(s *Settings) *bool { return &s.RefreshRotation })},
	}
}

func accountRows() []setting {
	return []setting{
		{flag: "registration", env: []string{"TASKAPI_REGISTRATION"}, initial: "open",
			meaning: "who may make an account: open (anyone) or closed (an admin)", parse: choice("open", "closed", func(s *Settings) *bool { return &s.RegistrationOpen })},
		{flag: "require-verified-email", env: []string{"TASKAPI_REQUIRE_VERIFIED_EMAIL"}, initial: "off",
			meaning: "sign-in only after the link in the welcome mail was followed: on (needs a mail server) or off", parse: choice("on", "off", func(s *Settings) *bool { return &s.VerifiedOnly })},
		{flag: "password-min", env: []string{"TASKAPI_PASSWORD_MIN"}, initial: "8",
			meaning: "shortest password, in characters", parse: number(1, 1024, func(s *Settings) *int { return &s.PasswordMin })},
		{flag: "password-max", env: []string{"TASKAPI_PASSWORD_MAX"}, initial: "128",
			meaning: "longest password, in characters", parse: number(1, 1024, func(s *Settings) *int { return &s.PasswordMax })},
		{flag: "password-chars", env: []string{"TASKAPI_PASSWORD_CHARS"},
			meaning: "characters a password may have, as inside [] of a regular expression (default any)", parse: parsePasswordChars},
		{flag: "cors-origins", env: []string{"TASKAPI_CORS_ORIGINS"}, initial: "*",
			meaning: "origins whose pages may read answers, separated by commas", parse: parseOrigins},
		{flag: "trusted-proxies", env: []string{"TASKAPI_TRUSTED_PROXIES"},
			meaning: "addresses or networks whose X-Forwarded-For counts, separated by commas", parse: parseProxies},
		{flag: "rate-limit", env: []string{"TASKAPI_RATE_LIMIT"}, initial: "on",
			meaning: "limit sign-ins and the like per address: on, or off for tests and benchmarks", parse: choice("on", "off", func(s *Settings) *bool { return &s.RateLimit })},
	}
}

func keepingRows() []setting {
	return []setting{
		{flag: "max-tasks", env: []string{"TASKAPI_MAX_TASKS"}, initial: "100000",
			meaning: "how many tasks a user may have; 0 is no limit", parse: number(0, 1<<31-1, func(s *Settings) *int { return &s.MaxTasks })},
		{flag: "audit-keep", env: []string{"TASKAPI_AUDIT_KEEP"}, initial: "2160h",
			meaning: "how long the audit record is kept, 24h to 87600h (2160h is 90 days)", parse: duration(24*time.Hour, 87600*time.Hour, func(s *Settings) *time.Duration { return &s.AuditKeep })},
		{flag: "backup-every", env: []string{"TASKAPI_BACKUP_EVERY"}, initial: "0s",
			meaning: "how often the server makes a backup, 1m to 8760h; 0s is never", parse: parseBackupEvery},
		{flag: "backup-keep", env: []string{"TASKAPI_BACKUP_KEEP"}, initial: "7",
			meaning: "how many of those are kept, the newest", parse: number(1, 10000, func(s *Settings) *int { return &s.BackupKeep })},
		{flag: "backup-dir", env: []string{"TASKAPI_BACKUP_DIR"},
			meaning: "folder of the backups (default the folder backups in the data folder)", parse: text(func(s *Settings) *string { return &s.BackupDir })},
		{flag: "durability", env: []string{"TASKAPI_DURABILITY"}, initial: "full",
			meaning: "what an answered write survives: full (a power cut) or normal (a crash of the program)", parse: parseDurability},
	}
}

func mailRows() []setting {
	return []setting{
		{flag: "mail-server", env: []string{"TASKAPI_MAIL_SERVER", "MAIL_SERVER"}, mail: true,
			meaning: "SMTP server; without one, mails stay in the outbox", parse: text(func(s *Settings) *string { return &s.Mail.Server })},
		{flag: "mail-port", env: []string{"TASKAPI_MAIL_PORT", "MAIL_PORT"}, mail: true,
			meaning: "its port (default 587 for starttls, 465 for tls, 25 for none)", parse: number(1, 65535, func(s *Settings) *int { return &s.Mail.Port })},
		{flag: "mail-username", env: []string{"TASKAPI_MAIL_USERNAME", "MAIL_USERNAME"}, mail: true,
			meaning: "account to sign in with there", parse: text(func(s *Settings) *string { return &s.Mail.Username })},
		{flag: "mail-password", env: []string{"TASKAPI_MAIL_PASSWORD", "MAIL_PASSWORD"}, secret: true, mail: true,
			meaning: "password of that account", parse: text(func(s *Settings) *string { return &s.Mail.Password })},
		{flag: "mail-from", env: []string{"TASKAPI_MAIL_FROM", "MAIL_DEFAULT_SENDER"}, mail: true,
			meaning: "sender of the mails (default the username)", parse: text(func(s *Settings) *string { return &s.Mail.From })},
		{flag: "mail-tls", env: []string{"TASKAPI_MAIL_TLS"}, initial: "starttls", mail: true,
			meaning: "starttls, tls or none", parse: parseMailTLS},
	}
}

func otherRows() []setting {
	return []setting{
		{flag: importPassword, env: []string{"TASKAPI_IMPORT_PASSWORD"}, secret: true,
			meaning: "password of the database that \"taskapi db import\" reads (default: asked for)", parse: text(func(s *Settings) *string { return &s.ImportPassword })},
		{flag: "log-format", env: []string{"TASKAPI_LOG_FORMAT"}, initial: "text",
			meaning: "text or json", parse: oneOf(func(s *Settings) *string { return &s.LogFormat }, "text", "json")},
		{flag: "log-level", env: []string{"TASKAPI_LOG_LEVEL"}, initial: "info",
			meaning: "debug, info, warn or error", parse: parseLogLevel},
	}
}

// mailPort is the port of the transport where none is given (RFC 8314, RFC 5321).
func mailPort(transport string) int {
	switch transport {
	case "tls":
		return 465
	case "none":
		return 25
	}
	return 587
}

// exact reports whether blanks and quotes may be part of the value.
func (s setting) exact() bool { return s.secret || s.flag == "password-chars" }
