package dashboard

import "time"

// times writes instants as the clocks of a source show them.
type times struct {
	now  time.Time
	zone *time.Location
}

// moment is an instant for a template: as a person and as a machine reads it. The zero moment is unknown.
type moment struct{ Text, Machine string }

// Of is the time of the day, with the date when that isn't today.
func (c times) Of(t *time.Time) moment {
	if t == nil {
		return moment{}
	}
	local := t.In(c.zone)
	layout := "2 Jan 2006 15:04:05"
	if local.Format(time.DateOnly) == c.now.In(c.zone).Format(time.DateOnly) {
		layout = "15:04:05"
	}
	return moment{local.Format(layout), t.UTC().Format(time.RFC3339)}
}

// Full is Of with the date always: for what may be looked at tomorrow.
func (c times) Full(t *time.Time) moment {
	if t == nil {
		return moment{}
	}
	local := t.In(c.zone)
	return moment{local.Format("2 Jan 2006 15:04:05"), t.UTC().Format(time.RFC3339)}
}

// Zone is what the clocks are called.
func (c times) Zone() string { return c.zone.String() }
