package todo

import (
	"context"
	"time"

	"taskapi/app"
)

// Place is where among its siblings something is put: before one, after one or, without
// either, first.
type Place struct{ Before, After Ref }

// PlaceInput is what a client says of a place.
type PlaceInput struct{ Before, After app.Field[Ref] }

func (in PlaceInput) read(p app.Problems) (place Place) {
	if before := readRef(p, "before_id", in.Before); before != nil {
		place.Before = *before
	}
	if after := readRef(p, "after_id", in.After); after != nil {
		place.After = *after
	}
	if !place.Before.None() && !place.After.None() {
		p.Merge(ErrNotSibling)
	}
	return place
}

// Move says where a task goes. Nil leaves the list or the parent as it is; another list
// without a parent puts it at the top there.
type Move struct {
	List   *Ref
	Parent *Ref // none: to the top
	Place  Place
	Match  *Match
	Now    time.Time
	Most   int64
}

// Move puts a task elsewhere, with all below it. Returns KindInvalid errors,
// ErrTaskNotFound, ErrListNotFound, ErrReadOnlyList, ErrTooManyTasks of another owner,
// and ErrChangedMeanwhile with the task as it is.
func (t *Tasks) Move(ctx context.Context, caller app.Caller, ref Ref, list, parent app.Field[Ref], place PlaceInput, match *Match) (Task, error) {
	p := app.Problems{}
	move := Move{Parent: readRef(p, "parent_id", parent), Place: place.read(p), Match: match, Now: t.Now(), Most: t.Most}
	if to := readRef(p, "list_id", list); to != nil && !to.None() {
		move.List = to
	}
	err := p.Err()
	if err == nil {
		return t.Store.MoveTask(ctx, caller, ref, move)
	}
	if missing := t.Store.MayChange(ctx, caller, ref); missing != nil {
		return Task{}, missing
	}
	return Task{}, err
}

// Following returns the position of the nth of some new tasks, from 0, of which the first is at
// its default position: after those before, and before what was there already.
func Following(first int64, n, some int) int64 { return first + int64(positionStep*n/some) }

// Between returns a position between two others; false if there is none.
func Between(before, after int64) (position int64, ok bool) {
	middle := before + (after-before)/2
	return middle, middle > before && middle < after
}

// Behind returns a position after another one that is the last.
func Behind(last int64) int64 { return last + positionStep }

// spread is how many neighbours make room at most, unless even that leaves none.
const spread = 64

// Spread makes room after a position, before the siblings that follow it in order: it
// returns a position for the newcomer and new ones for the first few of them, whose order
// stays.
func Spread(before int64, following []int64) (newcomer int64, moved []int64) {
	const enough = 16 // so that the next few need no spreading
	count, step := len(following), int64(positionStep)
	for n := 1; n < len(following); n++ {
		room := (following[n] - before) / int64(n+2)
		if room >= enough || n >= spread && room >= 1 {
			count, step = n, room
			break
		}
	}
	for i := range count {
		moved = append(moved, before+step*int64(i+2))
	}
	return before + step, moved
}
