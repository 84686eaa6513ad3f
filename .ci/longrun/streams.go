package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

func basic(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// listening counts what streams have told.
type listening struct{ opened, changes, reminders, ready atomic.Int64 }

// listen opens one stream after the other until the context ends: each is read for some seconds
// and then left in the middle, and the next one goes on where it stood.
func (p *person) listen(ctx context.Context, heard *listening) {
	since := ""
	for n := 1; ctx.Err() == nil; n++ {
		// Not all at once, and the streams of the short form, too, often enough.
		length, cancel := context.WithTimeout(ctx, time.Duration(1+(n+p.number)%4)*time.Second)
		since = p.stream(length, since, heard)
		cancel()
	}
}

// stream reads one stream and returns its last cursor.
func (p *person) stream(ctx context.Context, since string, heard *listening) string {
	access, _ := p.tokens()
	path := "/events"
	if since != "" {
		path += "?since=" + since
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.r.server.url+path, nil)
	if err != nil {
		p.r.faults.add("a stream: %v", err)
		return since
	}
	request.Header.Set("Authorization", "Bearer "+access)
	response, err := (&http.Client{Transport: p.http.Transport}).Do(request)
	if err != nil {
		if ctx.Err() == nil {
			p.r.faults.add("a stream: %v", err)
		}
		return since
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
		heard.opened.Add(1)
	case http.StatusUnauthorized: // the person renews the token, or has just signed in anew
	default:
		p.r.contract.check("stream", request, answer{status: response.StatusCode, header: response.Header})
	}
	if response.StatusCode != http.StatusOK {
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return since
	}
	return p.hear(response.Body, since, heard)
}

// hear counts what a stream tells until it ends, and returns its last cursor.
func (p *person) hear(body io.Reader, since string, heard *listening) string {
	lines := bufio.NewReader(body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return since
		}
		kind, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case kind == "id":
			since = value
		case line == "event: changes\n":
			heard.changes.Add(1)
		case line == "event: reminder\n":
			heard.reminders.Add(1)
		case line == "event: ready\n":
			heard.ready.Add(1)
		case line == "event: resync\n":
			p.r.faults.add("a stream has to begin anew")
			since = ""
		}
	}
}

func (l *listening) print() {
	fmt.Printf("streams: %d opened, %d up to date, %d messages of changes, %d reminders\n", l.opened.Load(), l.ready.Load(), l.changes.Load(), l.reminders.Load())
}
