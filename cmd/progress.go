package cmd

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// progress is one line on a terminal for what takes over a second. Without a
// terminal it says nothing.
type progress struct {
	out  io.Writer
	what string
	stop chan struct{} // nil without a terminal
	over sync.WaitGroup

	mutex       sync.Mutex
	done, total int64 // total is 0 while nobody knows
}

// progress begins a line; end must be called.
func (a *application) progress(what string) *progress {
	p := &progress{out: a.err, what: what}
	if a.screen() {
		p.stop = make(chan struct{})
		p.over.Go(p.draw)
	}
	return p
}

// show says how far it has come.
func (p *progress) show(done, total int64) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.done, p.total = done, total
}

func (p *progress) draw() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.stop:
			if n > 5 {
				_, _ = fmt.Fprint(p.out, "\r\033[K") // empty, for what is printed next
			}
			return
		case <-tick.C:
			if n >= 5 {
				// A terminal that is gone is no reason to stop.
				_, _ = fmt.Fprintf(p.out, "\r\033[K%s", p.line(n))
			}
		}
	}
}

// line is the text of the moment: a bar, or something that moves.
func (p *progress) line(n int) string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.total == 0 {
		return p.what + strings.Repeat(".", 1+n%3)
	}
	const width = 30
	return fmt.Sprintf("%s [%-*s] %3d %%", p.what, width, strings.Repeat("=", int(width*p.done/p.total)), 100*p.done/p.total)
}

func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		p.over.Wait()
	}
}
