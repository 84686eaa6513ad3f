package mailer

import (
	"io/fs"
	"maps"
	"net/mail"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	htmltemplate "html/template"
	texttemplate "text/template"

	"golang.org/x/net/html"

	"taskapi/app/outbox"
	"taskapi/web"
)

// names are all texts that some mail has. Link is one more.
func names() []string {
	return []string{"Username", "When", "Address", "Email", "Name", "List", "Webhook", "Since", "Gone", "More", "Last", "Only", "Service"}
}

// filled is data for any mail, with one text for all names, and two tasks of it.
func filled(text, link string) fields {
	data := fields{"Link": link, "Items": []fields{{"ID": "5", "Title": text, "Due": text}, {"ID": text, "Title": text, "Due": ""}}}
	for _, name := range names() {
		data[name] = text
	}
	return data
}

// hostileTexts are what might become markup, end an attribute or a line, or be a template.
func hostileTexts() []string {
	return []string{
		"", "Ann", "ann+tasks@example.com", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, `' onclick='alert(1)`, "</title></style></p></a><form action=//evil.example>",
		"javascript:alert(1)", "&lt;b&gt; &amp; &#60;", "<!-- --> ]]> <![CDATA[", "+ADw-script+AD4-", "a\r\nb\x00\x1b[2J\x7f\u2028\u202e", "\xff\xfe\xc0\xbc", "{{.Link}}{{end}}", "%3Cb%3E %s %", "`={}/\\",
		"ä 👩‍👩‍👧‍👦 \ufdd0\uffff",
	}
}

func allTemplates(t testing.TB) (inHTML, inText templates) {
	t.Helper()
	inHTML, err := parseTemplates(web.Files(), "mail/*.html", true)
	if err != nil {
		t.Fatal(err)
	}
	if inText, err = parseTemplates(web.Files(), "mail/*.txt", false); err != nil {
		t.Fatal(err)
	}
	if len(inHTML) < 15 || len(inText) < 14 {
		t.Fatalf("%d and %d templates", len(inHTML), len(inText))
	}
	return inHTML, inText
}

// judge compares what we make of the templates with what Go's packages make of the same,
// which know of every place in HTML what a value needs there.
type judge struct {
	html    templates
	text    templates
	oldHTML *htmltemplate.Template
	oldText *texttemplate.Template
}

func newJudge(t testing.TB) judge {
	t.Helper()
	inHTML, inText := allTemplates(t)
	oldHTML, err := htmltemplate.New("").Option("missingkey=error").ParseFS(web.Files(), "mail/*.html")
	if err != nil {
		t.Fatal(err)
	}
	oldText, err := texttemplate.New("").Option("missingkey=error").ParseFS(web.Files(), "mail/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	return judge{inHTML, inText, oldHTML, oldText}
}

func (j judge) compare(t *testing.T, data fields) {
	t.Helper()
	one := func(name, got string, err error, want string, wantErr error) {
		if (err == nil) != (wantErr == nil) || err == nil && got != want {
			t.Errorf("%s of %q:\n%q, %v\nwant\n%q, %v", name, data, got, err, want, wantErr)
		}
	}
	for name := range j.html {
		if strings.HasSuffix(name, ".html") {
			var want strings.Builder
			wantErr := j.oldHTML.ExecuteTemplate(&want, name, data)
			got, err := j.html.execute(name, data)
			one(name, got, err, want.String(), wantErr)
		}
	}
	for name := range j.text {
		var want strings.Builder
		wantErr := j.oldText.ExecuteTemplate(&want, name, data)
		got, err := j.text.execute(name, data)
		one(name, got, err, want.String(), wantErr)
	}
}

func TestMailsAreWhatGosTemplatesMakeOfThem(t *testing.T) {
	j := newJudge(t)
	for _, text := range hostileTexts() {
		for _, link := range []string{"", "https://tasks.example.com/verify-email#Ab-_1", "HTTP://[::1]:8000/x?a=b&c=d+e", "https://tasks.example.com/" + text} {
			j.compare(t, filled(text, link))
		}
		for _, name := range append(names(), "Link", "Items") {
			data := filled(text, "https://tasks.example.com/")
			delete(data, name)
			j.compare(t, data)
			data[name] = ""
			if name == "Items" {
				data[name] = []fields{}
			}
			j.compare(t, data)
		}
	}
}

func FuzzMailsAreWhatGosTemplatesMakeOfThem(f *testing.F) {
	for _, text := range hostileTexts() {
		f.Add(text)
	}
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, text string) {
		data := filled(text, "https://tasks.example.com/"+text)
		j.compare(t, data)
		expectPlainStructure(t, j.html, data)
	})
}

// structure is all markup of a document, without the text between it: elements with their
// attributes, and only the beginning of where links lead.
func structure(document string) string {
	var marks strings.Builder
	for z := html.NewTokenizer(strings.NewReader(document)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return marks.String()
		case html.TextToken:
			continue
		}
		token := z.Token()
		for i, attr := range token.Attr {
			if attr.Key == "href" {
				token.Attr[i].Val = attr.Val[:min(len(attr.Val), len("https://tasks.example.com/"))]
			}
		}
		marks.WriteString(token.String() + "\n")
	}
}

// expectPlainStructure checks that values make no markup: it is that of the same mail with
// harmless ones.
func expectPlainStructure(t *testing.T, all templates, data fields) {
	t.Helper()
	harmless := filled("x", "https://tasks.example.com/x")
	if data["Username"] == "" {
		harmless = filled("", "https://tasks.example.com/")
	}
	for name := range all {
		if path.Ext(name) != ".html" {
			continue
		}
		got, err := all.execute(name, data)
		if err != nil {
			t.Fatal(name, err)
		}
		want, err := all.execute(name, harmless)
		if err != nil {
			t.Fatal(name, err)
		}
		if structure(got) != structure(want) {
			t.Errorf("%s of %q has the markup\n%s\nnot\n%s", name, data, structure(got), structure(want))
		}
	}
}

func TestNoValueBecomesMarkup(t *testing.T) {
	inHTML, _ := allTemplates(t)
	for _, text := range hostileTexts() {
		expectPlainStructure(t, inHTML, filled(text, "https://tasks.example.com/"+text))
	}
}

func TestLinksLeadToTheWebOnly(t *testing.T) {
	inHTML, _ := allTemplates(t)
	for _, link := range []string{
		"javascript:alert(1)", "JavaScript:alert(1)", "java\nscript:alert(1)", "\x01javascript:alert(1)", "data:text/html,<b>", "vbscript:x", "mailto:eve@example.com", "//evil.example", "/x", "x",
		" https://evil.example", "\thttps://evil.example", "https:evil", "https", "http:/x", "httpsx://evil", "javascript:alert(1)//https://evil", "#", "\xef\xbb\xbfhttps://evil.example",
	} {
		for _, name := range []string{"verify-email.html", "reset-password.html", "list-invitation.html", "welcome.html", "reminder.html"} {
			if made, err := inHTML.execute(name, filled("x", link)); err == nil {
				t.Errorf("%s leads to %q: %s", name, link, made)
			}
		}
	}
	made, err := inHTML.execute("verify-email.html", filled("x", "https://tasks.example.com/\"'<>`\\ \r\n\t\x00\x7fä\u2028%zz%2F"))
	want := `<a href="https://tasks.example.com/%22%27%3c%3e%60%5c%20%0d%0a%09%00%7f%c3%a4%e2%80%a8%25zz%2F" style=`
	if err != nil || !strings.Contains(made, want) {
		t.Errorf("%v: %s", err, made)
	}
}

// with returns the mail templates with one more, or another one.
func with(t *testing.T, name, text string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	found, err := fs.Glob(web.Files(), "mail/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range found {
		data, err := fs.ReadFile(web.Files(), each)
		if err != nil {
			t.Fatal(err)
		}
		files[each] = &fstest.MapFile{Data: data}
	}
	files["mail/"+name] = &fstest.MapFile{Data: []byte(text)}
	return files
}

func TestSpoiltTemplatesAreErrorsAtTheStart(t *testing.T) {
	spoilt := map[string][]string{
		"x.txt": {
			"{{", "{{.Name", "{{if .Name}}", "{{end}}", "{{else}}", "{{range .Items}}", "{{if}}{{end}}", `{{template "none"}}`, `{{template "x.txt" .}}`, "{{none}}", "{{.Name | none}}",
			"{{$x := .Name}}", "{{with .Name}}{{end}}", "{{range .Items}}{{else}}{{end}}", "{{range $i, $x := .Items}}{{end}}", "{{range .Items}}{{break}}{{end}}", "{{.Name.Length}}", "{{$}}", "{{$.Name.Length}}",
			"{{.Name .Name}}", "{{print .Name | print}}", "{{len .Name}}", "{{5}}", "{{true}}", "{{nil}}", "{{(.Name).Length}}", "{{print (print 5)}}", `{{define "a"}}{{template "b"}}{{end}}{{define "b"}}{{template "a"}}{{end}}`,
			`{{block "a" .}}{{.Name.Length}}{{end}}`, `{{define "welcome.txt"}}{{end}}`,
		},
		"x.html": {
			`<p style="{{.Name}}">`, `<p style="color:{{.Name}}">`, `<p class="{{.Name}}">`, `<a href={{.Name}}>`, `<a href='{{.Name}}'>`, `<a href = "{{.Name}}">`, `<a data-href="{{.Name}}">`, `<a title=" href="{{.Name}}">`,
			`<a title=' href="{{.Name}}'>`, `<a href="javascript:{{.Name}}">`, `<a href="https://{{.Name}}/">`, `<a href="{{.Link}}" title="{{.Name}}">`, `<p {{.Name}}>`, `<{{.Name}}>`, `</{{.Name}}>`, `<p {{.Name}}="x">`,
			`<a href="{{if .Name}}{{.Link}}{{end}}">x</a>`, `<p{{if .Name}} class="x"{{end}}>`, `<a href="{{template "x" .Link}}">`, `<p`, `<p title="x>`, `{{if .Name}}<p {{end}}`, `{{range .Items}}<p title="{{end}}`,
			`<style>{{.Name}}</style>`, `<style>p { color: {{.Name}} }</style>`, `<STYLE>{{.Name}}</STYLE>`, `<style>`, `<style>{{if .Name}}{{end}}</style>`, `<script>{{.Name}}</script>`, `<script>`, `<!-- {{.Name}} -->`, `<!-- x -->`,
			`<form action="x">`, `<img src="{{.Link}}">`, `<svg>`, `<p/onclick="x">`, "<script\n>", "<textarea>", "<>", "< p>", `{{define "top"}}{{end}}`,
		},
	}
	for name, texts := range spoilt {
		for _, text := range texts {
			if _, err := NewComposer(with(t, name, text), "tasks@example.com", "Our Service", nil); err == nil {
				t.Errorf("%s is taken: %s", name, text)
			}
		}
	}
	for name, text := range map[string]string{
		"x.txt":  `{{/* why */}}{{if .Name}}{{.Name}}{{else if .Items}}{{range .Items -}} {{$.Name}} {{end}}{{end}}<script {{print "a" .Name (print .Name)}}`,
		"x.html": "<A HREF='x' href=\"{{.Link}}#{{.Name}}/{{.Name}}\" title='>'>{{.Name}}</A><br title=\"<\"><style>p > a {}</style>",
	} {
		if _, err := NewComposer(with(t, name, text), "tasks@example.com", "Our Service", nil); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestErrorsSayWhereTheyAre: in which file, line and part.
func TestErrorsSayWhereTheyAre(t *testing.T) {
	_, err := NewComposer(with(t, "layout.html", `{{define "top"}}`+"\n"+`<p style="{{.}}">{{end}}`), "tasks@example.com", "Our Service", nil)
	if err == nil || !strings.Contains(err.Error(), "layout.html:2:") {
		t.Error(err)
	}
	inHTML, _ := allTemplates(t)
	data := filled("x", "https://tasks.example.com/")
	delete(data, "Service")
	if _, err := inHTML.execute("welcome.html", data); err == nil || !strings.Contains(err.Error(), "welcome.html") || !strings.Contains(err.Error(), "Service") {
		t.Error(err)
	}
}

// TestDataOfTheWrongKindIsAnError: a list is no text, and a text no list.
func TestDataOfTheWrongKindIsAnError(t *testing.T) {
	for _, text := range []string{"{{.Items}}", "{{range .Name}}{{end}}", "{{range .Items}}{{.}}{{end}}", "{{range .Items}}{{.Name}}{{end}}", "{{range .Items}}{{if .}}{{end}}{{end}}", "{{print .Items}}", "{{.None}}",
		"{{if .None}}{{end}}", `{{define "a"}}{{.}}{{end}}{{template "a"}}`, `{{define "a"}}{{.Name}}{{end}}{{template "a" .Name}}`, `{{define "a"}}{{$.Name}}{{end}}{{template "a" .Name}}`} {
		all, err := parseTemplates(with(t, "x.txt", text), "mail/*.txt", false)
		if err != nil {
			t.Fatal(text, err)
		}
		if made, err := all.execute("x.txt", filled("x", "")); err == nil {
			t.Errorf("%s makes %q", text, made)
		}
	}
}

// TestSubjectsOfReminders: the one task, or a word for many.
func TestSubjectsOfReminders(t *testing.T) {
	for more, want := range map[string]string{"": "Reminder: Call & ask +1", "3": "Reminders of your tasks"} {
		c, err := NewComposer(web.Files(), "tasks@example.com", "Our Service", nil)
		if err != nil {
			t.Fatal(err)
		}
		items, err := outbox.ItemsText([]outbox.Item{{ID: 1 << 60, Title: "Call & ask +1"}})
		if err != nil {
			t.Fatal(err)
		}
		data := map[string]string{"Items": items, "More": more, "Last": ""}
		before := maps.Clone(data)
		m := outbox.Mail{Template: outbox.MailReminder, To: "ann@example.com", Data: data}
		for range 2 { // a second attempt makes the same
			composed, err := c.Compose(m)
			if err != nil {
				t.Fatal(err)
			}
			read, err := mail.ReadMessage(strings.NewReader(string(composed.MIME)))
			if err != nil || read.Header.Get("Subject") != want || !strings.Contains(composed.Text, "#task-1152921504606846976\n") {
				t.Errorf("%v: %q\n%s", err, read.Header.Get("Subject"), composed.Text)
			}
		}
		if !maps.Equal(data, before) {
			t.Error("composing a mail changed its data")
		}
	}
}
