// Package metrics counts what the server does, for Prometheus. It is the only
// importer of its client. Everything is in its own registry.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// Sources are read at each scrape. All are required.
type Sources struct {
	// Hashing is how many passwords are worked on, and how many wait.
	Hashing func() (running, waiting int)
	// Reminders is how many have gone out since the start, and Pushes how their tries to reach
	// browsers ended.
	Reminders func() int64
	Pushes    func() (sent, delayed, givenUp, gone int64)
	// Log is how many lines of it were dropped.
	Log func() int64
	// Database is how many changes wait for it, the size of its write-ahead log
	// and that of the rest.
	Database func() (waiting int, logBytes, databaseBytes int64)
	// Replica is how far the replica is behind, how many bytes of the log it does not have, and how
	// often its place failed; false if there is none.
	Replica func(ctx context.Context) (behind time.Duration, waiting, failures int64, there bool)
	// Outbox is how many mails wait and how many were given up, and for how
	// long the first of those who wait has been due.
	Outbox func(ctx context.Context) (queued, dead int64, overdue time.Duration, err error)
	// Webhooks is how many webhooks are told of events, how many of them wait after a try in
	// vain, and how old the oldest event is that was not told yet.
	Webhooks func() (active, waiting int, behind time.Duration)
	// Streams is how many connections wait for changes.
	Streams func() int
}

// Metrics is what has been counted. All its methods may be called at the same
// time.
type Metrics struct {
	registry *prometheus.Registry
	answers  *prometheus.HistogramVec
	batches  prometheus.Histogram
	told     prometheus.Histogram
	webhooks *prometheus.CounterVec
}

// New returns what counts, and looks at the sources when it is written.
func New(version string, sources Sources) (*Metrics, error) {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "taskapi_http_request_duration_seconds", Help: "Time from a request to its answer, by route and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "taskapi_database_batch_changes", Help: "Changes that shared one commit.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 9),
		}),
	}
	m.told = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "taskapi_stream_delay_seconds", Help: "Time from a change until a stream was up to date.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 10},
	})
	m.webhooks = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "taskapi_webhook_deliveries_total", Help: "Tries to tell a webhook of an event, by outcome: delivered, failed (tried again, or switched off) or dead (given up).",
	}, []string{"outcome"})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "taskapi_build_info", Help: "Always 1; the version is in the label.", ConstLabels: prometheus.Labels{"version": version},
	})
	build.Set(1)
	var err error
	for _, c := range []prometheus.Collector{
		m.answers, m.batches, m.told, m.webhooks, build, &collector{sources},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	} {
		err = errors.Join(err, m.registry.Register(c))
	}
	return m, err
}

// Answer counts an answer. The route is its pattern, of which there are few.
func (m *Metrics) Answer(method, route string, status int, took time.Duration) {
	m.answers.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// Batch counts a commit of so many changes.
func (m *Metrics) Batch(changes int) { m.batches.Observe(float64(changes)) }

// Told counts a stream that is up to date, so long after a change.
func (m *Metrics) Told(took time.Duration) { m.told.Observe(took.Seconds()) }

// Webhook counts a try to tell a webhook of an event.
func (m *Metrics) Webhook(outcome string) { m.webhooks.WithLabelValues(outcome).Inc() }

// ContentType is that of what Write writes.
func ContentType() string { return string(expfmt.NewFormat(expfmt.TypeTextPlain)) }

// Write looks at everything and writes it in Prometheus' text format.
func (m *Metrics) Write(out io.Writer) error {
	families, err := m.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	encoder := expfmt.NewEncoder(out, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}
