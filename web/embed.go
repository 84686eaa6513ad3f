// Package web holds what is served or sent as it is: the mail templates. It
// imports nothing of ours and is handed over as a file system.
package web

import "embed"

//go:embed mail
var files embed.FS

// Files returns everything embedded; mail templates are below mail/.
func Files() embed.FS { return files }
