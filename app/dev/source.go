package dev

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"taskapi/app/operate"
)

// source hands out what a seed makes, as an import takes it.
type source struct {
	seed   Seed
	words  language
	people []Person
	lists  []list
}

// list is a list of somebody's.
type list struct {
	id      int64
	theme   theme
	owner   Person
	members []Person // without the owner
	roles   []string
	inbox   bool
	weight  int // how many tasks come into it, beside others
}

// Source returns what the seed makes.
func (s Seed) Source() operate.ImportSource {
	all := &source{seed: s, words: languageOf(s.Language), people: s.People()}
	all.makeLists()
	return all
}

// makeLists gives everybody an Inbox and some lists, of which some are shared.
func (s *source) makeLists() {
	chance := s.seed.chances(partLists)
	add := func(l list) {
		l.id = int64(len(s.lists) + 1)
		s.lists = append(s.lists, l)
	}
	for i, person := range s.people {
		add(list{theme: s.words.inbox, owner: person, inbox: true, weight: 4})
		for n, at := range chance.Perm(len(s.words.themes))[:2+chance.IntN(3)] {
			l := list{theme: s.words.themes[at], owner: person, weight: 3 + chance.IntN(8)}
			// The first person always shares something, whatever is tried with it.
			if i == 0 && n == 0 {
				l.theme.shared = true
			}
			if l.theme.shared && (i == 0 && n == 0 || chance.IntN(2) == 0) {
				s.share(&l, i, chance)
			}
			add(l)
		}
	}
}

// share lets up to three others into a list.
func (s *source) share(l *list, owner int, chance *rand.Rand) {
	others := len(s.people) - 1
	for n := range min(others, 1+chance.IntN(3)) {
		other := s.people[(owner+1+(n*7)%others)%len(s.people)]
		if slices.Contains(l.members, other) || other == l.owner {
			continue
		}
		l.members = append(l.members, other)
		l.roles = append(l.roles, []string{"editor", "editor", "viewer"}[chance.IntN(3)])
	}
}

// Users hands out everybody.
func (s *source) Users(_ context.Context, each func(operate.ImportRow) error) error {
	for _, p := range s.people {
		err := each(operate.ImportRow{Where: p.Email, Values: map[string]string{
			"id": number(p.ID), "username": p.Username, "email": p.Email, "password": s.seed.Hash, "time_zone": p.zone,
			"date_created": s.moment(-90*24*time.Hour + time.Duration(p.ID)*time.Minute),
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// Lists hands out the lists with those who are in them.
func (s *source) Lists(_ context.Context, each func(operate.ImportRow) error) error {
	chance := s.seed.chances(partLists + 100)
	for _, l := range s.lists {
		row := operate.ImportRow{Where: fmt.Sprint("list ", l.id), Values: map[string]string{
			"id": number(l.id), "uid": uid(chance), "name": l.theme.name, "owner_id": number(l.owner.ID), "date_created": s.moment(-80 * 24 * time.Hour),
		}}
		if l.inbox {
			row.Values["inbox"] = "true"
		} else {
			row.Values["color"] = l.theme.color
		}
		var members []operate.ImportRow
		for i, p := range l.members {
			members = append(members, operate.ImportRow{Where: row.Where, Values: map[string]string{"user_id": number(p.ID), "role": l.roles[i]}})
		}
		row.Rows = map[string][]operate.ImportRow{"members": members}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// Tasks hands out the tasks, those of a list one after the other.
func (s *source) Tasks(_ context.Context, each func(operate.ImportRow) error) error {
	chance := s.seed.chances(partTasks)
	total := 0
	for _, l := range s.lists {
		total += l.weight
	}
	id, weight := int64(0), 0
	for _, l := range s.lists {
		before := weight
		weight += l.weight
		tasks := s.tasksOf(l, s.seed.Tasks*weight/total-s.seed.Tasks*before/total, chance)
		for _, task := range tasks {
			id++
			task.Where = fmt.Sprint("task ", id)
			task.Values["id"] = number(id)
			if task.below > 0 {
				task.Values["parent_id"] = number(id - task.below)
			}
			if err := each(task.ImportRow); err != nil {
				return err
			}
		}
	}
	return nil
}

// RefreshTokens counts none.
func (s *source) RefreshTokens(context.Context) (int64, error) { return 0, nil }

// moment is a time before or after now, as an import reads it.
func (s *source) moment(after time.Duration) string {
	return s.seed.Now.Add(after).UTC().Format(time.RFC3339)
}

// fill puts somebody, a number and a month into a text.
func (s *source) fill(text string, chance *rand.Rand) string {
	if !strings.Contains(text, "{") {
		return text
	}
	months := strings.Fields("January February March April May June July August September October November December")
	if s.seed.Language == "es" {
		months = strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre")
	}
	return strings.NewReplacer(
		"{person}", s.words.first[chance.IntN(len(s.words.first))],
		"{number}", number(int64(3+chance.IntN(9))),
		"{month}", months[chance.IntN(len(months))],
	).Replace(text)
}
