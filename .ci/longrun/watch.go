package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// sample is what the server holds at a moment. Sizes are in MiB; the heap is what of it was alive
// when garbage was last collected, which follows from the size at which it is collected next.
type sample struct {
	resident, heap, wal float64
	open, goroutines    int
	queued, dead        int
	waiting             int
	behind              float64
}

func (s sample) String() string {
	return fmt.Sprintf("resident %5.1f MiB, heap %5.1f MiB, log %4.1f MiB, %3d descriptors, %3d goroutines", s.resident, s.heap, s.wal, s.open, s.goroutines)
}

// metricsClient keeps no connection, which would be among the descriptors.
func metricsClient() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// take looks at the server.
func (r *run) take() (s sample, err error) {
	values, err := r.server.scrape(metricsClient())
	if err != nil {
		return s, err
	}
	pid := r.server.cmd.Process.Pid
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return s, err
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return s, err
	}
	var size, resident int
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return s, err
	}
	const mib = 1 << 20
	return sample{
		resident: float64(resident*os.Getpagesize()) / mib, heap: values["go_memstats_next_gc_bytes"] / (1 + values["go_gc_gogc_percent"]/100) / mib, wal: values["taskapi_database_wal_bytes"] / mib,
		open: len(files), goroutines: int(values["go_goroutines"]),
		queued: int(values[`taskapi_outbox_mails{status="queued"}`]), dead: int(values[`taskapi_outbox_mails{status="dead"}`]),
		waiting: int(values["taskapi_webhooks_waiting"]), behind: values["taskapi_webhooks_behind_seconds"],
	}, nil
}

// warmUp makes the people, lets them do a little, so that the pools of the server are as large
// as they become, and returns what the server holds when they have left.
func (r *run) warmUp() (base sample, err error) {
	for i := range r.plan.people {
		r.people = append(r.people, newPerson(r, i))
	}
	for i, p := range r.people {
		p.friend = r.people[(i+1)%len(r.people)]
		if err := p.arrive(); err != nil {
			return base, err
		}
	}
	if err := r.yesterday(); err != nil {
		return base, err
	}
	r.live(5 * time.Second)
	// At rest is who has not changed for longer than an idle goroutine of fasthttp is kept, which is
	// ten seconds.
	for same, n := 0, 0; same < 11 && n < 45; n++ {
		time.Sleep(time.Second)
		next, err := r.take()
		if err != nil {
			return base, err
		}
		if same++; next.open != base.open || next.goroutines != base.goroutines {
			same = 0
		}
		base = next
	}
	fmt.Println("at rest, warmed up:", base)
	return base, nil
}

// leave lets all people hang up.
func (r *run) leave() {
	for _, p := range r.people {
		p.http.CloseIdleConnections()
	}
}

// traffic lets all people live and watches the server meanwhile.
func (r *run) traffic(sample) []sample {
	ctx, cancel := context.WithTimeout(context.Background(), r.plan.traffic)
	defer cancel()
	var group sync.WaitGroup
	heard := &listening{}
	for i, p := range r.people {
		group.Go(func() { p.live(ctx) })
		if i%2 == 0 {
			group.Go(func() { p.listen(ctx, heard) })
		}
	}
	// What is refused is sent again after a minute, for which only a long run has the time.
	r.mails.refusing.Store(r.plan.long())
	r.hooks.failing.Store(true)
	all := r.watch(ctx)
	group.Wait()
	r.leave()
	heard.print()
	if heard.changes.Load() == 0 || heard.ready.Load() == 0 {
		r.faults.add("the streams have told nothing")
	}
	r.contract.judge()
	return all
}

// watch looks until the end, and rotates the log.
func (r *run) watch(ctx context.Context) (all []sample) {
	look, rotate := time.NewTicker(r.plan.look), time.NewTicker(r.plan.rotateEvery)
	defer look.Stop()
	defer rotate.Stop()
	began, printed := time.Now(), time.Now()
	for rotations := 1; ; {
		select {
		case <-ctx.Done():
			return all
		case <-rotate.C:
			if err := r.server.rotate(rotations); err != nil {
				r.faults.add("rotate the log: %v", err)
			}
			if rotations++; time.Since(began) > r.plan.traffic/2 {
				r.mails.refusing.Store(false)
			}
		case <-look.C:
			s, err := r.take()
			if err != nil {
				r.faults.add("look at the server: %v", err)
				continue
			}
			if all = append(all, s); time.Since(printed) >= r.plan.traffic/20 {
				fmt.Printf("%6s %v; %d webhooks wait, %.0f s behind, %d mails queued\n", time.Since(began).Round(time.Second), s, s.waiting, s.behind, s.queued)
				printed = time.Now()
			}
		}
	}
}

// median of something of samples.
func median(all []sample, of func(sample) float64) float64 {
	values := make([]float64, 0, len(all))
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// judgeLoad compares the last third of the traffic with the first, without a fifth of the time
// for warming up.
//
// Connections, streams and people are as many throughout, so descriptors and goroutines may
// differ by those that happen to work: a goroutine or two for each person. The heap is compared by
// its least, since each password that is hashed when garbage is collected adds 19 MiB; it may grow
// by the caches that are still filled after minutes, such as those of answers: 6 MiB and a quarter. What is resident is the heap with its garbage, which is up to as much again, and
// SQLite's own caches: 32 MiB and a quarter. The log begins anew at each checkpoint, which the
// longest reader of the time holds up, a backup.
func (r *run) judgeLoad(all []sample) {
	warm := all[len(all)/5:]
	if len(warm) < 9 { // the machine is too busy
		fmt.Printf("NOT COMPARED: only %d looks at the server succeeded\n", len(all))
		return
	}
	third := len(warm) / 3
	first, last := warm[:third], warm[len(warm)-third:]
	judge := func(what string, of func(sample) float64, pick func([]sample, func(sample) float64) float64, factor, slack float64) {
		before, after := pick(first, of), pick(last, of)
		fmt.Printf("%-12s %6.1f in the first third, %6.1f in the last\n", what, before, after)
		if after > before*factor+slack {
			r.faults.add("%s grew under load from %.1f to %.1f", what, before, after)
		}
	}
	people := float64(r.plan.people)
	judge("resident", func(s sample) float64 { return s.resident }, median, 1.25, 32)
	judge("heap", func(s sample) float64 { return s.heap }, least, 1.25, 6)
	judge("descriptors", func(s sample) float64 { return float64(s.open) }, median, 1, people)
	judge("goroutines", func(s sample) float64 { return float64(s.goroutines) }, median, 1, 2*people)
	judge("log", func(s sample) float64 { return s.wal }, median, 1.5, 8)
}

func least(all []sample, of func(sample) float64) float64 {
	value := of(all[0])
	for _, s := range all {
		value = min(value, of(s))
	}
	return value
}

// arrived waits for some time until webhooks and mails have arrived, and returns how the server
// stands then, and which changes webhooks were not told of.
func (r *run) arrived(wait time.Duration) (s sample, missing map[int][]int64) {
	_, missing = r.hooks.missing()
	for end := time.Now().Add(wait); time.Now().Before(end); time.Sleep(time.Second) {
		var err error
		if s, err = r.take(); err != nil {
			r.faults.add("look at the server: %v", err)
			return s, missing
		}
		if _, missing = r.hooks.missing(); len(missing) == 0 && s.queued == 0 && s.waiting == 0 && s.behind == 0 {
			break
		}
	}
	return s, missing
}

// judgeArrivals waits until webhooks and mails have arrived. A try that failed is made again
// after some five seconds, a mail after a minute.
func (r *run) judgeArrivals() {
	wait := 90 * time.Second
	if r.plan.long() {
		wait = 5 * time.Minute
	}
	s, missing := r.arrived(wait)
	owed, _ := r.hooks.missing()
	r.hooks.print()
	r.mails.print()
	fmt.Printf("webhooks were owed %d new tasks\n", owed)
	if owed == 0 {
		r.faults.add("no webhook was owed anything")
	}
	for person, changes := range missing {
		slices.Sort(changes)
		p := r.people[person]
		a := p.call("deliveries", "GET", fmt.Sprintf("/webhooks/%d/deliveries?per_page=100", p.hook), nil)
		r.faults.add("the webhook of person %d was not told of %d changes, the first is %d; its deliveries: %.300s", person, len(changes), changes[0], a.text)
	}
	if dead := r.hooks.refused(); dead != 0 && !r.people[stubborn].gaveUp(dead) {
		r.faults.add("the deliveries do not say that the message %d, which was refused each time, is dead", dead)
	}
	if s.queued != 0 || s.dead != 0 || s.waiting != 0 {
		r.faults.add("%d mails are queued, %d given up, %d webhooks wait", s.queued, s.dead, s.waiting)
	}
}

// judgeRest lets the server rest and compares it with what it was before the traffic.
//
// Descriptors may be more by two connections to the database that the pool has opened for a
// crowd only, of three files each, and one to a receiver; goroutines by those of two people. A
// leak has had some hundred occasions. The heap was alive when garbage was last collected, maybe
// while a password was hashed: 24 MiB and a quarter. Memory goes back to the system slowly, so
// what is resident may be half more than it was, and 48 MiB.
func (r *run) judgeRest(base sample) {
	r.leave()
	time.Sleep(r.plan.rest)
	var s sample
	flat := func() bool {
		return s.open <= base.open+7 && s.goroutines <= base.goroutines+4 && s.heap <= 1.25*base.heap+24 && s.resident <= 1.5*base.resident+48
	}
	// Whoever is cut off, such as slow attackers, has up to half a minute to be so.
	for n := 0; n == 0 || n < 45 && !flat(); n++ {
		time.Sleep(time.Second)
		var err error
		if s, err = r.take(); err != nil {
			r.faults.add("look at the server: %v", err)
			return
		}
	}
	fmt.Println("at rest, at the end:", s)
	if !flat() {
		r.faults.add("at rest the server held %s before, and holds %s at the end", base, s)
		pid := r.server.cmd.Process.Pid
		var names []string
		files, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		for _, file := range files {
			name, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, file.Name()))
			names = append(names, name[strings.LastIndexByte(name, '/')+1:])
		}
		slices.Sort(names)
		fmt.Println("open:", names)
	}
	// The journal_size_limit of the database is 4 MiB.
	if s.wal > 8 {
		r.faults.add("the write-ahead log has %.1f MiB at rest", s.wal)
	}
}
