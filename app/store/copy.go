package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// CopySource is a database that is read as of one moment, whoever writes it meanwhile.
type CopySource interface {
	// CountRows returns how many rows of a table are carried.
	CountRows(ctx context.Context, t Table) (int64, error)
	// LastID returns the greatest id that a numbered table has given; 0 for none.
	LastID(ctx context.Context, t Table) (int64, error)
	// ReadTable writes the rows that are carried, a line each (AppendLine).
	ReadTable(ctx context.Context, t Table, lines io.Writer) error
}

// CopyTarget is an empty database of which nobody sees anything until Keep: whatever ends it before
// that leaves nothing behind. Nothing is computed and nothing is checked while its tables are written.
type CopyTarget interface {
	CopySource
	// WriteTable adds the rows of a table.
	WriteTable(ctx context.Context, t Table, lines io.Reader) error
	// Complete adds what the database has beside its rows: indexes, triggers, references, and what
	// ids come next. Returns an error if a row refers to nothing, or is there twice.
	Complete(ctx context.Context, last map[string]int64) error
	// Count runs a query of one number.
	Count(ctx context.Context, query string, n *int64) error
	// Keep makes it a database like any other, and returns when it survives a power cut.
	Keep(ctx context.Context) error
}

// ErrNotSame: what was read back from a copy is not what was written.
var ErrNotSame = errors.New("the copy is not what was copied")

// Copy copies a database into another one.
type Copy struct {
	From CopySource
	To   CopyTarget
	// Progress is told how many rows of how many have been written or read back. May be nil.
	Progress func(done, total int64)

	done, total int64
}

// Copied is a table of a copy.
type Copied struct {
	Table string
	Rows  int64
	// Hash is of all values of all rows, whatever their order.
	Hash string
}

// Run copies everything, reads it back, compares, and keeps the copy. Returns ErrNotSame,
// ErrInconsistent, or what the engines say; then the copy is not kept.
func (c *Copy) Run(ctx context.Context) ([]Copied, error) {
	tables, last := Tables(), map[string]int64{}
	for _, t := range tables {
		n, err := c.From.CountRows(ctx, t)
		if err == nil && t.Numbered {
			last[t.Name], err = c.From.LastID(ctx, t)
		}
		if err != nil {
			return nil, fmt.Errorf("the table %s: %w", t.Name, err)
		}
		c.total += 2 * n
	}
	sums := make([]sum, len(tables))
	for i, t := range tables {
		if err := c.write(ctx, t, &sums[i]); err != nil {
			return nil, fmt.Errorf("the table %s: %w", t.Name, err)
		}
	}
	if err := c.To.Complete(ctx, last); err != nil {
		return nil, err
	}
	copied := make([]Copied, len(tables))
	for i, t := range tables {
		if err := c.compare(ctx, t, &sums[i], last[t.Name]); err != nil {
			return nil, fmt.Errorf("the table %s: %w", t.Name, err)
		}
		copied[i] = Copied{t.Name, sums[i].rows, sums[i].text()}
	}
	if err := Consistent(func(query string, n *int64) error { return c.To.Count(ctx, query, n) }); err != nil {
		return nil, err
	}
	return copied, c.To.Keep(ctx)
}

// errTargetEnded ends the reading of a table that can't be written.
var errTargetEnded = errors.New("the target has ended")

// pipeRoom is how many bytes are handed from one engine to the other at once.
const pipeRoom = 1 << 18

// write copies a table. One engine reads while the other writes.
func (c *Copy) write(ctx context.Context, t Table, s *sum) error {
	out, in := io.Pipe()
	read := make(chan error, 1)
	go func() {
		buffer := bufio.NewWriterSize(in, pipeRoom)
		s.each = c.count
		err := c.From.ReadTable(ctx, t, io.MultiWriter(s, buffer))
		if err == nil {
			err = buffer.Flush()
		}
		_ = in.CloseWithError(err) // never fails; nil is the end of the rows
		read <- err
	}()
	err := c.To.WriteTable(ctx, t, out)
	_ = out.CloseWithError(errTargetEnded) // never fails
	if readErr := <-read; readErr != nil && !errors.Is(readErr, errTargetEnded) {
		return readErr
	}
	return err
}

// compare reads a table back.
func (c *Copy) compare(ctx context.Context, t Table, written *sum, last int64) error {
	found := sum{each: c.count}
	if err := c.To.ReadTable(ctx, t, &found); err != nil {
		return err
	}
	if found.rows != written.rows || found.total != written.total || len(found.rest) > 0 || len(written.rest) > 0 {
		return fmt.Errorf("%w: %d rows, hash %s, were written, and %d rows, hash %s, are there", ErrNotSame, written.rows, written.text(), found.rows, found.text())
	}
	if !t.Numbered {
		return nil
	}
	n, err := c.To.LastID(ctx, t)
	if err == nil && n != last {
		err = fmt.Errorf("%w: the last id was %d, and is %d there", ErrNotSame, last, n)
	}
	return err
}

func (c *Copy) count() {
	if c.done++; c.done%1000 == 0 && c.Progress != nil {
		c.Progress(min(c.done, c.total), c.total)
	}
}

// sum adds up the hashes of lines: a sum does not depend on their order, and counts a line that is
// there twice two times.
type sum struct {
	rows  int64
	total [4]uint64
	rest  []byte // of a line whose end has not come
	each  func()
}

// Write implements io.Writer.
func (s *sum) Write(p []byte) (int, error) {
	written := len(p)
	for {
		at := bytes.IndexByte(p, '\n')
		if at < 0 {
			s.rest = append(s.rest, p...)
			return written, nil
		}
		line := p[:at]
		if len(s.rest) > 0 {
			line = append(s.rest, line...)
		}
		hash := sha256.Sum256(line)
		for i := range s.total {
			s.total[i] += binary.BigEndian.Uint64(hash[8*i:])
		}
		s.rows++
		s.each()
		s.rest, p = s.rest[:0], p[at+1:]
	}
}

// text is the first part of the sum, for people.
func (s *sum) text() string {
	var start [8]byte
	binary.BigEndian.PutUint64(start[:], s.total[0])
	return hex.EncodeToString(start[:])
}
