package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// dav sends a request as a calendar client does.
func (p *person) dav(name, method, path, body string, header ...string) answer {
	request := append(header, "Authorization", "Basic "+basic("anybody:"+p.api))
	if !strings.HasPrefix(body, "BEGIN") && body != "" {
		request = append(request, "Content-Type", "application/xml")
	}
	return p.send("DAV: "+name, method, path, body, request...)
}

func (p *person) propfind() {
	path := []string{"/dav/lists/", p.calendar}[p.rng.IntN(2)]
	p.dav("PROPFIND", "PROPFIND", path, `<propfind xmlns="DAV:"><prop><resourcetype/><displayname/><sync-token/><getetag/></prop></propfind>`, "Depth", "1")
}

func (p *person) report() {
	if p.chance(50) {
		a := p.dav("sync-collection", "REPORT", p.calendar,
			`<sync-collection xmlns="DAV:"><sync-token>`+p.davToken+`</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`, "Depth", "0")
		if found := regexp.MustCompile(`<d:sync-token>([^<]*)`).FindSubmatch(a.text); found != nil {
			p.davToken = string(found[1])
		} else {
			p.davToken = ""
		}
		return
	}
	p.dav("calendar-query", "REPORT", p.calendar, `<B:calendar-query xmlns:B="urn:ietf:params:xml:ns:caldav"><A:prop xmlns:A="DAV:"><A:getetag/><B:calendar-data/></A:prop>
		<B:filter><B:comp-filter name="VCALENDAR"><B:comp-filter name="VTODO"><B:prop-filter name="COMPLETED"><B:is-not-defined/></B:prop-filter></B:comp-filter></B:comp-filter></B:filter></B:calendar-query>`, "Depth", "1")
}

func (p *person) put() {
	uid := fmt.Sprintf("%08X-6C52-4D0F-9F0E-%012X", p.number, p.rng.Uint64()>>16)
	if len(p.objects) > 0 && (p.chance(40) || len(p.objects) > mostTasks/4) {
		uid = p.objects[p.rng.IntN(len(p.objects))]
	} else {
		p.objects = append(p.objects, uid)
	}
	p.dav("PUT", "PUT", p.calendar+uid+".ics", strings.Join([]string{
		"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//longrun//EN", "BEGIN:VTODO", "UID:" + uid, "DTSTAMP:20261101T080000Z",
		fmt.Sprint("SUMMARY:from a phone ", p.rng.IntN(1000)), "DUE;TZID=Europe/Berlin:20261205T090000", "END:VTODO", "END:VCALENDAR", "",
	}, "\r\n"), "Content-Type", "text/calendar")
}

func (p *person) deleteObject() {
	if n := len(p.objects); n > 10 {
		uid := p.objects[n-1]
		p.objects = p.objects[:n-1]
		p.dav("DELETE", "DELETE", p.calendar+uid+".ics", "")
	}
}

// tool calls a tool of an assistant.
func (p *person) tool(name string, arguments any) {
	a := p.send("MCP: "+name, "POST", "/mcp", map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": name, "arguments": arguments},
	}, "Authorization", "Bearer "+p.api, "Accept", "application/json, text/event-stream")
	if a.status == http.StatusOK && (len(a.Error) > 0 || a.Result.IsError) {
		p.r.faults.add("the tool %s says: %.200s", name, a.text)
	}
}

func (p *person) askAssistant() {
	if p.chance(50) {
		p.tool("list_lists", map[string]any{})
		return
	}
	p.tool("find_tasks", map[string]any{"view": []string{"today", "upcoming"}[p.rng.IntN(2)]})
}

func (p *person) tellAssistant() {
	p.tool("add_tasks", map[string]any{"tasks": []map[string]any{{"title": "what the assistant heard", "labels": []string{"heard"}}}})
}
