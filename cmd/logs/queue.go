// Package logs stands between the program and a log that is read slowly, or by
// nobody: what can't be written in time is dropped and counted, and holds up
// neither a request nor the end.
package logs

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// mostWaiting is how much may wait for a log, in bytes: some thousands of lines.
const mostWaiting = 1 << 20

// Queue hands lines to a writer of its own, which may block for as long as it
// likes. Its methods may be called at the same time.
type Queue struct {
	out    io.Writer
	now    func() time.Time
	report func(dropped int64)

	mu      sync.Mutex
	waiting bytes.Buffer
	closed  bool
	dropped int64 // in all
	unsaid  int64 // of them, those that no line tells of yet
	last    time.Time
	wake    chan struct{}
	done    chan struct{} // closed when all is written after Close
}

// NewQueue begins to write to out. Report is called, when lines flow again, with how
// many were dropped; it may write to out, and runs between two lines of it.
func NewQueue(out io.Writer, now func() time.Time, report func(dropped int64)) *Queue {
	q := &Queue{out: out, now: now, report: report, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write takes one line, or drops it when too much waits. It never fails.
func (q *Queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.waiting.Len()+len(line) > mostWaiting {
		q.drop(1)
		return len(line), nil
	}
	q.waiting.Write(line)
	q.nudge()
	return len(line), nil
}

func (q *Queue) drop(lines int64) {
	q.dropped += lines
	q.unsaid += lines
	q.last = q.now()
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Dropped returns how many lines were dropped in all, and when the last one was.
func (q *Queue) Dropped() (lines int64, last time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped, q.last
}

// Close writes what waits, for as long as it may take at most. False if
// something was left: the writer then goes with the process.
func (q *Queue) Close(wait time.Duration) bool {
	q.mu.Lock()
	q.closed = true
	q.nudge()
	q.mu.Unlock()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-q.done:
		return true
	case <-timer.C:
		return false
	}
}

// run writes until the queue is closed and empty.
func (q *Queue) run() {
	defer close(q.done)
	var batch []byte
	for range q.wake {
		for {
			q.mu.Lock()
			batch = append(batch[:0], q.waiting.Bytes()...)
			q.waiting.Reset()
			closed, unsaid := q.closed, q.unsaid
			q.mu.Unlock()
			if len(batch) == 0 && closed {
				return
			}
			if len(batch) == 0 {
				break
			}
			q.write(batch, unsaid)
		}
	}
}

// write writes lines, and then what was dropped before them.
func (q *Queue) write(batch []byte, unsaid int64) {
	_, err := q.out.Write(batch)
	q.mu.Lock()
	if err != nil { // nobody reads it any more, or its disk is full
		q.drop(int64(bytes.Count(batch, []byte("\n"))))
		q.mu.Unlock()
		return
	}
	q.unsaid -= unsaid
	q.mu.Unlock()
	if unsaid > 0 {
		q.report(unsaid)
	}
}
