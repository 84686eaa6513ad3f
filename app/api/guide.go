package api

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// guideIndex is the first page of the guide: a list of links to the others.
const guideIndex = "index.md"

// topic is a page of the guide.
type topic struct {
	file, title string
	document    ast.Node
	source      []byte
}

// addGuide renders the Markdown below guide/ into pages, each of which is served
// at /guide/TOPIC, and the index at /guide.
func (s *static) addGuide(files fs.FS) error {
	frame, err := fs.ReadFile(files, "guide/page.html")
	if err != nil {
		return fmt.Errorf("reading the guide: %w", err)
	}
	markdown := goldmark.New(
		// Without styles of their own, which the policy of the page refuses; HTML in
		// the text is left out.
		goldmark.WithExtensions(extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	)
	read := func(name string) (topic, error) {
		source, err := fs.ReadFile(files, "guide/"+name)
		document := markdown.Parser().Parse(text.NewReader(source))
		return topic{file: name, title: heading(document, source), document: document, source: source}, err
	}
	index, err := read(guideIndex)
	if err != nil {
		return fmt.Errorf("reading the guide: %w", err)
	}
	topics := []topic{index}
	for _, name := range linked(index) {
		t, err := read(name)
		if err != nil {
			return fmt.Errorf("reading the guide: %w", err)
		}
		topics = append(topics, t)
	}
	for _, t := range topics {
		if err := s.addTopic(markdown, t, topics, string(frame)); err != nil {
			return err
		}
	}
	return nil
}

// addTopic renders one page.
func (s *static) addTopic(markdown goldmark.Markdown, t topic, all []topic, frame string) error {
	// The index stands a step above the others.
	base, home := "", "../"
	if t.file == guideIndex {
		base, home = "guide/", "./"
	}
	_ = ast.Walk(t.document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := node.(*ast.Link); ok && entering {
			link.Destination = []byte(address(string(link.Destination), base))
		}
		return ast.WalkContinue, nil // it never fails
	})
	var content bytes.Buffer
	if err := markdown.Renderer().Render(&content, t.source, t.document); err != nil {
		return fmt.Errorf("the guide's %s: %w", t.file, err)
	}
	framed := strings.NewReplacer("<table>", `<div class="table" tabindex="0"><table>`, "</table>", "</table></div>").Replace(content.String())
	page := strings.NewReplacer(
		"{{title}}", html.EscapeString(t.title)+" · taskapi", "{{nav}}", guideNav(t, all, base, home), "{{content}}", framed,
	).Replace(frame)
	name := "guide/" + strings.TrimSuffix(t.file, ".md")
	s.files[name] = s.prepare(name+".html", []byte(page))
	return nil
}

func guideNav(present topic, all []topic, base, home string) string {
	var nav strings.Builder
	fmt.Fprintf(&nav, "<ul>\n<li><a href=%q>To the tasks</a></li>\n", home)
	for _, t := range all {
		current := ""
		if t.file == present.file {
			current = ` aria-current="page"`
		}
		fmt.Fprintf(&nav, "<li><a href=%q%s>%s</a></li>\n", address(t.file, base), current, html.EscapeString(t.title))
	}
	return nav.String() + "</ul>"
}

// address is where the browser finds what a link between the files names.
func address(link, base string) string {
	file, fragment, _ := strings.Cut(link, "#")
	switch {
	case path.Ext(file) != ".md" || strings.Contains(file, "/"):
		return link
	case fragment != "":
		fragment = "#" + fragment
	}
	if file == guideIndex {
		if base == "" {
			return "../guide" + fragment
		}
		return "./guide" + fragment
	}
	return base + strings.TrimSuffix(file, ".md") + fragment
}

// linked lists the files that a page links to, in their order.
func linked(t topic) []string {
	var all []string
	_ = ast.Walk(t.document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if link, ok := node.(*ast.Link); ok && entering && !slices.Contains(all, string(link.Destination)) {
			all = append(all, string(link.Destination))
		}
		return ast.WalkContinue, nil // it never fails
	})
	return all
}

// heading returns the text of the first heading.
func heading(document ast.Node, source []byte) string {
	for node := document.FirstChild(); node != nil; node = node.NextSibling() {
		if h, ok := node.(*ast.Heading); ok {
			return string(h.Lines().Value(source))
		}
	}
	return ""
}

// examplesFolder is where the programs that the guide shows lie.
const examplesFolder = "guide/examples"

// addExamples adds the programs that the guide shows, each as the text that it is.
func (s *static) addExamples(files fs.FS) error {
	if _, err := fs.Stat(files, examplesFolder); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fs.WalkDir(files, examplesFolder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		s.examples = append(s.examples, name)
		s.files[name] = file{kind: "text/plain; charset=utf-8", forms: sync.OnceValue(func() forms { return packed(content) })}
		return err
	})
}

// guide sends a page of the guide.
func (s *static) guide(c *fiber.Ctx) error {
	name := c.Params("topic", "index")
	if name == "index" && c.Params("topic") != "" {
		return fiber.ErrNotFound // it has one address
	}
	return s.page("guide/" + name)(c)
}
