package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"taskapi/app/api"
	"taskapi/app/operate"
)

func TestReadinessListsEachCheckAndTellsNoReason(t *testing.T) {
	s := start(t)
	log := s.users.Audit.Log
	health := operate.NewHealth(s.clock.Now, log,
		operate.Check{Name: "database", Run: func(ctx context.Context) error {
			return errors.Join(s.db.CheckRead(ctx), s.db.CheckWrite(ctx, time.Minute))
		}},
		operate.Check{Name: "disk", Run: func(context.Context) error { return errors.New("/the/secret/path is full") }})
	run(t, health.Run)
	s = start(t, func(p *parts) { p.api.Health = health })
	a := s.raw("GET", "/readyz", "")
	must(t, json.Unmarshal([]byte(a.text), &a.json))
	if a.status != 503 || a.str("checks.database") != "ok" || a.str("checks.disk") != "failing" || a.str("status") != "not ready" ||
		a.str("code") != "not_ready" || a.header.Get("Retry-After") != "1" || a.header.Get("Cache-Control") != "no-store" || strings.Contains(a.text, "secret") {
		t.Errorf("%d %s %v", a.status, a.text, a.header)
	}
	request, err := http.NewRequest("GET", s.url+"/readyz", nil)
	must(t, err)
	d, err := loadDocument()
	must(t, err)
	d.check(t, request, nil, a)
	if failing, err := (api.Probe{URL: s.url}).Ready(context.Background()); err != nil || failing != "disk" {
		t.Errorf("%q %v", failing, err)
	}
	if err := (api.Probe{URL: s.url + "/"}).Alive(context.Background()); err != nil {
		t.Error(err)
	}
	// Those who ask every few seconds do not fill the log.
	if log := s.log.String(); strings.Contains(log, "/readyz") || strings.Contains(log, "/healthz") {
		t.Error(log)
	}
}

func TestProbeOfWhatIsNoTaskapi(t *testing.T) {
	s := start(t)
	for _, url := range []string{"http://127.0.0.1:1", s.url + "/tasks", "nonsense", s.url + "/openapi.json?"} {
		probe := api.Probe{URL: url}
		if err := probe.Alive(context.Background()); !errors.Is(err, api.ErrNoAnswer) {
			t.Errorf("%s: alive: %v", url, err)
		}
		if failing, err := probe.Ready(context.Background()); !errors.Is(err, api.ErrNoAnswer) {
			t.Errorf("%s: ready: %q %v", url, failing, err)
		}
	}
}
