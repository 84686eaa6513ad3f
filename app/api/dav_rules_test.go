package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// A proxy on the same machine, or one that is trusted, may say that its client came without
// encryption.
func TestAProxyOfPlainHTTP(t *testing.T) {
	for name, change := range map[string]func(*parts){
		"on the same machine": func(*parts) {},
		"trusted":             func(p *parts) { p.api.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} },
	} {
		s := start(t, withDAV, change)
		ann := s.phone(s.signUp("ann"))
		for said, status := range map[string]int{"": 207, "https": 207, "http": 403, "HTTP": 403, "http, https": 403, "https, http": 207} {
			header := []string{"Depth", "0"}
			if said != "" {
				header = append(header, "X-Forwarded-Proto", said)
			}
			if r := ann.dav("PROPFIND", "/dav/", "", header...); r.status != status || status == 403 && !strings.Contains(r.text, "encryption_required") {
				t.Errorf("%s, %q: %d %s", name, said, r.status, r.text)
			}
		}
	}
	s := start(t, withDAV, func(p *parts) { p.api.DAVOverHTTP = true })
	s.phone(s.signUp("ann")).dav("PROPFIND", "/dav/", "", "Depth", "0", "X-Forwarded-Proto", "http").expect(t, http.StatusMultiStatus)
}

// Every write of a calendar client has a header Change, by which it is undone as far as taskapi has
// fields for it. What an app keeps is not: if that is all, nothing is undone, and it is said so.
func TestUndoOfCalendarClients(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	phone := s.phone(ann)
	path := phone.calendar() + "a.ics"
	undo := func(r reply) answer {
		return s.call("POST", "/undo", ann.access, `{"change":`+r.header.Get("Change")+`}`)
	}
	phone.dav("PUT", path, vtodo("a", "one", "X-A:1")).expect(t, http.StatusCreated)
	titled := phone.dav("PUT", path, vtodo("a", "two", "X-A:2")).expect(t, http.StatusNoContent)
	if a := undo(titled); a.status != 200 || a.str("task.title") != "one" {
		t.Errorf("%d %s", a.status, a.text)
	}
	kept := phone.dav("PUT", path, vtodo("a", "one", "X-A:3")).expect(t, http.StatusNoContent)
	expect(t, "of what an app keeps", undo(kept), 409, "not_undoable")
	alarm := phone.dav("PUT", path, vtodo("a", "one", "X-A:3", "BEGIN:VALARM", "ACTION:NONE", "TRIGGER:-PT5M", "END:VALARM")).expect(t, http.StatusNoContent)
	expect(t, "of an alarm that is no reminder", undo(alarm), 409, "not_undoable")
	gone := phone.dav("DELETE", path, "").expect(t, http.StatusNoContent)
	if a := undo(gone); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	phone.dav("GET", path, "").expect(t, http.StatusOK, "X-A:3")
	list := "/dav/lists/0f8fad5b-d9cb-469f-a165-70867728950e/"
	for _, r := range []reply{phone.dav("MKCALENDAR", list, ""), phone.dav("DELETE", list, "")} {
		if r.header.Get("Change") == "" {
			t.Errorf("%d without a Change", r.status)
		}
	}
	if r := phone.dav("GET", path, ""); r.header.Get("Change") != "" {
		t.Error("a read has a Change")
	}
}

// A task of which only its app knows all dates is completed there alone; everybody else is told so
// and changes nothing.
func TestOnlyItsAppCompletesASeries(t *testing.T) {
	s := start(t, withDAV)
	ann := s.signUp("ann")
	phone := s.phone(ann)
	path := phone.calendar()
	text := vtodo("a", "hourly", "DUE:20261205T090000Z", "RRULE:FREQ=HOURLY")
	phone.dav("PUT", path+"a.ics", text).expect(t, http.StatusCreated)
	for _, method := range []string{"PUT", "PATCH"} {
		expect(t, method, s.call(method, "/tasks/a", ann.access, `{"title":"new","completed":true}`), 409, "repeats_in_app")
	}
	tick := asked("PATCH", "/tasks/a", map[string]any{"completed": true})
	expect(t, "a batch", s.call("POST", "/batch", ann.access, batchOf(true, asked("POST", "/tasks/", map[string]any{"title": "t"}), tick)), 409, "batch_failed")
	if a := s.call("POST", "/batch", ann.access, batchOf(false, tick)); a.status != 200 || !strings.Contains(a.text, `"repeats_in_app"`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if r := phone.dav("GET", path+"a.ics", ""); r.text != text {
		t.Errorf("%s", r.text)
	}
	expect(t, "another change", s.call("PATCH", "/tasks/a", ann.access, `{"title":"new"}`), 200, "")
	phone.dav("PUT", path+"a.ics", strings.Replace(text, "SUMMARY", "STATUS:COMPLETED\r\nSUMMARY", 1)).expect(t, http.StatusNoContent)
	if a := s.call("GET", "/tasks/a", ann.access, ""); a.at("completed") != true {
		t.Errorf("%s", a.text)
	}
}

// A color that a list can't have is refused, and none is lost in silence.
func TestColorsOfCollections(t *testing.T) {
	s := start(t, withDAV)
	ann := s.phone(s.signUp("ann"))
	const get = `<propfind xmlns="DAV:"><prop><calendar-color xmlns="http://apple.com/ns/ical/"/></prop></propfind>`
	for said, want := range map[string]string{"#FF9500FF": "#FF9500", "#ff9500": "#FF9500", "#F90": "#FF9900", "#f90c": "#FF9900", "red": "", "#12345": "", "#ff95000": ""} {
		path := "/dav/lists/" + strings.TrimPrefix(said, "#") + "/"
		body := strings.Replace(mkcalendar, "#FF9500FF", said, 1)
		if want == "" {
			ann.dav("MKCALENDAR", path, body).expect(t, http.StatusMultiStatus, "<ic:calendar-color/>", "403 Forbidden", "424 Failed Dependency")
			ann.dav("PROPFIND", path, get, "Depth", "0").expect(t, http.StatusNotFound)
			continue
		}
		ann.dav("MKCALENDAR", path, body).expect(t, http.StatusCreated)
		ann.dav("PROPFIND", path, get, "Depth", "0").expect(t, http.StatusMultiStatus, ">"+want+"<")
		ann.dav("PROPPATCH", path, `<propertyupdate xmlns="DAV:"><set><prop><calendar-color xmlns="http://apple.com/ns/ical/">`+said+`</calendar-color></prop></set></propertyupdate>`).
			expect(t, http.StatusMultiStatus, "200 OK")
	}
}
