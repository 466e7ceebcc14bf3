package wait

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"queuetrack/eventstore/ticket"
	"queuetrack/projection"
)

// counting counts a period's segments place by place.
type counting struct {
	period
	m      *measured
	places map[place]*counts // under way
}

// count counts the segments of the window; those of lanes that are not known, if some are, are passed over.
func (p period) count(ctx context.Context, v *projection.View, m *measured, limit *int) error {
	c := counting{p, m, map[place]*counts{}}
	if err := c.odd(ctx, v); err != nil { // first: with its row of measures, a place is often complete
		return err
	}
	if err := c.packed(ctx, v, limit); err != nil {
		return err
	}
	for at := range c.places {
		c.finish(at)
	}
	return nil
}

// at is where the segments of a place are counted.
func (c *counting) at(at place) *counts {
	if c.places[at] == nil {
		c.places[at] = new(counts)
	}
	return c.places[at]
}

// finish tells what was counted of a place.
func (c *counting) finish(at place) {
	if to := c.m.at(at); to != nil {
		*to = c.places[at].measures(c.Request)
	}
	delete(c.places, at)
}

// odd counts the segments whose measures don't fit in one number.
func (c *counting) odd(ctx context.Context, v *projection.View) error {
	rows, err := c.query(ctx, v, c.oddOnes(), nil)
	if err != nil {
		return err
	}
	var name ticket.Outcome
	var s sample
	var wait, service *int64
	at, scans := c.scanPlace()
	_, err = pgx.ForEachRow(rows, append(scans, &name, &s.called, &s.selfRegistered, &s.recalls, &wait, &service), func() error {
		if at.key != noKey {
			s.outcome, s.wait, s.service = outcomeOf(name), orNone(wait), orNone(service)
			c.at(place{c.named(at.lane), at.key}).add(s, c.ServiceLevel)
		}
		return nil
	})
	return err
}

// packed counts all the others.
func (c *counting) packed(ctx context.Context, v *projection.View, limit *int) error {
	rows, err := c.query(ctx, v, c.statement(), pgx.NamedArgs{"limit": limit})
	if err != nil {
		return err
	}
	var measures pgtype.DriverBytes // where the connection read them
	r := row{period: c.period}
	_, err = pgx.ForEachRow(rows, append(r.scans(), &measures), func() error {
		if measures == nil {
			return nil // nobody at all, or nobody whose measures fit
		}
		to := r.place()
		counted := c.at(to)
		err := eachPacked(measures, func(p packed) { counted.add(p.sample(), c.ServiceLevel) })
		if c.whole() {
			c.finish(to)
		}
		return err
	})
	return err
}

// row is where a row of the statement tells that its segments belong.
type row struct {
	period
	key    int32
	source int32  // its number
	queue  string // where the lane has a location
	told   lane
}

func (r *row) scans() []any {
	scans := []any{&r.key, &r.source}
	for _, c := range r.laneColumns() {
		switch c.name {
		case `source`:
		case `location`:
			scans = append(scans, &r.queue)
		default:
			scans = append(scans, c.field(&r.told))
		}
	}
	return scans
}

func (r *row) place() place {
	l := r.told
	if r.bySource() {
		l.Source = r.Sources[r.source]
	}
	if r.by(ByLocation) {
		l.Location = r.Locations[QueueID{r.Sources[r.source], r.queue}]
	}
	return place{l, r.key}
}
