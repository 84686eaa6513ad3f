package cmd

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The account has webhooks, which are tried before one relies on them, and tells what has
// happened to it.
func TestPageWebhooksAndHistory(t *testing.T) {
	b := browser(t)
	folder(t)
	got := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
	}))
	t.Cleanup(receiver.Close)
	p := start(t, nil, "--webhook-networks=127.0.0.0/8")
	x := open(t, b, p.url)
	x.register()
	ann := p.login()
	x.click(`#menu a[href="#account"]`)
	x.click(`#webhooks summary`)
	x.click(`#new-webhook button[type=submit]`)
	x.wait(`document.querySelector("#new-webhook .problem")?.textContent === "Please fill this in."`)
	x.fill("#new-webhook", "url", receiver.URL+"/<b>told</b>")
	x.click(`#new-webhook [name=added]`)
	x.click(`#new-webhook button[type=submit]`)
	x.wait(`document.querySelector("#webhooks .once input")?.value.startsWith("whsec_")`)
	x.wait(`document.querySelector("#webhooks li")?.textContent.includes("new tasks, completed tasks · all lists · works")`)
	x.shot("webhooks")
	x.click(`#webhooks li button`)
	x.wait(`document.querySelector("#webhooks > [role=status]").textContent === "The test has arrived."`)
	if body := <-got; !strings.Contains(body, "webhook.test") {
		t.Errorf("told %s", body)
	}
	p.done("POST", "/tasks/", ann, `{"title":"Milk"}`)
	if body := <-got; !strings.Contains(body, "task.created") {
		t.Errorf("told %s", body)
	}
	x.click(`#webhooks li button + button`)
	x.wait(`document.querySelector("#new-webhook") && !document.querySelector("#webhooks li")`)
	if focus := x.focus(); focus != "field-url" {
		t.Errorf("the focus is on %s", focus)
	}
	x.click(`#history summary`)
	x.wait(`[...document.querySelectorAll("#history li b")].map((e) => e.textContent).join().startsWith("Webhook deleted,Webhook made,Signed in")`)
	x.shot("history")
}

func TestPageCalendarFeeds(t *testing.T) {
	p, x := registered(t)
	ann := p.login()
	p.done("POST", "/tasks/", ann, `{"title":"Milk","due":"2031-01-05"}`)
	x.click(`#menu a[href="#account"]`)
	x.click(`#feeds summary`)
	x.wait(`document.querySelector("#new-feed")`)
	x.MustEval(`() => { document.querySelector("#feed-as").value = "event"; }`)
	x.click(`#new-feed button[type=submit]`)
	x.wait(`document.querySelector("#feeds .once input")?.value.endsWith(".ics")`)
	x.wait(`document.querySelector("#feeds li b").textContent === "all lists · events"`)
	x.shot("feeds")
	url := x.MustEval(`() => document.querySelector("#feeds .once input").value`).String()
	if status, body := fetch(t, url); status != http.StatusOK || !strings.Contains(body, "BEGIN:VEVENT") || !strings.Contains(body, "SUMMARY:Milk") {
		t.Errorf("%d %s", status, body)
	}
	x.click(`#feeds li button`)
	x.wait(`document.querySelector("#new-feed") && !document.querySelector("#feeds li")`)
	if focus := x.focus(); focus != "feed-list" {
		t.Errorf("the focus is on %s", focus)
	}
	if status, _ := fetch(t, url); status != http.StatusNotFound {
		t.Errorf("%d after it was revoked", status)
	}
}
