// Package doctor looks for what is wrong with an installation and says in one
// sentence what to do about each thing. It changes nothing.
package doctor

import (
	"context"
	"fmt"
	"time"

	"taskapi/app/api"
	"taskapi/app/mailer"
	"taskapi/app/sqlite"
	"taskapi/cmd/datadir"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

// checkTimeout bounds each check, so that the whole takes a minute or two
// at the very worst.
const checkTimeout = 20 * time.Second

// Grade is how bad a finding is.
type Grade string

const (
	OK   Grade = "ok"
	Warn Grade = "warn"
	Fail Grade = "fail"
)

// Finding is the outcome of a check: a grade, and a sentence that says what to do.
type Finding struct {
	Grade    Grade
	Sentence string
}

func okay(format string, args ...any) Finding    { return Finding{OK, fmt.Sprintf(format, args...)} }
func warning(format string, args ...any) Finding { return Finding{Warn, fmt.Sprintf(format, args...)} }
func failure(format string, args ...any) Finding { return Finding{Fail, fmt.Sprintf(format, args...)} }

// Check looks at one thing.
type Check struct {
	Name string
	look func(ctx context.Context) Finding
}

// Run looks, and gives up on what hangs, such as a disk behind a network: the call
// itself can't be ended, and goes with the process.
func (c Check) Run(ctx context.Context) Finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found := make(chan Finding, 1)
	go func() { found <- c.look(ctx) }()
	select {
	case f := <-found:
		return f
	case <-ctx.Done():
	}
	// Whoever minds the context says more than we can.
	grace := time.NewTimer(time.Second)
	defer grace.Stop()
	select {
	case f := <-found:
		return f
	case <-grace.C:
		return failure("no answer within %s; the disk or the network behind it hangs", checkTimeout)
	}
}

// Subject is the installation to check.
type Subject struct {
	Settings settings.Settings
	Backups  *sqlite.Backups
	// Probe asks the server of these settings.
	Probe api.Probe
	// Mail is how mails are sent.
	Mail *mailer.Sender
	// Made is the earliest that a right clock can show.
	Made time.Time
	Now  func() time.Time
}

// Checks returns the checks in the order in which one fault may cause the next.
func Checks(s Subject) []Check {
	d := datadir.Dir{Path: s.Settings.DataDir}
	all := []Check{
		{"binary", func(context.Context) Finding { return checkBinary() }},
		{"clock", func(ctx context.Context) Finding {
			return checkClock(ctx, d, s.Made, s.Now(), machine.ClockState())
		}},
		{"folder", func(context.Context) Finding { return checkFolder(d) }},
		{"disk", func(context.Context) Finding { return checkRoom(d) }},
	}
	all = append(all, folderChecks(s, []Check{
		{"filesystem", func(context.Context) Finding { return checkFileSystem(d) }},
		{"sync", func(ctx context.Context) Finding { return checkSync(ctx, d) }},
		{"database", func(ctx context.Context) Finding { return checkDatabase(ctx, d) }},
		{"reminders", func(ctx context.Context) Finding { return checkReminders(ctx, d, s.Now()) }},
		{"webhooks", func(ctx context.Context) Finding { return checkWebhooks(ctx, d) }},
		{"backups", func(context.Context) Finding { return checkBackups(s.Backups, d.Served(), s.Now()) }},
		{"replica", func(ctx context.Context) Finding { return checkReplica(ctx, s.Settings, d.Served(), s.Now()) }},
		{"left-overs", func(context.Context) Finding { return checkLeftovers(d, s.Backups.Dir, s.Now()) }},
	})...)
	all = append(all,
		Check{"port", func(ctx context.Context) Finding { return checkPort(ctx, s, d) }},
		Check{"mail", func(ctx context.Context) Finding { return checkMail(ctx, s.Mail, s.Settings.Mail.From) }},
	)
	for _, one := range s.Settings.Sides() {
		all = append(all, Check{one.Flag, func(ctx context.Context) Finding { return checkSide(ctx, one, d) }})
	}
	if s.Settings.TLSCert != "" {
		all = append(all, Check{"certificate", func(context.Context) Finding { return checkCertificate(s.Settings, s.Now()) }})
	}
	return all
}
