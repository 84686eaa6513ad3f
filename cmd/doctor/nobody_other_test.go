//go:build !linux

package doctor

import "testing"

func asNobody(t *testing.T, _, _ string, _ func()) {
	t.Helper()
	t.Skip("another user can be tried on Linux only")
}
