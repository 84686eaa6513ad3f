package todo

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"taskapi/app"
	"taskapi/app/ical"
)

// Limits of what is put.
const (
	MaxCalendarObject = 128 << 10 // bytes
	maxCalendarLines  = 1000
)

// CalendarTask is a task with what is kept of its object.
type CalendarTask struct {
	Task Task
	Name string
	// UID is that of the object.
	UID string
	// ParentUID is that of the task that it is below, or waits for; empty at the top.
	ParentUID string
	// Kept is the object as it was put, without alarms; nil for a task that no client has put.
	Kept []byte
	// KeptVersion is the version of the task of which Kept says all; 0 for none.
	KeptVersion int64
	// Alarms are those of the reader, as they were put.
	Alarms []byte
}

// CalendarSaid is what an object says of a task.
type CalendarSaid struct {
	UID, ParentUID string
	// Kept is the object without its alarms, and Alarms are those.
	Kept, Alarms []byte
	// Position is nil for none.
	Position *int64

	title, description string
	completed          bool
	completedAt        time.Time // zero: not said
	dates              Dates
	priority           Priority
	labels, unfit      []string // unfit are too long or too many to be labels
	rule               string   // as it is written; empty without one that is computed
	series             Series
	reminders          []Reminder
}

// ReadCalendar reads what a client has put. Returns the errors of calendar objects.
func ReadCalendar(text []byte) (s CalendarSaid, err error) {
	if len(text) > MaxCalendarObject {
		return s, ErrCalendarTooLarge
	}
	cal, err := ical.Parse(text)
	if err != nil {
		return s, ErrCalendarData.Detailed(err.Error())
	}
	if err := checkCalendar(cal); err != nil {
		return s, err
	}
	alarms, exceptions := takeAlarms(cal)
	s = readSaid(cal)
	s.Kept = cal.Bytes()
	if alarms != nil {
		s.reminders = reminded(alarms.Components("VALARM"), frameOf(s.dates))
		alarms.Add(frameOf(s.dates).property())
		s.Alarms = alarms.Bytes()
	}
	for _, one := range exceptions {
		s.Alarms = append(s.Alarms, one.Bytes()...)
	}
	if utf8.RuneCountInString(s.description) > MaxDescription {
		return s, ErrCalendarTooLarge
	}
	return s, nil
}

// checkCalendar checks the shape of an object.
func checkCalendar(cal *ical.Component) error {
	tasks := cal.Components("VTODO")
	for _, c := range cal.Components("") {
		if c.Name == "VEVENT" || c.Name == "VJOURNAL" || c.Name == "VFREEBUSY" || c.Name == "VAVAILABILITY" {
			return ErrCalendarComponent
		}
	}
	if len(tasks) == 0 || cal.Property("METHOD") != nil {
		return ErrCalendarObject
	}
	whole := 0
	for _, one := range tasks {
		uids := one.Properties("UID")
		if len(uids) != 1 || uids[0].Text() != tasks[0].Property("UID").Text() || !ValidUID(uids[0].Text()) {
			return ErrCalendarObject
		}
		if one.Property("RECURRENCE-ID") == nil {
			whole++
		}
		for _, file := range one.Properties("ATTACH") {
			if strings.EqualFold(file.Param("VALUE"), "BINARY") || strings.EqualFold(file.Param("ENCODING"), "BASE64") {
				return ErrCalendarTooLarge
			}
		}
	}
	if whole > 1 {
		return ErrCalendarObject
	}
	if cal.Lines() > maxCalendarLines {
		return ErrCalendarTooLarge
	}
	return nil
}

// mainTask returns the VTODO of an object that is no exception of another.
func mainTask(cal *ical.Component) *ical.Component {
	tasks := cal.Components("VTODO")
	if i := slices.IndexFunc(tasks, func(c *ical.Component) bool { return c.Property("RECURRENCE-ID") == nil }); i > 0 {
		return tasks[i]
	}
	return tasks[0]
}

// readSaid reads the fields of an object.
func readSaid(cal *ical.Component) (s CalendarSaid) {
	v := mainTask(cal)
	text := func(name string) string {
		if p := v.Property(name); p != nil {
			return p.Text()
		}
		return ""
	}
	s.UID = text("UID")
	s.title, s.description = lineOf(text("SUMMARY")), linesOf(text("DESCRIPTION"))
	if s.title == "" {
		s.title = "(untitled)"
	}
	s.completed, s.completedAt = completion(v)
	s.dates = readCalendarDates(cal, v)
	s.priority = priorityOf(v.Property("PRIORITY"))
	s.labels, s.unfit = readCategories(v)
	for _, p := range v.Properties("RELATED-TO") {
		if isParent(p) && s.ParentUID == "" && ValidUID(p.Text()) {
			s.ParentUID = p.Text()
		}
	}
	if p := v.Property("X-APPLE-SORT-ORDER"); p != nil {
		if n, err := strconv.ParseInt(strings.TrimSpace(p.Value), 10, 64); err == nil && n > -maxPosition && n < maxPosition {
			s.Position = &n
		}
	}
	s.rule = readRule(cal, v, s.dates)
	s.series, s.dates = readSeries(cal, v, s.rule, s.dates).open(s.dates)
	return s
}

// maxPosition is beyond what every client can hold exactly.
const maxPosition = 1 << 53

// isParent tells the parent from other relations (RFC 5545 section 3.2.15).
func isParent(p *ical.Property) bool {
	kind := p.Param("RELTYPE")
	return kind == "" || strings.EqualFold(kind, "PARENT")
}

// maxLine is how many characters the title of a task and the name of a list have at most.
const maxLine = min(MaxTitle, MaxListName)

// farBeyond is how many bytes of a text are looked at for a line.
const farBeyond = 4096

// lineOf makes a line of a text for a title or a name, which ends with "…" if it is too long.
func lineOf(text string) string {
	if len(text) > farBeyond { // what is that far is not looked at
		text = strings.ToValidUTF8(text[:farBeyond], "")
	}
	line := strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return ' '
		}
		return r
	}, text))
	if runes := []rune(line); len(runes) > maxLine {
		line = strings.TrimSpace(string(runes[:maxLine-1])) + "…"
	}
	rule := app.TextRule{Name: "text", Max: maxLine}
	if app.Blank(line) {
		return ""
	}
	if (app.Problems{}).Text(rule, app.Given(line)) == nil { // something in it deceives
		line = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, line))
	}
	return line
}

// linesOf leaves out of a text what no description has.
func linesOf(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// completion reads whether a task is done, and when that was.
func completion(v *ical.Component) (done bool, at time.Time) {
	completed := v.Property("COMPLETED")
	switch status := v.Property("STATUS"); {
	case status != nil:
		done = strings.EqualFold(status.Value, "COMPLETED") || isCancelled(v)
	case completed != nil:
		done = true
	default:
		percent := v.Property("PERCENT-COMPLETE")
		done = percent != nil && strings.TrimSpace(percent.Value) == "100"
	}
	if done && completed != nil {
		if t, ok := completed.Time(); ok && t.UTC && validYear(t.Wall) {
			at = t.Wall
		}
	}
	return done, at
}

// isCancelled reports whether nobody is to do a task any more. It counts as done.
func isCancelled(v *ical.Component) bool {
	status := v.Property("STATUS")
	return status != nil && strings.EqualFold(status.Value, "CANCELLED")
}

// Cancelled reports whether an object says that its task was cancelled.
func Cancelled(kept []byte) bool {
	if kept == nil {
		return false
	}
	cal, err := ical.Parse(kept)
	return err == nil && isCancelled(mainTask(cal))
}

// Uncancelled returns an object in which a task that was cancelled is completed, at a time.
func Uncancelled(kept []byte, at time.Time) ([]byte, error) {
	cal, err := ical.Parse(kept)
	if err != nil {
		return nil, err
	}
	setCompleted(mainTask(cal), at)
	return cal.Bytes(), nil
}

func setCompleted(v *ical.Component, at time.Time) {
	v.Set(ical.New("STATUS", "COMPLETED"))
	v.Set(ical.New("PERCENT-COMPLETE", "100"))
	v.Set(ical.NewTime("COMPLETED", ical.Moment(at)))
}

func validYear(t time.Time) bool { return t.Year() >= firstYear && t.Year() <= lastYear }

// priorityOf reads a priority (RFC 5545 section 3.8.1.9).
func priorityOf(p *ical.Property) Priority {
	if p == nil {
		return PriorityNone
	}
	n, err := strconv.Atoi(strings.TrimSpace(p.Value))
	switch {
	case err != nil || n < 1 || n > 9:
		return PriorityNone
	case n < 5:
		return PriorityHigh
	case n == 5:
		return PriorityMedium
	}
	return PriorityLow
}

// maxUnfit is after how many categories that are no labels the others are none either, as it takes
// a while to compare them.
const maxUnfit = 100

// readCategories reads labels, and what is too long or too many to be some.
func readCategories(v *ical.Component) (labels, unfit []string) {
	for _, p := range v.Properties("CATEGORIES") {
		for _, one := range p.List() {
			if slices.Contains(labels, one) {
				continue
			}
			if len(unfit) > maxUnfit {
				unfit = append(unfit, one)
				continue
			}
			problems := app.Problems{}
			fit := CheckLabels(problems, "labels", []string{one})
			switch {
			case strings.TrimSpace(one) == "":
			case len(problems) > 0, len(labels) == MaxLabels && !hasLabel(labels, fit[0]):
				unfit = append(unfit, one)
			case !hasLabel(labels, fit[0]):
				labels = append(labels, fit[0])
			}
		}
	}
	return labels, unfit
}

// readRule reads how a task repeats. What is not computed is none: several rules, single dates,
// exceptions with dates of their own, and what goes by another date than that it is due.
func readRule(cal, v *ical.Component, dates Dates) string {
	if !onlyRule(v) || len(cal.Components("VTODO")) > 1 || dates.Due.IsZero() {
		return ""
	}
	text := v.Property("RRULE").Value
	rule, err := ParseRecurrence(text, dates.Due)
	if err != nil || !byDue(text, dates) {
		return ""
	}
	if _, found := rule.Next(dates.Due, dates.Due.Day().Add(-oneDay)); !found {
		return ""
	}
	return text
}

// Change returns what an object changes in a task. The repetition is that of the task as long
// as the rule is.
func (s CalendarSaid) Change(before Task, at time.Time) TaskChange {
	dates := s.dates
	if sameStart(before.Dates, dates) {
		dates.Start = before.Dates.Start
	}
	c := TaskChange{
		Title: &s.title, Description: &s.description, Completed: &s.completed, Priority: &s.priority,
		Dates:  &DatesChange{due: &dates.Due, start: &dates.Start, zone: &dates.Due.Zone},
		labels: &labelsChange{set: true, all: s.labels}, repetition: &repetitionChange{rule: &s.rule},
		Now: at, put: s.Kept,
	}
	if !s.completedAt.IsZero() && s.completedAt.Before(at) {
		c.completedAt = s.completedAt
	}
	if !sameReminders(before.Reminders, s.reminders) {
		reminders := append([]Reminder{}, s.reminders...)
		c.Reminders = &reminders
	}
	return c
}

// New returns the task that an object makes, below nothing yet.
func (s CalendarSaid) New(at time.Time) (NewTask, error) {
	n := NewTask{
		Title: s.title, Description: s.description, Priority: s.priority, Dates: s.dates, Labels: s.labels,
		Reminders: s.reminders, CreatedAt: at, UID: s.UID, Position: s.Position,
	}
	if s.completed {
		n.CompletedAt = at
		if !s.completedAt.IsZero() && s.completedAt.Before(at) {
			n.CompletedAt = s.completedAt
		}
	}
	var err error
	n.Repetition, err = (&repetitionChange{rule: &s.rule}).apply(Repetition{}, s.dates.Due)
	return n, err
}

// AsPut reports whether a reader gets what was put.
func (t CalendarTask) AsPut(text []byte) bool {
	t.KeptVersion = 0
	now, err := t.Text()
	return err == nil && bytes.Equal(now, text)
}
