package cmd

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
)

// origin is where the value of a setting came from.
type origin struct {
	value string
	name  string // as the person wrote it: --addr, TASKAPI_ADDR, MAIL_PORT in .env
}

// loader gathers the values of all settings, and every mistake in them.
type loader struct {
	settings Settings
	origins  map[string]origin // by flag
	mistakes []string
}

// level is one source of variables.
type level struct {
	vars   map[string]string
	suffix string // behind a name, in messages
}

// addSettings gives a command the flags of the settings that keep accepts.
func addSettings(cmd *cobra.Command, keep func(setting) bool) {
	cmd.Flags().SortFlags = false // the table's order puts together what belongs together
	for _, s := range table() {
		if keep(s) {
			cmd.Flags().String(s.flag, s.initial, s.meaning+" ["+strings.Join(s.env, ", ")+"]")
		}
	}
}

func everySetting(setting) bool { return true }

// importPassword is the one setting that a server has no use for.
const importPassword = "import-password"

func serveSettings(s setting) bool { return s.flag != importPassword }

func importSettings(s setting) bool { return folderSetting(s) || s.flag == importPassword }

func folderSetting(s setting) bool { return s.flag == "data-dir" }

// listenSettings say where the server is found.
func listenSettings(s setting) bool {
	return s.flag == "addr" || strings.HasPrefix(s.flag, "tls-") || s.flag == "acme-domain"
}

func userSettings(s setting) bool {
	return folderSetting(s) || strings.HasPrefix(s.flag, "password-")
}

// backupSettings are where things are.
func backupSettings(s setting) bool { return folderSetting(s) || s.flag == "backup-dir" }

// linkSettings are what links in mails are made of.
func linkSettings(s setting) bool {
	return folderSetting(s) || s.flag == "public-url" || s.flag == "jwt-secret"
}

func mailSettings(s setting) bool { return s.mail }

// Load returns what is in force for a command: a flag before the environment,
// that before .env in the working folder, that before the default. All mistakes
// come back together.
func Load(cmd *cobra.Command, environment []string) (*loader, error) {
	l := &loader{origins: map[string]origin{}}
	levels := []level{{vars: environ(environment)}, l.dotenv()}
	rows := table()
	l.refuseUnknown(rows, levels)
	for _, row := range rows {
		l.load(cmd, row, levels)
	}
	l.settings.complete(func(flag, problem string) { l.mistake(l.nameOf(flag), problem) })
	l.noticeDatabase(levels)
	if len(l.mistakes) > 0 {
		return nil, errors.New("these settings can't be used:\n  " + strings.Join(l.mistakes, "\n  "))
	}
	return l, nil
}

func environ(pairs []string) map[string]string {
	vars := map[string]string{}
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return vars
}

func (l *loader) mistake(name, problem string) {
	l.mistakes = append(l.mistakes, name+": "+problem)
}

// load finds the value of one setting and parses it.
func (l *loader) load(cmd *cobra.Command, row setting, levels []level) {
	from, ok := l.find(cmd, row, levels)
	if !ok {
		from = origin{value: row.initial, name: "default"}
	}
	l.origins[row.flag] = from
	// The default stays where a value can't be used, so that one mistake does
	// not look like two.
	if row.initial != "" {
		if err := row.parse(&l.settings, row.initial); err != nil {
			l.mistake(row.flag, err.Error())
		}
	}
	if !ok {
		return
	}
	value, err := meant(from.value, row.exact())
	if err != nil {
		l.mistake(from.name, err.Error())
		return
	}
	from.value = value
	l.origins[row.flag] = from
	if err := row.parse(&l.settings, from.value); err != nil {
		shown := fmt.Sprintf("%q: ", from.value)
		if row.secret {
			shown = ""
		}
		l.mistake(from.name, shown+err.Error())
	}
}

// meant is what somebody meant by a value, as editors, shells and tools write it:
// without the mark that an editor puts before a text, without blanks and line
// ends around it, and without the quotes that "docker run --env-file" takes for
// a part of it. Where such characters could be meant, they are refused instead.
func meant(value string, exact bool) (string, error) {
	value = strings.TrimRight(strings.TrimPrefix(value, "\ufeff"), "\r\n")
	bare := strings.TrimSpace(value)
	if n := len(bare); n >= 2 && (bare[0] == '"' || bare[0] == '\'') && bare[0] == bare[n-1] {
		bare = strings.TrimSpace(bare[1 : n-1])
	}
	switch {
	case strings.ContainsFunc(bare, unicode.IsControl):
		return "", errors.New("it holds a line end or another control character; write it on one line")
	case exact && bare != value:
		return "", errors.New("it begins and ends with a blank or a quote; write it without")
	}
	return bare, nil
}

func (l *loader) find(cmd *cobra.Command, row setting, levels []level) (origin, bool) {
	if flag := cmd.Flags().Lookup(row.flag); flag != nil && flag.Changed {
		return origin{value: flag.Value.String(), name: "--" + row.flag}, true
	}
	for _, level := range levels {
		for _, name := range row.env {
			// An empty variable is how shells and compose files say "not set".
			if value := level.vars[name]; strings.TrimSpace(value) != "" {
				if row.secret && level.vars[name+"_FILE"] != "" {
					l.mistake(name+level.suffix, "expected either this or "+name+"_FILE, not both")
				}
				return origin{value: value, name: name + level.suffix}, true
			}
			if file := level.vars[name+"_FILE"]; row.secret && file != "" {
				return l.readSecret(name+"_FILE"+level.suffix, file)
			}
		}
		if row.flag == "mail-tls" {
			if from, ok := l.flaskTLS(level); ok {
				return from, true
			}
		}
	}
	return origin{}, false
}

func (l *loader) readSecret(name, file string) (origin, bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		l.mistake(name, fmt.Sprintf("%q: expected a file that can be read", file))
		return origin{}, false
	}
	return origin{value: string(content), name: name}, true
}

// flaskTLS reads the tutorial's two variables as truth values; in Python, its
// text "False" was true.
func (l *loader) flaskTLS(level level) (origin, bool) {
	useTLS, hasTLS := l.truth(level, "MAIL_USE_TLS")
	useSSL, hasSSL := l.truth(level, "MAIL_USE_SSL")
	switch {
	case !hasTLS && !hasSSL:
		return origin{}, false
	case useTLS && useSSL:
		l.mistake("MAIL_USE_TLS and MAIL_USE_SSL"+level.suffix, "expected at most one of them to be True")
		return origin{}, false
	case useSSL:
		return origin{value: "tls", name: "MAIL_USE_SSL" + level.suffix}, true
	case useTLS:
		return origin{value: "starttls", name: "MAIL_USE_TLS" + level.suffix}, true
	case hasTLS:
		return origin{value: "none", name: "MAIL_USE_TLS" + level.suffix}, true
	}
	return origin{}, false
}

func (l *loader) truth(level level, name string) (value, there bool) {
	said, err := meant(level.vars[name], false)
	if err != nil {
		l.mistake(name+level.suffix, err.Error())
		return false, false
	}
	switch strings.ToLower(said) {
	case "":
		return false, false
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	}
	l.mistake(name+level.suffix, fmt.Sprintf("%q: expected True or False", level.vars[name]))
	return false, false
}

// refuseUnknown reports a TASKAPI_ variable that is no setting: it is a
// misspelt one, and would otherwise be without effect in silence.
func (l *loader) refuseUnknown(rows []setting, levels []level) {
	known := map[string]bool{}
	for _, row := range rows {
		known[row.env[0]] = true
		known[row.env[0]+"_FILE"] = row.secret
	}
	for _, level := range levels {
		for _, name := range slices.Sorted(maps.Keys(level.vars)) {
			if strings.HasPrefix(name, "TASKAPI_") && !known[name] {
				l.mistake(name+level.suffix, "there is no such setting; \"taskapi config\" lists them all")
			}
		}
	}
}

func (l *loader) nameOf(flag string) string {
	if from := l.origins[flag]; from.name != "default" {
		return from.name
	}
	return "--" + flag
}

// noticeDatabase tells who comes from the tutorial where the data now lives.
func (l *loader) noticeDatabase(levels []level) {
	for _, level := range levels {
		for _, name := range []string{"DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME"} {
			if level.vars[name] != "" {
				l.settings.Notices = append(l.settings.Notices, "DB_* settings name a MariaDB server, which taskapi does not need: the data lives in "+l.settings.DataDir+"; \"taskapi db import\" brings what is there")
				return
			}
		}
	}
}
