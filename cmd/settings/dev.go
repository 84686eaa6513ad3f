package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// devFlags are the settings of a developer's server. Others, such as a mail server, it has none of.
func devFlags() []string {
	return []string{
		"addr", "public-url", "name", "access-ttl", "refresh-ttl", "refresh-idle", "refresh-rotation", "registration", "require-verified-email",
		"password-min", "password-max", "password-chars", "rate-limit", "compat", "max-tasks", "max-streams", "trash-days", "log-level",
	}
}

// devTable is Table with what a developer's server has other defaults for.
func devTable() []Setting {
	rows := Table()
	for i, row := range rows {
		if initial, other := map[string]string{"addr": "localhost:8000", "rate-limit": "off", "durability": "normal", "webhook-networks": "127.0.0.0/8,::1/128"}[row.Flag]; other {
			rows[i].Initial = initial
		}
	}
	return rows
}

// AddDevFlags gives a command the flags of a developer's server.
func AddDevFlags(cmd *cobra.Command) {
	for _, s := range devTable() {
		if slices.Contains(devFlags(), s.Flag) {
			cmd.Flags().String(s.Flag, s.Initial, s.Meaning)
		}
	}
}

// LoadDev returns the settings of a developer's server. Only flags count: the environment and .env
// may be those of another server, of which nothing must be touched.
func LoadDev(cmd *cobra.Command) (*Loaded, error) {
	l := &Loaded{Origins: map[string]Origin{}}
	for _, row := range devTable() {
		l.load(cmd, row, nil)
	}
	// Mails seem to be sent.
	l.Settings.Mail.Server, l.Settings.Mail.From = "dev", "taskapi <taskapi@example.com>"
	l.Settings.complete(func(flag, problem string) { l.mistake(l.nameOf(flag), problem) })
	if len(l.mistakes) > 0 {
		return nil, errors.New("these settings can't be used:\n  " + strings.Join(l.mistakes, "\n  "))
	}
	return l, nil
}
