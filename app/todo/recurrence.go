package todo

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Recurrence is how a task repeats: a strict subset of the RRULE of RFC 5545
// (section 3.3.10), on calendar days without a zone. The time of day is that of
// the task's date, so daylight saving can't reach it.
type Recurrence struct {
	parts map[string]string // as they are stored, by name

	frequency       frequency
	interval, count int // count 0: no end
	months, days    []int
	weekdays        []ordinalDay
	positions       []int
	weekStart       time.Weekday
	until           Due // the day or the moment of UNTIL; its Wall is zero without one
}

// frequency is the period of a rule.
type frequency int

const (
	daily frequency = iota + 1
	weekly
	monthly
	yearly
)

// ordinalDay is a day of the week: each of a period, or the nth, counted from the
// end if negative.
type ordinalDay struct {
	day time.Weekday
	nth int // 0: each
}

const (
	// maxRecurrence is how long the text of a rule may be, in characters.
	maxRecurrence = 200
	// maxEntries is how many entries each list in it may have.
	maxEntries  = 31
	maxInterval = 999
	maxCount    = 1000
	// horizon is for how many years after its start a rule is computed.
	horizon = 50
)

// recurrenceParts are the parts of a rule in the order in which they are stored.
func recurrenceParts() []string {
	return []string{"FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST", "COUNT", "UNTIL"}
}

// ParseRecurrence reads a rule for a task with a date, and normalises it: in upper
// case, with its parts in a fixed order. A rule that would skip the months or years
// without the day of the date takes their last day instead. The error is a sentence
// about the first part that is wrong.
func ParseRecurrence(text string, due Due) (Recurrence, error) {
	r := Recurrence{parts: map[string]string{}}
	if len(text) > maxRecurrence {
		return Recurrence{}, fmt.Errorf("must have at most %d characters", maxRecurrence)
	}
	for part := range strings.SplitSeq(strings.ToUpper(strings.TrimSpace(text)), ";") {
		name, value, found := strings.Cut(part, "=")
		switch {
		case !found || value == "":
			return Recurrence{}, fmt.Errorf("must be a rule such as FREQ=WEEKLY;BYDAY=MO, but has %q", part)
		case r.parts[name] != "":
			return Recurrence{}, fmt.Errorf("has %s twice", name)
		case slices.Contains([]string{"BYHOUR", "BYMINUTE", "BYSECOND"}, name):
			return Recurrence{}, fmt.Errorf("has %s, which is not supported; the time of day is that of due", name)
		case !slices.Contains(recurrenceParts(), name):
			return Recurrence{}, fmt.Errorf("has %s, which is not supported", name)
		}
		r.parts[name] = value
	}
	r.clamp(due)
	if err := r.build(); err != nil {
		return Recurrence{}, err
	}
	return r, nil
}

// clamp says in plain RFC 5545, so that every client computes the same, that a
// rule takes the last day of the months or years that lack the day it begins on.
func (r *Recurrence) clamp(due Due) {
	for _, name := range []string{"BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS"} {
		if r.parts[name] != "" {
			return // it says which days it means
		}
	}
	day := due.Wall.Day()
	switch {
	case r.parts["FREQ"] == "MONTHLY" && day > 28:
		var days []string
		for d := 28; d <= day; d++ {
			days = append(days, strconv.Itoa(d))
		}
		r.parts["BYMONTHDAY"], r.parts["BYSETPOS"] = strings.Join(days, ","), "-1"
	case r.parts["FREQ"] == "YEARLY" && day == 29 && due.Wall.Month() == time.February:
		r.parts["BYMONTH"], r.parts["BYMONTHDAY"], r.parts["BYSETPOS"] = "2", "28,29", "-1"
	}
}

// build checks each part and makes the rule of them.
func (r *Recurrence) build() error {
	r.frequency = map[string]frequency{"DAILY": daily, "WEEKLY": weekly, "MONTHLY": monthly, "YEARLY": yearly}[r.parts["FREQ"]]
	if r.frequency == 0 {
		return errors.New("must have FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
	}
	r.interval, r.weekStart = 1, time.Monday
	for _, read := range []func() error{
		func() error { return r.number("INTERVAL", maxInterval, &r.interval) },
		func() error { return r.numbers("BYMONTH", 1, 12, false, &r.months) },
		func() error { return r.numbers("BYMONTHDAY", 1, 31, true, &r.days) },
		func() error { return r.numbers("BYSETPOS", 1, 366, true, &r.positions) },
		r.readWeekdays, r.readWeekStart,
		func() error { return r.number("COUNT", maxCount, &r.count) },
		r.readEnd,
	} {
		if err := read(); err != nil {
			return err
		}
	}
	switch {
	case r.parts["BYSETPOS"] != "" && r.parts["BYDAY"]+r.parts["BYMONTHDAY"]+r.parts["BYMONTH"] == "":
		return errors.New("has BYSETPOS, which goes with BYDAY, BYMONTHDAY or BYMONTH only")
	case r.parts["BYMONTHDAY"] != "" && r.frequency == weekly:
		return errors.New("has BYMONTHDAY, which does not go with FREQ=WEEKLY")
	}
	return nil
}

// number reads a part from 1 to most.
func (r *Recurrence) number(name string, most int, to *int) error {
	value := r.parts[name]
	if value == "" {
		return nil
	}
	n, ok := plainNumber(value)
	if !ok || n < 1 || n > most {
		return fmt.Errorf("must have %s from 1 to %d", name, most)
	}
	*to, r.parts[name] = n, strconv.Itoa(n)
	return nil
}

// plainNumber reads digits and nothing else.
func plainNumber(text string) (int, bool) {
	if text == "" || len(text) > 4 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// signedNumber reads digits that may have a sign before them.
func signedNumber(text string) (int, bool) {
	digits := strings.TrimLeft(text, "+-")
	n, ok := plainNumber(digits)
	if len(text)-len(digits) > 1 {
		return 0, false
	}
	if strings.HasPrefix(text, "-") {
		n = -n
	}
	return n, ok
}

// list returns the entries of a part.
func (r *Recurrence) list(name string) ([]string, error) {
	if r.parts[name] == "" {
		return nil, nil
	}
	entries := strings.Split(r.parts[name], ",")
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("must have at most %d entries in %s", maxEntries, name)
	}
	return entries, nil
}

// numbers reads a list of numbers, which may count from the end.
func (r *Recurrence) numbers(name string, least, most int, fromEnd bool, to *[]int) error {
	entries, err := r.list(name)
	if err != nil {
		return err
	}
	var texts []string
	for _, entry := range entries {
		n, ok := signedNumber(entry)
		size := max(n, -n)
		if !ok || size < least || size > most || n < 0 && !fromEnd {
			if fromEnd {
				return fmt.Errorf("must have %s from %d to %d, or from -%d to -%d, counted from the end", name, least, most, most, least)
			}
			return fmt.Errorf("must have %s from %d to %d", name, least, most)
		}
		*to = append(*to, n)
		texts = append(texts, strconv.Itoa(n))
	}
	if len(texts) > 0 {
		r.parts[name] = strings.Join(texts, ",")
	}
	return nil
}

func weekdayNames() map[string]time.Weekday {
	return map[string]time.Weekday{
		"MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday, "TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday, "SU": time.Sunday,
	}
}

// readWeekdays reads BYDAY, whose entries may say which one of a month or year.
func (r *Recurrence) readWeekdays() error {
	entries, err := r.list("BYDAY")
	if err != nil {
		return err
	}
	var texts []string
	for _, entry := range entries {
		name := entry[max(0, len(entry)-2):]
		ordinal := strings.TrimSuffix(entry, name)
		day, known := weekdayNames()[name]
		n, ok := signedNumber(ordinal)
		switch {
		case !known || ordinal != "" && (!ok || n == 0 || max(n, -n) > 53):
			return errors.New("must have days such as MO or -1FR in BYDAY")
		case ordinal != "" && r.frequency < monthly:
			return fmt.Errorf("has %s in BYDAY, which goes with FREQ=MONTHLY or YEARLY only", entry)
		case ordinal != "":
			name = strconv.Itoa(n) + name
		}
		r.weekdays = append(r.weekdays, ordinalDay{day, n})
		texts = append(texts, name)
	}
	if len(texts) > 0 {
		r.parts["BYDAY"] = strings.Join(texts, ",")
	}
	return nil
}

func (r *Recurrence) readWeekStart() error {
	if r.parts["WKST"] == "" {
		return nil
	}
	day, known := weekdayNames()[r.parts["WKST"]]
	if !known {
		return errors.New("must have a day such as MO in WKST")
	}
	r.weekStart = day
	return nil
}

// readEnd reads UNTIL: a day, or a moment in UTC.
func (r *Recurrence) readEnd() error {
	text := r.parts["UNTIL"]
	switch {
	case text == "":
		return nil
	case r.parts["COUNT"] != "":
		return errors.New("must have COUNT or UNTIL, not both")
	}
	if day, err := time.Parse("20060102", text); err == nil {
		r.until = Due{Wall: day}
		return nil
	}
	moment, err := time.Parse("20060102T150405Z", text)
	if err != nil {
		return errors.New("must have a day such as 20261231 or a moment such as 20261231T225959Z in UNTIL")
	}
	r.until = Due{Wall: moment, Timed: true, Zone: "UTC"}
	return nil
}

// String returns the rule as it is stored.
func (r Recurrence) String() string {
	var parts []string
	for _, name := range recurrenceParts() {
		if value := r.parts[name]; value != "" && (name != "INTERVAL" || value != "1") {
			parts = append(parts, name+"="+value)
		}
	}
	return strings.Join(parts, ";")
}

// lastDay is the last day on which a rule with UNTIL has a date; zero without.
func (r Recurrence) lastDay(start Due) time.Time {
	switch {
	case r.until.Wall.IsZero():
		return time.Time{}
	case !r.until.Timed:
		return r.until.Wall
	}
	location, err := Location(start.Zone)
	if err != nil {
		return time.Time{}
	}
	day := Due{Wall: Wall(r.until.Wall, location), Timed: true}.Day()
	if start.Timed && Moment(start.On(day).Wall, location).After(r.until.Wall) {
		return day.AddDate(0, 0, -1)
	}
	return day
}
