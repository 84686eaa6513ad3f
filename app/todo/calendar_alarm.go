package todo

import (
	"slices"
	"strings"
	"time"

	"taskapi/app/ical"
)

// Alarms are each person's own, in the object that all share: they are taken out of it, and
// given back to those alone who put them.

// takeAlarms takes the alarms out of an object, and returns them by the VTODO that they were in.
func takeAlarms(cal *ical.Component) (all []*ical.Component) {
	main := mainTask(cal)
	for _, v := range cal.Components("VTODO") {
		alarms := v.Take("VALARM")
		if len(alarms) == 0 {
			continue
		}
		group := ical.NewComponent("VTODO")
		if id := v.Property("RECURRENCE-ID"); id != nil && v != main {
			group.Add(id)
		}
		for _, alarm := range alarms {
			group.Append(alarm)
		}
		all = append(all, group)
	}
	return all
}

// remindersOf returns the reminders that the alarms of an object are.
func remindersOf(groups []*ical.Component, dates Dates) []Reminder {
	for _, group := range groups {
		if group.Property("RECURRENCE-ID") == nil {
			return reminded(group.Components("VALARM"), dates)
		}
	}
	return nil
}

// reminded returns the reminders that alarms are, as many as a task may have.
func reminded(alarms []*ical.Component, dates Dates) (all []Reminder) {
	for _, alarm := range alarms {
		if r, ok := reminderIn(alarm, dates); ok && len(all) < MaxReminders && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// reminderIn reads an alarm. Those that wait for a place, or for nothing, are no reminders.
func reminderIn(alarm *ical.Component, dates Dates) (r Reminder, ok bool) {
	trigger, action := alarm.Property("TRIGGER"), alarm.Property("ACTION")
	if trigger == nil || action == nil || alarm.Property("X-APPLE-PROXIMITY") != nil {
		return r, false
	}
	switch strings.ToUpper(action.Value) {
	case "DISPLAY", "EMAIL", "AUDIO":
	default:
		return r, false
	}
	if t, absolute := ical.ParseTime(trigger.Value); absolute {
		r.At = t.Wall
		return r, t.UTC && validYear(t.Wall)
	}
	offset, ok := ical.ParseDuration(trigger.Value)
	starts := !dates.Start.IsZero() && dates.Start != dates.Due
	if !ok || dates.Due.IsZero() || starts && !strings.EqualFold(trigger.Param("RELATED"), "END") {
		return r, false
	}
	r.Before = fullDay(dates.Due) - offset
	return r, r.Before >= 0 && r.Before <= maxBefore
}

// fullDay is how long after the beginning of a day a reminder before it reckons from.
func fullDay(due Due) time.Duration {
	if due.Timed {
		return 0
	}
	return remindDay
}

// alarmOf returns the alarm that a reminder is.
func alarmOf(r Reminder, task Task) *ical.Component {
	alarm := ical.NewComponent("VALARM")
	alarm.Add(ical.New("ACTION", "DISPLAY"))
	alarm.Add(ical.NewText("DESCRIPTION", task.Title))
	if r.At.IsZero() {
		alarm.Add(ical.New("TRIGGER", ical.FormatDuration(fullDay(task.Dates.Due)-r.Before), ical.Param{Name: "RELATED", Value: "END"}))
		return alarm
	}
	moment := ical.NewTime("TRIGGER", ical.Moment(r.At))
	alarm.Add(ical.New("TRIGGER", moment.Value, ical.Param{Name: "VALUE", Value: "DATE-TIME"}))
	return alarm
}

// sameReminders reports whether the same reminders are in two slices, in any order.
func sameReminders(a, b []Reminder) bool {
	if len(a) != len(b) {
		return false
	}
	for _, r := range a {
		if !slices.Contains(b, r) {
			return false
		}
	}
	return true
}
