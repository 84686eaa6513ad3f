package main

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"
)

// slowAttacks lets slowhttptest hold connections in each of its ways, while some people read and
// write. All of those have to be answered; how fast is printed only.
func (r *run) slowAttacks() {
	seconds := strconv.Itoa(max(1, int(r.plan.slow/time.Second)))
	for _, attack := range []struct {
		name string
		args []string
	}{
		{"slow headers", []string{"-H", "-c", "500", "-i", "5", "-x", "24", "-u", r.server.url + "/tasks/"}},
		{"slow bodies", []string{"-B", "-c", "500", "-i", "5", "-s", "8192", "-x", "10", "-t", "POST", "-u", r.server.url + "/auth/login"}},
		{"slow reads", []string{"-X", "-c", "300", "-w", "64", "-y", "256", "-n", "5", "-z", "16", "-k", "3", "-u", r.server.url + "/openapi.json"}},
		{"ranges", []string{"-R", "-c", "300", "-a", "10", "-b", "3000", "-t", "GET", "-u", r.server.url + "/openapi.json"}},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), r.plan.slow+30*time.Second)
		args := append([]string{"-r", "250", "-l", seconds, "-p", "3"}, attack.args...)
		command := exec.CommandContext(ctx, "slowhttptest", args...)
		command.Dir = r.plan.folder
		if err := command.Start(); err != nil {
			r.faults.add("slowhttptest: %v", err)
			cancel()
			return
		}
		took, most := r.meanwhile(r.plan.slow)
		_ = command.Wait() // its status says what it thinks of the server
		cancel()
		if len(took) == 0 {
			r.faults.add("nobody was answered during %s", attack.name)
			continue
		}
		slices.Sort(took)
		fmt.Printf("%-13s %d others were answered, p50 %s, p99 %s; at most %d descriptors\n", attack.name+":", len(took),
			took[len(took)/2].Round(100*time.Microsecond), took[len(took)*99/100].Round(100*time.Microsecond), most)
	}
	r.leave()
}

// meanwhile lets some people read and write for a time, and returns how long each request took
// and how many descriptors the server had at most.
func (r *run) meanwhile(length time.Duration) (took []time.Duration, most int) {
	var mu sync.Mutex
	var group sync.WaitGroup
	end := time.Now().Add(length)
	for _, p := range r.people[:min(4, len(r.people))] {
		group.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				began := time.Now()
				var a answer
				if n%4 == 0 {
					a = p.call("beside attackers", "PATCH", fmt.Sprintf("/lists/%d", p.shared), map[string]string{"name": fmt.Sprint("list ", n)})
				} else {
					a = p.call("beside attackers", "GET", "/tasks/?per_page=20", nil)
				}
				if a.status != http.StatusOK {
					p.r.faults.add("beside attackers: %d %s", a.status, a.text)
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	for ; time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if s, err := r.take(); err != nil {
			r.faults.add("look at the server: %v", err)
		} else {
			most = max(most, s.open)
		}
	}
	group.Wait()
	return took, most
}
