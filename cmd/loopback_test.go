package cmd

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// localhost is both loopback addresses, where the machine has both.
func TestLocalhostIsBothLoopbacks(t *testing.T) {
	if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
		t.Skip("this machine has no ::1")
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	folder(t)
	p := startProcess(t, nil, []string{"serve", "--addr=localhost:0", "--data-dir=data"})
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "::1", "localhost"} {
		response, err := http.Get("http://" + net.JoinHostPort(host, port) + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		if _ = response.Body.Close(); response.StatusCode != 200 {
			t.Errorf("%s: %d", host, response.StatusCode)
		}
	}
	if code := p.stop(os.Interrupt); code != 0 {
		t.Errorf("it ended with %d", code)
	}
}

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
