package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// failOver gives the database a synchronous standby, kills it under load and promotes the standby.
// Each process has to end itself, since commits may be lost at that; started again, it goes on where
// the standby is, and no answered write is lost.
func (c *cluster) failOver(ctx context.Context) error {
	folder, port, err := c.startStandby(ctx)
	if err != nil {
		return err
	}
	c.database = fmt.Sprintf("postgres://taskapi@127.0.0.1:%d,127.0.0.1:%d/postgres?target_session_attrs=read-write", c.port, port)
	for _, m := range c.members {
		m.kill()
		if err := m.start(); err != nil {
			return err
		}
	}
	access, _, err := c.proxy().signUp(ctx, "fay")
	if err != nil {
		return err
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	var all, supervised sync.WaitGroup
	answered := make([][]string, 8)
	for i := range answered {
		all.Go(func() { answered[i] = c.writeOn(working, access, fmt.Sprint("standby-", i, "-")) })
	}
	for _, m := range c.members {
		supervised.Go(func() { m.supervise(working) })
	}
	rest(ctx, 2*time.Second)
	if out, err := c.control(ctx, "stop", "-m", "immediate", "-w"); err != nil {
		return fmt.Errorf("pg_ctl stop: %w\n%s", err, out)
	}
	rest(ctx, time.Second)
	if out, err := c.controlOf(ctx, folder, "promote", "-w"); err != nil {
		return fmt.Errorf("pg_ctl promote: %w\n%s", err, out)
	}
	began := time.Now()
	if !until(ctx, func() bool { return c.writes(ctx) }) {
		c.faults.add("nothing is written after a standby has taken over")
	}
	took := time.Since(began)
	rest(ctx, 2*time.Second)
	stop()
	all.Wait()
	supervised.Wait()
	return c.judgeFailOver(ctx, answered, took)
}

func (c *cluster) judgeFailOver(ctx context.Context, answered [][]string, took time.Duration) error {
	times, err := c.titles(ctx)
	if err != nil {
		return err
	}
	n := 0
	for _, some := range answered {
		for _, title := range some {
			if n++; times[title] != 1 {
				c.faults.add("a task that was answered around a failover is there %d times", times[title])
			}
		}
	}
	for _, m := range c.members {
		if m.gaveUp != 1 {
			c.faults.add("process %d ended itself %d times as a standby took over", m.number, m.gaveUp)
		}
	}
	fmt.Printf("a standby took over: all processes write again after %s; %d creates were answered before and after\n", took.Round(time.Millisecond), n)
	return nil
}

// startStandby makes a copy of the database server that each commit waits for.
func (c *cluster) startStandby(ctx context.Context) (folder string, port int, err error) {
	if folder, err = c.folder("standby"); err != nil {
		return "", 0, err
	}
	from := fmt.Sprintf("host=127.0.0.1 port=%d user=taskapi application_name=standby", c.port)
	command := exec.CommandContext(ctx, bin+"pg_basebackup", "-d", from, "-D", filepath.Join(folder, "data"), "-R", "-X", "stream", "-c", "fast")
	command.SysProcAttr, command.Dir = c.credential, folder
	if out, err := command.CombinedOutput(); err != nil {
		return "", 0, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	if port, err = c.startServer(ctx, folder); err != nil {
		return "", 0, err
	}
	for _, query := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"} {
		if _, err := c.ask(ctx, query); err != nil {
			return "", 0, err
		}
	}
	synchronous := func() bool {
		states, err := c.ask(ctx, "SELECT sync_state FROM pg_stat_replication")
		return err == nil && len(states) == 1 && states[0] == "sync"
	}
	if !until(ctx, synchronous) {
		return "", 0, errors.New("the standby does not follow")
	}
	return folder, port, nil
}

// writeOn adds tasks until the context ends, and returns the titles of those that were answered.
func (c *cluster) writeOn(ctx context.Context, access, name string) (answered []string) {
	k := c.proxy()
	for i := 0; ctx.Err() == nil; i++ {
		title := fmt.Sprint(name, i)
		switch a := k.try(context.WithoutCancel(ctx), "POST", "/tasks/", access, "", map[string]string{"title": title}); {
		case a.status == http.StatusCreated:
			answered = append(answered, title)
		case !a.trouble():
			c.faults.add("a task was refused around a failover: %d %.200s", a.status, a.text)
		}
		rest(ctx, pace)
	}
	return answered
}

// supervise starts a process again that has ended itself, as a service manager does.
func (m *member) supervise(ctx context.Context) {
	for {
		m.mu.Lock()
		command, ended := m.cmd, m.ended
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-ended:
		}
		if code := command.ProcessState.ExitCode(); code == 1 {
			m.gaveUp++
		} else {
			m.c.faults.add("process %d ended with %d as a standby took over", m.number, code)
		}
		if err := m.start(); err != nil {
			m.c.faults.add("%v", err)
			return
		}
	}
}
