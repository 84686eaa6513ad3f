package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// measureQuiet measures how soon the others know, when nothing dies.
func (c *cluster) measureQuiet(ctx context.Context, l *load) {
	again := c.hooks.repeated()
	c.measureEnds(ctx)
	c.measureStreams(ctx, l)
	rest(ctx, time.Second)
	if n := c.hooks.repeated() - again; n > 0 {
		c.faults.add("%d messages come again in quiet times", n)
	}
	c.hang(ctx)
}

// hang lets the process that leads hang, which loses the lead.
func (c *cluster) hang(ctx context.Context) {
	var first *member
	if !until(ctx, func() bool { first = c.leader(ctx); return first != nil }) {
		c.faults.add("nobody leads in quiet times")
		return
	}
	began := time.Now()
	first.signal(syscall.SIGSTOP)
	if !until(ctx, func() bool { now := c.leader(ctx); return now != nil && now != first }) {
		c.faults.add("a process that hangs leads on")
	}
	took := time.Since(began)
	first.signal(syscall.SIGCONT)
	if a := first.client().must(ctx, "GET", "/healthz", "", "", nil); a.status != http.StatusOK {
		c.faults.add("a process that went on after it hung: %d", a.status)
	}
	fmt.Printf("another process leads %s after the one that led began to hang\n", took.Round(time.Millisecond))
}

// measureEnds measures how long an ended session is good for at other processes.
func (c *cluster) measureEnds(ctx context.Context) {
	var took []time.Duration
	for i := range 30 {
		access, refresh, err := c.proxy().signIn(ctx, "ann")
		if err != nil {
			c.faults.add("%v", err)
			return
		}
		var clients []*client
		for j := range processes {
			k := c.members[(i+j)%processes].client()
			if a := k.try(ctx, "GET", "/users/me", access, "", nil); a.status != http.StatusOK {
				c.faults.add("a new session: %d", a.status)
			}
			clients = append(clients, k)
		}
		if a := clients[0].try(ctx, "POST", "/auth/logout", "", "", map[string]string{"refresh_token": refresh}); !a.done() {
			c.faults.add("sign out: %d %s", a.status, a.text)
		}
		ended := time.Now()
		var all sync.WaitGroup
		var mu sync.Mutex
		for _, k := range clients {
			all.Go(func() {
				last := time.Duration(0)
				for limit := ended.Add(2 * time.Second); time.Now().Before(limit); time.Sleep(time.Millisecond) {
					asked := time.Since(ended)
					if k.try(ctx, "GET", "/users/me", access, "", nil).status == http.StatusUnauthorized {
						break
					}
					last = asked
				}
				mu.Lock()
				defer mu.Unlock()
				took = append(took, last)
			})
		}
		all.Wait()
	}
	if slices.Max(took) > 100*time.Millisecond {
		c.faults.add("an ended session was good for %s", slices.Max(took))
	}
	fmt.Println("ended sessions are good elsewhere for", percentiles(took))
}

// measureStreams measures how soon a stream of one process tells of a change at another one.
func (c *cluster) measureStreams(ctx context.Context, l *load) {
	var mu sync.Mutex
	at := map[string][]time.Time{}
	listening, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, m := range c.members {
		ticket := c.proxy().must(ctx, "POST", "/events/tickets", l.access, "", nil).str("ticket")
		all.Go(func() {
			after := ""
			_ = l.follow(listening, m.client(), ticket, &after, func(title string, when time.Time) {
				mu.Lock()
				defer mu.Unlock()
				at[title] = append(at[title], when)
			})
		})
	}
	told := func(title string) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return len(at[title]) >= processes }
	}
	if !until(ctx, told("")) {
		c.faults.add("streams do not begin")
	}
	var took []time.Duration
	for i := range 60 {
		title := fmt.Sprint("told-", i)
		began := time.Now()
		if a := c.members[i%processes].client().try(ctx, "POST", "/tasks/", l.access, "", map[string]string{"title": title}); !a.done() {
			c.faults.add("a task was refused: %d %s", a.status, a.text)
			continue
		}
		if !until(ctx, told(title)) {
			c.faults.add("a stream has not told of a change within %s", patience)
			continue
		}
		mu.Lock()
		for _, when := range at[title] {
			took = append(took, when.Sub(began))
		}
		mu.Unlock()
	}
	stop()
	all.Wait()
	fmt.Println("streams of all processes tell of a change, reckoned from its request, after", percentiles(took))
}

// readLogs looks for what no kill explains.
func (c *cluster) readLogs() {
	kinds := map[string]int{}
	for _, m := range c.members {
		text, err := os.ReadFile(m.logFile())
		if err != nil {
			c.faults.add("%v", err)
		}
		for line := range strings.SplitSeq(string(text), "\n") {
			if strings.Contains(line, `"panic`) || strings.Contains(line, "DATA RACE") || strings.Contains(line, `"status":500`) {
				c.faults.add("process %d: %.300s", m.number, line)
			}
			if strings.Contains(line, `"level":"ERROR"`) {
				_, message, _ := strings.Cut(line, `"msg":"`)
				message, _, _ = strings.Cut(message, `"`)
				kinds[message]++
			}
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Printf("logged as an error: %s (%d times)\n", kind, kinds[kind])
	}
}
