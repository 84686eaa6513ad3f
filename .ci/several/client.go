package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// client asks one address.
type client struct {
	c    *cluster
	base string
	http *http.Client
}

func (c *cluster) at(base string) *client {
	return &client{c: c, base: base, http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

func (c *cluster) proxy() *client { return c.at(c.url) }

func (m *member) client() *client { return m.c.at("http://" + m.address) }

// answer is what came back; a status of 0 is no answer.
type answer struct {
	status int
	header http.Header
	text   []byte
}

func (a answer) done() bool { return a.status >= 200 && a.status < 300 }

// wait is how long the server asks to wait.
func (a answer) wait() time.Duration {
	seconds, _ := strconv.Atoi(a.header.Get("Retry-After"))
	return min(time.Duration(seconds)*time.Second, 200*time.Millisecond) // the test has no time
}

// trouble reports whether it is what a client gets while a process or the database is down.
func (a answer) trouble() bool { return a.status == 0 || a.status >= 502 && a.status <= 504 }

func (a answer) str(name string) string {
	var fields map[string]any
	_ = json.Unmarshal(a.text, &fields)
	text, _ := fields[name].(string)
	return text
}

// try asks once, and looks whether the server may answer like this.
func (k *client) try(ctx context.Context, method, path, token, key string, body any) answer {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, k.base+path, bytes.NewReader(text))
	if err != nil {
		return answer{}
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	began := time.Now()
	response, err := k.http.Do(request)
	if err != nil {
		return answer{}
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if a.text, err = io.ReadAll(response.Body); err != nil {
		a.status = 0
	}
	_ = response.Body.Close()
	ours := strings.HasPrefix(a.header.Get("Content-Type"), "application/json")
	switch {
	case a.status == http.StatusServiceUnavailable && (!ours || a.header.Get("Retry-After") == ""):
		k.c.faults.add("%s %s: 503 without Retry-After: %.200s", method, shape(path), a.text)
	case (a.status == http.StatusBadGateway || a.status == http.StatusGatewayTimeout) && ours, a.status >= 500 && !a.trouble():
		k.c.faults.add("%s %s: %d %.200s", method, shape(path), a.status, a.text)
	}
	k.c.note(method, a.status, time.Since(began))
	return a
}

// shape is a path without what differs from request to request.
func shape(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return strings.TrimRight(path, "0123456789")
}

// must asks until an answer comes that is no trouble.
func (k *client) must(ctx context.Context, method, path, token, key string, body any) answer {
	for {
		a := k.try(ctx, method, path, token, key, body)
		if !a.trouble() || ctx.Err() != nil {
			return a
		}
		rest(ctx, max(20*time.Millisecond, a.wait()))
	}
}

// signUp makes an account and returns the tokens of a session.
func (k *client) signUp(ctx context.Context, name string) (access, refresh string, err error) {
	mail := name + "@example.com"
	a := k.must(ctx, "POST", "/auth/register", "", "", map[string]string{"username": name, "email": mail, "password": password, "confirm_password": password})
	if !a.done() && a.status != http.StatusConflict && a.status != http.StatusBadRequest { // an answer that was lost
		return "", "", fmt.Errorf("register: %d %s", a.status, a.text)
	}
	return k.signIn(ctx, name)
}

func (k *client) signIn(ctx context.Context, name string) (access, refresh string, err error) {
	a := k.must(ctx, "POST", "/auth/login", "", "", map[string]string{"email": name + "@example.com", "password": password})
	if !a.done() {
		return "", "", fmt.Errorf("sign in: %d %s", a.status, a.text)
	}
	return a.str("access_token"), a.str("refresh_token"), nil
}

const password = "not a secret"

// counts is how often each status came.
type counts struct {
	mu      sync.Mutex
	status  map[string]int
	longest time.Duration
}

var statuses = counts{status: map[string]int{}}

func (c *cluster) note(method string, status int, took time.Duration) {
	statuses.mu.Lock()
	defer statuses.mu.Unlock()
	kind := "read"
	if method != http.MethodGet {
		kind = "write"
	}
	statuses.status[fmt.Sprintf("%s %d", kind, status)]++
	statuses.longest = max(statuses.longest, took)
}
