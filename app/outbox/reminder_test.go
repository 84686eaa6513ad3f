package outbox

import (
	"strings"
	"testing"
)

func TestTextsWithoutLinks(t *testing.T) {
	for text, want := range map[string]string{
		"Buy milk": "Buy milk", "": "", "Call at 12:30": "Call at 12:30", "3.5 % of it": "3.5 % of it", "End.": "End.", "Now: go": "Now: go", "e.g. this": "e. g. this", "24/7": "24/7",
		"www.example.com": "www. example. com", "https://evil.example/x": "https: / / evil. example/ x", "mail ann@example.com": "mail ann @ example. com", "tel:123": "tel: 123", "1.2.3.com": "1.2.3. com",
		"example\u3002com": "example\u3002 com", "a\uff0fb": "a\uff0f b", "x\uff20y": "x \uff20 y", `\\host\share`: `\ \ host\ share`,
	} {
		if got := Unlinked(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestItems(t *testing.T) {
	text, err := ItemsText([]Item{{1, "see example.com", "today"}, {2, "\"<b>", ""}})
	if err != nil {
		t.Fatal(err)
	}
	items, err := ItemsOf(text)
	if err != nil || len(items) != 2 || items[0] != (Item{1, "see example. com", "today"}) || items[1] != (Item{2, "\"<b>", ""}) {
		t.Errorf("%v %v", items, err)
	}
	if none, err := ItemsOf(""); none != nil || err != nil {
		t.Errorf("%v %v", none, err)
	}
	if _, err := ItemsOf(strings.Repeat("x", 5)); err == nil {
		t.Error("rubbish is read")
	}
}
