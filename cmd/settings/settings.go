// Package settings is everything that an operator can choose, and how flags, the
// environment and .env say it.
package settings

import (
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"taskapi/app/sqlite"
)

// DataDir is the default data folder.
const DataDir = "./taskapi-data"

// Settings is everything an operator can choose.
type Settings struct {
	Addr             string
	DataDir          string
	PublicURL        string
	Name             string // of the service, in mails; empty: see Service
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
	Tutorial         bool // unknown query parameters are ignored
	AuditKeep        time.Duration
	MaxTasks         int // of a user; 0: no limit
	MaxStreams       int
	CalDAVOverHTTP   bool
	WebhookNetworks  []netip.Prefix
	TrashDays        int // 0: no trash
	SyncDays         int
	BackupEvery      time.Duration // 0: never
	BackupKeep       int
	BackupDir        string // empty: below DataDir
	ReplicateTo      string // empty: nowhere
	ReplicateKeyID   string
	ReplicateSecret  string
	Durability       sqlite.Durability
	// Database is the address of a PostgreSQL database; empty: the file in DataDir.
	Database            string
	DatabasePassword    string // unless the address has one
	DatabaseConnections int
	Mail                Mail
	ImportPassword      string // of the database that is imported from
	TLSCert, TLSKey     string // files; empty: none
	ACMEDomains         []string
	ACMEDirectory       string
	RedirectAddr        string // empty: none
	MetricsAddr         string // empty: no metrics
	LogFormat           string // text or json
	LogLevel            slog.Level

	// Notices are what the operator should know, though nothing is wrong.
	Notices []string
}

// MailSettings say how mail leaves. Without a Server it stays in the outbox.
type Mail struct {
	Server   string
	Port     int
	Username string
	Password string
	From     string
	TLS      string // starttls, tls or none
}

// Setting is one row of the table below, from which the flags, the environment
// variables, `taskapi config` and the check of .env.example all follow.
type Setting struct {
	Flag    string
	Env     []string // the first is ours, the others the tutorial's
	Initial string
	Meaning string
	Secret  bool // never shown; may come from a file named by NAME_FILE
	mail    bool // needed to send mail
	parse   func(s *Settings, value string) error
}

// Table returns all settings in the order in which they are shown.
func Table() []Setting {
	return slices.Concat(serverRows(), accountRows(), keepingRows(), mailRows(), listenRows(), otherRows())
}

func serverRows() []Setting {
	return []Setting{
		{Flag: "addr", Env: []string{"TASKAPI_ADDR"}, Initial: "127.0.0.1:8000",
			Meaning: "address to listen on; :8000 is port 8000 of every network, unix:PATH a socket for a proxy of the server's group", parse: parseAddr},
		{Flag: "data-dir", Env: []string{"TASKAPI_DATA_DIR"}, Initial: DataDir,
			Meaning: "folder of the database and the key", parse: text(func(s *Settings) *string { return &s.DataDir })},
		{Flag: "public-url", Env: []string{"TASKAPI_PUBLIC_URL"},
			Meaning: "address by which others reach the server, for links in e-mails (default from --addr)", parse: parsePublicURL},
		{Flag: "name", Env: []string{"TASKAPI_NAME"},
			Meaning: "what mails call this service (default the host of the public-url, or taskapi for a number)", parse: parseName},
		{Flag: "jwt-secret", Env: []string{"TASKAPI_JWT_SECRET", "JWT_SECRET_KEY"}, Secret: true,
			Meaning: "key that signs tokens, at least 32 bytes (default: made at the first start, kept in secret.key)", parse: parseSecret},
		{Flag: "access-ttl", Env: []string{"TASKAPI_ACCESS_TTL"}, Initial: "15m",
			Meaning: "how long an access token is good for, 1s to 24h", parse: duration(time.Second, 24*time.Hour, func(s *Settings) *time.Duration { return &s.AccessTTL })},
		{Flag: "refresh-ttl", Env: []string{"TASKAPI_REFRESH_TTL"}, Initial: "168h",
			Meaning: "how long a sign-in lasts at most, up to 8760h", parse: duration(time.Second, 8760*time.Hour, func(s *Settings) *time.Duration { return &s.RefreshTTL })},
		{Flag: "refresh-idle", Env: []string{"TASKAPI_REFRESH_IDLE"}, Initial: "0s",
			Meaning: "how long a sign-in lasts unused; 0s is no such limit", parse: duration(0, 8760*time.Hour, func(s *Settings) *time.Duration { return &s.RefreshIdle })},
		{Flag: "refresh-rotation", Env: []string{"TASKAPI_REFRESH_ROTATION"}, Initial: "on",
			Meaning: "a refresh token is retired at its use: on or off", parse: choice("on", "off", func(s *Settings) *bool { return &s.RefreshRotation })},
	}
}

func accountRows() []Setting {
	return []Setting{
		{Flag: "registration", Env: []string{"TASKAPI_REGISTRATION"}, Initial: "open",
			Meaning: "who may make an account: open (anyone) or closed (an admin)", parse: choice("open", "closed", func(s *Settings) *bool { return &s.RegistrationOpen })},
		{Flag: "require-verified-email", Env: []string{"TASKAPI_REQUIRE_VERIFIED_EMAIL"}, Initial: "off",
			Meaning: "sign-in only after the link in the welcome mail was followed: on (needs a mail server) or off", parse: choice("on", "off", func(s *Settings) *bool { return &s.VerifiedOnly })},
		{Flag: "password-min", Env: []string{"TASKAPI_PASSWORD_MIN"}, Initial: "8",
			Meaning: "shortest password, in characters", parse: number(1, 1024, func(s *Settings) *int { return &s.PasswordMin })},
		{Flag: "password-max", Env: []string{"TASKAPI_PASSWORD_MAX"}, Initial: "128",
			Meaning: "longest password, in characters", parse: number(1, 1024, func(s *Settings) *int { return &s.PasswordMax })},
		{Flag: "password-chars", Env: []string{"TASKAPI_PASSWORD_CHARS"},
			Meaning: "characters a password may have, as inside [] of a regular expression (default any)", parse: parsePasswordChars},
		{Flag: "cors-origins", Env: []string{"TASKAPI_CORS_ORIGINS"}, Initial: "*",
			Meaning: "origins whose pages may read answers, separated by commas", parse: parseOrigins},
		{Flag: "trusted-proxies", Env: []string{"TASKAPI_TRUSTED_PROXIES"},
			Meaning: "addresses or networks whose X-Forwarded-For counts, separated by commas", parse: parseProxies},
		{Flag: "rate-limit", Env: []string{"TASKAPI_RATE_LIMIT"}, Initial: "on",
			Meaning: "limit sign-ins and the like per address: on, or off for tests and benchmarks", parse: choice("on", "off", func(s *Settings) *bool { return &s.RateLimit })},
		{Flag: "compat", Env: []string{"TASKAPI_COMPAT"}, Initial: "strict",
			Meaning: "strict refuses query parameters that it does not know; tutorial ignores them and the fields of a task that the tutorial does not have, as the tutorial does", parse: choice("tutorial", "strict", func(s *Settings) *bool { return &s.Tutorial })},
	}
}

func keepingRows() []Setting {
	return []Setting{
		{Flag: "max-tasks", Env: []string{"TASKAPI_MAX_TASKS"}, Initial: "100000",
			Meaning: "how many tasks a user may have; 0 is no limit", parse: number(0, 1<<31-1, func(s *Settings) *int { return &s.MaxTasks })},
		{Flag: "max-streams", Env: []string{"TASKAPI_MAX_STREAMS"}, Initial: "1000",
			Meaning: "how many connections may wait for changes (GET /events)", parse: number(1, 100_000, func(s *Settings) *int { return &s.MaxStreams })},
		{Flag: "caldav-over-http", Env: []string{"TASKAPI_CALDAV_OVER_HTTP"}, Initial: "off",
			Meaning: "calendar clients may send their passwords without HTTPS beyond this machine: on or off", parse: choice("on", "off", func(s *Settings) *bool { return &s.CalDAVOverHTTP })},
		{Flag: "webhook-networks", Env: []string{"TASKAPI_WEBHOOK_NETWORKS"},
			Meaning: "private networks or addresses that webhooks may reach, separated by commas (default none: the internet only)", parse: parseWebhookNetworks},
		{Flag: "trash-days", Env: []string{"TASKAPI_TRASH_DAYS"}, Initial: "30",
			Meaning: "for how many days what was deleted can be restored; 0 deletes for good at once", parse: number(0, 3650, func(s *Settings) *int { return &s.TrashDays })},
		{Flag: "sync-days", Env: []string{"TASKAPI_SYNC_DAYS"}, Initial: "90",
			Meaning: "for how many days the log of changes is kept", parse: number(1, 3650, func(s *Settings) *int { return &s.SyncDays })},
		{Flag: "audit-keep", Env: []string{"TASKAPI_AUDIT_KEEP"}, Initial: "2160h",
			Meaning: "how long the audit record is kept, 24h to 87600h (2160h is 90 days)", parse: duration(24*time.Hour, 87600*time.Hour, func(s *Settings) *time.Duration { return &s.AuditKeep })},
		{Flag: "backup-every", Env: []string{"TASKAPI_BACKUP_EVERY"}, Initial: "0s",
			Meaning: "how often the server makes a backup, 1m to 8760h; 0s is never", parse: parseBackupEvery},
		{Flag: "backup-keep", Env: []string{"TASKAPI_BACKUP_KEEP"}, Initial: "7",
			Meaning: "how many of those are kept, the newest", parse: number(1, 10000, func(s *Settings) *int { return &s.BackupKeep })},
		{Flag: "backup-dir", Env: []string{"TASKAPI_BACKUP_DIR"},
			Meaning: "folder of the backups (default the folder backups in the data folder)", parse: text(func(s *Settings) *string { return &s.BackupDir })},
		{Flag: "replicate-to", Env: []string{"TASKAPI_REPLICATE_TO"},
			Meaning: "second place that the database is copied to as it is written: a folder on another disk, or s3://BUCKET/PREFIX?endpoint=URL&region=REGION (default none)", parse: parseReplicateTo},
		{Flag: "replicate-key-id", Env: []string{"TASKAPI_REPLICATE_KEY_ID", "AWS_ACCESS_KEY_ID"}, Secret: true,
			Meaning: "id of the key of that bucket", parse: text(func(s *Settings) *string { return &s.ReplicateKeyID })},
		{Flag: "replicate-secret", Env: []string{"TASKAPI_REPLICATE_SECRET", "AWS_SECRET_ACCESS_KEY"}, Secret: true,
			Meaning: "the key itself", parse: text(func(s *Settings) *string { return &s.ReplicateSecret })},
		{Flag: "durability", Env: []string{"TASKAPI_DURABILITY"}, Initial: "full",
			Meaning: "what an answered write survives: full (a power cut) or normal (a crash of the program)", parse: parseDurability},
		{Flag: "database", Env: []string{"TASKAPI_DATABASE"}, Secret: true,
			Meaning: "PostgreSQL database, such as postgres://taskapi@db.example.com/taskapi (default: a file in the data folder)", parse: parseDatabase},
		{Flag: "database-password", Env: []string{"TASKAPI_DATABASE_PASSWORD"}, Secret: true,
			Meaning: "its password, if the address has none", parse: text(func(s *Settings) *string { return &s.DatabasePassword })},
		{Flag: "database-connections", Env: []string{"TASKAPI_DATABASE_CONNECTIONS"}, Initial: "8",
			Meaning: "how many queries it runs at once for this process, which has up to four connections more", parse: number(1, 200, func(s *Settings) *int { return &s.DatabaseConnections })},
	}
}

func mailRows() []Setting {
	return []Setting{
		{Flag: "mail-server", Env: []string{"TASKAPI_MAIL_SERVER", "MAIL_SERVER"}, mail: true,
			Meaning: "SMTP server; without one, mails stay in the outbox", parse: text(func(s *Settings) *string { return &s.Mail.Server })},
		{Flag: "mail-port", Env: []string{"TASKAPI_MAIL_PORT", "MAIL_PORT"}, mail: true,
			Meaning: "its port (default 587 for starttls, 465 for tls, 25 for none)", parse: number(1, 65535, func(s *Settings) *int { return &s.Mail.Port })},
		{Flag: "mail-username", Env: []string{"TASKAPI_MAIL_USERNAME", "MAIL_USERNAME"}, mail: true,
			Meaning: "account to sign in with there", parse: text(func(s *Settings) *string { return &s.Mail.Username })},
		{Flag: "mail-password", Env: []string{"TASKAPI_MAIL_PASSWORD", "MAIL_PASSWORD"}, Secret: true, mail: true,
			Meaning: "password of that account", parse: text(func(s *Settings) *string { return &s.Mail.Password })},
		{Flag: "mail-from", Env: []string{"TASKAPI_MAIL_FROM", "MAIL_DEFAULT_SENDER"}, mail: true,
			Meaning: "sender of the mails (default the username)", parse: text(func(s *Settings) *string { return &s.Mail.From })},
		{Flag: "mail-tls", Env: []string{"TASKAPI_MAIL_TLS"}, Initial: "starttls", mail: true,
			Meaning: "starttls, tls or none", parse: parseMailTLS},
	}
}

func otherRows() []Setting {
	return []Setting{
		{Flag: importPassword, Env: []string{"TASKAPI_IMPORT_PASSWORD"}, Secret: true,
			Meaning: "password of the database that \"taskapi db import\" reads (default: asked for)", parse: text(func(s *Settings) *string { return &s.ImportPassword })},
		{Flag: "log-format", Env: []string{"TASKAPI_LOG_FORMAT"}, Initial: "text",
			Meaning: "text or json", parse: oneOf(func(s *Settings) *string { return &s.LogFormat }, "text", "json")},
		{Flag: "log-level", Env: []string{"TASKAPI_LOG_LEVEL"}, Initial: "info",
			Meaning: "debug, info, warn or error", parse: parseLogLevel},
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
func (s Setting) exact() bool { return s.Secret || s.Flag == "password-chars" }

// freeText reports whether a value is read by people, and may hold quotes.
func (s Setting) freeText() bool { return s.Flag == "name" || s.Flag == "mail-from" }
