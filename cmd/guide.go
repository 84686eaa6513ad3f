package cmd

import (
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// guideWidth is how many columns a terminal surely has.
const guideWidth = 80

// guideTopic is a line of the guide's index.
type guideTopic struct{ name, title, about string }

// guideTopics reads the index of the guide.
func guideTopics(files fs.FS) ([]guideTopic, error) {
	index, err := fs.ReadFile(files, "guide/index.md")
	if err != nil {
		return nil, err
	}
	var all []guideTopic
	line := regexp.MustCompile(`(?m)^- \[(.+)\]\((.+)\.md\): (.+)$`)
	for _, found := range line.FindAllStringSubmatch(string(index), -1) {
		all = append(all, guideTopic{name: found[2], title: found[1], about: found[3]})
	}
	return all, nil
}

// newHelp explains commands, and prints the pages of the guide.
func newHelp(root *cobra.Command, files fs.FS) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Help about a command, or a page of the guide",
		RunE: func(cmd *cobra.Command, args []string) error {
			topics, err := guideTopics(files)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				if err := root.Help(); err != nil {
					return err
				}
				return listTopics(cmd.OutOrStdout(), topics)
			}
			if i := slices.IndexFunc(topics, func(t guideTopic) bool { return t.name == args[0] }); i >= 0 && len(args) == 1 {
				text, err := fs.ReadFile(files, "guide/"+topics[i].name+".md")
				if err != nil {
					return err
				}
				_, err = io.WriteString(cmd.OutOrStdout(), forTerminal(string(text)))
				return err
			}
			if strings.HasPrefix(args[0], "examples/") && len(args) == 1 {
				text, err := fs.ReadFile(files, "guide/"+args[0])
				if err != nil {
					return usagef("there is no example %q; taskapi dev example lists them", args[0])
				}
				_, err = cmd.OutOrStdout().Write(text)
				return err
			}
			found, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				for _, t := range topics {
					root.AddCommand(&cobra.Command{Use: t.name, Run: func(*cobra.Command, []string) {}}) // they are near, too
				}
				return usagef("there is no command or topic %q%s", strings.Join(args, " "), didYouMean(near(root, args[0]), ""))
			}
			return found.Help()
		},
	}
}

func listTopics(out io.Writer, topics []guideTopic) error {
	text := "\nTopics of the guide (taskapi help TOPIC):\n"
	for _, t := range topics {
		text += fmt.Sprintf("  %-13s %s\n", t.name, t.about)
	}
	_, err := io.WriteString(out, text)
	return err
}

// forTerminal turns a page of the guide into what reads well without a browser:
// links name their topic, and each row of a table becomes a term with what is
// said of it below.
func forTerminal(markdown string) string {
	link := regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)
	markdown = link.ReplaceAllStringFunc(markdown, func(text string) string {
		found := link.FindStringSubmatch(text)
		target, _, _ := strings.Cut(found[2], "#")
		if name, ok := strings.CutSuffix(target, ".md"); ok {
			return found[1] + " (taskapi help " + name + ")"
		}
		if strings.HasPrefix(target, "examples/") {
			return found[1] + " (taskapi help " + target + ")"
		}
		return found[1] + " (" + found[2] + ")"
	})
	var out strings.Builder
	code, rows := false, 0
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "```") {
			code = !code
			continue
		}
		if !strings.HasPrefix(line, "|") {
			rows = 0
		}
		switch {
		case code:
			out.WriteString(strings.TrimRight("    "+line, " ") + "\n")
		case strings.HasPrefix(line, "|"):
			if rows++; rows != 2 { // the line below the names of the columns
				writeRow(&out, strings.ReplaceAll(line, "`", ""))
			}
		default:
			out.WriteString(strings.ReplaceAll(line, "**", "") + "\n")
		}
	}
	return out.String()
}

// writeRow writes a row of a table: short cells side by side, or else below each
// other.
func writeRow(out *strings.Builder, line string) {
	cells := strings.Split(strings.Trim(line, "|"), " | ")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	cells = slices.DeleteFunc(cells, func(cell string) bool { return cell == "" })
	if joined := strings.Join(cells, "  "); utf8.RuneCountInString(joined) <= guideWidth-4 {
		out.WriteString("  " + joined + "\n")
		return
	}
	for i, cell := range cells {
		indent := "      "
		if i == 0 {
			indent = "  "
		}
		wrap(out, cell, indent)
	}
}

// wrap writes a text in lines that a terminal holds.
func wrap(out *strings.Builder, text, indent string) {
	width := 0
	for _, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case width == 0:
			out.WriteString(indent)
			width = len(indent)
		case width+1+length > guideWidth:
			out.WriteString("\n" + indent)
			width = len(indent)
		default:
			out.WriteString(" ")
			width++
		}
		out.WriteString(word)
		width += length
	}
	out.WriteString("\n")
}
