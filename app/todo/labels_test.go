package todo

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"taskapi/app"
)

func TestCheckLabels(t *testing.T) {
	for text, want := range map[string]string{
		" a |b|A": "a|b", "Café|CAFE|cafe\u0301": "Café", "": "-", "a|  ": "-", "a,b": "-", "a\tb": "-", "\u0301": "-", "\u200b": "-", strings.Repeat("é", 50): strings.Repeat("é", 50), strings.Repeat("é", 51): "-",
		strings.Repeat("x|", 19) + "x": "x", "\u202eevil": "-", "🎉|%": "🎉|%", "\xff": "-",
	} {
		p := app.Problems{}
		got := strings.Join(CheckLabels(p, "labels", strings.Split(text, "|")), "|")
		if bad := len(p) > 0; bad != (want == "-") || !bad && got != want {
			t.Errorf("%.40q: %q, %v", text, got, p)
		}
	}
	p := app.Problems{}
	if CheckLabels(p, "labels", strings.Split("a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t", "|")); len(p) > 0 {
		t.Errorf("20: %v", p)
	}
	if CheckLabels(p, "labels", strings.Split("a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s|t|u", "|")); p["labels"] == "" {
		t.Error("21 are taken")
	}
	if out := CheckLabels(app.Problems{}, "labels", nil); len(out) != 0 {
		t.Errorf("none: %v", out)
	}
}

func TestRenamedLabels(t *testing.T) {
	for _, c := range []struct {
		labels, key, name, want string
		changed                 bool
	}{
		{"a|b", "a", "c", "c|b", true}, {"a|b", "a", "b", "b", true}, {"b|a", "a", "B", "b", true}, {"Café", "cafe", "CAFE", "CAFE", true}, {"Café", "cafe", "Café", "Café", false},
		{"a|b", "x", "y", "a|b", false}, {"a|b", "a", "", "b", true}, {"a", "a", "", "", true},
	} {
		out, changed := Renamed(strings.Split(c.labels, "|"), c.key, c.name)
		if got := strings.Join(out, "|"); got != c.want || changed != c.changed {
			t.Errorf("%+v: %q, %t", c, got, changed)
		}
	}
}

func TestLabelsChange(t *testing.T) {
	list := func(text string) app.Field[[]string] {
		if text == "-" {
			return app.Field[[]string]{}
		}
		return app.Given(strings.FieldsFunc(text, func(r rune) bool { return r == '|' }))
	}
	for _, c := range []struct{ before, all, add, remove, want string }{
		{"a|b", "-", "-", "-", "a|b"}, {"a|b", "", "-", "-", ""}, {"a|b", "c", "-", "-", "c"}, {"a|b", "-", "B|c", "-", "a|b|c"}, {"a|b", "-", "-", "A|x", "b"}, {"a|b", "-", "a", "a", "b|a"},
		{"a|b", "c", "d", "-", "!"}, {"a", "-", "b,c", "-", "!"},
	} {
		p := app.Problems{}
		change := LabelsInput{All: list(c.all), Add: list(c.add), Remove: list(c.remove)}.read(p)
		if (change == nil) != (c.all+c.add+c.remove == "---") {
			t.Errorf("%+v: %+v", c, change)
		}
		got := strings.Join(change.apply(p, strings.Split(c.before, "|")), "|")
		if (len(p) > 0) != (c.want == "!") || len(p) == 0 && got != c.want {
			t.Errorf("%+v: %q %v", c, got, p)
		}
	}
	p := app.Problems{}
	LabelsInput{All: app.Field[[]string]{State: app.Mistyped}, Add: app.Field[[]string]{State: app.Mistyped}}.read(p)
	if p["labels"] == "" || p["labels_add"] == "" || errors.Is(p.Err(), nil) {
		t.Errorf("%v", p)
	}
}

// Whatever is taken for labels is taken again as it is, and no two of it are one.
func FuzzLabels(f *testing.F) {
	f.Add("a|Café|CAFE")
	f.Add(" x |\u0301|ﬁ")
	f.Fuzz(func(t *testing.T, text string) {
		p := app.Problems{}
		labels := CheckLabels(p, "labels", strings.Split(text, "|"))
		if len(p) > 0 {
			return
		}
		keys := map[string]bool{}
		for _, label := range labels {
			if n := utf8.RuneCountInString(label); n < 1 || n > MaxLabel || strings.TrimSpace(label) != label || strings.Contains(label, ",") || keys[LabelKey(label)] {
				t.Errorf("%q is a label of %q", label, labels)
			}
			keys[LabelKey(label)] = true
		}
		again := CheckLabels(p, "labels", labels)
		if len(p) > 0 || !sameLabels(again, labels) || len(labels) > MaxLabels {
			t.Errorf("%q, then %q, %v", labels, again, p)
		}
	})
}
