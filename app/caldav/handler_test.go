package caldav

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"taskapi/app"
	"taskapi/app/todo"
)

// shelf is a double with one list of one object.
type shelf struct {
	text string
	put  []byte
	err  error
}

func (s *shelf) collection() todo.Collection {
	return todo.Collection{List: todo.List{Name: "A <list> & more", OwnerID: 1, Role: todo.RoleOwner}, UID: "list", Token: "urn:x:1"}
}

func (s *shelf) Collections(context.Context, app.Caller) ([]todo.Collection, error) {
	return []todo.Collection{s.collection()}, s.err
}

func (s *shelf) Collection(context.Context, app.Caller, string) (todo.Collection, error) {
	return s.collection(), s.err
}

func (s *shelf) Objects(_ context.Context, _ app.Caller, _ string, query todo.CalendarQuery, each func(todo.CalendarObject) error) error {
	if s.err != nil || query.Names != nil && !slices.Contains(query.Names, "a b.ics") {
		return s.err
	}
	return each(todo.CalendarObject{Name: "a b.ics", ETag: `"1"`, Text: []byte(s.text)})
}

func (s *shelf) Put(_ context.Context, _ app.Caller, _, _ string, text []byte, _ todo.CalendarCondition) (string, bool, error) {
	s.put = text
	return `"2"`, false, s.err
}

func (s *shelf) Changes(_ context.Context, _ app.Caller, _, token string, _ int) (todo.CalendarChanges, error) {
	if token == "urn:x:1" {
		return todo.CalendarChanges{Changed: []todo.CalendarObject{{Name: "last.ics", ETag: `"1"`}}, Next: "urn:x:2"}, s.err
	}
	return todo.CalendarChanges{Changed: []todo.CalendarObject{{Name: "a b.ics", ETag: `"1"`}}, Gone: []string{"gone & lost.ics"}, Next: "urn:x:1", More: true}, s.err
}

func (s *shelf) Delete(context.Context, app.Caller, string, string, string) error { return s.err }
func (s *shelf) Make(context.Context, app.Caller, string, *string, *string, *int64) error {
	return s.err
}
func (s *shelf) Change(context.Context, app.Caller, string, *string, *string, *int64) error {
	return s.err
}
func (s *shelf) Remove(context.Context, app.Caller, string) error { return s.err }

// ask sends a request to a handler over the shelf.
func (s *shelf) ask(method, path, body string) (*httptest.ResponseRecorder, error) {
	h := &Handler{Calendars: s, Prefix: "/dav", Name: func(context.Context, app.Caller) (string, error) { return "ann", nil }}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Depth", "1")
	return w, h.ServeDAV(w, r, app.Caller{UserID: 1, SessionID: "s"})
}

// wellFormed reports whether an answer is XML.
func wellFormed(text string) error {
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// Whatever stands in a text, the answer is XML, and what XML can hold comes through.
func TestTextsThatXMLCannotHold(t *testing.T) {
	for text, want := range map[string]string{
		"A:1\r\n":            "A:1\r\n",
		"<&>\"']]>\t\n":      "<&>\"']]>\t\n",
		"a\x00b\x0bc\x1fd":   "a\uFFFDb\uFFFDc\uFFFDd",
		"\xff\xfe!":          "\uFFFD\uFFFD!",
		"\uFFFE\uFFFF\uFFFD": "\uFFFD\uFFFD\uFFFD",
		"Größe 🙂":            "Größe 🙂",
	} {
		s := &shelf{text: text}
		w, err := s.ask("PROPFIND", "/dav/lists/list/", `<propfind xmlns="DAV:"><prop><calendar-data xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct {
			Data []string `xml:"response>propstat>prop>calendar-data"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &answer); err != nil || !slices.Contains(answer.Data, want) {
			t.Errorf("%q: %q, %v", text, answer.Data, err)
		}
	}
}

func TestTruncatedSyncSaysSo(t *testing.T) {
	w, err := (&shelf{}).ask("REPORT", "/dav/lists/list/", `<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><limit><nresults>1</nresults></limit><prop><getetag/></prop></sync-collection>`)
	if err != nil || wellFormed(w.Body.String()) != nil {
		t.Fatal(err, w.Body)
	}
	for _, part := range []string{
		"<d:href>/dav/lists/list/a%20b.ics</d:href>", "<d:href>/dav/lists/list/gone%20&amp;%20lost.ics</d:href><d:status>HTTP/1.1 404",
		"<d:href>/dav/lists/list/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status><d:error><d:number-of-matches-within-limits/>", "<d:sync-token>urn:x:1<",
	} {
		if !strings.Contains(w.Body.String(), part) {
			t.Errorf("no %s in %s", part, w.Body)
		}
	}
}

// Without a limit of its own, a client gets everything, whatever the size of the store's pages.
func TestSyncWithoutALimitIsWhole(t *testing.T) {
	w, err := (&shelf{}).ask("REPORT", "/dav/lists/list/", `<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`)
	if text := w.Body.String(); err != nil || strings.Contains(text, " 507 ") || !strings.Contains(text, "a%20b.ics") || !strings.Contains(text, "last.ics") || !strings.Contains(text, "<d:sync-token>urn:x:2<") {
		t.Errorf("%v, %s", err, text)
	}
}

// Errors that mean nothing in WebDAV are left to those that answer for the whole server.
func TestErrorsOfTheServerAreHandedOn(t *testing.T) {
	for _, fault := range []error{io.ErrUnexpectedEOF, app.ErrBusy, app.ErrDiskFull, app.TooMany(1)} {
		for _, method := range []string{"GET", "PUT", "DELETE", "PROPFIND"} {
			w, err := (&shelf{err: fault}).ask(method, "/dav/lists/list/a.ics", "")
			if !errors.Is(err, fault) || w.Body.Len() > 0 {
				t.Errorf("%s with %v: %v, %s", method, fault, err, w.Body)
			}
		}
	}
	if w, err := (&shelf{err: todo.ErrReadOnlyList}).ask("PUT", "/dav/lists/list/a.ics", ""); err != nil || w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "<d:need-privileges><d:resource><d:href>/dav/lists/list/a.ics") {
		t.Errorf("%v, %d %s", err, w.Code, w.Body)
	}
}

// FuzzRequest sends bodies that nobody wrote: each is answered, in XML.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		`<propfind xmlns="DAV:"><prop><getetag/><x:y xmlns:x="&lt;&quot;"/></prop></propfind>`, `<propfind xmlns="DAV:"><propname/></propfind>`,
		`<propertyupdate xmlns="DAV:"><set><prop><calendar-order xmlns="http://apple.com/ns/ical/">1</calendar-order></prop></set></propertyupdate>`,
		`<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>A</displayname></prop></set></C:mkcalendar>`,
		`<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:prop-filter name="X"><C:param-filter name="P"><C:text-match>a</C:text-match></C:param-filter></C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
		`<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop/><href>/dav/lists/list/a%20b.ics</href><href>%</href></C:calendar-multiget>`,
		`<sync-collection xmlns="DAV:"><sync-token>x</sync-token><limit><nresults>-1</nresults></limit></sync-collection>`,
	} {
		f.Add(seed, "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nX;P=\"a;b\":1\r\nEND:VTODO\r\nEND:VCALENDAR\r\n")
	}
	f.Fuzz(func(t *testing.T, body, text string) {
		for _, method := range []string{"PROPFIND", "PROPPATCH", "MKCALENDAR", "REPORT"} {
			w, err := (&shelf{text: text}).ask(method, "/dav/lists/list/", body)
			if err != nil || wellFormed(w.Body.String()) != nil {
				t.Errorf("%s: %d %v, %s", method, w.Code, err, w.Body)
			}
		}
	})
}
