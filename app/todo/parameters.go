package todo

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"taskapi/app"
)

// readFind checks the parameters of a search.
func (t *Tasks) readFind(q Parameters, now Now, userID int64) (Find, error) {
	r := parameterReader{Parameters: q, now: now}
	f := Find{
		UserID: userID, Scope: Scope(r.choice("scope", string(ScopeOwn), string(ScopeAll), string(ScopeAssigned))),
		Lists: r.refs("list_id"), Completed: r.boolean("completed"), Priorities: r.priorities(),
		Labels: r.labels(), Assignee: r.assignee(userID), Parent: r.parent(), Words: r.words(),
		UpdatedAfter: r.moment("updated_after"), CompletedAfter: r.moment("completed_after"), CompletedBefore: r.moment("completed_before"),
	}
	if boundary, given := r.boundary("due_before", false); given {
		f.Before = append(f.Before, boundary)
	}
	if boundary, given := r.boundary("due_after", true); given {
		f.NotBefore = append(f.NotBefore, boundary)
	}
	r.view(&f)
	sort := r.choice("sort", r.sorts()...)
	f.Down = strings.HasPrefix(sort, "-")
	f.Sort = SortKey(strings.TrimPrefix(sort, "-"))
	if f.Sort == "" {
		f.Sort = SortID
	}
	f.Page, f.After = t.readPage(&r, q, f.Sort == SortID && !f.Down)
	f.Due = f.Due || len(f.Before)+len(f.NotBefore) > 0
	return f, r.err
}

// readPage reads which page is meant. In a sort by ids, after is a number; in any other, what
// next_after said.
func (t *Tasks) readPage(r *parameterReader, q Parameters, byID bool) (request app.PageRequest, after *Cursor) {
	text := q.first("after")
	if _, number := readID(text); q["after"] == nil || text == "0" || byID && number {
		request = r.page()
		if request.ByCursor && request.After > 0 {
			after = &Cursor{ID: request.After}
		}
		return request, after
	}
	after, err := t.readCursor(q, text)
	if byID && !errors.Is(err, ErrCursorExpired) { // of another search, if of any
		if after = nil; err == nil || !errors.Is(err, ErrCursorMismatch) {
			err = app.ErrPagination
		}
	}
	if err != nil && r.err == nil {
		r.err = err
	}
	return r.withoutAfter(), after
}

// NumberCursor reports whether the search is sorted by ids, whose cursors are plain
// numbers.
func (q Parameters) NumberCursor() bool { return q["sort"] == nil || q.first("sort") == string(SortID) }

// view adds what a view stands for.
func (r *parameterReader) view(f *Find) {
	open := false
	switch r.choice("view", "today", "overdue", "upcoming", "undated") {
	case "":
		if f.Scope == "" {
			f.Scope = ScopeOwn
		}
		return
	case "today":
		f.Before = append(f.Before, r.now.Tomorrow())
	case "overdue":
		f.Before = append(f.Before, r.now.Passed())
	case "upcoming":
		f.NotBefore = append(f.NotBefore, r.now.Tomorrow())
	case "undated":
		f.Undated = true
	}
	if f.Scope == "" {
		f.Scope = ScopeAll
	}
	if f.Completed != nil && *f.Completed {
		r.fail("completed", "can't be true together with a view, which shows open tasks")
	}
	f.Completed = &open
}

func (r *parameterReader) sorts() (all []string) {
	for _, key := range sortKeys() {
		all = append(all, string(key), "-"+string(key))
	}
	return all
}

// maxNamed is how many lists, labels or priorities a search may name.
const maxNamed = 50

// parameterReader reads values, and keeps the first error.
type parameterReader struct {
	Parameters
	now Now
	err error
}

func (r *parameterReader) fail(name, what string) {
	if r.err == nil {
		r.err = app.InvalidParameter(name, what)
	}
}

func (r *parameterReader) many(name string) []string {
	values := r.Parameters[name]
	if len(values) > maxNamed {
		r.fail(name, fmt.Sprintf("may appear at most %d times", maxNamed))
		return nil
	}
	return values
}

func (r *parameterReader) choice(name string, known ...string) string {
	values := r.Parameters[name]
	if len(values) == 0 {
		return ""
	}
	if !slices.Contains(known, values[0]) {
		r.fail(name, "must be one of "+strings.Join(known, ", "))
	}
	return values[0]
}

func (r *parameterReader) boolean(name string) *bool {
	switch r.choice(name, "true", "false") {
	case "true":
		yes := true
		return &yes
	case "false":
		return new(bool)
	}
	return nil
}

// ReadRef reads an id or a uid.
func ReadRef(text string) (Ref, bool) {
	if id, ok := readID(text); ok {
		return ByID(id), true
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil || !ValidUID(text) {
		return Ref{}, false
	}
	return Ref{UID: text}, true
}

// readID reads a positive number without sign or leading zero.
func readID(text string) (int64, bool) {
	if text == "" || text[0] < '1' || text[0] > '9' {
		return 0, false
	}
	id, err := strconv.ParseInt(text, 10, 64)
	return id, err == nil
}

func (r *parameterReader) refs(name string) (refs []Ref) {
	for _, value := range r.many(name) {
		ref, ok := ReadRef(value)
		if !ok {
			r.fail(name, "must be an id or a uid")
		}
		refs = append(refs, ref)
	}
	return refs
}

func (r *parameterReader) priorities() (all []Priority) {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(r.many("priority")))) {
		priority, known := ParsePriority(name)
		if !known {
			r.fail("priority", "must be one of "+strings.Join(priorities(), ", "))
		}
		all = append(all, priority)
	}
	return all
}

func (r *parameterReader) labels() (keys []string) {
	for _, name := range r.many("label") {
		key := LabelKey(strings.TrimSpace(name))
		if key == "" || len([]rune(name)) > MaxLabel {
			r.fail("label", fmt.Sprintf("must be a text of 1 to %d characters", MaxLabel))
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (r *parameterReader) assignee(me int64) *int64 {
	if r.Parameters["assignee_id"] == nil {
		return nil
	}
	var id int64
	switch value := r.first("assignee_id"); value {
	case "me":
		id = me
	case "none":
	default:
		var ok bool
		if id, ok = readID(value); !ok {
			r.fail("assignee_id", "must be an id, me or none")
		}
	}
	return &id
}

func (r *parameterReader) parent() *Ref {
	if r.Parameters["parent_id"] == nil {
		return nil
	}
	if r.first("parent_id") == "none" {
		return &Ref{}
	}
	ref, ok := ReadRef(r.first("parent_id"))
	if !ok {
		r.fail("parent_id", "must be an id, a uid or none")
	}
	return &ref
}

func (r *parameterReader) words() []string {
	if r.Parameters["q"] == nil {
		return nil
	}
	words, ok := queryWords(r.first("q"))
	if !ok {
		r.fail("q", fmt.Sprintf("must have 1 to %d words in at most %d characters", maxQueryWords, maxQuery))
	}
	return words
}

func (r *parameterReader) moment(name string) time.Time {
	if r.Parameters[name] == nil {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, r.first(name))
	if err != nil || at.Year() < 1 {
		r.fail(name, "must be a moment such as 2026-11-30T07:30:00Z")
	}
	return at.UTC()
}

// boundary reads a day or a moment; over says that what is meant begins when it is over.
func (r *parameterReader) boundary(name string, over bool) (b Boundary, given bool) {
	if r.Parameters[name] == nil {
		return b, false
	}
	text := r.first(name)
	if day, err := time.Parse(formDay, text); err == nil {
		if over {
			day = day.Add(oneDay)
		}
		return r.now.day(day), true
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || at.Year() < 1 {
		r.fail(name, "must be a day such as 2026-11-30 or a moment such as 2026-11-30T07:30:00Z")
	}
	if over {
		at = at.Add(time.Millisecond)
	}
	return Boundary{Wall(at, r.now.Reader), at.UTC()}, true
}

// page reads page, per_page and a number in after. Returns app.ErrPagination.
func (r *parameterReader) page() app.PageRequest {
	request := app.PageRequest{Page: 1, PerPage: app.DefaultPerPage}
	ok := true
	number := func(name string, to *int64) {
		if r.Parameters[name] != nil {
			n, valid := readID(r.first(name))
			*to, ok = n, ok && valid
		}
	}
	number("per_page", &request.PerPage)
	if r.Parameters["after"] != nil {
		request.ByCursor, request.Page = true, 0
		if r.first("after") != "0" {
			number("after", &request.After)
		}
		ok = ok && r.Parameters["page"] == nil
	} else {
		number("page", &request.Page)
	}
	if (!ok || request.Check() != nil) && r.err == nil {
		r.err = app.ErrPagination
	}
	return request
}

// withoutAfter is page where after is no number.
func (r *parameterReader) withoutAfter() app.PageRequest {
	numbers := Parameters{"after": {"0"}}
	for _, name := range []string{"page", "per_page"} {
		if r.Parameters[name] != nil {
			numbers[name] = r.Parameters[name]
		}
	}
	other := parameterReader{Parameters: numbers}
	request := other.page()
	if r.err == nil {
		r.err = other.err
	}
	return request
}
