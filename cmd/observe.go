package cmd

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"taskapi/app/api"
	"taskapi/app/metrics"
	"taskapi/app/operate"
	"taskapi/app/push"
	"taskapi/app/sqlite"
	"taskapi/app/webhook"
	"taskapi/cmd/doctor"
	"taskapi/cmd/logs"
	"taskapi/cmd/machine"
	"taskapi/cmd/settings"
)

const (
	// writeProof is how long a successful write proves that writing works.
	writeProof = 30 * time.Second
	// logProof is how long a line that was dropped is held against the log.
	logProof = time.Minute
	// mostOverdue is how late the mail worker may be.
	mostOverdue = 10 * time.Minute
)

// newHealth lists what /readyz looks at.
func (a *application) newHealth(s settings.Settings, db *database, backups *sqlite.Backups, lines *logs.Queue, log *slog.Logger) *operate.Health {
	checks := []operate.Check{
		{Name: "disk", Run: func(context.Context) error { return enoughRoom(db.folder(s)) }},
		{Name: "database", Run: func(ctx context.Context) error {
			if err := db.CheckRead(ctx); err != nil {
				return err
			}
			return db.CheckWrite(ctx, writeProof)
		}},
	}
	checks = append(checks, operate.Check{Name: "log", Run: func(context.Context) error {
		if dropped, last := lines.Dropped(); dropped > 0 && time.Since(last) < logProof {
			return operate.DroppedLinesError(dropped)
		}
		return nil
	}})
	checks = append(checks, operate.Check{Name: "clock", Warns: true, Run: func(ctx context.Context) error { return a.clockFault(ctx, db) }})
	if s.Mail.Server != "" {
		checks = append(checks, operate.Check{Name: "outbox", Run: func(ctx context.Context) error {
			overdue, err := db.Overdue(ctx)
			if err == nil && overdue > mostOverdue {
				err = fmt.Errorf("a mail has been due for %s", overdue.Round(time.Second))
			}
			return err
		}})
	}
	if s.BackupEvery > 0 && db.file != nil {
		checks = append(checks, operate.Check{Name: "backup", Run: func(context.Context) error {
			age, err := backups.Overdue(a.clock.Elapsed())
			if err == nil && age > 0 {
				err = fmt.Errorf("no backup has worked for %s; one was to be made every %s", age.Round(time.Second), s.BackupEvery)
			}
			return err
		}})
	}
	if s.ReplicateTo != "" && db.file != nil {
		checks = append(checks, operate.Check{Name: "replica", Warns: true, Run: func(ctx context.Context) error { return replicaFault(ctx, db) }})
	}
	return operate.NewHealth(a.clock.Now, log, checks...)
}

// clockFault says why the clock may be wrong. What was written before it was
// right keeps its date, so a clock that is kept right by others is believed.
func (a *application) clockFault(ctx context.Context, db *database) error {
	newest, err := db.Newest(ctx)
	if err != nil {
		return err
	}
	if a.clock.Wrong() {
		return fmt.Errorf("the system's clock shows %s, when this program was not made yet; %s is taken for now: keep it right with NTP (\"timedatectl set-ntp true\")",
			a.clock.System().Format(time.DateOnly), a.clock.Now().Format(time.DateTime))
	}
	return doctor.ClockBehind(a.clock.Now(), newest, machine.ClockState())
}

func enoughRoom(dir string) error {
	free, err := machine.FreeBytes(dir)
	if err == nil && free < doctor.LeastFree {
		err = fmt.Errorf("only %d MiB are free on the disk of %s", free>>20, dir)
	}
	return err
}

// newMetrics returns what serves the metrics, and lets the parts of the server
// tell it what they do.
func newMetrics(version string, mails bool, db *database, lines *logs.Queue, due reminders, config *api.Config, streams func() int, hooks *webhook.Dispatcher) (*api.Side, error) {
	counts, err := metrics.New(version, metrics.Sources{
		Hashing:   config.Users.Passwords.Load,
		Streams:   streams,
		Reminders: due.alarm.Fired,
		Webhooks: func() (int, int, time.Duration) {
			load := hooks.Load()
			return load.Active, load.Waiting, load.Behind
		},
		Pushes: func() (sent, delayed, givenUp, gone int64) {
			counts := due.pushes.Counts()
			return counts[push.Sent], counts[push.Delayed], counts[push.GivenUp], counts[push.Gone]
		},
		Log: func() int64 {
			dropped, _ := lines.Dropped()
			return dropped
		},
		Database: func() (int, int64, int64) {
			return db.load()
		},
		Replica: func(ctx context.Context) (time.Duration, int64, int64, bool) {
			if db.file == nil {
				return 0, 0, 0, false
			}
			state, replicated := db.file.ReplicaState(ctx)
			return state.Behind, state.Waiting, state.Failures, replicated
		},
		Outbox: func(ctx context.Context) (int64, int64, time.Duration, error) {
			outbox, err := db.Outbox(ctx)
			// Without a mail server they wait for one, and nothing is late.
			if err != nil || outbox.Due.IsZero() || !mails {
				return outbox.Queued, outbox.Dead, 0, err
			}
			return outbox.Queued, outbox.Dead, max(0, time.Since(outbox.Due)), nil
		},
	})
	if err != nil {
		return nil, err
	}
	db.OnBatch(counts.Batch)
	config.OnAnswer, config.OnTold = counts.Answer, counts.Told
	hooks.Count = func(outcome webhook.Outcome) { counts.Webhook(string(outcome)) }
	return api.NewMetricsPage(metrics.ContentType(), counts.Write, config.Log), nil
}
