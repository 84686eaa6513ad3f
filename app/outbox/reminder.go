package outbox

import (
	"encoding/json"
	"strings"
	"unicode"
)

const (
	// RemindersADay is how many mails with reminders an account gets between two midnights
	// (UTC); one more says that there are too many.
	RemindersADay = 100
	// MaxItems is how many tasks a mail names.
	MaxItems = 50
)

// Item is a task in a mail.
type Item struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
	// Due is when it is due, in words; empty for never.
	Due string `json:"due"`
}

// ItemsText returns the text that ItemsOf reads, with the titles as a mail may have them.
func ItemsText(items []Item) (string, error) {
	safe := make([]Item, len(items))
	for i, item := range items {
		safe[i] = Item{item.ID, Unlinked(item.Title), item.Due}
	}
	text, err := json.Marshal(safe)
	return string(text), err
}

// ItemsOf returns the tasks of a mail.
func ItemsOf(text string) (items []Item, err error) {
	if text == "" {
		return nil, nil
	}
	return items, json.Unmarshal([]byte(text), &items)
}

// Unlinked returns a text that others may have chosen for use in a mail: what a mail program
// could turn into a link is taken apart by spaces.
func Unlinked(text string) string {
	var out strings.Builder
	var before rune
	chars := []rune(text)
	for i, r := range chars {
		var after rune
		if i+1 < len(chars) {
			after = chars[i+1]
		}
		if strings.ContainsRune("@\uff20", r) && before != 0 && !unicode.IsSpace(before) {
			out.WriteRune(' ')
		}
		out.WriteRune(r)
		if after != 0 && !unicode.IsSpace(after) && links(before, r, after) {
			out.WriteRune(' ')
		}
		before = r
	}
	return out.String()
}

// links reports whether a character may be what makes a link of the two beside it. Numbers
// and times of day are none.
func links(before, r, after rune) bool {
	switch {
	case unicode.IsDigit(before) && unicode.IsDigit(after):
		return false
	case isDot(r):
		return unicode.IsLetter(after) || unicode.IsDigit(after)
	}
	return strings.ContainsRune("@/\\:\u2044\u2215\uff20\uff0f\uff1a", r)
}
