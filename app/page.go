package app

import "math"

// Limits of a page.
const (
	DefaultPerPage = 10
	MaxPerPage     = 100
)

// PageRequest asks for one page of a list: by its number or, with ByCursor,
// for what follows an id.
type PageRequest struct {
	Page     int64 // from 1; 0 with ByCursor
	PerPage  int64 // 1 to MaxPerPage
	ByCursor bool
	After    int64 // an id, 0 for the beginning; with ByCursor only
}

// Check returns ErrPagination for a page that can't be: out of range, or one
// whose offset does not fit 64 bits.
func (r PageRequest) Check() error {
	if r.PerPage < 1 || r.PerPage > MaxPerPage {
		return ErrPagination
	}
	if r.ByCursor {
		if r.Page != 0 || r.After < 0 {
			return ErrPagination
		}
		return nil
	}
	if r.Page < 1 || r.Page-1 > math.MaxInt64/r.PerPage {
		return ErrPagination
	}
	return nil
}

// Offset is the number of rows before the page that has a number.
func (r PageRequest) Offset() int64 { return (r.Page - 1) * r.PerPage }

// Page is one slice of a list in a stable order, with the total of the whole.
type Page[T any] struct {
	PageRequest
	Items []T
	Total int64
	// More reports that something follows the page. Set with ByCursor only.
	More bool
}

// Pages is the number of pages that the whole list fills; 0 for an empty one.
func (p Page[T]) Pages() int64 {
	if p.Total == 0 {
		return 0
	}
	return (p.Total-1)/p.PerPage + 1
}
