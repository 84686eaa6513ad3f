package replica

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Content is what a place holds, by the names of its objects.
type Content struct {
	generations map[string]*generation
}

// generation is what a place holds of one.
type generation struct {
	name      string
	logs      map[uint32][]Log // more than one only after a mistake
	pieces    map[Log][]Piece  // by Start
	snapshots []Snapshot       // by At
	objects   []string         // all of them
}

// Read sorts the objects of a place.
func Read(objects []Object) Content {
	c, names := Content{map[string]*generation{}}, newReader()
	for _, object := range objects {
		rest, ours := strings.CutPrefix(object.Name, Root)
		name, _, inside := strings.Cut(rest, "/")
		if !ours || !inside {
			continue
		}
		g := c.generations[name]
		if g == nil {
			g = &generation{name: name, logs: map[uint32][]Log{}, pieces: map[Log][]Piece{}}
			c.generations[name] = g
		}
		g.objects = append(g.objects, object.Name)
		piece, snapshot := names.read(object.Name)
		switch {
		case piece != nil:
			g.log(piece.Log)
			g.pieces[piece.Log] = append(g.pieces[piece.Log], *piece)
		case snapshot != nil:
			g.log(snapshot.Log)
			g.snapshot(*snapshot)
		}
	}
	for _, g := range c.generations {
		for _, pieces := range g.pieces {
			slices.SortFunc(pieces, func(a, b Piece) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End)) })
		}
		slices.SortFunc(g.snapshots, func(a, b Snapshot) int { return a.At.Compare(b.At) })
	}
	return c
}

func (g *generation) log(l Log) {
	if !slices.Contains(g.logs[l.Index], l) {
		g.logs[l.Index] = append(g.logs[l.Index], l)
	}
}

func (g *generation) snapshot(s Snapshot) {
	for i, one := range g.snapshots {
		if one.Log == s.Log && one.Needs == s.Needs && one.At.Equal(s.At) {
			g.snapshots[i].Objects = append(one.Objects, s.Objects...)
			g.snapshots[i].Whole = one.Whole || s.Whole
			return
		}
	}
	g.snapshots = append(g.snapshots, s)
}

// pieces are those of a log, by Start.
func (c Content) pieces(l Log) []Piece {
	if g := c.generations[l.Generation]; g != nil {
		return g.pieces[l]
	}
	return nil
}

// byAge are the generations, the newest first.
func (c Content) byAge() []*generation {
	var all []*generation
	for _, g := range c.generations {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *generation) int { return strings.Compare(b.name, a.name) })
	return all
}

// Newest returns the name of the newest generation that something was sent of.
func (c Content) Newest() (generation string, found bool) {
	all := c.byAge()
	if len(all) == 0 {
		return "", false
	}
	return all[0].name, true
}

// lastChange is the time of the newest object of a generation.
func (g *generation) lastChange() (at time.Time) {
	for _, pieces := range g.pieces {
		for _, p := range pieces {
			if p.At.After(at) {
				at = p.At
			}
		}
	}
	for _, s := range g.snapshots {
		if s.At.After(at) {
			at = s.At
		}
	}
	return at
}

// Tail is the end of the newest generation.
type Tail struct {
	Piece
	// Snapshot is when its newest whole snapshot was made; zero without one.
	Snapshot time.Time
}

// Tail returns where the newest generation ends; false if there is none with a segment.
func (c Content) Tail() (t Tail, found bool) {
	all := c.byAge()
	if len(all) == 0 {
		return t, false
	}
	g := all[0]
	for log, pieces := range g.pieces {
		for _, p := range pieces {
			if !found || log.Index > t.Index || log.Index == t.Index && p.End > t.End {
				t.Piece, found = p, true
			}
		}
	}
	for _, s := range g.snapshots {
		if s.Whole {
			t.Snapshot = s.At
		}
	}
	return t, found
}

// Snapshots are the times of all whole snapshots, the oldest first.
func (c Content) Snapshots() (all []time.Time) {
	for _, g := range c.generations {
		for _, s := range g.snapshots {
			if s.Whole {
				all = append(all, s.At)
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}
