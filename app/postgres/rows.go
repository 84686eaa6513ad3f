package postgres

import (
	"context"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// The server prepares the constraints, generated columns and triggers of a table for each statement
// anew, which takes three times as long as adding a row to tasks. So statements in a row that add
// one row each go to it as one that adds them all.

// mostRows is how many rows such a statement adds at most, a power of two: statements of 2, 4, 8 …
// rows are prepared as they are needed.
const mostRows = 64

// oneRow matches a statement that adds one row and asks for nothing. Its row has no query in it,
// which would not see the rows before it.
var oneRow = regexp.MustCompile(`^INSERT INTO [^()]+\([^()]+\)\s+VALUES (\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))$`)

var parameter = regexp.MustCompile(`\$\d+`)

// rowOf returns the row that a statement adds as it is written, "" if it is none of those.
func rowOf(query string) string {
	m := oneRow.FindStringSubmatch(query)
	if m == nil || strings.Contains(m[1], "SELECT") {
		return ""
	}
	return m[1]
}

// withRows returns the text of a statement that adds one row with so many parameters as one of
// more rows.
func withRows(query, row string, parameters, rows int) string {
	var out strings.Builder
	out.WriteString(query)
	for i := 1; i < rows; i++ {
		out.WriteString(", ")
		out.WriteString(parameter.ReplaceAllStringFunc(row, func(name string) string {
			n, _ := strconv.Atoi(name[1:]) // digits
			return "$" + strconv.Itoa(n+i*parameters)
		}))
	}
	return out.String()
}

// gather makes one statement of neighbours that add a row each. It works in place.
func (c *conn) gather(ctx context.Context, all []step) ([]step, error) {
	gathered := all[:0]
	for len(all) > 0 {
		n := 1
		for n < len(all) && n < mostRows && all[0].row != "" && all[n].prepared == all[0].prepared && all[n].scan == nil && all[0].scan == nil {
			n++
		}
		n = 1 << (bits.Len(uint(n)) - 1)
		s := all[0]
		if n > 1 {
			var err error
			if s, err = c.together(ctx, all[:n]); err != nil {
				return nil, err
			}
		}
		gathered, all = append(gathered, s), all[n:]
	}
	return gathered, nil
}

// together is one statement with the rows of some that add one each.
func (c *conn) together(ctx context.Context, all []step) (s step, err error) {
	one := all[0].prepared
	for _, each := range all {
		s.raw = append(s.raw, each.raw...)
		s.values.formats = append(s.values.formats, each.values.formats...)
		s.types = append(s.types, one.ParamOIDs...)
	}
	s.prepared, err = c.prepare(ctx, strconv.Itoa(len(all))+" "+one.SQL, s.types, func(string) string {
		return withRows(one.SQL, one.row, len(one.ParamOIDs), len(all))
	})
	return s, err
}
