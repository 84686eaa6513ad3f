package password

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
)

// Made with hashlib of Python 3.11, as Werkzeug 0.9 to 3.1 does.
const (
	werkzeugScrypt = "scrypt:32768:8:1$Zk0pVqU3lHs2aRbT$56e747ec7fc205b2137d7afeab17dea63cefe421f1fc8d30058fb16c7c48117ce4ecf5fc1b032a585644535c128a351b240b54a1f53851f9535e4418dfadcc42"
	cheapScrypt    = "scrypt:16:2:3$aB3dE6gH9jK2mN5p$d0e4715484ad9eec926644af1d3c32363310d33477b3a9ae2df4785cdbd7c55ba3277a49491964f462fcdfae5e7d6a8801416d4aabd8cbf97b868777afd28a35"
	werkzeugPBKDF2 = "pbkdf2:sha256:600000$Zk0pVqU3lHs2aRbT$3d175a1c5be405587cd08e23c7f499ee94ca54d69a4fa98a85d04998254a0edf"
	cheapSHA1      = "pbkdf2:sha1:1000$aB3dE6gH$baff8b40fd1e8281ab1b0d9d5d8ea1a77b400392"
	cheapSHA512    = "pbkdf2:sha512:1000$aB3dE6gH$ff1b280dd74d184a3428c2d55eed88b36679e29becac2d91fb8e25649b83f4bfb76d99db6d6e86e4fcd04ecd51e0ce6dfb5fbc9fe9b41ff6c554c40c1f337966"
)

func TestVerifyHashesOfWerkzeug(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	const odd = "pässwörd 語"
	for hash, plain := range map[string]string{
		werkzeugScrypt: "correct horse", werkzeugPBKDF2: "correct horse",
		cheapScrypt: odd, cheapSHA1: odd, cheapSHA512: odd,
	} {
		if err := Usable(hash); err != nil {
			t.Error(err)
		}
		if match, stale, err := h.Verify(t.Context(), plain, hash); !match || !stale || err != nil {
			t.Errorf("%s: match %t, stale %t, %v; want true, true, nil", hash, match, stale, err)
		}
		for _, wrong := range []string{plain + " ", "", strings.Repeat("x", MaxLength+1)} {
			if match, stale, err := h.Verify(t.Context(), wrong, hash); match || stale || err != nil {
				t.Errorf("%s with another password: match %t, stale %t, %v", hash, match, stale, err)
			}
		}
	}
}

// corruptWerkzeug are stored texts that must be refused before any work.
func corruptWerkzeug() []string {
	key64, key32 := strings.Repeat("0a", 64), strings.Repeat("0a", 32)
	hashes := []string{
		"scrypt:", "pbkdf2:", "scrypt:$$", "scrypt:16:2:3$salt", "scrypt:16:2:3$salt$" + key64 + "$",
		"scrypt:16:2:3$$" + key64, "scrypt:16:2:3$sa lt$" + key64, "scrypt:16:2:3$säalt$" + key64,
		"scrypt:16:2:3$" + strings.Repeat("s", 65) + "$" + key64, "scrypt:16:2:3$salt$" + strings.ToUpper(key64),
		"scrypt:16:2:3$salt$" + key32, "scrypt:16:2:3$salt$" + key64 + "0a", "scrypt:16:2:3$salt$" + key64 + "\n",
		"scrypt:16:2:3$salt$" + key64[1:], "scrypt:16:2:3$salt$" + strings.Repeat("0a", 3<<20),
		"scrypt$salt$" + key64, "scrypt:16:2$salt$" + key64, "scrypt:16:2:3:4$salt$" + key64,
		"pbkdf2:sha256$salt$" + key32, "pbkdf2:md5:1000$salt$" + key32[:32], "pbkdf2:sha256:1000$salt$" + key64,
		"pbkdf2:sha256:5000001$salt$" + key32, "pbkdf2:sha256:0$salt$" + key32, "pbkdf2:sha256:-1$salt$" + key32,
		"pbkdf2:sha256:01$salt$" + key32, "pbkdf2:sha256:99999999999999999999$salt$" + key32, "pbkdf2::1$salt$" + key32,
	}
	for _, cost := range []string{
		"0:8:1", "1:8:1", "3:8:1", "16:0:1", "16:8:0", "16:8:17", "16:65:1", "+16:8:1", "016:8:1", "16:8:1 ", "-16:8:1",
		"524288:8:1", "262144:8:2", "4194304:1:1", "1073741824:1073741824:1", "9223372036854775807:8:1", "::",
	} {
		hashes = append(hashes, "scrypt:"+cost+"$salt$"+key64)
	}
	return hashes
}

func TestVerifyRefusesCorruptWerkzeugHashes(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	for _, hash := range corruptWerkzeug() {
		short := hash[:min(len(hash), 60)]
		if match, stale, err := h.Verify(t.Context(), "secret", hash); match || stale || !errors.Is(err, ErrCorruptHash) {
			t.Errorf("%q: match %t, stale %t, %v", short, match, stale, err)
		}
		if err := Usable(hash); !errors.Is(err, ErrCorruptHash) || len(err.Error()) > 300 {
			t.Errorf("%q: %v", short, err)
		}
	}
	for _, hash := range []string{
		"scrypt:262144:8:1$salt$" + strings.Repeat("0a", 64), "scrypt:131072:8:2$salt$" + strings.Repeat("0a", 64),
		"pbkdf2:sha256:5000000$salt$" + strings.Repeat("0a", 32),
	} {
		if err := Usable(hash); err != nil {
			t.Errorf("the bound itself: %v", err)
		}
	}
}

// Imported hashes wait in the queue of all the others.
func TestImportedHashesAreBoundedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld(t, Options{Concurrency: 1, Queue: 1})
		h.start(t.Context(), 0)
		h.wantLoad(t, 1, 0)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			_, _, err := h.Verify(ctx, "secret", cheapScrypt)
			h.done <- err
		}()
		h.wantLoad(t, 1, 1)
		if _, _, err := h.Verify(t.Context(), "secret", cheapSHA1); !errors.Is(err, ErrBusy) {
			t.Errorf("with a full queue: %v", err)
		}
		cancel()
		if err := <-h.done; !errors.Is(err, ErrBusy) {
			t.Errorf("the cancelled waiter got %v", err)
		}
		h.finish(t, 1)
	})
}

func TestNoPasswordMatchesNothing(t *testing.T) {
	h := newHasher(t, Options{Params: cheap()})
	first, err := NoPassword()
	if err != nil {
		t.Fatal(err)
	}
	second, err := NoPassword()
	if err != nil || first == second || Usable(first) != nil {
		t.Errorf("%s, %s, %v", first, second, err)
	}
	if match, _, err := h.Verify(t.Context(), "", first); match || err != nil {
		t.Errorf("match %t, %v", match, err)
	}
}

// FuzzWerkzeug shows that no text makes the parser panic or take what is out
// of bounds, and that there is one form only of each hash.
func FuzzWerkzeug(f *testing.F) {
	for _, hash := range append(corruptWerkzeug(), werkzeugScrypt, cheapScrypt, werkzeugPBKDF2, cheapSHA1, cheapSHA512) {
		f.Add(hash[:min(len(hash), 1000)])
	}
	f.Fuzz(func(t *testing.T, hash string) {
		w, err := parseWerkzeug(hash)
		if err != nil {
			if !errors.Is(err, ErrCorruptHash) {
				t.Error(err)
			}
			return
		}
		if !isWerkzeug(hash) || len(hash) > maxHashLength || strings.ToLower(hash[strings.LastIndex(hash, "$"):]) != hash[strings.LastIndex(hash, "$"):] {
			t.Errorf("accepted %q", hash)
		}
		method, _, _ := strings.Cut(hash, "$")
		if len(method) > len("pbkdf2:sha256:1000") {
			return // too slow to do often
		}
		if _, err := w.matches("secret"); err != nil {
			t.Errorf("%q: %v", hash, err)
		}
	})
}
