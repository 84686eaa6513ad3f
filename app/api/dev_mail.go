package api

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"taskapi/app/dev"
)

type mailView struct {
	ID       int64    `json:"id"`
	To       string   `json:"to"`
	Subject  string   `json:"subject"`
	Template string   `json:"template"`
	Text     string   `json:"text"`
	Links    []string `json:"links"`
	DateSent string   `json:"date_sent"`
}

var linkForm = regexp.MustCompile(`https?://[^\s<>"']+[^\s<>"'.,;:!?)]`)

// listDevMails shows the mails that would have been sent: to a browser as a page.
func (s *Server) listDevMails(c *fiber.Ctx) error {
	c.Append(fiber.HeaderVary, fiber.HeaderAccept)
	mails := s.Dev.Mails.List(c.Query("to"))
	if strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
		c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
		c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		return c.SendString(mailPage(mails))
	}
	return send(c, fiber.StatusOK, struct {
		Mails []mailView `json:"mails"`
	}{views(mails, func(m dev.Mail) mailView {
		links := linkForm.FindAllString(m.Text, -1)
		if links == nil {
			links = []string{}
		}
		return mailView{m.ID, m.To, m.Subject, m.Template, m.Text, links, timestamp(m.Sent)}
	})})
}

// mailPage shows mails as text, in which links can be followed.
func mailPage(mails []dev.Mail) string {
	var page strings.Builder
	page.WriteString(`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5"><title>Mail</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}article{border-top:1px solid #8886;padding:1rem 0}h2{font-size:1.1rem;margin:0}pre{white-space:pre-wrap;font:inherit;overflow-wrap:anywhere}p{margin:0;opacity:.7}</style></head><body><h1>Mail</h1>
`)
	if len(mails) == 0 {
		page.WriteString("<p>Nothing yet. What the server would send appears here.</p>\n")
	}
	for _, m := range mails {
		fmt.Fprintf(&page, "<article><h2>%s</h2><p>to %s, %s</p><pre>%s</pre></article>\n",
			html.EscapeString(m.Subject), html.EscapeString(m.To), m.Sent.UTC().Format(time.DateTime), withLinks(m.Text))
	}
	page.WriteString("</body></html>\n")
	return page.String()
}

// withLinks is a text as HTML in which links can be followed.
func withLinks(text string) string {
	var out strings.Builder
	last := 0
	for _, at := range linkForm.FindAllStringIndex(text, -1) {
		link := html.EscapeString(text[at[0]:at[1]])
		out.WriteString(html.EscapeString(text[last:at[0]]))
		out.WriteString(`<a href="` + link + `">` + link + `</a>`)
		last = at[1]
	}
	return out.String() + html.EscapeString(text[last:])
}

func (s *Server) clearDevMails(c *fiber.Ctx) error {
	s.Dev.Mails.Restore(nil)
	return c.SendStatus(fiber.StatusNoContent)
}
