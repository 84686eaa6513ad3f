package logs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipe is a log whose reader reads only when it is told to.
type pipe struct {
	text   bytes.Buffer
	blocks chan struct{} // closed: it flows
	err    error
}

func (p *pipe) Write(text []byte) (int, error) {
	<-p.blocks
	if p.err != nil {
		return 0, p.err
	}
	return p.text.Write(text)
}

// begin makes a queue in front of a pipe, and a log of what it reports.
func begin(p *pipe) *Queue {
	return NewQueue(p, time.Now, func(dropped int64) { fmt.Fprintf(&p.text, "dropped %d\n", dropped) })
}

func TestLinesComeInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{blocks: make(chan struct{})}
		close(p.blocks)
		q := begin(p)
		want := ""
		for i := range 1000 {
			line := fmt.Sprintln("line", i)
			want += line
			if n, err := q.Write([]byte(line)); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		if !q.Close(time.Second) || p.text.String() != want {
			t.Errorf("%d bytes of %d", p.text.Len(), len(want))
		}
		if lines, _ := q.Dropped(); lines != 0 {
			t.Errorf("%d were dropped", lines)
		}
	})
}

// Nobody who writes waits for a log that blocks, nor does the end; what was
// dropped is said when it flows again.
func TestALogNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{blocks: make(chan struct{})}
		q := begin(p)
		line := []byte(strings.Repeat("x", 999) + "\n")
		for i := range 5000 {
			if _, err := q.Write(line); err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				synctest.Wait() // the writer blocks with it in its hand
			}
		}
		dropped, last := q.Dropped()
		if dropped < 3000 || dropped == 5000 || last.IsZero() {
			t.Errorf("%d of 5000 were dropped", dropped)
		}
		close(p.blocks)
		synctest.Wait()
		if _, err := q.Write([]byte("again\n")); err != nil {
			t.Fatal(err)
		}
		if !q.Close(time.Second) {
			t.Error("it did not end")
		}
		text := p.text.String()
		if written := int64(strings.Count(text, "x\n")); written+dropped != 5000 || !strings.Contains(text, fmt.Sprintf("dropped %d\n", dropped)) || !strings.HasSuffix(text, "again\n") {
			t.Errorf("%d written, %d dropped, the end is %q", written, dropped, text[max(0, len(text)-100):])
		}
	})
}

func TestTheEndDoesNotWaitForALog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{blocks: make(chan struct{})}
		q := begin(p)
		if _, err := q.Write([]byte("x\n")); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if q.Close(2*time.Second) || time.Since(began) != 2*time.Second { // of the bubble
			t.Errorf("it ended after %s", time.Since(began))
		}
		if _, err := q.Write([]byte("too late\n")); err != nil {
			t.Error(err)
		}
		close(p.blocks)
	})
}

func TestALogThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipe{blocks: make(chan struct{}), err: errors.New("broken pipe")}
		close(p.blocks)
		q := begin(p)
		for range 3 {
			if _, err := q.Write([]byte("x\n")); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if lines, _ := q.Dropped(); lines != 3 {
			t.Errorf("%d were dropped", lines)
		}
		q.Close(time.Second)
	})
}
