package cmd

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A running server tells receivers of networks that are open, and stops while one of them hangs.
func TestWebhooksOfARunningServer(t *testing.T) {
	folder(t)
	told := make(chan string, 10)
	hang := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told <- r.URL.Path
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/hangs":
			<-hang
		}
	}))
	t.Cleanup(receiver.Close)
	t.Cleanup(func() { close(hang) })
	p := start(t, nil, "--webhook-networks=127.0.0.1", "--metrics-addr=127.0.0.1:0", "--rate-limit=off")
	token := p.signUp()["access_token"].(string)
	if status, answer := p.call("POST", "/webhooks/", token, `{"url":"http://127.0.0.2:1/","events":["task.created"]}`); status != 422 || answer["code"] != "address_not_allowed" {
		t.Errorf("%d %v", status, answer)
	}
	for _, path := range []string{"/good", "/gone", "/hangs"} {
		if status, answer := p.call("POST", "/webhooks/", token, `{"url":"`+receiver.URL+path+`","events":["task.created"]}`); status != 201 {
			t.Fatalf("%d %v", status, answer)
		}
	}
	p.call("POST", "/tasks/", token, `{"title":"t"}`)
	seen := map[string]bool{}
	for range 3 {
		select {
		case path := <-told:
			seen[path] = true
		case <-time.After(time.Minute):
			t.Fatalf("only %v were told", seen)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
	url := p.metricsURL()
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		_, text := fetch(t, url)
		if strings.Contains(text, `taskapi_webhook_deliveries_total{outcome="delivered"} 1`) && strings.Contains(text, `taskapi_webhook_deliveries_total{outcome="failed"} 1`) && strings.Contains(text, "taskapi_webhooks_active 2") {
			break
		}
		if time.Now().After(limit) {
			t.Fatal(text)
		}
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK { // while one hangs
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
	world{}.taskapi(t, "doctor", "--data-dir=data", "--addr=127.0.0.1:0").finds(t, "warn", "webhooks", "switched off: 1; events of the last 30 days that were given up: 0")
}
