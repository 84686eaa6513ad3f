package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The house rules, held by the import graph so that they can't rot quietly.

const module = "taskapi"

// top is where the module begins, from here.
const top = ".."

// pkg is what `go list` says of a package of ours.
type pkg struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	list.Dir = top
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// mayImport lists, for each package of ours, the others that it may import.
var mayImport = map[string][]string{
	"taskapi": {"taskapi/cmd"},
	"taskapi/cmd": {
		"taskapi/app", "taskapi/app/account", "taskapi/app/todo", "taskapi/app/outbox", "taskapi/app/operate", "taskapi/app/dev",
		"taskapi/app/api", "taskapi/app/caldav", "taskapi/app/mcp", "taskapi/app/mailer", "taskapi/app/push", "taskapi/app/mariadb", "taskapi/app/metrics", "taskapi/app/password", "taskapi/app/replica",
		"taskapi/app/postgres", "taskapi/app/sqlite", "taskapi/app/store", "taskapi/app/token", "taskapi/app/transfer", "taskapi/app/webhook", "taskapi/web",
		"taskapi/cmd/certs", "taskapi/cmd/datadir", "taskapi/cmd/doctor", "taskapi/cmd/listen", "taskapi/cmd/logs",
		"taskapi/cmd/machine", "taskapi/cmd/service", "taskapi/cmd/settings",
	},
	// What the commands are made of.
	"taskapi/cmd/doctor": {
		"taskapi/app/api", "taskapi/app/mailer", "taskapi/app/postgres", "taskapi/app/push", "taskapi/app/replica", "taskapi/app/sqlite", "taskapi/app/store",
		"taskapi/cmd/certs", "taskapi/cmd/datadir", "taskapi/cmd/listen", "taskapi/cmd/machine", "taskapi/cmd/settings",
	},
	"taskapi/cmd/settings": {"taskapi/app/account", "taskapi/app/replica", "taskapi/app/sqlite", "taskapi/app/token", "taskapi/cmd/certs", "taskapi/cmd/listen"},
	"taskapi/cmd/datadir":  {"taskapi/app/sqlite", "taskapi/app/token"},
	"taskapi/cmd/listen":   nil,
	// What taskapi is.
	"taskapi/app":         nil,
	"taskapi/app/outbox":  {"taskapi/app"},
	"taskapi/app/account": {"taskapi/app", "taskapi/app/outbox", "taskapi/app/password", "taskapi/app/token"},
	"taskapi/app/todo":    {"taskapi/app", "taskapi/app/ical"},
	"taskapi/app/ical":    nil,
	"taskapi/app/operate": {"taskapi/app", "taskapi/app/account", "taskapi/app/todo", "taskapi/app/password"},
	"taskapi/app/dev":     {"taskapi/app/operate"},
	// How it is reached, and what it reaches.
	"taskapi/app/api":        {"taskapi/app", "taskapi/app/account", "taskapi/app/todo", "taskapi/app/outbox", "taskapi/app/operate", "taskapi/app/dev", "taskapi/app/password", "taskapi/app/token", "taskapi/app/api/client"},
	"taskapi/app/api/client": nil,
	"taskapi/app/caldav":     {"taskapi/app", "taskapi/app/todo"},
	"taskapi/app/mcp":        {"taskapi/app", "taskapi/app/todo"},
	"taskapi/app/store":      {"taskapi/app", "taskapi/app/account", "taskapi/app/todo", "taskapi/app/outbox", "taskapi/app/operate"},
	"taskapi/app/sqlite":     {"taskapi/app", "taskapi/app/store", "taskapi/app/replica"},
	"taskapi/app/replica":    nil,
	"taskapi/app/postgres":   {"taskapi/app", "taskapi/app/store"},
	"taskapi/app/mailer":     {"taskapi/app", "taskapi/app/outbox"},
	"taskapi/app/webhook":    {"taskapi/app", "taskapi/app/outbox"},
	"taskapi/app/push":       {"taskapi/app/outbox"},
	"taskapi/app/mariadb":    {"taskapi/app", "taskapi/app/operate"},
	"taskapi/app/transfer":   {"taskapi/app", "taskapi/app/account", "taskapi/app/todo", "taskapi/app/operate"},
	"taskapi/app/metrics":    nil,
	"taskapi/app/password":   nil,
	"taskapi/app/token":      nil,
	"taskapi/web":            nil,
	"taskapi/cmd/certs":      nil,
	"taskapi/cmd/machine":    nil,
	"taskapi/cmd/logs":       nil,
	"taskapi/cmd/service":    nil,
	// Helpers of tests, imported by tests only.
	"taskapi/app/sqlite/sqlitetest": {"taskapi/app/sqlite"},
	"taskapi/app/sqlite/cutfs":      {},
	"taskapi/app/storetest":         {"taskapi/app/postgres", "taskapi/app/sqlite", "taskapi/app/sqlite/sqlitetest", "taskapi/app/store"},
	"taskapi/app/mailer/mailertest": nil,
	"taskapi/app/token/tokentest":   {"taskapi/app/token"},
}

// homes names the one package that may import what touches the world: modules
// of others by their path, and packages of the standard library. A second home
// stands behind a space: database/sql speaks to our database below the store, which
// knows its nulls, and to the tutorial's, to read it once, in another room.
var homes = map[string]string{
	"database/sql":                    "taskapi/app/sqlite taskapi/app/sqlite/sqlitetest taskapi/app/postgres taskapi/app/store taskapi/app/storetest taskapi/app/mariadb",
	"github.com/jackc/pgx/v5":         "taskapi/app/postgres",
	"github.com/jackc/puddle/v2":      "taskapi/app/postgres",
	"github.com/go-sql-driver/mysql":  "taskapi/app/mariadb",
	"encoding/csv":                    "taskapi/app/transfer",
	"modernc.org/sqlite":              "taskapi/app/sqlite",
	"github.com/gofiber/fiber/v2":     "taskapi/app/api",
	"github.com/gofiber/contrib/jwt":  "taskapi/app/api",
	"github.com/valyala/fasthttp":     "taskapi/app/api",
	"github.com/go-json-experiment":   "taskapi/app/api",
	"github.com/mileusna/useragent":   "taskapi/app/api",
	"github.com/yuin/goldmark":        "taskapi/app/api",
	"go.yaml.in/yaml/v3":              "taskapi/app/api taskapi/app/api/client",
	"net/smtp":                        "taskapi/app/mailer",
	"github.com/jordan-wright/email":  "taskapi/app/mailer",
	"github.com/alexedwards/argon2id": "taskapi/app/password",
	"golang.org/x/crypto/scrypt":      "taskapi/app/password",
	"github.com/golang-jwt/jwt/v5":    "taskapi/app/token",
	"github.com/spf13/cobra":          "taskapi/cmd taskapi/cmd/settings",
	"github.com/spf13/pflag":          "taskapi/cmd",
	"github.com/joho/godotenv":        "taskapi/cmd/settings",
	"github.com/gofrs/flock":          "taskapi/cmd/datadir",
	"golang.org/x/net/idna":           "taskapi/app taskapi/cmd taskapi/cmd/settings",
	"golang.org/x/text/unicode/norm":  "taskapi/app taskapi/app/password taskapi/app/todo",
	"golang.org/x/text/cases":         "taskapi/app/todo",
	"golang.org/x/text/encoding":      "taskapi/app/transfer",
	"golang.org/x/term":               "taskapi/cmd",
	"golang.org/x/crypto/acme":        "taskapi/cmd/certs",
	"golang.org/x/sys":                "taskapi/cmd/machine",
	"github.com/KimMachineGun":        "taskapi/cmd/machine",
	"github.com/prometheus":           "taskapi/app/metrics",
	"os/signal":                       "taskapi/cmd",
	"os/exec":                         "taskapi/cmd/service",
	"github.com/kardianos/service":    "taskapi/cmd/service",
	"github.com/coreos/go-systemd":    "taskapi/cmd/service",
	"code.dny.dev/ssrf":               "taskapi/app/webhook",
	"github.com/standard-webhooks":    "taskapi/app/webhook",
	"github.com/SherClockHolmes":      "taskapi/app/push",
	"net/http":                        "taskapi/app/api taskapi/app/caldav taskapi/app/mcp taskapi/app/push taskapi/app/replica taskapi/app/webhook taskapi/cmd",
	"github.com/modelcontextprotocol": "taskapi/app/mcp",
	"github.com/google/jsonschema-go": "taskapi/app/mcp",
	"github.com/go-rod/rod":           "taskapi/cmd",
	"github.com/hanwen/go-fuse":       "taskapi/app/sqlite/cutfs",
	"github.com/emersion/go-smtp":     "taskapi/app/mailer/mailertest",
	"github.com/emersion/go-sasl":     "taskapi/app/mailer/mailertest",
	"github.com/gofiber/contrib/v3":   "nowhere",
	"github.com/mattn/go-sqlite3":     "nowhere",
	"text/template":                   "nowhere",
	"text/template/parse":             "taskapi/app/mailer",
	"html/template":                   "nowhere",
}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		allowed, known := mayImport[p.ImportPath]
		if !known {
			t.Errorf("%s is a new room: say in mayImport what it may import", p.ImportPath)
		}
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module+"/") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s: imports run main -> cmd -> {api, mcp, sqlite -> store, mailer, mariadb, transfer, web} -> app -> {password, token}", p.ImportPath, path)
			}
		}
	}
}

func TestEveryTechnologyHasOneHome(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module+"/") {
				continue
			}
			home := homeOf(path)
			first, _, _ := strings.Cut(path, "/")
			switch {
			case home == "" && strings.Contains(first, "."):
				t.Errorf("%s imports %s, which has no home: give it one in homes, and a line in app/doc.go", p.ImportPath, path)
			case home != "" && !slices.Contains(strings.Fields(home), p.ImportPath):
				t.Errorf("%s imports %s, whose home is %s", p.ImportPath, path, home)
			}
		}
	}
}

// homeOf finds the longest entry of homes that the path is or lies below.
func homeOf(path string) string {
	best, home := "", ""
	for prefix, package_ := range homes {
		if (path == prefix || strings.HasPrefix(path, prefix+"/")) && len(prefix) > len(best) {
			best, home = prefix, package_
		}
	}
	return home
}

// source is a parsed file that ships, not a test.
type source struct {
	pkg, name string
	file      *ast.File
	lines     int
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			path := filepath.Join(p.Dir, name)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, source{p.ImportPath, name, file, bytes.Count(text, []byte("\n"))})
		}
	}
	return all
}

func TestTheProcessBelongsToTheOutermostRooms(t *testing.T) {
	homes := map[string]string{
		"os.Exit": "taskapi", "os.Args": "taskapi",
		"os.Getenv": "taskapi/cmd taskapi/app/storetest", "os.LookupEnv": "taskapi/cmd", "os.Environ": "taskapi/cmd",
		"os.Stdin": "taskapi/cmd", "os.Stdout": "taskapi/cmd", "os.Stderr": "taskapi/cmd",
		"fmt.Print": "nowhere", "fmt.Println": "nowhere", "fmt.Printf": "nowhere",
		"log.Fatal": "nowhere", "log.Print": "nowhere", "slog.Default": "nowhere",
	}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok {
				name := x.Name + "." + selector.Sel.Name
				if home := homes[name]; home != "" && !slices.Contains(strings.Fields(home), s.pkg) {
					t.Errorf("%s/%s uses %s, whose home is %s", s.pkg, s.name, name, home)
				}
			}
			return true
		})
	}
}

func TestNoWorkAtInitAndNoLongFiles(t *testing.T) {
	for _, s := range sources(t) {
		for _, declaration := range s.file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s/%s has an init function: build things where they are handed down", s.pkg, s.name)
			}
		}
		if s.lines > 400 {
			t.Errorf("%s/%s has %d lines: find the second idea in it", s.pkg, s.name, s.lines)
		}
	}
}

func TestTheTopLevelIsTheAgreedOne(t *testing.T) {
	agreed := strings.Fields(`main.go app cmd web schema.sql go.mod go.sum .goreleaser.yaml LICENSE
		README.md CHANGELOG.md .env.example .gitignore .golangci.yml .ci`)
	// What .gitignore leaves out, and git itself.
	ignored := strings.Fields(`.git taskapi taskapi.exe dist taskapi-data .env`)
	entries, err := fs.ReadDir(os.DirFS(top), ".")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, entry := range entries {
		found[entry.Name()] = true
		if !slices.Contains(agreed, entry.Name()) && !slices.Contains(ignored, entry.Name()) &&
			!strings.HasSuffix(entry.Name(), ".test") && !strings.HasSuffix(entry.Name(), ".prof") {
			t.Errorf("%s does not belong at the top level", entry.Name())
		}
	}
	for _, name := range agreed {
		if !found[name] {
			t.Errorf("%s is missing at the top level", name)
		}
	}
}

// TestLibcIsTheOneThatSQLiteNames: modernc.org/sqlite is generated for one
// version of modernc.org/libc, and crashes on 32-bit ARM with another.
func TestLibcIsTheOneThatSQLiteNames(t *testing.T) {
	ours, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.GoMod}}", "modernc.org/sqlite").Output()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`modernc\.org/libc (v\S+)`)
	want, got := version.FindSubmatch(theirs), version.FindSubmatch(ours)
	if want == nil || got == nil || !bytes.Equal(want[1], got[1]) {
		t.Errorf("go.mod has %s, sqlite's own has %s: make ours the same", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
}

// TestTheLinkerLeavesUnusedMethodsOut: code that is reached and may look for any method by
// its name, as text/template does, makes the linker keep all methods of all types, which are
// a tenth of the binary.
func TestTheLinkerLeavesUnusedMethodsOut(t *testing.T) {
	build := exec.Command("go", "build", "-o", filepath.Join(t.TempDir(), "taskapi"), "-ldflags=-dumpdep", ".")
	build.Dir = top
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%.2000s", err, out)
	}
	if !bytes.Contains(out, []byte("main.main -> taskapi/cmd.Main")) {
		t.Fatalf("the linker does not say what needs what: %.500s", out)
	}
	// The first is the cause: more are kept with all methods.
	if found := regexp.MustCompile(`(?m)^(.+) -> (\S+) <[^>]*ReflectMethod[^>]*>$`).FindSubmatch(out); found != nil {
		t.Errorf("%s, which %s needs, looks for methods by name", found[2], found[1])
	}
}
