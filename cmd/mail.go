package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app"
	"taskapi/app/mailer"
	"taskapi/app/outbox"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
	"taskapi/web"
)

func newMail(a *application) *cobra.Command {
	return newGroup("mail", "See and test the mails", newMailList(a), newMailShow(a), newMailRetry(a), newMailTest(a))
}

// withDatabase runs a command on an open database.
func (a *application) withDatabase(cmd *cobra.Command, do func(ctx context.Context, db *database) error) (err error) {
	l, err := a.settings(cmd)
	if err != nil {
		return err
	}
	db, err := a.existing(cmd.Context(), datadir.Dir{Path: l.Settings.DataDir}, l.Settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(cmd.Context(), db)
}

func newMailList(a *application) *cobra.Command {
	var status string
	var limit int
	cmd := &cobra.Command{
		Use: "list", Short: "List the mails in the outbox, the newest first", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usagef("--limit is %d, expected at least 1", limit)
			}
			switch outbox.MailStatus(status) {
			case "", outbox.MailQueued, outbox.MailSent, outbox.MailDead:
			default:
				return usagef("--status is %q, expected queued, sent or dead", status)
			}
			return a.withDatabase(cmd, func(ctx context.Context, db *database) error {
				return a.listMails(ctx, db, outbox.MailStatus(status), limit)
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "", "only these: queued, sent or dead")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func (a *application) listMails(ctx context.Context, db *database, status outbox.MailStatus, limit int) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tSTATUS\tMAIL\tTO\tMADE\tTRIES\tNEXT\tLAST ERROR")
	err := db.Mails(ctx, status, limit, func(m outbox.Mail) error {
		next := "-"
		if m.Status == outbox.MailQueued {
			next = m.NextAt.Format(time.DateTime)
		}
		_, err := fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			m.ID, m.Status, m.Template, m.To, m.CreatedAt.Format(time.DateTime), m.Attempts, next, m.LastError)
		return err
	})
	return errors.Join(err, out.Flush())
}

func newMailShow(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show a mail that was not sent, as text", Args: exactArg("the id of a mail, as in \"taskapi mail list\""),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return usagef("%q is not the id of a mail; \"taskapi mail list\" shows them", args[0])
			}
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			return a.withDatabase(cmd, func(ctx context.Context, db *database) error { return a.showMail(ctx, db, l.Settings, id) })
		},
	}
	settings.AddFlags(cmd, settings.ForLinks)
	return cmd
}

func (a *application) showMail(ctx context.Context, db *database, s settings.Settings, id int64) error {
	mail, err := db.Mail(ctx, id)
	switch {
	case errors.Is(err, store.ErrNoMail):
		return fmt.Errorf("there is no mail %d; \"taskapi mail list\" shows them", id)
	case err != nil:
		return err
	case mail.Status == outbox.MailSent:
		return fmt.Errorf("mail %d was sent, and what was in it has been forgotten since", id)
	}
	d := datadir.Dir{Path: s.DataDir}
	secret, err := d.Secret(s.JWTSecret)
	if err != nil {
		return err
	}
	if s.PublicURLByDefault() {
		s.PublicURL = d.PublicURL(s.PublicURL)
	}
	links, err := newLinks(s, secret)
	if err != nil {
		return err
	}
	composer, err := mailer.NewComposer(web.Files(), "taskapi@localhost", s.Service(), links.Fill)
	if err != nil {
		return err
	}
	text, err := composer.Text(mail)
	if err != nil {
		return err
	}
	return a.printf("To: %s\n%s", mail.To, text)
}

func newMailRetry(a *application) *cobra.Command {
	var id int64
	cmd := &cobra.Command{
		Use: "retry", Short: "Queue dead mails again", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDatabase(cmd, func(ctx context.Context, db *database) error {
				n, err := db.RequeueMails(ctx, id, a.clock.Now())
				if err != nil {
					return err
				}
				return a.printf("Queued again: %d. A running server sends them within minutes.\n", n)
			})
		},
	}
	cmd.Flags().Int64Var(&id, "id", 0, "only the mail with this id")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func newMailTest(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "test ADDRESS", Short: "Send a test mail now and say at which step it fails, if it does", Args: exactArg("the address to send to"),
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if l.Settings.Mail.Server == "" {
				return usagef("no mail server is set; name one with --mail-server or TASKAPI_MAIL_SERVER")
			}
			return a.testMail(cmd.Context(), l.Settings.Mail, args[0])
		},
	}
	settings.AddFlags(cmd, settings.ForMail)
	return cmd
}

func (a *application) testMail(ctx context.Context, s settings.Mail, to string) error {
	if !app.ValidEmail(to) {
		return usagef("%q is not an e-mail address", to)
	}
	composer, err := mailer.NewComposer(web.Files(), s.From, "taskapi", nil)
	if err != nil {
		return err
	}
	message, err := composer.Compose(outbox.Mail{Template: mailer.TemplateTest, To: to, MessageID: "test-" + rand.Text(), CreatedAt: a.clock.Now()})
	if err != nil {
		return err
	}
	if err := a.printf("Sending to %s through %s, port %d, %s\n", to, s.Server, s.Port, s.TLS); err != nil {
		return err
	}
	err = sender(s).Send(ctx, message, func(step mailer.Step) { _ = a.printf("  %-9s  ok\n", step) })
	if err != nil {
		return fmt.Errorf("the mail was not sent, %w. %s", err, mailer.Advice(err))
	}
	return a.printf("The server has accepted the mail.\n")
}
