package todo

import (
	"math"
	"strings"
	"testing"

	"taskapi/app"
)

func TestDerivedUIDsReadBack(t *testing.T) {
	seed, other := Seed{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Seed{1, 2, 3, 4, 5, 6, 7, 8}
	for _, id := range []int64{1, 2, 1024, math.MaxInt32, 1<<53 - 1, 1<<60 - 1} {
		for _, kind := range []Kind{KindTask, KindList} {
			uid := other.UID(kind, id)
			if raw, ok := uuid(uid); !ok || raw[6]>>4 != 8 || raw[8]>>6 != 2 || uid != strings.ToLower(uid) {
				t.Errorf("%s is no UUID of version 8", uid)
			}
			if got := other.ID(kind, uid); got != id {
				t.Errorf("%s is of %d, want %d", uid, got, id)
			}
			if seed.ID(kind, uid) != 0 || other.ID(3-kind, uid) != 0 || other.ID(kind, strings.ToUpper(uid)) != 0 && strings.ToUpper(uid) != uid {
				t.Errorf("%s is taken for another thing", uid)
			}
			if seed.ID(kind, seed.UID(kind, id)) != id {
				t.Errorf("a seed of ones: %d", id)
			}
		}
	}
	for _, text := range []string{"", "x", "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f", "0102030405068708-9000-000000000001", strings.Repeat("-", 36), "01020304-0506-8708-9000-00000000000g"} {
		if id := other.ID(KindTask, text); id != 0 {
			t.Errorf("%q is of %d", text, id)
		}
	}
}

func TestUIDsThatClientsChoose(t *testing.T) {
	for text, want := range map[string]string{
		"0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f": "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f", "0197F3C1-7A10-7C3E-9B1D-0A2B3C4D5E6F": "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f",
		"": "", "7": "", "{0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f}": "", "0197f3c17a107c3e9b1d0a2b3c4d5e6f": "", "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6g": "", "urn:uuid:0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f": "",
	} {
		p := app.Problems{}
		if got := readUID(p, app.Given(text)); (len(p) == 0) != (want != "") || want != "" && got != want {
			t.Errorf("%q is %q, %v", text, got, p)
		}
	}
}

func TestRefsNameThingsByIDOrUID(t *testing.T) {
	for text, want := range map[string]Ref{
		"1": ByID(1), "9223372036854775807": ByID(math.MaxInt64), "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f": {UID: "0197f3c1-7a10-7c3e-9b1d-0a2b3c4d5e6f"}, "made by another@program": {UID: "made by another@program"},
		"0": {}, "-1": {}, "01": {}, "+1": {}, "": {}, " ": {}, "a\x00b": {}, "9223372036854775808": {UID: "9223372036854775808"}, strings.Repeat("x", 256): {},
	} {
		if got, ok := ReadRef(text); ok != !want.None() || got != want {
			t.Errorf("%.40q is %+v, %t", text, got, ok)
		}
	}
}
