package dashboard

import (
	"context"
	"net/url"
	"slices"
	"time"
)

// choices are what a report can be about.
type choices struct {
	sources []sourceState
	queues  []queueState
}

func readChoices(ctx context.Context, ask *rest) (there choices, err error) {
	var sources list[sourceState]
	if err := ask.get(ctx, "/v1/sources", 0, &sources); err != nil {
		return there, err
	}
	var queues list[queueState]
	err = ask.get(ctx, "/v1/queues", 0, &queues)
	return choices{sources.Items, queues.Items}, err
}

// assume chooses a source where a report needs one and none was asked for: days begin at other times in other zones. It is
// the first that has the queue or the location that was asked for.
func (c choices) assume(asked url.Values) string {
	if asked.Get("source") != "" || asked.Get("tz") != "" || len(c.zones()) < 2 {
		return ""
	}
	source := c.sources[0].Source
	if i := slices.IndexFunc(c.queues, func(q queueState) bool {
		return (asked.Get("queue") == "" || q.Queue == asked.Get("queue")) && (asked.Get("location") == "" || q.place() == asked.Get("location"))
	}); i >= 0 && (asked.Get("queue") != "" || asked.Get("location") != "") {
		source = c.queues[i].Source
	}
	asked.Set("source", source)
	return source
}

// zones are those of the sources, each once.
func (c choices) zones() []string {
	var names []string
	for _, s := range c.sources {
		if !slices.Contains(names, s.Timezone) {
			names = append(names, s.Timezone)
		}
	}
	return names
}

// zone is the one that dates of the question are in.
func (c choices) zone(asked url.Values) *time.Location {
	if zone, err := time.LoadLocation(asked.Get("tz")); err == nil && asked.Get("tz") != "" {
		return zone
	}
	for _, s := range c.sources {
		if asked.Get("source") == "" || asked.Get("source") == s.Source {
			return s.zone()
		}
	}
	return time.UTC
}

// place is where a queue is; empty when nobody says.
func (q queueState) place() string {
	if q.Location == nil {
		return ""
	}
	return *q.Location
}

// windows are those that are often asked for, with all else as it is.
func windows(kind report, asked url.Values, there choices, now time.Time) []link {
	local := now.In(there.zone(asked))
	day := func(offset int) string { return local.AddDate(0, 0, offset).Format(time.DateOnly) }
	month := func(offset int) string {
		return time.Date(local.Year(), local.Month()+time.Month(offset), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	var list []link
	for _, w := range []struct{ name, from, to string }{
		{"Today", day(0), day(1)},
		{"Yesterday", day(-1), day(0)},
		{"Last 7 days", day(-6), day(1)}, // what REST takes for nothing
		{"This month", month(0), month(1)},
		{"Last month", month(-1), month(0)},
	} {
		query := url.Values{}
		for name, values := range asked {
			query[name] = values
		}
		from, to := query.Get("from"), query.Get("to")
		query.Set("from", w.from)
		query.Set("to", w.to)
		current := from == w.from && to == w.to || from+to == "" && w.name == "Last 7 days"
		list = append(list, link{w.name, addressOf(kind.Path, query), current})
	}
	return list
}
