package cmd

import (
	"context"
	"fmt"
	"time"

	"taskapi/app/api"
	"taskapi/app/mailer"
	"taskapi/app/sqlite"
	"taskapi/cmd/machine"
)

// checkTimeout bounds each check, so that the whole takes a minute or two
// at the very worst.
const checkTimeout = 20 * time.Second

// grade is how bad a finding is.
type grade string

const (
	good grade = "ok"
	warn grade = "warn"
	bad  grade = "fail"
)

// finding is the outcome of a check.
type finding struct {
	grade    grade
	sentence string
}

func okay(format string, args ...any) finding    { return finding{good, fmt.Sprintf(format, args...)} }
func warning(format string, args ...any) finding { return finding{warn, fmt.Sprintf(format, args...)} }
func failure(format string, args ...any) finding { return finding{bad, fmt.Sprintf(format, args...)} }

// check looks at one thing.
type check struct {
	name string
	look func(ctx context.Context) finding
}

// Run looks, and gives up on what hangs, such as a disk behind a network: the call
// itself can't be ended, and goes with the process.
func (c check) Run(ctx context.Context) finding {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	found := make(chan finding, 1)
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

// Subject is what is looked at.
type Subject struct {
	Settings Settings
	Backups  *sqlite.Backups
	// Probe asks the server of these settings.
	Probe api.Probe
	// Mail is how mails are sent.
	Mail *mailer.Sender
	// Made is the earliest that a right clock can show.
	Made time.Time
	Now  func() time.Time
}

// Checks are in the order in which one thing may be the cause of the next.
func Checks(s Subject) []check {
	d := data{s.Settings.DataDir}
	all := []check{
		{"binary", func(context.Context) finding { return checkBinary() }},
		{"clock", func(ctx context.Context) finding {
			return checkClock(ctx, d, s.Made, s.Now(), machine.ClockState())
		}},
		{"folder", func(context.Context) finding { return checkFolder(d) }},
		{"filesystem", func(context.Context) finding { return checkFileSystem(d) }},
		{"disk", func(context.Context) finding { return checkRoom(d) }},
		{"sync", func(ctx context.Context) finding { return checkSync(ctx, d) }},
		{"database", func(ctx context.Context) finding { return checkDatabase(ctx, d) }},
		{"backups", func(context.Context) finding { return checkBackups(s.Backups, d.served(), s.Now()) }},
		{"left-overs", func(context.Context) finding { return checkLeftovers(d.dir, s.Backups.Dir, s.Now()) }},
		{"port", func(ctx context.Context) finding { return checkPort(ctx, s, d) }},
		{"mail", func(ctx context.Context) finding { return checkMail(ctx, s.Mail, s.Settings.Mail.From) }},
	}
	for _, one := range s.Settings.sides() {
		all = append(all, check{one.flag, func(ctx context.Context) finding { return checkSide(ctx, one, d) }})
	}
	if s.Settings.TLSCert != "" {
		all = append(all, check{"certificate", func(context.Context) finding { return checkCertificate(s.Settings, s.Now()) }})
	}
	return all
}
