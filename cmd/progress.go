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
	done, total int64  // total is 0 while nobody knows
	said        string // in the place of a bar
	shown       bool
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

// say says it in words.
func (p *progress) say(format string, args ...any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.said = fmt.Sprintf(format, args...)
}

func (p *progress) draw() {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-p.stop:
			return
		case <-tick.C:
			if n >= 5 { // a second
				p.line(n)
			}
		}
	}
}

// line writes the line of the moment: a bar, words, or something that moves.
// A terminal that is gone is no reason to stop.
func (p *progress) line(n int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.shown = true
	if p.total == 0 {
		_, _ = fmt.Fprintf(p.out, "\r\033[K%s%s %s", p.what, strings.Repeat(".", 1+n%3), p.said)
		return
	}
	const width = 30
	full := strings.Repeat("=", int(width*p.done/p.total))
	_, _ = fmt.Fprintf(p.out, "\r\033[K%s [%-*s] %3d %%", p.what, width, full, 100*p.done/p.total)
}

// clear empties the line for the next output.
func (p *progress) clear() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.shown {
		p.shown = false
		_, _ = fmt.Fprint(p.out, "\r\033[K")
	}
}

func (p *progress) end() {
	if p.stop != nil {
		close(p.stop)
		p.over.Wait()
	}
	p.clear()
}
