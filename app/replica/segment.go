package replica

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrDamaged: an object is not what was written.
var ErrDamaged = errors.New("it is damaged")

// Segment is a piece of a log.
type Segment struct {
	Log
	// Start and End are its offsets in the log.
	Start, End int64
	// Sum is the log's own checksum at End.
	Sum uint64
	// At is when it was read: all commits in it were made by then.
	At time.Time
	// Bytes are those of the log.
	Bytes []byte
}

// head is the first line of a segment, after the hash of itself and of what follows.
type head struct {
	Index  uint32    `json:"index"`
	Salt   string    `json:"salt"`
	Start  int64     `json:"start"`
	End    int64     `json:"end"`
	Sum    string    `json:"sum"`
	At     time.Time `json:"at"`
	Packed int       `json:"packed"`
}

const (
	hashLetters = 2 * sha256.Size
	mostHead    = 1024
	// mostUnpacked bounds what a segment may become.
	mostUnpacked = 64 << 20
)

// Encode writes a segment: a line of JSON, with its hash before it, and the bytes, compressed.
// Segments that stand one after another are an object of several.
func Encode(s Segment) ([]byte, error) {
	var packed bytes.Buffer
	// Pages compress to a quarter at the fastest setting, and hardly better at others.
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := zip.Write(s.Bytes); err != nil {
		return nil, err
	}
	if err := zip.Close(); err != nil {
		return nil, err
	}
	text, err := json.Marshal(head{s.Index, hex16(s.Salt), s.Start, s.End, hex16(s.Sum), s.At.UTC(), packed.Len()})
	if err != nil {
		return nil, err
	}
	rest := append(append(append([]byte(" "), text...), '\n'), packed.Bytes()...)
	return append([]byte(hexSum(rest)), rest...), nil
}

// Decode reads the segments of an object, and compares their hashes. Returns ErrDamaged.
func Decode(object []byte) (all []Segment, err error) {
	for len(object) > 0 {
		s, size, err := decodeOne(object)
		if err != nil {
			return nil, err
		}
		all, object = append(all, s), object[size:]
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	return all, nil
}

func decodeOne(object []byte) (s Segment, size int, err error) {
	line := bytes.IndexByte(object[:min(len(object), mostHead)], '\n')
	if line <= hashLetters {
		return s, 0, fmt.Errorf("%w: it does not begin as a segment", ErrDamaged)
	}
	var h head
	if err := json.Unmarshal(object[hashLetters:line], &h); err != nil {
		return s, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	size = line + 1 + h.Packed
	if h.Packed < 0 || size > len(object) {
		return s, 0, fmt.Errorf("%w: %d bytes of %d are there", ErrDamaged, len(object), size)
	}
	if hexSum(object[hashLetters:size]) != string(object[:hashLetters]) {
		return s, 0, fmt.Errorf("%w: its hash is another one", ErrDamaged)
	}
	zip, err := gzip.NewReader(bytes.NewReader(object[line+1 : size]))
	if err != nil {
		return s, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s = Segment{Log: Log{Index: h.Index}, Start: h.Start, End: h.End, At: h.At}
	if s.Bytes, err = io.ReadAll(io.LimitReader(zip, mostUnpacked)); err != nil {
		return s, 0, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if s.Salt, err = unhex(h.Salt); err == nil {
		s.Sum, err = unhex(h.Sum)
	}
	if err != nil || int64(len(s.Bytes)) != s.End-s.Start {
		return s, 0, fmt.Errorf("%w: it is not as long as it says", ErrDamaged)
	}
	return s, size, nil
}

func hex16(n uint64) string { return fmt.Sprintf("%016x", n) }

func unhex(text string) (n uint64, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != 8 {
		return 0, errors.Join(err, errors.New("expected 16 hexadecimal digits"))
	}
	for _, b := range raw {
		n = n<<8 | uint64(b)
	}
	return n, nil
}
