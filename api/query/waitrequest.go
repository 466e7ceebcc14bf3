package query

import (
	"slices"
	"strings"
	"time"

	"queuetrack/projection/wait"
)

// waitRequest reads everything that the configuration alone can check.
func (d *Door) waitRequest(p *parser, q WaitsQuery) wait.Request {
	r := wait.Request{
		Sources:      d.names,
		GroupBy:      groups(p, q.GroupBy),
		AttributedBy: oneOf(p, "attributed_by", q.AttributedBy, wait.AtArrival, []wait.Attribution{wait.AtArrival, wait.AtCall, wait.AtEnd}),
		Percentiles:  percentiles(p, q.Percentiles),
		ServiceLevel: p.integer("service_level", string(q.ServiceLevel), DefaultServiceLevel, 0, maxServiceLevel),
		Formula:      oneOf(p, "formula", q.Formula, wait.F4, []wait.Formula{wait.F1, wait.F2, wait.F3, wait.F4}),
		Compare:      oneOf(p, "compare", q.Compare, "", []string{comparePrevious}) != "",
		Timeout:      min(d.cfg.Timeout, wait.StatementTimeout),
	}
	included(p, q.Include, &r)
	if d.source(p, q.Source) != "" {
		r.Sources = []string{q.Source}
	}
	r.Zone = d.zone(p, q.TZ, r.Sources)
	r.From, r.To = d.window(p, q, r.Zone)
	return r
}

// comparePrevious asks for the window before.
const comparePrevious = "previous"

// The words of include.
const (
	includeQueueLength = "queue_length"
	includeDropOff     = "drop_off"
)

// included reads what is told besides.
func included(p *parser, s string, r *wait.Request) {
	if s == "" {
		return
	}
	for _, word := range strings.Split(s, ",") {
		asked := map[string]*bool{includeQueueLength: &r.QueueLength, includeDropOff: &r.DropOff}[word]
		switch {
		case asked == nil:
			p.wrong("include", "include has %s; it must be one or both of %s, %s, joined by a comma.", quote(word), includeQueueLength, includeDropOff)
		case *asked:
			p.wrong("include", "include has %s twice.", word)
		default:
			*asked = true
		}
	}
	for _, key := range []wait.GroupKey{wait.ByDesk, wait.ByAgent} {
		if r.QueueLength && slices.Contains(r.GroupBy, key) {
			p.wrong("include", "include has %s and group_by has %s: people who wait have no %s yet. Queue lengths go by source, location, queue and any group of time.", includeQueueLength, key, key)
		}
	}
}

// zone is the one asked for, else the one that all the sources have.
func (d *Door) zone(p *parser, name string, sources []string) *time.Location {
	if name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil || name == "Local" {
			p.wrong("tz", "tz is %s; give a zone of the IANA database, as Europe/Tallinn.", quote(name))
			return time.UTC
		}
		return zone
	}
	if len(sources) == 0 {
		return time.UTC
	}
	zone := d.zoneOf(sources[0])
	for _, s := range sources {
		if other := d.zoneOf(s); other.String() != zone.String() {
			p.wrong("tz", "tz is required here: the sources have different zones (%s in %s, %s in %s). Give the zone of dates and days, as tz=%s, or one source, as source=%s.",
				sources[0], zone, s, other, zone, sources[0])
			break
		}
	}
	return zone
}

// zoneOf is UTC for a source that isn't configured: that mistake is told already, and what else is wrong still can be.
func (d *Door) zoneOf(source string) *time.Location {
	if s, ok := d.sources[source]; ok {
		return s.Zone
	}
	return time.UTC
}

// window is half-open. What is absent makes it the last local days, today's included.
func (d *Door) window(p *parser, q WaitsQuery, zone *time.Location) (from, to time.Time) {
	before := len(p.errs)
	from, to = p.moment("from", q.From, zone), p.moment("to", q.To, zone)
	if len(p.errs) > before {
		return from, to
	}
	if to.IsZero() {
		to = midnight(d.cfg.Now(), zone, 1)
	}
	if from.IsZero() {
		from = to.In(zone).AddDate(0, 0, -defaultDays)
	}
	if !from.Before(to) {
		p.wrong("from", "from (%s) must be earlier than to (%s); to is outside of the window, so one day is from=2026-11-20&to=2026-11-21; absent, to is the next local midnight.",
			from.In(zone).Format(time.RFC3339), to.In(zone).Format(time.RFC3339))
	}
	return from, to
}

// groups reads up to two dimensions.
func groups(p *parser, s string) []wait.GroupKey {
	if s == "" {
		return nil
	}
	var keys []wait.GroupKey
	for _, word := range strings.Split(s, ",") {
		key := wait.GroupKey(word)
		switch {
		case !slices.Contains(wait.GroupKeys, key):
			p.wrong("group_by", "group_by has %s; it must be one or two of %s, joined by a comma.", quote(word), join(wait.GroupKeys))
		case slices.Contains(keys, key):
			p.wrong("group_by", "group_by has %s twice.", word)
		default:
			keys = append(keys, key)
		}
	}
	if len(keys) > 2 {
		p.wrong("group_by", "group_by is %s, which are %d dimensions; at most two are allowed.", quote(s), len(keys))
	}
	return keys
}

// percentiles reads whole numbers, in ascending order and each once.
func percentiles(p *parser, s string) []int {
	if s == "" {
		return []int{50, 80, 90, 95}
	}
	var list []int
	for _, word := range strings.Split(s, ",") {
		if word == "" {
			p.wrong("percentiles", "percentiles is %s; give whole numbers from 1 to 99 joined by commas.", quote(s))
			continue
		}
		list = append(list, int(p.integer("percentiles", word, 50, 1, 99)))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > maxPercentiles {
		p.wrong("percentiles", "percentiles has %d numbers; at most %d are allowed.", len(list), maxPercentiles)
	}
	return list
}
