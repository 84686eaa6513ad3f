package dev

import (
	"math/rand/v2"
	"time"

	"taskapi/app/operate"
)

// task is one that has no id yet.
type task struct {
	operate.ImportRow
	// below says how many places before it the task is that it is a step of; 0 for none.
	below int64
}

// tasksOf returns the tasks of a list.
func (s *source) tasksOf(l list, n int, chance *rand.Rand) []task {
	var all []task
	order := chance.Perm(len(l.theme.tasks))
	for i := 0; len(all) < n; i++ {
		what := l.theme.tasks[order[i%len(order)]]
		whole := s.task(l, what.title, chance)
		s.schedule(l, what.rule, whole, chance)
		all = append(all, task{ImportRow: whole})
		if what.rule != "" || whole.Values["completed"] != "" || chance.IntN(8) > 0 {
			continue
		}
		for step := range min(n-len(all), 2+chance.IntN(3)) {
			all = append(all, task{s.task(l, s.words.steps[(i+step)%len(s.words.steps)], chance), int64(step + 1)})
		}
	}
	return all
}

// task returns a task without dates ahead.
func (s *source) task(l list, title string, chance *rand.Rand) operate.ImportRow {
	made := -time.Duration(1+chance.IntN(60*24)) * time.Hour
	row := operate.ImportRow{Rows: map[string][]operate.ImportRow{}, Values: map[string]string{
		"uid": uid(chance), "title": s.fill(title, chance), "user_id": number(l.owner.ID), "list_id": number(l.id),
		"date_created": s.moment(made), "date_updated": s.moment(made), "created_by": number(l.owner.ID),
		"priority": []string{"none", "none", "none", "none", "low", "medium", "medium", "high"}[chance.IntN(8)],
	}}
	if chance.IntN(4) == 0 {
		row.Values["description"] = s.fill(s.words.notes[chance.IntN(len(s.words.notes))], chance)
	}
	if chance.IntN(5) < 2 {
		row.Texts = map[string][]string{"labels": {l.theme.labels[chance.IntN(len(l.theme.labels))]}}
	}
	if len(l.members) > 0 && chance.IntN(2) == 0 {
		somebody := append([]Person{l.owner}, l.members...)
		row.Values["assignee_id"] = number(somebody[chance.IntN(len(somebody))].ID)
		if maker := chance.IntN(len(l.members)); l.roles[maker] == "editor" {
			row.Values["created_by"] = number(l.members[maker].ID)
		}
	}
	if chance.IntN(10) < 3 {
		done := made + time.Duration(chance.Int64N(int64(-made)))
		row.Values["completed"], row.Values["date_completed"], row.Values["date_updated"] = "true", s.moment(done), s.moment(done)
	}
	return row
}

// schedule gives most tasks a day, around now, and some a time of it and a reminder.
func (s *source) schedule(l list, rule string, row operate.ImportRow, chance *rand.Rand) {
	if rule != "" {
		// What repeats goes on.
		delete(row.Values, "completed")
		delete(row.Values, "date_completed")
		row.Values["date_updated"] = row.Values["date_created"]
	} else if chance.IntN(10) < 4 {
		return
	}
	days := chance.IntN(28) - 7
	if chance.IntN(3) == 0 {
		days = chance.IntN(3) - 1 // yesterday, today and tomorrow are looked at most
	}
	zone, err := time.LoadLocation(l.owner.zone)
	if err != nil {
		zone = time.UTC
	}
	day := s.seed.Now.In(zone).AddDate(0, 0, days)
	row.Values["due"] = day.Format(time.DateOnly)
	if rule != "" {
		row.Values["recurrence"] = rule
	}
	if chance.IntN(3) > 0 {
		return
	}
	row.Values["due"] += []string{"T08:30", "T09:00", "T12:00", "T15:30", "T18:00", "T20:15"}[chance.IntN(6)]
	row.Values["due_zone"] = l.owner.zone
	if row.Values["completed"] == "" && chance.IntN(2) == 0 {
		row.Rows["reminders"] = []operate.ImportRow{{Where: row.Values["title"], Values: map[string]string{"user_id": number(l.owner.ID), "before": "PT30M"}}}
	}
}
