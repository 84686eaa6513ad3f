package api_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"taskapi/web"
)

// load sends a request for something that is no JSON.
func (s *server) load(method, path string, header ...string) answer {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, nil)
	must(s.t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	must(s.t, err)
	text, err := io.ReadAll(response.Body)
	must(s.t, err)
	must(s.t, response.Body.Close())
	return answer{status: response.StatusCode, header: response.Header, text: string(text)}
}

func TestPagesBehindLinks(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/reset-password", "/verify-email", "/verify-email/"} {
		a := s.load("GET", path, "Accept-Encoding", "identity")
		if a.status != 200 || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
		for name, want := range map[string]string{"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if !strings.Contains(a.header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, a.header.Get(name))
			}
		}
		if !strings.Contains(a.text, `name="registration" content="open"`) {
			t.Errorf("%s does not say that anyone may register: %s", path, a.text)
		}
		// Nothing inline, nothing from elsewhere.
		if regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style| on[a-z]+=|style=|https?://`).MatchString(a.text) {
			t.Errorf("%s: %s", path, a.text)
		}
		loaded := regexp.MustCompile(`/static/[^"]+`).FindAllString(a.text, -1)
		if len(loaded) < 10 {
			t.Fatalf("%s loads %v", path, loaded)
		}
		for _, asset := range loaded {
			s.checkAsset(asset)
		}
		if again := s.load("GET", path, "If-None-Match", a.header.Get("Etag")); again.status != 304 || again.text != "" {
			t.Errorf("%s again: %d", path, again.status)
		}
		if head := s.load("HEAD", path); head.status != 200 || head.text != "" {
			t.Errorf("HEAD %s: %d", path, head.status)
		}
	}
	if a := s.call("POST", "/verify-email", "", ""); a.status != 405 {
		t.Errorf("POST: %d", a.status)
	}
}

func (s *server) checkAsset(path string) {
	s.t.Helper()
	plain := s.load("GET", path, "Accept-Encoding", "identity")
	if plain.status != 200 || !strings.Contains(plain.header.Get("Cache-Control"), "immutable") || plain.header.Get("Content-Type") == "application/octet-stream" {
		s.t.Errorf("%s: %d %v", path, plain.status, plain.header)
	}
	if strings.HasSuffix(path, ".png") {
		return // packed already
	}
	packed := s.load("GET", path, "Accept-Encoding", "gzip")
	if packed.header.Get("Content-Encoding") != "gzip" || len(packed.text) >= len(plain.text) {
		s.t.Errorf("%s is not packed: %v", path, packed.header)
	}
	unpacked, err := gzip.NewReader(bytes.NewReader([]byte(packed.text)))
	must(s.t, err)
	if text, err := io.ReadAll(unpacked); err != nil || string(text) != plain.text {
		s.t.Errorf("%s differs when packed (%v)", path, err)
	}
	if a := s.call("GET", strings.Replace(path, "/static/", "/static/x", 1), "", ""); a.status != 404 {
		s.t.Errorf("under another hash: %d", a.status)
	}
	if a := s.call("GET", path+".no", "", ""); a.status != 404 {
		s.t.Errorf("no such file: %d", a.status)
	}
}

// What only the readers of the code need is not sent. That is found line by line, so no
// text of ours may go over several, and no comment stand between code.
func TestScriptsAndStylesAreSentWithoutComments(t *testing.T) {
	s := start(t)
	page := s.load("GET", "/docs", "Accept-Encoding", "identity")
	prefix := regexp.MustCompile(`/static/[^/"]+/`).FindString(page.text)
	names, err := fs.Glob(web.Files(), "static/*.[jc]*s")
	must(t, err)
	remark := regexp.MustCompile(`(?m)^\s*(//|/\*)|^\s|^$|; // `)
	for _, name := range names {
		source, err := fs.ReadFile(web.Files(), name)
		must(t, err)
		served := s.load("GET", prefix+path.Base(name), "Accept-Encoding", "identity")
		if strings.Contains(name, "rapidoc") {
			if served.text != string(source) {
				t.Errorf("%s is not as it came", name)
			}
			continue
		}
		if found := remark.FindString(strings.TrimSuffix(served.text, "\n")); served.status != 200 || found != "" {
			t.Errorf("%s: %d, %q is sent", name, served.status, found)
		}
		for line := range strings.Lines(string(source)) {
			code := strings.TrimSpace(line)
			remark := strings.HasPrefix(code, "//") || strings.HasPrefix(code, "/*") || strings.HasPrefix(code, "* ")
			if !remark && strings.Count(code, "`")%2 == 1 || remark && strings.Contains(code, "*/") && !strings.HasSuffix(code, "*/") {
				t.Errorf("%s: a text goes on, or code follows a comment: %s", name, code)
			}
		}
	}
	if len(names) < 30 {
		t.Errorf("there are only %q", names)
	}
}

// A client that has a file says so in several ways.
func TestWhatAClientHasAlready(t *testing.T) {
	s := start(t)
	get := func(condition string) (status int, etag string) {
		request, err := http.NewRequest("GET", s.url+"/docs", nil)
		must(t, err)
		request.Header.Set("If-None-Match", condition)
		response, err := http.DefaultClient.Do(request)
		must(t, err)
		must(t, response.Body.Close())
		return response.StatusCode, response.Header.Get("ETag")
	}
	_, etag := get("")
	for condition, want := range map[string]int{
		etag: 304, "W/" + etag: 304, `"other", ` + etag: 304, `W/"other",W/` + etag + `, "x"`: 304, "*": 304, ` * `: 304,
		`"other"`: 200, `W/"other"`: 200, "": 200, strings.Trim(etag, `"`): 200,
	} {
		if status, _ := get(condition); status != want {
			t.Errorf("If-None-Match: %s is answered %d, want %d", condition, status, want)
		}
	}
}

// A file is packed once, however many ask for it in a way that it is not kept in.
func TestFilesAreNotPackedForEachRequest(t *testing.T) {
	s := start(t)
	for _, accept := range []string{"br", "br, deflate", "zstd, br"} {
		if a := s.load("GET", "/docs", "Accept-Encoding", accept); a.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: packed as %s", accept, a.header.Get("Content-Encoding"))
		}
	}
}

// The manifest speaks English and Spanish, and says the same in both; its icons are as large
// as it says, and fill all of a mask.
func TestManifest(t *testing.T) {
	s := start(t)
	read := func(languages string) (map[string]any, string) {
		t.Helper()
		a := s.load("GET", "/manifest.webmanifest", "Accept-Language", languages)
		var manifest map[string]any
		if err := json.Unmarshal([]byte(a.text), &manifest); err != nil || a.header.Get("Content-Type") != "application/manifest+json" || !strings.Contains(a.header.Get("Vary"), "Accept-Language") {
			t.Fatal(err, a.header)
		}
		name := manifest["shortcuts"].([]any)[1].(map[string]any)["name"].(string)
		delete(manifest, "lang")
		delete(manifest, "short_name")
		delete(manifest, "description")
		for _, shortcut := range manifest["shortcuts"].([]any) {
			delete(shortcut.(map[string]any), "name")
			delete(shortcut.(map[string]any), "short_name")
		}
		return manifest, name
	}
	english, today := read("en-GB,en;q=0.9,es;q=0.8")
	spanish, hoy := read("es-MX,es;q=0.9,en;q=0.8")
	if _, other := read("de"); today != "Today" || hoy != "Hoy" || other != "Today" {
		t.Error(today, hoy, other)
	}
	if !reflect.DeepEqual(english, spanish) {
		t.Errorf("%v\n%v", english, spanish)
	}
	masked := false
	for _, each := range english["icons"].([]any) {
		icon := each.(map[string]any)
		if icon["type"] != "image/png" {
			continue
		}
		image, err := png.Decode(strings.NewReader(s.load("GET", icon["src"].(string)).text))
		must(t, err)
		if size := fmt.Sprintf("%dx%d", image.Bounds().Dx(), image.Bounds().Dy()); size != icon["sizes"] {
			t.Errorf("%v is %s", icon, size)
		}
		if _, _, _, alpha := image.At(0, 0).RGBA(); alpha != 0xffff {
			t.Errorf("%v has a corner that is seen through", icon)
		}
		masked = masked || icon["purpose"] == "maskable"
	}
	if !masked {
		t.Error("no icon for a mask")
	}
}
