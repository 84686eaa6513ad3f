// Package web holds what is served or sent as it is: the page and the mail
// templates. It imports nothing of ours and is handed over as a file system.
package web

import "embed"

//go:embed mail static
var files embed.FS

// Files returns everything embedded: mail templates below mail/, and what
// browsers load below static/.
func Files() embed.FS { return files }
