package replica

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"testing"
	"time"
)

// moving is a place in which something happens in the middle of a listing, as it may.
type moving struct {
	Place
	meanwhile func()
}

func (m *moving) List(ctx context.Context, prefix string) ([]Object, error) {
	before, err := m.Place.List(ctx, prefix)
	if err != nil || m.meanwhile == nil {
		return before, err
	}
	m.meanwhile()
	m.meanwhile = nil
	after, err := m.Place.List(ctx, prefix)
	middle := before[len(before)/2].Name
	first := slices.DeleteFunc(before, func(o Object) bool { return o.Name > middle })
	return append(first, slices.DeleteFunc(after, func(o Object) bool { return o.Name <= middle })...), err
}

// What a server bundles while it is listed and read is found, and nothing is missed.
func TestAPlaceThatIsWrittenMeanwhile(t *testing.T) {
	place, log := &Folder{Path: t.TempDir()}, Log{Generation: "g", Salt: 7}
	put := func(name string, data string) {
		if err := place.Put(t.Context(), name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var names []string
	for i := range int64(6) {
		names = append(names, PieceName(log, 10*i, Segment{End: 10 * (i + 1), At: at}))
		put(names[i], string(rune('a'+i)))
	}
	put(Begun("g"), "{}")
	bundle := func() {
		put(PieceName(log, 0, Segment{End: 60, At: at}), "abcdef")
		for _, name := range names {
			if err := place.Delete(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
	objects, err := Look(t.Context(), &moving{place, bundle})
	if err != nil {
		t.Fatal(err)
	}
	pieces := Read(objects).pieces(log)
	if chosen, end, _ := cover(pieces, time.Time{}); end != 60 || len(chosen) != 1 {
		t.Errorf("%d, in %d pieces: %v", end, len(chosen), objects)
	}
	gone := Piece{Log: log, Start: 20, End: 30, Object: names[2]}
	if data, err := GetPiece(t.Context(), place, gone); err != nil || string(data) != "abcdef" {
		t.Errorf("%q, %v", data, err)
	}
	gone.End = 70
	if _, err := GetPiece(t.Context(), place, gone); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A folder in which files come and go is listed all the same.
func TestAFolderIsListedWhileFilesGo(t *testing.T) {
	f := &Folder{Path: t.TempDir()}
	if err := f.Put(t.Context(), Begun("g"), nil); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 300 {
			name := Root + "g/log/1.wal"
			if err := errors.Join(f.Put(context.Background(), name, nil), f.Delete(context.Background(), name)); err != nil {
				t.Error(err)
			}
		}
	}()
	for {
		if all, err := f.List(t.Context(), Root); err != nil || len(all) == 0 {
			t.Fatal(all, err)
		}
		select {
		case <-ended:
			return
		default:
		}
	}
}
