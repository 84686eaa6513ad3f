package todo

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestFoldComparesLettersOnly(t *testing.T) {
	for _, same := range [][]string{
		{"Café", "CAFE", "cafe\u0301", "cafÉ"}, {"Straße", "STRASSE", "straẞe"}, {"ﬁne", "FINE"}, {"Ångström", "angstrom", "A\u030angstro\u0308m"}, {"１２", "12"}, {"Σίσυφος", "ΣΊΣΥΦΟΣ", "σισυφοσ"},
		{"ｶﾞ", "ガ", "カ"}, {"", "\u0301"}, {"x\u0300\u0301\u0302", "X"}, {"İ", "i", "I"},
	} {
		for _, other := range same[1:] {
			if Fold(other) != Fold(same[0]) {
				t.Errorf("%q is %q, and %q is %q", same[0], Fold(same[0]), other, Fold(other))
			}
		}
	}
	for _, text := range []string{"Café", "ﬁ", "İ", "ǅ", "ᾳ", "𝕏", "half½", "हिन्दी", "🎉"} {
		if again := Fold(Fold(text)); again != Fold(text) {
			t.Errorf("%q folds to %q, and that to %q", text, Fold(text), again)
		}
	}
	if Fold("Cafes") == Fold("Café") {
		t.Error("other letters are the same")
	}
}

func TestWordsOfTexts(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "a-b_c": "a b c", "Milk, milk; MILK!": "milk", "3.5% of Café": "3 5 cafe of", "🎉party🎉": "party", "東京タワー": "東京タワー", "हिन्दी": "हिनदी",
		"don't": "don t", `"x"*%_`: "x", strings.Repeat("é", 50): strings.Repeat("e", 32), "e\u0301a": "ea", "\u0301": "",
	} {
		if got := strings.Join(Words(text), " "); got != want {
			t.Errorf("%q has the words %q, want %q", text, got, want)
		}
	}
}

// Of a long text the first words count, those of the title and the labels before all.
func TestWordsOfLongTexts(t *testing.T) {
	var long []string
	for i := range 5000 {
		long = append(long, fmt.Sprintf("a%d", i), "same")
	}
	task := Task{Title: "zebra", Labels: []string{"zoo two"}, Description: strings.Join(long, " ")}
	words := task.Words()
	if len(words) != maxWords || !slices.IsSorted(words) || !task.HasWords([]string{"zebr", "zoo", "two", "a0", "same"}) {
		t.Errorf("%d words: %v", len(words), words[:5])
	}
	if task.HasWords([]string{"zebra", "a4999"}) {
		t.Error("more words are found than are kept")
	}
}

func TestQueryWordsAreBounded(t *testing.T) {
	for q, want := range map[string]string{
		"Caf": "caf", "b a b A": "a b", "one two three four five six seven eight": "eight five four one seven six three two", strings.Repeat("é", 200): strings.Repeat("e", 32),
		"one two three four five six seven eight nine": "-", strings.Repeat("é", 201): "-", "": "-", " % _ * \" ": "-", "🎉": "-", "\u0301": "-",
	} {
		words, ok := queryWords(q)
		if got := strings.Join(words, " "); ok != (want != "-") || ok && got != want {
			t.Errorf("%.40q is %q, %t", q, got, ok)
		}
	}
}

// What is typed of a title finds the task, as far as it goes.
func TestATitleIsFoundAsItIsTyped(t *testing.T) {
	for _, title := range []string{"Buy 1 kg of rice", "Plan B", "Café, at 9", "हिन्दी सीखना", "東京へ行く", "İstanbul", "100% of ½ ﬁsh", "e-mail John’s mum"} {
		task := Task{Title: title}
		for end := range title {
			words, ok := queryWords(title[:end])
			if ok && !task.HasWords(words) {
				t.Errorf("%q is not found by %q", title, title[:end])
			}
		}
	}
}
