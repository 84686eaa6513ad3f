package sqlite

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// dsn names the file and every setting of its connections. Settings go here
// and nowhere else: a PRAGMA sent through a pool reaches one connection of
// several. The name is a file: URI with its path escaped, since the driver
// drops the parameters of a plain path without a word.
func dsn(path string, durability Durability, readOnly bool) string {
	params := url.Values{}
	params.Set("_busy_timeout", fmt.Sprint(busyTimeout.Milliseconds()))
	params.Set("_foreign_keys", "1")
	params.Set("_journal_mode", "WAL")
	params.Set("_synchronous", strings.ToUpper(string(durability)))
	params.Set("_dqs", "0")       // "a" is a name, never a text
	params.Set("_defensive", "1") // no writing to the schema's own tables
	// After a burst of writes the log shrinks again to this many bytes.
	params.Set("_pragma", "journal_size_limit(4194304)")
	if readOnly {
		params.Set("_query_only", "1")
	} else {
		params.Set("_txlock", "immediate")
	}
	return withParams(path, params)
}

// withParams names a file with any settings.
func withParams(path string, params url.Values) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/… on Windows
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}).String()
}
