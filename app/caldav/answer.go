package caldav

import (
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	mimeXML      = "application/xml; charset=utf-8"
	mimeCalendar = "text/calendar; charset=utf-8; component=vtodo"

	xmlBegin = `<?xml version="1.0" encoding="utf-8"?>` + "\n"
	spaces   = ` xmlns:d="DAV:" xmlns:c="` + nsCalDAV + `" xmlns:cs="` + nsServer + `" xmlns:ic="` + nsApple + `"`
)

// multistatus writes a 207 piece by piece, so that a large one takes no memory.
type multistatus struct {
	out  http.ResponseWriter
	text strings.Builder
}

// begin writes the beginning of a 207.
func begin(w http.ResponseWriter) *multistatus {
	w.Header().Set("Content-Type", mimeXML)
	w.WriteHeader(http.StatusMultiStatus)
	m := &multistatus{out: w}
	m.text.WriteString(xmlBegin + "<d:multistatus" + spaces + ">")
	return m
}

// status writes the answer for a resource that has no properties to give, such as one that is gone.
func (m *multistatus) status(href string, status int, inside string) error {
	m.text.WriteString("<d:response>" + hrefElement(href) + "<d:status>" + statusLine(status) + "</d:status>" + inside + "</d:response>")
	return m.flush()
}

// found writes the answer for a resource: the properties that it has and, unless the client wants
// only those, the names of those that it has not.
func (m *multistatus) found(href string, has string, lacks []xml.Name, refused int) error {
	m.text.WriteString("<d:response>")
	m.text.WriteString(hrefElement(href))
	if has != "" || len(lacks) == 0 {
		m.text.WriteString("<d:propstat><d:prop>" + has + "</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
	}
	if len(lacks) > 0 {
		m.text.WriteString("<d:propstat><d:prop>")
		for _, name := range lacks {
			element(&m.text, name, "")
		}
		m.text.WriteString("</d:prop><d:status>" + statusLine(refused) + "</d:status></d:propstat>")
	}
	m.text.WriteString("</d:response>\n")
	return m.flush()
}

// flush hands on what has been written.
func (m *multistatus) flush() error {
	_, err := io.WriteString(m.out, m.text.String())
	m.text.Reset()
	return err
}

// end writes the end, with what stands behind the answers.
func (m *multistatus) end(inside string) error {
	m.text.WriteString(inside + "</d:multistatus>\n")
	return m.flush()
}

func statusLine(status int) string {
	return "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status)
}

// problem is a refusal: a status and, where there is one, the precondition that did not hold.
type problem struct {
	status       int
	precondition xml.Name
	inside       string // of the precondition, as XML
	message      string
}

// answerProblem sends a refusal.
func answerProblem(w http.ResponseWriter, p problem) error {
	var out strings.Builder
	out.WriteString(xmlBegin + "<d:error" + spaces + ">")
	if p.precondition.Local != "" {
		element(&out, p.precondition, p.inside)
	}
	if p.message != "" {
		out.WriteString("<d:responsedescription>" + escaped(p.message) + "</d:responsedescription>")
	}
	out.WriteString("</d:error>\n")
	w.Header().Set("Content-Type", mimeXML)
	w.WriteHeader(p.status)
	_, err := io.WriteString(w, out.String())
	return err
}
