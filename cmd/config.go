package cmd

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"

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
	settings.AddFlags(cmd, settings.Every)
	return cmd
}

func (a *application) printConfig(l *settings.Loaded) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, row := range settings.Table() {
		if _, err := fmt.Fprintf(out, "%s\t%s\t%s\n", row.Flag, shown(l, row), l.Origins[row.Flag].Name); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for _, notice := range l.Settings.Notices {
		if err := a.printf("note: %s\n", notice); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) printConfigJSON(l *settings.Loaded) error {
	type item struct {
		Setting string `json:"setting"`
		Value   string `json:"value"`
		Source  string `json:"source"`
	}
	var items []item
	for _, row := range settings.Table() {
		items = append(items, item{row.Flag, shown(l, row), l.Origins[row.Flag].Name})
	}
	out := json.NewEncoder(a.out)
	out.SetIndent("", "  ")
	return out.Encode(items)
}

// shown is what a person may see of a value.
func shown(l *settings.Loaded, row settings.Setting) string {
	value := l.Origins[row.Flag].Value
	switch {
	case row.Secret && value != "":
		return fmt.Sprintf("(hidden, %d bytes)", len(value))
	case row.Flag == "jwt-secret":
		return "(kept in " + filepath.Join(l.Settings.DataDir, datadir.KeyFile) + ")"
	case row.Flag == "public-url":
		return l.Settings.PublicURL
	case row.Flag == "name":
		return l.Settings.Service()
	case row.Flag == "mail-port" && l.Settings.Mail.Server != "":
		return fmt.Sprint(l.Settings.Mail.Port)
	case row.Flag == "mail-from" && l.Settings.Mail.Server != "":
		return l.Settings.Mail.From
	case value == "":
		return "(not set)"
	}
	return value
}
