package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"
)

// People put many programs behind one name. The page lives below a path, whether
// the proxy strips it or not, beside others on the same origin.
func TestPageBelowAPath(t *testing.T) {
	for _, strips := range []bool{false, true} {
		t.Run(fmt.Sprintf("strips %t", strips), func(t *testing.T) {
			folder(t)
			var to *url.URL
			proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host
				if strips {
					r.Out.URL.Path, r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.Path, "/tasks"), ""
				}
			}})
			t.Cleanup(proxy.Close) // which waits for the streams of the browser
			b := browser(t)
			p := start(t, nil, "--public-url="+proxy.URL+"/tasks")
			var err error
			if to, err = url.Parse(p.url); err != nil {
				t.Fatal(err)
			}
			x := open(t, b, proxy.URL+"/tasks/")
			x.register()
			x.add("below a path")
			x.settled()
			if scope := x.MustEval(`async () => (await navigator.serviceWorker.ready).scope`).String(); scope != proxy.URL+"/tasks/" {
				t.Errorf("the worker serves %s", scope)
			}
			if others := x.MustEval(`() => Object.keys(localStorage).filter((key) => !key.startsWith("/tasks ")).join()`).String(); others != "" {
				t.Errorf("kept among others' things: %s", others)
			}
			x.MustReload()
			x.wait(`document.querySelector("#list .words")?.textContent === "below a path"`)
			x.click(`#menu a[href="#account"]`)
			x.wait(`document.querySelector("#new-token")`)
			// The shell opens without the server.
			p.stop(os.Interrupt)
			x.MustNavigate(proxy.URL + "/tasks/")
			x.wait(`document.querySelector("#list .words")?.textContent === "below a path"`)
			docs := open(t, b, proxyPage(t, proxy, &to, "/tasks/docs"))
			docs.wait(`document.querySelector("rapi-doc")?.shadowRoot?.textContent.includes("Create a task")`)
		})
	}
}

// proxyPage starts the server behind a proxy again.
func proxyPage(t *testing.T, proxy *httptest.Server, to **url.URL, path string) string {
	t.Helper()
	p := start(t, nil, "--public-url="+proxy.URL+"/tasks")
	parsed, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	*to = parsed
	answer, err := http.Get(proxy.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil || answer.StatusCode != 200 {
		t.Fatal(answer.StatusCode, err)
	}
	return proxy.URL + path
}
