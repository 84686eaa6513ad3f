package todo

import (
	"slices"
	"strings"
	"time"

	"taskapi/app/ical"
)

// Alarms are each person's own, in the object that all share: they are taken out of it, and
// given back to those alone who put them.

// frame is what the trigger of an alarm is relative to.
type frame struct {
	due   string // "none", "day" or "timed"
	start bool   // there is a start of its own
}

// frameProperty notes the frame in which alarms were put: what it is later may be another one.
const frameProperty = "X-TASKAPI-DUE"

func frameOf(dates Dates) frame {
	f := frame{due: "none", start: !dates.Start.IsZero() && dates.Start != dates.Due}
	switch {
	case dates.Due.IsZero():
	case dates.Due.Timed:
		f.due = "timed"
	default:
		f.due = "day"
	}
	return f
}

func (f frame) property() *ical.Property {
	if f.start {
		return ical.New(frameProperty, f.due+"-start")
	}
	return ical.New(frameProperty, f.due)
}

// frameIn reads what property has written.
func frameIn(group *ical.Component) (f frame) {
	if p := group.Property(frameProperty); p != nil {
		f.due, f.start = strings.CutSuffix(p.Value, "-start")
	}
	return f
}

// zero is what a trigger of nothing is for a reminder: a day is reckoned from 09:00.
func (f frame) zero() time.Duration {
	if f.due == "day" {
		return remindDay
	}
	return 0
}

// takeAlarms takes the alarms out of an object, and returns them by the VTODO that they were in.
func takeAlarms(cal *ical.Component) (main *ical.Component, exceptions []*ical.Component) {
	whole := mainTask(cal)
	for _, v := range cal.Components("VTODO") {
		alarms := v.Take("VALARM")
		if len(alarms) == 0 {
			continue
		}
		group := ical.NewComponent("VTODO")
		if v == whole {
			main = group
		} else {
			group.Add(v.Property("RECURRENCE-ID"))
			exceptions = append(exceptions, group)
		}
		for _, alarm := range alarms {
			group.Append(alarm)
		}
	}
	return main, exceptions
}

// reminded returns the reminders that alarms are, as many as a task may have.
func reminded(alarms []*ical.Component, f frame) (all []Reminder) {
	for _, alarm := range alarms {
		if r, ok := reminderIn(alarm, f); ok && len(all) < MaxReminders && !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	return all
}

// reminderIn reads an alarm. Those that wait for a place, or for nothing, are no reminders.
func reminderIn(alarm *ical.Component, f frame) (r Reminder, ok bool) {
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
	if !ok || f.due == "none" || f.start && !strings.EqualFold(trigger.Param("RELATED"), "END") {
		return r, false
	}
	r.Before = f.zero() - offset
	return r, r.Before >= 0 && r.Before <= maxBefore
}

// alarmOf returns the alarm that a reminder is.
func alarmOf(r Reminder, task Task) *ical.Component {
	alarm := ical.NewComponent("VALARM")
	alarm.Add(ical.New("ACTION", "DISPLAY"))
	alarm.Add(ical.NewText("DESCRIPTION", task.Title))
	alarm.Add(triggerOf(r, task))
	return alarm
}

func triggerOf(r Reminder, task Task) *ical.Property {
	if r.At.IsZero() {
		offset := frameOf(task.Dates).zero() - r.Before
		return ical.New("TRIGGER", ical.FormatDuration(offset), ical.Param{Name: "RELATED", Value: "END"})
	}
	moment := ical.NewTime("TRIGGER", ical.Moment(r.At))
	return ical.New("TRIGGER", moment.Value, ical.Param{Name: "VALUE", Value: "DATE-TIME"})
}

// addAlarms gives an object its reader's alarms: those that were put and still hold, and new ones
// for the reminders that were added since.
func (t CalendarTask) addAlarms(cal *ical.Component) error {
	if len(t.Alarms) == 0 && len(t.Task.Reminders) == 0 {
		return nil
	}
	groups, err := ical.ParseComponents(t.Alarms)
	if err != nil {
		return err
	}
	v := mainTask(cal)
	var put []Reminder
	for _, group := range groups {
		if of := group.Property("RECURRENCE-ID"); of == nil {
			put = t.addMain(v, group)
		} else if exception := exceptionOf(cal, of.Value); exception != nil {
			for _, alarm := range group.Components("VALARM") {
				exception.Append(alarm)
			}
		}
	}
	for _, r := range t.Task.Reminders {
		if !slices.Contains(put, r) {
			v.Append(alarmOf(r, t.Task))
		}
	}
	return nil
}

// addMain adds the alarms of the task itself, and returns the reminders that they were put as.
func (t CalendarTask) addMain(v, group *ical.Component) []Reminder {
	alarms := group.Components("VALARM")
	then, now := frameIn(group), frameOf(t.Task.Dates)
	put := reminded(alarms, then)
	for _, alarm := range alarms {
		r, ok := reminderIn(alarm, then)
		if ok = ok && slices.Contains(put, r); ok {
			if !slices.Contains(t.Task.Reminders, r) {
				continue // it was removed
			}
			if means, still := reminderIn(alarm, now); !still || means != r {
				alarm.Set(triggerOf(r, t.Task))
			}
		}
		v.Append(alarm)
	}
	return put
}

// exceptionOf returns the VTODO that is an exception of another one.
func exceptionOf(cal *ical.Component, id string) *ical.Component {
	for _, v := range cal.Components("VTODO") {
		if p := v.Property("RECURRENCE-ID"); p != nil && p.Value == id {
			return v
		}
	}
	return nil
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
