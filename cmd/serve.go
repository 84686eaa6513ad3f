package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/api"
	"taskapi/app/postgres"
	"taskapi/app/sqlite"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/listen"
	"taskapi/cmd/logs"
	"taskapi/cmd/machine"
	"taskapi/cmd/service"
	"taskapi/cmd/settings"
)

const (
	// stopTime is how long requests under way may take at the end.
	stopTime = 20 * time.Second
	// housekeepEvery is how often what has expired is removed.
	housekeepEvery = time.Hour
	// housekeepAgain is how long after the start the clock counts as settled, so
	// that what a wrong one has dated is shortened.
	housekeepAgain = 11 * time.Minute
	// firstLook is how long after the start the database is read as a whole.
	firstLook = 20 * time.Second
	// logTime is how long the end waits for the log to be read.
	logTime = 2 * time.Second
	// memoryEvery is how often memory that is needed no more is looked for.
	memoryEvery = 20 * time.Second
)

func newServe(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: noArgs,
		Long: `Run the server until SIGINT (Ctrl+C) or SIGTERM. In an empty folder it makes the
data folder, the key and the database by itself.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return service.Run(cmd.Context(), func(ctx context.Context) error { return a.serve(ctx, l.Settings) })
		},
	}
	settings.AddFlags(cmd, settings.ForServe)
	return cmd
}

// logger writes the log in the form that the settings name.
func (a *application) logger(s settings.Settings, out io.Writer) *slog.Logger {
	if a.rehearsal != nil {
		return slog.New(a.rehearsal.lines(out, s.LogLevel, a.screen()))
	}
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// queue puts a queue before the log, so that nothing waits for who reads it.
func (a *application) queue(s settings.Settings) *logs.Queue {
	direct := a.logger(s, a.err)
	return logs.NewQueue(a.err, a.clock.Now, func(dropped int64) {
		direct.Warn("lines of the log were dropped: nobody took them in time", "lines", dropped)
	})
}

// serve takes the folder, the ports and the database, in this order, and gives
// them back at the end.
func (a *application) serve(ctx context.Context, s settings.Settings) (err error) {
	lines := a.queue(s)
	defer lines.Close(logTime)
	log := a.logger(s, lines)
	for _, notice := range s.Notices {
		log.Info(notice)
	}
	d := datadir.Dir{Path: s.DataDir}
	if a.rehearsal == nil {
		if err := d.CheckPeople(); err != nil {
			return err
		}
	}
	open, release, err := a.takeGround(ctx, s, d, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, open.close(), release()) }()
	d.WarnOfLosses(s.Database != "", s.JWTSecret != "", log)
	secret, err := d.Secret(s.JWTSecret)
	if err != nil {
		return err
	}
	db, err := a.openForServing(ctx, d, s, secret, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if s.PublicURLByDefault() { // the port may have been 0
		s.PublicURL = a.rehearsal.named(s.DefaultURL(listen.Text(open.api.Addr())))
	}
	if err := d.NotePublicURL(s.PublicURL); err != nil {
		return err
	}
	if err := a.rehearsal.seedDatabase(ctx, db, log); err != nil {
		return err
	}
	server, background, err := a.wire(ctx, s, open, db, secret, log, lines)
	if err != nil {
		return err
	}
	if err := a.rehearsal.keepSeed(ctx); err != nil {
		return err
	}
	if a.rehearsal == nil {
		warnOfRisks(s, log)
	}
	// Whether anybody reads this is no condition for serving.
	out := logs.NewQueue(a.out, a.clock.Now, func(int64) {})
	defer out.Close(logTime)
	if err := a.greet(ctx, out, db, d, s, open.probe(s)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.ForgetAddress()) }()
	background = append(background, a.chores(s, open, db, log)...)
	return runWhileOurs(ctx, db, server, open.api, log, background)
}

// runWhileOurs is runUntilStopped for as long as the database is the one that was opened.
func runWhileOurs(ctx context.Context, db *database, server *api.Server, listener net.Listener, log *slog.Logger, background []func(context.Context)) error {
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err := runUntilStopped(serving, server, listener, log, append(background, stopIfReplaced(db, stop))...)
	if cause := context.Cause(serving); errors.Is(cause, postgres.ErrReplaced) {
		err = errors.Join(cause, err)
	}
	return err
}

// stopIfReplaced ends a process that knows another database than the one that stands there now:
// whatever starts it again after a failure makes that right.
func stopIfReplaced(db *database, stop context.CancelCauseFunc) func(context.Context) {
	return func(ctx context.Context) {
		if db.server == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-db.server.Replaced():
			stop(postgres.ErrReplaced)
		}
	}
}

// takeGround takes the folder and the addresses. A folder that was not there
// before does not stay without them.
func (a *application) takeGround(ctx context.Context, s settings.Settings, d datadir.Dir, log *slog.Logger) (open *listeners, release func() error, err error) {
	_, statErr := os.Stat(d.Path)
	if err := d.Make(); err != nil {
		return nil, nil, err
	}
	if release, err = d.Lock(); err != nil {
		return nil, nil, err
	}
	a.settle(s, log)
	// The ports are taken before the database is touched: they fail more often.
	if open, err = openListeners(ctx, s, a.clock.Now, log); err != nil {
		err = errors.Join(err, release())
		if statErr != nil {
			err = errors.Join(err, d.Unmake())
		}
		return nil, nil, err
	}
	return open, release, nil
}

// openForServing opens the database, and begins its timeline.
func (a *application) openForServing(ctx context.Context, d datadir.Dir, s settings.Settings, secret []byte, log *slog.Logger) (*database, error) {
	db, err := a.open(ctx, d, s)
	if err != nil {
		return nil, err
	}
	if err := a.clockFault(ctx, db); err != nil {
		log.Warn("the clock may be wrong", "reason", err)
	}
	if err := checkKey(ctx, s, db, secret); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if db.file == nil {
		return db, nil
	}
	if err := a.replicate(ctx, s, db, log); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := db.file.BeginTimeline(ctx, rand.Text()); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	db.copies.Start()
	return db, nil
}

// greet says where the server is, and what a newcomer wants to know next.
func (a *application) greet(ctx context.Context, out io.Writer, db *database, d datadir.Dir, s settings.Settings, probe api.Probe) error {
	place := probe.Place()
	if err := d.NoteAddress(place); err != nil {
		return err
	}
	if a.rehearsal != nil {
		a.rehearsal.greet(out, a.build.Version, s.PublicURL)
		return nil
	}
	admins, err := db.Admins(ctx)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "taskapi %s is serving at %s\n", a.build.Version, place)
	if probe.Socket == "" {
		_, _ = fmt.Fprintf(out, "The page is there, and the API reference at %s/docs. Press Ctrl+C to stop.\n", place)
	}
	if admins == 0 {
		_, _ = fmt.Fprintf(out, "There is no admin yet. To add one, run: taskapi user add --admin EMAIL%s\n", folderFlag(d))
	}
	return nil
}

// folderFlag is what a command needs to find a folder that is not the usual one.
func folderFlag(d datadir.Dir) string {
	if d.Path == settings.DataDir {
		return ""
	}
	return " --data-dir " + d.Path
}

// settle sets the memory limit and removes leftovers.
func (a *application) settle(s settings.Settings, log *slog.Logger) {
	machine.TuneThreads()
	machine.TuneCollector()
	if _, err := machine.LimitMemory(); err != nil {
		log.Warn("how much memory there is can't be found out; set GOMEMLIMIT if it is little", "error", err)
	}
	err := a.removeLeftovers(s, func(left sqlite.Leftover) error {
		log.Info("left-over of an unfinished upgrade, backup, restore or copy removed", "path", left.Path, "bytes", left.Bytes)
		return nil
	})
	if err != nil {
		log.Warn("left-overs can't be removed", "error", err)
	}
}

// chores returns the background work of a server, which runs for as long as it serves.
func (a *application) chores(s settings.Settings, d *listeners, db *database, log *slog.Logger) []func(context.Context) {
	all := []func(context.Context){
		machine.Memory{Every: memoryEvery}.Run,
		func(ctx context.Context) { service.Watch(ctx, d.probe(s).Alive, log) },
		func(ctx context.Context) {
			db.Follow(ctx, func(err error) { log.Warn("what other processes have changed can't be read", "error", err) })
		},
	}
	if db.file != nil {
		all = append(all, func(ctx context.Context) { lookForDamage(ctx, db.file, log) })
	}
	if db.file != nil && s.BackupEvery > 0 {
		backups := a.backups(s)
		backups.Log = log
		all = append(all, backups.Run)
	}
	return all
}

// duties returns the work that one process does for all that share a database.
func duties(s settings.Settings, db *database, log *slog.Logger) []func(context.Context) {
	return []func(context.Context){
		func(ctx context.Context) { housekeep(ctx, db, s, log) },
		func(ctx context.Context) {
			db.KeepRemoving(ctx, func(err error) { log.Error("what a deleted user left can't be removed", "error", err) })
		},
		func(ctx context.Context) {
			db.KeepIndexing(ctx, func(err error) { log.Error("the words of tasks can't be collected: the search is slow", "error", err) })
		},
	}
}

// led runs duties in the one process of those that share a database which leads.
func led(db *database, log *slog.Logger, duties ...func(context.Context)) func(context.Context) {
	return func(ctx context.Context) {
		db.Lead(ctx, func(ctx context.Context) {
			if db.Shared() {
				log.Info("this process leads: it sends mails, webhooks and reminders, and keeps house")
				defer log.Info("this process leads no more")
			}
			var all sync.WaitGroup
			for _, duty := range duties {
				all.Go(func() { duty(ctx) })
			}
			all.Wait()
		})
	}
}

// warnOfRisks names what the settings allow that few can want.
func warnOfRisks(s settings.Settings, log *slog.Logger) {
	if !s.RateLimit {
		log.Warn("rate limits are off: anyone may guess passwords as fast as they can")
	}
	for _, network := range s.TrustedProxies {
		if network.Bits() == 0 {
			log.Warn("every address is a trusted proxy: anyone may claim to be anybody, and rate limits bound nobody", "trusted_proxies", network)
		}
	}
}

// runUntilStopped serves until the context ends or serving fails, and then
// stops everything in the order in which it depends on each other.
func runUntilStopped(ctx context.Context, server *api.Server, listener net.Listener, log *slog.Logger, background ...func(context.Context)) error {
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	var workers sync.WaitGroup
	for _, work := range background {
		workers.Go(func() { work(working) })
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	service.Ready(log) // connections have been waited for since before the database was opened
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		service.Stopping(log)
		log.Info("stopping: requests under way are being answered")
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		err = server.Shutdown(limit)
		cancel()
		if err != nil {
			err = fmt.Errorf("some requests did not end within %s: %w", stopTime, err)
		}
		err = errors.Join(err, <-served)
	}
	stop()
	workers.Wait()
	if err == nil {
		log.Info("stopped")
	}
	return err
}

// lookForDamage reads the whole database soon after the start and every hour:
// most of a database is not read for years, so that damage would go unnoticed.
func lookForDamage(ctx context.Context, db *sqlite.DB, log *slog.Logger) {
	for wait := firstLook; ; wait = housekeepEvery {
		if pause(ctx, wait) != nil {
			return
		}
		if err := db.CheckSound(ctx); err != nil && ctx.Err() == nil {
			log.Error("the database is damaged: nothing is written any more; stop the server, look with \"taskapi doctor\", and restore a backup with \"taskapi db restore\"", "error", err)
		}
	}
}

// housekeep removes what has expired: now, when the clock has settled, and every hour.
func housekeep(ctx context.Context, db *database, s settings.Settings, log *slog.Logger) {
	for wait := housekeepAgain; ; wait = housekeepEvery {
		if n, err := db.Housekeep(ctx, store.Keep{Events: s.AuditKeep, Trash: days(s.TrashDays), Changes: days(s.SyncDays), Session: s.RefreshTTL, ClockFree: machine.ClockState() == machine.ClockFree}); err != nil && ctx.Err() == nil {
			log.Error("housekeeping failed", "error", err)
		} else if n > 0 {
			log.Info("housekeeping", "rows_removed", n)
		}
		if pause(ctx, wait) != nil {
			return
		}
	}
}
