//go:build !windows

package service

import "context"

// Run does the work of the server under the system's manager, which ends it by
// a signal.
func Run(ctx context.Context, work func(context.Context) error) error { return work(ctx) }
