package postgres

import (
	"context"
	"errors"
	"strings"
	"testing"

	"taskapi/app"
)

// However many ways to the server there are, each reason why none works is said once, and in one line.
func TestWaysThatFailAreToldOnce(t *testing.T) {
	_, err := Dial(context.Background(), Options{URL: "postgres://x@127.0.0.1:1,127.0.0.1:2/x?target_session_attrs=read-write"})
	if !errors.Is(err, ErrUnreachable) {
		t.Fatal(err)
	}
	again := translate(err)
	var kind *app.Error
	if !errors.As(again, &kind) || kind.Kind != app.KindUnavailable {
		t.Errorf("%v is no reason to wait", again)
	}
	for _, text := range []string{err.Error(), again.Error()} {
		for _, port := range []string{"dial tcp 127.0.0.1:1:", "dial tcp 127.0.0.1:2:"} {
			if strings.Count(text, port) != 1 || strings.Contains(text, "\n") {
				t.Errorf("%q", text)
			}
		}
	}
}
