package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The format of the write-ahead log: https://www.sqlite.org/fileformat2.html#the_write_ahead_log
const (
	logHeaderBytes   = 32
	frameHeaderBytes = 24
)

// errBroken: the log is not the one that was read so far, so that frames may be missing.
var errBroken = errors.New("the log of the database does not go on where it was read last")

// logHeader is how a log begins.
type logHeader struct {
	salt  uint64
	begun uint32 // how often the log has begun anew since the file was made
	page  int64
	order binary.ByteOrder // of the words that are summed up
	sum   logSum
	raw   []byte
}

// logSum is the checksum of all that stands before an offset.
type logSum [2]uint32

func (s logSum) number() uint64 { return uint64(s[0])<<32 | uint64(s[1]) }

func (s logSum) add(order binary.ByteOrder, data []byte) logSum {
	for ; len(data) >= 8; data = data[8:] {
		s[0] += order.Uint32(data) + s[1]
		s[1] += order.Uint32(data[4:]) + s[0]
	}
	return s
}

func (h logHeader) frame() int64 { return frameHeaderBytes + h.page }

// offset is where the log ends with so many frames.
func (h logHeader) offset(frames int64) int64 {
	if frames == 0 {
		return 0
	}
	return logHeaderBytes + frames*h.frame()
}

// logView is the log of a database, as it is read and held beside those who write it.
type logView struct {
	path string // of the log
	pool *sql.DB
	// watch asks how long the log is; keep has a read transaction open, so that nobody begins
	// the log anew. It is open while held.
	watch, keep *sql.Conn
	held        bool
}

func openLogView(ctx context.Context, path string, durability Durability) (l *logView, err error) {
	pool, err := openPool(dsn(path, durability, true), 2)
	if err != nil {
		return nil, err
	}
	l = &logView{path: path + "-wal", pool: pool}
	if l.watch, err = pool.Conn(ctx); err == nil {
		l.keep, err = pool.Conn(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return l, nil
}

func (l *logView) close() error {
	return errors.Join(l.release(), l.watch.Close(), l.keep.Close(), l.pool.Close())
}

// checkpoint moves frames into the database as far as nobody is in the way (PASSIVE), or none
// (NOOP), and returns how many frames the log has, and how many of them are in the database.
func (l *logView) checkpoint(ctx context.Context, mode string) (frames, moved int64, err error) {
	var busy int
	err = l.watch.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &frames, &moved)
	return frames, moved, err
}

// hold keeps the log from beginning anew. That needs a reader of the log itself: one that begins
// when all of it is in the database does not look at the log, and holds nothing. So there must be
// a frame that was not moved before, and it must not have been moved meanwhile.
func (l *logView) hold(ctx context.Context) error {
	before, moved, err := l.checkpoint(ctx, "NOOP")
	if err != nil || moved >= before {
		return errors.Join(err, errBroken)
	}
	if _, err := l.keep.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	l.held = true
	var some bool
	err = l.keep.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM meta)").Scan(&some)
	if err == nil {
		var frames int64
		if frames, moved, err = l.checkpoint(ctx, "NOOP"); err == nil && (moved >= before || frames < before) {
			err = errBroken
		}
	}
	if err != nil {
		return errors.Join(err, l.release())
	}
	return nil
}

// release lets the log go.
func (l *logView) release() error {
	if !l.held {
		return nil
	}
	l.held = false
	_, err := l.keep.ExecContext(context.Background(), "ROLLBACK")
	return err
}

// header reads how the log begins; errBroken if it has no beginning.
func (l *logView) header() (h logHeader, err error) {
	h.raw = make([]byte, logHeaderBytes)
	if err := l.readAt(h.raw, 0); err != nil {
		return h, err
	}
	switch magic := binary.BigEndian.Uint32(h.raw); magic {
	case 0x377f0682:
		h.order = binary.LittleEndian
	case 0x377f0683:
		h.order = binary.BigEndian
	default:
		return h, fmt.Errorf("%w: it begins with %08x", errBroken, magic)
	}
	h.page = int64(binary.BigEndian.Uint32(h.raw[8:]))
	h.begun = binary.BigEndian.Uint32(h.raw[12:])
	h.salt = binary.BigEndian.Uint64(h.raw[16:])
	h.sum = logSum{}.add(h.order, h.raw[:24])
	if h.sum.number() != binary.BigEndian.Uint64(h.raw[24:]) || h.page < 512 {
		return h, fmt.Errorf("%w: its header does not add up", errBroken)
	}
	return h, nil
}

func (l *logView) readAt(into []byte, from int64) (err error) {
	file, err := os.Open(l.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err = file.ReadAt(into, from); errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends early", errBroken)
	}
	return err
}

// sumAt is the checksum that stands in the last frame before an offset.
func (l *logView) sumAt(h logHeader, end int64) (sum logSum, err error) {
	if end < logHeaderBytes+h.frame() {
		return h.sum, nil
	}
	words := make([]byte, 8)
	err = l.readAt(words, end-h.frame()+16)
	return logSum{binary.BigEndian.Uint32(words), binary.BigEndian.Uint32(words[4:])}, err
}

// read reads from one offset to another, the header being before the first frame, and checks
// that each frame belongs there.
func (l *logView) read(h logHeader, from, to int64, sum logSum) (data []byte, next logSum, err error) {
	data = make([]byte, to-from)
	if err := l.readAt(data, from); err != nil {
		return nil, sum, err
	}
	frames := data
	if from == 0 {
		if string(data[:logHeaderBytes]) != string(h.raw) {
			return nil, sum, errBroken
		}
		frames, sum = data[logHeaderBytes:], h.sum
	}
	for ; len(frames) > 0; frames = frames[h.frame():] {
		sum = sum.add(h.order, frames[:8]).add(h.order, frames[frameHeaderBytes:h.frame()])
		if binary.BigEndian.Uint64(frames[8:]) != h.salt || binary.BigEndian.Uint64(frames[16:]) != sum.number() {
			return nil, sum, fmt.Errorf("%w: a frame before %d does not add up", errBroken, to-int64(len(frames))+h.frame())
		}
	}
	return data, sum, nil
}

// whole is how many frames of a file there are up to the last that ends a transaction.
func (l *logView) whole() (frames int64, err error) {
	h, err := l.header()
	if err != nil {
		return 0, err
	}
	file, err := os.Open(l.path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	begin := make([]byte, frameHeaderBytes)
	for n := int64(0); ; n++ {
		if _, err := file.ReadAt(begin, logHeaderBytes+n*h.frame()); errors.Is(err, io.EOF) {
			return frames, nil
		} else if err != nil {
			return 0, err
		}
		if binary.BigEndian.Uint32(begin[4:]) != 0 {
			frames = n + 1
		}
	}
}
