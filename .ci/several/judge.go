package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// grace is how long after the end of a leader, or of the database server, something may go out
// for a second time: whoever leads next waits for ten seconds after the database has failed.
const grace = 15 * time.Second

// refuseOtherKeys starts a process with another key, which must not serve; doctor says the same.
func (c *cluster) refuseOtherKeys(ctx context.Context) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	other := &member{c: c, number: processes + 1, address: fmt.Sprint("127.0.0.1:", port)}
	for _, name := range []string{"serve", "doctor"} {
		command := exec.CommandContext(ctx, c.program, append([]string{name}, other.flags()[1:]...)...) //nolint:gosec // what was built before
		command.Env = []string{"PATH=" + os.Getenv("PATH"), "TASKAPI_JWT_SECRET=another " + secret}
		out, err := command.CombinedOutput()
		if err == nil || ctx.Err() != nil || !strings.Contains(string(out), "TASKAPI_JWT_SECRET") {
			c.faults.add("%s with another key finds nothing wrong: %v %s", name, err, out)
		}
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
			if until(ctx, func() bool { return c.leader(ctx) != nil }) {
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
		ok := until(ctx, func() bool { return k.try(ctx, "PATCH", "/users/me", "", "", nil).status == 401 && c.writes(ctx) })
		down = append(down, time.Since(began))
		if !ok {
			c.faults.add("nothing is written after the database server was started again")
		}
		if !until(ctx, func() bool { return c.leader(ctx) != nil }) {
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
	times, err := c.titles(ctx)
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
	if !until(ctx, func() bool { return len(missing()) == 0 }) {
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
		if !until(ctx, func() bool { return missing() < left }) {
			c.faults.add("the webhook was not told of %d tasks", left)
			break
		}
	}
	took := time.Since(began)
	fired := func() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.due) }
	if !until(ctx, func() bool { return fired() == reminders }) {
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
	if !until(ctx, func() bool { return len(missing()) == 0 }) {
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
	rest(ctx, 100*time.Millisecond)
	if a := k[2].try(ctx, "GET", "/users/me", l.racingAccess, "", nil); a.status != http.StatusUnauthorized {
		l.c.faults.add("the access token of a stolen session is good for longer than 100 ms")
	}
	fmt.Println("theft: a refresh token that was retired long ago ended its session everywhere")
}
