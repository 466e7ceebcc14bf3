package bench

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"queuetrack/projection"
	"queuetrack/projection/wait"
)

// QueryPlan is what to measure.
type QueryPlan struct {
	Location  int64 // tickets of the one location
	Tickets   int64 // of all the others together
	Locations int   // how many others
	Rounds    int
}

// Query is what was found about one report.
type Query struct {
	Name            string
	Segments        int64
	Items           int
	Product, ByHand [][]time.Duration // of each round; by hand nothing, where there is no such statement
}

// inquiry is a report, and the same in SQL.
type inquiry struct {
	name    string
	request wait.Request
	bounds  []time.Time // of the days that the statement by hand groups by; none: it groups by source
	alone   bool        // there is no statement by hand
}

// MeasureQuery fills the segments' table and measures reports on it, as the REST door computes them: one view, one report.
// Turn about with each runs the statement by hand, whose numbers must be the same. The database must be migrated, empty,
// and nobody else's.
func MeasureQuery(ctx context.Context, pool *pgxpool.Pool, p QueryPlan, progress func(string)) ([]Query, error) {
	reader := projection.NewReader(pool)
	var set projection.Set
	if err := reader.View(ctx, func(v *projection.View) error { set = v.Set; return nil }); err != nil {
		return nil, err
	}
	progress(fmt.Sprintf("make the segments of %d tickets", p.Location+p.Tickets))
	if err := fillSegments(ctx, pool, set, p.locations()); err != nil {
		return nil, err
	}
	var found []Query
	for _, q := range p.inquiries() {
		progress(q.name)
		measured, err := q.measure(ctx, reader, p.Rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		found = append(found, measured)
	}
	return found, nil
}

// theLocation is the source of the one location.
const theLocation = "location"

// locations are all that there are, the one and the others.
func (p QueryPlan) locations() []location {
	all := []location{{theLocation, p.Location}}
	for _, source := range p.others() {
		all = append(all, location{source, p.Tickets / int64(p.Locations)})
	}
	return all
}

func (p QueryPlan) others() []string {
	sources := make([]string, p.Locations)
	for i := range sources {
		sources[i] = fmt.Sprintf("%s-%03d", theLocation, i+1)
	}
	return sources
}

// inquiries are those of the figures to reach (design.md), and what more a report may tell.
func (p QueryPlan) inquiries() []inquiry {
	zone := time.FixedZone("EET", 2*3600)
	from := time.Date(opened.Year(), opened.Month(), opened.Day(), 0, 0, 0, 0, zone)
	to := from.AddDate(0, 0, 7*weeks)
	base := wait.Request{
		From: from, To: to, Zone: zone, Percentiles: []int{50, 90, 95}, ServiceLevel: 300, Formula: wait.F4, AttributedBy: wait.AtArrival,
	}
	one, month, all := base, base, base
	one.Sources, one.GroupBy = []string{theLocation}, []wait.GroupKey{wait.ByDay, wait.ByQueue}
	month.Sources, month.GroupBy = p.others(), []wait.GroupKey{wait.BySource}
	all.Sources, all.GroupBy = month.Sources, month.GroupBy
	month.From = time.Date(to.Year(), to.Month()-1, 1, 0, 0, 0, 0, zone)
	month.To = month.From.AddDate(0, 1, 0)
	lengths, dropOff := one, one
	lengths.QueueLength, dropOff.DropOff = true, true
	named := all // two sources may be at one location, which is known by its queues
	named.GroupBy, named.Locations = []wait.GroupKey{wait.ByLocation}, map[wait.QueueID]string{}
	for _, source := range named.Sources {
		for queue := range eachQueues {
			named.Locations[wait.QueueID{Source: source, Queue: strconv.Itoa(firstQueue + queue)}] = "at " + source
		}
	}
	var days []time.Time
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		days = append(days, day)
	}
	return []inquiry{
		{name: "two years of a location, by day and queue", request: one, bounds: days},
		{name: fmt.Sprintf("a month of %d locations", p.Locations), request: month},
		{name: fmt.Sprintf("two years of %d locations", p.Locations), request: all},
		{name: "the same, by the names of the locations", request: named, alone: true},
		{name: "the location, with the lengths of its queues", request: lengths, alone: true},
		{name: "the location, with who gave up at which place", request: dropOff, alone: true},
	}
}

// measure asks once unmeasured, and compares; then turn about.
func (q inquiry) measure(ctx context.Context, reader *projection.Reader, rounds int) (Query, error) {
	found := Query{Name: q.name}
	began := time.Now()
	items, err := q.ask(ctx, reader)
	if err != nil {
		return found, err
	}
	turns := min(max(1, int(time.Second/time.Since(began))), 20) // about a second's
	found.Items = len(items)
	for _, item := range items {
		found.Segments += item.Offered
	}
	if !q.alone {
		if err := q.compare(ctx, reader, items); err != nil {
			return found, err
		}
	}
	for range rounds {
		product, byHand := make([]time.Duration, turns), make([]time.Duration, turns)
		for turn := range turns {
			if product[turn], err = timed(func() error { _, err := q.ask(ctx, reader); return err }); err != nil {
				return found, err
			}
			if q.alone {
				continue
			}
			if byHand[turn], err = timed(func() error { return q.askByHand(ctx, reader) }); err != nil {
				return found, fmt.Errorf("by hand: %w", err)
			}
		}
		found.Product = append(found.Product, product)
		if !q.alone {
			found.ByHand = append(found.ByHand, byHand)
		}
	}
	return found, nil
}

func timed(f func() error) (time.Duration, error) {
	began := time.Now()
	err := f()
	return time.Since(began), err
}

// ask computes the report.
func (q inquiry) ask(ctx context.Context, reader *projection.Reader) (items []wait.Item, err error) {
	err = reader.View(ctx, func(v *projection.View) error {
		report, err := wait.Run(ctx, v, q.request)
		items = report.Items
		return err
	})
	return items, err
}

// askByHand reads the statement's rows, and makes nothing of them.
func (q inquiry) askByHand(ctx context.Context, reader *projection.Reader) error {
	return reader.View(ctx, func(v *projection.View) error {
		rows, err := byHand(ctx, v, q)
		if err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	})
}

// compare holds the report's items against the statement's, which knows nothing of empty ones.
func (q inquiry) compare(ctx context.Context, reader *projection.Reader, items []wait.Item) error {
	var want []wait.Item
	err := reader.View(ctx, func(v *projection.View) error {
		rows, err := byHand(ctx, v, q)
		if err != nil {
			return err
		}
		want, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (wait.Item, error) { return handItem(row, q) })
		return err
	})
	if err != nil {
		return fmt.Errorf("by hand: %w", err)
	}
	return same(want, items)
}

// same returns an error that tells the first difference.
func same(want, items []wait.Item) error {
	type key struct {
		source, queue string
		start         int64
	}
	keyOf := func(i wait.Item) key { return key{i.Source, i.Queue, i.Start.Unix()} }
	got := map[key]wait.Measures{}
	for _, item := range items {
		if item.Offered > 0 {
			got[keyOf(item)] = item.Measures
		}
	}
	want = slices.DeleteFunc(want, func(i wait.Item) bool { return i.Offered == 0 })
	for _, item := range want {
		item.ServiceLevel = got[keyOf(item)].ServiceLevel // its components are compared
		if measures := got[keyOf(item)]; !reflect.DeepEqual(item.Measures, measures) {
			return fmt.Errorf("by hand %+v has other numbers: %+v", measures, item.Measures)
		}
	}
	if len(want) != len(got) {
		return fmt.Errorf("by hand there are %d items, not %d", len(want), len(got))
	}
	return nil
}
