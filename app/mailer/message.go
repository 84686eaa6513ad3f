// Package mailer sends the mails of the outbox. It is the only importer of
// SMTP and of the email package, which builds MIME messages here and nothing
// else: its senders have no time limits and fall back to clear text in
// silence.
package mailer

import (
	"bytes"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"net/mail"
	"net/textproto"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"github.com/jordan-wright/email"

	"taskapi/app"
)

// TemplateTest is the mail of `taskapi mail test`. No data.
const TemplateTest app.MailTemplate = "test"

// maxSubject keeps a subject within one line (RFC 5322 section 2.1.1), since
// the builder does not fold it.
const maxSubject = 200

// Composer makes messages from the templates in web/mail: NAME.html, and
// NAME.txt, whose first line is the subject.
type Composer struct {
	from *mail.Address
	html *htmltemplate.Template
	text *texttemplate.Template
}

// NewComposer parses all templates of a file system that holds mail/. From is
// the sender, as an address or "Name <address>".
func NewComposer(files fs.FS, from string) (*Composer, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("the sender of mails: %w", err)
	}
	html, err := htmltemplate.New("").Option("missingkey=error").ParseFS(files, "mail/*.html")
	if err != nil {
		return nil, err
	}
	text, err := texttemplate.New("").Option("missingkey=error").ParseFS(files, "mail/*.txt")
	if err != nil {
		return nil, err
	}
	return &Composer{from: sender, html: html, text: text}, nil
}

// Message is a mail ready to be sent.
type Message struct {
	From string // bare address, for the envelope
	To   string
	MIME []byte
}

// Compose renders a mail with an HTML and a plain-text alternative.
func (c *Composer) Compose(m app.Mail) (Message, error) {
	if !app.ValidEmail(m.To) {
		return Message{}, fmt.Errorf("%q is not one plain address", m.To)
	}
	var html, text bytes.Buffer
	if err := c.html.ExecuteTemplate(&html, string(m.Template)+".html", m.Data); err != nil {
		return Message{}, err
	}
	if err := c.text.ExecuteTemplate(&text, string(m.Template)+".txt", m.Data); err != nil {
		return Message{}, err
	}
	subject, body, found := strings.Cut(text.String(), "\n\n")
	subject, named := strings.CutPrefix(subject, "Subject: ")
	if !found || !named {
		return Message{}, fmt.Errorf("the template %s.txt does not begin with a subject", m.Template)
	}
	out := email.NewEmail()
	out.From = c.from.String()
	out.To = []string{m.To}
	out.Subject = oneLine(subject, maxSubject)
	out.HTML, out.Text = html.Bytes(), []byte(body)
	_, domain, _ := strings.Cut(c.from.Address, "@")
	out.Headers = textproto.MIMEHeader{
		"Message-Id": {"<" + m.MessageID + "@" + domain + ">"},
		"Date":       {m.CreatedAt.UTC().Format(time.RFC1123Z)},
		// So that no holiday notice comes back (RFC 3834 section 5).
		"Auto-Submitted": {"auto-generated"},
	}
	mime, err := out.Bytes()
	return Message{From: c.from.Address, To: m.To, MIME: mime}, err
}

// oneLine makes text fit for a header or a log: control characters and line
// separators become spaces, and it is cut at a number of characters.
func oneLine(s string, most int) string {
	clean := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
	if len(clean) > most {
		clean = append(clean[:most-1], '…')
	}
	return strings.TrimSpace(string(clean))
}
