package password

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
)

// cheap is the least cost that makes sense, for tests.
func cheap() Params { return Params{Memory: 64, Iterations: 1, Parallelism: 1} }

func newHasher(t testing.TB, o Options) *Hasher {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The first two are test vectors of the reference implementation in C
// (phc-winner-argon2, src/test.c); the others were made with its library.
func TestVerifyHashesOfTheReferenceImplementation(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	const odd = " pässwörd\x00 語 "
	for _, tc := range []struct {
		password, hash string
		stale          bool
	}{
		{"password", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", true},
		{"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", true},
		{odd, "$argon2id$v=19$m=128,t=3,p=4$MDEyMzQ1Njc4OWFiY2RlZg$jFr7HV4EitZiJUhyVDZZhoa9LP9ff2gg", true},
		{odd, "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$WGX/QpfEBznpkRF1ihxpl0FV332udPk4ymnHwR/nIgE", false},
	} {
		match, stale, err := h.Verify(t.Context(), tc.password, tc.hash)
		if err != nil || !match || stale != tc.stale {
			t.Errorf("%s: match %t, stale %t, %v; want true, %t, nil", tc.hash, match, stale, err, tc.stale)
		}
		match, stale, err = h.Verify(t.Context(), tc.password+" ", tc.hash)
		if err != nil || match || stale {
			t.Errorf("%s with another password: match %t, stale %t, %v", tc.hash, match, stale, err)
		}
	}
}

// The only test that pays the real cost.
func TestDefaultCost(t *testing.T) {
	h := newHasher(t, Options{Params: DefaultParams()})
	hash, err := h.Hash(t.Context(), "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is %s", hash)
	}
	match, stale, err := h.Verify(t.Context(), "correct horse", hash)
	if !match || stale || err != nil {
		t.Errorf("match %t, stale %t, %v", match, stale, err)
	}
	if err := h.VerifyNone(t.Context(), "correct horse"); err != nil {
		t.Error(err)
	}
}

func TestHashTakesThePasswordAsItIs(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	long := strings.Repeat("x", MaxLength-1)
	for _, tc := range []struct{ name, password, other string }{
		{"outer space", " secret ", "secret"},
		{"after a NUL", "secret\x00a", "secret\x00b"},
		{"last byte", long + "a", long + "b"},
		{"invalid UTF-8", "\xff", "\ufffd"},
		{"empty", "", " "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hash, err := h.Hash(t.Context(), tc.password)
			if err != nil {
				t.Fatal(err)
			}
			if match, stale, err := h.Verify(t.Context(), tc.password, hash); !match || stale || err != nil {
				t.Errorf("match %t, stale %t, %v", match, stale, err)
			}
			if match, _, err := h.Verify(t.Context(), tc.other, hash); match || err != nil {
				t.Errorf("another password: match %t, %v", match, err)
			}
			if again, err := h.Hash(t.Context(), tc.password); err != nil || again == hash {
				t.Errorf("a second hash has the same salt (%v)", err)
			}
		})
	}
}

func TestTooLongNeverReachesArgon2(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	h.create = func(string, *argon2id.Params) (string, error) {
		t.Error("hashed")
		return "", nil
	}
	h.check = func(string, string) (bool, *argon2id.Params, error) {
		t.Error("checked")
		return true, &h.params, nil
	}
	long := strings.Repeat("x", MaxLength+1)
	if _, err := h.Hash(t.Context(), long); !errors.Is(err, ErrTooLong) {
		t.Errorf("Hash: %v", err)
	}
	if match, stale, err := h.Verify(t.Context(), long, h.dummy); match || stale || err != nil {
		t.Errorf("Verify: %t, %t, %v", match, stale, err)
	}
	if err := h.VerifyNone(t.Context(), long); err != nil {
		t.Errorf("VerifyNone: %v", err)
	}
}

func TestVerifyNoneDoesTheWorkOfToday(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	var params *argon2id.Params
	h.check = func(password, hash string) (match bool, p *argon2id.Params, err error) {
		match, params, err = argon2id.CheckHash(password, hash)
		return match, params, err
	}
	if err := h.VerifyNone(t.Context(), "secret"); err != nil {
		t.Fatal(err)
	}
	if params == nil || *params != h.params {
		t.Errorf("the dummy hash has the cost %v, want %v", params, h.params)
	}
}

func TestStale(t *testing.T) {
	today := newHasher(t, Options{Params: Params{Memory: 128, Iterations: 2, Parallelism: 2}})
	for _, tc := range []struct {
		name  string
		made  argon2id.Params
		stale bool
	}{
		{"same", argon2id.Params{Memory: 128, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 32}, false},
		{"less memory", argon2id.Params{Memory: 64, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 32}, true},
		{"more memory", argon2id.Params{Memory: 256, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 32}, true},
		{"fewer passes", argon2id.Params{Memory: 128, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}, true},
		{"fewer lanes", argon2id.Params{Memory: 128, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}, true},
		{"shorter salt", argon2id.Params{Memory: 128, Iterations: 2, Parallelism: 2, SaltLength: 8, KeyLength: 32}, true},
		{"shorter key", argon2id.Params{Memory: 128, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 16}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hash, err := argon2id.CreateHash("secret", &tc.made)
			if err != nil {
				t.Fatal(err)
			}
			match, stale, err := today.Verify(t.Context(), "secret", hash)
			if !match || stale != tc.stale || err != nil {
				t.Errorf("match %t, stale %t, %v; want true, %t, nil", match, stale, err, tc.stale)
			}
			if match, stale, err := today.Verify(t.Context(), "other", hash); match || stale || err != nil {
				t.Errorf("another password: match %t, stale %t, %v", match, stale, err)
			}
		})
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	for name, o := range map[string]Options{
		"no cost at all":       {},
		"no memory":            {Params: Params{Memory: 0, Iterations: 1, Parallelism: 1}},
		"no iterations":        {Params: Params{Memory: 64, Iterations: 0, Parallelism: 1}},
		"no lanes":             {Params: Params{Memory: 64, Iterations: 1, Parallelism: 0}},
		"little for two lanes": {Params: Params{Memory: 15, Iterations: 1, Parallelism: 2}},
		"too much memory":      {Params: Params{Memory: maxMemory + 1, Iterations: 1, Parallelism: 1}},
		"too many iterations":  {Params: Params{Memory: 64, Iterations: maxIterations + 1, Parallelism: 1}},
		"too many lanes":       {Params: Params{Memory: 4096, Iterations: 1, Parallelism: maxParallelism + 1}},
		"negative concurrency": {Params: cheap(), Concurrency: -1},
		"negative queue":       {Params: cheap(), Queue: -1},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestErrorsOfTheAlgorithmAreWrapped(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	broken := errors.New("broken")
	h.create = func(string, *argon2id.Params) (string, error) { return "", broken }
	h.check = func(string, string) (bool, *argon2id.Params, error) { return false, nil, broken }
	if _, err := h.Hash(t.Context(), "secret"); !errors.Is(err, broken) {
		t.Errorf("Hash: %v", err)
	}
	if err := h.VerifyNone(t.Context(), "secret"); !errors.Is(err, broken) || !errors.Is(err, ErrCorruptHash) {
		t.Errorf("VerifyNone: %v", err)
	}
	if running, waiting := h.Load(); running != 0 || waiting != 0 {
		t.Errorf("after errors %d run and %d wait", running, waiting)
	}
}

// BenchmarkVerify is what one sign-in costs.
func BenchmarkVerify(b *testing.B) {
	h := newHasher(b, Options{Params: DefaultParams()})
	b.ReportAllocs()
	for b.Loop() {
		if err := h.VerifyNone(context.Background(), "correct horse"); err != nil {
			b.Fatal(err)
		}
	}
}

// The same letters are the same password, however a keyboard sends them; a hash
// from before there was one form still matches, and is renewed.
func TestOneFormOfAPassword(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	forms := map[string][]string{
		"accents":   {"p\u00e4ssw\u00f6rd", "pa\u0308sswo\u0308rd"},
		"ligatures": {"o\ufb03ce", "office"},
		"width":     {"\uff50\uff41\uff53\uff53", "pass"},
		"hangul":    {"\ud55c\uad6d", "\u1112\u1161\u11ab\u1100\u116e\u11a8"},
	}
	for name, same := range forms {
		hash, err := h.Hash(t.Context(), same[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range same {
			if match, stale, err := h.Verify(t.Context(), form, hash); !match || stale || err != nil {
				t.Errorf("%s: %q: match %t, stale %t, %v", name, form, match, stale, err)
			}
			old, err := argon2id.CreateHash(form, &h.params)
			if err != nil {
				t.Fatal(err)
			}
			match, stale, err := h.Verify(t.Context(), form, old)
			if !match || stale != (Normal(form) != form) || err != nil {
				t.Errorf("%s: an old hash of %q: match %t, stale %t, %v", name, form, match, stale, err)
			}
		}
		if match, _, _ := h.Verify(t.Context(), same[0]+"x", hash); match {
			t.Errorf("%s: another password matches", name)
		}
	}
}
