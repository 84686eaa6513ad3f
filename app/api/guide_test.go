package api_test

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"taskapi/app/api"
	"taskapi/web"
)

// Each page of the guide is one, and its links lead somewhere.
func TestGuide(t *testing.T) {
	s := start(t)
	names, err := fs.Glob(web.Files(), "guide/*.md")
	must(t, err)
	link := regexp.MustCompile(`href="([^"]*)"`)
	for _, name := range names {
		address := "/guide/" + strings.TrimSuffix(strings.TrimPrefix(name, "guide/"), ".md")
		if address == "/guide/index" {
			address = "/guide"
		}
		a := s.load("GET", address)
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || a.header.Get("ETag") == "" || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", address, a.status, a.header)
			continue
		}
		if !strings.Contains(a.text, "<h1 id=") || strings.Count(a.text, `aria-current="page"`) != 1 || strings.Contains(a.text, "{{") || strings.Contains(a.text, " style=") {
			t.Errorf("%s: %.600s", address, a.text)
		}
		for _, found := range link.FindAllStringSubmatch(a.text, -1) {
			target, _, _ := strings.Cut(found[1], "#")
			switch {
			case strings.HasPrefix(target, "https://"):
				continue
			case strings.HasPrefix(target, "../"):
				target = "/" + strings.TrimPrefix(target, "../")
			case strings.HasPrefix(target, "./"):
				target = "/" + strings.TrimPrefix(target, "./")
			case !strings.HasPrefix(target, "/"):
				target = address[:strings.LastIndex(address, "/")+1] + target
			}
			if b := s.load("GET", target, "Accept", "text/html"); b.status != 200 {
				t.Errorf("%s links to %s: %d", address, found[1], b.status)
			}
		}
	}
	for _, address := range []string{"/guide/index", "/guide/none", "/guide/page.html", "/guide/%2e%2e%2fstatic%2fapp.js"} {
		if a := s.load("GET", address); a.status != 404 {
			t.Errorf("%s: %d", address, a.status)
		}
	}
}

// What stands in a page is text, whatever it looks like.
func TestGuideWithHTML(t *testing.T) {
	files := fstest.MapFS{
		"static/index.html": {Data: []byte("page")}, "guide/page.html": {Data: []byte("<title>{{title}}</title>{{nav}}{{content}}")},
		"guide/index.md": {Data: []byte("# <b>The</b> guide\n\n- [One](one.md): first\n")},
		"guide/one.md":   {Data: []byte("# One\n\n<script>alert(1)</script>\n\n| a |\n| ---: |\n| <i>x</i> |\n\n[bad](javascript:alert)\n")},
	}
	s := start(t, func(p *parts) { p.api.Web = files })
	for _, address := range []string{"/guide", "/guide/one"} {
		a := s.load("GET", address)
		if a.status != 200 || strings.Contains(a.text, "<script") || strings.Contains(a.text, "<i>") || strings.Contains(a.text, "<b>") || strings.Contains(a.text, "javascript:") || strings.Contains(a.text, "style=") {
			t.Errorf("%s: %d %s", address, a.status, a.text)
		}
	}
	for name := range files {
		if strings.HasSuffix(name, "one.md") {
			delete(files, name)
		}
	}
	if _, err := api.New(api.Config{Web: files, Users: s.users}); err == nil {
		t.Error("a page that is not there is linked to")
	}
}

// The guide explains every code that the contract has, and no other.
func TestGuideExplainsEveryCode(t *testing.T) {
	text, err := fs.ReadFile(web.Files(), "guide/errors.md")
	must(t, err)
	var explained []string
	for _, found := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		explained = append(explained, found[1])
	}
	d, err := loadDocument()
	must(t, err)
	var codes []string
	schemas := d.doc.Components.Schemas
	for _, code := range slices.Concat(schemas["Code"].Value.Enum, schemas["FieldProblems"].Value.Properties["code"].Value.Enum) {
		codes = append(codes, code.(string))
	}
	slices.Sort(codes)
	slices.Sort(explained)
	if codes = slices.Compact(codes); !slices.Equal(codes, explained) {
		t.Errorf("the contract has %v\nthe guide has %v", codes, explained)
	}
}
