package todo

import "taskapi/app"

// Dates are when a task is due and when it begins. Both are of the same kind, a day or
// a local time, and share the zone.
type Dates struct{ Due, Start Due }

// DatesInput is what a client says of the dates of a task. Null clears.
type DatesInput struct{ Due, Zone, Start app.Field[string] }

// named reports whether the input names any of the dates.
func (in DatesInput) named() bool {
	return in.Due.State != app.Absent || in.Zone.State != app.Absent || in.Start.State != app.Absent
}

// DatesChange is a change of dates of which each part is right by itself. Nil leaves a
// part as it is.
type DatesChange struct {
	due, start *Due // zero: none
	zone       *string
	wrong      bool // a part is wrong by itself
}

// read checks each date by itself. Returns nil if the input names none.
func (in DatesInput) read(p app.Problems) *DatesChange {
	if !in.named() {
		return nil
	}
	before := len(p)
	c := &DatesChange{due: readDue(p, "due", in.Due), start: readDue(p, "start", in.Start)}
	switch in.Zone.State {
	case app.Null:
		c.zone = new(string)
	case app.Mistyped:
		p.Add("due_zone", "The field due_zone must be a string.")
	case app.Present:
		c.zone = &in.Zone.Value
		if !isZone(in.Zone.Value) {
			p.Add("due_zone", "The field due_zone "+errZone.Error()+".")
		}
	}
	c.wrong = len(p) > before
	return c
}

func readDue(p app.Problems, name string, field app.Field[string]) *Due {
	switch field.State {
	case app.Null:
		return &Due{}
	case app.Mistyped:
		p.Add(name, "The field "+name+" must be a string.")
	case app.Present:
		due, err := ParseDue(field.Value, "")
		if err != nil {
			p.Add(name, "The field "+name+" "+err.Error()+".")
		}
		return &due
	}
	return nil
}

// Apply returns the dates of a task after the change. Returns KindInvalid errors if
// the result contradicts itself. Clearing the due, or making it a day, clears the zone.
func (c *DatesChange) Apply(dates Dates) (Dates, error) {
	if c == nil || c.wrong {
		return dates, nil
	}
	zone := dates.Due.Zone
	if c.due != nil {
		dates.Due = *c.due
		if !dates.Due.Timed {
			zone = ""
		}
	}
	if c.start != nil {
		dates.Start = *c.start
	}
	if c.zone != nil {
		zone = *c.zone
	}
	p := app.Problems{}
	if zone != "" && !dates.Due.Timed {
		p.Add("due_zone", "The field due_zone goes with a due that has a time of day.")
	}
	if !dates.Due.IsZero() && !dates.Start.IsZero() {
		switch {
		case dates.Start.Timed != dates.Due.Timed:
			p.Add("start", "The field start must be a day if due is one, and have a time of day if due has one.")
		case dates.Start.Wall.After(dates.Due.Wall):
			p.Add("start", "The field start must not be after due.")
		}
	}
	dates.Due.Zone = zone
	if dates.Start.Zone = ""; dates.Start.Timed {
		dates.Start.Zone = zone
	}
	return dates, p.Err()
}

// NewDates reads the dates of a new task, and notes what is wrong with them.
func NewDates(p app.Problems, in DatesInput) Dates {
	dates, err := in.read(p).Apply(Dates{})
	p.Merge(err)
	return dates
}

// explain returns the error of a request whose problems are known: ErrUnknownZone if
// that is all that is wrong.
func (in DatesInput) explain(p app.Problems) error {
	if in.Zone.State == app.Present && len(p) == 1 && p["due_zone"] != "" && !isZone(in.Zone.Value) {
		return ErrUnknownZone
	}
	return p.Err()
}

// isZone reports whether a text is the name of a time zone.
func isZone(name string) bool {
	_, err := Location(name)
	return name != "" && err == nil
}
