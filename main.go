// Command taskapi is a to-do backend in one file: see README.md.
package main

import (
	// Time zones, for machines without their data, such as a small container.
	_ "time/tzdata"

	_ "embed"
	"os"

	"taskapi/cmd"
)

//go:embed schema.sql
var schema string

// version, and the date of its commit in RFC 3339, are stamped by the release
// build.
var (
	version = "dev"
	date    = ""
)

func main() {
	os.Exit(cmd.Main(cmd.Build{Version: version, Date: date, Schema: schema}, os.Args[1:]))
}
