package mailer_test

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"taskapi/app/mailer"
	"taskapi/app/outbox"
	"taskapi/web"
)

// composedReminder is a mail with reminders, decoded.
func composedReminder(t *testing.T, items []outbox.Item, more, last string) (subject, text string) {
	t.Helper()
	data, err := outbox.ItemsText(items)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mailer.NewComposer(web.Files(), "tasks@example.com", "Our Tasks", func(m outbox.Mail) map[string]string {
		m.Data["Link"] = "https://tasks.example.com/"
		return m.Data
	})
	if err != nil {
		t.Fatal(err)
	}
	m := outbox.Mail{
		Template: outbox.MailReminder, To: "ann@example.com", MessageID: "abc", CreatedAt: time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC),
		Data: map[string]string{"Items": data, "More": more, "Last": last},
	}
	composed, err := c.Compose(m)
	if err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(strings.NewReader(string(composed.MIME)))
	if err != nil {
		t.Fatal(err)
	}
	// The HTML half links to the page and nowhere else.
	links := strings.Split(strings.ReplaceAll(string(composed.MIME), "=\r\n", ""), `href=3D"`)[1:]
	if len(links) < len(items) {
		t.Errorf("%d links", len(links))
	}
	for _, link := range links {
		if !strings.HasPrefix(link, "https://tasks.example.com/") {
			t.Errorf("a link to %.60s", link)
		}
	}
	text, err = c.Text(m)
	if err != nil {
		t.Fatal(err)
	}
	return read.Header.Get("Subject"), text
}

func TestMailsWithReminders(t *testing.T) {
	subject, text := composedReminder(t, []outbox.Item{{ID: 5, Title: "Call the bank", Due: "Monday, 1 March 2027, 09:00"}}, "", "")
	if subject != "Reminder: Call the bank" || !strings.Contains(text, "- Call the bank\n  due Monday, 1 March 2027, 09:00\n  https://tasks.example.com/#task-5\n") || strings.Contains(text, "more") || strings.Contains(text, "100") {
		t.Errorf("%s\n%s", subject, text)
	}
	subject, text = composedReminder(t, []outbox.Item{{ID: 5, Title: "one"}, {ID: 6, Title: "two"}}, "7", "yes")
	if subject != "Reminders of your tasks" || !strings.Contains(text, "- one\n  https://tasks.example.com/#task-5\n\n- two\n") || !strings.Contains(text, "- and 7 more: https://tasks.example.com/\n") || !strings.Contains(text, "more than 100 mails") {
		t.Errorf("%s\n%s", subject, text)
	}
	subject, text = composedReminder(t, []outbox.Item{{ID: 5, Title: "<a href=https://evil.example>x</a>\r\nBcc: eve@evil.example"}}, "", "")
	if strings.ContainsAny(subject, "\r\n") || strings.Contains(text, "evil.example") || strings.Contains(text, "https://evil") {
		t.Errorf("%q\n%s", subject, text)
	}
}
