package replica

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrEmpty: there is nothing to restore.
var ErrEmpty = errors.New("there is no whole copy of a database in it")

// RangeError: the moment is not among those that can be restored.
type RangeError struct{ First, Last time.Time }

func (e *RangeError) Error() string {
	return fmt.Sprintf("it holds the states from %s to %s", text(e.First), text(e.Last))
}

// GapError: something is missing before the moment.
type GapError struct {
	// Until is the last state before it.
	Until time.Time
	Where string
}

func (e *GapError) Error() string {
	if e.Until.IsZero() {
		return "a piece of the log is missing at " + e.Where
	}
	return fmt.Sprintf("a piece of the log is missing at %s; the last state before it is that of %s", e.Where, text(e.Until))
}

func text(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// Recipe is what a state is made of.
type Recipe struct {
	Snapshot Snapshot
	// Logs are played into the snapshot one after the other, the pieces of each in their order.
	Logs [][]Piece
	// At is the time of the last segment, Limit the moment that was asked for; zero for the last one.
	// Segments of the last piece that are newer are left out.
	At, Limit time.Time
}

// chain is what follows a snapshot.
type chain struct {
	logs    [][]Piece
	at      time.Time
	reached bool   // what the snapshot needs
	gap     string // where something is missing; empty if nothing is
}

// Plan says how to make the state of a moment, or the last one if that is zero. Returns ErrEmpty,
// RangeError or GapError.
func (c Content) Plan(at time.Time) (Recipe, error) {
	whole := c.whole()
	if len(whole) == 0 {
		return Recipe{}, ErrEmpty
	}
	first, last := c.span(whole)
	if last.IsZero() {
		return Recipe{}, c.nothing(whole)
	}
	if !at.IsZero() && (at.Before(first) || at.After(last)) {
		return Recipe{}, &RangeError{first, last}
	}
	gap := ""
	for _, s := range whole {
		if !at.IsZero() && s.At.After(at) {
			continue
		}
		found := c.generations[s.Generation].follow(s, at)
		if found.gap != "" {
			gap = found.gap
		}
		if !found.reached {
			continue
		}
		if gap != "" && (at.IsZero() || at.After(found.at)) {
			return Recipe{}, &GapError{Until: found.at, Where: gap}
		}
		return Recipe{Snapshot: s, Logs: found.logs, At: found.at, Limit: at}, nil
	}
	if gap != "" {
		return Recipe{}, &GapError{Where: gap}
	}
	return Recipe{}, &RangeError{first, last}
}

// whole are the snapshots that count, the newest first.
func (c Content) whole() (all []Snapshot) {
	for _, g := range c.generations {
		for _, s := range g.snapshots {
			if s.Whole {
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b Snapshot) int { return b.At.Compare(a.At) })
	return all
}

// span is from the first to the last moment whose state can be made.
func (c Content) span(whole []Snapshot) (first, last time.Time) {
	for _, s := range whole {
		if found := c.generations[s.Generation].follow(s, time.Time{}); found.reached {
			first = s.At
			if found.at.After(last) {
				last = found.at
			}
		}
	}
	return first, last
}

// nothing says why no snapshot is good for anything.
func (c Content) nothing(whole []Snapshot) error {
	for _, s := range whole {
		if found := c.generations[s.Generation].follow(s, time.Time{}); found.gap != "" {
			return &GapError{Where: found.gap}
		}
	}
	return ErrEmpty
}

// follow collects what was written after a snapshot, up to a moment.
func (g *generation) follow(s Snapshot, limit time.Time) chain {
	out := chain{at: s.At}
	for log, more := s.Log, true; more; {
		pieces, end, stopped := cover(g.pieces[log], limit)
		if len(pieces) > 0 {
			out.logs = append(out.logs, pieces)
			if last := pieces[len(pieces)-1].At; !limit.IsZero() && last.After(limit) {
				out.at = maxTime(out.at, limit)
			} else {
				out.at = maxTime(out.at, last)
			}
		}
		if log == s.Log {
			out.reached = end >= s.Needs
		}
		if stopped {
			return out
		}
		if rest := g.pieces[log]; len(rest) > 0 && slices.ContainsFunc(rest, func(p Piece) bool { return p.Start > end }) {
			out.gap = fmt.Sprintf("%s%010x", log.Dir(), end)
			return out
		}
		if log, more = g.next(log, end); !more {
			if g.goesOn(log) {
				out.gap = fmt.Sprintf("%s%010x", log.Dir(), end)
			}
		}
	}
	return out
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// next is the log after one that ends at an offset.
func (g *generation) next(log Log, end int64) (Log, bool) {
	for _, l := range g.logs[log.Index+1] {
		if l.Previous == end {
			return l, true
		}
	}
	return log, false
}

// goesOn reports whether there are later logs than one.
func (g *generation) goesOn(log Log) bool {
	for index := range g.logs {
		if index > log.Index {
			return true
		}
	}
	return false
}

// cover chooses pieces that follow one another from the beginning, the longest at each place, and
// says where they end, and whether the limit stopped it there.
func cover(all []Piece, limit time.Time) (chosen []Piece, end int64, stopped bool) {
	for {
		best, late := Piece{End: end}, Piece{End: end}
		for _, p := range all {
			switch {
			case p.Start > end || p.End <= end:
			case !limit.IsZero() && p.At.After(limit):
				if late.End == end || p.End < late.End {
					late = p
				}
			case p.End > best.End:
				best = p
			}
		}
		switch {
		case best.End > end:
			chosen, end = append(chosen, best), best.End
		case late.End > end:
			// Of several segments in one object the first may be early enough.
			return append(chosen, late), end, true
		default:
			return chosen, end, false
		}
	}
}
