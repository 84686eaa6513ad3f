package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const password = "a long day on a small machine"

// person is somebody with an account, who does one thing after the other from an address of
// their own.
type person struct {
	r      *run
	number int
	email  string
	rng    *rand.Rand
	http   *http.Client
	friend *person // who shares the list shared of this person

	session sync.Mutex // held while the tokens are traded
	mu      sync.Mutex // of the tokens, which streams and friends read
	access  string
	refresh string

	api      string // a token for calendar clients and assistants
	tasks    []int64
	trash    []int64
	changes  []int64
	lists    []int64
	cursor   string
	calendar string // a path
	objects  []string
	davToken string
	shared   int64
	hook     int64
	repeats  []int64
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	text   []byte
	reply
}

type reply struct {
	Code         string
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	Token        string
	Cursor       string
	More         bool
	Task         struct{ ID int64 }
	List         struct {
		ID  int64
		UID string
	}
	Tasks      []struct{ ID int64 }
	Webhook    struct{ ID int64 }
	Invitation struct {
		ID  int64
		URL string
	}
	Responses  []struct{ Change int64 }
	Result     struct{ IsError bool }
	Error      json.RawMessage
	Pagination struct {
		NextAfter json.RawMessage `json:"next_after"`
	}
}

func newPerson(r *run, number int) *person {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(number+1))}, Timeout: 30 * time.Second}
	return &person{
		r: r, number: number, email: fmt.Sprintf("person%d@example.com", number), rng: rand.New(rand.NewPCG(r.plan.seed, uint64(number))),
		http: &http.Client{
			Timeout: 60 * time.Second, Transport: &http.Transport{DialContext: dialer.DialContext},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (p *person) tokens() (access, refresh string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.access, p.refresh
}

// call sends a request with the session and checks its answer; headers are in pairs. After a
// token has expired, or a sign-in has ended its session, the request is sent again with another.
func (p *person) call(act, method, path string, body any, header ...string) answer {
	access, _ := p.tokens()
	a := p.send(act, method, path, body, append(header, "Authorization", "Bearer "+access)...)
	if a.status != http.StatusUnauthorized {
		return a
	}
	p.renewUnlessNewerThan(access)
	access, _ = p.tokens()
	a = p.send(act, method, path, body, append(header, "Authorization", "Bearer "+access)...)
	if a.status == http.StatusUnauthorized {
		p.r.faults.add("%s: 401 with a fresh token: %s", act, a.text)
	}
	return a
}

// send is call without the session. A body that is no text is sent as JSON.
func (p *person) send(act, method, path string, body any, header ...string) (a answer) {
	text, ok := body.(string)
	if !ok && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			p.r.faults.add("%s: %v", act, err)
			return a
		}
		text = string(encoded)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, p.r.server.url+path, strings.NewReader(text))
	if err != nil {
		p.r.faults.add("%s: %v", act, err)
		return a
	}
	if text != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := p.http.Do(request)
	if err != nil {
		p.r.faults.add("%s: no answer: %v", act, errors.Unwrap(err))
		return a
	}
	a = answer{status: response.StatusCode, header: response.Header}
	a.text, err = io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		p.r.faults.add("%s: an answer that breaks off: %v", act, err)
	}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") && len(bytes.TrimSpace(a.text)) > 0 {
		if err := json.Unmarshal(a.text, &a.reply); err != nil {
			p.r.faults.add("%s: %v in %.200s", act, err, a.text)
		}
	}
	p.r.contract.check(act, request, a)
	return a
}

// change is the number of what a write has changed, 0 for nothing.
func (a answer) change() int64 {
	n, _ := strconv.ParseInt(a.header.Get("Change"), 10, 64)
	return n
}

// arrive makes the account, with a token, a list, a list of calendar clients and, for every
// third person, a webhook.
func (p *person) arrive() error {
	a := p.send("register", "POST", "/auth/register", map[string]string{
		"username": fmt.Sprintf("person%d", p.number), "email": p.email, "password": password, "confirm_password": password,
	})
	if a.status != http.StatusCreated {
		return fmt.Errorf("register: %d %s", a.status, a.text)
	}
	p.signIn()
	link, err := p.r.mails.link(p.email, "verify")
	if err != nil {
		return err
	}
	p.send("verify", "POST", "/auth/email/verify", map[string]string{"token": link})
	p.api = p.call("token", "POST", "/auth/tokens", map[string]any{"name": "phone", "scopes": []string{"tasks:read", "tasks:write"}}).Token
	p.call("settings", "PATCH", "/users/me", map[string]any{"reminder_channels": []string{"mail", "webhook", "stream"}, "time_zone": "Europe/Berlin"})
	p.shared = p.newList("shared")
	p.lists = []int64{p.shared, p.newList("own")}
	a = p.call("list", "POST", "/lists/", map[string]string{"name": "phone"})
	p.calendar = "/dav/lists/" + a.List.UID + "/"
	if p.number%3 == 0 {
		a = p.call("webhook", "POST", "/webhooks/", map[string]any{
			"url": p.r.hooks.url(p.number), "events": []string{"task.created", "task.completed", "task.deleted", "list.shared", "reminder.due"},
		})
		p.hook = a.Webhook.ID
	}
	if p.api == "" || a.status != http.StatusCreated {
		return fmt.Errorf("no token, list or webhook: %s", a.text)
	}
	return nil
}

func (p *person) newList(name string) int64 {
	return p.call("list", "POST", "/lists/", map[string]string{"name": name, "color": "#2e7d32"}).List.ID
}

// signIn begins a session and ends the one before.
func (p *person) signIn() {
	p.session.Lock()
	defer p.session.Unlock()
	_, before := p.tokens()
	a := p.send("sign in", "POST", "/auth/login", map[string]string{"email": p.email, "password": password})
	if a.status != http.StatusOK {
		return
	}
	p.mu.Lock()
	p.access, p.refresh = a.AccessToken, a.RefreshToken
	p.mu.Unlock()
	if before != "" {
		p.send("sign out", "POST", "/auth/logout", map[string]string{"refresh_token": before})
	}
}

// renew trades the refresh token for the next one.
func (p *person) renew() {
	access, _ := p.tokens()
	p.renewUnlessNewerThan(access)
}

// renewUnlessNewerThan is renew, unless somebody else has done so meanwhile.
func (p *person) renewUnlessNewerThan(seen string) {
	p.session.Lock()
	defer p.session.Unlock()
	access, refresh := p.tokens()
	if access != seen {
		return
	}
	a := p.send("refresh", "POST", "/auth/refresh", map[string]string{"refresh_token": refresh})
	if a.status != http.StatusOK {
		p.r.faults.add("a refresh was refused: %d %s", a.status, a.text)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.access, p.refresh = a.AccessToken, a.RefreshToken
}

// live does one thing after the other until the context ends.
func (p *person) live(ctx context.Context) {
	all, total := acts(), 0
	for _, one := range all {
		total += one.weight
	}
	for ctx.Err() == nil {
		n := p.rng.IntN(total)
		for _, one := range all {
			if n -= one.weight; n < 0 {
				one.do(p)
				break
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.r.plan.pause):
		}
	}
}

// pick returns one of some, or 0.
func (p *person) pick(some []int64) int64 {
	if len(some) == 0 {
		return 0
	}
	return some[p.rng.IntN(len(some))]
}

// chance is true so many times of a hundred.
func (p *person) chance(percent int) bool { return p.rng.IntN(100) < percent }
