package settings

import "testing"

// Origins are compared as browsers write them.
func TestOriginsAsBrowsersWriteThem(t *testing.T) {
	for written, want := range map[string]string{
		"https://app.example.com": "https://app.example.com", "https://App.Example.com": "https://app.example.com", "https://app.example.com:443": "https://app.example.com",
		"http://app.example.com:80": "http://app.example.com", "http://app.example.com:443": "http://app.example.com:443", "https://app.example.com/": "https://app.example.com",
		"HTTP://LOCALHOST:3000": "http://localhost:3000", "https://b\u00fccher.example": "https://xn--bcher-kva.example", "http://[::1]:5173": "http://[::1]:5173",
		"capacitor://localhost": "capacitor://localhost", "ionic://localhost": "ionic://localhost", "tauri://localhost": "tauri://localhost", "app://obsidian.md": "app://obsidian.md",
		"chrome-extension://abcdefghijklmnop": "chrome-extension://abcdefghijklmnop",
		"app.example.com":                     "", "https://": "", "https://app.example.com/page": "", "https://*.example.com": "", "https://ann@app.example.com": "", "//app.example.com": "", "null": "", "https://app.example.com?x": "",
	} {
		if got, ok := normalOrigin(written); got != want || ok != (want != "") {
			t.Errorf("%s is %q, want %q", written, got, want)
		}
	}
}

// What mails call a service that nobody has named.
func TestService(t *testing.T) {
	for want, s := range map[string]Settings{
		"Home": {Name: "Home", PublicURL: "https://tasks.example.com"}, "tasks.example.com": {PublicURL: "https://tasks.example.com:8443/todo"},
		"taskapi": {PublicURL: "http://192.0.2.1:8000"},
	} {
		if got := s.Service(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, url := range []string{"http://localhost:8000", "http://[::1]:8000"} {
		if got := (&Settings{PublicURL: url}).Service(); got != "taskapi" {
			t.Errorf("%s: %q", url, got)
		}
	}
}
