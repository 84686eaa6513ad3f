package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app"
	"taskapi/app/api"
	"taskapi/app/mailer"
	"taskapi/app/password"
	"taskapi/app/sqlite"
	"taskapi/app/token"
	"taskapi/web"
)

const (
	// stopTime is how long requests under way may take at the end.
	stopTime = 20 * time.Second
	// housekeepEvery is how often what has expired is removed.
	housekeepEvery = time.Hour
	// limiterKeys bounds the memory of the rate limits, at about 6 MB.
	limiterKeys = 1 << 16
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
			return a.serve(cmd.Context(), l.settings)
		},
	}
	addSettings(cmd, everySetting)
	return cmd
}

func (a *application) logger(s Settings) *slog.Logger {
	options := &slog.HandlerOptions{Level: s.LogLevel}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.err, options))
	}
	return slog.New(slog.NewTextHandler(a.err, options))
}

func (a *application) serve(ctx context.Context, s Settings) (err error) {
	log := a.logger(s)
	for _, notice := range s.Notices {
		log.Info(notice)
	}
	d := data{s.DataDir}
	if err := d.make(); err != nil {
		return err
	}
	release, err := d.lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	// The port is taken before the database is touched: it fails more often.
	listener, err := listen(ctx, s.Addr)
	if err != nil {
		return err
	}
	secret, err := d.secret(s.JWTSecret)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	db, err := a.open(ctx, d, s.Durability)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	worker, err := mailWorker(s.Mail, db, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server, err := a.wire(s, db, secret, worker, log)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	if !s.RateLimit {
		log.Warn("rate limits are off: anyone may guess passwords as fast as they can")
	}
	if err := a.printf("taskapi %s is serving at %s\n", a.build.Version, publicURL(listener.Addr().String())); err != nil {
		return errors.Join(err, listener.Close())
	}
	return runUntilStopped(ctx, server, listener, log, func(ctx context.Context) { housekeep(ctx, db, log) }, worker.run)
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program is already listening on %s; stop it, or choose another address with --addr", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("this user may not listen on %s; choose a port of 1024 or above with --addr", addr)
	case err != nil:
		return nil, fmt.Errorf("the address %s can't be listened on; choose another with --addr (%w)", addr, err)
	}
	return listener, nil
}

// wire builds the server from the settings.
func (a *application) wire(s Settings, db *sqlite.DB, secret []byte, mails postman, log *slog.Logger) (*api.Server, error) {
	access, err := token.NewAccess(secret, s.AccessTTL, time.Now, rand.Reader)
	if err != nil {
		return nil, err
	}
	refreshes, err := token.NewRefresh(secret, rand.Reader)
	if err != nil {
		return nil, err
	}
	users, err := usersOf(s, db)
	if err != nil {
		return nil, err
	}
	users.MailQueued = mails.queued
	config := api.Config{
		Version: a.build.Version, Users: users, Access: access, Log: log, Now: time.Now,
		Tasks: &app.Tasks{Store: db, Now: time.Now},
		Sessions: &app.Sessions{
			Store: db, Passwords: users.Passwords, Access: access, Refreshes: refreshes,
			RefreshTTL: s.RefreshTTL, IdleTTL: s.RefreshIdle, Rotation: s.RefreshRotation, Now: time.Now, Log: log,
		},
		CORSOrigins: s.CORSOrigins, TrustedProxies: s.TrustedProxies,
	}
	if s.RateLimit {
		config.Limiter = &app.Limiter{Now: time.Now, Max: limiterKeys}
	}
	return api.New(config), nil
}

// postman is what becomes of queued mails.
type postman struct {
	queued func(app.NewMail) // told of each, after the commit
	run    func(context.Context)
}

// mailWorker sends mails if there is a server for them, and else says which
// ones it keeps.
func mailWorker(s MailSettings, db *sqlite.DB, log *slog.Logger) (postman, error) {
	if s.Server == "" {
		return postman{
			queued: func(m app.NewMail) {
				log.Info("mail kept in the outbox: no mail server is set", "template", m.Template, "to", m.To)
			},
			run: func(context.Context) {},
		}, nil
	}
	composer, err := mailer.NewComposer(web.Files(), s.From)
	if err != nil {
		return postman{}, err
	}
	worker := mailer.NewWorker(db, composer, sender(s), mathrand.Float64, log)
	return postman{queued: func(app.NewMail) { worker.Wake() }, run: worker.Run}, nil
}

func sender(s MailSettings) *mailer.Sender {
	return &mailer.Sender{Server: s.Server, Port: s.Port, Username: s.Username, Password: s.Password, Transport: s.TLS}
}

func usersOf(s Settings, db *sqlite.DB) (*app.Users, error) {
	hasher, err := password.New(password.Options{Params: password.DefaultParams()})
	if err != nil {
		return nil, err
	}
	return &app.Users{
		Store: db, Passwords: hasher, Now: time.Now, RegistrationOpen: s.RegistrationOpen,
		Policy: app.PasswordPolicy{Min: s.PasswordMin, Max: s.PasswordMax, Allowed: s.PasswordChars},
	}, nil
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
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
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

// housekeep removes what has expired, now and every hour.
func housekeep(ctx context.Context, db *sqlite.DB, log *slog.Logger) {
	tick := time.NewTicker(housekeepEvery)
	defer tick.Stop()
	for {
		if n, err := db.Housekeep(ctx); err != nil && ctx.Err() == nil {
			log.Error("housekeeping failed", "error", err)
		} else if n > 0 {
			log.Info("housekeeping", "rows_removed", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
