package todo

import (
	"slices"
	"strconv"
	"strings"

	"taskapi/app/ical"
)

// Text returns the object of a task for its reader. What was put last stays as it is but for the
// properties whose meaning is not that of the task any more.
func (t CalendarTask) Text() ([]byte, error) {
	if t.Kept != nil && t.KeptVersion == t.Task.Version && len(t.Alarms) == 0 && len(t.Task.Reminders) == 0 {
		return t.Kept, nil
	}
	var cal *ical.Component
	if t.Kept == nil {
		cal = t.fresh()
	} else {
		var err error
		if cal, err = ical.Parse(t.Kept); err != nil {
			return nil, err
		}
	}
	if t.Kept == nil || t.KeptVersion != t.Task.Version {
		m := merging{cal: cal, v: mainTask(cal), said: readSaid(cal), CalendarTask: t}
		m.merge()
	}
	if err := t.addAlarms(cal); err != nil {
		return nil, err
	}
	return cal.Bytes(), nil
}

// fresh returns the object of a task that no client has put, with what merge does not add.
func (t CalendarTask) fresh() *ical.Component {
	cal, v := ical.NewComponent("VCALENDAR"), ical.NewComponent("VTODO")
	cal.Add(ical.New("VERSION", "2.0"))
	cal.Add(ical.New("PRODID", "-//taskapi//taskapi//EN"))
	v.Add(ical.NewText("UID", t.UID))
	updated := ical.Moment(t.Task.UpdatedAt)
	v.Add(ical.NewTime("DTSTAMP", updated))
	v.Add(ical.NewTime("CREATED", ical.Moment(t.Task.CreatedAt)))
	v.Add(ical.NewTime("LAST-MODIFIED", updated))
	v.Add(ical.NewText("SUMMARY", t.Task.Title))
	if !t.Task.Completed() {
		v.Add(ical.New("STATUS", "NEEDS-ACTION"))
	}
	v.Add(ical.New("X-APPLE-SORT-ORDER", strconv.FormatInt(t.Task.Position, 10)))
	cal.Append(v)
	return cal
}

// merging makes an object say what a task is.
type merging struct {
	CalendarTask
	cal, v  *ical.Component
	said    CalendarSaid
	changed bool
}

func (m *merging) set(p *ical.Property) {
	m.v.Set(p)
	m.changed = true
}

func (m *merging) remove(name string) {
	m.v.Remove(name)
	m.changed = true
}

// text sets a text, or removes an empty one.
func (m *merging) text(name, text string) {
	if text == "" {
		m.remove(name)
	} else {
		m.set(ical.NewText(name, text))
	}
}

func (m *merging) merge() {
	t, s := m.Task, m.said
	if m.UID != s.UID { // another object in the list has that one
		for _, v := range m.cal.Components("VTODO") {
			v.Set(ical.NewText("UID", m.UID))
		}
		m.changed = true
	}
	if t.Title != s.title {
		m.text("SUMMARY", t.Title)
	}
	if t.Description != s.description {
		m.text("DESCRIPTION", t.Description)
		m.v.Remove("X-ALT-DESC") // the same text with markup
	}
	m.completion()
	m.dates()
	if t.Priority != s.priority {
		m.priority()
	}
	if !sameLabels(t.Labels, s.labels) {
		if all := append(slices.Clone(t.Labels), s.unfit...); len(all) > 0 {
			m.set(ical.NewList("CATEGORIES", all))
		} else {
			m.remove("CATEGORIES")
		}
	}
	m.rule()
	if m.ParentUID != s.ParentUID {
		if m.changed = true; m.ParentUID == "" {
			m.v.RemoveIf("RELATED-TO", isParent)
		} else {
			m.v.Replace(ical.NewText("RELATED-TO", m.ParentUID), isParent)
		}
	}
	placed := m.v.Property("X-APPLE-SORT-ORDER") != nil
	if s.Position != nil && *s.Position != t.Position || !placed && t.Position != DefaultPosition(t.ID) {
		m.set(ical.New("X-APPLE-SORT-ORDER", strconv.FormatInt(t.Position, 10)))
	}
	if m.changed {
		updated := ical.Moment(t.UpdatedAt)
		m.v.Set(ical.NewTime("LAST-MODIFIED", updated))
		m.v.Set(ical.NewTime("DTSTAMP", updated))
	}
}

func (m *merging) completion() {
	at := m.Task.CompletedAt
	switch {
	case !m.Task.Completed() && m.said.completed:
		m.remove("COMPLETED")
		if m.v.Property("STATUS") != nil {
			m.set(ical.New("STATUS", "NEEDS-ACTION"))
		}
		if p := m.v.Property("PERCENT-COMPLETE"); p != nil && strings.TrimSpace(p.Value) == "100" {
			m.remove("PERCENT-COMPLETE")
		}
	case m.Task.Completed() && !m.said.completed:
		setCompleted(m.v, at)
		m.changed = true
	case m.Task.Completed() && !m.said.completedAt.IsZero() && ical.Moment(at).Wall.After(m.said.completedAt):
		m.set(ical.NewTime("COMPLETED", ical.Moment(at)))
	}
}

// moved reports whether the dates of the task are others than those that the object says.
func (m *merging) moved() bool {
	return m.Task.Dates.Due != m.said.dates.Due || !sameStart(m.Task.Dates, m.said.dates)
}

func (m *merging) dates() {
	now, said := m.Task.Dates, m.said.dates
	if !m.moved() {
		return
	}
	ahead := m.said.series.ahead // neither is in the object
	if m.v.Property("DURATION") != nil {
		m.remove("DURATION")
		m.due("DUE", now.Due)
	} else if now.Due != said.Due || ahead {
		m.due("DUE", now.Due)
	}
	switch {
	case !sameStart(now, said), ahead, !said.Start.IsZero() && said.Start == said.Due: // it goes along
		m.start(now.Start)
	case said.Start.IsZero() && m.v.Property("DTSTART") != nil: // one that did not go with the due
		m.remove("DTSTART")
	}
}

// start writes when a task begins. Without a due it has no zone but the one that it was put with.
func (m *merging) start(d Due) {
	if p := m.v.Property("DTSTART"); p != nil && d.Timed && m.said.dates.Due.IsZero() && m.Task.Dates.Due.IsZero() {
		if put, ok := p.Time(); ok && !put.Day {
			put.Wall = d.Wall
			m.set(ical.NewTime("DTSTART", put))
			return
		}
	}
	m.due("DTSTART", d)
}

func (m *merging) due(name string, d Due) {
	if d.IsZero() {
		m.remove(name)
		return
	}
	m.set(ical.NewTime(name, calendarTime(m.cal, d)))
}

// priority writes what RFC 5545 section 3.8.1.9 has for a high, a medium and a low one.
func (m *merging) priority() {
	switch m.Task.Priority {
	case PriorityNone:
		m.remove("PRIORITY")
	case PriorityLow:
		m.set(ical.New("PRIORITY", "9"))
	case PriorityMedium:
		m.set(ical.New("PRIORITY", "5"))
	case PriorityHigh:
		m.set(ical.New("PRIORITY", "1"))
	}
}

// rule writes how the task repeats. RFC 5545 counts from DTSTART, so that must be there.
func (m *merging) rule() {
	now := m.Task.Repetition
	counted := m.Task.Dates.Due
	if now.FromCompletion {
		counted = Due{}
	}
	same := m.said.rule == now.Rule
	if parsed, err := ParseRecurrence(m.said.rule, counted); err == nil {
		same = parsed.String() == now.Rule
	}
	switch {
	case same:
		if rule, fewer := m.said.series.left(m.Task.Dates.Start); fewer && now.Rule == "" && m.moved() {
			m.set(ical.New("RRULE", rule))
		}
		return
	case now.Rule == "":
		m.remove("RRULE")
		return
	}
	m.set(ical.New("RRULE", now.Rule))
	if m.v.Property("DTSTART") == nil {
		m.due("DTSTART", m.Task.Dates.Due)
	}
}
