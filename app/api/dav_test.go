package api_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"taskapi/app"
	"taskapi/app/caldav"
	"taskapi/app/todo"
)

// withDAV lets calendar clients into a server of a test.
func withDAV(p *parts) {
	p.api.DAV = &caldav.Handler{
		Calendars: &todo.Calendars{Store: p.api.Sync.Store.(todo.CalendarStore), Lists: p.api.Lists, Now: p.api.Now, KeepTrash: true, Lineage: p.api.Lineage},
		Prefix:    p.api.Base + "/dav",
		Name:      func(context.Context, app.Caller) (string, error) { return "Ann & co", nil },
	}
}

// phone is a calendar client: where it is, and its password.
type phone struct {
	*server
	password string
}

func (s *server) phone(p person, scopes ...app.Scope) phone {
	if len(scopes) == 0 {
		scopes = []app.Scope{app.ScopeTasksRead, app.ScopeTasksWrite}
	}
	raw, _ := s.apiToken(p, scopes...)
	return phone{s, raw}
}

// reply is what a calendar client gets.
type reply struct {
	status int
	header http.Header
	text   string
	log    func() string
}

// dav sends a request as it stands, with no redirect followed; headers are in pairs.
func (p phone) dav(method, path, body string, header ...string) reply {
	p.t.Helper()
	request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	must(p.t, err)
	if p.password != "" {
		request.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("anybody:"+p.password)))
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	must(p.t, err)
	defer func() { must(p.t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	must(p.t, err)
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/xml") {
		checkXML(p.t, text)
	}
	return reply{response.StatusCode, response.Header, string(text), p.log.String}
}

// checkXML checks that an answer is one whole document, with every prefix bound.
func checkXML(t testing.TB, text []byte) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(text))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		if start, ok := token.(xml.StartElement); ok && len(start.Name.Space) < 4 && start.Name.Space != "" {
			t.Errorf("the prefix %q is not bound in %s", start.Name.Space, text)
		}
	}
}

// expect checks a status and that the text has what it must.
func (r reply) expect(t testing.TB, status int, parts ...string) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("%d, want %d: %s\n%s", r.status, status, r.text, r.log())
	}
	for _, part := range parts {
		if !strings.Contains(r.text, part) {
			t.Errorf("no %q in %s", part, r.text)
		}
	}
	return r
}

// find returns what a pattern's first group finds.
func (r reply) find(t testing.TB, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(r.text)
	if found == nil {
		t.Fatalf("no %s in %s", pattern, r.text)
	}
	return found[1]
}

// vtodo is an object as clients write it.
func vtodo(uid, title string, lines ...string) string {
	return strings.Join(append(append([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Apple Inc.//iOS 26.1//EN", "CALSCALE:GREGORIAN", "BEGIN:VTODO",
		"UID:" + uid, "DTSTAMP:20261101T080000Z", "SUMMARY:" + title,
	}, lines...), "END:VTODO", "END:VCALENDAR", ""), "\r\n")
}

const mkcalendar = `<?xml version="1.0" encoding="UTF-8"?>
<B:mkcalendar xmlns:B="urn:ietf:params:xml:ns:caldav"><A:set xmlns:A="DAV:"><A:prop>
<B:supported-calendar-component-set><B:comp name="VTODO"/></B:supported-calendar-component-set>
<D:calendar-color xmlns:D="http://apple.com/ns/ical/" symbolic-color="custom">#FF9500FF</D:calendar-color>
<D:calendar-order xmlns:D="http://apple.com/ns/ical/">3</D:calendar-order>
<A:displayname>Errands &amp; more</A:displayname>
<B:calendar-free-busy-set><NO/></B:calendar-free-busy-set><B:calendar-timezone>BEGIN:VCALENDAR&#13;
END:VCALENDAR&#13;
</B:calendar-timezone></A:prop></A:set></B:mkcalendar>`

const listUID = "6b1f4d8e-1f0a-4a57-9a35-0c9a8f7f2c11"

// calendar makes a list as a client does, and returns its path.
func (p phone) calendar() string {
	p.t.Helper()
	path := "/dav/lists/" + listUID + "/"
	p.dav("MKCALENDAR", path, mkcalendar).expect(p.t, http.StatusCreated)
	return path
}

// The first dialogue of Apple's clients, by the requests that they are documented to send: the
// well-known address without a final slash, a principal, the home, the collections, then the
// objects of each by ctag and etag.
func TestAppleRemindersFirstDialogue(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	stranger := phone{s, ""}
	ios := s.phone(ann)

	const who = `<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><A:current-user-principal/><A:principal-URL/><A:resourcetype/></A:prop></A:propfind>`
	if to := stranger.dav("PROPFIND", "/.well-known/caldav", who, "Depth", "0").expect(t, http.StatusMovedPermanently).header.Get("Location"); to != "/dav/" {
		t.Fatalf("Location: %s", to)
	}
	refused := stranger.dav("PROPFIND", "/dav/", who, "Depth", "0").expect(t, http.StatusUnauthorized, "API token")
	if challenge := refused.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, "Basic realm=") {
		t.Errorf("WWW-Authenticate: %s", challenge)
	}
	principal := ios.dav("PROPFIND", "/dav/", who, "Depth", "0", "Brief", "t").expect(t, http.StatusMultiStatus).
		find(t, `<d:current-user-principal><d:href>([^<]*)`)
	options := ios.dav("OPTIONS", principal, "").expect(t, http.StatusNoContent)
	if classes := options.header.Get("DAV"); !strings.Contains(classes, "calendar-access") || !strings.Contains(options.header.Get("Allow"), "REPORT") {
		t.Errorf("DAV: %s, Allow: %s", classes, options.header.Get("Allow"))
	}
	home := ios.dav("PROPFIND", principal, `<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop>
		<B:calendar-home-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><B:calendar-user-address-set xmlns:B="urn:ietf:params:xml:ns:caldav"/>
		<A:current-user-principal/><A:displayname/><C:dropbox-home-URL xmlns:C="http://calendarserver.org/ns/"/><C:email-address-set xmlns:C="http://calendarserver.org/ns/"/>
		<B:max-attendees-per-instance xmlns:B="urn:ietf:params:xml:ns:caldav"/><C:notification-URL xmlns:C="http://calendarserver.org/ns/"/><A:principal-collection-set/><A:principal-URL/>
		<A:resource-id/><B:schedule-inbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/><B:schedule-outbox-URL xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:supported-report-set/>
		</A:prop></A:propfind>`, "Depth", "0").
		expect(t, http.StatusMultiStatus, "Ann &amp; co", "<d:principal-collection-set><d:href>/dav/principals/</d:href>", "404 Not Found", "<cs:notification-URL/>").
		find(t, `<c:calendar-home-set><d:href>([^<]*)`)
	ios.dav("REPORT", "/dav/principals/", `<?xml version="1.0" encoding="UTF-8"?><A:principal-search-property-set xmlns:A="DAV:"/>`, "Depth", "0").expect(t, http.StatusOK)

	path := ios.calendar()
	lists := ios.dav("PROPFIND", home, `<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><A:add-member/>
		<C:allowed-sharing-modes xmlns:C="http://calendarserver.org/ns/"/><D:autoprovisioned xmlns:D="http://apple.com/ns/ical/"/><E:bulk-requests xmlns:E="http://me.com/_namespace/"/>
		<B:calendar-alarms xmlns:B="urn:ietf:params:xml:ns:caldav"/><D:calendar-color xmlns:D="http://apple.com/ns/ical/"/><B:calendar-description xmlns:B="urn:ietf:params:xml:ns:caldav"/>
		<D:calendar-order xmlns:D="http://apple.com/ns/ical/"/><A:current-user-privilege-set/><A:displayname/><C:getctag xmlns:C="http://calendarserver.org/ns/"/><A:owner/><A:quota-available-bytes/>
		<A:resourcetype/><B:supported-calendar-component-set xmlns:B="urn:ietf:params:xml:ns:caldav"/><A:supported-report-set/><A:sync-token/></A:prop></A:propfind>`,
		"Depth", "1", "Brief", "t", "Prefer", "return=minimal").
		expect(t, http.StatusMultiStatus, "<d:href>"+path+"</d:href>", "Errands &amp; more", "<ic:calendar-color>#FF9500</ic:calendar-color>", "<ic:calendar-order>3</ic:calendar-order>",
			`<c:comp name="VTODO"/>`, "<d:privilege><d:write-content/></d:privilege>", "<d:owner><d:href>"+principal+"</d:href>")
	if strings.Contains(lists.text, " 404 ") {
		t.Errorf("minimal, and yet %s", lists.text)
	}

	const uid = "4D2A7F4C-6C52-4D0F-9F0E-7B7C0B2E7A10"
	text := vtodo(uid, "Milk", "CREATED:20261101T075900Z", "LAST-MODIFIED:20261101T080000Z", "STATUS:NEEDS-ACTION", "PRIORITY:0",
		"DUE;TZID=Europe/Berlin:20261205T090000", "DTSTART;TZID=Europe/Berlin:20261205T090000", "X-APPLE-SORT-ORDER:785000000",
		"BEGIN:VALARM", "X-WR-ALARMUID:A1", "UID:A1", "TRIGGER:-PT15M", "DESCRIPTION:Event reminder", "ACTION:DISPLAY", "END:VALARM")
	put := ios.dav("PUT", path+uid+".ics", text, "Content-Type", "text/calendar", "If-None-Match", "*").expect(t, http.StatusCreated)
	ios.dav("PUT", path+uid+".ics", text, "Content-Type", "text/calendar", "If-None-Match", "*").expect(t, http.StatusPreconditionFailed)
	open := ios.dav("REPORT", path, `<?xml version="1.0" encoding="UTF-8"?><B:calendar-query xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><A:getcontenttype/></A:prop>
		<B:filter><B:comp-filter name="VCALENDAR"><B:comp-filter name="VTODO"><B:prop-filter name="COMPLETED"><B:is-not-defined/></B:prop-filter></B:comp-filter></B:comp-filter></B:filter></B:calendar-query>`,
		"Depth", "1").expect(t, http.StatusMultiStatus, uid+".ics", "component=vtodo")
	if tag := put.header.Get("ETag"); tag == "" || open.find(t, `<d:getetag>([^<]*)`) != strings.ReplaceAll(tag, `"`, "&quot;") {
		t.Errorf("ETag %s of PUT, and %s", tag, open.text)
	}
	ios.dav("REPORT", path, `<?xml version="1.0" encoding="UTF-8"?><B:calendar-multiget xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><B:calendar-data/></A:prop>
		<A:href xmlns:A="DAV:">`+path+uid+`.ics</A:href><A:href xmlns:A="DAV:">`+path+`gone.ics</A:href></B:calendar-multiget>`, "Depth", "1").
		expect(t, http.StatusMultiStatus, "TRIGGER:-PT15M&#13;\n", "gone.ics</d:href><d:status>HTTP/1.1 404 Not Found")
	ios.dav("PROPPATCH", path, `<?xml version="1.0" encoding="UTF-8"?><A:propertyupdate xmlns:A="DAV:"><A:set><A:prop><D:calendar-order xmlns:D="http://apple.com/ns/ical/">7</D:calendar-order></A:prop></A:set></A:propertyupdate>`).
		expect(t, http.StatusMultiStatus, "200 OK")
	ios.dav("PROPFIND", path, `<A:propfind xmlns:A="DAV:"><A:prop><D:calendar-order xmlns:D="http://apple.com/ns/ical/"/></A:prop></A:propfind>`, "Depth", "0").expect(t, http.StatusMultiStatus, ">7<")
}

// The first dialogue of DAVx5 with Tasks.org, by its sources: discovery from the host alone, the
// collections with all their properties, then sync-collection and multigets.
func TestDAVx5FirstDialogue(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	davx5 := s.phone(ann)
	const principalQuery = `<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname /><current-user-principal /><CAL:calendar-home-set /><CAL:calendar-description /><CARD:addressbook-home-set /></prop></propfind>`
	davx5.dav("PROPFIND", "/.well-known/caldav", principalQuery, "Depth", "0").expect(t, http.StatusMovedPermanently)
	davx5.dav("PROPFIND", "/", principalQuery, "Depth", "0").expect(t, http.StatusMultiStatus, "<d:response><d:href>/</d:href>", "current-user-principal")
	principal := davx5.dav("PROPFIND", "/dav", principalQuery, "Depth", "0").expect(t, http.StatusMultiStatus).find(t, `<d:current-user-principal><d:href>([^<]*)`)
	home := davx5.dav("PROPFIND", principal, principalQuery, "Depth", "0").expect(t, http.StatusMultiStatus).find(t, `<c:calendar-home-set><d:href>([^<]*)`)
	path := davx5.calendar()
	davx5.dav("PROPFIND", home, `<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav" xmlns:CARD="urn:ietf:params:xml:ns:carddav"><prop><resourcetype /><displayname /><owner /><current-user-privilege-set /><CARD:addressbook-description /><CAL:calendar-description /><n0:calendar-color xmlns:n0="http://apple.com/ns/ical/" /><CAL:calendar-timezone /><CAL:calendar-timezone-id /><CAL:supported-calendar-component-set /><n1:source xmlns:n1="http://calendarserver.org/ns/" /><n2:push-transports xmlns:n2="https://bitfire.at/webdav-push" /></prop></propfind>`, "Depth", "1").
		expect(t, http.StatusMultiStatus, "<d:href>"+path+"</d:href>", "<d:collection/><c:calendar/>", `<x:push-transports xmlns:x="https://bitfire.at/webdav-push"/>`)
	davx5.dav("PROPFIND", path, `<?xml version='1.0' encoding='UTF-8' ?><propfind xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"><prop><CAL:max-resource-size /><n0:getctag xmlns:n0="http://calendarserver.org/ns/" /><supported-report-set /><sync-token /></prop></propfind>`, "Depth", "0").
		expect(t, http.StatusMultiStatus, "<c:max-resource-size>131072<", "<d:sync-collection/>")

	sync := func(token string) reply {
		return davx5.dav("REPORT", path, `<?xml version='1.0' encoding='UTF-8' ?><sync-collection xmlns="DAV:"><sync-token>`+token+`</sync-token><sync-level>1</sync-level><prop><getetag /></prop></sync-collection>`, "Depth", "0")
	}
	token := sync("").expect(t, http.StatusMultiStatus).find(t, `<d:sync-token>([^<]*)`)
	// Tasks.org's uids are numbers, and names have no form of their own.
	const name = "1234567890123456789%20@tasks.ics"
	davx5.dav("PUT", path+name, vtodo("1234567890123456789", "Milk"), "Content-Type", "text/calendar; charset=utf-8", "If-None-Match", "*").expect(t, http.StatusCreated)
	changed := sync(token).expect(t, http.StatusMultiStatus, "<d:href>"+path+name+"</d:href>")
	etag := strings.ReplaceAll(changed.find(t, `<d:getetag>([^<]*)`), "&quot;", `"`)
	next := changed.find(t, `<d:sync-token>([^<]*)`)
	if again := sync(next).expect(t, http.StatusMultiStatus); strings.Contains(again.text, "<d:response>") {
		t.Errorf("nothing is new, and yet %s", again.text)
	}
	davx5.dav("REPORT", path, `<?xml version='1.0' encoding='UTF-8' ?><CAL:calendar-multiget xmlns="DAV:" xmlns:CAL="urn:ietf:params:xml:ns:caldav"><prop><getcontenttype /><getetag /><CAL:calendar-data content-type="text/calendar" version="2.0" /></prop><href>`+path+name+`</href></CAL:calendar-multiget>`, "Depth", "0").
		expect(t, http.StatusMultiStatus, "SUMMARY:Milk&#13;")
	davx5.dav("PUT", path+name, vtodo("1234567890123456789", "Oat milk"), "Content-Type", "text/calendar; charset=utf-8", "If-Match", etag).expect(t, http.StatusNoContent)
	davx5.dav("PUT", path+name, vtodo("1234567890123456789", "Soy milk"), "Content-Type", "text/calendar; charset=utf-8", "If-Match", etag).expect(t, http.StatusPreconditionFailed)
	davx5.dav("DELETE", path+name, "", "If-Match", etag).expect(t, http.StatusPreconditionFailed)
	davx5.dav("DELETE", path+name, "").expect(t, http.StatusNoContent)
	sync(next).expect(t, http.StatusMultiStatus, "<d:href>"+path+name+"</d:href><d:status>HTTP/1.1 404 Not Found")
	sync("urn:taskapi:elsewhere:1").expect(t, http.StatusForbidden, "<d:valid-sync-token/>")
}

func TestCalendarClientsNeedAnAppPassword(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	for name, password := range map[string]string{"the account's": testPassword, "none": "", "a session's": ann.access, "a wrong one": "tapi_" + strings.Repeat("x", 40)} {
		r := phone{s, password}.dav("PROPFIND", "/dav/", "", "Depth", "0")
		if r.status != http.StatusUnauthorized || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s password: %d %s", name, r.status, r.text)
		}
	}
	reader := s.phone(ann, app.ScopeTasksRead)
	path := s.phone(ann).calendar()
	reader.dav("PUT", path+"a.ics", vtodo("a", "A")).expect(t, http.StatusForbidden, "<d:need-privileges>")
	reader.dav("MKCALENDAR", "/dav/lists/aa/", "").expect(t, http.StatusForbidden, "<d:need-privileges>")
	if r := reader.dav("PROPFIND", path, `<propfind xmlns="DAV:"><prop><current-user-privilege-set/></prop></propfind>`, "Depth", "0"); strings.Contains(r.text, "<d:write") {
		t.Errorf("a password to read only has %s", r.text)
	}
	for method, privilege := range map[string]string{"PROPFIND": "read", "REPORT": "read", "PROPPATCH": "write", "DELETE": "write"} {
		s.phone(ann, app.ScopeAccount).dav(method, path, "", "Depth", "0").
			expect(t, http.StatusForbidden, "<d:need-privileges>", "<d:privilege><d:"+privilege+"/></d:privilege>", "tasks:"+privilege)
	}
}

// Thunderbird lets people edit a list as soon as any privilege to write is named.
func TestViewersHaveNoPrivilegeToWrite(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	path := s.phone(ann).calendar()
	list := s.call("GET", "/lists/"+listUID, ann.access, "").id("id")
	for role, want := range map[string]bool{"viewer": false, "editor": true} {
		other := s.signUp(role)
		s.join(list, ann, other, role)
		r := s.phone(other).dav("PROPFIND", path, `<propfind xmlns="DAV:"><prop><current-user-privilege-set/></prop></propfind>`, "Depth", "0")
		if r.status != http.StatusMultiStatus || !strings.Contains(r.text, "<d:read/>") || strings.Contains(r.text, "<d:write") != want {
			t.Errorf("%s: %d %s", role, r.status, r.text)
		}
	}
}

func TestPasswordsOfCalendarClientsStayOffPlainHTTP(t *testing.T) {
	from := func(change func(*parts)) reply {
		s := start(t, withDAV, func(p *parts) { p.api.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }, change)
		return s.phone(s.signUp("ann")).dav("PROPFIND", "/dav/", "", "Depth", "0", "X-Forwarded-For", "192.168.1.7")
	}
	from(func(*parts) {}).expect(t, http.StatusForbidden, "encryption_required")
	from(func(p *parts) { p.api.DAVOverHTTP = true }).expect(t, http.StatusMultiStatus)
	from(func(p *parts) { p.api.SecureCookies = true }).expect(t, http.StatusMultiStatus)
}

func TestCalendarPathsBelowABase(t *testing.T) {
	s := start(t, func(p *parts) { p.api.Base = "/todo" }, withDAV)
	ann := s.phone(s.signUp("ann"))
	if to := ann.dav("GET", "/todo/.well-known/caldav", "").expect(t, http.StatusMovedPermanently).header.Get("Location"); to != "/todo/dav/" {
		t.Errorf("Location: %s", to)
	}
	ann.dav("PROPFIND", "/todo/dav/", "", "Depth", "1").expect(t, http.StatusMultiStatus, "<d:href>/todo/dav/lists/</d:href>")
	path := ann.calendar()
	ann.dav("PUT", "/todo"+path+"a.ics", vtodo("a", "A")).expect(t, http.StatusCreated)
	ann.dav("REPORT", "/todo"+path, `<C:calendar-multiget xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><href>/todo`+path+`a.ics</href></C:calendar-multiget>`).
		expect(t, http.StatusMultiStatus, "200 OK")
}

func TestHostileCalendarRequests(t *testing.T) {
	s := start(t, withDAV)
	ann, eve := s.phone(s.signUp("ann")), s.phone(s.signUp("eve"))
	path := ann.calendar()
	ann.dav("PUT", path+"a.ics", vtodo("a", "A")).expect(t, http.StatusCreated)
	const query = `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter>%s</C:filter></C:calendar-query>`
	for name, c := range map[string]struct {
		who                phone
		method, path, body string
		status             int
		text               string
	}{
		"another's list":         {eve, "PROPFIND", path, "", 404, ""},
		"another's object":       {eve, "GET", path + "a.ics", "", 404, ""},
		"a put into it":          {eve, "PUT", path + "b.ics", vtodo("b", "B"), 404, ""},
		"another's principal":    {eve, "PROPFIND", "/dav/principals/1/", "", 404, ""},
		"a list that is there":   {ann, "MKCALENDAR", path, "", 405, "resource-must-be-null"},
		"entities":               {ann, "PROPFIND", path, `<!DOCTYPE x [<!ENTITY a "aaaa">]><propfind xmlns="DAV:"><prop><getetag/></prop></propfind>`, 400, ""},
		"depth of XML":           {ann, "PROPFIND", path, strings.Repeat("<a>", 10000), 400, ""},
		"no XML":                 {ann, "REPORT", path, "{}", 400, ""},
		"another root":           {ann, "PROPFIND", path, `<find xmlns="DAV:"/>`, 400, ""},
		"many properties":        {ann, "PROPFIND", path, `<propfind xmlns="DAV:"><prop>` + strings.Repeat("<a/>", 1000) + `</prop></propfind>`, 400, ""},
		"an unknown report":      {ann, "REPORT", path, `<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav"/>`, 403, "supported-report"},
		"no filter":              {ann, "REPORT", path, fmt.Sprintf(query, ""), 403, "valid-filter"},
		"an unknown filter":      {ann, "REPORT", path, fmt.Sprintf(query, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:prop-filter name="DUE"><C:time-range start="20260101T000000Z"/></C:prop-filter></C:comp-filter></C:comp-filter>`), 403, "supported-filter"},
		"a collation of others":  {ann, "REPORT", path, fmt.Sprintf(query, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:prop-filter name="SUMMARY"><C:text-match collation="i;unicode-casemap">a</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`), 403, "supported-collation"},
		"an unknown collation":   {ann, "REPORT", path, fmt.Sprintf(query, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:prop-filter name="SUMMARY"><C:text-match collation="x">a</C:text-match></C:prop-filter></C:comp-filter></C:comp-filter>`), 403, "supported-collation"},
		"no time":                {ann, "REPORT", path, fmt.Sprintf(query, `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:time-range start="yesterday"/></C:comp-filter></C:comp-filter>`), 403, "valid-filter"},
		"an event":               {ann, "PUT", path + "e.ics", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:e\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", 403, "supported-calendar-component"},
		"no calendar":            {ann, "PUT", path + "e.ics", "Milk", 403, "valid-calendar-data"},
		"a large object":         {ann, "PUT", path + "e.ics", vtodo("e", "E", "X-A:"+strings.Repeat("a", 140<<10)), 413, "max-resource-size"},
		"a calendar for events":  {ann, "MKCALENDAR", "/dav/lists/0f8fad5b-d9cb-469f-a165-70867728950e/", strings.ReplaceAll(mkcalendar, "VTODO", "VEVENT"), 403, "supported-calendar-component"},
		"the UID of another one": {ann, "PUT", path + "c.ics", vtodo("a", "A"), 403, "no-uid-conflict"},
		"a put to a collection":  {ann, "PUT", path, vtodo("a", "A"), 405, ""},
		"a copy":                 {ann, "MKCOL", path + "a.ics", "", 405, ""},
		"an address too deep":    {ann, "PROPFIND", path + "a/b", "", 404, ""},
		"nothing there":          {ann, "PROPFIND", "/dav/nothing/", "", 404, ""},
		"a name that escapes":    {ann, "GET", path + "..%2F..%2Fa.ics", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			depth := "1"
			if r := c.who.dav(c.method, c.path, c.body, "Depth", depth); r.status != c.status || !strings.Contains(r.text, c.text) {
				t.Errorf("%d %s, want %d with %q", r.status, r.text, c.status, c.text)
			}
		})
	}
	ann.dav("PROPFIND", path, "", "Depth", "infinity").expect(t, http.StatusForbidden, "propfind-finite-depth")
	ann.dav("PUT", path+"j.ics", "{}", "Content-Type", "application/json").expect(t, http.StatusForbidden, "supported-calendar-data")
	ann.dav("PROPPATCH", path, `<propertyupdate xmlns="DAV:"><set><prop><displayname>New</displayname><getetag>1</getetag></prop></set></propertyupdate>`).
		expect(t, http.StatusMultiStatus, "403 Forbidden", "424 Failed Dependency")
	ann.dav("PROPFIND", path, "", "Depth", "0").expect(t, http.StatusMultiStatus, "Errands &amp; more")
	if s.log.String() != "" && strings.Contains(s.log.String(), ann.password) {
		t.Error("a password is in the log")
	}
}

func TestCalendarFilters(t *testing.T) {
	s := start(t, withDAV)
	ann := s.phone(s.signUp("ann"))
	path := ann.calendar()
	for uid, lines := range map[string][]string{
		"open":  {"DUE:20261124T100000Z", "CATEGORIES:home,garden", "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM"},
		"doing": {"STATUS:IN-PROCESS", "X-A;X-P=\"a;b\":1"},
		"done":  {"STATUS:COMPLETED", "COMPLETED:20261101T100000Z"},
	} {
		ann.dav("PUT", path+uid+".ics", vtodo(uid, "The "+uid+" one\\, here", lines...)).expect(t, http.StatusCreated)
	}
	const todos = `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO">%s</C:comp-filter></C:comp-filter>`
	for filter, want := range map[string]string{
		``: "doing done open",
		`<C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>`:                                                    "doing open",
		`<C:prop-filter name="COMPLETED"/>`:                                                                                      "done",
		`<C:prop-filter name="STATUS"><C:text-match negate-condition="yes">COMPLETED</C:text-match></C:prop-filter>`:             "doing",
		`<C:prop-filter name="SUMMARY"><C:text-match>ONE, HERE</C:text-match></C:prop-filter><C:prop-filter name="X-A"/>`:        "doing",
		`<C:prop-filter name="SUMMARY"><C:text-match collation="i;octet">the</C:text-match></C:prop-filter>`:                     "",
		`<C:prop-filter name="UID"><C:text-match>open</C:text-match></C:prop-filter>`:                                            "open",
		`<C:prop-filter name="CATEGORIES"><C:text-match>garden</C:text-match></C:prop-filter>`:                                   "open",
		`<C:prop-filter name="X-A"><C:param-filter name="X-P"><C:text-match>a;b</C:text-match></C:param-filter></C:prop-filter>`: "doing",
		`<C:prop-filter name="X-A"><C:param-filter name="X-P"><C:is-not-defined/></C:param-filter></C:prop-filter>`:              "",
		`<C:comp-filter name="VALARM"/>`:                                   "open",
		`<C:comp-filter name="VALARM"><C:is-not-defined/></C:comp-filter>`: "doing done",
		`<C:time-range start="20261124T000000Z" end="20261125T000000Z"/><C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter><C:prop-filter name="DUE"/>`: "open",
		`<C:is-not-defined/>`: "",
	} {
		r := ann.dav("REPORT", path, `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/></prop><C:filter>`+fmt.Sprintf(todos, filter)+`</C:filter></C:calendar-query>`)
		r.expect(t, http.StatusMultiStatus)
		var got []string
		for _, uid := range []string{"doing", "done", "open"} {
			if strings.Contains(r.text, "/"+uid+".ics") {
				got = append(got, uid)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", filter, got, want)
		}
	}
}

// A large answer goes out as it is made, whole and compressed if the client likes, and a client
// that leaves in the middle stops it.
func TestLargeCalendarAnswers(t *testing.T) {
	s := start(t, withDAV)
	ann := s.phone(s.signUp("ann"))
	path := ann.calendar()
	const objects = 60
	for i := range objects {
		ann.dav("PUT", fmt.Sprintf("%s%d.ics", path, i), vtodo(fmt.Sprint(i), "T", "DESCRIPTION:"+strings.Repeat("x", 9000))).expect(t, http.StatusCreated)
	}
	const all = `<propfind xmlns="DAV:"><prop><getetag/><C:calendar-data xmlns:C="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`
	for _, encoding := range []string{"identity", "gzip"} {
		// The transport unpacks what it asked to be packed itself.
		header := []string{"Depth", "1"}
		if encoding == "identity" {
			header = append(header, "Accept-Encoding", encoding)
		}
		r := ann.dav("PROPFIND", path, all, header...).expect(t, http.StatusMultiStatus)
		if n := strings.Count(r.text, "END:VTODO"); n != objects || r.header.Get("Content-Length") != "" {
			t.Errorf("%s: %d objects, Content-Length %q", encoding, n, r.header.Get("Content-Length"))
		}
	}
	request, err := http.NewRequest("PROPFIND", s.url+path, strings.NewReader(all))
	must(t, err)
	request.Header.Set("Depth", "1")
	request.SetBasicAuth("ann", ann.password)
	response, err := http.DefaultTransport.RoundTrip(request)
	must(t, err)
	_, err = io.CopyN(io.Discard, response.Body, 1000)
	must(t, err)
	must(t, response.Body.Close())
	// The server stops at the end of the test, for which it waits for all answers.
}

func BenchmarkSyncCollectionNothingNew(b *testing.B) {
	s := start(b, withDAV, func(p *parts) { p.api.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) })
	ann := s.phone(s.signUp("ann"))
	path := ann.calendar()
	for i := range 100 {
		ann.dav("PUT", fmt.Sprintf("%s%d.ics", path, i), vtodo(fmt.Sprint(i), "T")).expect(b, http.StatusCreated)
	}
	const sync = `<?xml version='1.0' encoding='UTF-8' ?><sync-collection xmlns="DAV:"><sync-token>%s</sync-token><sync-level>1</sync-level><prop><getetag /></prop></sync-collection>`
	token := ann.dav("REPORT", path, fmt.Sprintf(sync, "")).find(b, `<d:sync-token>([^<]*)`)
	s.run(b, http.StatusMultiStatus, func(r *fasthttp.Request) {
		r.SetRequestURI(s.url + path)
		r.Header.SetMethod("REPORT")
		r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ann:"+ann.password)))
		r.SetBodyString(fmt.Sprintf(sync, token))
	}, nil)
}
