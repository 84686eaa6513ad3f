package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"taskapi/cmd/settings"
	"taskapi/web"
)

// documents are the README and the guide, by name.
func documents(t *testing.T) map[string]string {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"README.md": string(readme)}
	names, err := fs.Glob(web.Files(), "guide/*.md")
	if err != nil || len(names) < 10 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(web.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(name, "guide/")] = string(text)
	}
	return all
}

func TestHelpPrintsEachTopic(t *testing.T) {
	topics, err := guideTopics(web.Files())
	if err != nil {
		t.Fatal(err)
	}
	list := world{}.taskapi(t, "help").expect(t, exitOK, "Topics of the guide")
	for name := range documents(t) {
		if name == "README.md" || name == "index.md" {
			continue
		}
		topic := strings.TrimSuffix(name, ".md")
		if !slices.ContainsFunc(topics, func(t guideTopic) bool { return t.name == topic }) || !strings.Contains(list.out, topic) {
			t.Errorf("%s is not in the index", name)
		}
		page := world{}.taskapi(t, "help", topic).expect(t, exitOK, "# ")
		if strings.Contains(page.out, "```") || strings.Contains(page.out, ".md)") || strings.Contains(page.out, "\n|") {
			t.Errorf("%s: Markdown is left:\n%s", topic, page.out)
		}
		for line := range strings.Lines(page.out) {
			if utf8.RuneCountInString(line) > 100 && !strings.HasPrefix(line, "    ") {
				t.Errorf("%s: a line is too long: %s", topic, line)
			}
		}
	}
	world{}.taskapi(t, "help", "settings", "more").expect(t, exitUsage, "there is no command or topic")
}

// Every command that a reader may type is one, with flags and arguments that it
// knows. .ci/walk runs those that need no other machine.
func TestCommandsInTheDocuments(t *testing.T) {
	fence := regexp.MustCompile("(?ms)^```(?:sh|sh stopped|console)\n(.*?)^```$|^    (?:\\./)?taskapi .*$")
	inline := regexp.MustCompile("`taskapi ([^`]*)`")
	command := regexp.MustCompile(`(?m)(?:^|[ /|])taskapi ([a-z][^|>\n]*)`)
	checked := 0
	check := func(name, line string) {
		line, _, _ = strings.Cut(line, " #")
		line = strings.NewReplacer("'", "", "[FILE]", "safe.db", "SOURCE", "a.json", "FOLDER", "folder", "…", "").Replace(line)
		args := strings.Fields(line)
		if args[0] == "taskapi" { // sudo -u taskapi taskapi …
			args = args[1:]
		}
		if strings.Contains(args[0], "@") || args[0] == "help" { // scp taskapi pi@…
			return
		}
		root := newRoot(&application{})
		strict(root)
		cmd, rest, err := root.Find(args)
		if err == nil && cmd.HasParent() {
			if err = cmd.ParseFlags(rest); err == nil && (cmd.HasSubCommands() || cmd.Flags().NArg() > 0 || strings.Contains(name, "block")) {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
		}
		if err != nil || !cmd.HasParent() {
			t.Errorf("%s: taskapi %s: %v", name, line, err)
		}
		checked++
	}
	for name, text := range documents(t) {
		for _, block := range fence.FindAllString(text, -1) {
			for _, found := range command.FindAllStringSubmatch(block, -1) {
				check(name+" block", found[1])
			}
		}
		for _, found := range inline.FindAllStringSubmatch(strings.ReplaceAll(text, "\n", " "), -1) {
			check(name, found[1])
		}
	}
	if checked < 60 {
		t.Errorf("only %d commands were found", checked)
	}
}

func TestTheGuideListsEverySetting(t *testing.T) {
	text := documents(t)["settings.md"]
	for _, row := range settings.Table() {
		line := regexp.MustCompile("(?m)^\\| `--" + row.Flag + "`.*$").FindString(text)
		for _, name := range row.Env {
			if !strings.Contains(line, "`"+name+"`") {
				t.Errorf("%s: %s is not in %q", row.Flag, name, line)
			}
		}
	}
	for _, found := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)`").FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(settings.Table(), func(row settings.Setting) bool { return row.Flag == found[1] }) {
			t.Errorf("there is no setting %s", found[1])
		}
	}
}

// Links between the documents lead somewhere.
func TestLinksInTheDocuments(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for name, text := range documents(t) {
		dir := root(t)
		if name != "README.md" {
			dir = filepath.Join(dir, "web", "guide")
		}
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(dir, found[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Each example is written into a folder as it is embedded, and nothing is written over.
func TestExamplesAreWritten(t *testing.T) {
	folder(t)
	all, err := fs.ReadDir(web.Files(), examplesFolder)
	if err != nil || len(all) != len(examples()) {
		t.Fatal(all, err)
	}
	list := world{}.taskapi(t, "dev", "example").expect(t, exitOK, "")
	for _, entry := range all {
		name := entry.Name()
		if !strings.Contains(list.out, "  "+name+" ") {
			t.Errorf("%s is not listed: %s", name, list.out)
		}
		world{}.taskapi(t, "dev", "example", name, filepath.Join("new", name)).expect(t, exitOK, filepath.Join("new", name))
	}
	err = fs.WalkDir(web.Files(), examplesFolder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		want, err := fs.ReadFile(web.Files(), path)
		if err != nil {
			return err
		}
		inside := strings.TrimPrefix(path, examplesFolder+"/")
		world{}.taskapi(t, "help", "examples/"+inside).expect(t, exitOK, string(want))
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join("new", "vue", "src", "App.vue")); err != nil || !strings.Contains(string(text), "<template>") {
		t.Errorf("%s %v", text, err)
	}
	world{}.taskapi(t, "dev", "example", "todo.http", filepath.Join("new", "todo.http")).expect(t, exitFailed, "is there already")
	world{}.taskapi(t, "dev", "example", "none").expect(t, exitUsage, "there is no example")
	world{}.taskapi(t, "dev", "example", "../mail").expect(t, exitUsage, "there is no example")
	world{}.taskapi(t, "help", "examples/../../mail/welcome.txt").expect(t, exitUsage, "there is no")
}
