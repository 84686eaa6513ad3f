package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/joho/godotenv"
)

// dotenv reads .env in the working folder without touching the process's own
// environment. It goes line by line, so that each mistake is reported with its
// line and hides no other.
func (l *Loaded) dotenv() level {
	vars := map[string]string{}
	content, err := os.ReadFile(".env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		l.mistake(".env", "can't be read; make it a file that this user may read, or remove it")
	}
	// Editors on Windows begin a file with a byte order mark.
	text := strings.TrimPrefix(string(content), "\ufeff")
	number := 0
	for line := range strings.Lines(text) {
		number++
		parsed, err := godotenv.Unmarshal(literal(line))
		if err != nil || !allNames(parsed) {
			l.mistake(fmt.Sprintf(".env, line %d", number), "expected NAME=value")
			continue
		}
		for name, value := range parsed {
			vars[name] = value
		}
	}
	return level{vars: vars, suffix: " in .env"}
}

// literal keeps the library from putting variables in the place of $NAME: a
// password may well hold a dollar. Between single quotes it does not.
func literal(line string) string {
	_, value, _ := strings.Cut(line, "=")
	if strings.HasPrefix(strings.TrimSpace(value), "'") {
		return line
	}
	return strings.ReplaceAll(line, "$", `\$`)
}

// allNames reports whether every key can be the name of a variable.
func allNames(vars map[string]string) bool {
	name := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	for key := range vars {
		if !name.MatchString(key) {
			return false
		}
	}
	return true
}
