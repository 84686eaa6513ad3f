package dev

// language is what seeded people are called, and what they have to do.
type language struct {
	first, last []string
	zones       []string
	inbox       theme
	themes      []theme
	notes       []string
	// steps are what a task is made of.
	steps []string
}

// theme is a list that somebody may have.
type theme struct {
	name, color string
	labels      []string
	// shared says that others are often in it.
	shared bool
	tasks  []idea
}

// idea is something to do: {person} is somebody, {number} a number, {month} a month.
type idea struct {
	title string
	rule  string // how it repeats; empty for once
}

// Languages are those that people can be seeded in.
func Languages() []string { return []string{"en", "es"} }

func languageOf(name string) language {
	if name == "es" {
		return spanish()
	}
	return english()
}

func once(titles ...string) (all []idea) {
	for _, title := range titles {
		all = append(all, idea{title: title})
	}
	return all
}
