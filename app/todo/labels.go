package todo

import (
	"fmt"
	"slices"
	"strings"

	"taskapi/app"
)

// Limits of labels.
const (
	MaxLabels = 20 // a task
	MaxLabel  = 50 // characters
)

// Label is a word on tasks, with the number of those that one can see.
type Label struct {
	Name        string
	Open, Total int64
}

// LabelRule is the rule of a label.
func LabelRule() app.TextRule {
	return app.TextRule{Name: "name", Min: 1, Max: MaxLabel, Required: true, Trim: true}
}

// LabelKey is what is the same for two spellings of one label.
func LabelKey(name string) string { return Fold(name) }

// CheckLabels returns labels trimmed and without those that are there twice but for case
// and accents; the first spelling stays. Problems are noted under a name.
func CheckLabels(p app.Problems, name string, labels []string) []string {
	var out []string
	for _, label := range labels {
		rule := LabelRule()
		rule.Name = name
		value := p.Text(rule, app.Given(label))
		switch {
		case value == nil:
			p[name] = fmt.Sprintf("The field %s must hold texts of 1 to %d characters on one line.", name, MaxLabel)
			return nil
		case strings.Contains(*value, ","):
			p.Add(name, "The field "+name+" must hold texts without a comma.")
			return nil
		case LabelKey(*value) == "":
			p.Add(name, "The field "+name+" must hold texts with a letter or a sign in each.")
			return nil
		}
		if !hasLabel(out, *value) {
			out = append(out, *value)
		}
	}
	if len(out) > MaxLabels {
		p.Add(name, fmt.Sprintf("The field %s must hold at most %d labels.", name, MaxLabels))
	}
	return out
}

func hasLabel(labels []string, label string) bool {
	return slices.ContainsFunc(labels, func(other string) bool { return LabelKey(other) == LabelKey(label) })
}

// LabelsInput is what a client says of the labels of a task. Null clears.
type LabelsInput struct{ All, Add, Remove app.Field[[]string] }

// labelsChange is a change of labels. Nil leaves them as they are.
type labelsChange struct {
	all         []string
	set         bool
	add, remove []string
}

func (in LabelsInput) read(p app.Problems) *labelsChange {
	if in.All.State == app.Absent && in.Add.State == app.Absent && in.Remove.State == app.Absent {
		return nil
	}
	read := func(name string, field app.Field[[]string]) []string {
		if field.State == app.Mistyped {
			p.Add(name, "The field "+name+" must be an array of strings.")
		}
		return CheckLabels(p, name, field.Value)
	}
	c := &labelsChange{
		set: in.All.State != app.Absent, all: read("labels", in.All),
		add: read("labels_add", in.Add), remove: read("labels_remove", in.Remove),
	}
	if c.set && (len(c.add) > 0 || len(c.remove) > 0) {
		p.Add("labels", "The field labels does not go together with labels_add or labels_remove.")
	}
	return c
}

// apply returns labels after the change. What is there already keeps its spelling.
func (c *labelsChange) apply(p app.Problems, labels []string) []string {
	switch {
	case c == nil:
		return labels
	case c.set:
		return c.all
	}
	var out []string
	for _, label := range labels {
		if !hasLabel(c.remove, label) {
			out = append(out, label)
		}
	}
	for _, label := range c.add {
		if !hasLabel(out, label) {
			out = append(out, label)
		}
	}
	if len(out) > MaxLabels {
		p.Add("labels_add", fmt.Sprintf("A task may have at most %d labels.", MaxLabels))
	}
	return out
}

// Renamed returns labels in which one has another name, and whether that changes them. Of
// two that now have the same name, the first stays.
func Renamed(labels []string, key, name string) ([]string, bool) {
	var out []string
	changed := false
	for _, label := range labels {
		if LabelKey(label) == key {
			changed = changed || label != name
			label = name
		}
		if label != "" && !hasLabel(out, label) {
			out = append(out, label)
		} else {
			changed = true
		}
	}
	return out, changed
}
