package mailer_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"taskapi/app/mailer"
	"taskapi/app/mailer/mailertest"
	"taskapi/app/outbox"
	"taskapi/web"
)

// expectHeaders checks that a message has the headers we write, once each, and
// no others.
func expectHeaders(t *testing.T, header mail.Header) {
	t.Helper()
	want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	if got := slices.Sorted(maps.Keys(header)); !slices.Equal(got, want) {
		t.Errorf("headers: %v, want %v", got, want)
	}
	for name, values := range header {
		if len(values) != 1 {
			t.Errorf("%s: %q", name, values)
		}
	}
}

// hostileNames are what a stranger may register as. The use case refuses some;
// the mailer relies on none of that.
func hostileNames() []string {
	return []string{
		"Ann\r\nBcc: eve@example.com", "Ann\n\nBody", "Ann\r\n X-Evil: folded", "Ann\u2028X-Evil: 1", "Ann\x00\x1b[2J",
		"=?utf-8?q?=0D=0ABcc:_eve?=", "Ann\r\n.\r\nMAIL FROM:<eve@example.com>", "--boundary--", "{{.Username}}{{template \"test.txt\"}}",
		strings.Repeat("ä", 5000), "\u202eעברית\u202c", "👩‍👩‍👧‍👦 " + strings.Repeat("🏳️‍🌈", 12), "\xff\xfe",
	}
}

func hostileAddresses() []string {
	return []string{
		"", "a", "a@", "@b.c", "a@b.c\r\nBcc: eve@example.com", "a@b.c>\r\nRCPT TO:<eve@example.com", "a@b.c\nx", "a@b.c\x00",
		"a@b.c, eve@example.com", "Eve <eve@example.com>", "<a@b.c>", "a\u2028@b.c", "a@b\u2029.c", "a\u0085@b.c", "a\u202eb@c.d", "a\u00a0b@c.d",
		"\"a b\"@c.d", "a@b.c (comment)", "a@b.c BODY=8BITMIME", "\xff@b.c",
	}
}

func TestNobodyWritesHeadersOfTheirOwn(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	for _, name := range hostileNames() {
		if err := sender(server, mailer.None).Send(context.Background(), compose(t, welcome(name, "ann@example.com")), nil); err != nil {
			t.Fatal(err)
		}
		got := server.Wait(t)
		expectHeaders(t, got.Header)
		if got.To != "ann@example.com" || got.From != "tasks@example.com" || got.Header.Get("To") != "<ann@example.com>" {
			t.Errorf("%q changed the envelope: %s, %s", name, got.From, got.To)
		}
		// Line ends and broken UTF-8 may be mended on the way; all else arrives.
		if utf8.ValidString(name) && !strings.ContainsAny(name, "\r\n\x00") && !strings.Contains(got.Text, "Welcome, "+name+"!") {
			t.Errorf("%q did not arrive: %q", name, got.Text)
		}
	}
	if server.Count() != 0 {
		t.Error("more mails arrived than were sent")
	}
}

func TestMarkupInANameIsShownAsText(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	name := `<img src=x onerror=alert(1)>"'&</h1><script>`
	if err := sender(server, mailer.None).Send(context.Background(), compose(t, welcome(name, "ann@example.com")), nil); err != nil {
		t.Fatal(err)
	}
	got := server.Wait(t)
	if strings.Contains(got.HTML, "<img") || strings.Contains(got.HTML, "<script") || !strings.Contains(got.HTML, "&lt;img src=x onerror=alert(1)&gt;") {
		t.Errorf("HTML: %s", got.HTML)
	}
	if !strings.Contains(got.Text, name) {
		t.Errorf("text: %s", got.Text)
	}
}

func TestOddAddressesAreRefusedBeforeAnythingIsDialled(t *testing.T) {
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None})
	good := compose(t, welcome("Ann", "ann@example.com"))
	for _, address := range hostileAddresses() {
		if _, err := composer(t).Compose(welcome("Ann", address)); err == nil {
			t.Errorf("%q was taken for a recipient", address)
		}
		for _, m := range []mailer.Message{{From: good.From, To: address, MIME: good.MIME}, {From: address, To: good.To, MIME: good.MIME}} {
			var passed []mailer.Step
			err := sender(server, mailer.None).Send(context.Background(), m, func(step mailer.Step) { passed = append(passed, step) })
			var failure *mailer.SendError
			if !errors.As(err, &failure) || failure.Step != mailer.StepAddress || !failure.Permanent || len(passed) != 0 {
				t.Errorf("%q: %v after %v", address, err, passed)
			}
		}
	}
}

func TestThePasswordNeverCrossesAnOpenLinkToAnotherMachine(t *testing.T) {
	// The name leads to this machine, but neither we nor net/smtp know that.
	server := mailertest.Start(t, mailertest.Options{TLS: mailer.None, Username: "ann", Password: "secret", LoginOnly: true})
	s := sender(server, mailer.None)
	s.Server, s.Username, s.Password = "0.0.0.0", "ann", "secret"
	expectStep(t, s, mailer.StepAuth)
}

func TestMissingTemplatesAndDataAreErrors(t *testing.T) {
	c := composer(t)
	unknown, empty := welcome("Ann", "ann@example.com"), welcome("Ann", "ann@example.com")
	unknown.Template, empty.Data = "no-such", nil
	for _, m := range []outbox.Mail{unknown, empty} {
		if _, err := c.Compose(m); err == nil {
			t.Errorf("%+v was composed", m)
		}
	}
	names, err := fs.Glob(web.Files(), "mail/*")
	if err != nil || len(names) < 16 {
		t.Fatal(names, err)
	}
	for _, missing := range names {
		files := fstest.MapFS{}
		for _, name := range names {
			text, err := fs.ReadFile(web.Files(), name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = &fstest.MapFile{Data: text}
		}
		delete(files, missing)
		if _, err := mailer.NewComposer(files, "tasks@example.com", "Our Service", nil); err == nil {
			t.Errorf("%s is not missed", missing)
		}
	}
}

func TestSendersThatAreNoAddress(t *testing.T) {
	for _, from := range []string{
		"", "no address", "a@", "a@b.c, eve@example.com", "Ann <a@b.c>\r\nBcc: <eve@example.com>", "a@b.c\r\nX: 1", "a\u2028@b.c",
		"\"a b\"@c.d", "tasks@exämple.com",
	} {
		if _, err := mailer.NewComposer(web.Files(), from, "Our Service", nil); err == nil {
			t.Errorf("%q was taken for a sender", from)
		}
	}
	for _, from := range []string{"a@b.c", "Ann <a@b.c>", "\"Ann, the Great\" <a@b.c>", "Ånn <a@b.c>"} {
		if _, err := mailer.NewComposer(web.Files(), from, "Our Service", nil); err != nil {
			t.Errorf("%q: %v", from, err)
		}
	}
}

func FuzzCompose(f *testing.F) {
	for _, name := range hostileNames() {
		f.Add(name, "ann@example.com")
	}
	for _, address := range hostileAddresses() {
		f.Add("Ann", address)
	}
	f.Fuzz(func(t *testing.T, name, to string) {
		composed, err := composer(t).Compose(welcome(name, to))
		if err != nil {
			return
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(composed.MIME))
		if err != nil {
			t.Fatalf("%q to %q can't be read back: %v", name, to, err)
		}
		expectHeaders(t, parsed.Header)
		for line := range bytes.SplitSeq(composed.MIME, []byte("\r\n")) {
			if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
				t.Fatalf("%q to %q makes the line %q (RFC 5322 section 2.1.1)", name, to, line)
			}
		}
	})
}
