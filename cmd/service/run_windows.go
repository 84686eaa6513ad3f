package service

import (
	"context"

	manager "github.com/kardianos/service"
)

// Run does the work of the server, under Windows' service manager if that has
// started the process: it ends a service by a message in place of a signal.
func Run(ctx context.Context, work func(context.Context) error) error {
	if manager.Interactive() {
		return work(ctx)
	}
	w := &worker{work: work, done: make(chan error, 1)}
	w.ctx, w.cancel = context.WithCancel(ctx)
	defer w.cancel()
	s, err := manager.New(w, &manager.Config{Name: Name})
	if err != nil {
		return err
	}
	w.service = s
	if err := s.Run(); err != nil {
		return err
	}
	return w.err
}

// worker is the work as the manager sees it.
type worker struct {
	ctx     context.Context
	cancel  context.CancelFunc
	work    func(context.Context) error
	service manager.Service
	done    chan error
	err     error
}

// Start begins the work. If it ends by itself, so does the service.
func (w *worker) Start(manager.Service) error {
	go func() {
		err := w.work(w.ctx)
		w.done <- err
		if w.ctx.Err() == nil {
			// The manager then calls Stop; where it can't, the process ends.
			_ = w.service.Stop()
		}
	}()
	return nil
}

// Stop ends the work and waits for it.
func (w *worker) Stop(manager.Service) error {
	w.cancel()
	w.err = <-w.done
	return w.err
}
