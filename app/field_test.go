package app_test

import (
	"testing"

	"taskapi/app"
	"taskapi/app/account"
	"taskapi/app/todo"
)

// What makes a line look like another one is refused in names and titles, and
// nothing that people type in any script.
func TestLinesThatDeceive(t *testing.T) {
	for line, want := range map[string]bool{
		"invoice\u202egnp.exe": true, "\u202aa\u202c": true, "\u202b": true, "\u202d": true, "a\u2066b\u2069": true, "\u2067": true, "\u2068": true,
		"a\u2028b": true, "a\u2029b": true, "a\ufff9b\ufffac\ufffb": true, "a\U000e0041b": true, "\U000e0001en": true,
		"\U0001f3f4\u200d\U000e0067": true,
		"שלום, world":                false, "מס\u200fפר 5": false, "أهلا\u061c 5": false, "a\u200eb": false, "می\u200cخواهم": false,
		"👩\u200d👩\u200d👧": false, "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f": false, "🏴\u200d☠\ufe0f": false, "naïve": false,
	} {
		for _, rule := range []app.TextRule{account.UsernameRule(true), todo.TitleRule(true), {Name: "name", Min: 1, Max: account.MaxTokenName, Trim: true}} {
			p := app.Problems{}
			if value := p.Text(rule, app.Given(line)); (value == nil) != want {
				t.Errorf("%q as %s: %v", line, rule.Name, p)
			}
		}
		if p := (app.Problems{}); p.Text(todo.DescriptionRule(), app.Given(line)) == nil {
			t.Errorf("%q is no description: %v", line, p)
		}
	}
}
