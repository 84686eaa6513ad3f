package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/account"
	"taskapi/cmd/settings"
)

func newAudit(a *application) *cobra.Command {
	var user string
	var limit int
	cmd := &cobra.Command{
		Use: "audit", Short: "Show who did what: sign-ins, refusals, changes of accounts", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usagef("--limit is %d, expected at least 1", limit)
			}
			return a.withDatabase(cmd, func(ctx context.Context, db *database) error {
				id, err := accountOf(ctx, db, user)
				if err != nil {
					return err
				}
				return a.listEvents(ctx, db, id, limit)
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "only this user's account: an e-mail address or an id")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many, the newest first")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

// accountOf returns the id of a user by address or id, 0 for none. An id may
// be of a user who is gone: the record outlives them.
func accountOf(ctx context.Context, db *database, name string) (int64, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil || name == "" {
		return id, nil
	}
	user, err := find(ctx, db, name)
	return user.ID, err
}

func (a *application) listEvents(ctx context.Context, db *database, userID int64, limit int) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "TIME (UTC)\tEVENT\tUSER\tBY\tFROM\tDETAIL")
	err := db.EachEvent(ctx, userID, limit, func(e account.Event) error {
		_, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At.Format(time.DateTime), e.Name, idOrDash(e.UserID), idOrDash(e.ActorID), e.Address, e.Detail)
		return err
	})
	return errors.Join(err, out.Flush())
}

func idOrDash(id int64) string {
	if id == 0 {
		return "-"
	}
	return strconv.FormatInt(id, 10)
}
