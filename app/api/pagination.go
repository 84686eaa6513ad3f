package api

import (
	"fmt"
	"strings"

	"github.com/gofiber/fiber/v2"

	"taskapi/app"
)

type paginationView struct {
	Total   int64 `json:"total"`
	Pages   int64 `json:"pages"`
	Page    int64 `json:"page"`
	PerPage int64 `json:"per_page"`
	HasNext bool  `json:"has_next"`
	HasPrev bool  `json:"has_prev"`
}

func viewPagination[T any](p app.Page[T]) paginationView {
	return paginationView{
		Total: p.Total, Pages: p.Pages(), Page: p.Page, PerPage: p.PerPage,
		HasNext: p.Page < p.Pages(), HasPrev: p.Page > 1,
	}
}

// cursorView is the pagination of a page requested with ?after=.
type cursorView struct {
	Total     int64  `json:"total"`
	PerPage   int64  `json:"per_page"`
	HasNext   bool   `json:"has_next"`
	NextAfter *int64 `json:"next_after"` // null on the last page
}

// paginate sets the Link header of a page and returns its pagination.
func paginate[T any](c *fiber.Ctx, path, filter string, p app.Page[T], id func(T) int64) any {
	if !p.ByCursor {
		view := viewPagination(p)
		link(c, path, filter, view)
		return view
	}
	view := cursorView{Total: p.Total, PerPage: p.PerPage, HasNext: p.More}
	links := fmt.Sprintf(`<%s?%safter=0&per_page=%d>; rel="first"`, path, filter, p.PerPage)
	if p.More {
		last := id(p.Items[len(p.Items)-1])
		view.NextAfter = &last
		links += fmt.Sprintf(`, <%s?%safter=%d&per_page=%d>; rel="next"`, path, filter, last, p.PerPage)
	}
	c.Set(fiber.HeaderLink, links)
	return view
}

// pageOrCursor reads ?after= in the place of ?page=. Returns app.ErrPagination.
func pageOrCursor(c *fiber.Ctx) (app.PageRequest, error) {
	args := c.Context().QueryArgs()
	if !args.Has("after") {
		return pageRequest(c)
	}
	request := app.PageRequest{PerPage: app.DefaultPerPage, ByCursor: true}
	after := string(args.Peek("after"))
	ok := !args.Has("page")
	if after != "0" && ok {
		request.After, ok = positive(after)
	}
	if args.Has("per_page") && ok {
		request.PerPage, ok = positive(string(args.Peek("per_page")))
	}
	if !ok {
		return request, app.ErrPagination
	}
	return request, request.Check()
}

// pageRequest reads ?page= and ?per_page=. Returns app.ErrPagination.
func pageRequest(c *fiber.Ctx) (app.PageRequest, error) {
	page := app.PageRequest{Page: 1, PerPage: app.DefaultPerPage}
	for name, value := range map[string]*int64{"page": &page.Page, "per_page": &page.PerPage} {
		if args := c.Context().QueryArgs(); args.Has(name) {
			n, ok := positive(string(args.Peek(name)))
			if !ok {
				return page, app.ErrPagination
			}
			*value = n
		}
	}
	return page, page.Check()
}

// link sets the Link header (RFC 8288) of a page. Its targets are relative, so that
// they don't depend on the host name that a proxy sends.
func link(c *fiber.Ctx, path, filter string, p paginationView) {
	var links []string
	add := func(rel string, page int64) {
		links = append(links, fmt.Sprintf(`<%s?%spage=%d&per_page=%d>; rel=%q`, path, filter, page, p.PerPage, rel))
	}
	last := max(1, p.Pages)
	add("first", 1)
	if p.HasPrev {
		add("prev", min(p.Page-1, last))
	}
	if p.HasNext {
		add("next", p.Page+1)
	}
	add("last", last)
	c.Set(fiber.HeaderLink, strings.Join(links, ", "))
}
