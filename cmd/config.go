package cmd

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newConfig(a *application) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "config", Short: "Print the settings in force and where each comes from", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := a.settings(cmd)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printConfigJSON(l)
			}
			return a.printConfig(l)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addSettings(cmd, everySetting)
	return cmd
}

func (a *application) printConfig(l *loader) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, row := range table() {
		if _, err := fmt.Fprintf(out, "%s\t%s\t%s\n", row.flag, shown(l, row), l.origins[row.flag].name); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, notice := range l.settings.Notices {
		if err := a.printf("note: %s\n", notice); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) printConfigJSON(l *loader) error {
	type item struct {
		Setting string `json:"setting"`
		Value   string `json:"value"`
		Source  string `json:"source"`
	}
	var items []item
	for _, row := range table() {
		items = append(items, item{row.flag, shown(l, row), l.origins[row.flag].name})
	}
	out := json.NewEncoder(a.out)
	out.SetIndent("", "  ")
	return out.Encode(items)
}

// shown is what a person may see of a value.
func shown(l *loader, row setting) string {
	value := l.origins[row.flag].value
	switch {
	case row.secret && value != "":
		return fmt.Sprintf("(hidden, %d bytes)", len(value))
	case row.flag == "jwt-secret":
		return "(kept in " + filepath.Join(l.settings.DataDir, keyFile) + ")"
	case row.flag == "public-url":
		return l.settings.PublicURL
	case row.flag == "mail-port" && l.settings.Mail.Server != "":
		return fmt.Sprint(l.settings.Mail.Port)
	case row.flag == "mail-from" && l.settings.Mail.Server != "":
		return l.settings.Mail.From
	case value == "":
		return "(not set)"
	}
	return value
}
