package replica

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Root begins the name of every object.
const Root = "generations/"

// nameTime is how times stand in names: they sort, and every system takes them.
const nameTime = "20060102T150405.000Z"

// Log names a log of a generation.
type Log struct {
	Generation string
	Index      uint32
	Salt       uint64
	// Previous is where the log before it ended; 0 for the first.
	Previous int64
}

// Dir is the folder of a log.
func (l Log) Dir() string {
	return fmt.Sprintf("%s%s/%08x-%016x-%010x/", Root, l.Generation, l.Index, l.Salt, l.Previous)
}

// NewGeneration names a generation that begins now; random keeps two apart.
func NewGeneration(now time.Time, random string) string {
	return now.UTC().Format(nameTime) + "-" + strings.ToLower(random)
}

// Begun is the object that a generation begins with.
func Begun(generation string) string { return Root + generation + "/begun.json" }

// Piece is an object of segments, by its name.
type Piece struct {
	Log
	Start, End int64
	Sum        uint64
	At         time.Time // of the last segment
	Object     string
}

// PieceName is the name of an object of segments that follow one another.
func PieceName(l Log, start int64, last Segment) string {
	return fmt.Sprintf("%s%010x-%010x-%016x-%s.wal", l.Dir(), start, last.End, last.Sum, last.At.UTC().Format(nameTime))
}

// Snapshot is a copy of the whole database, by the name of its folder.
type Snapshot struct {
	Log
	// Needs is the offset in the log up to which that has to be played into the copy.
	Needs int64
	At    time.Time
	// Whole says that its manifest is there.
	Whole bool
	// Objects are its parts and its manifest.
	Objects []string
}

// SnapshotDir is the folder of a snapshot.
func SnapshotDir(l Log, needs int64, at time.Time) string {
	return fmt.Sprintf("%ssnapshot-%010x-%s/", l.Dir(), needs, at.UTC().Format(nameTime))
}

// PartName is the name of a part of a snapshot.
func PartName(dir string, number int) string { return fmt.Sprintf("%s%06d.gz", dir, number) }

// ManifestName is that of a snapshot.
func ManifestName(dir string) string { return dir + "manifest.json" }

const (
	logPattern   = `^generations/([^/]+)/([0-9a-f]{8})-([0-9a-f]{16})-([0-9a-f]{10})/`
	timePattern  = `(\d{8}T\d{6}\.\d{3}Z)`
	piecePattern = logPattern + `([0-9a-f]{10})-([0-9a-f]{10})-([0-9a-f]{16})-` + timePattern + `\.wal$`
	copyPattern  = logPattern + `snapshot-([0-9a-f]{10})-` + timePattern + `/([0-9]+\.gz|manifest\.json)$`
)

// reader knows the forms of names.
type reader struct{ piece, copied *regexp.Regexp }

func newReader() reader {
	return reader{regexp.MustCompile(piecePattern), regexp.MustCompile(copyPattern)}
}

func logOf(parts []string) Log {
	index, _ := strconv.ParseUint(parts[2], 16, 32) // the pattern has looked
	salt, _ := strconv.ParseUint(parts[3], 16, 64)
	return Log{Generation: parts[1], Index: uint32(index), Salt: salt, Previous: offset(parts[4])}
}

func offset(text string) int64 {
	n, _ := strconv.ParseInt(text, 16, 64) // the pattern has looked
	return n
}

// read tells what an object is; nil, nil for what is neither.
func (r reader) read(name string) (*Piece, *Snapshot) {
	if parts := r.piece.FindStringSubmatch(name); parts != nil {
		sum, _ := strconv.ParseUint(parts[7], 16, 64)
		at, err := time.Parse(nameTime, parts[8])
		if err != nil {
			return nil, nil
		}
		return &Piece{Log: logOf(parts), Start: offset(parts[5]), End: offset(parts[6]), Sum: sum, At: at, Object: name}, nil
	}
	if parts := r.copied.FindStringSubmatch(name); parts != nil {
		at, err := time.Parse(nameTime, parts[6])
		if err != nil {
			return nil, nil
		}
		return nil, &Snapshot{Log: logOf(parts), Needs: offset(parts[5]), At: at, Whole: strings.HasSuffix(name, ".json"), Objects: []string{name}}
	}
	return nil, nil
}
