package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	keyed     = 6 // writers with an Idempotency-Key
	unkeyed   = 4 // writers without
	readers   = 4
	racers    = 12 // clients that refresh one session at once
	reminders = 40
	// pace is the pause between two requests of a client.
	pace = 10 * time.Millisecond
)

// load is what people do while processes die.
type load struct {
	c                *cluster
	access           string
	racing, stolen   string // refresh tokens of one session: the newest, and one of long ago
	racingAccess     string
	races            atomic.Int64
	all              sync.WaitGroup
	mu               sync.Mutex
	answered, unsure []string // titles of tasks whose creation was answered, or was not
	kept             map[string]bool
	seen             []map[string]bool // titles, by stream
	people           []string          // who signed up
	streams          atomic.Int64      // that were opened
	listening        sync.WaitGroup
	quit             context.CancelFunc // ends the streams
}

func (c *cluster) newLoad(ctx context.Context) (*load, error) {
	l := &load{c: c}
	k := c.proxy()
	var err error
	if l.access, _, err = k.signUp(ctx, "ann"); err != nil {
		return nil, err
	}
	if _, l.stolen, err = k.signIn(ctx, "ann"); err != nil {
		return nil, err
	}
	a := k.must(ctx, "PATCH", "/users/me", l.access, "", map[string]any{"reminder_channels": []string{"mail", "webhook", "stream"}})
	if !a.done() {
		return nil, fmt.Errorf("channels: %d %s", a.status, a.text)
	}
	a = k.must(ctx, "POST", "/webhooks", l.access, "", map[string]any{"url": c.hooks.url + "/", "events": []string{"task.created", "reminder.due"}})
	if !a.done() {
		return nil, fmt.Errorf("webhook: %d %s", a.status, a.text)
	}
	// The first of its tokens is retired now, and shown again at the end.
	a = k.must(ctx, "POST", "/auth/refresh", "", "", map[string]string{"refresh_token": l.stolen})
	if l.racing = a.str("refresh_token"); l.racing == "" {
		return nil, fmt.Errorf("refresh: %d %s", a.status, a.text)
	}
	l.racingAccess = a.str("access_token")
	return l, nil
}

// start begins everything that goes on until the context ends.
func (l *load) start(ctx context.Context) {
	l.startStreams(ctx)
	for i := range keyed {
		l.all.Go(func() { l.write(ctx, fmt.Sprintf("keyed-%d-", i), true) })
	}
	for i := range unkeyed {
		l.all.Go(func() { l.write(ctx, fmt.Sprintf("plain-%d-", i), false) })
	}
	for range readers {
		l.all.Go(func() { l.read(ctx) })
	}
	l.all.Go(func() { l.race(ctx) })
	l.all.Go(func() { l.join(ctx) })
	l.all.Go(func() { l.remind(ctx) })
}

// startStreams opens a stream at each process and one through nginx, and waits until they begin.
func (l *load) startStreams(ctx context.Context) {
	listening, quit := context.WithCancel(context.WithoutCancel(ctx))
	l.quit = quit
	clients := []*client{l.c.proxy()}
	for _, m := range l.c.members {
		clients = append(clients, m.client())
	}
	for _, k := range clients {
		seen := map[string]bool{}
		l.seen = append(l.seen, seen)
		l.listening.Go(func() { l.listen(listening, k, seen) })
	}
	begun := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !slices.ContainsFunc(l.seen, func(seen map[string]bool) bool { return !seen[""] })
	}
	if !until(ctx, begun) {
		l.c.faults.add("streams do not begin")
	}
}

func (l *load) wait() { l.all.Wait() }

// write adds tasks. Each that was answered is read back at once, from wherever nginx asks.
func (l *load) write(ctx context.Context, name string, withKey bool) {
	k := l.c.proxy()
	for i := 0; ctx.Err() == nil; i++ {
		title, key := fmt.Sprint(name, i), ""
		ask := k.try
		if withKey {
			key, ask = rand.Text(), k.must
		}
		a := ask(context.WithoutCancel(ctx), "POST", "/tasks/", l.access, key, map[string]string{"title": title})
		l.mu.Lock()
		if a.status == http.StatusCreated {
			l.answered = append(l.answered, title)
		} else {
			l.unsure = append(l.unsure, title)
		}
		l.mu.Unlock()
		if a.status == http.StatusCreated && i%4 == 0 {
			var made struct{ Task struct{ ID int64 } }
			_ = json.Unmarshal(a.text, &made)
			if again := k.must(context.WithoutCancel(ctx), "GET", fmt.Sprint("/tasks/", made.Task.ID), l.access, "", nil); again.status != http.StatusOK {
				l.c.faults.add("a task that was answered can't be read: %d %.100s", again.status, again.text)
			}
		} else if a.status != http.StatusCreated && !a.trouble() {
			l.c.faults.add("a task was refused: %d %.200s", a.status, a.text)
		}
		rest(ctx, pace)
	}
}

func (l *load) read(ctx context.Context) {
	k := l.c.proxy()
	for ctx.Err() == nil {
		if a := k.try(ctx, "GET", "/tasks/?per_page=20", l.access, "", nil); a.status != http.StatusOK && !a.trouble() {
			l.c.faults.add("a page was refused: %d %.200s", a.status, a.text)
		}
		rest(ctx, pace)
	}
}

// race refreshes one session from many clients at once, at all processes. All must get the same
// successor, and the session must live on.
func (l *load) race(ctx context.Context) {
	var clients []*client
	for i := range racers {
		clients = append(clients, l.c.members[i%processes].client())
	}
	for ctx.Err() == nil {
		var all sync.WaitGroup
		got := make([]answer, racers)
		for i, k := range clients {
			all.Go(func() {
				got[i] = k.try(context.WithoutCancel(ctx), "POST", "/auth/refresh", "", "", map[string]string{"refresh_token": l.racing})
			})
		}
		all.Wait()
		next := ""
		for _, a := range got {
			switch token := a.str("refresh_token"); {
			case a.trouble():
			case a.status != http.StatusOK:
				l.c.faults.add("a race ended a session: %d %.200s", a.status, a.text)
				return
			case next != "" && token != next:
				l.c.faults.add("a race gave two successors")
			default:
				next, l.racingAccess = token, a.str("access_token")
			}
		}
		if next != "" {
			l.racing = next
			l.races.Add(1)
		}
		rest(ctx, 50*time.Millisecond)
	}
}

// join lets people sign up, each of whom gets a mail.
func (l *load) join(ctx context.Context) {
	k := l.c.proxy()
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprint("person", i)
		if _, _, err := k.signUp(context.WithoutCancel(ctx), name); err != nil {
			l.c.faults.add("%v", err)
			continue
		}
		l.mu.Lock()
		l.people = append(l.people, name+"@example.com")
		l.mu.Unlock()
		rest(ctx, 700*time.Millisecond)
	}
}

// remind makes reminders that fire one after the other while processes die.
func (l *load) remind(ctx context.Context) {
	k := l.c.proxy()
	for i := range reminders {
		at := time.Now().Add(2*time.Second + time.Duration(i)*time.Second).UTC().Format(time.RFC3339)
		a := k.must(context.WithoutCancel(ctx), "POST", "/tasks/", l.access, rand.Text(), map[string]any{"title": fmt.Sprint("remind-", i), "reminders": []any{map[string]string{"at": at}}})
		if !a.done() {
			l.c.faults.add("a reminder was refused: %d %.200s", a.status, a.text)
		}
	}
}

// listen follows a stream with tickets that another process may have issued, and comes back where
// it ends.
func (l *load) listen(ctx context.Context, k *client, seen map[string]bool) {
	after := ""
	for ctx.Err() == nil {
		a := l.c.proxy().must(ctx, "POST", "/events/tickets", l.access, "", nil)
		if err := l.follow(ctx, k, a.str("ticket"), &after, func(title string, _ time.Time) {
			l.mu.Lock()
			seen[title] = true
			l.mu.Unlock()
		}); err != nil && ctx.Err() == nil {
			var refused refusal
			if errors.As(err, &refused) {
				l.c.faults.add("a stream was refused: %v", err)
			}
		}
		rest(ctx, 100*time.Millisecond)
	}
}

// refusal is an answer that no trouble explains.
type refusal string

func (r refusal) Error() string { return string(r) }

// follow tells of the titles that a stream has, until it ends.
func (l *load) follow(ctx context.Context, k *client, ticket string, after *string, told func(title string, at time.Time)) error {
	address := k.base + "/events?ticket=" + ticket
	if *after != "" {
		address += "&since=" + *after
	}
	request, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if a := (answer{status: response.StatusCode}); a.status != http.StatusOK {
		if a.trouble() {
			return errors.New("trouble")
		}
		return refusal(fmt.Sprint(a.status))
	}
	l.streams.Add(1)
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 16<<20)
	event, id := "", ""
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id = text
		}
		if event += line; line != "" {
			continue
		}
		// Before its end, an event counts for nothing.
		if strings.Contains(event, "event: ready") {
			told("", time.Now())
		}
		if strings.Contains(event, "event: resync") {
			return refusal("a stream has to begin anew")
		}
		for _, title := range titleText.FindAllStringSubmatch(event, -1) {
			told(title[1], time.Now())
		}
		event, *after = "", cmp.Or(id, *after)
	}
	return lines.Err()
}

// titles returns how often there is a task of each title, from the database itself.
func (c *cluster) titles(ctx context.Context) (times map[string]int, err error) {
	all, err := c.ask(ctx, "SELECT title FROM tasks")
	times = map[string]int{}
	for _, title := range all {
		times[title]++
	}
	return times, err
}

// patience is how long something may take: it comes within a second or two, but on a busy machine.
const patience = 30 * time.Second

// until waits for something to hold, and returns whether it does.
func until(ctx context.Context, holds func() bool) bool {
	for end := time.Now().Add(patience); !holds(); rest(ctx, 50*time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return holds()
		}
	}
	return true
}

// percentiles describes durations.
func percentiles(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	slices.Sort(all)
	at := func(p int) time.Duration { return all[min(len(all)-1, len(all)*p/100)].Round(100 * time.Microsecond) }
	return fmt.Sprintf("p50 %s, p95 %s, longest %s of %d", at(50), at(95), all[len(all)-1].Round(100*time.Microsecond), len(all))
}
