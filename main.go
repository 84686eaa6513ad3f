// Command taskapi is a to-do backend in one file: see README.md.
package main

import (
	_ "embed"
	"os"

	"taskapi/cmd"
)

//go:embed schema.sql
var schema string

// version is stamped by the release build.
var version = "dev"

func main() {
	os.Exit(cmd.Main(cmd.Build{Version: version, Schema: schema}, os.Args[1:]))
}
