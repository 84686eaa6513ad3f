package settings

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// readSettings loads the settings of the server from variables.
func readSettings(t *testing.T, environ ...string) (*Loaded, error) {
	t.Helper()
	t.Chdir(t.TempDir()) // no .env
	cmd := &cobra.Command{}
	AddFlags(cmd, Every)
	return Load(cmd, environ)
}

// someValues are a value of each setting that is not its default.
func someValues() map[string]string {
	return map[string]string{
		"addr": "127.0.0.1:8123", "data-dir": "here", "jwt-secret": strings.Repeat("k", 40), "access-ttl": "10m", "refresh-ttl": "100h", "refresh-idle": "20h",
		"refresh-rotation": "off", "registration": "closed", "require-verified-email": "on", "password-min": "10", "password-max": "100", "password-chars": "A-Za-z0-9",
		"public-url": "https://tasks.example.com", "name": "Home tasks", "cors-origins": "https://app.example.com", "trusted-proxies": "10.0.0.1", "rate-limit": "off", "compat": "tutorial",
		"max-tasks": "5", "max-streams": "50", "caldav-over-http": "on", "webhook-networks": "192.168.1.0/24", "trash-days": "7", "sync-days": "14", "audit-keep": "48h", "backup-every": "24h", "backup-keep": "3", "backup-dir": "there",
		"replicate-to": "elsewhere", "replicate-key-id": "AKID", "replicate-secret": "secret/key+of", "durability": "normal",
		"database": "postgres://ann@db.example.com/tasks", "database-password": "secret words", "database-connections": "4",
		"mail-server": "mail.example.com", "mail-port": "2525", "mail-username": "ann", "mail-password": "secret words", "mail-from": "Ann <ann@example.com>", "mail-tls": "tls",
		"log-level": "warn", "log-format": "json", "import-password": "secret",
		"tls-cert": "cert.pem", "tls-key": "key.pem", "acme-directory": "https://acme.example.com/directory", "redirect-addr": "127.0.0.1:8124", "metrics-addr": "127.0.0.1:9099",
		"acme-domain": "tasks.example.com",
	}
}

// forms are how the same value comes out of editors, shells and tools.
func forms(value string) map[string]string {
	return map[string]string{
		"a blank behind": value + " ", "a blank before": " " + value, "a tab behind": value + "\t", "a line end": value + "\n", "a line end of Windows": value + "\r\n",
		"double quotes": `"` + value + `"`, "single quotes": "'" + value + "'", "quotes and a line end": `"` + value + "\"\r\n", "a byte order mark": "\ufeff" + value,
	}
}

// Every setting takes what was meant by an odd form, or refuses it by its name.
func TestEverySettingInOddForms(t *testing.T) {
	for _, row := range Table() {
		value, known := someValues()[row.Flag]
		if !known {
			t.Errorf("%s: this test knows no value of it", row.Flag)
			continue
		}
		// What else the setting needs beside it.
		beside := map[string][]string{
			"tls-cert": {"TASKAPI_TLS_KEY=key.pem"}, "tls-key": {"TASKAPI_TLS_CERT=cert.pem"}, "redirect-addr": {"TASKAPI_TLS_CERT=cert.pem", "TASKAPI_TLS_KEY=key.pem"},
		}[row.Flag]
		if strings.HasPrefix(row.Flag, "mail-") && row.Flag != "mail-server" {
			beside = []string{"MAIL_SERVER=mail.example.com"}
			if row.Flag == "mail-password" {
				beside = append(beside, "MAIL_USERNAME=ann")
			}
			if row.Flag == "mail-username" {
				beside = append(beside, "MAIL_PASSWORD=secret")
			}
			if row.Flag != "mail-from" {
				beside = append(beside, "MAIL_DEFAULT_SENDER=ann@example.com")
			}
		}
		if row.Flag == "require-verified-email" {
			beside = []string{"MAIL_SERVER=mail.example.com", "MAIL_DEFAULT_SENDER=ann@example.com"}
		}
		if row.Flag == "mail-server" {
			beside = []string{"MAIL_DEFAULT_SENDER=ann@example.com"}
		}
		name := row.Env[0]
		plain, err := readSettings(t, append(beside, name+"="+value)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for form, written := range forms(value) {
			odd, err := readSettings(t, append(beside, name+"="+written)...)
			switch {
			case err != nil && !strings.Contains(err.Error(), name):
				t.Errorf("%s with %s is refused without its name: %v", name, form, err)
			case err != nil && !row.exact():
				t.Errorf("%s with %s: %v", name, form, err)
			case err == nil && odd.Origins[row.Flag].Value != plain.Origins[row.Flag].Value:
				t.Errorf("%s with %s is %q, want %q", name, form, odd.Origins[row.Flag].Value, value)
			}
		}
		if _, err := readSettings(t, append(beside, name+"="+value+"\n"+value)...); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s of two lines: %v", name, err)
		}
		if !row.Secret {
			continue
		}
		for form, written := range map[string]string{"nothing odd": value, "a line end": value + "\n", "a line end of Windows": value + "\r\n", "a byte order mark": "\ufeff" + value + "\r\n"} {
			file := filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(file, []byte(written), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readSettings(t, append(beside, name+"_FILE="+file)...)
			if err != nil || got.Origins[row.Flag].Value != value {
				t.Errorf("%s_FILE with %s: %v", name, form, err)
			}
		}
	}
}

// What an editor, a shell or a tool has left in a value is refused by the name of
// the setting, unless people may mean it.
func TestLeftOversInSettings(t *testing.T) {
	beside := []string{"MAIL_SERVER=mail.example.com", "MAIL_DEFAULT_SENDER=ann@example.com", "MAIL_USERNAME=ann", "MAIL_PASSWORD=secret", "TASKAPI_TLS_CERT=cert.pem", "TASKAPI_TLS_KEY=key.pem"}
	for _, row := range Table() {
		value, name := someValues()[row.Flag], row.Env[0]
		written := map[string]string{"a zero width space": value + "\u200b"}
		if !row.exact() && !row.freeText() {
			for what, text := range map[string]string{
				"one quote before": `"` + value, "one quote behind": value + "'", "curly quotes": "“" + value + "”", "a comment": value + " # why", "an escaped line end": value + `\r`,
			} {
				written[what] = text
			}
		}
		others := slices.DeleteFunc(slices.Clone(beside), func(one string) bool { return strings.HasPrefix(one, name+"=") })
		if row.Flag == "acme-domain" {
			others = others[:len(others)-2]
		}
		for what, text := range written {
			if _, err := readSettings(t, append(others, name+"="+text)...); err == nil || !strings.Contains(err.Error(), name+":") {
				t.Errorf("%s with %s: %v", name, what, err)
			}
		}
	}
	for name, values := range map[string][]string{
		"TASKAPI_PUBLIC_URL":   {`https://t.example"`, "https://t.example;x", "https://a b.example"},
		"TASKAPI_CORS_ORIGINS": {`https://t.example"`, "null", "*,https://a.example", "https://*.example"},
		"TASKAPI_ADDR":         {`"127.0.0.1:8000`, "127.0.0.1;:8000"},
	} {
		for _, value := range values {
			if _, err := readSettings(t, name+"="+value); err == nil || !strings.Contains(err.Error(), name+":") {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
	for name, value := range map[string]string{"TASKAPI_PUBLIC_URL": "https://bücher.example:8443", "TASKAPI_ADDR": "[fe80::1%eth0]:8000", "TASKAPI_NAME": `The "best"`, "TASKAPI_CORS_ORIGINS": "chrome-extension://abcdefgh,http://[::1]:3000"} {
		if _, err := readSettings(t, name+"="+value); err != nil {
			t.Error(err)
		}
	}
}
