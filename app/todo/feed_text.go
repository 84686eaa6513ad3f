package todo

import (
	"bytes"
	"strings"
	"time"

	"taskapi/app/ical"
)

// feedText writes what is in a feed, as long as it has room.
type feedText struct {
	form FeedForm
	seed Seed
	// head is what stands before the time zones, and zones are those that are used so far.
	head, zones *ical.Component
	size        int // of all that there is
	components  [][]byte
	uids        map[string]bool
}

func newFeedText(state FeedState, seed Seed) *feedText {
	head := ical.NewComponent("VCALENDAR")
	head.Add(ical.New("VERSION", "2.0"))
	head.Add(ical.New("PRODID", "-//taskapi//taskapi//EN"))
	title := state.Title
	if title == "" {
		title = "taskapi"
	}
	head.Add(ical.NewText("NAME", title)) // RFC 7986
	head.Add(ical.NewText("X-WR-CALNAME", title))
	head.Add(ical.New("REFRESH-INTERVAL", "PT15M", ical.Param{Name: "VALUE", Value: "DURATION"}))
	head.Add(ical.New("X-PUBLISHED-TTL", "PT15M"))
	f := &feedText{form: state.Form, seed: seed, head: head, zones: ical.NewComponent("VCALENDAR"), uids: map[string]bool{}}
	f.size = len(head.Bytes())
	return f
}

// add adds a task, and reports whether there may be room for another one. None is told in
// part.
func (f *feedText) add(t FeedTask) (more bool) {
	// Two lists may have objects of one UID, and a calendar may not.
	if f.uids[t.UID] {
		t.UID = f.seed.UID(KindTask, t.Task.ID)
	}
	f.uids[t.UID] = true
	known := len(f.zones.Components("VTIMEZONE"))
	var parts [][]byte
	if f.form != FeedEvent {
		parts = append(parts, t.todo(f.zones).Bytes())
	}
	if f.form != FeedTodo {
		if event := t.event(f.zones); event != nil {
			parts = append(parts, event.Bytes())
		}
	}
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	zones := f.zones.Components("VTIMEZONE")
	for _, zone := range zones[:len(zones)-known] { // a new one stands first
		size += len(zone.Bytes())
	}
	if len(f.components)+len(parts) > MaxFeedComponents || f.size+size > MaxFeedBytes {
		if len(zones) > known {
			f.dropZones(known)
		}
		return false
	}
	f.size += size
	f.components = append(f.components, parts...)
	return true
}

// dropZones leaves the last zones, which are those that were there first.
func (f *feedText) dropZones(known int) {
	all := f.zones.Take("VTIMEZONE")
	for _, zone := range all[len(all)-known:] {
		f.zones.Append(zone)
	}
}

func (f *feedText) bytes() []byte {
	end := []byte("END:VCALENDAR\r\n")
	text := bytes.TrimSuffix(f.head.Bytes(), end)
	for _, zone := range f.zones.Components("VTIMEZONE") {
		text = append(text, zone.Bytes()...)
	}
	for _, component := range f.components {
		text = append(text, component...)
	}
	return append(text, end...)
}

// todo returns the task as a VTODO. It has what taskapi knows of the task, and nothing that is
// one person's: no alarms, and nothing that a client has put beside.
func (t FeedTask) todo(zones *ical.Component) *ical.Component {
	cal := t.fresh()
	v := mainTask(cal)
	m := merging{CalendarTask: t.CalendarTask, cal: zones, v: v, said: readSaid(cal)}
	m.merge()
	v.Remove("X-APPLE-SORT-ORDER")
	if t.Cancelled {
		v.Set(ical.New("STATUS", "CANCELLED"))
		v.Remove("PERCENT-COMPLETE")
		v.Remove("COMPLETED")
	}
	t.finishRule(zones, v)
	return v
}

// event returns the task as a VEVENT that blocks no time; nil for one without a date. Its UID is
// another one than that of the VTODO.
func (t FeedTask) event(zones *ical.Component) *ical.Component {
	begins, ends := t.Task.Dates.Start, t.Task.Dates.Due
	repeats := t.repeats()
	if begins.IsZero() || repeats && !ends.IsZero() { // a rule is about the due
		begins, ends = ends, Due{}
	}
	if begins.IsZero() {
		return nil
	}
	v := ical.NewComponent("VEVENT")
	v.Add(ical.NewText("UID", "event-"+t.UID))
	updated := ical.Moment(t.Task.UpdatedAt)
	v.Add(ical.NewTime("DTSTAMP", updated))
	v.Add(ical.NewTime("CREATED", ical.Moment(t.Task.CreatedAt)))
	v.Add(ical.NewTime("LAST-MODIFIED", updated))
	v.Add(ical.NewTime("DTSTART", calendarTime(zones, begins)))
	switch {
	case !begins.Timed: // the end of an event is outside of it
		last := begins
		if !ends.IsZero() {
			last = ends
		}
		last.Wall = last.Wall.Add(oneDay)
		v.Add(ical.NewTime("DTEND", calendarTime(zones, last)))
	case ends.Wall.After(begins.Wall):
		v.Add(ical.NewTime("DTEND", calendarTime(zones, ends)))
	}
	title := t.Task.Title
	if t.Cancelled {
		v.Add(ical.New("STATUS", "CANCELLED"))
	} else if t.Task.Completed() {
		title = "✓ " + title
	}
	v.Add(ical.NewText("SUMMARY", title))
	if t.Task.Description != "" {
		v.Add(ical.NewText("DESCRIPTION", t.Task.Description))
	}
	if len(t.Task.Labels) > 0 {
		v.Add(ical.NewList("CATEGORIES", t.Task.Labels))
	}
	v.Add(ical.New("TRANSP", "TRANSPARENT"))
	if repeats {
		v.Add(ical.New("RRULE", t.Task.Repetition.Rule))
	}
	t.finishRule(zones, v)
	return v
}

// repeats reports whether the dates after this one are known by now.
func (t FeedTask) repeats() bool {
	return t.Task.Repetition.Rule != "" && !t.Task.Repetition.FromCompletion && !t.Task.Completed()
}

// finishRule makes the UNTIL of a rule of the kind of the date, as RFC 5545 section 3.3.10 wants
// it, and adds the days that are left out.
func (t FeedTask) finishRule(zones, v *ical.Component) {
	rule, due := v.Property("RRULE"), t.Task.Dates.Due
	if rule == nil {
		return
	}
	v.Set(ical.New("RRULE", untilAs(rule.Value, due)))
	for _, day := range t.Exceptions {
		v.Add(ical.NewTime("EXDATE", calendarTime(zones, due.On(day))))
	}
}

// untilAs returns a rule with an UNTIL that is a day if the date is one, a time of day wherever
// one is, or else a moment.
func untilAs(rule string, due Due) string {
	head, until, found := strings.Cut(rule, "UNTIL=")
	if !found {
		return rule
	}
	until, rest, _ := strings.Cut(until, ";")
	if rest != "" {
		rest = ";" + rest
	}
	t, ok := ical.ParseTime(until)
	location, err := Location(due.Zone)
	switch {
	case !ok || err != nil:
		return rule
	case !due.Timed:
		t = ical.Time{Wall: t.Wall, Day: true}
	case t.Day:
		last := t.Wall.Add(oneDay - time.Second)
		if t = (ical.Time{Wall: last}); due.Zone != "" {
			t = ical.Moment(Moment(last, location))
		}
	case due.Zone == "":
		t.UTC = false
	}
	return head + "UNTIL=" + ical.NewTime("UNTIL", t).Value + rest
}
