package replica

import (
	"context"
	"slices"
	"strings"
)

// Look lists what a place holds, also while a server writes it: at least what was there when it began.
// A listing is not made at one moment, so that one may miss a bundle that is just being put, and the
// objects that go because they are in it. No bundle is missed twice. Some of what it returns may have
// gone: GetPiece finds that again.
func Look(ctx context.Context, place Place) ([]Object, error) {
	before, err := place.List(ctx, Root)
	if err != nil {
		return nil, err
	}
	all, err := place.List(ctx, Root)
	all = append(all, before...)
	slices.SortFunc(all, func(a, b Object) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(all, func(a, b Object) bool { return a.Name == b.Name }), err
}

// GetPiece returns an object of segments, or the one that it was bundled into meanwhile, which may
// hold more than the piece; fs.ErrNotExist if there is neither. What is in a bundle is bundled no more.
func GetPiece(ctx context.Context, place Place, p Piece) ([]byte, error) {
	data, err := place.Get(ctx, p.Object)
	if !missing(err) {
		return data, err
	}
	objects, listErr := place.List(ctx, p.Dir())
	if listErr != nil {
		return nil, listErr
	}
	for _, one := range Read(objects).pieces(p.Log) {
		if one.Start <= p.Start && one.End >= p.End {
			return place.Get(ctx, one.Object)
		}
	}
	return nil, err
}
