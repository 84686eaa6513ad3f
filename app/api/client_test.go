package api_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// methodsOf are the names that a client calls the server by.
func methodsOf(text string) (names []string) {
	for _, found := range regexp.MustCompile("`[A-Z]+ /[^`]*`\n   \\*/\n  (\\w+)\\(.*\n    return this").FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	slices.Sort(names)
	return names
}

// operationsOf are the names of all operations of a document.
func operationsOf(d *document) (names []string) {
	for _, item := range d.doc.Paths.Map() {
		for _, operation := range item.Operations() {
			names = append(names, operation.OperationID)
		}
	}
	slices.Sort(names)
	return names
}

// The client has a method for each operation, and that of a production server knows nothing of a
// developer's.
func TestTheClientHasAllOperations(t *testing.T) {
	s, d := start(t), startDev(t)
	document, err := loadDocument()
	must(t, err)
	for _, path := range []string{"/client.ts", "/client.js"} {
		ours, developers := s.load("GET", path).text, d.load("GET", path).text
		if got, want := methodsOf(ours), operationsOf(document); !slices.Equal(got, want) {
			t.Errorf("%s has\n%v\nand the document\n%v", path, got, want)
		}
		if got, want := methodsOf(developers), operationsOf(d.doc); !slices.Equal(got, want) {
			t.Errorf("%s of a developer has\n%v\nand the document\n%v", path, got, want)
		}
		for _, text := range []string{ours, developers} {
			if i := strings.Index(text, "\n  ("); i >= 0 {
				t.Errorf("%s has a method without a name: %.100s", path, text[i:])
			}
		}
		if strings.Contains(ours, "/dev/") || !strings.Contains(developers, "/dev/clock") || !strings.Contains(ours, "const developing = false;") || !strings.Contains(developers, "const developing = true;") {
			t.Errorf("%s is that of another server", path)
		}
	}
}

func TestTheClientIsServed(t *testing.T) {
	s := start(t)
	d, err := loadDocument()
	must(t, err)
	for path, kind := range map[string]string{"/client.ts": "text/plain; charset=utf-8", "/client.js": "text/javascript; charset=utf-8"} {
		request, err := http.NewRequest("GET", s.url+path, nil)
		must(t, err)
		a := s.load("GET", path, "Accept-Encoding", "identity", "Origin", "https://app.example.com")
		d.check(t, request, nil, a)
		if a.status != 200 || a.header.Get("Content-Type") != kind || a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Access-Control-Allow-Origin") != "*" ||
			!strings.HasPrefix(a.text, "// The client of taskapi test for front ends") || !strings.Contains(a.text, `const served = "";`) {
			t.Errorf("%s: %d %v %.100s", path, a.status, a.header, a.text)
		}
		known := s.load("GET", path, "If-None-Match", a.header.Get("ETag"))
		d.check(t, request, nil, known)
		if known.status != 304 || known.text != "" {
			t.Errorf("%s again: %d", path, known.status)
		}
		unknown := s.load("GET", path+"?x=1")
		d.check(t, request, nil, unknown)
		if unknown.status != 400 {
			t.Errorf("%s with a parameter: %d", path, unknown.status)
		}
		if packed := s.load("GET", path, "Accept-Encoding", "gzip"); packed.header.Get("Content-Encoding") != "gzip" || len(packed.text) > len(a.text)/3 {
			t.Errorf("%s packed: %d of %d bytes, %v", path, len(packed.text), len(a.text), packed.header)
		}
	}
}
