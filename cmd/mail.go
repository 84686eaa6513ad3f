package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app"
	"taskapi/app/mailer"
	"taskapi/app/sqlite"
	"taskapi/web"
)

func newMail(a *application) *cobra.Command {
	return newGroup("mail", "See and test the mails", newMailList(a), newMailRetry(a), newMailTest(a))
}

// withOutbox runs a command on an open database.
func (a *application) withOutbox(cmd *cobra.Command, do func(ctx context.Context, db *sqlite.DB) error) (err error) {
	l, err := a.settings(cmd)
	if err != nil {
		return err
	}
	db, err := a.existing(cmd.Context(), data{l.settings.DataDir}, l.settings.Durability)
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
			switch app.MailStatus(status) {
			case "", app.MailQueued, app.MailSent, app.MailDead:
			default:
				return usagef("--status is %q, expected queued, sent or dead", status)
			}
			return a.withOutbox(cmd, func(ctx context.Context, db *sqlite.DB) error {
				return a.listMails(ctx, db, app.MailStatus(status), limit)
			})
		},
	}
	cmd.Flags().StringVar(&status, "status", "", "only these: queued, sent or dead")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many")
	addSettings(cmd, folderSetting)
	return cmd
}

func (a *application) listMails(ctx context.Context, db *sqlite.DB, status app.MailStatus, limit int) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tSTATUS\tMAIL\tTO\tMADE\tTRIES\tNEXT\tLAST ERROR")
	err := db.Mails(ctx, status, limit, func(m app.Mail) error {
		next := "-"
		if m.Status == app.MailQueued {
			next = m.NextAt.Format(time.DateTime)
		}
		_, err := fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n",
			m.ID, m.Status, m.Template, m.To, m.CreatedAt.Format(time.DateTime), m.Attempts, next, m.LastError)
		return err
	})
	return errors.Join(err, out.Flush())
}

func newMailRetry(a *application) *cobra.Command {
	var id int64
	cmd := &cobra.Command{
		Use: "retry", Short: "Queue dead mails again", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withOutbox(cmd, func(ctx context.Context, db *sqlite.DB) error {
				n, err := db.RequeueMails(ctx, id, time.Now())
				if err != nil {
					return err
				}
				return a.printf("Queued again: %d. A running server sends them within minutes.\n", n)
			})
		},
	}
	cmd.Flags().Int64Var(&id, "id", 0, "only the mail with this id")
	addSettings(cmd, folderSetting)
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
			if l.settings.Mail.Server == "" {
				return usagef("no mail server is set; name one with --mail-server or TASKAPI_MAIL_SERVER")
			}
			return a.testMail(cmd.Context(), l.settings.Mail, args[0])
		},
	}
	addSettings(cmd, mailSettings)
	return cmd
}

func (a *application) testMail(ctx context.Context, s MailSettings, to string) error {
	if !app.ValidEmail(to) {
		return usagef("%q is not an e-mail address", to)
	}
	composer, err := mailer.NewComposer(web.Files(), s.From)
	if err != nil {
		return err
	}
	message, err := composer.Compose(app.Mail{Template: mailer.TemplateTest, To: to, MessageID: "test-" + rand.Text(), CreatedAt: time.Now()})
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
