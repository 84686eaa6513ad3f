package cmd

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is one line on a terminal for what takes over a second. Without a
// terminal it says nothing.
type progress struct {
	out   io.Writer // nil without a terminal
	what  string
	began time.Time
	shown time.Time
}

func (a *application) progress(what string) *progress {
	p := &progress{what: what, began: time.Now()}
	if a.screen() {
		p.out = a.err
	}
	return p
}

func (p *progress) show(done, total int64) {
	now := time.Now()
	if p.out == nil || total == 0 || now.Sub(p.began) < time.Second || now.Sub(p.shown) < 100*time.Millisecond {
		return
	}
	p.shown = now
	const width = 30
	full := int(width * done / total)
	// A terminal that is gone is no reason to stop.
	_, _ = fmt.Fprintf(p.out, "\r%s [%-*s] %3d %%", p.what, width, strings.Repeat("=", full), 100*done/total)
}

// end leaves the line empty for what is printed next.
func (p *progress) end() {
	if !p.shown.IsZero() {
		_, _ = fmt.Fprintf(p.out, "\r\033[K")
	}
}
