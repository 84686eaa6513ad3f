// Package mailer sends the mails of the outbox. It is the only importer of
// SMTP and of the email package, which builds MIME messages here and nothing
// else: its senders have no time limits and fall back to clear text in
// silence.
package mailer

import (
	"fmt"
	"io/fs"
	"maps"
	"net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jordan-wright/email"

	"taskapi/app"
	"taskapi/app/outbox"
)

// TemplateTest is the mail of `taskapi mail test`. No data.
const TemplateTest outbox.MailTemplate = "test"

// maxSubject keeps a subject within one line (RFC 5322 section 2.1.1), since
// the builder does not fold it.
const maxSubject = 200

// Composer makes messages from the templates in web/mail: NAME.html, and
// NAME.txt, whose first line is the subject.
type Composer struct {
	from *mail.Address
	name string
	fill func(outbox.Mail) map[string]string
	html templates
	text templates
}

// NewComposer parses all templates of a file system that holds mail/. From is
// the sender, as an address or "Name <address>"; name is what the mails call the
// service. Fill makes what the templates get out of a mail's data; nil is the data
// as it is, without a Link. A template of which one half is missing is an error
// here, not on the day of the first registration.
func NewComposer(files fs.FS, from, name string, fill func(outbox.Mail) map[string]string) (*Composer, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, fmt.Errorf("the sender of mails: %w", err)
	}
	if !plainAddress(sender.Address) || !isASCII(sender.Address) {
		return nil, fmt.Errorf("the sender of mails: %q is not one plain ASCII address (a domain with other letters has an xn-- form)", sender.Address)
	}
	html, err := parseTemplates(files, "mail/*.html", true)
	if err != nil {
		return nil, err
	}
	text, err := parseTemplates(files, "mail/*.txt", false)
	if err != nil {
		return nil, err
	}
	for _, name := range []outbox.MailTemplate{
		outbox.MailWelcome, outbox.MailVerify, outbox.MailReset, outbox.MailPassword, outbox.MailPasswordReset, outbox.MailEmailPending, outbox.MailEmail, outbox.MailReplay, outbox.MailAPIToken, outbox.MailInvitation, outbox.MailListOwner, outbox.MailReminder, outbox.MailWebhookOff, TemplateTest,
	} {
		if html[string(name)+".html"] == nil || text[string(name)+".txt"] == nil {
			return nil, fmt.Errorf("the mail template %s lacks its .html or its .txt", name)
		}
	}
	if fill == nil {
		fill = func(m outbox.Mail) map[string]string {
			data := map[string]string{"Link": ""}
			maps.Copy(data, m.Data)
			return data
		}
	}
	return &Composer{from: sender, name: name, fill: fill, html: html, text: text}, nil
}

// Message is a mail ready to be sent.
type Message struct {
	From string // bare address, for the envelope
	To   string
	MIME []byte
	// Template, Subject and Text are what is in it, for who shows it instead of sending it.
	Template, Subject, Text string
}

// Compose renders a mail with an HTML and a plain-text alternative.
func (c *Composer) Compose(m outbox.Mail) (Message, error) {
	if !plainAddress(m.To) {
		return Message{}, fmt.Errorf("%q is not one plain address", m.To)
	}
	data, err := c.data(m)
	if err != nil {
		return Message{}, err
	}
	html, err := c.html.execute(string(m.Template)+".html", data)
	if err != nil {
		return Message{}, err
	}
	text, err := c.Text(m)
	if err != nil {
		return Message{}, err
	}
	subject, body, found := strings.Cut(text, "\n\n")
	subject, named := strings.CutPrefix(subject, "Subject: ")
	if !found || !named {
		return Message{}, fmt.Errorf("the template %s.txt does not begin with a subject", m.Template)
	}
	out := email.NewEmail()
	out.From = c.from.String()
	to := app.MailAddress(m.To)
	out.To = []string{to}
	out.Subject = oneLine(subject, maxSubject)
	out.HTML, out.Text = []byte(html), []byte(body)
	out.Headers = textproto.MIMEHeader{
		"Message-Id": {"<" + m.MessageID + "@" + domainOf(c.from.Address) + ">"},
		"Date":       {m.CreatedAt.UTC().Format(time.RFC1123Z)},
		// So that no holiday notice comes back (RFC 3834 section 5).
		"Auto-Submitted": {"auto-generated"},
	}
	mime, err := out.Bytes()
	return Message{From: c.from.Address, To: to, MIME: mime, Template: string(m.Template), Subject: out.Subject, Text: body}, err
}

// data is what a template gets: what fill makes of the mail, and Service. Of a mail with Items
// it gets those as a list, and Only, which is the title if there is one task and no More.
func (c *Composer) data(m outbox.Mail) (fields, error) {
	filled, data := c.fill(m), fields{}
	for name, text := range filled {
		data[name] = text
	}
	data["Service"] = c.name
	text, ok := filled["Items"]
	if !ok {
		return data, nil
	}
	items, err := outbox.ItemsOf(text)
	if err != nil {
		return nil, err
	}
	var list []fields
	for _, item := range items {
		list = append(list, fields{"ID": strconv.FormatInt(item.ID, 10), "Title": item.Title, "Due": item.Due})
	}
	data["Items"], data["Only"] = list, ""
	if len(items) == 1 && filled["More"] == "" {
		data["Only"] = items[0].Title
	}
	return data, nil
}

// Text renders a mail as plain text: its subject, an empty line and the text.
func (c *Composer) Text(m outbox.Mail) (string, error) {
	data, err := c.data(m)
	if err != nil {
		return "", err
	}
	text, err := c.text.execute(string(m.Template)+".txt", data)
	// A checkout on Windows may have turned the line ends of the templates.
	return strings.ReplaceAll(text, "\r\n", "\n"), err
}

// plainAddress reports whether a text is one plain address and holds nothing
// that could end a line anywhere, or show as something else than it is: the
// line separators of Unicode and invisible characters count as letters to
// net/mail.
func plainAddress(address string) bool {
	return app.ValidEmail(address) && utf8.ValidString(address) &&
		!strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsPrint(r) })
}

// domainOf is what follows the last @ of an address.
func domainOf(address string) string { return address[strings.LastIndex(address, "@")+1:] }

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
