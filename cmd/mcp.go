package cmd

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"taskapi/app/api"
	"taskapi/app/mcp"
	"taskapi/cmd/settings"
)

// bridgePatience is how long a server may take to answer one call: longer than it ever does.
const bridgePatience = 30 * time.Second

// maxToken is more than any token has, in bytes.
const maxToken = 4096

func newMCP(a *application) *cobra.Command {
	var file, plain string
	cmd := &cobra.Command{
		Use: "mcp [URL]", Short: "Connect an assistant on standard input and output with a server",
		Long: `Connect an assistant, by the Model Context Protocol (MCP) on standard input and
output, with a running server: the one that the settings describe, or the one at
URL. Assistants run this themselves; "taskapi help assistants" says how.

The API token of the person comes from TASKAPI_TOKEN, from the file that
TASKAPI_TOKEN_FILE names, or from --token-file. It is never an argument, which
every program on the machine can read.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("%q wants at most one argument: an address such as https://tasks.example.com", cmd.CommandPath())
			}
			if len(args) == 1 && !strings.HasPrefix(args[0], "http://") && !strings.HasPrefix(args[0], "https://") {
				return usagef("that is no address of a server; one is https://tasks.example.com, and a token comes from TASKAPI_TOKEN")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := a.assistantToken(file)
			if err != nil {
				return err
			}
			allowed, err := a.plainHTTP(plain)
			if err != nil {
				return err
			}
			probe := api.Probe{}
			if len(args) == 1 {
				// The settings of a server are not looked at: assistants start this in any folder.
				if !allowed && !secret(args[0]) {
					return usagef("%s is not on this machine and not https: the token would go through the network for all to read; use https, or --plain-http on", args[0])
				}
				// Other clients are given the address of the tools.
				probe.URL = strings.TrimSuffix(strings.TrimRight(args[0], "/"), "/mcp")
			} else {
				l, err := a.settings(cmd)
				if err != nil {
					return err
				}
				probe = a.ownProbe(l)
			}
			return a.bridge(cmd.Context(), probe, token)
		},
	}
	cmd.Flags().StringVar(&file, "token-file", "", "file that holds the API token [TASKAPI_TOKEN_FILE]")
	cmd.Flags().StringVar(&plain, "plain-http", "", "the token may be sent without HTTPS beyond this machine: on or off (default off) [TASKAPI_PLAIN_HTTP]")
	settings.AddFlags(cmd, settings.ForHealth)
	return cmd
}

// plainHTTP reports whether the token may be sent without HTTPS.
func (a *application) plainHTTP(flag string) (bool, error) {
	name, value := "--plain-http", flag
	if value == "" {
		for _, pair := range a.environ {
			if text, ok := strings.CutPrefix(pair, "TASKAPI_PLAIN_HTTP="); ok {
				name, value = "TASKAPI_PLAIN_HTTP", strings.TrimSpace(text)
			}
		}
	}
	switch value {
	case "on":
		return true, nil
	case "off", "":
		return false, nil
	}
	return false, usagef("%s: %q: expected on or off", name, value)
}

// secret reports whether nobody can read what is sent to an address: it is encrypted, or stays
// on this machine.
func secret(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || strings.EqualFold(u.Hostname(), "localhost") || ip.Unmap().IsLoopback()
}

// assistantToken finds the token.
func (a *application) assistantToken(file string) (string, error) {
	vars := map[string]string{}
	for _, pair := range a.environ {
		if name, value, _ := strings.Cut(pair, "="); name == "TASKAPI_TOKEN" || name == "TASKAPI_TOKEN_FILE" {
			vars[name] = strings.TrimSpace(value)
		}
	}
	token := vars["TASKAPI_TOKEN"]
	if file = cmp.Or(file, vars["TASKAPI_TOKEN_FILE"]); file != "" {
		if token != "" {
			return "", usagef("expected either TASKAPI_TOKEN or a file with the token, not both")
		}
		opened, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("the file with the token can't be read: %w", err)
		}
		text, err := io.ReadAll(io.LimitReader(opened, maxToken))
		if err := errors.Join(err, opened.Close()); err != nil {
			return "", fmt.Errorf("the file with the token can't be read: %w", err)
		}
		token = strings.TrimSpace(strings.TrimPrefix(string(text), "\ufeff")) // some editors begin a file so
	}
	switch {
	case token == "":
		return "", usagef("there is no API token: make one in the page, and put it into TASKAPI_TOKEN or a file that --token-file names")
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", usagef("that is no API token: it holds blanks or other characters that no token has")
	}
	return token, nil
}

// bridge connects the standard streams with a server.
func (a *application) bridge(ctx context.Context, probe api.Probe, token string) error {
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: probe.AnyCertificate},
		IdleConnTimeout: bridgePatience,
	}
	if probe.Socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", probe.Socket)
		}
	}
	defer transport.CloseIdleConnections()
	bridge := &mcp.Bridge{
		URL: probe.URL, Token: token, Version: a.build.Version,
		Client: &http.Client{
			Transport: transport, Timeout: bridgePatience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	err := bridge.Run(ctx, io.NopCloser(a.in), unclosed{a.out})
	switch {
	case errors.Is(err, mcp.ErrRefused):
		return fmt.Errorf("%w; it needs an API token with the scopes tasks:read and, to change something, tasks:write", err)
	case errors.Is(err, mcp.ErrStreams):
		return err
	case err != nil:
		return fmt.Errorf("the server at %s: %w", probe.Place(), err)
	}
	return nil
}

// unclosed is a writer that others may think to close.
type unclosed struct{ io.Writer }

// Close does nothing.
func (unclosed) Close() error { return nil }
