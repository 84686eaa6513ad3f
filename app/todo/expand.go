package todo

import (
	"slices"
	"time"
)

// A rule is expanded period by period: the days of a period that fit its parts,
// and of these the ones that BYSETPOS picks (RFC 5545 section 3.3.10). 50 years
// are some 18,300 days, each of which is looked at once.

const oneDay = 24 * time.Hour

// Next returns the first date of a rule that began with start and that comes after
// a day, with start's time of day and zone; false if there is none within 50 years
// of the start.
func (r Recurrence) Next(start Due, after time.Time) (Due, bool) {
	next, _, found := r.next(start, after)
	return next, found
}

// next is Next, and tells the number of the date among those of a rule with a COUNT,
// from 1 on.
func (r Recurrence) next(start Due, after time.Time) (date Due, number int, found bool) {
	first := start.Day()
	end := first.AddDate(horizon, 0, 0)
	if last := r.lastDay(start); !last.IsZero() && last.Before(end) {
		end = last
	}
	counted := 0
	for period := r.firstPeriod(first, after); !period.After(end); period = r.step(period, r.interval) {
		for _, day := range r.in(period, first) {
			switch {
			case day.Before(first):
				continue
			case day.After(end):
				return Due{}, 0, false
			}
			if counted++; r.count > 0 && counted > r.count {
				return Due{}, 0, false
			}
			if day.After(after) {
				return start.On(day), counted, true
			}
		}
	}
	return Due{}, 0, false
}

// firstPeriod is the beginning of the period from which on dates are looked for: of
// the one with the first date or, where nothing is counted, with one shortly before
// a day.
func (r Recurrence) firstPeriod(first, after time.Time) time.Time {
	begin := r.period(first)
	if r.count > 0 || !after.After(first) {
		return begin
	}
	var passed int
	switch target := r.period(after); r.frequency {
	case daily:
		passed = int(target.Sub(begin) / oneDay)
	case weekly:
		passed = int(target.Sub(begin) / (7 * oneDay))
	case monthly:
		passed = 12*(target.Year()-begin.Year()) + int(target.Month()) - int(begin.Month())
	case yearly:
		passed = target.Year() - begin.Year()
	}
	return r.step(begin, passed/r.interval*r.interval)
}

// period is the first day of the period of a day.
func (r Recurrence) period(day time.Time) time.Time {
	switch r.frequency {
	case weekly:
		return day.AddDate(0, 0, -int((day.Weekday()-r.weekStart+7)%7))
	case monthly:
		return day.AddDate(0, 0, 1-day.Day())
	case yearly:
		return time.Date(day.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	}
	return day
}

// step goes some periods on.
func (r Recurrence) step(period time.Time, periods int) time.Time {
	switch r.frequency {
	case weekly:
		return period.AddDate(0, 0, 7*periods)
	case monthly:
		return period.AddDate(0, periods, 0)
	case yearly:
		return period.AddDate(periods, 0, 0)
	}
	return period.AddDate(0, 0, periods)
}

// in returns the dates of a rule in a period, in their order.
func (r Recurrence) in(period, first time.Time) []time.Time {
	var all []time.Time
	for day := period; day.Before(r.step(period, 1)); day = day.Add(oneDay) {
		if r.fits(day, first) {
			all = append(all, day)
		}
	}
	if len(r.positions) == 0 {
		return all
	}
	var picked []time.Time
	for i, day := range all {
		if slices.Contains(r.positions, i+1) || slices.Contains(r.positions, i-len(all)) {
			picked = append(picked, day)
		}
	}
	return picked
}

// fits reports whether a day is one of those that the parts of a rule name; what
// they leave open is as on the first date.
func (r Recurrence) fits(day, first time.Time) bool {
	if len(r.months) > 0 && !slices.Contains(r.months, int(day.Month())) {
		return false
	}
	if len(r.days) > 0 {
		length := day.AddDate(0, 1, -day.Day()).Day()
		if !slices.Contains(r.days, day.Day()) && !slices.Contains(r.days, day.Day()-length-1) {
			return false
		}
	}
	if len(r.weekdays) > 0 {
		return slices.ContainsFunc(r.weekdays, func(want ordinalDay) bool { return r.isNth(day, want) })
	}
	if len(r.days) > 0 {
		return true
	}
	switch r.frequency {
	case weekly:
		return day.Weekday() == first.Weekday()
	case monthly:
		return day.Day() == first.Day()
	case yearly:
		return day.Day() == first.Day() && (len(r.months) > 0 || day.Month() == first.Month())
	}
	return true
}

// isNth reports whether a day is a day of the week, and the nth one of its month
// or, in a rule for years without months, of its year.
func (r Recurrence) isNth(day time.Time, want ordinalDay) bool {
	if day.Weekday() != want.day || want.nth == 0 {
		return day.Weekday() == want.day
	}
	place, length := day.Day(), day.AddDate(0, 1, -day.Day()).Day()
	if r.frequency == yearly && len(r.months) == 0 {
		place = day.YearDay()
		length = time.Date(day.Year(), time.December, 31, 0, 0, 0, 0, time.UTC).YearDay()
	}
	if want.nth > 0 {
		return (place-1)/7+1 == want.nth
	}
	return (length-place)/7+1 == -want.nth
}
