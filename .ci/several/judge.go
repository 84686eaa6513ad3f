package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// grace is how long after the end of a leader, or of the database server, something may go out
// for a second time: whoever leads next waits for ten seconds after the database has failed.
const grace = 15 * time.Second

// refuseOtherKeys starts a process with another key, which must not serve.
func (c *cluster) refuseOtherKeys(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	other := &member{c: c, number: processes + 1, address: fmt.Sprint("127.0.0.1:", port)}
	command := exec.CommandContext(ctx, c.program, other.flags()...) //nolint:gosec // what was built before
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "TASKAPI_JWT_SECRET=another " + secret}
	out, err := command.CombinedOutput()
	if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "TASKAPI_JWT_SECRET") {
		c.faults.add("a process with another key serves: %v %s", err, out)
	}
	return nil
}

// killProcesses kills one process after the other, by turns the one that leads, and starts it again.
func (c *cluster) killProcesses(ctx context.Context, p plan) {
	var took, led []time.Duration
	rest(ctx, 2*time.Second)
	for i, end := 0, time.Now().Add(p.kills); time.Now().Before(end) && ctx.Err() == nil; i++ {
		began := time.Now()
		m, leads := c.members[i%processes], c.leader(ctx)
		if leads == nil {
			c.faults.add("nobody leads %s after the last kill", p.every)
		} else if i%2 == 0 {
			m = leads
		}
		m.kill()
		if c.killed++; m == leads {
			c.mu.Lock()
			c.kills = append(c.kills, time.Now())
			c.mu.Unlock()
			lost := time.Now()
			if until(ctx, 15*time.Second, func() bool { return c.leader(ctx) != nil }) {
				led = append(led, time.Since(lost))
			}
		}
		rest(ctx, time.Second-time.Since(began))
		again := time.Now()
		if err := m.start(); err != nil {
			c.faults.add("%v", err)
		}
		took = append(took, time.Since(again))
		rest(ctx, p.every-time.Since(began))
	}
	fmt.Printf("kills: %d, of a leader %d; another leads after %s; start: %s\n", c.killed, len(c.kills), percentiles(led), percentiles(took))
}

// cutDatabase kills the database server and starts it again.
func (c *cluster) cutDatabase(ctx context.Context, times int) {
	k := c.proxy()
	var down []time.Duration
	for range times {
		began := time.Now()
		c.mu.Lock()
		c.kills = append(c.kills, began)
		c.mu.Unlock()
		if out, err := c.control(ctx, "restart", "-m", "immediate", "-w"); err != nil {
			c.faults.add("pg_ctl restart: %v %s", err, out)
		}
		ok := until(ctx, 15*time.Second, func() bool { return k.try(ctx, "PATCH", "/users/me", "", "", nil).status == 401 && c.writes(ctx) })
		down = append(down, time.Since(began))
		if !ok {
			c.faults.add("nothing is written after the database server was started again")
		}
		if !until(ctx, 15*time.Second, func() bool { return c.leader(ctx) != nil }) {
			c.faults.add("nobody leads after the database server was started again")
		}
		rest(ctx, 4*time.Second)
	}
	fmt.Printf("the database server was killed and started again %d times; written again after %s\n", times, percentiles(down))
}

// writes reports whether all processes write.
func (c *cluster) writes(ctx context.Context) bool {
	for _, m := range c.members {
		if m.client().try(ctx, "POST", "/auth/login", "", "", map[string]string{"email": "nobody@example.com", "password": password}).status != http.StatusUnauthorized {
			return false
		}
	}
	return true
}

// judge looks at what is left of the load.
func (l *load) judge(ctx context.Context) {
	c := l.c
	statuses.mu.Lock()
	fmt.Printf("answers: %v; the longest took %s\n", statuses.status, statuses.longest.Round(time.Millisecond))
	statuses.mu.Unlock()
	times, err := l.titles(ctx)
	if err != nil {
		c.faults.add("the tasks can't be read: %v", err)
		return
	}
	unsure := 0
	for _, title := range l.answered {
		if times[title] != 1 {
			c.faults.add("an answered task is there %d times", times[title])
		}
	}
	for _, title := range l.unsure {
		if unsure += times[title]; times[title] > 1 {
			c.faults.add("a task that was not answered is there %d times", times[title])
		}
	}
	fmt.Printf("tasks: %d answered, each is there once; %d not answered, of which %d are there\n", len(l.answered), len(l.unsure), unsure)
	l.judgeStreams(ctx)
	l.judgeHooks(ctx, times)
	l.judgeMails(ctx)
	l.judgeTheft(ctx)
}

func (l *load) judgeStreams(ctx context.Context) {
	missing := func() (names []string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, seen := range l.seen {
			for _, title := range l.answered {
				if !seen[title] {
					names = append(names, fmt.Sprint(title, " at ", i+1))
				}
			}
		}
		return names
	}
	if !until(ctx, 10*time.Second, func() bool { return len(missing()) == 0 }) {
		names := missing()
		l.c.faults.add("streams have not told of %d tasks, such as %v", len(names), names[:min(len(names), 12)])
	}
	fmt.Printf("streams: %d, opened %d times, have told of all\n", len(l.seen), l.streams.Load())
	l.quit()
	l.listening.Wait()
}

// late counts what came again although no leader, nor the database server, had ended shortly before.
func (c *cluster) late(again []time.Time) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range again {
		if !slices.ContainsFunc(c.kills, func(kill time.Time) bool { return at.After(kill) && at.Before(kill.Add(grace)) }) {
			n++
		}
	}
	return n
}

func (l *load) judgeHooks(ctx context.Context, times map[string]int) {
	c, h := l.c, l.c.hooks
	missing := func() (n int) {
		for title := range times {
			if !h.told(title) {
				n++
			}
		}
		return n
	}
	// One webhook is told of one event after the other, and waits for ten seconds after the
	// database has failed.
	began := time.Now()
	for left := missing(); left > 0; left = missing() {
		if !until(ctx, 20*time.Second, func() bool { return missing() < left }) {
			c.faults.add("the webhook was not told of %d tasks", left)
			break
		}
	}
	took := time.Since(began)
	fired := func() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.due) }
	if !until(ctx, 20*time.Second, func() bool { return fired() == reminders }) {
		c.faults.add("of %d reminders %d have come", reminders, fired())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, what := range []map[string]int{h.titles, h.due} {
		for title, n := range what {
			if n > 1 {
				c.faults.add("%d different messages tell of %s", n, strings.TrimRight(title, "0123456789"))
			}
		}
	}
	if n := c.late(h.again); n > 0 {
		c.faults.add("%d messages came again without a reason", n)
	}
	fmt.Printf("webhook: %d messages, the last %s after the load, %d of them again after a kill; %d reminders, each fired once\n",
		len(h.times), took.Round(time.Millisecond), len(h.again), len(h.due))
}

func (l *load) judgeMails(ctx context.Context) {
	s := l.c.mails
	waiting, err := l.c.ask(ctx, "SELECT recipient FROM mails WHERE status = 'queued' AND attempts > 0")
	if err != nil {
		l.c.faults.add("the outbox can't be read: %v", err)
	}
	missing := func() (names []string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, name := range l.people {
			if !s.to[name] && !slices.Contains(waiting, name) {
				names = append(names, name)
			}
		}
		return names
	}
	if !until(ctx, 20*time.Second, func() bool { return len(missing()) == 0 }) {
		l.c.faults.add("no mail has come to %v", missing())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A mail whose process was killed is sent again after its lease.
	if kills := len(l.c.kills); len(waiting) > kills {
		l.c.faults.add("%d mails wait for their lease to end after %d kills", len(waiting), kills)
	}
	if n := l.c.late(s.again); n > 0 {
		l.c.faults.add("%d mails went out again without a reason", n)
	}
	fmt.Printf("mails: %d to %d addresses, %d of them again, %d wait for the lease of a killed process to end\n", len(s.times), len(s.to), len(s.again), len(waiting))
}

// judgeTheft shows a refresh token that was retired long ago, at another process.
func (l *load) judgeTheft(ctx context.Context) {
	if l.racing == "" {
		return
	}
	fmt.Printf("refreshes: %d races of %d clients at all processes, one successor each\n", l.races.Load(), racers)
	k := [processes]*client{}
	for i, m := range l.c.members {
		k[i] = m.client()
	}
	for i := range k {
		if a := k[i].try(ctx, "GET", "/users/me", l.racingAccess, "", nil); a.status != http.StatusOK {
			l.c.faults.add("the session of the races is over: %d", a.status)
		}
	}
	if a := k[0].try(ctx, "POST", "/auth/refresh", "", "", map[string]string{"refresh_token": l.stolen}); a.status != http.StatusUnauthorized {
		l.c.faults.add("a token that was retired long ago: %d %.100s", a.status, a.text)
	}
	if a := k[1].try(ctx, "POST", "/auth/refresh", "", "", map[string]string{"refresh_token": l.racing}); a.status != http.StatusUnauthorized {
		l.c.faults.add("the session of a stolen token lives at another process: %d", a.status)
	}
	if !until(ctx, 100*time.Millisecond, func() bool {
		return k[2].try(ctx, "GET", "/users/me", l.racingAccess, "", nil).status == http.StatusUnauthorized
	}) {
		l.c.faults.add("the access token of a stolen session is good for longer than 100 ms")
	}
	fmt.Println("theft: a refresh token that was retired long ago ended its session everywhere")
}

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
	if !until(ctx, 15*time.Second, func() bool { first = c.leader(ctx); return first != nil }) {
		c.faults.add("nobody leads in quiet times")
		return
	}
	began := time.Now()
	first.signal(syscall.SIGSTOP)
	if !until(ctx, 20*time.Second, func() bool { now := c.leader(ctx); return now != nil && now != first }) {
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
	if !until(ctx, 5*time.Second, told("")) {
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
		if !until(ctx, 5*time.Second, told(title)) {
			c.faults.add("a stream has not told of a change within 5 s")
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
