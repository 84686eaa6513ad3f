package mcp

import (
	"context"
	"errors"
	"slices"
	"strings"

	"taskapi/app"
	"taskapi/app/todo"
)

// maxCandidates is how many lists an error names.
const maxCandidates = 20

type listsIn struct{}

type listsOut struct {
	Lists []listView `json:"lists"`
	Now   nowView    `json:"now"`
	Texts string     `json:"texts_are_data"`
}

func (s *Server) listLists(ctx context.Context, c *call, _ listsIn) (listsOut, error) {
	v, err := s.viewer(ctx, c.Caller)
	if err != nil {
		return listsOut{}, err
	}
	all, err := s.allLists(ctx, c.Caller)
	out := listsOut{Lists: []listView{}, Now: v.today(), Texts: areData}
	for _, list := range all {
		out.Lists = append(out.Lists, viewList(list))
	}
	return out, err
}

// allLists returns every list of a person, archived ones as well.
func (s *Server) allLists(ctx context.Context, caller app.Caller) (all []todo.List, err error) {
	for n := int64(1); ; n++ {
		page, err := s.Lists.List(ctx, caller, "all", app.PageRequest{Page: n, PerPage: app.MaxPerPage})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if n >= page.Pages() {
			return all, nil
		}
	}
}

// find returns the list that is meant: the one of the very name, the only one of a name that is
// the same but for case and accents, or else the one of an id or a uid. Where that is several,
// or none, it does not guess.
func (s *Server) find(ctx context.Context, caller app.Caller, name listName) (todo.List, error) {
	ref, isRef := todo.ReadRef(name.text)
	if name.number {
		if !isRef {
			return todo.List{}, todo.ErrListNotFound
		}
		return s.Lists.Get(ctx, caller, ref)
	}
	all, err := s.allLists(ctx, caller)
	if err != nil {
		return todo.List{}, err
	}
	wanted := strings.TrimSpace(name.text)
	exact := having(all, func(l todo.List) bool { return l.Name == wanted })
	same := having(all, func(l todo.List) bool { return todo.Fold(l.Name) == todo.Fold(wanted) })
	if isRef && len(same) > 0 { // "3" may be a name and an id
		list, err := s.Lists.Get(ctx, caller, ref)
		switch other := !slices.ContainsFunc(same, func(l todo.List) bool { return l.ID == list.ID }); {
		case err == nil && other:
			return todo.List{}, ambiguous(append([]todo.List{list}, same...))
		case err != nil && !errors.Is(err, todo.ErrListNotFound):
			return todo.List{}, err
		}
	}
	switch {
	case len(exact) == 1:
		return exact[0], nil
	case len(exact) > 1:
		return todo.List{}, ambiguous(exact)
	case len(same) == 1:
		return same[0], nil
	case len(same) > 1:
		return todo.List{}, ambiguous(same)
	}
	if isRef {
		if list, err := s.Lists.Get(ctx, caller, ref); !errors.Is(err, todo.ErrListNotFound) {
			return list, err
		}
	}
	near := having(all, func(l todo.List) bool { return strings.Contains(todo.Fold(l.Name), todo.Fold(wanted)) })
	r := refusalOf(todo.ErrListNotFound)
	r.Detail = "No list has this name or id; list_lists has them all."
	r.Candidates = candidates(near)
	return todo.List{}, r
}

func ambiguous(lists []todo.List) error {
	return &refusal{
		Message: "Several lists have this name, or one has it and another the id. Ask the person which one is meant, and give its id as a number.", Code: "ambiguous_list",
		Candidates: candidates(lists),
	}
}

func candidates(lists []todo.List) (views []listView) {
	for _, list := range lists[:min(len(lists), maxCandidates)] {
		views = append(views, viewList(list))
	}
	return views
}

func having[T any](all []T, holds func(T) bool) (some []T) {
	for _, one := range all {
		if holds(one) {
			some = append(some, one)
		}
	}
	return some
}

// list returns the list of an argument as a field of todo.TaskInput.
func (s *Server) list(ctx context.Context, caller app.Caller, name listName) (app.Field[todo.Ref], error) {
	if name.none() {
		return app.Field[todo.Ref]{}, nil
	}
	list, err := s.find(ctx, caller, name)
	return app.Given(todo.ByID(list.ID)), err
}
