package wait

import (
	"context"
	"fmt"

	"queuetrack/projection"
)

// measured is what is known of a period.
type measured struct {
	places  map[place]*Measures
	lanes   map[lane]bool
	fixed   bool    // the lanes are known, and no other counts
	elapsed []int64 // seconds, of each key
}

// measure computes all that is asked for, of the lanes given; nil: of all that have a segment in the window, which may
// be in so many places as the limit, and one more.
func (p period) measure(ctx context.Context, v *projection.View, lanes []lane, limit int) (*measured, error) {
	m := &measured{places: map[place]*Measures{}, lanes: map[lane]bool{}, fixed: lanes != nil}
	for _, l := range lanes {
		m.lanes[l] = true
	}
	most := &limit
	if limit++; m.fixed {
		most = nil
	}
	if err := p.count(ctx, v, m, most); err != nil {
		return nil, fmt.Errorf("count segments: %w", err)
	}
	if !m.fixed && len(m.lanes)*len(p.keys) >= limit {
		return m, nil // too many: the rest is in vain
	}
	m.fixed = true
	if p.QueueLength || p.DropOff {
		if err := p.walk(ctx, v, m); err != nil {
			return nil, fmt.Errorf("go through who waited: %w", err)
		}
	}
	return m, nil
}

// at returns the measures of a place; nil when its lane doesn't count.
func (m *measured) at(p place) *Measures {
	if !m.lanes[p.lane] {
		if m.fixed {
			return nil
		}
		m.lanes[p.lane] = true
	}
	if m.places[p] == nil {
		m.places[p] = &Measures{}
	}
	return m.places[p]
}

// measures are those of a place, complete with what is the same for all places or where nobody was.
func (m *measured) measures(r Request, l lane, key int) Measures {
	var found Measures
	if there := m.places[place{l, int32(key)}]; there != nil {
		found = *there
	}
	if r.QueueLength {
		found.QueueLength.ElapsedSeconds = m.elapsed[key]
	}
	if r.DropOff && found.DropOff == nil {
		found.DropOff = noPlaces()
	}
	return found
}
