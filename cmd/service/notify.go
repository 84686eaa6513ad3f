package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells systemd that the server serves. Elsewhere it does nothing.
func Ready(log *slog.Logger) { notify(daemon.SdNotifyReady, log) }

// Stopping tells systemd that the end has begun.
func Stopping(log *slog.Logger) { notify(daemon.SdNotifyStopping, log) }

func notify(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd can't be told how the server is", "state", state, "error", err)
	}
}

// Watch tells systemd's watchdog, twice as often as it wants, that the server
// is alive, for as long as it is: a server that does not answer is restarted. It returns
// with the context, or at once without a watchdog.
func Watch(ctx context.Context, alive func(context.Context) error, log *slog.Logger) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog's time can't be understood", "error", err)
	}
	if err != nil || interval <= 0 {
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		limit, cancel := context.WithTimeout(ctx, interval/2)
		err := alive(limit)
		cancel()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("the server does not answer itself", "error", err)
		default:
			notify(daemon.SdNotifyWatchdog, log)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
