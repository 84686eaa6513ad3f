package settings

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

// Default is the name of the Origin of a default value.
const Default = "default"

// Origin is where the value of a setting came from.
type Origin struct {
	Value string
	Name  string // as the person wrote it: --addr, TASKAPI_ADDR, MAIL_PORT in .env
}

// Loaded is the settings in force, and where each came from.
type Loaded struct {
	Settings Settings
	Origins  map[string]Origin // by flag
	mistakes []string
}

// level is one source of variables.
type level struct {
	vars   map[string]string
	suffix string // behind a name, in messages
}

// AddFlags gives a command the flags of the settings that keep accepts.
func AddFlags(cmd *cobra.Command, keep func(Setting) bool) {
	cmd.Flags().SortFlags = false // the table's order puts together what belongs together
	for _, s := range Table() {
		if keep(s) {
			cmd.Flags().String(s.Flag, s.Initial, s.Meaning+" ["+strings.Join(s.Env, ", ")+"]")
		}
	}
}

// Every accepts all settings.
func Every(Setting) bool { return true }

// importPassword is the one setting that a server has no use for.
const importPassword = "import-password"

// ForServe accepts the settings of a server.
func ForServe(s Setting) bool { return s.Flag != importPassword }

// ForImport accepts the settings of an import.
func ForImport(s Setting) bool { return ForFolder(s) || s.Flag == importPassword }

// ForFolder accepts the data folder, and the database that stands for the one in it.
func ForFolder(s Setting) bool { return s.Flag == "data-dir" || strings.HasPrefix(s.Flag, "database") }

// ForListen accepts the settings that say where the server is found.
func ForListen(s Setting) bool {
	return s.Flag == "addr" || strings.HasPrefix(s.Flag, "tls-") || s.Flag == "acme-domain"
}

// ForHealth accepts the settings that say where the server is found, and the
// data folder, which knows it as well.
func ForHealth(s Setting) bool { return ForListen(s) || ForFolder(s) }

// ForUser accepts the settings of the user commands.
func ForUser(s Setting) bool {
	return ForFolder(s) || strings.HasPrefix(s.Flag, "password-")
}

// ForBackup accepts the folders of the data and of the backups.
func ForBackup(s Setting) bool { return ForFolder(s) || s.Flag == "backup-dir" }

// ForRestore accepts the data folder, and the keys of a replica.
func ForRestore(s Setting) bool {
	return ForFolder(s) || s.Flag == "replicate-key-id" || s.Flag == "replicate-secret"
}

// ForLinks accepts the settings that links in mails are made of.
func ForLinks(s Setting) bool {
	return ForFolder(s) || s.Flag == "public-url" || s.Flag == "jwt-secret"
}

// ForMail accepts the settings of the mail server.
func ForMail(s Setting) bool { return s.mail }

// Load returns what is in force for a command: a flag before the environment,
// that before .env in the working folder, that before the default. All mistakes
// come back together.
func Load(cmd *cobra.Command, environment []string) (*Loaded, error) {
	l := &Loaded{Origins: map[string]Origin{}}
	levels := []level{{vars: environ(environment)}, l.dotenv()}
	rows := Table()
	l.refuseUnknown(rows, levels)
	for _, row := range rows {
		l.load(cmd, row, levels)
	}
	l.Settings.complete(func(flag, problem string) { l.mistake(l.nameOf(flag), problem) })
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

func (l *Loaded) mistake(name, problem string) {
	l.mistakes = append(l.mistakes, name+": "+problem)
}

// load finds the value of one setting and parses it.
func (l *Loaded) load(cmd *cobra.Command, row Setting, levels []level) {
	from, ok := l.find(cmd, row, levels)
	if !ok {
		from = Origin{Value: row.Initial, Name: Default}
	}
	l.Origins[row.Flag] = from
	// The default stays where a value can't be used, so that one mistake does
	// not look like two.
	if row.Initial != "" {
		if err := row.parse(&l.Settings, row.Initial); err != nil {
			l.mistake(row.Flag, err.Error())
		}
	}
	if !ok {
		return
	}
	value, err := meant(from.Value, row.exact())
	if err == nil && !row.exact() && !row.freeText() {
		err = checkPlain(value)
	}
	if err != nil {
		l.mistake(from.Name, err.Error())
		return
	}
	from.Value = value
	l.Origins[row.Flag] = from
	if err := row.parse(&l.Settings, from.Value); err != nil {
		shown := fmt.Sprintf("%q: ", from.Value)
		if row.Secret {
			shown = ""
		}
		l.mistake(from.Name, shown+err.Error())
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
	case strings.ContainsFunc(bare, invisible):
		return "", errors.New("it holds a character that cannot be seen; type it instead of copying it")
	case exact && bare != value:
		return "", errors.New("it begins and ends with a blank or a quote; write it without")
	}
	return bare, nil
}

// invisible reports whether a character formats text (Unicode category Cf), such as
// the zero width space that comes with what is copied from a page.
func invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// checkPlain returns an error for what no value of a setting without free text begins
// or ends with: one quote of two, or what "docker run --env-file" and systemd take for
// a part of the value, a comment and an escaped line end.
func checkPlain(value string) error {
	const quotes = "\"'`“”„‘’«»"
	switch {
	case strings.Trim(value, quotes) != value:
		return errors.New("it begins or ends with a quote; write it without")
	case strings.Contains(value, " #"):
		return errors.New("it holds a comment; write that on a line of its own")
	case strings.HasSuffix(value, `\r`) || strings.HasSuffix(value, `\n`):
		return errors.New("it ends with an escaped line end; write it without")
	}
	return nil
}

func (l *Loaded) find(cmd *cobra.Command, row Setting, levels []level) (Origin, bool) {
	if flag := cmd.Flags().Lookup(row.Flag); flag != nil && flag.Changed {
		return Origin{Value: flag.Value.String(), Name: "--" + row.Flag}, true
	}
	for _, level := range levels {
		for _, name := range row.Env {
			// An empty variable is how shells and compose files say "not set".
			if value := level.vars[name]; strings.TrimSpace(value) != "" {
				if row.Secret && level.vars[name+"_FILE"] != "" {
					l.mistake(name+level.suffix, "expected either this or "+name+"_FILE, not both")
				}
				return Origin{Value: value, Name: name + level.suffix}, true
			}
			if file := level.vars[name+"_FILE"]; row.Secret && file != "" {
				return l.readSecret(name+"_FILE"+level.suffix, file)
			}
		}
		if row.Flag == "mail-tls" {
			if from, ok := l.flaskTLS(level); ok {
				return from, true
			}
		}
	}
	return Origin{}, false
}

func (l *Loaded) readSecret(name, file string) (Origin, bool) {
	content, err := os.ReadFile(file)
	if err != nil {
		l.mistake(name, fmt.Sprintf("%q: expected a file that can be read", file))
		return Origin{}, false
	}
	return Origin{Value: string(content), Name: name}, true
}

// flaskTLS reads the tutorial's two variables as truth values; in Python, its
// text "False" was true.
func (l *Loaded) flaskTLS(level level) (Origin, bool) {
	useTLS, hasTLS := l.truth(level, "MAIL_USE_TLS")
	useSSL, hasSSL := l.truth(level, "MAIL_USE_SSL")
	switch {
	case !hasTLS && !hasSSL:
		return Origin{}, false
	case useTLS && useSSL:
		l.mistake("MAIL_USE_TLS and MAIL_USE_SSL"+level.suffix, "expected at most one of them to be True")
		return Origin{}, false
	case useSSL:
		return Origin{Value: "tls", Name: "MAIL_USE_SSL" + level.suffix}, true
	case useTLS:
		return Origin{Value: "starttls", Name: "MAIL_USE_TLS" + level.suffix}, true
	case hasTLS:
		return Origin{Value: "none", Name: "MAIL_USE_TLS" + level.suffix}, true
	}
	return Origin{}, false
}

func (l *Loaded) truth(level level, name string) (value, there bool) {
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
func (l *Loaded) refuseUnknown(rows []Setting, levels []level) {
	// Those that "taskapi mcp" reads are no settings.
	known := map[string]bool{"TASKAPI_TOKEN": true, "TASKAPI_TOKEN_FILE": true, "TASKAPI_PLAIN_HTTP": true}
	for _, row := range rows {
		known[row.Env[0]] = true
		known[row.Env[0]+"_FILE"] = row.Secret
	}
	for _, level := range levels {
		for _, name := range slices.Sorted(maps.Keys(level.vars)) {
			if strings.HasPrefix(name, "TASKAPI_") && !known[name] {
				l.mistake(name+level.suffix, "there is no such setting; \"taskapi config\" lists them all")
			}
		}
	}
}

func (l *Loaded) nameOf(flag string) string {
	if from := l.Origins[flag]; from.Name != Default {
		return from.Name
	}
	return "--" + flag
}

// noticeDatabase tells who comes from the tutorial where the data now lives.
func (l *Loaded) noticeDatabase(levels []level) {
	for _, level := range levels {
		for _, name := range []string{"DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME"} {
			if level.vars[name] != "" {
				l.Settings.Notices = append(l.Settings.Notices, "DB_* settings name a MariaDB server, which taskapi does not need: the data lives in "+l.Settings.DataDir+"; \"taskapi db import\" brings what is there")
				return
			}
		}
	}
}
