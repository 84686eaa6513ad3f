package cmd

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/api"
	"taskapi/app/caldav"
	"taskapi/app/mailer"
	"taskapi/app/outbox"
	"taskapi/app/password"
	"taskapi/app/todo"
	"taskapi/app/token"
	"taskapi/cmd/logs"
	"taskapi/cmd/settings"
	"taskapi/web"
)

// limiterKeys bounds the memory of each kind of limit, at about 6 MB.
const limiterKeys = 1 << 16

// wire builds the server from the settings, and what runs beside it.
func (a *application) wire(ctx context.Context, s settings.Settings, d *listeners, db *database, secret []byte, log *slog.Logger, lines *logs.Queue) (*api.Server, []func(context.Context), error) {
	access, refreshes, err := a.tokens(s, secret)
	if err != nil {
		return nil, nil, err
	}
	links, err := newLinks(s, secret)
	if err != nil {
		return nil, nil, err
	}
	mails := sender(s.Mail)
	sendMails, err := a.mailWorker(mails, s, db, links, log)
	if err != nil {
		return nil, nil, err
	}
	users, err := a.newUsers(s, db)
	if err != nil {
		return nil, nil, err
	}
	audit := &account.Audit{Store: db, Log: log}
	postage := &outbox.Postage{}
	proofs := &account.Proofs{Store: db, Passwords: users.Passwords, Audit: audit, Now: a.clock.Now}
	users.Proofs, users.Postage, users.NoUTF8 = proofs, postage, mails.NoUTF8
	users.Links, users.Audit, users.ConfirmEmail = links, audit, s.Mail.Server != ""
	sessions := &account.Sessions{
		Store: db, Passwords: users.Passwords, Access: access, Refreshes: refreshes,
		RefreshTTL: s.RefreshTTL, IdleTTL: s.RefreshIdle, Rotation: s.RefreshRotation,
		VerifiedOnly: s.VerifiedOnly, Postage: postage, Audit: audit, Now: a.clock.Now, Elapsed: a.clock.Elapsed, Log: log,
		Shared: db.Shared(),
	}
	config := api.Config{
		Version: a.build.Version, Users: users, Sessions: sessions, Audit: audit, Answers: db, Access: access, Log: log, Now: a.clock.Now,
		APITokens: &account.APITokens{Store: db, Proofs: proofs, Postage: postage, Now: a.clock.Now, Random: rand.Reader},
		OnlyHosts: onlyHosts(s, d), CORSOrigins: s.CORSOrigins, TrustedProxies: s.TrustedProxies, Web: web.Files(), Tutorial: s.Tutorial,
		Base: s.Base(), SecureCookies: d.tls != nil || strings.HasPrefix(s.PublicURL, "https://"), Health: a.newHealth(s, db, a.backups(s), lines, log), TLS: d.tls,
	}
	keep(&config, s, db, links, postage)
	if err := share(&config, db, secret); err != nil {
		return nil, nil, err
	}
	due, err := a.reminders(ctx, s, db, &config)
	if err != nil {
		return nil, nil, err
	}
	recovery := account.Recovery{Store: db, Links: links, Passwords: users.Passwords, Policy: users.Policy, Postage: postage, Audit: audit, Now: a.clock.Now, Log: log}
	a.limit(s, &config, &recovery, postage)
	a.assistants(&config)
	config.Recovery = account.NewRecovery(recovery)
	var server *api.Server // which the metrics and webhooks ask while it serves
	hooks := a.newWebhooks(&config, s, db, postage, func() *api.Server { return server }, log)
	shared := append(duties(s, db, log), sendMails, due.alarm.Run, due.pushes.Run, hooks.Run)
	background := []func(context.Context){config.Recovery.Run, config.Sync.Hub.Run, config.Health.Run, recall(users.Guard, db, log), led(db, log, shared...)}
	if d.metrics != nil {
		page, err := newMetrics(a.build.Version, s.Mail.Server != "", db, lines, due, &config, func() int { return server.Streams() }, hooks)
		if err != nil {
			return nil, nil, err
		}
		background = append(background, serveSide(page, d.metrics, log))
	}
	background = append(background, redirects(s, d, log)...)
	background = append(background, a.rehearsal.join(s, &config, due, log)...)
	server, err = api.New(config)
	return server, background, err
}

// tokens returns what makes and checks the two kinds of a session.
func (a *application) tokens(s settings.Settings, secret []byte) (*token.Access, *token.Refresh, error) {
	access, err := token.NewAccess(secret, s.AccessTTL, a.clock.Now, rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	refreshes, err := token.NewRefresh(secret, rand.Reader)
	return access, refreshes, err
}

// redirects returns what sends those who come without encryption to the public URL, if there is a
// listener for it.
func redirects(s settings.Settings, d *listeners, log *slog.Logger) []func(context.Context) {
	if d.redirect == nil {
		return nil
	}
	return []func(context.Context){serveSide(api.NewRedirect(s.PublicURL, log), d.redirect, log)}
}

// limit sets what keeps anybody from guessing and flooding, unless that is off.
func (a *application) limit(s settings.Settings, config *api.Config, recovery *account.Recovery, postage *outbox.Postage) {
	if !s.RateLimit {
		return
	}
	guard := &account.Guard{Now: a.clock.Now, Max: limiterKeys}
	config.Users.Guard, config.Sessions.Guard, recovery.Guard, config.Users.Proofs.Guard = guard, guard, guard, guard
	config.Sessions.Limiter = &app.Limiter{Now: a.clock.Now, Max: limiterKeys}
	postage.Limiter = &app.Limiter{Now: a.clock.Now, Max: limiterKeys}
	config.Limiter = &app.Limiter{Now: a.clock.Now, Max: limiterKeys}
}

// keep adds what is about tasks and lists.
func keep(config *api.Config, s settings.Settings, db *database, links *account.Links, postage *outbox.Postage) {
	config.State, config.Lineage, config.Seed, config.TrashTime = db, db.Lineage(), db.Seed(), days(s.TrashDays)
	config.Tasks = &todo.Tasks{Store: db, Now: config.Now, Most: int64(s.MaxTasks), KeepTrash: s.TrashDays > 0, Lineage: db.Lineage()}
	newest := db.NewestChange
	if db.Shared() { // db.Follow tells of what other processes do
		newest = nil
	}
	hub := todo.NewHub(db.MembersOf, newest, config.Now)
	db.OnChange(hub.Changed)
	config.Sync = &todo.Sync{Store: db, Hub: hub, Now: config.Now, Lineage: db.Lineage()}
	config.Tickets = &account.Tickets{Store: db, Now: config.Now, Random: rand.Reader}
	config.MaxStreams = s.MaxStreams
	config.Lists = &todo.Lists{Store: db, Now: config.Now, MostTasks: int64(s.MaxTasks), KeepTrash: s.TrashDays > 0}
	config.DAVOverHTTP = s.CalDAVOverHTTP
	config.DAV = &caldav.Handler{
		Calendars: &todo.Calendars{Store: db, Lists: config.Lists, Now: config.Now, Most: int64(s.MaxTasks), KeepTrash: s.TrashDays > 0, Lineage: db.Lineage()},
		Prefix:    s.Base() + "/dav",
		Name: func(ctx context.Context, caller app.Caller) (string, error) {
			user, err := config.Users.Get(ctx, caller, caller.UserID)
			return user.Username, err
		},
	}
	config.Feeds = &todo.Feeds{Store: db, PublicURL: s.PublicURL, Lineage: db.Lineage(), Seed: db.Seed(), Now: config.Now, Random: rand.Reader}
	config.Invitations = &todo.Invitations{
		Store: db, Codes: links.Codes, PublicURL: s.PublicURL, Mails: s.Mail.Server != "", Now: config.Now,
		Stamp: func(to string, userID int64) time.Duration { wait, _ := postage.Take(to, userID); return wait },
	}
}

// recall returns what tells the guard who was here before this start.
func recall(guard *account.Guard, db *database, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		if err := guard.Recall(ctx, db); err != nil && ctx.Err() == nil {
			log.Warn("networks of earlier sign-ins are not known: whoever comes from one waits among strangers", "error", err)
		}
	}
}

// onlyHosts are the names that a server answers to which listens for this
// machine only: that of the public URL, beside the machine's own. Where
// connections are encrypted, a certificate keeps other names out.
func onlyHosts(s settings.Settings, d *listeners) []string {
	public, err := url.Parse(s.PublicURL)
	if d.tls != nil || err != nil || !d.loopbackOnly() {
		return nil
	}
	host := strings.ToLower(public.Hostname())
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		host = ascii // as browsers ask for it
	}
	return []string{host}
}

func newLinks(s settings.Settings, secret []byte) (*account.Links, error) {
	codes, err := token.NewCodes(secret, rand.Reader)
	return &account.Links{Codes: codes, PublicURL: s.PublicURL}, err
}

func (a *application) newUsers(s settings.Settings, db *database) (*account.Users, error) {
	hasher, err := password.New(password.Options{Params: a.rehearsal.cost()})
	return &account.Users{
		Store: db, Passwords: hasher, Now: a.clock.Now, RegistrationOpen: s.RegistrationOpen,
		Policy: account.PasswordPolicy{Min: s.PasswordMin, Max: s.PasswordMax, Allowed: s.PasswordChars},
	}, err
}

// mailWorker returns what sends the mails of the outbox. Without a server for
// them, the log says which ones are kept.
func (a *application) mailWorker(mails *mailer.Sender, s settings.Settings, db *database, links *account.Links, log *slog.Logger) (run func(context.Context), err error) {
	if mails.Server == "" {
		db.OnMail(func(m outbox.NewMail) {
			if m.Template == "" { // another process has queued it, and said so
				return
			}
			log.Info("mail kept in the outbox: no mail server is set; see \"taskapi mail list\"", "template", m.Template)
		})
		return func(context.Context) {}, nil
	}
	composer, err := mailer.NewComposer(web.Files(), s.Mail.From, s.Service(), links.Fill)
	if err != nil {
		return nil, err
	}
	worker := mailer.NewWorker(db, composer, mails, a.clock.Now, a.clock.Elapsed, mathrand.Float64, log)
	a.rehearsal.collect(worker)
	db.OnMail(func(outbox.NewMail) { worker.Wake() })
	return worker.Run, nil
}

func sender(s settings.Mail) *mailer.Sender {
	return &mailer.Sender{Server: s.Server, Port: s.Port, Username: s.Username, Password: s.Password, Transport: s.TLS}
}

// days is a number of days as a duration.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
