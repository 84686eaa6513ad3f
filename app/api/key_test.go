package api

import (
	"strings"
	"testing"
)

// A key is the same with quotes and without, and nothing else is one.
func FuzzKey(f *testing.F) {
	for _, key := range []string{"k", `"k"`, `"a\"b\\"`, `"`, `""`, " k ", "a b", strings.Repeat("k", 129), "é", "\x7f", `a"b`} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, text string) {
		key, ok := readKey(text)
		if !ok {
			return
		}
		if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Fatalf("%q is the key %q", text, key)
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if again, ok := readKey(quoted); !ok || again != key {
			t.Errorf("%q is %q, and %s is %q", text, key, quoted, again)
		}
	})
}
