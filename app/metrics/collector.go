package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lookTimeout bounds the database queries of one scrape.
const lookTimeout = 5 * time.Second

// collector reads the sources at each scrape.
type collector struct{ sources Sources }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("taskapi_"+name, help, labels, nil)
}

// Describe names nothing, so that the registry takes what Collect sends as it
// comes.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect sends what the sources say.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	send := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	running, waiting := c.sources.Hashing()
	send(gauge("hashing_running", "Passwords that are being hashed."), float64(running))
	send(gauge("hashing_waiting", "Passwords that wait for their turn to be hashed."), float64(waiting))
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("taskapi_log_lines_dropped_total", "Lines of the log that nobody took in time.", nil, nil),
		prometheus.CounterValue, float64(c.sources.Log()))
	send(gauge("streams", "Connections that wait for changes."), float64(c.sources.Streams()))
	active, held, behind := c.sources.Webhooks()
	send(gauge("webhooks_active", "Webhooks that are told of events."), float64(active))
	send(gauge("webhooks_waiting", "Active webhooks that wait after a try in vain."), float64(held))
	send(gauge("webhooks_behind_seconds", "Age of the oldest event that an active webhook was not told of yet."), behind.Seconds())
	count := func(name, help string, value int64, labels ...string) {
		var names []string
		if len(labels) > 0 {
			names = []string{"outcome"}
		}
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("taskapi_"+name, help, names, nil), prometheus.CounterValue, float64(value), labels...)
	}
	count("reminders_fired_total", "Reminders that have gone out.", c.sources.Reminders())
	sent, delayed, givenUp, gone := c.sources.Pushes()
	for outcome, n := range map[string]int64{"sent": sent, "delayed": delayed, "given_up": givenUp, "gone": gone} {
		count("pushes_total", "Tries to push a reminder to a browser.", n, outcome)
	}
	changes, log, database := c.sources.Database()
	send(gauge("database_waiting_changes", "Changes that wait for the writer of the database."), float64(changes))
	send(gauge("database_wal_bytes", "Size of the write-ahead log."), float64(log))
	send(gauge("database_bytes", "Size of the database without its log."), float64(database))
	if behind, waiting, failures, there := c.sources.Replica(ctx); there {
		send(gauge("replica_behind_seconds", "Age of the oldest commit that the replica does not have."), behind.Seconds())
		send(gauge("replica_waiting_bytes", "Bytes of the log that the replica does not have."), float64(waiting))
		count("replica_failures_total", "Times that the place of the replica failed.", failures)
	}
	// Where the outbox can't be read, its metrics are missing, and the check of
	// the database says why.
	if queued, dead, overdue, err := c.sources.Outbox(ctx); err == nil {
		mails := gauge("outbox_mails", "Mails that have not been sent, by status.", "status")
		send(mails, float64(queued), "queued")
		send(mails, float64(dead), "dead")
		send(gauge("outbox_overdue_seconds", "How long the first waiting mail has been due."), overdue.Seconds())
	}
}
