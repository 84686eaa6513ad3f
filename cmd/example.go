package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// examplesFolder is where the programs that the guide shows lie.
const examplesFolder = "guide/examples"

// examples are those programs, each the same small to-do list.
func examples() [][2]string {
	return [][2]string{
		{"react", "React with Vite and TypeScript, with end-to-end tests by Playwright"},
		{"vue", "Vue with Vite; the list is a live copy"},
		{"plain", "a page without a framework or a build"},
		{"python", "a script in Python, with its standard library only"},
		{"go", "a program in Go, with its standard library only"},
		{"todo.http", "requests for VS Code and for JetBrains IDEs"},
	}
}

func newExample(files fs.FS) *cobra.Command {
	return &cobra.Command{
		Use: "example [NAME [FOLDER]]", Short: "List the examples of the guide, or write one into a folder",
		Long: `Write an example of the guide into a folder, by default one of its name below the
present one; without a name, list them. A file that is there already stays as it is, and
is an error.`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listExamples(cmd.OutOrStdout())
			}
			written, err := writeExample(files, args[0], args[len(args)-1])
			var text strings.Builder
			for _, file := range written {
				text.WriteString(file + "\n")
			}
			_, failed := io.WriteString(cmd.OutOrStdout(), text.String())
			return errors.Join(err, failed)
		},
	}
}

func listExamples(out io.Writer) error {
	var text strings.Builder
	for _, e := range examples() {
		fmt.Fprintf(&text, "  %-10s %s\n", e[0], e[1])
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// writeExample writes the files of an example below a folder, and returns what it has written.
func writeExample(files fs.FS, name, folder string) (written []string, err error) {
	from := examplesFolder + "/" + name
	info, err := fs.Stat(files, from)
	if err != nil || strings.Contains(name, "/") {
		return nil, usagef("there is no example %q; taskapi dev example lists them", name)
	}
	if !info.IsDir() && folder == name {
		folder = "."
	}
	err = fs.WalkDir(files, from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(strings.TrimPrefix(path, from), "/")
		if inside == "" {
			inside = name
		}
		to := filepath.Join(folder, filepath.FromSlash(inside))
		if err := writeNew(to, content); err != nil {
			return err
		}
		written = append(written, to)
		return nil
	})
	return written, err
}

// writeNew writes a file that is not there yet, with the folders above it.
func writeNew(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already; name another folder", path)
	}
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
