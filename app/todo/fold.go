package todo

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold returns a text as it is compared: without regard to case, accents and the forms
// of one letter (Unicode NFKD without marks, case folded). "Café" and "CAFE" are one.
func Fold(text string) string {
	ascii := true
	for i := range len(text) {
		if text[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(text)
	}
	decomposed := norm.NFKD.String(cases.Fold().String(norm.NFKD.String(text)))
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, decomposed)
}

// Bounds of the words of a task.
const (
	maxWord  = 32 // characters of a word that count
	maxWords = 300
)

// Words returns the words by which a task is found, sorted: those of its title, its
// labels and its description, folded, of which the first ones count. A language that is
// written without spaces has whole runs of letters for words, which are found by their
// beginning.
func Words(texts ...string) []string {
	var all []string
	seen := map[string]bool{}
	for _, text := range texts {
		for _, word := range strings.FieldsFunc(Fold(text), notInWord) {
			if word = shortened(word); !seen[word] && len(all) < maxWords {
				seen[word] = true
				all = append(all, word)
			}
		}
	}
	slices.Sort(all)
	return all
}

// notInWord leaves marks in a word: of those that Fold keeps, some languages have vowels.
func notInWord(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) }

func shortened(word string) string {
	if runes := []rune(word); len(runes) > maxWord {
		return string(runes[:maxWord])
	}
	return word
}

// Words returns the words of a task.
func (t Task) Words() []string {
	return Words(t.Title, strings.Join(t.Labels, " "), t.Description)
}

// Limits of a search.
const (
	maxQuery      = 200 // characters
	maxQueryWords = 8
)

// queryWords returns the beginnings of words that a search asks for; false if there are
// none, or too many.
func queryWords(q string) ([]string, bool) {
	if len([]rune(q)) > maxQuery {
		return nil, false
	}
	words := strings.FieldsFunc(Fold(q), notInWord)
	for i, word := range words {
		words[i] = shortened(word)
	}
	slices.Sort(words)
	words = slices.Compact(words)
	// What is the beginning of another one holds with it.
	kept := words[:0]
	for i, word := range words {
		if i+1 == len(words) || !strings.HasPrefix(words[i+1], word) {
			kept = append(kept, word)
		}
	}
	words = kept
	return words, 0 < len(words) && len(words) <= maxQueryWords
}

// HasWords reports whether each of the beginnings is that of a word of the task.
func (t Task) HasWords(beginnings []string) bool {
	words := t.Words()
	for _, beginning := range beginnings {
		i, _ := slices.BinarySearch(words, beginning)
		if i == len(words) || !strings.HasPrefix(words[i], beginning) {
			return false
		}
	}
	return true
}
