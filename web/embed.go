// Package web holds what is served or sent as it is: the page, the guide and the
// mail templates. It imports nothing of ours and is handed over as a file system.
package web

import "embed"

//go:embed guide mail static
var files embed.FS

// Files returns everything embedded: the guide below guide/, mail templates below
// mail/, and what browsers load below static/.
func Files() embed.FS { return files }
