package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/store"
	"taskapi/cmd/datadir"
	"taskapi/cmd/settings"
)

func newUser(a *application) *cobra.Command {
	return newGroup("user", "Add, list and change users; the only way to an admin",
		newUserAdd(a), newUserList(a), newUserRole(a, "promote", "Make a user an admin", app.RoleAdmin),
		newUserRole(a, "demote", "Make an admin an ordinary user", app.RoleUser), newUserPasswd(a), newUserDelete(a))
}

// withUsers runs a command on an open database.
func (a *application) withUsers(cmd *cobra.Command, do func(ctx context.Context, users *account.Users, db *database) error) (err error) {
	l, err := a.settings(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	db, err := a.existing(ctx, datadir.Dir{Path: l.Settings.DataDir}, l.Settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	users, err := a.newUsers(l.Settings, db)
	if err != nil {
		return err
	}
	if err := do(ctx, users, db); err != nil {
		return err
	}
	// A server that runs has seen the change when the command returns.
	return pause(ctx, 2*store.SeenWithin)
}

// pause waits unless the context ends.
func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

// find returns the user that an argument names by e-mail address or id.
func find(ctx context.Context, db *database, name string) (account.User, error) {
	user, err := db.UserByEmail(ctx, name)
	if id, notID := strconv.ParseInt(name, 10, 64); notID == nil {
		user, err = db.User(ctx, id)
	}
	if errors.Is(err, account.ErrUserNotFound) {
		return user, fmt.Errorf("there is no user %q; \"taskapi user list\" shows them all", name)
	}
	return user, err
}

func newUserAdd(a *application) *cobra.Command {
	var admin bool
	var name string
	cmd := &cobra.Command{
		Use: "add EMAIL", Short: "Add a user; the password is asked for, or read from standard input", Args: exactArg("the e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withUsers(cmd, func(ctx context.Context, users *account.Users, _ *database) error {
				return a.addUser(ctx, users, args[0], name, admin)
			})
		},
	}
	cmd.Flags().BoolVar(&admin, "admin", false, "make the user an admin")
	cmd.Flags().StringVar(&name, "username", "", "name of the user (default the part of the address before the @)")
	settings.AddFlags(cmd, settings.ForUser)
	return cmd
}

func (a *application) addUser(ctx context.Context, users *account.Users, email, name string, admin bool) error {
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	plain, err := a.askPassword(ctx)
	if err != nil {
		return err
	}
	role := app.RoleUser
	if admin {
		role = app.RoleAdmin
	}
	user, err := users.Add(ctx, account.UserInput{
		Username: app.Given(name), Email: app.Given(email), Password: app.Given(plain), ConfirmPassword: app.Given(plain),
	}, role)
	if err != nil {
		return err
	}
	return a.printf("Added %s %d, %s.\n", user.Role, user.ID, user.Email)
}

// askPassword asks twice on a terminal, and else reads the first line.
func (a *application) askPassword(ctx context.Context) (string, error) {
	if !a.terminal() {
		line, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			return "", usagef("there is no password on standard input")
		}
		return line, nil
	}
	var typed [2]string
	for i, prompt := range []string{"Password: ", "Again: "} {
		if _, err := fmt.Fprint(a.err, prompt); err != nil {
			return "", err
		}
		line, err := a.readPassword(ctx)
		if _, printErr := fmt.Fprintln(a.err); err != nil || printErr != nil {
			return "", errors.Join(err, printErr)
		}
		typed[i] = string(line)
	}
	if typed[0] == "" {
		return "", errors.New("the password is empty; try again")
	}
	if typed[0] != typed[1] {
		return "", errors.New("the two passwords differ; try again")
	}
	return typed[0], nil
}

func newUserList(a *application) *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List all users", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withDatabase(cmd, a.listUsers)
		},
	}
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func (a *application) listUsers(ctx context.Context, db *database) error {
	out := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tROLE\tEMAIL\tUSERNAME\tSINCE")
	for page := int64(1); ; page++ {
		users, err := db.Users(ctx, app.PageRequest{Page: page, PerPage: app.MaxPerPage})
		if err != nil {
			return err
		}
		for _, u := range users.Items {
			fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\n", u.ID, u.Role, u.Email, u.Username, u.CreatedAt.Format(time.DateOnly))
		}
		if page >= users.Pages() {
			return out.Flush()
		}
	}
}

func newUserRole(a *application, use, short string, role app.Role) *cobra.Command {
	cmd := &cobra.Command{
		Use: use + " USER", Short: short + " (an e-mail address or an id)", Args: exactArg("an e-mail address or an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withUsers(cmd, func(ctx context.Context, users *account.Users, db *database) error {
				user, err := find(ctx, db, args[0])
				if err != nil {
					return err
				}
				if user.Role == role {
					return a.printf("%s has the role %s already.\n", user.Email, role)
				}
				switch err := users.SetRole(ctx, user.ID, role); {
				case errors.Is(err, account.ErrLastAdmin):
					return fmt.Errorf("%s is the only admin and keeps the role; make another user an admin first, with \"taskapi user promote USER\"", user.Email)
				case err != nil:
					return err
				}
				return a.printf("%s now has the role %s and has to sign in again.\n", user.Email, role)
			})
		},
	}
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}

func newUserPasswd(a *application) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use: "passwd USER", Short: "Set a user's password and end all their sessions and API tokens", Args: exactArg("an e-mail address or an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withUsers(cmd, func(ctx context.Context, users *account.Users, db *database) error {
				user, err := find(ctx, db, args[0])
				if err != nil {
					return err
				}
				plain, err := a.askPassword(ctx)
				if err != nil {
					return err
				}
				ended, err := users.SetPassword(ctx, user.ID, plain, keep)
				if err != nil {
					return err
				}
				return a.printf("%s has a new password and has to sign in again. Ended: %s, %s.\n", user.Email,
					plural(ended.Sessions, "session"), plural(ended.APITokens, "API token"))
			})
		},
	}
	cmd.Flags().BoolVar(&keep, "keep-api-tokens", false, "let the user's API tokens go on working")
	settings.AddFlags(cmd, settings.ForUser)
	return cmd
}

func newUserDelete(a *application) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "delete USER", Short: "Delete a user with all their tasks", Args: exactArg("an e-mail address or an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withUsers(cmd, func(ctx context.Context, users *account.Users, db *database) error {
				user, err := find(ctx, db, args[0])
				if err != nil {
					return err
				}
				if !yes {
					if err := a.confirm(ctx, fmt.Sprintf("Delete %s with all their tasks for ever? Type yes: ", user.Email)); err != nil {
						return err
					}
				}
				if err := errors.Join(users.Remove(ctx, user.ID), db.RemoveDeleted(ctx)); err != nil {
					return err
				}
				return a.printf("Deleted %s.\n", user.Email)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	settings.AddFlags(cmd, settings.ForFolder)
	return cmd
}
