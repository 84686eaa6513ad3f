package cmd

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// fetch returns the status and the text of an address.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if closeErr := response.Body.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	return response.StatusCode, string(text)
}

func TestHealthOfARunningServer(t *testing.T) {
	folder(t)
	p := start(t, nil)
	if status, answer := p.call("GET", "/readyz", "", ""); status != 200 || answer["status"] != "ready" {
		t.Error(status, answer)
	}
	world{}.taskapi(t, "health", p.url).expect(t, exitOK, "ready\n")
	world{}.taskapi(t, "health", "--live", "--addr="+strings.TrimPrefix(p.url, "http://")).expect(t, exitOK, "alive\n")
	world{environ: []string{"TASKAPI_ADDR=" + strings.TrimPrefix(p.url, "http://")}}.taskapi(t, "health").expect(t, exitOK, "ready\n")
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Fatal(code)
	}
	world{}.taskapi(t, "health", p.url).expect(t, exitFailed, "no taskapi answers at "+p.url)
	world{}.taskapi(t, "health", "--live", p.url).expect(t, exitFailed, "no taskapi answers")
	world{}.taskapi(t, "health", "127.0.0.1:8000").expect(t, exitUsage, `"127.0.0.1:8000" is no address of a server`)
}

// What Prometheus reads, and at which address only.
func TestMetrics(t *testing.T) {
	folder(t)
	p := start(t, nil, "--metrics-addr=127.0.0.1:0", "--rate-limit=off")
	token := p.signUp()["access_token"].(string)
	p.call("POST", "/tasks/", token, `{"title":"t"}`)
	p.call("GET", "/tasks/1", token, "")
	p.call("GET", "/tasks/2", token, "")
	p.call("GET", "/one/of/endless/many", "", "")
	if status, _ := p.call("GET", "/metrics", "", ""); status != 404 {
		t.Errorf("the metrics are on the public address: %d", status)
	}
	var url string
	for url == "" { // what the process has written arrives a little later
		url = regexp.MustCompile(`http://\S+/metrics`).FindString(p.log.String())
	}
	status, text := fetch(t, url)
	if status != 200 {
		t.Fatal(status, text)
	}
	for _, want := range []string{
		`taskapi_http_request_duration_seconds_count{method="GET",route="/tasks/:id",status="200"} 1`,
		`taskapi_http_request_duration_seconds_count{method="GET",route="/tasks/:id",status="404"} 1`,
		`taskapi_http_request_duration_seconds_count{method="GET",route="-",status="404"} 2`,
		`taskapi_http_request_duration_seconds_bucket{method="POST",route="/tasks/",status="201",le="10"} 1`,
		`taskapi_database_batch_changes_count `, `taskapi_database_waiting_changes 0`, `taskapi_database_wal_bytes `, `taskapi_database_bytes `,
		`taskapi_hashing_running 0`, `taskapi_hashing_waiting 0`, `taskapi_outbox_mails{status="queued"} 1`, `taskapi_outbox_mails{status="dead"} 0`,
		`taskapi_outbox_overdue_seconds `, `taskapi_streams 0`, `taskapi_webhooks_active 0`, `taskapi_webhooks_waiting 0`, `taskapi_webhooks_behind_seconds 0`, `taskapi_stream_delay_seconds_count 0`, `taskapi_build_info{version="1.2.3"} 1`, `go_goroutines `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "endless") {
		t.Error("a path of a client is a label")
	}
	if status, _ := fetch(t, strings.TrimSuffix(url, "metrics")); status != 404 {
		t.Errorf("beside the metrics: %d", status)
	}
	if code := p.stop(syscall.SIGTERM); code != exitOK {
		t.Errorf("exit code %d\n%s", code, p.log.String())
	}
}
