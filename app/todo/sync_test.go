package todo

import (
	"errors"
	"testing"

	"taskapi/app"
)

// Whatever stands in a cursor is read or refused, and what is read is written alike.
func FuzzSyncCursor(f *testing.F) {
	for _, text := range []string{"16bf17-8124", "16bf17-8124a7_1_-1764176700000_41", "16bf17-1j2_0_-4611686018427387904_0", "16bf17-", "-1", "16bf17-1a1_2_3", "other-5", "16bf17--5", "16bf17-1a_1_1_1_1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readSyncCursor(text, "16bf17")
		var refused *app.Error
		switch {
		case err != nil && !errors.As(err, &refused):
			t.Errorf("%q: %v", text, err)
		case err != nil:
			return
		}
		again, err := readSyncCursor(c.text("16bf17"), "16bf17")
		if err != nil || again != c || c.Seq < 0 {
			t.Errorf("%q is %+v, and that %q %+v %v", text, c, c.text("16bf17"), again, err)
		}
	})
}
